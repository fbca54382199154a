//! What a token is, apart from how it is written: the lineage's record of one access or refresh token, and the
//! claims of RFC 9068 that follow from it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::actor::{Actor, Chain, SubProfile};
use crate::audience::Audience;
use crate::authority::Authority;
use crate::claims_request::ClaimsRequest;
use crate::confirmation::{self, Confirmation};
use crate::identifier::{ClientId, ConsentId, FamilyId, InstanceId, SessionId, TaskId, TokenId, UserId};
use crate::instance::Instance;
use crate::metadata::status_list_uri;
use crate::numeric_date::NumericDate;
use crate::status_list::StatusRef;
use crate::task::Task;

/// A token as the lineage knows it. It never changes; whether it is alive is asked of the store.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Token {
    /// `jti`.
    pub id: TokenId,
    /// Access or refresh.
    pub kind: TokenKind,
    /// To whom it was issued: `client_id`.
    pub client: ClientId,
    /// To which instance of that client, where they are told apart: it is good for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// Whose authority it carries: `sub`.
    pub subject: Subject,
    /// Who acts: `act`.
    pub chain: Chain,
    /// Who acted before it came here, in the namespaces of those who say so: the innermost part of `act`.
    #[serde(default, skip_serializing_if = "Chain::is_none")]
    pub brought: Chain,
    /// Who alone may become its next actor: `may_act` (RFC 8693 §4.4). Never copied to what is derived.
    pub may_act: Option<Actor>,
    /// Whether it is for resource servers or for one actor.
    pub audience: Audience,
    /// What it permits; `until` is its `exp`, and its resources are its `aud` unless it is a hand-over.
    pub authority: Authority,
    /// What it is bound to: `cnf` (RFC 9449 §6, RFC 8705 §3).
    #[serde(default, alias = "jkt", deserialize_with = "confirmation::stored")]
    pub cnf: Option<Confirmation>,
    /// `iat`.
    pub issued_at: NumericDate,
    /// The user's login: `auth_time`, `acr`, `amr`, carried through every derivation (RFC 9068 §2.2.1).
    pub login: Option<Login>,
    /// The claims about the user that were asked for by name and approved. They stay with this client: what is derived
    /// for others has none.
    #[serde(default, skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
    /// The consent it comes from.
    pub consent: Option<ConsentId>,
    /// The task it comes from.
    pub task: Option<TaskRef>,
    /// The token it was derived from.
    pub parent: Option<TokenId>,
    /// The refresh family it belongs to.
    pub family: Option<FamilyId>,
    /// The browser session it hangs on; none where the user approved it for their absence.
    pub session: Option<SessionId>,
    /// Where those who validate offline find whether it was ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusRef>,
}

/// Which kind of token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// For resource servers (RFC 6749 §1.4) or, as a hand-over, for exchange.
    Access,
    /// For the token endpoint only (RFC 6749 §1.5).
    Refresh,
    /// A user's login, for one client (OpenID Connect Core §2).
    Id,
    /// A JWT of somebody whom the operator trusts (RFC 8693 §3), as far as it counts here.
    Foreign,
    /// A grant for another authorization server: for the client to carry there, and good for nothing here.
    Assertion,
    /// What goes from workload to workload inside the trust domain (Transaction Tokens).
    Transaction,
}

impl TokenKind {
    /// Whether it is for resource servers or for the token endpoint, and so somebody may ask whether it is alive
    /// (RFC 7662 §2).
    #[must_use]
    pub const fn is_introspected(self) -> bool {
        matches!(self, Self::Access | Self::Refresh)
    }

    /// Whether nobody but the client that it was issued to may present it, whatever else is allowed.
    #[must_use]
    pub const fn is_its_clients_alone(self) -> bool {
        matches!(self, Self::Refresh | Self::Id | Self::Foreign)
    }
}

/// Whose authority a token carries.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A user's.
    User(UserId),
    /// The client's own (RFC 6749 §4.4).
    Client {
        /// Its id.
        id: ClientId,
        /// Service or agent.
        sub_profile: SubProfile,
    },
}

/// The user's authentication, as it was when they approved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Login {
    /// When.
    pub auth_time: NumericDate,
    /// How strong, if the login said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By which methods (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
}

/// A token's task.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TaskRef {
    /// `task.id`.
    pub id: TaskId,
    /// The root task's id: `txn`.
    pub root: TaskId,
    /// `task.authority_hash`.
    pub authority_hash: String,
}

impl TaskRef {
    /// The task as the `mission` claim of the mission-bound-authorization draft.
    #[must_use]
    pub fn as_mission(&self, issuer: &str) -> Value {
        json!({ "id": self.id.as_str(), "issuer": issuer, "authority_hash": self.authority_hash })
    }
}

impl From<&Task> for TaskRef {
    fn from(task: &Task) -> Self {
        Self { id: task.id.clone(), root: task.root.clone(), authority_hash: task.authority_hash.clone() }
    }
}

impl Subject {
    /// The `sub` claim.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Client { id, .. } => id.as_str(),
        }
    }

    /// Which kind of principal it is: `sub_profile`.
    #[must_use]
    pub const fn sub_profile(&self) -> SubProfile {
        match self {
            Self::User(_) => SubProfile::User,
            Self::Client { sub_profile, .. } => *sub_profile,
        }
    }

    /// The user, if it is one.
    #[must_use]
    pub const fn user(&self) -> Option<&UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::Client { .. } => None,
        }
    }
}

impl Token {
    /// The instance that it was issued to, where it is known.
    #[must_use]
    pub fn issued_to(&self) -> Option<Instance> {
        self.instance.as_ref().map(|id| Instance::new(&self.client, id))
    }

    /// Every instance that acts in it.
    pub fn acting(&self) -> impl Iterator<Item = Instance> {
        let instance = |actor: &Actor| actor.instance.as_ref().map(|id| Instance::new(&actor.sub, id));
        self.chain.actors().iter().filter_map(instance)
    }

    /// `exp`.
    #[must_use]
    pub const fn expires_at(&self) -> NumericDate {
        self.authority.until
    }

    /// `DPoP` or `Bearer` (RFC 9449 §5); a certificate changes nothing of how a token is sent (RFC 8705 §3).
    #[must_use]
    pub const fn token_type(&self) -> &'static str {
        match &self.cnf {
            Some(Confirmation::Jkt(_)) => "DPoP",
            Some(Confirmation::X5tS256(_)) | None => "Bearer",
        }
    }

    /// `aud`: one string, or an array where there are several (RFC 7519 §4.1.3).
    #[must_use]
    pub fn aud(&self) -> Value {
        match &self.audience {
            Audience::Actor(actor) => actor.as_str().into(),
            Audience::Resources => {
                let mut all: Vec<Value> =
                    self.authority.resources.iter().map(|r| r.as_str().into()).collect();
                if all.len() == 1 { all.swap_remove(0) } else { Value::Array(all) }
            }
        }
    }

    /// Its claims (RFC 9068 §2.2, RFC 8693 §4, RFC 9396 §9.1, RFC 9449 §6.1, RFC 8705 §3.1).
    #[must_use]
    pub fn claims(&self, issuer: &str) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        put("iss", issuer.into());
        put("sub", self.subject.as_str().into());
        put("sub_profile", self.subject.sub_profile().as_str().into());
        put("aud", self.aud());
        put("exp", self.expires_at().0.into());
        put("iat", self.issued_at.0.into());
        put("jti", self.id.as_str().into());
        put("client_id", self.client.as_str().into());
        if !self.authority.scope.is_empty() {
            put("scope", self.authority.scope.to_string().into());
        }
        if let Some(details) = self.authority.details.to_claim() {
            put("authorization_details", details);
        }
        if let Some(act) = self.chain.to_claim_on(&self.brought) {
            put("act", act);
        }
        if let Some(may_act) = &self.may_act {
            put("may_act", Value::Object(may_act.to_claim()));
        }
        if let Some(cnf) = &self.cnf {
            put("cnf", json!(cnf));
        }
        if let Some(login) = &self.login {
            put("auth_time", login.auth_time.0.into());
            if let Some(acr) = &login.acr {
                put("acr", acr.as_str().into());
            }
            if !login.amr.is_empty() {
                put("amr", login.amr.clone().into());
            }
        }
        if let Some(task) = &self.task {
            put("txn", task.root.as_str().into());
            put("task", json!({ "id": task.id.as_str(), "authority_hash": task.authority_hash }));
        }
        if let Some(status) = &self.status {
            put("status", status.to_claim(&status_list_uri(issuer, &status.list)));
        }
        claims
    }
}

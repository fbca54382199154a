//! Authorization servers of other domains, to which clients carry grants of ours: identity assertions (Identity
//! Assertion JWT Authorization Grant §4.3) and JWTs that chain domains (Identity Chaining §2.3).
//!
//! What a grant permits was decided like any delegation ([`crate::delegation::decide`]); here is to whom it may go, and
//! what is said there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::audience::{InvalidTarget, Resources};
use crate::client::SigningAlg;
use crate::identifier::ClientId;
use crate::jwt_bearer::{AUTHORIZATION_GRANT, ID_JAG};
use crate::numeric_date::Seconds;
use crate::scope::Scope;
use crate::step_up::Demand;
use crate::token::Token;
use crate::token_type::TokenType;

/// The claim with which a server is told by what name it knows the user itself.
pub const AUD_SUB: &str = "aud_sub";

/// An authorization server of another domain, and what may be said to it.
#[derive(Clone, PartialEq, Debug)]
pub struct ResourceAuthorizationServer {
    /// Its issuer identifier: the `audience` of the request and the `aud` of the grant.
    pub issuer: String,
    /// Which grants it gets.
    pub grants: BTreeSet<GrantKind>,
    /// Our clients that may go there, each with its `client_id` there.
    pub clients: BTreeMap<ClientId, String>,
    /// The resource servers that it issues tokens for.
    pub resources: Resources,
    /// The most that may be said to be allowed there; nothing means what those resource servers know.
    pub scope: Option<Scope>,
    /// The groups of whose members it may hear; empty means everybody.
    pub groups: BTreeSet<String>,
    /// The client that it signs its users in with here, whose names for them it knows them by.
    pub sign_in_client: Option<ClientId>,
    /// The claims about the user that it is told.
    pub claims: BTreeSet<String>,
    /// How long a grant lives.
    pub life: Seconds,
    /// How a grant is signed.
    pub signing_alg: SigningAlg,
    /// How the user must have signed in here for a grant.
    pub login: Demand,
}

/// Which grant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum GrantKind {
    /// An Identity Assertion JWT Authorization Grant.
    #[serde(rename = "id-jag")]
    IdJag,
    /// A JWT authorization grant that chains domains.
    #[serde(rename = "jwt")]
    Jwt,
}

impl GrantKind {
    /// The grant of this `requested_token_type`, if it is one.
    #[must_use]
    pub const fn of(requested: TokenType) -> Option<Self> {
        match requested {
            TokenType::IdJag => Some(Self::IdJag),
            TokenType::Jwt => Some(Self::Jwt),
            _ => None,
        }
    }

    /// `issued_token_type`.
    #[must_use]
    pub const fn token_type(self) -> TokenType {
        match self {
            Self::IdJag => TokenType::IdJag,
            Self::Jwt => TokenType::Jwt,
        }
    }

    /// The `typ` of its header (RFC 8725 §3.11).
    #[must_use]
    pub const fn typ(self) -> &'static str {
        match self {
            Self::IdJag => ID_JAG,
            Self::Jwt => AUTHORIZATION_GRANT,
        }
    }
}

impl ResourceAuthorizationServer {
    /// Whether `client` may carry a grant of this kind there for a user of these groups: its `client_id` there.
    ///
    /// # Errors
    /// [`InvalidTarget`]; why is not told apart.
    pub fn admits(
        &self,
        kind: GrantKind,
        client: &ClientId,
        groups: &BTreeSet<String>,
    ) -> Result<&str, InvalidTarget> {
        let known = self.clients.get(client).filter(|_| self.grants.contains(&kind));
        let heard_of = self.groups.is_empty() || !self.groups.is_disjoint(groups);
        known.filter(|_| heard_of).map(String::as_str).ok_or(InvalidTarget::NotAvailable)
    }

    /// Whether so much may be said to be allowed there.
    #[must_use]
    pub fn may_hear(&self, scope: &Scope) -> bool {
        self.scope.as_ref().is_none_or(|most| scope.is_within(most))
    }
}

/// What a grant says beside what its token's record does.
#[derive(Clone, Copy, Debug)]
pub struct Carried<'a> {
    /// `iss`: this server.
    pub issuer: &'a str,
    /// `aud`.
    pub server: &'a ResourceAuthorizationServer,
    /// Which grant.
    pub kind: GrantKind,
    /// `client_id`: the client's at that server.
    pub client: &'a str,
    /// `sub`: the user as that server knows them.
    pub subject: &'a str,
    /// What it is told of the user.
    pub about_user: &'a Map<String, Value>,
}

impl Carried<'_> {
    /// The claims of the grant of which `token` is the record. Nothing passes that is not named here.
    #[must_use]
    pub fn claims(&self, token: &Token) -> Map<String, Value> {
        // First what is said of the user, so that it can take the place of nothing else.
        let mut claims = self.about_user.clone();
        let mut put = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        put("iss", self.issuer.into());
        put("sub", self.subject.into());
        put("aud", self.server.issuer.as_str().into());
        put("client_id", self.client.into());
        put("jti", token.id.as_str().into());
        put("iat", token.issued_at.0.into());
        put("exp", token.expires_at().0.into());
        put("resource", token.aud());
        if !token.authority.scope.is_empty() {
            put("scope", token.authority.scope.to_string().into());
        }
        if let Some(details) = token.authority.details.to_claim() {
            put("authorization_details", details);
        }
        if let Some(act) = token.chain.to_claim_on(&token.brought) {
            put("act", act);
        }
        if let Some(cnf) = &token.cnf {
            put("cnf", json!(cnf));
        }
        if let Some(login) = &token.login {
            // Without it, what was ended there would never come back: see `auth_time` of whoever takes it.
            put("auth_time", login.auth_time.0.into());
        }
        if let Some(login) = token.login.as_ref().filter(|_| self.kind == GrantKind::IdJag) {
            if let Some(acr) = &login.acr {
                put("acr", acr.as_str().into());
            }
            if !login.amr.is_empty() {
                put("amr", login.amr.clone().into());
            }
        }
        claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> ResourceAuthorizationServer {
        ResourceAuthorizationServer {
            issuer: "https://saas.example".into(),
            grants: [GrantKind::IdJag].into(),
            clients: [("agent".parse().unwrap(), "agent-there".to_owned())].into(),
            resources: Resources::new(),
            scope: "a b".parse().ok(),
            groups: BTreeSet::new(),
            sign_in_client: None,
            claims: BTreeSet::new(),
            life: Seconds(300),
            signing_alg: SigningAlg::Es256,
            login: Demand::default(),
        }
    }

    #[test]
    fn only_clients_that_are_written_down_go_there_with_the_grants_that_are() {
        let nobody = BTreeSet::new();
        let admits = |kind, client: &str| server().admits(kind, &client.parse().unwrap(), &nobody).is_ok();
        assert!(admits(GrantKind::IdJag, "agent"));
        assert!(!admits(GrantKind::Jwt, "agent"));
        assert!(!admits(GrantKind::IdJag, "agent-there"));
        assert_eq!(server().admits(GrantKind::IdJag, &"agent".parse().unwrap(), &nobody), Ok("agent-there"));
    }

    #[test]
    fn a_server_hears_of_members_of_its_groups_alone() {
        let server = ResourceAuthorizationServer { groups: ["sales".to_owned()].into(), ..server() };
        let agent = "agent".parse().unwrap();
        for (groups, heard_of) in [(vec![], false), (vec!["it"], false), (vec!["it", "sales"], true)] {
            let groups = groups.into_iter().map(str::to_owned).collect();
            assert_eq!(server.admits(GrantKind::IdJag, &agent, &groups).is_ok(), heard_of, "{groups:?}");
        }
    }

    #[test]
    fn no_more_is_said_to_be_allowed_than_may_be() {
        assert!(server().may_hear(&"a".parse().unwrap()));
        assert!(!server().may_hear(&"a c".parse().unwrap()));
        assert!(ResourceAuthorizationServer { scope: None, ..server() }.may_hear(&"c".parse().unwrap()));
    }

    #[test]
    fn each_grant_is_requested_issued_and_typed_by_its_own_name() {
        for kind in [GrantKind::IdJag, GrantKind::Jwt] {
            assert_eq!(GrantKind::of(kind.token_type()), Some(kind));
        }
        assert_ne!(GrantKind::IdJag.typ(), GrantKind::Jwt.typ());
        assert_eq!(GrantKind::of(TokenType::AccessToken), None);
    }
}

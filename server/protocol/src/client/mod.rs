//! The client and what it may do (RFC 6749 §2, RFC 7591 §2), and the agent as a client of a kind of its own.

mod algorithms;
mod authentication;
mod metadata;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::actor::{Actor, SubProfile};
use crate::audience::{ResourceIndicator, Resources};
use crate::confirmation::Demand;
use crate::identifier::{ClientId, DetailsTypeName, InstanceId, UserId};
use crate::numeric_date::NumericDate;
use crate::profile::{SecurityProfile, SenderConstraint};
use crate::response_mode::ResponseMode;
use crate::scope::Scope;

pub use algorithms::{ContentEncryptionAlg, KeyManagementAlg, SigningAlg};
pub use authentication::{AuthMethod, ClientAuthentication, KeySource};
pub use metadata::{ApplicationType, ClientMetadata, DeliveryMode, Encryption, SubjectType};

/// A registered client.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Client {
    /// `client_id`.
    pub id: ClientId,
    /// `client_name`, shown to people.
    pub name: String,
    /// Application, service or agent.
    pub kind: ClientKind,
    /// Which rules hold for it beyond those for everybody.
    #[serde(default)]
    pub profile: SecurityProfile,
    /// How it proves who it is.
    pub authentication: ClientAuthentication,
    /// Its public keys: for what it signs, and for what is encrypted to it.
    #[serde(default)]
    pub keys: KeySource,
    /// Registered redirect URIs, exactly as written (RFC 9700 §4.1.3).
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Registered post-logout redirect URIs.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// The grant types it may use.
    pub grant_types: BTreeSet<GrantType>,
    /// The most it may ask for.
    pub scope: Scope,
    /// The resource servers it may ask tokens for.
    #[serde(default)]
    pub resources: Resources,
    /// The details types it may use (RFC 9396 §10, `authorization_details_types`).
    #[serde(default)]
    pub authorization_details_types: BTreeSet<DetailsTypeName>,
    /// `dpop_bound_access_tokens` (RFC 9449 §5.2). See [`Client::binding_demand`] for what else binds tokens.
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// `require_pushed_authorization_requests` (RFC 9126 §6).
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    /// `id_token_signed_response_alg` (OpenID Connect Registration §2).
    pub id_token_signed_response_alg: SigningAlg,
    /// The resource server that this client is: it may introspect tokens for it and exchange tokens sent to it.
    #[serde(default)]
    pub resource_server: Option<ResourceIndicator>,
    /// What else it registered.
    #[serde(default)]
    pub metadata: ClientMetadata,
    /// With pairwise subjects, it is a sector by itself, whatever its redirect URIs are (OpenID Connect Core §8.1):
    /// nothing shows that it belongs to them.
    #[serde(default)]
    pub own_sector: bool,
    /// Whether it may have tokens for the admin API ([`crate::admin_api`]).
    #[serde(default, skip_serializing_if = "is_false")]
    pub admin_api: bool,
    /// Whether it may act now.
    pub status: ClientStatus,
}

/// What kind of principal the client is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// Something people use: a web site, an app.
    Application,
    /// A program that acts for itself or is called with tokens.
    Service,
    /// An AI agent.
    Agent(Agent),
}

/// What makes a client an agent: somebody answers for it, it is for something, and it ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Agent {
    /// The user who answers for it.
    pub owner: UserId,
    /// What it is for, shown to people.
    pub purpose: String,
    /// When it ends.
    pub expires_at: NumericDate,
    /// The longest chain it may stand in, if less than the server's.
    #[serde(default)]
    pub max_chain_depth: Option<usize>,
}

/// Whether a client may act.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientStatus {
    /// It may.
    Active,
    /// It may not now; this can be undone.
    Suspended,
    /// It never may again.
    Retired,
}

/// A grant type that `POST /token` knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum GrantType {
    /// RFC 6749 §4.1.
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    /// RFC 6749 §6.
    #[serde(rename = "refresh_token")]
    RefreshToken,
    /// RFC 6749 §4.4.
    #[serde(rename = "client_credentials")]
    ClientCredentials,
    /// RFC 8693 §2.1.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
    /// RFC 8628 §3.4.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// Client-Initiated Backchannel Authentication §10.1.
    #[serde(rename = "urn:openid:params:grant-type:ciba")]
    Ciba,
    /// RFC 7523 §2.1.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
    /// Deferred Token Response §5.5. Whoever holds a `deferral_code` may ask with it; nobody has to register this.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:deferred")]
    Deferred,
}

impl GrantType {
    /// Every grant type, in the order discovery lists them.
    pub const ALL: [Self; 8] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::TokenExchange,
        Self::DeviceCode,
        Self::Ciba,
        Self::JwtBearer,
        Self::Deferred,
    ];

    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::Ciba => "urn:openid:params:grant-type:ciba",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::Deferred => "urn:ietf:params:oauth:grant-type:deferred",
        }
    }

    /// The grant type of this name, if there is one.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.as_str() == name)
    }
}

impl Client {
    /// Public clients have no credentials (RFC 6749 §2.1).
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self.authentication, ClientAuthentication::None)
    }

    /// How it learns of the answer to a backchannel authentication request: by asking, unless it said otherwise.
    #[must_use]
    pub fn delivery_mode(&self) -> DeliveryMode {
        self.metadata.backchannel_token_delivery_mode.unwrap_or(DeliveryMode::Poll)
    }

    /// Its name in `language`, where it registered one, and else the one for everybody (RFC 7591 §2.2).
    #[must_use]
    pub fn name_in(&self, language: &str) -> &str {
        self.metadata.in_languages.get(&format!("client_name#{language}")).unwrap_or(&self.name)
    }

    /// What makes it an agent, if it is one.
    #[must_use]
    pub const fn agent(&self) -> Option<&Agent> {
        match &self.kind {
            ClientKind::Agent(agent) => Some(agent),
            ClientKind::Application | ClientKind::Service => None,
        }
    }

    /// Whether it may act at `now`: active, and for an agent, not at its end.
    #[must_use]
    pub fn is_live(&self, now: NumericDate) -> bool {
        self.status == ClientStatus::Active && self.agent().is_none_or(|agent| !agent.expires_at.is_over(now))
    }

    /// What tokens for it must be bound to: as it is registered, as its profile demands, and in any case those of an
    /// agent and those for the admin API.
    #[must_use]
    pub const fn binding_demand(&self) -> Demand {
        let constraint = self.profile.rules().sender_constraint;
        Demand {
            key: self.dpop_bound_access_tokens,
            certificate: self.metadata.tls_client_certificate_bound_access_tokens
                || matches!(constraint, SenderConstraint::Certificate),
            either: self.agent().is_some()
                || self.admin_api
                || matches!(constraint, SenderConstraint::Required),
        }
    }

    /// Tokens for it must be bound to something.
    #[must_use]
    pub const fn needs_bound_tokens(&self) -> bool {
        let demand = self.binding_demand();
        demand.key || demand.certificate || demand.either
    }

    /// Its authorization requests must be pushed (RFC 9126 §6).
    #[must_use]
    pub const fn needs_pushed_requests(&self) -> bool {
        self.require_pushed_authorization_requests || self.profile.rules().pushed_requests
    }

    /// Its authorization requests must be signed (RFC 9101 §10.5).
    #[must_use]
    pub const fn needs_signed_requests(&self) -> bool {
        self.metadata.require_signed_request_object || self.profile.rules().signed_requests
    }

    /// It gets signed authorization responses only (FAPI 2.0 Message Signing §5.4.1).
    #[must_use]
    pub const fn needs_signed_responses(&self) -> bool {
        self.profile.rules().signed_responses && self.metadata.authorization_signed_response_alg.is_some()
    }

    /// How an authorization response travels to it: as it `named`, if it may, or as is usual for it.
    #[must_use]
    pub fn response_mode(&self, named: Option<ResponseMode>) -> ResponseMode {
        let usual = if self.needs_signed_responses() { ResponseMode::QueryJwt } else { ResponseMode::Query };
        let may = |mode: &ResponseMode| self.may_be_answered_in(*mode);
        let registered = &self.metadata.response_modes;
        named.filter(may).or_else(|| Some(usual).filter(may)).or(registered.first().copied()).unwrap_or(usual)
    }

    /// Whether it registered this response mode, or none in particular (FAPI 2.0 Message Signing §5.3.3).
    #[must_use]
    pub fn may_be_answered_in(&self, mode: ResponseMode) -> bool {
        let registered = &self.metadata.response_modes;
        registered.is_empty() || registered.contains(&mode)
    }

    /// How its authorization responses are signed, where it wants them signed: as it registered, else with the default
    /// of JARM (§3), else with what its profile likes best.
    #[must_use]
    pub fn authorization_response_alg(&self) -> SigningAlg {
        let permitted = self.profile.rules().signing_algs;
        let usual = || permitted.iter().find(|alg| **alg == SigningAlg::Rs256).or(permitted.first());
        let registered = self.metadata.authorization_signed_response_alg;
        registered.or_else(|| usual().copied()).unwrap_or(SigningAlg::Rs256)
    }

    /// The client as an actor in the namespace of `issuer`.
    #[must_use]
    pub fn as_actor(&self, issuer: &str) -> Actor {
        Actor { sub: self.id.clone(), iss: issuer.into(), sub_profile: self.sub_profile(), instance: None }
    }

    /// The same, in this instance of it.
    #[must_use]
    pub fn as_actor_in(&self, issuer: &str, instance: Option<&InstanceId>) -> Actor {
        Actor { instance: instance.cloned(), ..self.as_actor(issuer) }
    }

    /// Whether another actor may give it a part of its task: it exchanges tokens, and proves who it is.
    #[must_use]
    pub fn may_take_over(&self) -> bool {
        !self.is_public() && self.grant_types.contains(&GrantType::TokenExchange)
    }

    /// What kind of principal it is when it acts or is the subject.
    #[must_use]
    pub const fn sub_profile(&self) -> SubProfile {
        match self.kind {
            ClientKind::Agent(_) => SubProfile::AiAgent,
            ClientKind::Application | ClientKind::Service => SubProfile::Service,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_wire_are_the_names_in_storage() {
        for grant in GrantType::ALL {
            assert_eq!(serde_json::to_value(grant).unwrap(), grant.as_str());
            assert_eq!(GrantType::find(grant.as_str()), Some(grant));
        }
    }
}

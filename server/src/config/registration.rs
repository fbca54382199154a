//! `[registration]`: who may register clients, and what such clients may have at most.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use protocol::audience::Resources;
use protocol::client::{AuthMethod, GrantType};
use protocol::identifier::DetailsTypeName;
use protocol::numeric_date::Seconds;
use protocol::profile::SecurityProfile;
use protocol::registration::Policy;
use protocol::scope::Scope;
use serde::Deserialize;

use super::jwks;
use super::known::Known;
use super::written::{Json, duration};

/// Clients that nobody declared.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrationSettings {
    /// Who may register clients (RFC 7591 §3).
    pub enabled: Registering,
    /// Whether the id of a client may be the URL of its metadata document.
    pub client_id_metadata_documents: bool,
    /// The rules that hold for such clients.
    pub profile: SecurityProfile,
    /// The grant types they may use.
    pub grant_types: BTreeSet<GrantType>,
    /// The most they may ask for.
    pub scope: Scope,
    /// The resource servers they may ask tokens for.
    pub resources: Resources,
    /// The details types they may use.
    pub authorization_details_types: BTreeSet<DetailsTypeName>,
    /// Registrations, and documents fetched, per minute for one address.
    pub requests_per_minute: NonZeroU32,
    /// The most such clients at once.
    pub most_clients: u64,
    /// How long a client may stay that nobody ever uses.
    #[serde(deserialize_with = "duration")]
    pub unused_client_life: Seconds,
    /// Whose software statements are believed (RFC 7591 §2.3).
    pub software_statement_issuers: Vec<StatementIssuer>,
}

/// Who may register clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registering {
    /// Nobody.
    Closed,
    /// Whoever has an initial access token.
    Token,
    /// Everybody.
    Open,
}

/// Somebody whose software statements are believed.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementIssuer {
    /// The `iss` of the statements.
    pub issuer: String,
    /// The keys that they are signed with.
    pub jwks: Json,
}

impl Default for RegistrationSettings {
    fn default() -> Self {
        Self {
            enabled: Registering::Closed,
            client_id_metadata_documents: false,
            profile: SecurityProfile::default(),
            grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
            scope: "openid profile email offline_access".parse().unwrap_or_default(),
            resources: Resources::new(),
            authorization_details_types: BTreeSet::new(),
            requests_per_minute: NonZeroU32::MIN.saturating_add(9),
            most_clients: 1000,
            unused_client_life: Seconds::days(7),
            software_statement_issuers: Vec::new(),
        }
    }
}

impl RegistrationSettings {
    /// What such clients get, and may have at most, where these methods of authentication can be used.
    pub(super) fn policy(&self, auth_methods: BTreeSet<AuthMethod>) -> Policy {
        Policy {
            profile: self.profile,
            auth_methods,
            scope: self.scope.clone(),
            resources: self.resources.clone(),
            grant_types: self.grant_types.clone(),
            authorization_details_types: self.authorization_details_types.clone(),
        }
    }

    /// What is wrong with the values, each by its key.
    pub(super) fn wrong(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let most = 365 * 86_400;
        if !(60..=most).contains(&self.unused_client_life.0) {
            wrong.push(("registration.unused_client_life", format!("must be from 60 to {most} seconds")));
        }
        if !(1..=1_000_000).contains(&self.most_clients) {
            wrong.push(("registration.most_clients", "must be from 1 to 1000000".to_owned()));
        }
        if self.grant_types.iter().all(|grant| *grant == GrantType::RefreshToken) {
            wrong.push(("registration.grant_types", "must name one by which a client can begin".to_owned()));
        }
        for issuer in &self.software_statement_issuers {
            if issuer.issuer.is_empty() || jwks::check(&issuer.jwks.0).is_err() {
                let why = "each needs an issuer and jwks, a JWK Set of public keys to verify with";
                wrong.push(("registration.software_statement_issuers", why.to_owned()));
            }
        }
        wrong
    }

    /// What they name that is not declared, each by its key.
    pub(super) fn unknown(&self, known: &Known) -> Vec<(&'static str, String)> {
        let scopes = self.scope.iter().filter(|scope| !known.scopes.contains(scope.as_str()));
        let scopes = scopes
            .map(|scope| ("registration.scope", format!("no resource server declares {:?}", scope.as_str())));
        let resources = self.resources.iter().filter(|one| !known.resources.contains(one.as_str()));
        let resources = resources
            .map(|one| ("registration.resources", format!("no resource server is {:?}", one.as_str())));
        let types = self.authorization_details_types.iter();
        let types = types.filter(|name| !known.details_types.contains(name.as_str())).map(|name| {
            let why = format!("no details type is named {:?}", name.as_str());
            ("registration.authorization_details_types", why)
        });
        scopes.chain(resources).chain(types).collect()
    }
}

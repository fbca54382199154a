//! `[[resource_authorization_servers]]`: the authorization servers of other domains to which clients carry grants.

use std::collections::{BTreeMap, BTreeSet};

use protocol::audience::Resources;
use protocol::client::SigningAlg;
use protocol::identifier::ClientId;
use protocol::numeric_date::Seconds;
use protocol::resource_authorization_server::{AUD_SUB, GrantKind, ResourceAuthorizationServer};
use protocol::scope::Scope;
use protocol::standard_claims;
use protocol::user::GROUPS;
use serde::Deserialize;

use super::known::Known;
use super::login::{Whose, demand};
use super::problem::Entry;
use super::written::{duration, some_duration};

/// One of them as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenResourceAuthorizationServer {
    issuer: String,
    #[serde(default = "identity_assertions")]
    grants: BTreeSet<GrantKind>,
    clients: BTreeMap<ClientId, String>,
    resources: Resources,
    #[serde(default)]
    scope: Option<Scope>,
    #[serde(default)]
    groups: BTreeSet<String>,
    #[serde(default)]
    sign_in_client: Option<ClientId>,
    #[serde(default)]
    claims: BTreeSet<String>,
    #[serde(default = "five_minutes", deserialize_with = "duration")]
    life: Seconds,
    #[serde(default = "es256")]
    signing_alg: SigningAlg,
    #[serde(default)]
    acr_values: Vec<String>,
    #[serde(default, deserialize_with = "some_duration")]
    max_age: Option<Seconds>,
}

fn identity_assertions() -> BTreeSet<GrantKind> {
    [GrantKind::IdJag].into()
}

const fn five_minutes() -> Seconds {
    Seconds::minutes(5)
}

const fn es256() -> SigningAlg {
    SigningAlg::Es256
}

impl WrittenResourceAuthorizationServer {
    pub(super) fn check(self, known: &Known, mut entry: Entry<'_>) -> ResourceAuthorizationServer {
        entry.check((1..=500).contains(&self.issuer.len()), "issuer", "must be 1 to 500 characters");
        entry.check(!self.grants.is_empty(), "grants", "must name a grant, or be left out");
        entry.check(!self.clients.is_empty(), "clients", "must name the clients that may go there");
        entry.check(
            !self.resources.is_empty(),
            "resources",
            "must name the resource servers that it issues tokens for",
        );
        entry.check((1..=3600).contains(&self.life.0), "life", "must be from 1 to 3600 seconds");
        for (client, there) in &self.clients {
            let declared = known.clients.contains(client.as_str());
            let key = format!("clients.{}", client.as_str());
            entry.check(declared, &key, format_args!("no client or agent has the id {:?}", client.as_str()));
            entry.check((1..=255).contains(&there.len()), &key, "must be 1 to 255 characters");
        }
        if let Some(client) = &self.sign_in_client {
            let declared = known.clients.contains(client.as_str());
            entry.check(
                declared,
                "sign_in_client",
                format_args!("no client or agent has the id {:?}", client.as_str()),
            );
        }
        for resource in &self.resources {
            let declared = known.resources.contains(resource.as_str());
            entry.check(declared, "resources", format_args!("no resource server is {:?}", resource.as_str()));
        }
        for word in self.scope.iter().flat_map(Scope::iter) {
            let declared = known.scopes.contains(word.as_str());
            entry.check(
                declared,
                "scope",
                format_args!("no resource server has the scope {:?}", word.as_str()),
            );
        }
        let login = demand(self.acr_values, self.max_age, Whose::Ours, &mut entry);
        for name in &self.claims {
            let known =
                [GROUPS, AUD_SUB].contains(&name.as_str()) || standard_claims::scope_of(name).is_some();
            entry.check(known, "claims", format_args!("{name:?} is no claim that is told of users"));
        }
        ResourceAuthorizationServer {
            issuer: self.issuer,
            grants: self.grants,
            clients: self.clients,
            resources: self.resources,
            scope: self.scope,
            groups: self.groups,
            sign_in_client: self.sign_in_client,
            claims: self.claims,
            life: self.life,
            signing_alg: self.signing_alg,
            login,
        }
    }
}

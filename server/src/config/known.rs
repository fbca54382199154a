//! The names that are declared, as far as they can be read at all. References are held against these, so that one
//! mistake in an entry does not make every reference to it a second one.

use std::collections::{BTreeMap, BTreeSet};

use figment::value::{Dict, Value};

use super::problem::Problems;
use super::reading::entries;

/// The scope words that are this server's own (OpenID Connect Core §5.4, §11; Grant Management): no other resource
/// server may have them.
pub(super) const OWN_SCOPES: [&str; 9] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access",
    "grant_management_query",
    "grant_management_revoke",
    "tasks",
];

/// Everything that something else may refer to.
pub(super) struct Known {
    pub(super) usernames: BTreeSet<String>,
    pub(super) clients: BTreeSet<String>,
    pub(super) resources: BTreeSet<String>,
    pub(super) scopes: BTreeSet<String>,
    pub(super) details_types: BTreeSet<String>,
    pub(super) workload_issuers: BTreeSet<String>,
    pub(super) trust_domains: BTreeSet<String>,
    pub(super) client_attesters: BTreeSet<String>,
    pub(super) upstream_issuers: BTreeSet<String>,
}

impl Known {
    pub(super) fn of(root: &Dict) -> Self {
        let names = |section: &str, field: &str| named(root, section, field).map(|(_, name)| name).collect();
        let scopes = entries(root, "resource_servers")
            .filter_map(|(_, server)| server.as_dict()?.get("scopes")?.as_dict())
            .flat_map(Dict::keys)
            .cloned();
        let built_in = protocol::authorization_details::built_in();
        let details_types = named(root, "details_types", "name").map(|(_, name)| name);
        Self {
            usernames: names("users", "username"),
            clients: named(root, "clients", "id")
                .chain(named(root, "agents", "id"))
                .map(|(_, id)| id)
                .collect(),
            resources: names("resource_servers", "identifier"),
            scopes: scopes.chain(OWN_SCOPES.map(str::to_owned)).collect(),
            details_types: details_types
                .chain(built_in.into_iter().map(|d| d.name.to_string()))
                .chain(by_program(root))
                .collect(),
            workload_issuers: workload_issuers(root).map(|(_, issuer)| issuer).collect(),
            trust_domains: names("trust_domains", "name"),
            client_attesters: names("client_attesters", "name"),
            upstream_issuers: names("upstreams", "issuer"),
        }
    }
}

/// The details types that no file declares.
fn by_program(root: &Dict) -> impl Iterator<Item = String> + '_ {
    let listed = root.get("program_details_types").and_then(Value::as_array).unwrap_or_default();
    listed.iter().filter_map(Value::as_str).map(str::to_owned)
}

/// Tells every name that stands twice where it must be unique.
pub(super) fn tell_duplicates(root: &Dict, problems: &mut Problems) {
    let lower = |(key, name): (String, String)| (key, name.to_ascii_lowercase());
    tell(problems, named(root, "users", "username").map(lower));
    // A client and a resource server may both be the audience of a token: their names must not meet either.
    let clients = named(root, "clients", "id").chain(named(root, "agents", "id"));
    tell(problems, clients.chain(named(root, "resource_servers", "identifier")));
    tell(problems, named(root, "details_types", "name"));
    tell(problems, named(root, "rules", "id"));
    tell(problems, named(root, "webhooks", "id"));
    tell(problems, named(root, "upstreams", "id"));
    tell(problems, named(root, "upstreams", "issuer"));
    tell(problems, domains(root));
    // Whoever is trusted for workloads never speaks for users, nor the other way round.
    tell(problems, named(root, "trusted_issuers", "issuer").chain(workload_issuers(root)));
    tell(problems, named(root, "trust_domains", "name"));
    tell(problems, named(root, "client_attesters", "name"));
    tell(problems, named(root, "resource_authorization_servers", "issuer"));
}

/// The issuer of each platform, written or by its preset.
fn workload_issuers(root: &Dict) -> impl Iterator<Item = (String, String)> + '_ {
    entries(root, "workload_issuers").filter_map(|(key, entry)| {
        let entry = entry.as_dict()?;
        let text = |field: &str| entry.get(field).and_then(Value::as_str);
        let issuer = text("issuer").or_else(|| super::workload::usual_issuer(text("preset")?))?;
        Some((format!("{key}.issuer"), issuer.to_owned()))
    })
}

/// Every domain that an upstream speaks for: two cannot speak for one.
fn domains(root: &Dict) -> impl Iterator<Item = (String, String)> + '_ {
    entries(root, "upstreams").flat_map(|(key, entry)| {
        let listed = entry.as_dict().and_then(|entry| entry.get("email_domains")?.as_array());
        let texts = listed.unwrap_or_default().iter().filter_map(Value::as_str);
        let lower = texts.map(str::to_ascii_lowercase);
        lower.map(|domain| (format!("{key}.email_domains"), domain)).collect::<Vec<_>>()
    })
}

fn tell(problems: &mut Problems, names: impl Iterator<Item = (String, String)>) {
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for (key, name) in names {
        match first.get(&name) {
            Some(earlier) => problems.add(key, format!("{name:?} is already {earlier}")),
            None => {
                first.insert(name, key);
            }
        }
    }
}

/// The text under `field` in each entry of the section, with its key.
fn named<'a>(
    root: &'a Dict,
    section: &'a str,
    field: &'a str,
) -> impl Iterator<Item = (String, String)> + 'a {
    entries(root, section).filter_map(move |(key, entry)| {
        let name = entry.as_dict()?.get(field).and_then(Value::as_str)?;
        Some((format!("{key}.{field}"), name.to_owned()))
    })
}

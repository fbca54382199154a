//! The hashes of a task (mission-bound-authorization): each over the issuer, what is hashed, and its canonical JSON, so
//! that a hash of one thing never passes for the hash of another.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::authority::Authority;

/// `authority_hash`: over the issuer, the type `mission-authority-set`, and the list of the authority's details. A scope
/// is an entry too: `{"type": "scope", "scope": …, "locations": […]}`, after the details.
#[must_use]
pub fn authority_hash(issuer: &str, authority: &Authority) -> String {
    let mut set: Vec<Value> =
        authority.details.iter().map(|detail| Value::Object(detail.members().clone())).collect();
    if !authority.scope.is_empty() {
        let locations: Vec<&str> = authority.resources.iter().map(|resource| resource.as_str()).collect();
        set.push(json!({ "type": "scope", "scope": authority.scope, "locations": locations }));
    }
    typed(issuer, "mission-authority-set", &Value::Array(set))
}

/// `"sha-256:"` and the base64url SHA-256 of the canonical JSON (RFC 8785) of `{iss, typ, value}`.
pub(super) fn typed(issuer: &str, typ: &str, value: &Value) -> String {
    let envelope: Map<String, Value> =
        [("iss", issuer.into()), ("typ", typ.into()), ("value", value.clone())]
            .map(|(k, v): (_, Value)| (k.to_owned(), v))
            .into_iter()
            .collect();
    let canonical = serde_json_canonicalizer::to_vec(&envelope)
        .unwrap_or_else(|_| json!(envelope).to_string().into_bytes());
    format!("sha-256:{}", URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::Resources;
    use crate::authorization_details::AuthorizationDetails;
    use crate::numeric_date::NumericDate;
    use crate::scope::Scope;

    const ISSUER: &str = "https://as.example.com";

    fn authority(details: &Value, scope: Scope) -> Authority {
        Authority {
            scope,
            details: AuthorizationDetails::parse(&details.to_string()).unwrap(),
            resources: Resources::from(["https://erp.example.com".parse().unwrap()]),
            until: NumericDate(0),
        }
    }

    fn draft() -> Value {
        json!([
            {"type": "mission_resource_access", "resource": "https://erp.example.com", "actions": ["invoices.read"]},
            {"type": "mission_resource_access", "resource": "https://erp.example.com", "actions": ["journal-entries.write"],
             "constraints": {"max_amount": {"amount": "500.00", "currency": "USD"}}}
        ])
    }

    #[test]
    fn the_authority_hash_is_that_of_the_mission_draft() {
        assert_eq!(
            authority_hash(ISSUER, &authority(&draft(), Scope::empty())),
            "sha-256:vUCCfjGulit9u0qJ0Z6pQSNerZtXMqRlfJNCr4PzLro"
        );
    }

    #[test]
    fn a_scope_and_its_place_count_too() {
        let with = |scope: &str| authority_hash(ISSUER, &authority(&draft(), scope.parse().unwrap()));
        assert_ne!(with("a"), authority_hash(ISSUER, &authority(&draft(), Scope::empty())));
        assert_ne!(with("a"), with("a b"));
        let mut elsewhere = authority(&draft(), "a".parse().unwrap());
        elsewhere.resources = Resources::from(["https://crm.example.com".parse().unwrap()]);
        assert_ne!(with("a"), authority_hash(ISSUER, &elsewhere));
    }

    #[test]
    fn a_hash_is_of_one_issuer_and_one_kind_of_thing() {
        let value = json!({});
        assert_ne!(typed("a", "mission-intent", &value), typed("b", "mission-intent", &value));
        assert_ne!(typed("a", "mission-intent", &value), typed("a", "mission-authority-set", &value));
    }
}

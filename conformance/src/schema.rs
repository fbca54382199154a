//! Both discovery documents, held against JSON Schemas: every member that a specification defines, of the type and
//! with the values that it gives it.

use anyhow::Context as _;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, Registry};
use serde_json::Value;

const MEMBERS: &str = include_str!("../schemas/members.json");
const AUTHORIZATION_SERVER: &str = include_str!("../schemas/oauth-authorization-server.json");
const OPENID_CONFIGURATION: &str = include_str!("../schemas/openid-configuration.json");

/// Which of the discovery documents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Document {
    /// That of RFC 8414.
    AuthorizationServer,
    /// That of OpenID Connect Discovery.
    OpenIdConfiguration,
}

/// What is wrong with a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where, as a JSON pointer; empty for the document as a whole.
    pub place: String,
    /// In words.
    pub what: String,
    /// Whether there is a member that no specification defines. A server may have its own ones (RFC 8414 §2).
    pub unregistered: bool,
}

/// The schema of one of the documents, ready for use.
pub struct Schema(jsonschema::Validator);

impl Schema {
    /// The schema of this document.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn of(document: Document) -> anyhow::Result<Self> {
        let members: Value = serde_json::from_str(MEMBERS).context("members.json")?;
        let registry = Registry::new().add("urn:procura:schema:members", members)?.prepare()?;
        let schema = match document {
            Document::AuthorizationServer => AUTHORIZATION_SERVER,
            Document::OpenIdConfiguration => OPENID_CONFIGURATION,
        };
        let schema: Value = serde_json::from_str(schema)?;
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        let schema = options.with_registry(&registry).build(&schema);
        Ok(Self(schema.map_err(|error| anyhow::anyhow!("{error}"))?))
    }

    /// Everything that is wrong with a document.
    #[must_use]
    pub fn faults(&self, told: &Value) -> Vec<Fault> {
        let mut faults: Vec<_> = self.0.iter_errors(told).map(|error| Fault::of(&error)).collect();
        // Where a known member is wrong, all members count as unknown.
        if faults.iter().any(|fault| !fault.unregistered) {
            faults.retain(|fault| !fault.unregistered);
        }
        faults
    }
}

impl Fault {
    fn of(error: &jsonschema::ValidationError<'_>) -> Self {
        let unregistered = matches!(
            error.kind(),
            ValidationErrorKind::UnevaluatedProperties { .. }
                | ValidationErrorKind::AdditionalProperties { .. }
        );
        Self { place: error.instance_path().to_string(), what: error.to_string(), unregistered }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use serde_json::json;

    const BOTH: [Document; 2] = [Document::AuthorizationServer, Document::OpenIdConfiguration];

    fn sound() -> Value {
        json!({
            "issuer": "https://as.example/tenant",
            "authorization_endpoint": "https://as.example/tenant/authorize",
            "token_endpoint": "https://as.example/tenant/token?tenant=1",
            "jwks_uri": "https://as.example/tenant/jwks",
            "scopes_supported": ["openid", "orders:read"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "none"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "mtls_endpoint_aliases": { "token_endpoint": "https://mtls.as.example/token" },
        })
    }

    fn faults(document: Document, told: &Value) -> Vec<Fault> {
        static SCHEMAS: LazyLock<[Schema; 2]> = LazyLock::new(|| BOTH.map(|one| Schema::of(one).unwrap()));
        SCHEMAS[usize::from(document == BOTH[1])].faults(told)
    }

    /// The faults of the sound document with this change, in each of the two.
    fn changed(change: impl Fn(&mut Value)) -> [Vec<Fault>; 2] {
        let mut told = sound();
        change(&mut told);
        BOTH.map(|document| faults(document, &told))
    }

    #[test]
    fn a_sound_document_has_no_faults() {
        assert_eq!(changed(|_| ()), [vec![], vec![]]);
        let least = json!({ "issuer": "https://as.example", "response_types_supported": ["code"] });
        assert_eq!(faults(Document::AuthorizationServer, &least), []);
        assert_ne!(faults(Document::OpenIdConfiguration, &least), []);
    }

    #[test]
    fn a_value_that_its_specification_does_not_know_is_a_fault_there() {
        for (member, value) in [
            ("issuer", json!("http://as.example")),
            ("issuer", json!("https://as.example?tenant=1")),
            ("issuer", json!("https://as.example#here")),
            ("issuer", json!("https://")),
            ("token_endpoint", json!("/token")),
            ("token_endpoint", json!("http://127.0.0.1.evil.example/token")),
            ("jwks_uri", json!("https://as.example/jwks#one")),
            ("response_types_supported", json!("code")),
            ("response_types_supported", json!([])),
            ("response_types_supported", json!(["code", "code"])),
            ("response_types_supported", json!(["coed"])),
            ("response_modes_supported", json!(["querry"])),
            ("grant_types_supported", json!(["authorisation_code"])),
            ("token_endpoint_auth_methods_supported", json!(["private_key_jwt", "secret"])),
            ("token_endpoint_auth_signing_alg_values_supported", json!(["none"])),
            ("dpop_signing_alg_values_supported", json!(["HS256"])),
            ("id_token_encryption_alg_values_supported", json!(["A256GCM"])),
            ("subject_types_supported", json!(["private"])),
            ("scopes_supported", json!(["openid", "two words"])),
            ("ui_locales_supported", json!(["de_DE"])),
            ("code_challenge_methods_supported", json!(["s256"])),
            ("require_pushed_authorization_requests", json!("true")),
            ("request_uri_parameter_supported", json!(1)),
            ("mtls_endpoint_aliases", json!({})),
            ("protected_resources", json!(["orders"])),
        ] {
            for faults in changed(|told| told[member] = value.clone()) {
                let there = faults.iter().any(|fault| fault.place.starts_with(&format!("/{member}")));
                assert!(there, "{member} = {value}: {faults:?}");
            }
        }
    }

    #[test]
    fn what_a_member_needs_beside_it_is_missed() {
        for (member, value, missed) in [
            (
                "introspection_endpoint_auth_methods_supported",
                json!(["private_key_jwt"]),
                "introspection_endpoint_auth_signing_alg_values_supported",
            ),
            (
                "grant_types_supported",
                json!(["urn:ietf:params:oauth:grant-type:device_code"]),
                "device_authorization_endpoint",
            ),
            ("require_pushed_authorization_requests", json!(true), "pushed_authorization_request_endpoint"),
            (
                "backchannel_authentication_endpoint",
                json!("https://as.example/bc"),
                "backchannel_token_delivery_modes_supported",
            ),
            (
                "userinfo_encryption_enc_values_supported",
                json!(["A256GCM"]),
                "userinfo_encryption_alg_values_supported",
            ),
        ] {
            for faults in changed(|told| told[member] = value.clone()) {
                assert!(faults.iter().any(|fault| fault.what.contains(missed)), "{member}: {faults:?}");
            }
        }
        assert_eq!(
            changed(|told| told["require_pushed_authorization_requests"] = false.into()),
            [vec![], vec![]]
        );
    }

    #[test]
    fn a_member_of_no_specification_is_noticed_and_told_apart() {
        for [place, member] in [["", "token_endpiont"], ["/mtls_endpoint_aliases", "authorization_endpoint"]]
        {
            let add = |told: &mut Value| {
                told.pointer_mut(place).unwrap()[member] = "https://as.example/x".into();
            };
            let expected = |fault: &Fault| fault.unregistered && fault.what.contains(member);
            if place.is_empty() {
                assert!(changed(add).iter().all(|faults| faults.len() == 1 && faults.iter().all(expected)));
            } else {
                // A known member there.
                assert!(changed(add).iter().all(|faults| faults.iter().any(expected)));
            }
        }
    }

    #[test]
    fn an_openid_provider_knows_rs256_and_the_scope_openid() {
        for (member, value) in
            [("id_token_signing_alg_values_supported", json!(["ES256"])), ("scopes_supported", json!(["x"]))]
        {
            let [oauth, openid] = changed(|told| told[member] = value.clone());
            assert_eq!((oauth.len(), openid.len()), (0, 1), "{member}: {openid:?}");
        }
    }
}

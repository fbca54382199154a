//! Both discovery documents as they are served, held against the schemas of the conformance suite: in every
//! configuration that changes them.

use std::collections::BTreeSet;

use conformance::schema::{Document, Schema};
use serde_json::{Value, json};
use tests::{House, Secured};

const BOTH: [(Document, &str); 2] = [
    (Document::AuthorizationServer, "/.well-known/oauth-authorization-server"),
    (Document::OpenIdConfiguration, "/.well-known/openid-configuration"),
];

const REGISTRATION: &str = "[registration]\nenabled = \"open\"\nclient_id_metadata_documents = true\n";

/// What is spoken of only where it is declared.
const EVERYTHING: &str = "[registration]\nenabled = \"open\"\nclient_id_metadata_documents = true\n\
    [[client_attesters]]\nname = \"orchestrator\"\njwks_uri = \"https://orchestrator.example/keys\"\n";

const UPSTREAM: &str = "[outbound]\npermitted_addresses = [\"127.0.0.1/32\"]\n\n\
    [[upstreams]]\nid = \"company\"\nissuer = \"http://127.0.0.1:9\"\nclient_id = \"web\"\n\
    client_secret = \"the secret of web\"\nname = { en = \"The Company\", de = \"Die Firma\" }\n";

/// Both documents, which have no faults; together with the members that are in them.
async fn sound(house: &House) -> BTreeSet<String> {
    let mut members = BTreeSet::new();
    for (document, path) in BOTH {
        let told = house.send(house.request("GET", path)).await.ok().json;
        assert_eq!(Schema::of(document).unwrap().faults(&told), [], "{path}");
        members.extend(told.as_object().unwrap().keys().cloned());
    }
    members
}

#[tokio::test]
async fn both_documents_keep_to_their_schemas_with_the_defaults() {
    let members = sound(&House::open().await).await;
    assert!(!members.contains("registration_endpoint") && !members.contains("mtls_endpoint_aliases"));
}

#[tokio::test]
async fn both_documents_keep_to_their_schemas_where_clients_register_themselves() {
    let members = sound(&House::open_with(REGISTRATION).await).await;
    assert!(members.contains("registration_endpoint"));
    assert!(members.contains("client_id_metadata_document_supported"));
}

#[tokio::test]
async fn both_documents_keep_to_their_schemas_where_people_come_from_an_upstream() {
    sound(&House::open_with(UPSTREAM).await).await;
}

#[tokio::test]
async fn both_documents_keep_to_their_schemas_over_tls_with_aliases_and_everything_switched_on() {
    let secured = Secured::prepare();
    let members = sound(&House::open_secured(&secured, EVERYTHING).await).await;
    assert!(members.contains("registration_endpoint") && members.contains("mtls_endpoint_aliases"));
    assert!(members.contains("tls_client_certificate_bound_access_tokens"));
    assert!(members.contains("challenge_endpoint"));
    assert!(members.contains("client_attestation_pop_signing_alg_values_supported"));
}

/// Each served member is broken in turn, in every way that its type allows: the schemas hold every one of them.
#[tokio::test]
async fn a_document_that_is_broken_anywhere_does_not_keep_to_its_schema() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, EVERYTHING).await;
    for (document, path) in BOTH {
        let schema = Schema::of(document).unwrap();
        let told = house.send(house.request("GET", path)).await.ok().json;
        for (member, value) in told.as_object().unwrap() {
            let mut broken = vec![json!(null), json!(7), json!("")];
            match value {
                Value::Array(list) => {
                    let doubled = list.iter().chain(list.first()).cloned();
                    broken.extend([json!([]), json!([7]), json!(["not a value"]), doubled.collect()]);
                }
                Value::String(url) => {
                    broken.extend([json!(url.replace("https://", "ftp://")), json!(format!("{url}#x"))]);
                }
                Value::Bool(flag) => broken.push(json!(flag.to_string())),
                _ => broken.push(json!({})),
            }
            for value in broken {
                let mut told = told.clone();
                told[member] = value.clone();
                let found = schema.faults(&told);
                assert!(found.iter().any(|fault| !fault.unregistered), "{member} = {value}: {found:?}");
            }
        }
        let mut own = told.clone();
        own["x_procura"] = true.into();
        let found = schema.faults(&own);
        assert!(
            found.len() == 1 && found[0].unregistered && found[0].what.contains("x_procura"),
            "{found:?}"
        );
        for member in ["issuer", "response_types_supported", "token_endpoint", "authorization_endpoint"] {
            let mut less = told.clone();
            less.as_object_mut().unwrap().remove(member);
            assert_ne!(schema.faults(&less), [], "without {member}");
        }
    }
}

//! SPIFFE: JWT-SVIDs and X509-SVIDs of trust domains (OAuth SPIFFE Client Authentication §3.1, §3.2).

use std::sync::Arc;

use rcgen::{KeyUsagePurpose, SanType};
use serde_json::{Value, json};
use tests::{
    Answer, Authentication, Authority, Client, Database, House, Key, ORDERS, Secured, Wanted,
    on_both_databases,
};

use super::{agent, shows};

on_both_databases! {
    a_jwt_svid_of_the_trust_domain_is_the_agent,
}

/// A trust bundle with this key for JWT-SVIDs and these authorities for X509-SVIDs, as TOML.
fn bundle(name: &str, key: &Key, authorities: &[&Authority]) -> String {
    let member = |member: &str| key.jwk[member].as_str().unwrap().to_owned();
    let mut keys = vec![format!(
        "{{ use = \"jwt-svid\", kid = \"{name}\", kty = \"EC\", crv = \"P-256\", x = \"{}\", y = \"{}\" }}",
        member("x"),
        member("y")
    )];
    let of_authority = |authority: &&Authority| {
        format!("{{ use = \"x509-svid\", kty = \"EC\", x5c = [\"{}\"] }}", authority.x5c())
    };
    keys.extend(authorities.iter().map(of_authority));
    format!(
        "[[trust_domains]]\nname = \"{name}\"\nbundle = {{ spiffe_sequence = 1, keys = [{}] }}\n",
        keys.join(", ")
    )
}

pub(super) fn svid(house: &House, key: &Key, kid: &str, change: impl FnOnce(&mut Value)) -> String {
    let now = house.door().now().0;
    let mut claims =
        json!({ "sub": "spiffe://acme.example/agent/triage/7", "aud": [house.issuer()], "exp": now + 300 });
    change(&mut claims);
    key.sign(&json!({ "alg": "ES256", "kid": kid }), &claims)
}

async fn own_token(client: &Client) -> Answer {
    client.own_token("orders:read", ORDERS).await
}

async fn a_jwt_svid_of_the_trust_domain_is_the_agent(database: Database) {
    let [key, foreign] = [Key::generate(), Key::generate()].map(Arc::new);
    let fragment = [
        bundle("acme.example", &key, &[]),
        bundle("other.example", &foreign, &[]),
        agent("triage", "spiffe_jwt", "spiffe_id = \"spiffe://acme.example/agent/triage/*\""),
        agent("batch", "spiffe_jwt", "spiffe_id = \"spiffe://acme.example/batch\""),
    ];
    let house = House::on_with(database, &fragment.concat()).await;
    let with = |id: &str, svid: &str| {
        let svid = svid.to_owned();
        shows(&house, id, "jwt-spiffe", move || svid.clone())
    };
    let right = svid(&house, &key, "acme.example", |_| {});
    // It may be shown as long as it lives.
    for _ in 0..2 {
        let answer = own_token(&with("triage", &right)).await.ok();
        assert_eq!(answer.claims()["sub"], "triage");
        house.told("token.client_credentials", "granted").await;
    }
    let now = house.door().now().0;
    let of =
        |name: &'static str, value: Value| svid(&house, &key, "acme.example", |claims| claims[name] = value);
    for (wrong, reason) in [
        (svid(&house, &foreign, "other.example", |_| {}), "signature"),
        (svid(&house, &foreign, "acme.example", |_| {}), "signature"),
        (of("sub", json!("spiffe://other.example/agent/triage/7")), "SPIFFE ID"),
        (of("sub", json!("spiffe://acme.example/agent/triage")), "SPIFFE ID"),
        (of("sub", json!("spiffe://acme.example/agent/triage2/7")), "SPIFFE ID"),
        (of("sub", json!("triage")), "SPIFFE ID"),
        (of("aud", json!([house.issuer(), "https://other.example"])), "audience"),
        (of("aud", json!(house.url("/token"))), "audience"),
        (of("exp", json!(now - 60)), "expired"),
        (
            key.sign(&json!({ "alg": "none" }), &json!({ "sub": "spiffe://acme.example/agent/triage/7" })),
            "algorithm",
        ),
    ] {
        own_token(&with("triage", &wrong)).await.refused("invalid_client");
        let told = house.told("client.authenticate", "invalid_client").await;
        assert!(told["reason"].as_str().unwrap().contains(reason), "{told}");
    }
    // Another agent of the same trust domain, and one that has a key of its own.
    for id in ["batch", "agent-a", "nobody"] {
        own_token(&with(id, &right)).await.refused("invalid_client");
    }
    // It is said to be one.
    let as_bearer = shows(&house, "triage", "jwt-bearer", move || right.clone());
    own_token(&as_bearer).await.refused("invalid_client");
    let told = house.send(house.request("GET", "/.well-known/openid-configuration")).await.ok().json;
    let methods = told["token_endpoint_auth_methods_supported"].as_array().unwrap().clone();
    assert!(methods.contains(&json!("spiffe_jwt")) && !methods.contains(&json!("spiffe_x509")));
}

#[tokio::test]
async fn an_x509_svid_lets_in_only_who_it_names_and_only_by_its_own_trust_domain() {
    let secured = Secured::prepare();
    let key = Key::generate();
    let [acme, other] = ["acme.example", "other.example"].map(Authority::new);
    let bound = |more: &str| format!("{more}\ntls_client_certificate_bound_access_tokens = true");
    let fragment = [
        bundle("acme.example", &key, &[&acme]),
        bundle("other.example", &key, &[&other]),
        agent("triage", "spiffe_x509", &bound("spiffe_id = \"spiffe://acme.example/agent/triage/*\"")),
        agent("batch", "spiffe_x509", &bound("spiffe_id = \"spiffe://acme.example/batch\"")),
    ];
    let house = House::open_secured(&secured, &fragment.concat()).await;
    let uri = |uri: &str| SanType::URI(uri.try_into().unwrap());
    let leaf = || Wanted::client("x").used_for(&[KeyUsagePurpose::DigitalSignature]);
    let triage = "spiffe://acme.example/agent/triage/7";
    let come = async |id: &str, identity: &tests::Identity| {
        own_token(&secured.showing(&Client::new(house.door(), id, Authentication::None), Some(identity)))
            .await
    };
    let right = acme.issue(leaf().known_as(uri(triage)));
    let answer = come("triage", &right).await.ok();
    assert_eq!(answer.claims()["cnf"]["x5t#S256"], right.x5t_s256());
    house.told("token.client_credentials", "granted").await;
    for (what, wrong) in [
        ("another trust domain's authority", other.issue(leaf().known_as(uri(triage)))),
        ("the clients' authority", secured.clients.issue(leaf().known_as(uri(triage)))),
        ("nobody", leaf().known_as(uri(triage)).self_signed()),
        ("two names", acme.issue(leaf().known_as(uri(triage)).known_as(uri("spiffe://acme.example/batch")))),
        ("no name", acme.issue(leaf())),
        ("another path", acme.issue(leaf().known_as(uri("spiffe://acme.example/agent/other/7")))),
        ("an authority", acme.issue(leaf().known_as(uri(triage)).of_an_authority())),
        ("no use", acme.issue(Wanted::client("x").known_as(uri(triage)))),
        (
            "it may issue",
            acme.issue(
                leaf()
                    .used_for(&[KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign])
                    .known_as(uri(triage)),
            ),
        ),
        ("over", acme.issue(leaf().known_as(uri(triage)).expired())),
    ] {
        let answer = come("triage", &wrong).await;
        assert_eq!((answer.status, answer.text("error")), (401, "invalid_client"), "{what}");
        assert_eq!(house.told("client.authenticate", "invalid_client").await["client"], "triage", "{what}");
    }
    come("batch", &right).await.refused("invalid_client");
    come("agent-a", &right).await.refused("invalid_client");
    // Where nobody is asked for a certificate, nobody can show one.
    own_token(&Client::new(house.door(), "triage", Authentication::None)).await.refused("invalid_client");
}

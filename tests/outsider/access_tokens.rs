//! The `jsonwebtoken` crate as a resource server: it validates our access tokens with nothing but our metadata.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use tests::{Database, House, ORDERS, on_both_databases};

on_both_databases! {
    a_resource_server_validates_es256,
    a_resource_server_validates_rs256,
    a_resource_server_validates_ps256,
    a_resource_server_validates_eddsa,
}

async fn a_resource_server_validates_es256(database: Database) {
    validates(database, Algorithm::ES256, "ES256").await;
}

async fn a_resource_server_validates_rs256(database: Database) {
    validates(database, Algorithm::RS256, "RS256").await;
}

async fn a_resource_server_validates_ps256(database: Database) {
    validates(database, Algorithm::PS256, "PS256").await;
}

async fn a_resource_server_validates_eddsa(database: Database) {
    validates(database, Algorithm::EdDSA, "EdDSA").await;
}

async fn validates(database: Database, algorithm: Algorithm, alg: &str) {
    let named = format!("identifier = \"{ORDERS}\"\n");
    let with_alg = format!("{named}signing_alg = \"{alg}\"\n");
    let house = House::build(database, |town| town.replace(&named, &with_alg)).await;
    let agent = house.client("agent-a");
    let token = house.delegated_token(&agent, "orders:read").await;
    let token = token.access_token();

    let metadata = house.send(house.request("GET", "/.well-known/oauth-authorization-server")).await.ok();
    let jwks_uri = metadata.text("jwks_uri").strip_prefix(house.issuer()).unwrap().to_owned();
    let keys: JwkSet =
        serde_json::from_str(&house.send(house.request("GET", &jwks_uri)).await.ok().body).unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (algorithm, Some("at+jwt")));
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).expect("a published key")).unwrap();

    let mut rules = Validation::new(algorithm);
    rules.set_audience(&[ORDERS]);
    rules.set_issuer(&[house.issuer()]);
    rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    let claims = decode::<Value>(token, &key, &rules).unwrap().claims;
    assert_eq!(claims["client_id"], "agent-a");
    assert_eq!(claims["act"]["sub"], "agent-a");
    assert_eq!(claims["cnf"]["jkt"], agent.dpop.as_ref().unwrap().thumbprint());

    // The same crate says no where no is right.
    let mut altered = token.to_owned();
    let at = token.find('.').unwrap() + 20;
    let other = if &altered[at..=at] == "A" { "B" } else { "A" };
    altered.replace_range(at..=at, other);
    assert!(decode::<Value>(&altered, &key, &rules).is_err());
    rules.set_audience(&["https://elsewhere.example"]);
    assert!(decode::<Value>(token, &key, &rules).is_err());
    house.close().await;
}

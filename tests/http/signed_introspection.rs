//! Introspection answered by a signed JWT (RFC 9701).

use josekit::jwe::{self, ECDH_ES_A256KW};
use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::EcCurve;
use serde_json::{Value, json};
use tests::{Answer, Client, Database, House, ORDERS, on_both_databases, unverified_header};

on_both_databases! { a_resource_server_gets_what_it_would_get_signed }

const MEDIA_TYPE: &str = "application/token-introspection+jwt";

async fn ask(house: &House, client: &Client, token: &str) -> Answer {
    let request = client.authenticated(house.request("POST", "/introspect"), &[("token", token)]);
    house.send(request.header("Accept", MEDIA_TYPE)).await
}

/// The claims, verified by an implementation that is not ours with what `/jwks` says.
async fn verified(house: &House, jwt: &str, audience: &str) -> Value {
    let header = unverified_header(jwt);
    assert_eq!(header["typ"], "token-introspection+jwt");
    let keys = house.send(house.request("GET", "/jwks")).await.ok().json;
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(&serde_json::from_value(key.clone()).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(header["alg"].as_str().unwrap().parse().unwrap());
    rules.set_audience(&[audience]);
    rules.set_issuer(&[house.issuer()]);
    rules.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(jwt, &key, &rules).unwrap().claims
}

async fn a_resource_server_gets_what_it_would_get_signed(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let details = json!([{ "type": "agent_task", "actions": ["read"], "purpose": "Answer ticket 4711" }]);
    let asked = house.ask(&agent).scope("orders:read").resource(ORDERS).details(&details);
    let asked = asked.pushed(&agent).await;
    let token = asked.approved_by(&house.signed_in("alice").await).await.redeem(&agent).await.ok();
    let api = house.client("orders-api");
    let plain = api.introspect(token.access_token()).await.ok().json;

    let answer = ask(&house, &api, token.access_token()).await.ok();
    assert_eq!(answer.header("content-type"), MEDIA_TYPE);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(unverified_header(&answer.body)["alg"], "RS256");
    let claims = verified(&house, &answer.body, ORDERS).await;
    let names: Vec<&String> = claims.as_object().unwrap().keys().collect();
    assert_eq!(names, ["iss", "aud", "iat", "token_introspection"], "neither sub nor exp stands beside");
    assert_eq!(claims["token_introspection"], plain);
    assert_eq!(plain["act"]["sub"], "agent-a", "{plain}");
    assert_eq!(plain["authorization_details"], details, "{plain}");

    // Of a token that is nothing to the asker there is one thing to say, signed or not.
    let other = house.client("inventory-api");
    for (client, text) in [(&other, token.access_token()), (&api, "x")] {
        let answer = ask(&house, client, text).await.ok();
        let audience = if client.id == "orders-api" { ORDERS } else { tests::INVENTORY };
        let claims = verified(&house, &answer.body, audience).await;
        assert_eq!(claims["token_introspection"], json!({ "active": false }));
    }
    // It is no access token, whoever presents it.
    let bearer = house.request("GET", "/userinfo").header("Authorization", format!("Bearer {}", answer.body));
    house.send(bearer).await.refused_with(401, "invalid_token");
}

#[tokio::test]
async fn json_is_what_everybody_else_gets() {
    let house = House::open().await;
    let api = house.client("orders-api");
    for accept in ["application/json", "*/*", "application/token-introspection+jwt;q=0.5, application/json"] {
        let request = api.authenticated(house.request("POST", "/introspect"), &[("token", "x")]);
        let answer = house.send(request.header("Accept", accept)).await.ok();
        assert_eq!(answer.header("content-type"), "application/json", "{accept}");
    }
}

#[tokio::test]
async fn nobody_learns_anything_signed_or_not() {
    let house = House::open().await;
    let anonymous = house.request("POST", "/introspect").form(&[("token", "x")]).header("Accept", MEDIA_TYPE);
    house.send(anonymous).await.refused_with(400, "invalid_client");
    ask(&house, &house.client("shop"), "x").await.refused_with(400, "invalid_client");
    let wrong = house.client("web").authenticating(tests::Authentication::Basic("wrong".into()));
    let answer = ask(&house, &wrong, "x").await.refused_with(401, "invalid_client");
    assert!(answer.header("www-authenticate").starts_with("Basic"));
}

#[tokio::test]
async fn it_is_signed_and_encrypted_as_the_resource_server_registered() {
    let mut private = Jwk::generate_ec_key(EcCurve::P256).unwrap();
    private.set_key_id("for-reading");
    let (x, y) = (private.parameter("x").unwrap().clone(), private.parameter("y").unwrap().clone());
    let house = House::build(Database::Sqlite, |town| {
        let key = format!(
            "jwks = {{ keys = [{{ kty = \"EC\", crv = \"P-256\", use = \"enc\", kid = \"for-reading\", x = {x}, y = {y} }}, {{"
        );
        let (before, api) = town.split_once("id = \"orders-api\"").unwrap();
        let api = api.replacen("jwks = { keys = [{", &key, 1);
        format!(
            "{before}id = \"orders-api\"\nintrospection_signed_response_alg = \"EdDSA\"\n\
             introspection_encrypted_response_alg = \"ECDH-ES+A256KW\"\n\
             introspection_encrypted_response_enc = \"A256GCM\"{api}"
        )
    })
    .await;
    let token = house.client("agent-a").own_token("orders:read", ORDERS).await.ok();
    let answer = ask(&house, &house.client("orders-api"), token.access_token()).await.ok();
    assert_eq!(answer.header("content-type"), MEDIA_TYPE);
    let decrypter = ECDH_ES_A256KW.decrypter_from_jwk(&private).unwrap();
    let (signed, header) = jwe::deserialize_compact(&answer.body, &decrypter).unwrap();
    assert_eq!((header.content_encryption(), header.content_type()), (Some("A256GCM"), Some("JWT")));
    assert_eq!(header.claim("kid").unwrap(), "for-reading");
    let signed = String::from_utf8(signed).unwrap();
    assert_eq!(unverified_header(&signed)["alg"], "EdDSA");
    let claims = verified(&house, &signed, ORDERS).await;
    assert_eq!(claims["token_introspection"]["active"], true);
}

#[tokio::test]
async fn what_was_to_be_encrypted_is_not_sent_in_the_clear_for_want_of_a_key() {
    let house = House::build(Database::Sqlite, |town| {
        town.replacen(
            "id = \"orders-api\"",
            "id = \"orders-api\"\nintrospection_encrypted_response_alg = \"RSA-OAEP-256\"",
            1,
        )
    })
    .await;
    let token = house.client("agent-a").own_token("orders:read", ORDERS).await.ok();
    let api = house.client("orders-api");
    ask(&house, &api, token.access_token()).await.refused("invalid_request");
    api.introspect(token.access_token()).await.ok();
}

#[tokio::test]
async fn the_metadata_says_how() {
    let house = House::open().await;
    let told = house.send(house.request("GET", "/.well-known/oauth-authorization-server")).await.ok().json;
    let list = |name: &str| told[name].as_array().unwrap().clone();
    assert!(list("introspection_signing_alg_values_supported").contains(&json!("RS256")));
    assert!(!list("introspection_signing_alg_values_supported").contains(&json!("none")));
    assert!(list("introspection_encryption_alg_values_supported").contains(&json!("ECDH-ES")));
    assert!(list("introspection_encryption_enc_values_supported").contains(&json!("A128CBC-HS256")));
}

//! Client authentication (RFC 6749 §2.3, RFC 7523): each method, and every way to get it wrong.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Answer, Authentication, Client, Database, House, Key, ORDERS, on_both_databases};

on_both_databases! { an_assertion_is_good_once, of_many_uses_of_one_assertion_at_once_one_wins }

const OWN: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("scope", "orders:read"), ("resource", ORDERS)];
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn post(house: &House, form: &[(&str, &str)]) -> Answer {
    house.send(house.request("POST", "/token").form(&form)).await
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [OWN.to_vec(), more.to_vec()].concat()
}

fn key_of(client: &Client) -> Arc<Key> {
    match &client.authentication {
        Authentication::PrivateKeyJwt(key) => Arc::clone(key),
        _ => panic!("{} has no key", client.id),
    }
}

async fn asserted(house: &House, header: Value, claims: &Value) -> Answer {
    let assertion = key_of(&house.client("orders-api")).sign(&header, claims);
    post(house, &with(&[("client_assertion_type", JWT_BEARER), ("client_assertion", &assertion)])).await
}

#[tokio::test]
async fn each_method_lets_its_own_client_in() {
    let house = House::open().await;
    for id in ["web", "post", "orders-api"] {
        house.client(id).without_dpop().token(&OWN).await.ok();
        house.told("token.client_credentials", "granted").await;
    }
}

#[tokio::test]
async fn the_registered_method_is_the_only_one() {
    let house = House::open().await;
    for (id, wrong) in [
        ("web", Authentication::Post("the secret of web".into())),
        ("post", Authentication::Basic("the secret of post".into())),
        ("web", Authentication::None),
        ("orders-api", Authentication::None),
        ("agent-a", Authentication::None),
        ("shop", Authentication::Basic(String::new())),
        ("shop", Authentication::Basic("x".into())),
        ("web", Authentication::PrivateKeyJwt(Arc::new(Key::generate()))),
    ] {
        let client = house.client(id).without_dpop().authenticating(wrong);
        client.token(&OWN).await.refused("invalid_client");
        house.told("client.authenticate", "invalid_client").await;
    }
}

#[tokio::test]
async fn an_unknown_client_and_a_wrong_secret_are_answered_alike() {
    let house = House::open().await;
    let basic = |id: &str, secret: &str| Client::new(house.door(), id, Authentication::Basic(secret.into()));
    let wrong = basic("web", "not the secret").token(&OWN).await.refused("invalid_client");
    let unknown = basic("nobody", "not the secret").token(&OWN).await.refused("invalid_client");
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.header("www-authenticate"), unknown.header("www-authenticate"));
    assert!(wrong.header("www-authenticate").starts_with("Basic "));
    let other = Arc::new(Key::generate());
    let by_key = |id: &str| Client::new(house.door(), id, Authentication::PrivateKeyJwt(Arc::clone(&other)));
    let wrong = by_key("orders-api").token(&OWN).await.refused("invalid_client");
    let unknown = by_key("nobody").token(&OWN).await.refused("invalid_client");
    assert_eq!(wrong.body, unknown.body);
    let events = serde_json::to_string(&house.events().await).unwrap();
    assert!(!events.contains("not the secret"));
}

#[tokio::test]
async fn several_methods_at_once_are_refused() {
    let house = House::open().await;
    let basic = |form: &[(&str, &str)]| {
        house.request("POST", "/token").basic_auth("web", Some("the secret of web")).form(form)
    };
    let secret = with(&[("client_secret", "the secret of web"), ("client_id", "web")]);
    house.send(basic(&secret)).await.refused("invalid_request");
    let api = house.client("orders-api");
    let assertion = key_of(&api).sign(&json!({ "alg": "ES256" }), &api.assertion());
    let both = with(&[("client_assertion_type", JWT_BEARER), ("client_assertion", &assertion)]);
    house.send(basic(&both)).await.refused("invalid_request");
    let other = with(&[("client_id", "post")]);
    house.send(basic(&other)).await.refused("invalid_client");
    let half = with(&[("client_assertion", &assertion)]);
    post(&house, &half).await.refused("invalid_request");
    let unknown = with(&[("client_assertion", &assertion), ("client_assertion_type", "urn:x")]);
    post(&house, &unknown).await.refused("invalid_client");
    let nobody = post(&house, &OWN).await;
    nobody.refused("invalid_client");
    house
        .send(house.request("POST", "/token").header("Authorization", "Bearer x").form(&OWN))
        .await
        .refused("invalid_client");
    house
        .send(house.request("POST", "/token").header("Authorization", "Basic !!!").form(&OWN))
        .await
        .refused("invalid_client");
}

#[tokio::test]
async fn an_assertion_must_be_right_in_every_claim() {
    let house = House::open().await;
    let api = house.client("orders-api");
    let now = house.door().now().0;
    let issuer = house.issuer();
    let es256 = json!({ "alg": "ES256" });
    for (claim, value) in [
        ("aud", json!(house.url("/token"))),
        ("aud", json!([issuer])),
        ("aud", json!([issuer, "https://elsewhere.example"])),
        ("aud", json!(format!("{issuer}/"))),
        ("aud", json!("https://elsewhere.example")),
        ("aud", Value::Null),
        ("iss", json!("agent-a")),
        ("sub", json!("agent-a")),
        ("sub", Value::Null),
        ("exp", json!(now - 60)),
        ("exp", json!(now + 7200)),
        ("exp", json!("soon")),
        ("exp", Value::Null),
        ("nbf", json!(now + 600)),
        ("iat", json!(now + 600)),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!(7)),
        ("jti", json!("x".repeat(300))),
    ] {
        let mut claims = api.assertion();
        claims[claim] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(claim);
        }
        let answer = asserted(&house, es256.clone(), &claims).await;
        assert_eq!(
            (answer.status, &answer.json["error"]),
            (401, &"invalid_client".into()),
            "{claim} {value}"
        );
    }
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "ES384" }),
        json!({}),
        json!({ "alg": "ES256", "typ": "dpop+jwt" }),
        json!({ "alg": "ES256", "crit": ["x"], "x": 1 }),
    ] {
        let answer = asserted(&house, header.clone(), &api.assertion()).await;
        assert_eq!((answer.status, &answer.json["error"]), (401, &"invalid_client".into()), "{header}");
    }
    asserted(&house, es256, &api.assertion()).await.ok();
    for text in ["", "x", "a.b", "a.b.c", "....", "eyJhbGciOiJub25lIn0.e30."] {
        let form = with(&[("client_assertion_type", JWT_BEARER), ("client_assertion", text)]);
        let answer = post(&house, &form).await;
        assert!([400, 401].contains(&answer.status), "{text}: {}", answer.body);
    }
}

async fn an_assertion_is_good_once(database: Database) {
    let house = House::on(database).await;
    let claims = house.client("orders-api").assertion();
    asserted(&house, json!({ "alg": "ES256" }), &claims).await.ok();
    asserted(&house, json!({ "alg": "ES256" }), &claims).await.refused("invalid_client");
    house.told("token.client_credentials", "invalid_client").await;
    // Not at another endpoint either.
    let assertion = key_of(&house.client("orders-api")).sign(&json!({ "alg": "ES256" }), &claims);
    let form = [("token", "x"), ("client_assertion_type", JWT_BEARER), ("client_assertion", &assertion)];
    for path in ["/introspect", "/revoke"] {
        house.send(house.request("POST", path).form(&form)).await.refused("invalid_client");
    }
}

async fn of_many_uses_of_one_assertion_at_once_one_wins(database: Database) {
    let house = House::on(database).await;
    let api = house.client("orders-api");
    let assertion = key_of(&api).sign(&json!({ "alg": "ES256" }), &api.assertion());
    let form = with(&[("client_assertion_type", JWT_BEARER), ("client_assertion", &assertion)]);
    let uses: Vec<_> =
        (0..10).map(|_| tokio::spawn(house.request("POST", "/token").form(&form).send())).collect();
    let mut granted = 0;
    for attempt in uses {
        granted += u32::from(attempt.await.unwrap().unwrap().status() == 200);
    }
    assert_eq!(granted, 1);
}

#[tokio::test]
async fn after_too_many_wrong_secrets_even_the_right_one_waits() {
    let house = House::open_with("[limits]\nfailed_client_authentications_per_minute = 3\n").await;
    let wrong = house.client("web").authenticating(Authentication::Basic("wrong".into()));
    for _ in 0..3 {
        wrong.token(&OWN).await.refused("invalid_client");
    }
    house.client("web").token(&OWN).await.refused("invalid_client");
    house.client("post").token(&OWN).await.ok();
}

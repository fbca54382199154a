//! Request objects (RFC 9101): by value, pushed, and by reference.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tests::{Database, House, Key, ORDERS, on_both_databases};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::rp::{self, bring, object, open, query, sign};

on_both_databases! { a_signed_request_is_answered_as_it_says, a_signed_request_can_be_pushed }

async fn a_signed_request_is_answered_as_it_says(database: Database) {
    let (house, client, key) = rp::house(database, "").await;
    let alice = house.signed_in("alice").await;
    let ask = house.ask(&client).scope("openid orders:read").with("nonce", "n");
    let outside = [
        ("client_id", "rp"),
        ("request", &*sign(&key, &object(&house, &ask))),
        ("scope", "openid orders:read orders:write"),
        ("state", "another state"),
        ("redirect_uri", "https://evil.example/callback"),
        ("nonce", "another"),
        ("response_type", "token"),
    ];
    let told = query(alice.authorize(&outside).await.page().approve(|_| {}).await);
    assert_eq!((told["state"].as_str(), told["iss"].as_str()), ("the state", house.issuer()));
    house.told("consent.decide", "granted").await;
    let code = ask.code(&told["code"]);
    let token = client.token(&[code.params(), vec![("resource", ORDERS)]].concat()).await.ok();
    assert_eq!(token.claims()["scope"], "orders:read");
    assert_eq!(tests::unverified_claims(token.text("id_token"))["nonce"], "n");
}

async fn a_signed_request_can_be_pushed(database: Database) {
    let (house, client, key) = rp::house(database, "").await;
    let alice = house.signed_in("alice").await;
    let ask = house.ask(&client).scope("orders:read");
    let object = sign(&key, &object(&house, &ask));
    let pushed = client.push(&[("request", &object), ("scope", "orders:write"), ("state", "x")]).await.ok();
    house.told("authorization.push", "granted").await;
    let params = [("client_id", "rp"), ("request_uri", pushed.text("request_uri"))];
    let told = query(alice.authorize(&params).await.page().approve(|_| {}).await);
    assert_eq!(told["state"], "the state");
    for (form, code) in [
        (vec![("request", "eyJhbGciOiJub25lIn0.e30.")], "request_not_supported"),
        (vec![("request", "x")], "invalid_request_object"),
        (vec![("request", object.as_str()), ("request_uri", "https://rp.example/r")], "invalid_request"),
        (vec![("request_uri", "https://rp.example/r")], "invalid_request"),
    ] {
        client.push(&form).await.refused(code);
        house.told("authorization.push", code).await;
    }
    let mut other = rp::object(&house, &ask);
    other.insert("client_id".into(), "web".into());
    client.push(&[("request", &sign(&key, &other))]).await.refused("invalid_request_object");
}

#[tokio::test]
async fn only_the_object_counts_and_all_of_it() {
    let (house, client, key) = open("").await;
    let alice = house.signed_in("alice").await;
    // What stands outside only is as if it were not there.
    let ask = house.ask(&client).scope("orders:read").without("state");
    let claims = object(&house, &ask);
    let told = query(
        alice
            .authorize(&[("client_id", "rp"), ("request", &sign(&key, &claims)), ("state", "outside")])
            .await
            .page()
            .approve(|_| {})
            .await,
    );
    assert!(!told.contains_key("state"), "{told:?}");
    let mut without = claims.clone();
    without.remove("response_type");
    let outside = [("client_id", "rp"), ("request", &*sign(&key, &without)), ("response_type", "code")];
    assert_eq!(query(alice.authorize(&outside).await)["error"], "invalid_request");
    let mut elsewhere = claims;
    elsewhere.insert("redirect_uri".into(), "https://evil.example/callback".into());
    let outside = [
        ("client_id", "rp"),
        ("request", &*sign(&key, &elsewhere)),
        ("redirect_uri", "https://rp.example/callback"),
    ];
    assert_eq!(alice.authorize(&outside).await.page().status, 400);
}

#[tokio::test]
async fn what_nobody_signed_is_shown_and_sent_nowhere() {
    let (house, client, key) = open("").await;
    let alice = house.signed_in("alice").await;
    let claims = object(&house, &house.ask(&client).scope("orders:read"));
    let good = sign(&key, &claims);
    let signed = |header: Value| key.sign(&header, &Value::Object(claims.clone()));
    let mut altered = good.clone();
    altered.replace_range(good.len() - 8..good.len() - 4, "AAAA");
    for (wrong, why) in [
        (sign(&Key::generate(), &claims), "another key"),
        (altered, "another signature"),
        (signed(json!({"alg": "RS256"})), "another algorithm"),
        (signed(json!({"alg": "HS256"})), "a symmetric algorithm"),
        (signed(json!({"alg": "ES256", "typ": "dpop+jwt"})), "another type"),
        (signed(json!({"alg": "ES256", "typ": "at+jwt"})), "another type"),
        (signed(json!({"alg": "ES256", "crit": ["x"], "x": 1})), "an extension"),
        ("x".into(), "no JWT"),
        (format!("{good}.x.y"), "five parts"),
    ] {
        let outside = [
            ("client_id", "rp"),
            ("request", wrong.as_str()),
            ("redirect_uri", "https://rp.example/callback"),
        ];
        let page = alice.authorize(&outside).await.page();
        assert_eq!(page.status, 400, "{why}");
        assert!(page.text().contains("invalid_request_object"), "{why}: {}", page.text());
        house.told("authorization.request", "invalid_request_object").await;
    }
    // A credential is no request, and a request no credential.
    let assertion = key.sign(&json!({"alg": "ES256"}), &client.assertion());
    assert!(bring(&alice, &assertion).await.page().text().contains("invalid_request_object"));
    let form = [
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", good.as_str()),
        ("grant_type", "client_credentials"),
    ];
    house.send(house.request("POST", "/token").form(&form)).await.refused("invalid_client");
    // Another client's object, and one in two ways at once.
    let theirs = [("client_id", "web"), ("request", good.as_str())];
    assert_eq!(alice.authorize(&theirs).await.page().status, 400);
    let both = [("client_id", "rp"), ("request", good.as_str()), ("request_uri", "https://rp.example/r")];
    assert!(alice.authorize(&both).await.page().text().contains("invalid_request"));
    assert_eq!(alice.authorize(&[("request", good.as_str())]).await.page().status, 400);
}

#[tokio::test]
async fn what_the_client_signed_wrongly_is_told_at_the_address_it_signed() {
    let (house, client, key) = open("").await;
    let alice = house.signed_in("alice").await;
    let now = house.door().now().0;
    for (name, value) in [
        ("aud", json!("https://other.example")),
        ("aud", json!(["https://other.example"])),
        ("iss", json!("web")),
        ("exp", json!(now - 60)),
        ("nbf", json!(now + 120)),
        ("iat", json!(now + 120)),
        ("request", json!("x")),
        ("request_uri", json!("https://rp.example/r")),
        ("max_age", json!("soon")),
        ("nonce", json!(5)),
    ] {
        let mut claims = object(&house, &house.ask(&client).scope("orders:read"));
        claims.insert(name.into(), value);
        let told = query(bring(&alice, &sign(&key, &claims)).await);
        let code = if name == "max_age" { "invalid_request" } else { "invalid_request_object" };
        assert_eq!((told["error"].as_str(), told["state"].as_str()), (code, "the state"), "{name}");
        house.told("authorization.request", code).await;
    }
    let mut ahead = object(&house, &house.ask(&client).scope("orders:read"));
    ahead.insert("nbf".into(), json!(now + 8));
    ahead.insert("aud".into(), json!(["https://other.example", house.issuer()]));
    assert_eq!(bring(&alice, &sign(&key, &ahead)).await.page().status, 200);
}

#[tokio::test]
async fn a_client_that_must_sign_is_refused_without() {
    let (house, client, key) = open("require_signed_request_object = true").await;
    let alice = house.signed_in("alice").await;
    let ask = house.ask(&client).scope("orders:read");
    assert_eq!(query(ask.brought_by(&alice).await)["error"], "invalid_request");
    client.push(&ask.params()).await.refused("invalid_request");
    let object = sign(&key, &object(&house, &ask));
    assert_eq!(bring(&alice, &object).await.page().status, 200);
    client.push(&[("request", &object)]).await.ok();
}

#[tokio::test]
async fn only_the_registered_algorithm_counts() {
    let (house, client, key) = open("request_object_signing_alg = \"PS256\"").await;
    let alice = house.signed_in("alice").await;
    let object = sign(&key, &object(&house, &house.ask(&client).scope("orders:read")));
    assert!(bring(&alice, &object).await.page().text().contains("invalid_request_object"));
}

#[tokio::test]
async fn message_signing_wants_both_ends_of_a_short_life() {
    let (house, client, key) = open("profile = \"fapi2-message-signing\"").await;
    let client = client.with_dpop();
    let now = house.door().now().0;
    let ask = || house.ask(&client).scope("openid").with("nonce", "n");
    client.push(&ask().params()).await.refused("invalid_request");
    let changed = |name: &str, value: Value| {
        let mut claims = object(&house, &ask());
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.into(), value);
        }
        sign(&key, &claims)
    };
    for (name, value) in [
        ("exp", Value::Null),
        ("nbf", Value::Null),
        ("aud", Value::Null),
        ("exp", json!(now + 3700)),
        ("nbf", json!(now - 3700)),
        ("exp", json!(now - 300)),
    ] {
        client.push(&[("request", &changed(name, value))]).await.refused("invalid_request_object");
    }
    for (name, value) in
        [("nbf", json!(now + 8)), ("jti", Value::Null), ("aud", json!([house.issuer(), "x"]))]
    {
        client.push(&[("request", &changed(name, value))]).await.ok();
    }
    let untyped = key.sign(&json!({"alg": "ES256"}), &Value::Object(object(&house, &ask())));
    client.push(&[("request", &untyped)]).await.ok();
}

/// Serves `answer` to everybody, and counts who asks.
async fn peer(answer: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut heard = [0; 4096];
            let _ = stream.read(&mut heard).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (format!("http://{address}"), asked)
}

fn http(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

/// A house in which the client registered this place, which may be asked.
async fn registered(place: &str) -> (House, tests::Client, Arc<Key>) {
    let members = format!(
        "setting: [outbound]\nsetting: permitted_addresses = [\"127.0.0.0/8\"]\nrequest_uris = [\"{place}\"]"
    );
    open(&members).await
}

#[tokio::test]
async fn an_object_is_fetched_from_where_the_client_registered_it() {
    // The place must be known before the house opens, and what is there after.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}/request.jwt#hash", listener.local_addr().unwrap());
    let (house, client, key) = registered(&place).await;
    let alice = house.signed_in("alice").await;
    let body = sign(&key, &object(&house, &house.ask(&client).scope("orders:read")));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0; 4096];
            let _ = stream.read(&mut heard).await;
            let answer = http("200 OK\r\nContent-Type: application/oauth-authz-req+jwt", &body);
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let params = [("client_id", "rp"), ("request_uri", place.as_str()), ("state", "outside")];
    let told = query(alice.authorize(&params).await.page().approve(|_| {}).await);
    assert_eq!(told["state"], "the state");
}

#[tokio::test]
async fn a_place_that_is_not_registered_is_never_asked() {
    let (place, asked) = peer(http("200 OK", "x")).await;
    let (house, _, _) = registered("https://rp.example/request.jwt").await;
    let alice = house.signed_in("alice").await;
    let long = format!("https://rp.example/{}", "x".repeat(600));
    for unknown in [place.as_str(), "https://rp.example/other.jwt", "file:///etc/passwd", "x", &long] {
        let page = alice.authorize(&[("client_id", "rp"), ("request_uri", unknown)]).await.page();
        assert_eq!(page.status, 400, "{unknown}");
        assert!(page.text().contains("invalid_request_uri"), "{unknown}: {}", page.text());
        house.told("authorization.request", "invalid_request_uri").await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_there_must_be_a_request_object_of_bounded_size() {
    let long = "x".repeat(300_000);
    for answer in [
        http("404 Not Found", ""),
        http("302 Found\r\nLocation: http://169.254.169.254/", ""),
        http("200 OK\r\nContent-Type: text/html", "<html>"),
        http("200 OK", &long),
        http("200 OK\r\nContent-Type: application/jwt", "no JWT"),
    ] {
        let (place, asked) = peer(answer.clone()).await;
        let (house, _, _) = registered(&place).await;
        let alice = house.signed_in("alice").await;
        let page = alice.authorize(&[("client_id", "rp"), ("request_uri", &place)]).await.page();
        let head = &answer[..30];
        assert_eq!((page.status, asked.load(Ordering::SeqCst)), (400, 1), "{head}");
        assert!(page.text().contains("invalid_request_"), "{head}: {}", page.text());
    }
}

#[tokio::test]
async fn a_registered_place_within_is_not_asked_unless_the_configuration_permits_it() {
    let (place, asked) = peer(http("200 OK", "x")).await;
    let place = place.replace("http://", "https://");
    let (house, _, _) = open(&format!("request_uris = [\"{place}\"]")).await;
    let alice = house.signed_in("alice").await;
    let page = alice.authorize(&[("client_id", "rp"), ("request_uri", &place)]).await.page();
    assert_eq!((page.status, asked.load(Ordering::SeqCst)), (400, 0));
}

//! Response modes: query, form_post, and the signed ones (JARM).

use josekit::jwe;
use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::EcCurve;
use serde_json::{Value, json};
use tests::{Database, on_both_databases, unverified_header};

use crate::rp::{self, alg, open, posted, query, verified};

const CALLBACK: &str = "https://rp.example/callback";

on_both_databases! {
    each_mode_brings_the_code_by_its_own_way,
    a_client_that_registered_response_modes_is_answered_in_no_other,
}

async fn each_mode_brings_the_code_by_its_own_way(database: Database) {
    let (house, client, _) = rp::house(database, "").await;
    let alice = house.signed_in("alice").await;
    for (mode, form, jwt) in [
        ("query", false, false),
        ("form_post", true, false),
        ("jwt", false, true),
        ("query.jwt", false, true),
        ("form_post.jwt", true, true),
    ] {
        let ask =
            house.ask(&client).scope("orders:read").with("prompt", "consent").with("response_mode", mode);
        let arrived = ask.brought_by(&alice).await.page().approve(|_| {}).await;
        let sent = if form { posted(&arrived.page(), CALLBACK) } else { query(arrived) };
        let told = if jwt {
            assert_eq!(sent.keys().collect::<Vec<_>>(), ["response"], "{mode}");
            // JARM §3: RS256 unless the client registered another one.
            assert_eq!(alg(&sent["response"]), "RS256");
            let claims = verified(&house, &sent["response"], "rp").await;
            let left = claims["exp"].as_i64().unwrap() - house.door().now().0;
            assert!((200..=300).contains(&left), "{mode}: {left}");
            claims
        } else {
            json!(sent)
        };
        assert_eq!((&told["state"], &told["iss"]), (&json!("the state"), &json!(house.issuer())), "{mode}");
        ask.code(told["code"].as_str().unwrap()).redeem(&client).await.ok();
    }
}

#[tokio::test]
async fn an_error_travels_in_the_mode_that_was_asked_for() {
    let (house, client, _) = open("authorization_signed_response_alg = \"ES256\"").await;
    let alice = house.signed_in("alice").await;
    let ask = |mode: &str| house.ask(&client).scope("orders:read").with("response_mode", mode);
    let denied = posted(&ask("form_post").brought_by(&alice).await.page().deny().await.page(), CALLBACK);
    assert_eq!((denied["error"].as_str(), denied["state"].as_str()), ("access_denied", "the state"));
    house.told("consent.decide", "access_denied").await;
    let denied = query(ask("jwt").brought_by(&alice).await.page().deny().await);
    assert_eq!((denied.len(), alg(&denied["response"]).as_str()), (1, "ES256"));
    let claims = verified(&house, &denied["response"], "rp").await;
    assert_eq!((&claims["error"], &claims["state"]), (&json!("access_denied"), &json!("the state")));
    assert!(claims["error_description"].is_string() && claims.get("code").is_none());
    // Also what is wrong with the request itself, and what cannot be had without a page.
    let wrong = ask("jwt").without("scope").with("scope", "no:such").brought_by(&alice).await;
    let claims = verified(&house, &query(wrong)["response"], "rp").await;
    assert_eq!(claims["error"], "invalid_scope");
    let silent = ask("form_post.jwt").with("prompt", "none").brought_by(&house.person()).await;
    let claims = verified(&house, &posted(&silent.page(), CALLBACK)["response"], "rp").await;
    assert_eq!(claims["error"], "login_required");
}

#[tokio::test]
async fn a_mode_that_is_not_supported_is_a_page_and_so_is_a_wrong_address_in_any_mode() {
    let (house, client, _) = open("").await;
    let alice = house.signed_in("alice").await;
    for mode in ["fragment", "fragment.jwt", "zz"] {
        let page = house
            .ask(&client)
            .scope("orders:read")
            .with("response_mode", mode)
            .brought_by(&alice)
            .await
            .page();
        assert_eq!(page.status, 400, "{mode}");
    }
    for mode in ["jwt", "form_post", "form_post.jwt"] {
        let ask = house.ask(&client).scope("orders:read").without("redirect_uri").with("response_mode", mode);
        let page = ask.with("redirect_uri", "https://evil.example/").brought_by(&alice).await.page();
        assert_eq!(page.status, 400, "{mode}");
        assert!(!page.html.contains("evil.example") && !page.html.contains("eyJ"), "{}", page.html);
    }
}

#[tokio::test]
async fn the_form_goes_to_the_client_alone_and_keeps_its_query() {
    let (house, client, _) = open("redirect_uris = [\"https://rp.example/callback?a=1&b=2\"]").await;
    let alice = house.signed_in("alice").await;
    let state = "\"><script>alert(1)</script>";
    let ask = house.ask(&client).scope("orders:read").with("response_mode", "form_post").without("state");
    let ask = ask.without("redirect_uri").with("state", state);
    let page = ask.brought_by(&alice).await.page().approve(|_| {}).await.page();
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self' https://rp.example;"), "{policy}");
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(posted(&page, "https://rp.example/callback?a=1&b=2")["state"], state);
    assert!(!page.html.contains("alert(1)</script>"), "{}", page.html);
    assert!(page.html.contains("<noscript>"));
    let script = house.send(house.request("GET", "/assets/form_post.js")).await.ok();
    assert!(script.header("content-type").starts_with("text/javascript"));
    assert!(script.body.contains("submit()"));
}

#[tokio::test]
async fn a_signed_response_is_encrypted_where_the_client_registered_how() {
    let mut private = Jwk::generate_ec_key(EcCurve::P256).unwrap();
    private.set_key_id("to-rp");
    let public: Value = serde_json::to_value(private.to_public_key().unwrap()).unwrap();
    let member = |name: &str| public[name].as_str().unwrap().to_owned();
    // A key for what it signs, too: this client authenticates with it.
    let key = std::sync::Arc::new(tests::Key::generate());
    let text = |name: &str| key.jwk[name].as_str().unwrap().to_owned();
    let members = format!(
        "authorization_encrypted_response_alg = \"ECDH-ES\"\nauthorization_encrypted_response_enc = \"A256GCM\"\n\
         authorization_signed_response_alg = \"ES256\"\n\
         jwks = {{ keys = [{{ kty = \"EC\", crv = \"P-256\", use = \"sig\", x = \"{}\", y = \"{}\" }}, \
         {{ kty = \"EC\", crv = \"P-256\", use = \"enc\", kid = \"to-rp\", x = \"{}\", y = \"{}\" }}] }}",
        text("x"),
        text("y"),
        member("x"),
        member("y")
    );
    let (house, client, _) = open(&members).await;
    let alice = house.signed_in("alice").await;
    let ask = house.ask(&client).scope("orders:read").with("response_mode", "jwt");
    let sent = query(ask.brought_by(&alice).await.page().approve(|_| {}).await);
    let header = unverified_header(&sent["response"]);
    assert_eq!(
        (&header["alg"], &header["enc"], &header["cty"]),
        (&json!("ECDH-ES"), &json!("A256GCM"), &json!("JWT"))
    );
    let decrypter = jwe::ECDH_ES.decrypter_from_jwk(&private).unwrap();
    let (inner, _) = jwe::deserialize_compact(&sent["response"], &decrypter).unwrap();
    let inner = String::from_utf8(inner).unwrap();
    let claims = verified(&house, &inner, "rp").await;
    assert_eq!((&claims["state"], &claims["iss"]), (&json!("the state"), &json!(house.issuer())));
}

#[tokio::test]
async fn message_signing_answers_a_client_that_registered_how_with_signatures_only() {
    let members = "profile = \"fapi2-message-signing\"\nauthorization_signed_response_alg = \"PS256\"";
    let (house, client, key) = open(members).await;
    let client = client.with_dpop();
    let alice = house.signed_in("alice").await;
    let ask = |mode: &str| {
        let ask = house.ask(&client).scope("openid").with("nonce", "n");
        if mode.is_empty() { ask } else { ask.with("response_mode", mode) }
    };
    let object = |mode: &str| rp::sign(&key, &rp::object(&house, &ask(mode)));
    for plain in ["", "query", "form_post"] {
        client.push(&[("request", &object(plain))]).await.refused("invalid_request");
    }
    let pushed = client.push(&[("request", &object("jwt"))]).await.ok();
    let params = [("client_id", "rp"), ("request_uri", pushed.text("request_uri"))];
    let sent = query(alice.authorize(&params).await.page().approve(|_| {}).await);
    assert_eq!(alg(&sent["response"]), "PS256");
    assert!(verified(&house, &sent["response"], "rp").await["code"].is_string());
}

async fn a_client_that_registered_response_modes_is_answered_in_no_other(database: Database) {
    let (house, client, _) = rp::house(database, "response_modes = [\"form_post\", \"jwt\"]").await;
    let alice = house.signed_in("alice").await;
    let ask = || house.ask(&client).scope("orders:read").with("prompt", "consent");
    let in_mode = |mode: &str| ask().with("response_mode", mode);
    for refused in [ask(), in_mode("query"), in_mode("form_post.jwt")] {
        // What is wrong is told in a mode that the client can read.
        let told = posted(&refused.brought_by(&alice).await.page(), CALLBACK);
        assert_eq!((told["error"].as_str(), told["state"].as_str()), ("invalid_request", "the state"));
        house.told("authorization.request", "invalid_request").await;
        client.push(&refused.params()).await.refused("invalid_request");
        house.told("authorization.push", "invalid_request").await;
    }
    let page = in_mode("form_post").brought_by(&alice).await.page().approve(|_| {}).await.page();
    assert!(posted(&page, CALLBACK).contains_key("code"));
    for mode in ["jwt", "query.jwt"] {
        let arrived = in_mode(mode).brought_by(&alice).await.page().approve(|_| {}).await;
        let claims = verified(&house, &query(arrived)["response"], "rp").await;
        assert!(claims["code"].is_string(), "{mode}: {claims}");
    }
}

//! What a request from afar may say, and what is refused.

use serde_json::{Value, json};
use tests::{Client, Database, House, Key, on_both_databases};

use crate::elsewhere::{CIBA, DEVICE_CODE, Elsewhere};

on_both_databases! {
    a_signed_request_counts_once,
}

async fn a_signed_request_counts_once(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, key) = (&town.house, town.client("till-signed"), town.key("till-signed"));
    let send = |claims: Value| {
        let request = key.sign(&json!({ "alg": "ES256", "typ": "oauth-authz-req+jwt" }), &claims);
        let till = till.clone();
        async move { till.post("/backchannel/authorize", &[("request", &request)]).await }
    };
    let claims = town.signed_claims("till-signed");
    send(claims.clone()).await.ok();
    send(claims).await.refused("invalid_request");
    house.told("authorization.backchannel", "invalid_request").await;
    let mut claims = town.signed_claims("till-signed");
    claims["requested_expiry"] = json!(30);
    assert_eq!(send(claims).await.ok().json["expires_in"], 30);
}

#[tokio::test]
async fn a_request_lives_as_long_as_it_asks_for_and_no_longer_than_it_may() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, till) = (&town.house, town.client("till"));
    let alice = house.signed_in("alice").await;
    let asked = town.ask_alice(&till, &[("requested_expiry", "30")]).await.ok();
    assert_eq!(asked.json["expires_in"], 30);
    let page = town.question(&alice).await;
    house.later(31);
    town.poll(&till, &asked).await.refused("expired_token");
    assert_eq!(page.approve(|_| {}).await.page().status, 400);
    assert!(alice.page("/approvals").await.html.contains("no-approvals"));
    town.poll(&till, &asked).await.refused("expired_token");
    let asked = town.ask_alice(&till, &[("requested_expiry", "999999")]).await.ok();
    assert_eq!(asked.json["expires_in"], 1800);
}

#[tokio::test]
async fn nobody_is_asked_too_much() {
    let town = Elsewhere::with(Database::Sqlite, "most_waiting_per_user = 2").await;
    let (till, alice) = (town.client("till"), town.house.signed_in("alice").await);
    for client in [&till, &town.client("other-till")] {
        town.ask_alice(client, &[]).await.ok();
    }
    town.ask_alice(&till, &[]).await.refused_with(403, "access_denied");
    town.house.told("authorization.backchannel", "access_denied").await;
    town.question(&alice).await.deny().await.page();
    town.ask_alice(&till, &[]).await.ok();
}

#[tokio::test]
async fn what_is_malformed_is_refused_with_its_own_word() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, till) = (&town.house, town.client("till"));
    for (more, code) in [
        (("binding_message", "a\nb"), "invalid_binding_message"),
        (("binding_message", &"much too long. ".repeat(10)), "invalid_binding_message"),
        (("requested_expiry", "soon"), "invalid_request"),
        (("resource", "https://elsewhere.example"), "invalid_target"),
        (("authorization_details", "[{\"type\":\"nothing\"}]"), "invalid_authorization_details"),
        (("request_uri", "https://till.example/request.jwt"), "invalid_request"),
        (("user_code", "1234"), "invalid_request"),
        (("requested_actor", "nobody"), "invalid_request"),
    ] {
        town.ask_alice(&till, &[more]).await.refused(code);
        house.told("authorization.backchannel", code).await;
    }
    for scope in ["orders:read", "openid orders:delete"] {
        let params = [("scope", scope), ("login_hint", "alice")];
        till.post("/backchannel/authorize", &params).await.refused("invalid_scope");
    }
    town.ask_alice(&house.client("web"), &[]).await.refused("unauthorized_client");
    town.ask_alice(&town.client("tv"), &[]).await.refused("unauthorized_client");
    let nobody = Client::new(house.door(), "till", tests::Authentication::None);
    town.ask_alice(&nobody, &[]).await.refused("invalid_client");
    assert_eq!(house.send(house.request("GET", "/backchannel/authorize")).await.status, 405);
}

#[tokio::test]
async fn an_unfit_signed_request_is_refused() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, till, key) = (&town.house, town.client("till-signed"), town.key("till-signed"));
    town.ask_alice(&till, &[]).await.refused("invalid_request");
    let header = json!({ "alg": "ES256" });
    let send = |jwt: String| {
        let till = till.clone();
        async move { till.post("/backchannel/authorize", &[("request", &jwt)]).await }
    };
    send(key.sign(&header, &town.signed_claims("till-signed"))).await.ok();
    let now = house.door().now().0;
    for (name, value) in [
        ("iss", Value::Null),
        ("aud", Value::Null),
        ("exp", Value::Null),
        ("iat", Value::Null),
        ("nbf", Value::Null),
        ("jti", Value::Null),
        ("iss", json!("till")),
        ("aud", json!("https://other.example")),
        ("exp", json!(now - 60)),
        ("exp", json!(now + 3700)),
        ("nbf", json!(now - 3700)),
        ("nbf", json!(now + 120)),
    ] {
        let mut claims = town.signed_claims("till-signed");
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
        let answer = send(key.sign(&header, &claims)).await;
        assert_eq!(
            (answer.status, &answer.json["error"]),
            (400, &json!("invalid_request")),
            "{name} {value}"
        );
    }
    let claims = town.signed_claims("till-signed");
    send(town.key("till").sign(&header, &claims)).await.refused("invalid_request");
    let bare = key.sign(&json!({ "alg": "none" }), &claims);
    send(bare.rsplit_once('.').map(|(input, _)| format!("{input}.")).unwrap())
        .await
        .refused("invalid_request");
    let (rs256, typed) = (json!({ "alg": "RS256" }), json!({ "alg": "ES256", "typ": "dpop+jwt" }));
    for other in [rs256, typed] {
        send(key.sign(&other, &claims)).await.refused("invalid_request");
    }
    let signed = key.sign(&header, &claims);
    for beside in [("scope", "openid"), ("binding_message", "x"), ("login_hint", "bob")] {
        let params = [("request", signed.as_str()), beside];
        till.post("/backchannel/authorize", &params).await.refused("invalid_request");
    }
    // The profile demands it too, whatever is registered; a client of another may still sign.
    let fapi = town.client("till-fapi");
    town.ask_alice(&fapi, &[]).await.refused("invalid_request");
    let signed = town.key("till-fapi").sign(&header, &town.signed_claims("till-fapi"));
    let asked = fapi.post("/backchannel/authorize", &[("request", &signed)]).await.ok();
    let signed = town.key("till").sign(&header, &town.signed_claims("till"));
    town.client("till").post("/backchannel/authorize", &[("request", &signed)]).await.ok();
    // Its tokens are bound to a certificate, and there is none here.
    let alice = house.signed_in("alice").await;
    while alice.page("/account").await.html.contains("approvals-waiting") {
        town.question(&alice).await.approve(|_| {}).await.page();
    }
    town.poll(&fapi, &asked).await.refused("invalid_request");
}

#[tokio::test]
async fn a_public_client_asks_nobody_from_afar_and_no_fapi_client_is_pushed_to() {
    let read = |client: &str| {
        let text = format!("[[clients]]\nid = \"c\"\nname = \"C\"\nkind = \"application\"\n{client}\n");
        let file = server::config::ConfigFile { name: "c.toml".into(), text, folder: ".".into() };
        let problems = server::config::read(Some(&file), []).err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let ciba = format!("grant_types = [\"{CIBA}\"]");
    assert!(read(&format!("authentication = \"none\"\n{ciba}")).contains("public client"));
    let keys = Key::generate().jwks_toml();
    let with =
        |more: &str| read(&format!("authentication = \"private_key_jwt\"\njwks = {keys}\n{ciba}\n{more}"));
    assert_eq!(with(""), "");
    let ping = "backchannel_token_delivery_mode = \"ping\"";
    assert!(with(ping).contains("backchannel_client_notification_endpoint"));
    let there = "backchannel_client_notification_endpoint = \"https://c.example/told\"";
    assert_eq!(with(&format!("{ping}\n{there}")), "");
    let push = format!("backchannel_token_delivery_mode = \"push\"\n{there}");
    assert_eq!(with(&push), "");
    assert!(with(&format!("{push}\nprofile = \"fapi-ciba\"")).contains("does not permit push"));
    let plain = "backchannel_client_notification_endpoint = \"http://c.example/told\"";
    assert!(with(&format!("{ping}\n{plain}")).contains("must be https"));
}

#[tokio::test]
async fn the_discovery_documents_say_what_there_is() {
    let house = House::open().await;
    let told = house.send(house.request("GET", "/.well-known/openid-configuration")).await.ok().json;
    assert_eq!(told["device_authorization_endpoint"], house.url("/device_authorization"));
    assert_eq!(told["backchannel_authentication_endpoint"], house.url("/backchannel/authorize"));
    assert_eq!(told["backchannel_token_delivery_modes_supported"], json!(["poll", "ping", "push"]));
    assert_eq!(told["backchannel_user_code_parameter_supported"], true);
    for grant_type in [DEVICE_CODE, CIBA] {
        assert!(told["grant_types_supported"].as_array().unwrap().contains(&json!(grant_type)));
    }
}

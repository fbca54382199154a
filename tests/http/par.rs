//! Pushed authorization requests (RFC 9126).

use serde_json::json;
use tests::{Database, House, ORDERS, on_both_databases};

on_both_databases! { a_pushed_request_is_good_for_one_code }

async fn a_pushed_request_is_good_for_one_code(database: Database) {
    let house = House::on(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let ask = house.ask(&agent).scope("orders:read");
    let pushed = agent.push(&ask.params()).await;
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    assert_eq!(pushed.header("cache-control"), "no-store");
    assert!(pushed.text("request_uri").starts_with("urn:ietf:params:oauth:request_uri:"));
    assert_eq!(pushed.json["expires_in"], 60);
    house.told("authorization.push", "granted").await;

    let ask = house.ask(&agent).scope("orders:read").pushed(&agent).await;
    let waiting = ask.brought_by(&alice).await.page();
    let again = ask.brought_by(&alice).await.page();
    let code = ask.approved_by(&alice).await;
    assert_eq!(code.redeem(&agent).await.ok().claims()["scope"], "orders:read");
    // Loading it twice is no harm; completing it twice is.
    for page in [waiting, again] {
        let refused = page.approve(|_| {}).await.page();
        assert_eq!(refused.status, 400, "{}", refused.text());
    }
}

#[tokio::test]
async fn a_reference_is_for_its_client_and_its_time() {
    let house = House::open().await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let ask = house.ask(&agent).scope("orders:read").pushed(&agent).await;
    let reference = ask.params()[1].1.to_owned();
    let others = [("client_id", "agent-b"), ("request_uri", reference.as_str())];
    assert_eq!(alice.authorize(&others).await.page().status, 400);
    house.later(61);
    assert_eq!(ask.brought_by(&alice).await.page().status, 400);
    for unknown in ["urn:ietf:params:oauth:request_uri:none", "https://agent-a.example/request.jwt", "x"] {
        let params = [("client_id", "agent-a"), ("request_uri", unknown)];
        assert_eq!(alice.authorize(&params).await.page().status, 400, "{unknown}");
    }
}

#[tokio::test]
async fn what_stands_beside_a_reference_does_not_count() {
    let house = House::open().await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let ask = house.ask(&agent).scope("orders:read").pushed(&agent).await;
    let ask = ask.with("scope", "orders:read orders:write").with("redirect_uri", "https://evil.example/");
    let code = ask.approved_by(&alice).await;
    assert_eq!(code.redeem(&agent).await.ok().claims()["scope"], "orders:read");
}

#[tokio::test]
async fn what_cannot_be_asked_for_cannot_be_pushed() {
    let house = House::open().await;
    let agent = house.client("agent-a");
    let ask = || house.ask(&agent).scope("orders:read");
    for (ask, code) in [
        (ask().without("redirect_uri").with("redirect_uri", "https://evil.example/"), "invalid_request"),
        (ask().with("request_uri", "urn:ietf:params:oauth:request_uri:x"), "invalid_request"),
        (ask().with("request", "eyJ.e30."), "invalid_request_object"),
        (ask().without("client_id").with("client_id", "agent-b"), "invalid_client"),
        (ask().without("response_type").with("response_type", "token"), "unsupported_response_type"),
        (ask().without("code_challenge"), "invalid_request"),
        (ask().with("scope", "orders:write"), "invalid_request"),
        (ask().without("scope").with("scope", "orders:delete"), "invalid_scope"),
        (ask().without("scope"), "invalid_scope"),
        (ask().resource("https://elsewhere.example"), "invalid_target"),
        (ask().details(&json!([{"type": "nothing"}])), "invalid_authorization_details"),
        (ask().with("prompt", "none login"), "invalid_request"),
        (ask().with("dpop_jkt", &"x".repeat(43)), "invalid_request"),
        (ask().with("requested_actor", "nobody"), "invalid_request"),
    ] {
        let answer = agent.push(&ask.params()).await;
        assert_eq!(answer.json["error"], code, "{:?}: {}", ask.params(), answer.body);
        assert!((400..500).contains(&answer.status));
    }
    house.told("authorization.push", "invalid_request").await;
    let stranger = tests::Client::new(house.door(), "agent-a", tests::Authentication::None);
    stranger.push(&ask().params()).await.refused("invalid_client");
}

#[tokio::test]
async fn the_key_of_the_proof_is_the_key_of_the_code() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop").with_dpop(), house.signed_in("alice").await);
    let code =
        house.ask(&shop).scope("orders:read").resource(ORDERS).pushed(&shop).await.approved_by(&alice).await;
    code.redeem(&house.client("shop")).await.refused("invalid_grant");
    code.redeem(&shop).await.ok();
}

#[tokio::test]
async fn a_client_that_must_push_is_refused_without() {
    let house = House::build(Database::Sqlite, |town| {
        town.replacen("id = \"agent-a\"", "id = \"agent-a\"\nrequire_pushed_authorization_requests = true", 1)
    })
    .await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let ask = house.ask(&agent).scope("orders:read");
    assert_eq!(ask.brought_by(&alice).await.param("error"), "invalid_request");
    ask.pushed(&agent).await.approved_by(&alice).await;
}

#[tokio::test]
async fn what_was_pushed_is_judged_again_when_it_is_used() {
    for (from, to, told) in [
        ("orders:read orders:write inventory:read", "orders:write inventory:read", "invalid_scope"),
        ("https://web.example/callback", "https://web.example/another", "invalid_request"),
    ] {
        let mut house = House::open().await;
        let web = house.client("web");
        let ask = house.ask(&web).scope("orders:read").pushed(&web).await;
        let other = house.ask(&web).scope("orders:read").pushed(&web).await;
        ask.brought_by(&house.signed_in("alice").await).await.page().approve(|_| {}).await.param("code");
        house.restart_changed(|config| config.replace(from, to)).await;
        let alice = house.signed_in("alice").await;
        let code = match other.brought_by(&alice).await {
            tests::Arrival::Page(page) => {
                assert_eq!(page.status, 400, "{}", page.text());
                "invalid_request".to_owned()
            }
            away => away.param("error"),
        };
        assert_eq!(code, told);
        house.told("authorization.request", told).await;
    }
}

#[tokio::test]
async fn what_was_pushed_for_one_user_is_not_shown_to_another() {
    let house = House::open().await;
    let (web, alice, bob) =
        (house.client("web"), house.signed_in("alice").await, house.signed_in("bob").await);
    let token = house.ask(&web).scope("openid").approved_by(&alice).await.redeem(&web).await.ok();
    let details =
        json!([{ "type": "agent_task", "actions": ["read"], "purpose": "Look at her own letters" }]);
    let ask = house.ask(&web).scope("openid").resource(ORDERS).details(&details);
    let ask = ask.with("id_token_hint", token.text("id_token")).pushed(&web).await;
    for somebody in [&bob, &house.person()] {
        let page = ask.brought_by(somebody).await.page();
        assert!(page.path.starts_with("/sign-in") && !page.text().contains("letters"), "{}", page.text());
    }
    assert!(ask.brought_by(&alice).await.page().text().contains("Look at her own letters"));
}

//! `/authorize` (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2): what is shown to the user, and what is told the client.

use serde_json::json;
use tests::{Arrival, Ask, House, ORDERS, Person};

fn all(arrival: Arrival) -> std::collections::BTreeMap<String, String> {
    arrival.away().query_pairs().into_owned().collect()
}

fn instead(ask: Ask, name: &str, value: &str) -> Ask {
    ask.without(name).with(name, value)
}

#[tokio::test]
async fn what_is_wrong_with_client_or_return_address_is_shown_and_sent_nowhere() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let ask = || house.ask(&web).scope("orders:read");
    let twice = ask().with("redirect_uri", "https://web.example/callback");
    for wrong in [
        instead(ask(), "redirect_uri", "https://evil.example/callback"),
        instead(ask(), "redirect_uri", "https://web.example/callback/"),
        instead(ask(), "redirect_uri", "https://web.example/callback?x=1"),
        instead(ask(), "redirect_uri", "https://web.example/callback#x"),
        instead(ask(), "redirect_uri", "https://web.example@evil.example/callback"),
        instead(ask(), "redirect_uri", "http://web.example/callback"),
        instead(ask(), "redirect_uri", "javascript:alert(1)"),
        instead(ask(), "redirect_uri", "/callback"),
        twice,
        instead(ask(), "client_id", "nobody"),
        instead(ask(), "client_id", "a b\u{1}"),
        ask().without("client_id"),
        ask().with("client_id", "shop"),
        ask().with("response_mode", "fragment"),
    ] {
        let page = wrong.brought_by(&alice).await.page();
        assert_eq!(page.status, 400, "{:?}", wrong.params());
        assert!(page.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
        assert!(!page.html.contains("evil.example"), "{}", page.html);
    }
}

#[tokio::test]
async fn on_this_machine_any_port_will_do() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let ask = house.ask(&shop).scope("orders:read");
    let ask = instead(ask, "redirect_uri", "http://127.0.0.1:49152/callback");
    let url = ask.brought_by(&alice).await.page().approve(|_| {}).await.away();
    assert_eq!(url.port(), Some(49152));
    for wrong in
        ["http://localhost:49152/callback", "http://127.0.0.1:49152/other", "https://127.0.0.1/callback"]
    {
        let ask = instead(house.ask(&shop).scope("orders:read"), "redirect_uri", wrong);
        assert_eq!(ask.brought_by(&alice).await.page().status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn everything_else_is_told_the_client_with_state_and_iss() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let ask = || house.ask(&shop).scope("orders:read");
    for (wrong, code) in [
        (instead(ask(), "response_type", "token"), "unsupported_response_type"),
        (instead(ask(), "response_type", "code id_token"), "unsupported_response_type"),
        (ask().without("response_type"), "invalid_request"),
        (ask().with("response_type", "code"), "invalid_request"),
        (ask().with("scope", "orders:read"), "invalid_request"),
        (ask().without("code_challenge"), "invalid_request"),
        (ask().without("code_challenge").without("code_challenge_method"), "invalid_request"),
        (instead(ask(), "code_challenge", "short"), "invalid_request"),
        (instead(ask(), "code_challenge_method", "plain"), "invalid_request"),
        (ask().without("code_challenge_method"), "invalid_request"),
        (instead(ask(), "scope", "orders:delete"), "invalid_scope"),
        (instead(ask(), "scope", "orders:read \"x\""), "invalid_scope"),
        (ask().without("scope"), "invalid_scope"),
        (instead(ask(), "scope", "offline_access"), "invalid_scope"),
        (ask().resource("https://elsewhere.example"), "invalid_target"),
        (ask().resource("/relative"), "invalid_target"),
        (ask().with("authorization_details", "{}"), "invalid_authorization_details"),
        (ask().with("authorization_details", "no json"), "invalid_authorization_details"),
        (ask().details(&json!([{"type": "unknown"}])), "invalid_authorization_details"),
        (ask().details(&json!([{"type": "mcp_tool"}])), "invalid_authorization_details"),
        (
            ask().details(
                &json!([{"type": "mcp_tool", "server": "https://m.example", "tools": ["x"], "more": 1}]),
            ),
            "invalid_authorization_details",
        ),
        (ask().details(&json!([{"type": "agent_task", "actions": ["read"]}])), "invalid_request"),
        (ask().with("request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported"),
        (ask().with("claims", "[]"), "invalid_request"),
        (ask().with("registration", "{}"), "registration_not_supported"),
        (ask().with("prompt", "none login"), "invalid_request"),
        (ask().with("max_age", "-1"), "invalid_request"),
        (ask().with("max_age", "soon"), "invalid_request"),
        (ask().with("requested_actor", "nobody"), "invalid_request"),
        (ask().with("requested_actor", "a b"), "invalid_request"),
        (ask().with("dpop_jkt", "x"), "invalid_request"),
        (ask().with("nonce", &"n".repeat(600)), "invalid_request"),
    ] {
        let told = all(wrong.brought_by(&alice).await);
        assert_eq!(told["error"], code, "{:?}: {told:?}", wrong.params());
        assert_eq!((told["state"].as_str(), told["iss"].as_str()), ("the state", house.issuer()));
        assert!(!told.contains_key("code"));
        house.told("authorization.request", code).await;
    }
    let without_state = instead(ask().without("state"), "scope", "no:such").brought_by(&alice).await;
    assert!(!all(without_state).contains_key("state"));
}

#[tokio::test]
async fn the_answer_brings_back_state_and_iss() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let state = "ä & = % + \"x\"";
    let ask = instead(house.ask(&shop).scope("orders:read"), "state", state);
    let told = all(ask.brought_by(&alice).await.page().approve(|_| {}).await);
    assert_eq!((told["state"].as_str(), told["iss"].as_str()), (state, house.issuer()));
}

#[tokio::test]
async fn a_request_may_be_posted_too() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let ask = house.ask(&shop).scope("orders:read");
    let fields: Vec<_> = ask.params().into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    alice.post("/authorize", &fields).await.page().approve(|_| {}).await.param("code");
}

async fn asked_for_nothing(house: &House, person: &Person, ask: Ask) -> String {
    let told = all(ask.with("prompt", "none").brought_by(person).await);
    assert_eq!(told["iss"], house.issuer());
    told.get("error").cloned().unwrap_or_else(|| "code".into())
}

#[tokio::test]
async fn prompt_none_shows_no_page() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let ask = || house.ask(&web).scope("openid orders:read");
    assert_eq!(asked_for_nothing(&house, &house.person(), ask()).await, "login_required");
    assert_eq!(asked_for_nothing(&house, &alice, ask()).await, "consent_required");
    ask().approved_by(&alice).await;
    assert_eq!(asked_for_nothing(&house, &alice, ask()).await, "code");
    let more = house.ask(&web).scope("openid orders:read orders:write");
    assert_eq!(asked_for_nothing(&house, &alice, more).await, "consent_required");
    house.later(100);
    assert_eq!(asked_for_nothing(&house, &alice, ask().with("max_age", "50")).await, "login_required");
    // What an agent may do is looked at each time.
    let agent = house.client("agent-a");
    let ask = || house.ask(&agent).scope("orders:read");
    ask().approved_by(&alice).await;
    assert_eq!(asked_for_nothing(&house, &alice, ask()).await, "consent_required");
}

#[tokio::test]
async fn what_was_approved_before_is_not_asked_again_unless_the_client_wants_it() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let ask = || house.ask(&web).scope("openid orders:read");
    ask().approved_by(&alice).await;
    let code = ask().brought_by(&alice).await.param("code");
    assert!(!code.is_empty());
    let page = ask().with("prompt", "consent").brought_by(&alice).await.page();
    assert!(page.path.starts_with("/consent"), "{}", page.path);
    // A public client on the user's machine could be anybody.
    let shop = house.client("shop");
    house.ask(&shop).scope("orders:read").approved_by(&alice).await;
    assert_eq!(house.ask(&shop).scope("orders:read").brought_by(&alice).await.page().status, 200);
}

#[tokio::test]
async fn max_age_and_prompt_login_ask_for_the_password_again_and_auth_time_tells() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    house.later(100);
    for (name, value) in [("max_age", "50"), ("prompt", "login"), ("max_age", "0")] {
        let ask = house.ask(&web).scope("openid").with("nonce", "n").with(name, value);
        let page = ask.brought_by(&alice).await.page();
        assert!(page.path.starts_with("/sign-in"), "{name}: {}", page.path);
        // Coming again with the same request does not get around it.
        let page = alice.page(&page.path).await;
        let arrived = page.sign_in("alice", &tests::password_of("alice")).await;
        let code = match arrived {
            Arrival::Page(page) => page.approve(|_| {}).await.param("code"),
            Arrival::Away(url) => Arrival::Away(url).param("code"),
        };
        assert!(!code.is_empty());
        house.later(100);
    }
    let ask = house.ask(&web).scope("openid").with("nonce", "n").with("max_age", "10000");
    let token = ask.approved_by(&alice).await.redeem(&web).await.ok();
    let id_token = tests::unverified_claims(token.text("id_token"));
    assert!(id_token["auth_time"].as_i64().unwrap() < house.door().now().0);
}

#[tokio::test]
async fn a_request_waits_in_the_browser_it_began_in_and_not_for_ever() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let page = house.ask(&shop).scope("orders:read").resource(ORDERS).brought_by(&alice).await.page();
    let bob = house.signed_in("bob").await;
    assert_eq!(bob.page(&page.path).await.status, 400);
    let mut form = page.form();
    form.fill("csrf", bob.page("/sign-in?next=%2Faccount").await.form().value("csrf"));
    let mut fields = form.fields.clone();
    fields.push(("decision".into(), "approve".into()));
    assert_eq!(bob.post("/consent", &fields).await.page().status, 400);
    house.later(601);
    assert_eq!(page.approve(|_| {}).await.page().status, 400);
}

//! Client-Initiated Backchannel Authentication: a client asks from afar, its user answers, the client is told.

mod notified;
mod requests;
mod users;

use serde_json::json;
use tests::{Database, ORDERS, code_at, on_both_databases, password_of, unverified_claims};

use crate::elsewhere::{CIBA, Elsewhere, INTERVAL};

on_both_databases! {
    a_client_asks_from_afar_and_gets_what_its_user_allows,
    a_no_is_told_to_the_client,
    an_agent_that_asks_is_the_one_that_acts,
    of_many_polls_at_once_one_gets_the_tokens,
    a_stronger_sign_in_is_asked_for_before_a_yes_and_a_weaker_one_gives_none,
}

async fn a_client_asks_from_afar_and_gets_what_its_user_allows(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    assert!(alice.page("/approvals").await.html.contains("no-approvals"));
    let asked = town.ask_alice(&till, &[("binding_message", "W4SCT")]).await.ok();
    let told = house.told("authorization.backchannel", "granted").await;
    assert!(told["user"].is_string() && told["client"] == "till", "{told}");
    assert_eq!(asked.header("cache-control"), "no-store");
    assert_eq!((&asked.json["expires_in"], &asked.json["interval"]), (&json!(300), &json!(INTERVAL)));
    let id = asked.text("auth_req_id");
    assert!(id.len() >= 43 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), "{id}");
    let before = house.events().await.len();
    town.poll(&till, &asked).await.refused("authorization_pending");
    town.poll(&till, &asked).await.refused("slow_down");
    assert_eq!(house.events().await.len(), before);

    assert!(alice.page("/account").await.html.contains("approvals-waiting"));
    let list = alice.page("/approvals").await;
    assert!(list.text().contains("The till") && list.text().contains("W4SCT"), "{}", list.text());
    let page = town.question(&alice).await;
    for words in ["The till", "W4SCT", "See your orders", "Allow this only if you know why you are asked"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    for id in ["ciba-approve", "ciba-deny", "binding-message"] {
        assert!(page.html.contains(&format!("id=\"{id}\"")), "{id}");
    }
    let done = page.approve(|_| {}).await.page();
    assert!(done.path == "/approvals" && done.html.contains("approvals-answered"), "{}", done.text());
    house.told("consent.decide", "granted").await;
    let tokens = town.poll(&till, &asked).await.ok();
    assert_eq!(tokens.header("cache-control"), "no-store");
    assert_eq!(
        (&tokens.claims()["client_id"], &tokens.claims()["scope"]),
        (&json!("till"), &json!("openid orders:read"))
    );
    let id_token = unverified_claims(tokens.text("id_token"));
    assert_eq!((&id_token["aud"], &id_token["sub"]), (&json!("till"), &tokens.claims()["sub"]));
    assert!(id_token.get("urn:openid:params:jwt:claim:auth_req_id").is_none(), "that is for what is pushed");
    house.told("token.ciba", "granted").await;
    assert!(house.is_active(tokens.access_token()).await);
    town.poll(&till, &asked).await.refused("invalid_grant");
    assert_eq!(page.approve(|_| {}).await.page().status, 400, "an answer is given once");
    // It hangs on the consent, and on nothing in the browser.
    let account = alice.page("/account").await;
    account.submit(&account.form_to("/account/consents/end"), None).await.page();
    assert!(!house.is_active(tokens.access_token()).await);
}

async fn a_no_is_told_to_the_client(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    let asked = town.ask_alice(&till, &[]).await.ok();
    let done = town.question(&alice).await.deny().await.page();
    assert!(done.text().contains("Denied"), "{}", done.text());
    house.told("consent.decide", "access_denied").await;
    for _ in 0..2 {
        town.poll(&till, &asked).await.refused("access_denied");
    }
    house.told("token.ciba", "access_denied").await;
}

async fn an_agent_that_asks_is_the_one_that_acts(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, agent, alice) = (&town.house, town.client("agent-d"), town.house.signed_in("alice").await);
    let details = json!([{ "type": "agent_task", "actions": ["refund"], "purpose": "Refund order 4711",
        "locations": [ORDERS], "max_amount": 50, "currency": "EUR" }]);
    let details_text = details.to_string();
    let more = [("authorization_details", details_text.as_str()), ("binding_message", "Refund 4711?")];
    let asked = town.ask_alice(&agent, &more).await.ok();
    let page = town.question(&alice).await;
    for words in [", an AI agent, wants to act for you", "Refund order 4711", "At most 50"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    page.approve(|form| {
        form.untick("scope", "orders:read");
    })
    .await
    .page();
    let other_key = town.client("agent-d");
    town.poll(&other_key, &asked).await.refused("invalid_grant");
    let tokens = town.poll(&agent, &asked).await.ok();
    let claims = tokens.claims();
    assert_eq!((&claims["act"]["sub"], &claims["scope"]), (&json!("agent-d"), &json!("openid")));
    assert_eq!(tokens.json["authorization_details"], details);
    assert!(claims["cnf"]["jkt"].is_string(), "{claims}");
    let told = house.told("token.ciba", "granted").await;
    assert!(told["task"].is_string() && told["consent"].is_string(), "{told}");
}

async fn of_many_polls_at_once_one_gets_the_tokens(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    let asked = town.ask_alice(&till, &[]).await.ok();
    town.question(&alice).await.approve(|_| {}).await.page();
    let polls: Vec<_> = (0..10)
        .map(|_| {
            let (till, id) = (till.clone(), asked.text("auth_req_id").to_owned());
            tokio::spawn(async move { till.token(&[("grant_type", CIBA), ("auth_req_id", &id)]).await })
        })
        .collect();
    let mut won = Vec::new();
    for poll in polls {
        let answer = poll.await.unwrap();
        if answer.status == 200 { won.push(answer) } else { drop(answer.refused("invalid_grant")) }
    }
    assert_eq!(won.len(), 1);
    assert!(house.is_active(won[0].access_token()).await);
}

const MULTI: &str = "urn:procura:acr:multi-factor";

async fn a_stronger_sign_in_is_asked_for_before_a_yes_and_a_weaker_one_gives_none(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    let asked = town.ask_alice(&till, &[("acr_values", MULTI)]).await.ok();
    // She has nothing more than a password: she is sent to sign in, and then told that it is not enough.
    let sign_in = town.question(&alice).await;
    assert!(sign_in.path.starts_with("/sign-in?next="), "{}", sign_in.path);
    let again = sign_in.sign_in("alice", &password_of("alice")).await.page();
    assert!(again.path.starts_with("/approvals/") && again.status == 403, "{} {}", again.status, again.path);
    assert!(again.html.contains("error-summary"), "{}", again.text());
    let refused = again.approve(|_| {}).await.page();
    assert_eq!(refused.status, 403, "{}", refused.text());
    town.poll(&till, &asked).await.refused("authorization_pending");

    // With an app she can, after she used it.
    let page = alice.page("/account/security/totp").await;
    let secret = page.text_of("totp-secret");
    alice.prove(&page, "/account/security/totp", &code_at(&secret, house.door().now())).await.page();
    house.later(60);
    let strong = house.person();
    let page = strong.page("/sign-in").await.sign_in("alice", &password_of("alice")).await.page();
    let code = code_at(&secret, house.door().now());
    strong.prove(&page, "/sign-in/second-factor", &code).await.page();
    let page = town.question(&strong).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.approve(|_| {}).await.page().html.contains("approvals-answered"));
    house.later(INTERVAL);
    let tokens = town.poll(&till, &asked).await.ok();
    let told = unverified_claims(tokens.text("id_token"));
    assert_eq!((&told["acr"], &told["amr"]), (&json!(MULTI), &json!(["pwd", "otp", "mfa"])));
    assert_eq!(tokens.claims()["acr"], MULTI);

    // Who signed in with less before can still say no; and what is only a wish is given up once it was tried for.
    let asked = town.ask_alice(&till, &[("acr_values", "phr")]).await.ok();
    let sign_in = town.question(&strong).await;
    assert!(sign_in.path.starts_with("/sign-in?next="), "{}", sign_in.path);
    let page = town.question(&strong).await;
    assert!(page.path.starts_with("/sign-in?next="), "to come again is not to sign in");
    house.later(30);
    let half = page.sign_in("alice", &password_of("alice")).await.page();
    let page =
        strong.prove(&half, "/sign-in/second-factor", &code_at(&secret, house.door().now())).await.page();
    assert_eq!(page.status, 403);
    assert!(page.deny().await.page().html.contains("approvals-answered"));
    town.poll(&till, &asked).await.refused("access_denied");
    let params = [("scope", "openid"), ("login_hint", "alice"), ("acr_values", "phr")];
    let asked = till.post("/backchannel/authorize", &params).await.ok();
    let sign_in = town.question(&strong).await;
    house.later(30);
    let half = sign_in.sign_in("alice", &password_of("alice")).await.page();
    let page =
        strong.prove(&half, "/sign-in/second-factor", &code_at(&secret, house.door().now())).await.page();
    assert_eq!(page.status, 200, "{}", page.text());
    page.approve(|_| {}).await.page();
    let told = unverified_claims(town.poll(&till, &asked).await.ok().text("id_token"));
    assert_eq!(told["acr"], MULTI, "what was reached");
}

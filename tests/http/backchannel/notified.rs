//! How a client learns of the answer where it does not ask, and how its user learns of the question.

use serde_json::json;
use tests::{Database, PostOffice, on_both_databases, unverified_claims};

use crate::elsewhere::{Elsewhere, INTERVAL};

on_both_databases! {
    a_client_is_pinged_when_there_is_an_answer,
    tokens_are_pushed_to_whoever_is_registered_so,
    a_client_that_was_away_is_told_later_also_by_a_house_that_was_opened_again,
    what_was_made_to_be_pushed_and_was_not_ends,
    a_user_is_told_by_mail_of_what_waits_and_of_nothing_secret,
}

async fn a_client_is_pinged_when_there_is_an_answer(database: Database) {
    let town = Elsewhere::on(database).await;
    let (till, alice) = (town.client("till-ping"), town.house.signed_in("alice").await);
    town.ask_alice(&till, &[]).await.refused("invalid_request");
    let long = "t".repeat(1024);
    for (secret, allowed) in [("a-secret-of-the-tills-own", true), (long.as_str(), false)] {
        let asked = town.ask_alice(&till, &[("client_notification_token", secret)]).await.ok();
        assert_eq!(asked.json["interval"], INTERVAL);
        let page = town.question(&alice).await;
        if allowed {
            page.approve(|_| {}).await.page()
        } else {
            page.deny().await.page()
        };
        let letter = town.mailbox.letter().await;
        assert!(letter.head.starts_with("POST /notified "), "{}", letter.head);
        assert_eq!(letter.body, json!({ "auth_req_id": asked.text("auth_req_id") }));
        assert_eq!(letter.header("authorization"), format!("Bearer {secret}"));
        assert_eq!(letter.header("content-type"), "application/json");
        let answer = town.poll(&till, &asked).await;
        if allowed { drop(answer.ok()) } else { drop(answer.refused("access_denied")) }
    }
}

async fn tokens_are_pushed_to_whoever_is_registered_so(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, alice) = (&town.house, town.client("till-push"), town.house.signed_in("alice").await);
    let asks = |scope: &'static str| {
        [
            ("scope", scope),
            ("login_hint", "alice"),
            ("client_notification_token", "a-secret-of-the-tills-own"),
        ]
    };
    let asked = till.post("/backchannel/authorize", &asks("openid offline_access orders:read")).await.ok();
    assert!(asked.json.get("interval").is_none(), "whoever is told does not ask");
    town.poll(&till, &asked).await.refused("unauthorized_client");
    town.question(&alice).await.approve(|_| {}).await.page();
    let letter = town.mailbox.letter().await;
    assert_eq!(letter.header("authorization"), "Bearer a-secret-of-the-tills-own");
    let told = &letter.body;
    assert_eq!(told["auth_req_id"], asked.text("auth_req_id"));
    let (access, refresh) = (told["access_token"].as_str().unwrap(), told["refresh_token"].as_str().unwrap());
    assert_eq!(told["token_type"], "Bearer");
    let id_token = unverified_claims(told["id_token"].as_str().unwrap());
    assert_eq!(id_token["urn:openid:params:jwt:claim:auth_req_id"], asked.text("auth_req_id"));
    let hash = |text: &str| protocol::id_token::at_hash(text, protocol::client::SigningAlg::Es256);
    assert_eq!(id_token["at_hash"], hash(access));
    assert_eq!(id_token["urn:openid:params:jwt:claim:rt_hash"], hash(refresh));
    house.told("token.ciba", "granted").await;
    assert!(house.is_active(access).await);
    town.poll(&till, &asked).await.refused("unauthorized_client");

    let asked = till.post("/backchannel/authorize", &asks("openid orders:read")).await.ok();
    town.question(&alice).await.deny().await.page();
    let letter = town.mailbox.letter().await;
    assert_eq!(
        (&letter.body["error"], &letter.body["auth_req_id"]),
        (&json!("access_denied"), &json!(asked.text("auth_req_id")))
    );
    assert!(letter.body.get("access_token").is_none());
}

#[tokio::test]
async fn what_a_client_refuses_is_not_sent_again_and_no_redirect_is_followed() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (till, alice) = (town.client("till-ping"), town.house.signed_in("alice").await);
    for status in [401, 302, 200] {
        *town.mailbox.statuses.lock().await = vec![status];
        let asked =
            town.ask_alice(&till, &[("client_notification_token", "secret-of-the-till-1")]).await.ok();
        town.question(&alice).await.approve(|_| {}).await.page();
        assert_eq!(town.mailbox.letter().await.body["auth_req_id"], asked.text("auth_req_id"));
        assert!(town.mailbox.stays_empty(4).await, "{status}");
        town.poll(&till, &asked).await.ok();
    }
    // A server that is broken is tried again.
    *town.mailbox.statuses.lock().await = vec![503, 204];
    let asked = town.ask_alice(&till, &[("client_notification_token", "secret-of-the-till-1")]).await.ok();
    town.question(&alice).await.approve(|_| {}).await.page();
    for _ in 0..2 {
        assert_eq!(town.mailbox.letter().await.body["auth_req_id"], asked.text("auth_req_id"));
    }
}

#[tokio::test]
async fn what_is_needed_to_notify_is_forgotten_once_the_client_was_notified() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, till, alice) = (&town.house, town.client("till-ping"), town.house.signed_in("alice").await);
    let asked = town.ask_alice(&till, &[("client_notification_token", "secret-of-the-till-1")]).await.ok();
    let digest = server::secret::SecretDigest::of(asked.text("auth_req_id"));
    assert!(house.store().find_deferred(&digest).await.unwrap().unwrap().delivery.is_some());
    town.question(&alice).await.approve(|_| {}).await.page();
    town.mailbox.letter().await;
    for _ in 0..50 {
        if house.store().find_deferred(&digest).await.unwrap().unwrap().delivery.is_none() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("it is still there");
}

async fn a_client_that_was_away_is_told_later_also_by_a_house_that_was_opened_again(database: Database) {
    let mut town = Elsewhere::on(database).await;
    let (till, alice) = (town.client("till-ping"), town.house.signed_in("alice").await);
    *town.mailbox.statuses.lock().await = vec![503, 204];
    let asked = town.ask_alice(&till, &[("client_notification_token", "secret-of-the-till-1")]).await.ok();
    let page = town.question(&alice).await;
    page.approve(|_| {}).await.page();
    assert_eq!(town.mailbox.letter().await.body["auth_req_id"], asked.text("auth_req_id"));
    town.house.restart().await;
    town.house.later(200);
    let letter = town.mailbox.letter().await;
    assert_eq!(letter.body, json!({ "auth_req_id": asked.text("auth_req_id") }));
    assert_eq!(letter.header("authorization"), "Bearer secret-of-the-till-1");
    assert!(town.mailbox.stays_empty(3).await, "told is told");
    town.poll(&till, &asked).await.ok();
}

async fn what_was_made_to_be_pushed_and_was_not_ends(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, alice) = (&town.house, town.client("till-push"), town.house.signed_in("alice").await);
    *town.mailbox.statuses.lock().await = vec![503];
    let asked = town.ask_alice(&till, &[("client_notification_token", "secret-of-the-till-1")]).await.ok();
    town.question(&alice).await.approve(|_| {}).await.page();
    let first = town.mailbox.letter().await;
    let access = first.body["access_token"].as_str().unwrap().to_owned();
    assert!(house.is_active(&access).await);
    // Whoever made them is not heard of for longer than anybody may take: another node takes over.
    house.later(200);
    let failed = loop {
        let letter = town.mailbox.letter().await;
        assert_eq!(letter.body["auth_req_id"], asked.text("auth_req_id"));
        if letter.body.get("error").is_some() {
            break letter;
        }
        assert_eq!(letter.body["access_token"], access.as_str(), "nothing is made twice");
    };
    assert_eq!(failed.body["error"], "transaction_failed");
    assert!(!house.is_active(&access).await);
}

async fn a_user_is_told_by_mail_of_what_waits_and_of_nothing_secret(database: Database) {
    let post = PostOffice::open().await;
    let town = Elsewhere::with(database, &post.config).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    let asked = town.ask_alice(&till, &[("binding_message", "W4SCT")]).await.ok();
    let mail = post.mail().await;
    assert_eq!(mail.to, "alice@people.example");
    for words in ["Alice Arnold", "The till", "See your orders", "W4SCT"] {
        assert!(mail.text.contains(words), "{words}: {}", mail.text);
    }
    assert!(!mail.text.contains(asked.text("auth_req_id")), "{}", mail.text);
    let at = house.url("/approvals/");
    let link = mail.text.lines().find_map(|line| line.strip_prefix(&at)).unwrap().trim().to_owned();
    assert_eq!(town.question(&alice).await.path, format!("/approvals/{link}"));
    // The link is no key.
    assert!(house.person().page(&format!("/approvals/{link}")).await.path.starts_with("/sign-in"));
    assert_eq!(house.signed_in("bob").await.page(&format!("/approvals/{link}")).await.status, 400);
    // Nobody is written to about what was refused, nor where the hint names nobody.
    town.ask_alice(&till, &[("binding_message", "a\nb")]).await.refused("invalid_binding_message");
    let nobody = [("scope", "openid"), ("login_hint", "nobody@people.example")];
    till.post("/backchannel/authorize", &nobody).await.ok();
    post.stays_empty().await;
}

#[tokio::test]
async fn mail_about_questions_is_bounded_and_can_be_turned_off() {
    let post = PostOffice::open().await;
    let with = |more: &str| {
        let fragment = format!("most_waiting_per_user = 100\n{more}{}", post.config);
        async move { Elsewhere::with(Database::Sqlite, &fragment).await }
    };
    let town = with("").await;
    let till = town.client("till");
    for _ in 0..21 {
        town.ask_alice(&till, &[]).await.ok();
    }
    for _ in 0..20 {
        post.mail().await;
    }
    post.stays_empty().await;
    let town = with("mail = false\n").await;
    town.ask_alice(&town.client("till"), &[]).await.ok();
    post.stays_empty().await;
}

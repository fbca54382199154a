//! Back-Channel Logout: logout tokens, and that each client gets one, whatever happens.

use std::time::{Duration, Instant};

use protocol::audit::{Action, AuditEvent, Outcome};
use serde_json::{Value, json};
use server::store::{Change, Ending};
use tests::{Database, Heard, Person, on_both_databases, unverified_claims, unverified_header};

use super::{Scene, logout};

on_both_databases! {
    every_client_of_the_session_is_told_before_the_browser_goes_on,
    a_session_that_ends_elsewhere_is_told_too_and_once,
    a_client_that_is_away_is_told_later_even_by_another_process,
    a_client_that_says_no_is_not_asked_again,
    what_was_approved_for_the_users_absence_goes_on,
    a_user_who_is_switched_off_is_signed_out_everywhere_and_the_clients_are_told,
    clients_are_told_of_a_session_that_time_ends,
}

fn token_of(heard: &Heard) -> String {
    let form = heard.form();
    assert_eq!((heard.method.as_str(), form.len()), ("POST", 1), "{heard:?}");
    assert!(heard.header("content-type").starts_with("application/x-www-form-urlencoded"), "{heard:?}");
    assert_eq!(form[0].0, "logout_token");
    form[0].1.clone()
}

/// The claims, as somebody finds them who fetches our keys and asks another implementation.
async fn verified(scene: &Scene, token: &str) -> Value {
    let jwks = scene.house.send(scene.house.request("GET", "/jwks")).await.json;
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(header.alg);
    rules.validate_aud = false;
    rules.validate_exp = false;
    jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap().claims
}

async fn every_client_of_the_session_is_told_before_the_browser_goes_on(database: Database) {
    let scene = Scene::on(database).await;
    let alice = scene.house.signed_in("alice").await;
    let ask = scene.house.ask(&scene.rp).scope("openid").with("nonce", "n");
    let id_token = ask.approved_by(&alice).await.redeem(&scene.rp).await.ok().text("id_token").to_owned();
    let other = scene.signs_in_to(&alice, &scene.other).await;
    // Signed in, but not by OpenID Connect: it knows of no session.
    scene.house.ask(&scene.house.client("web")).scope("orders:read").approved_by(&alice).await;
    let hint = [("id_token_hint", &*id_token), ("post_logout_redirect_uri", "https://rp.example/bye")];
    alice.get(&logout(&hint)).await.away();

    let mut heard = scene.receiver.already().await;
    heard.sort_by(|a, b| b.target.cmp(&a.target));
    let targets: Vec<_> = heard.iter().map(|heard| heard.target.as_str()).collect();
    assert_eq!(targets, ["/rp/back?tenant=1", "/other/back?tenant=1"]);
    for (heard, id_token, alg) in [(&heard[0], &id_token, "RS256"), (&heard[1], &other, "ES256")] {
        let token = token_of(heard);
        let header = unverified_header(&token);
        assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("logout+jwt"), Some(alg)));
        let (claims, of_id_token) = (verified(&scene, &token).await, unverified_claims(id_token));
        for same in ["iss", "aud", "sub", "sid"] {
            assert!(claims[same].is_string() && claims[same] == of_id_token[same], "{same}: {claims}");
        }
        assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 120);
        assert_eq!(claims["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
        assert!(claims["jti"].is_string() && claims.get("nonce").is_none(), "{claims}");
        assert_eq!(claims.as_object().unwrap().len(), 8, "{claims}");
    }
    let sids = [&id_token, &other].map(|token| unverified_claims(token)["sid"].clone());
    assert_ne!(sids[0], sids[1], "clients cannot compare notes");
    let subs = [&id_token, &other].map(|token| unverified_claims(token)["sub"].clone());
    assert_ne!(subs[0], subs[1], "the other sees a name of its own");
    notified(&scene).await;
    let told = scene.house.told("logout.notify", "granted").await;
    assert!(["rp", "other"].contains(&told["client"].as_str().unwrap()), "{told}");
}

/// Ends the session that this person has now, as somebody else would.
async fn end_elsewhere(scene: &Scene, person: &Person, times: usize) {
    let cookie = person.cookie_header();
    let value = cookie.split("__Host-procura=").nth(1).unwrap().split(';').next().unwrap();
    let digest = server::secret::SecretDigest::of(value).to_text();
    let now = scene.house.door().now();
    let found = scene.house.store().find_browser_session(&digest, now).await.unwrap().unwrap();
    let mut endings = Vec::new();
    for _ in 0..times {
        let event = AuditEvent::new(Action::UserSignOut, Outcome::Granted, now);
        let change = Change::new(event).end(Ending::Session(found.session.clone()));
        let store = scene.house.store().clone();
        endings.push(tokio::spawn(async move { store.commit(change).await }));
    }
    for ending in endings {
        ending.await.unwrap().unwrap();
    }
}

async fn a_session_that_ends_elsewhere_is_told_too_and_once(database: Database) {
    let scene = Scene::on(database).await;
    let alice = scene.house.signed_in("alice").await;
    let id_token = scene.signs_in_to(&alice, &scene.rp).await;
    end_elsewhere(&scene, &alice, 20).await;
    let claims = unverified_claims(&token_of(&scene.receiver.next().await));
    assert_eq!(claims["sid"], unverified_claims(&id_token)["sid"]);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(scene.receiver.already().await, []);
    assert!(!scene.is_signed_in(&alice).await);
}

/// Waits until the log tells what became of it: the client hears first.
async fn notified(scene: &Scene) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while scene.house.last_event().await["action"] != "logout.notify" {
        assert!(Instant::now() < deadline, "{}", scene.house.last_event().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_client_that_is_away_is_told_later_even_by_another_process(database: Database) {
    let mut scene = Scene::on(database).await;
    let alice = scene.house.signed_in("alice").await;
    scene.signs_in_to(&alice, &scene.rp).await;
    scene.receiver.answer(503, 0);
    let page = alice.page("/logout").await;
    page.submit(&page.form(), Some(("decision", "confirm"))).await.page();
    let first = unverified_claims(&token_of(&scene.receiver.next().await));
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(scene.receiver.already().await, [], "not at once");
    scene.house.restart().await;
    scene.house.later(60);
    let second = unverified_claims(&token_of(&scene.receiver.next().await));
    assert_eq!((&first["sid"], &first["sub"]), (&second["sid"], &second["sub"]));
    assert_ne!(first["jti"], second["jti"]);
    notified(&scene).await;
    scene.house.told("logout.notify", "granted").await;
    scene.house.later(100_000);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(scene.receiver.already().await, [], "and then no more");
}

async fn a_client_that_says_no_is_not_asked_again(database: Database) {
    let scene = Scene::on(database).await;
    let alice = scene.house.signed_in("alice").await;
    scene.signs_in_to(&alice, &scene.rp).await;
    scene.receiver.answer(400, 0);
    let page = alice.page("/logout").await;
    page.submit(&page.form(), Some(("decision", "confirm"))).await.page();
    token_of(&scene.receiver.next().await);
    notified(&scene).await;
    let told = scene.house.told("logout.notify", "temporarily_unavailable").await;
    assert_eq!(
        (told["client"].as_str(), told["reason"].as_str()),
        (Some("rp"), Some("status 400 at attempt 1"))
    );
    scene.house.later(100_000);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(scene.receiver.already().await, []);
}

async fn what_was_approved_for_the_users_absence_goes_on(database: Database) {
    let scene = Scene::on(database).await;
    let alice = scene.house.signed_in("alice").await;
    let absent = scene.house.ask(&scene.rp).scope("openid offline_access orders:read");
    let absent = absent.approved_by(&alice).await.redeem(&scene.rp).await.ok();
    let present = scene.house.ask(&scene.framed).scope("openid orders:read");
    let present = present.approved_by(&alice).await.redeem(&scene.framed).await.ok();
    let page = alice.page("/logout").await;
    page.submit(&page.form(), Some(("decision", "confirm"))).await.page();
    assert!(!scene.house.is_active(present.access_token()).await);
    assert!(scene.house.is_active(absent.access_token()).await);
    scene.rp.refresh(absent.text("refresh_token"), &[]).await.ok();
    let targets: Vec<_> = scene.receiver.already().await.into_iter().map(|heard| heard.target).collect();
    assert_eq!(targets.len(), 2, "it is told of the session's end all the same: {targets:?}");
}

async fn a_user_who_is_switched_off_is_signed_out_everywhere_and_the_clients_are_told(database: Database) {
    let mut scene = Scene::on(database).await;
    let (here, there) = (scene.house.signed_in("bob").await, scene.house.signed_in("bob").await);
    let alice = scene.house.signed_in("alice").await;
    let first = scene.signs_in_to(&here, &scene.rp).await;
    let second = scene.signs_in_to(&there, &scene.other).await;
    scene.signs_in_to(&alice, &scene.rp).await;
    // Bob is not declared any more, and nobody else is meant. The agents need another owner.
    let without_bob = |config: String| {
        let begin = config.find("[[users]]\nusername = \"bob\"").unwrap();
        let end = begin + config[begin + 1..].find("[[users]]").unwrap() + 1;
        format!("{}{}", &config[..begin], &config[end..]).replace("owner = \"bob\"", "owner = \"alice\"")
    };
    scene.house.restart_changed(without_bob).await;
    let mut sids = Vec::new();
    for _ in 0..2 {
        sids.push(unverified_claims(&token_of(&scene.receiver.next().await))["sid"].clone());
    }
    for id_token in [&first, &second] {
        assert!(sids.contains(&unverified_claims(id_token)["sid"]), "{sids:?}");
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(scene.receiver.already().await, [], "alice's applications hear nothing");
    assert!(!scene.is_signed_in(&here).await && !scene.is_signed_in(&there).await);
    assert!(scene.is_signed_in(&alice).await);
    let events = scene.house.events().await;
    let applied = events.iter().filter(|event| event.event.action == Action::ConfigurationApply).count();
    assert!(applied >= 2, "that the configuration did it, is told");
}

async fn clients_are_told_of_a_session_that_time_ends(database: Database) {
    let scene = Scene::on(database).await;
    let alice = scene.house.signed_in("alice").await;
    let id_token = scene.signs_in_to(&alice, &scene.rp).await;
    let life = scene.house.app().settings.session_life.0;
    scene.house.later(life / 2);
    scene.house.sweep().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(scene.receiver.already().await, [], "it is not over");
    scene.house.later(life / 2 + 1);
    scene.house.sweep().await;
    scene.house.sweep().await;
    let claims = unverified_claims(&token_of(&scene.receiver.next().await));
    assert_eq!(claims["sid"], unverified_claims(&id_token)["sid"]);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(scene.receiver.already().await, [], "once");
    assert!(!scene.is_signed_in(&alice).await);
}

#[tokio::test]
async fn a_logout_token_is_encrypted_where_id_tokens_are_and_never_sent_in_the_clear() {
    use josekit::jwe;
    use josekit::jwk::Jwk;
    let receiver = tests::Receiver::open().await;
    let mut private = Jwk::generate_ec_key(josekit::jwk::alg::ec::EcCurve::P256).unwrap();
    private.set_key_id("to-rp");
    let public = private.to_public_key().unwrap();
    let at = |name: &str| public.parameter(name).unwrap().as_str().unwrap().to_owned();
    let jwks = format!(
        "jwks = {{ keys = [{{ kty = \"EC\", crv = \"P-256\", use = \"enc\", kid = \"to-rp\", x = \"{}\", y = \"{}\" }}] }}",
        at("x"),
        at("y")
    );
    let encrypted = format!("{jwks}\nid_token_encrypted_response_alg = \"ECDH-ES\"");
    let scene = Scene::with(Database::Sqlite, receiver, &encrypted).await;
    let alice = scene.house.signed_in("alice").await;
    let open = |jwe: &str| {
        let decrypter = jwe::ECDH_ES.decrypter_from_jwk(&private).unwrap();
        String::from_utf8(jwe::deserialize_compact(jwe, &decrypter).unwrap().0).unwrap()
    };
    let id_token = open(&scene.signs_in_to(&alice, &scene.rp).await);
    let page = alice.page("/logout").await;
    page.submit(&page.form(), Some(("decision", "confirm"))).await.page();
    let sent = token_of(&scene.receiver.next().await);
    let header = unverified_header(&sent);
    assert_eq!((&header["alg"], &header["enc"]), (&json!("ECDH-ES"), &json!("A128CBC-HS256")));
    let token = open(&sent);
    assert_eq!(unverified_header(&token)["typ"], "logout+jwt", "signed first, then encrypted");
    let claims = verified(&scene, &token).await;
    assert_eq!(claims["sid"], unverified_claims(&id_token)["sid"]);
}

#[tokio::test]
async fn a_slow_client_holds_up_neither_the_others_nor_the_user() {
    let scene = Scene::on(Database::Sqlite).await;
    let alice = scene.house.signed_in("alice").await;
    scene.signs_in_to(&alice, &scene.rp).await;
    scene.signs_in_to(&alice, &scene.other).await;
    scene.receiver.answer(200, 20_000);
    let page = alice.page("/logout").await;
    let began = Instant::now();
    page.submit(&page.form(), Some(("decision", "confirm"))).await.page();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(scene.receiver.already().await.len(), 2, "both were spoken to");
}

#[tokio::test]
async fn whoever_signs_in_in_somebody_elses_browser_ends_their_session() {
    let scene = Scene::on(Database::Sqlite).await;
    let alice = scene.house.signed_in("alice").await;
    let id_token = scene.signs_in_to(&alice, &scene.rp).await;
    alice.sign_in("alice", &tests::password_of("alice")).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(scene.receiver.already().await, [], "alice again is alice still");
    alice.sign_in("bob", &tests::password_of("bob")).await;
    let claims = unverified_claims(&token_of(&scene.receiver.next().await));
    assert_eq!(claims["sid"], unverified_claims(&id_token)["sid"]);
}

#[tokio::test]
async fn a_token_is_not_given_for_a_session_that_ended_meanwhile() {
    let scene = Scene::on(Database::Sqlite).await;
    let alice = scene.house.signed_in("alice").await;
    let code = scene.house.ask(&scene.rp).scope("openid").approved_by(&alice).await;
    let page = alice.page("/logout").await;
    page.submit(&page.form(), Some(("decision", "confirm"))).await.page();
    code.redeem(&scene.rp).await.refused("invalid_grant");
}

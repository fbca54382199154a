//! RP-Initiated Logout: what ends a session, what asks first, and what never leads anywhere.

use serde_json::json;
use tests::{Arrival, Database, Key, on_both_databases, unverified_claims};

use super::{Scene, logout};

on_both_databases! {
    a_hint_of_the_session_ends_it_and_leads_back_with_the_state,
    without_a_hint_the_user_is_asked_and_decides,
}

const BYE: &str = "https://rp.example/bye";

async fn a_hint_of_the_session_ends_it_and_leads_back_with_the_state(database: Database) {
    let scene = Scene::on(database).await;
    let alice = scene.house.signed_in("alice").await;
    let id_token = scene.signs_in_to(&alice, &scene.rp).await;
    let state = format!("{} &=", "s".repeat(120));
    // A hint that is over still tells who it is about.
    scene.house.later(3600);
    let params = [("id_token_hint", &*id_token), ("post_logout_redirect_uri", BYE), ("state", &state)];
    let away = alice.get(&logout(&params)).await.away();
    let encoded = url::form_urlencoded::Serializer::new(String::new()).append_pair("state", &state).finish();
    assert_eq!(away.as_str(), format!("{BYE}?{encoded}"));
    let events = scene.house.events().await;
    assert!(events.iter().any(|e| serde_json::to_value(&e.event).unwrap()["action"] == "user.sign_out"));
    assert!(!scene.is_signed_in(&alice).await);
    let silent = scene.house.ask(&scene.rp).scope("openid").with("prompt", "none").brought_by(&alice).await;
    assert_eq!(silent.param("error"), "login_required");

    // That it is over already is no error: the same request has the same outcome, with other parameters too.
    assert_eq!(alice.get(&logout(&params)).await.away(), away);
    let without_state =
        [("id_token_hint", &*id_token), ("post_logout_redirect_uri", "https://rp.example/bye?x=1")];
    let away = alice.get(&logout(&without_state)).await.away();
    assert_eq!(away.as_str(), "https://rp.example/bye?x=1");
}

async fn without_a_hint_the_user_is_asked_and_decides(database: Database) {
    let scene = Scene::on(database).await;
    let alice = scene.house.signed_in("alice").await;
    for params in [&[][..], &[("state", "x")], &[("client_id", "rp"), ("post_logout_redirect_uri", BYE)]] {
        let page = alice.page(&logout(params)).await;
        assert!(page.html.contains("id=\"logout-form\""), "{params:?}: {}", page.html);
        assert!(scene.is_signed_in(&alice).await);
    }
    let page = alice.page("/logout").await;
    let cancelled = page.submit(&page.form(), Some(("decision", "cancel"))).await.page();
    assert_eq!(cancelled.path, "/account");
    // The form counts only with its token.
    let mut form = page.form();
    form.without("csrf");
    assert_eq!(page.submit(&form, Some(("decision", "confirm"))).await.page().status, 403);
    assert!(scene.is_signed_in(&alice).await);

    let page = alice.page("/logout").await;
    let over = page.submit(&page.form(), Some(("decision", "confirm"))).await.page();
    assert!(over.status == 200 && over.html.contains("id=\"logged-out\""), "{}", over.html);
    scene.house.told("user.sign_out", "granted").await;
    assert!(!scene.is_signed_in(&alice).await);

    // Named by its client_id alone, a client gets the browser back by the user's word, and not without it.
    let params = [("client_id", "rp"), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let over = alice.page(&logout(&params)).await;
    assert!(over.html.contains("id=\"logged-out\"") && over.html.contains(&format!("{BYE}?state=s")));
    let bob = scene.house.signed_in("bob").await;
    let page = bob.page(&logout(&params)).await;
    assert!(page.text().contains("The rp"), "{}", page.text());
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self' https://rp.example"), "{policy}");
    let away = page.submit(&page.form(), Some(("decision", "confirm"))).await.away();
    assert_eq!(away.as_str(), format!("{BYE}?state=s"));
}

#[tokio::test]
async fn a_hint_of_another_session_or_user_asks() {
    let scene = Scene::on(Database::Sqlite).await;
    let alice = scene.house.signed_in("alice").await;
    let old = scene.signs_in_to(&alice, &scene.rp).await;
    alice.get(&logout(&[("id_token_hint", &old)])).await.page();
    let alice = scene.house.signed_in("alice").await;
    let new = scene.signs_in_to(&alice, &scene.rp).await;
    assert_ne!(unverified_claims(&old)["sid"], unverified_claims(&new)["sid"]);
    let bob = scene.house.signed_in("bob").await;
    for (person, params) in [
        (&alice, &[("id_token_hint", &*old)][..]),
        (&bob, &[("id_token_hint", &*new)]),
        (&alice, &[("id_token_hint", &*new), ("logout_hint", "bob")]),
    ] {
        let page = person.page(&logout(params)).await;
        assert!(page.html.contains("id=\"logout-form\""), "{}", page.html);
        assert!(scene.is_signed_in(person).await);
    }
    let over = alice.page(&logout(&[("id_token_hint", &new), ("logout_hint", "Alice")])).await;
    assert!(over.html.contains("id=\"logged-out\""));
}

#[tokio::test]
async fn what_cannot_be_trusted_leads_nowhere_and_ends_nothing() {
    let scene = Scene::on(Database::Sqlite).await;
    let alice = scene.house.signed_in("alice").await;
    let good = scene.signs_in_to(&alice, &scene.rp).await;
    let ask = scene.house.ask(&scene.rp).scope("openid orders:read");
    let access_token = ask.approved_by(&alice).await.redeem(&scene.rp).await.ok().access_token().to_owned();
    let claims = unverified_claims(&good);
    let unsigned = |header: serde_json::Value| {
        use base64::Engine as _;
        let part = |value: &serde_json::Value| {
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
        };
        format!("{}.{}.", part(&header), part(&claims))
    };
    let none = unsigned(json!({ "alg": "none", "typ": "JWT" }));
    let foreign = Key::generate().sign(&json!({ "alg": "ES256", "typ": "JWT" }), &claims);
    let mut tampered = good.clone().into_bytes();
    let middle = good.find('.').unwrap() + 10;
    tampered[middle] = if tampered[middle] == b'A' { b'B' } else { b'A' };
    let tampered = String::from_utf8(tampered).unwrap();
    let to = ("post_logout_redirect_uri", BYE);
    let hint = ("id_token_hint", &*good);
    for (what, params) in [
        ("an address of nobody", &[to][..]),
        ("an unregistered address", &[hint, ("post_logout_redirect_uri", "https://evil.example/bye")]),
        ("a longer query", &[hint, ("post_logout_redirect_uri", "https://rp.example/bye?x=1&y=2")]),
        ("a prefix", &[hint, ("post_logout_redirect_uri", "https://rp.example/bye/x")]),
        ("a redirect URI", &[hint, ("post_logout_redirect_uri", "https://rp.example/callback")]),
        ("another client's address", &[hint, ("post_logout_redirect_uri", "https://other.example/bye")]),
        ("an unsigned hint", &[("id_token_hint", &*none), to]),
        ("a foreign hint", &[("id_token_hint", &*foreign), to]),
        ("a changed hint", &[("id_token_hint", &*tampered), to]),
        ("an access token as hint", &[("id_token_hint", &*access_token), to]),
        ("no JWT as hint", &[("id_token_hint", "x"), to]),
        ("two clients", &[hint, ("client_id", "other"), to]),
        ("an unknown client", &[("client_id", "nobody"), to]),
        ("the address twice", &[hint, to, to]),
    ] {
        match alice.get(&logout(params)).await {
            Arrival::Page(page) => {
                assert!(
                    page.status == 400 && page.html.contains("id=\"error-page\""),
                    "{what}: {}",
                    page.html
                );
            }
            Arrival::Away(url) => panic!("{what} led to {url}"),
        }
        scene.house.told("user.sign_out", "invalid_request").await;
        assert!(scene.is_signed_in(&alice).await, "{what}");
    }
    // And with nothing wrong about it:
    assert!(alice.get(&logout(&[hint, ("client_id", "rp"), to])).await.away().as_str().starts_with(BYE));
}

#[tokio::test]
async fn a_posted_request_is_as_good_and_looking_ends_nothing() {
    let scene = Scene::on(Database::Sqlite).await;
    let alice = scene.house.signed_in("alice").await;
    let id_token = scene.signs_in_to(&alice, &scene.rp).await;
    let path = logout(&[("id_token_hint", &id_token)]);
    let head = scene.house.request("HEAD", &path).header("Cookie", alice.cookie_header());
    assert_eq!(scene.house.send(head).await.status, 405);
    assert!(scene.is_signed_in(&alice).await);

    // From the client's own site, where browsers leave the cookie behind.
    let form = [("id_token_hint", &*id_token), ("post_logout_redirect_uri", BYE), ("state", "a b")];
    let posted = scene.house.request("POST", "/logout").header("Origin", "https://rp.example");
    let answer = scene.house.send(posted.header("Sec-Fetch-Site", "cross-site").form(&form)).await;
    assert_eq!(answer.status, 303);
    let next = answer.header("location").to_owned();
    assert_eq!(alice.get(&next).await.away().as_str(), format!("{BYE}?state=a+b"));
    assert!(!scene.is_signed_in(&alice).await);
}

#[tokio::test]
async fn the_page_speaks_the_language_that_is_asked_for() {
    let scene = Scene::on(Database::Sqlite).await;
    let alice = scene.house.signed_in("alice").await;
    assert!(alice.page("/logout?ui_locales=de-CH%20en").await.html.contains("<html lang=\"de\""));
    assert!(alice.page("/logout?ui_locales=fr%20en").await.html.contains("<html lang=\"en\""));
}

//! Signing in and out.

use tests::{Database, House, on_both_databases, password_of};

on_both_databases! { signing_out_ends_the_session_and_what_hangs_on_it }

async fn signing_out_ends_the_session_and_what_hangs_on_it(database: Database) {
    let house = House::on(database).await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let present = house.ask(&web).scope("orders:read").approved_by(&alice).await.redeem(&web).await.ok();
    let ask = house.ask(&web).scope("offline_access inventory:read");
    let absent = ask.approved_by(&alice).await.redeem(&web).await.ok();
    let page = alice.page("/logout").await;
    let before = alice.cookie_header();
    page.submit(&page.form(), Some(("decision", "confirm"))).await.page();
    house.told("user.sign_out", "granted").await;
    assert!(!house.is_active(present.access_token()).await);
    assert!(house.is_active(absent.access_token()).await, "what was approved for her absence stays");
    assert!(alice.page("/account").await.path.starts_with("/sign-in"));
    // Not with the old cookie either.
    let old = house.request("GET", "/account").header("Cookie", before);
    assert_eq!(house.send(old).await.status, 303);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_answered_alike() {
    let house = House::open().await;
    let mut shown = Vec::new();
    for (name, password) in [("alice", "wrong"), ("nobody", "wrong"), ("alice", ""), ("", "")] {
        let person = house.person();
        let page = person.page("/sign-in").await.sign_in(name, password).await.page();
        assert_eq!(page.status, 401, "{name}");
        assert!(person.page("/account").await.path.starts_with("/sign-in"));
        shown.push(page.text());
    }
    assert!(shown.iter().all(|text| *text == shown[0]), "{shown:?}");
    house.told("user.sign_in", "access_denied").await;
    house.signed_in("alice").await;
    house.told("user.sign_in", "granted").await;
}

#[tokio::test]
async fn the_form_needs_its_token_and_the_cookie_changes_with_the_login() {
    let house = House::open().await;
    let person = house.person();
    let page = person.page("/sign-in").await;
    let before = person.cookie_header();
    let mut form = page.form();
    form.fill("username", "alice").fill("password", &password_of("alice")).without("csrf");
    assert_eq!(page.submit(&form, None).await.page().status, 403);
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    for part in ["__Host-", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    page.sign_in("alice", &password_of("alice")).await.page();
    assert_ne!(person.cookie_header(), before);
}

#[tokio::test]
async fn after_too_many_failures_even_the_right_password_waits() {
    let house = House::open_with("[limits]\nsign_in_attempts_per_minute = 3\n").await;
    for _ in 0..3 {
        let page = house.person().page("/sign-in").await.sign_in("Alice", "wrong").await.page();
        assert_eq!(page.status, 401);
    }
    let page = house.person().page("/sign-in").await;
    assert_eq!(page.sign_in("alice", &password_of("alice")).await.page().status, 429);
    house.signed_in("bob").await;
}

#[tokio::test]
async fn a_session_is_over_after_its_life() {
    let house = House::open_with("session_life = \"10m\"").await;
    let alice = house.signed_in("alice").await;
    house.later(601);
    assert!(alice.page("/account").await.path.starts_with("/sign-in"));
}

#[tokio::test]
async fn cancelling_tells_the_client() {
    let house = House::open().await;
    let page = house.ask(&house.client("shop")).scope("orders:read").brought_by(&house.person()).await.page();
    let arrived = page.submit(&page.form(), Some(("decision", "cancel"))).await;
    assert_eq!(arrived.param("error"), "access_denied");
    house.told("consent.decide", "access_denied").await;
}

#[tokio::test]
async fn whoever_is_signed_in_and_wants_nothing_more_is_led_to_their_account() {
    let house = House::open().await;
    let alice = house.signed_in("alice").await;
    assert_eq!(alice.page("/sign-in").await.path, "/account");
    // A page that wants it once more is another matter.
    let page = alice.page("/sign-in?next=%2Faccount%2Fsecurity").await;
    assert!(page.html.contains("id=\"login-again\"") && page.html.contains("id=\"login-cancel\""));
    let cancelled = page.submit(&page.form_to("/sign-in"), Some(("decision", "cancel"))).await.page();
    assert_eq!(cancelled.path, "/account");
    // Who came by themselves has nothing to go back to.
    assert!(!house.person().page("/sign-in").await.html.contains("login-cancel"));
}

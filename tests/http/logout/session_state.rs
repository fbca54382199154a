//! Session Management: `session_state`, the browser state it is made of, and the page in which it is compared.

use protocol::logout::session_state::session_state;
use tests::{Database, Person, on_both_databases};
use url::Url;

use super::{Scene, param};

on_both_databases! { the_session_state_is_what_the_browsers_state_makes_of_it }

/// The browser state, as the page's script reads it.
fn state_of(person: &Person) -> String {
    let cookies = person.cookie_header();
    let found = cookies.split("; ").find_map(|pair| pair.strip_prefix("__Host-procura-state="));
    found.unwrap_or_default().to_owned()
}

fn computed(url: &Url, client: &str, state: &str) -> bool {
    let told = param(url, "session_state").unwrap_or_else(|| panic!("none in {url}"));
    let (_, salt) = told.split_once('.').unwrap();
    assert!(!told.contains(' '));
    told == session_state(&client.parse().unwrap(), &format!("https://{client}.example"), state, salt)
}

async fn the_session_state_is_what_the_browsers_state_makes_of_it(database: Database) {
    let scene = Scene::on(database).await;
    let person = scene.house.person();
    let silent = |client| scene.house.ask(client).scope("openid").with("prompt", "none");
    let first = silent(&scene.rp).brought_by(&person).await.away();
    let second = silent(&scene.rp).brought_by(&person).await.away();
    assert_eq!(param(&first, "error").as_deref(), Some("login_required"));
    assert!(computed(&first, "rp", "") && computed(&second, "rp", "") && state_of(&person).is_empty());
    assert_ne!(param(&first, "session_state"), param(&second, "session_state"), "salted");

    person.sign_in("alice", &tests::password_of("alice")).await;
    let signed_in = state_of(&person);
    assert!(!signed_in.is_empty());
    let page = scene.house.ask(&scene.rp).scope("openid").brought_by(&person).await.page();
    let denied = page.deny().await.away();
    assert_eq!(param(&denied, "error").as_deref(), Some("access_denied"));
    assert!(computed(&denied, "rp", &signed_in));
    let page = scene.house.ask(&scene.rp).scope("openid").brought_by(&person).await.page();
    let granted = page.approve(|_| {}).await.away();
    assert!(param(&granted, "code").is_some() && computed(&granted, "rp", &signed_in), "{granted}");
    assert!(!computed(&granted, "rp", ""));
    let again = silent(&scene.rp).brought_by(&person).await.away();
    assert!(param(&again, "code").is_some() && computed(&again, "rp", &signed_in));

    // Without `openid`, and for a client that is no web page, there is nothing to watch.
    let plain = scene.house.ask(&scene.rp).scope("orders:read").brought_by(&person).await.page();
    assert_eq!(param(&plain.approve(|_| {}).await.away(), "session_state"), None);

    let page = person.page("/logout").await;
    page.submit(&page.form(), Some(("decision", "confirm"))).await.page();
    assert_eq!(state_of(&person), "", "it is gone with the session");
    person.sign_in("alice", &tests::password_of("alice")).await;
    assert_ne!(state_of(&person), signed_in, "another session has another state");
}

#[tokio::test]
async fn the_cookie_can_be_read_in_other_sites_frames_and_holds_no_secret() {
    let scene = Scene::on(Database::Sqlite).await;
    let alice = scene.house.signed_in("alice").await;
    let page = alice.page("/account").await;
    let cookies = page.headers.get_all("set-cookie").into_iter().map(|value| value.to_str().unwrap());
    let cookie = cookies.into_iter().find(|text| text.starts_with("__Host-procura-state=")).unwrap();
    for part in ["; Secure", "; SameSite=None", "; Path=/", "; Max-Age=43200"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    assert!(!cookie.contains("HttpOnly"));
    // With it alone nobody is anybody.
    let only = format!("__Host-procura-state={}", state_of(&alice));
    let asked = scene.house.request("GET", "/account").header("Cookie", only);
    assert_eq!(scene.house.send(asked).await.status, 303);
}

#[tokio::test]
async fn a_request_from_another_site_which_brings_no_session_changes_nothing() {
    let scene = Scene::on(Database::Sqlite).await;
    let alice = scene.house.signed_in("alice").await;
    let only = format!("__Host-procura-state={}", state_of(&alice));
    let asked = scene.house.request("GET", "/account").header("Cookie", only);
    let response = asked.send().await.unwrap();
    let mut set = response.headers().get_all("set-cookie").into_iter().map(|value| value.to_str().unwrap());
    assert!(set.all(|cookie| !cookie.starts_with("__Host-procura-state=")));
}

#[tokio::test]
async fn any_site_may_hold_the_page_in_a_frame_and_no_other_page() {
    let scene = Scene::on(Database::Sqlite).await;
    let page = scene.house.request("GET", "/check-session").send().await.unwrap();
    assert_eq!(
        (page.status().as_u16(), page.headers()["content-type"].to_str().unwrap()),
        (200, "text/html; charset=utf-8")
    );
    assert!(page.headers().get("x-frame-options").is_none());
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert_eq!(policy, "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'");
    let html = page.text().await.unwrap();
    assert!(html.contains("<script src=\"/assets/check-session.js\"></script>"));
    let script = scene.house.request("GET", "/assets/check-session.js").send().await.unwrap();
    assert_eq!(script.headers()["content-type"].to_str().unwrap(), "text/javascript; charset=utf-8");
    let sign_in = scene.house.person().page("/sign-in").await;
    assert_eq!(sign_in.headers["x-frame-options"], "DENY");
    assert!(sign_in.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
}

#[tokio::test]
async fn discovery_tells_of_all_of_it() {
    let scene = Scene::on(Database::Sqlite).await;
    let told = scene.house.send(scene.house.request("GET", "/.well-known/openid-configuration")).await.json;
    for (name, path) in [("end_session_endpoint", "/logout"), ("check_session_iframe", "/check-session")] {
        assert_eq!(told[name], scene.house.url(path));
    }
    for name in ["backchannel", "frontchannel"] {
        assert_eq!(told[format!("{name}_logout_supported")], true);
        assert_eq!(told[format!("{name}_logout_session_supported")], true);
    }
}

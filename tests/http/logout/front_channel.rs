//! Front-Channel Logout: the page that loads what signs the user out at clients, and nothing else.

use tests::{Database, on_both_databases, unverified_claims};

use super::{Scene, logout};

on_both_databases! { the_page_loads_a_frame_for_each_client_of_the_session_and_then_goes_on }

async fn the_page_loads_a_frame_for_each_client_of_the_session_and_then_goes_on(database: Database) {
    let scene = Scene::on(database).await;
    let alice = scene.house.signed_in("alice").await;
    let id_token = scene.signs_in_to(&alice, &scene.framed).await;
    scene.signs_in_to(&alice, &scene.other).await;
    let params = [
        ("id_token_hint", &*id_token),
        ("post_logout_redirect_uri", "https://framed.example/bye?x=1"),
        ("state", "a\"b"),
    ];
    let page = alice.page(&logout(&params)).await;
    assert_eq!(page.html.matches("<iframe ").count(), 1, "only of those that want one: {}", page.html);
    let sid = unverified_claims(&id_token)["sid"].as_str().unwrap().to_owned();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("iss", scene.house.issuer())
        .append_pair("sid", &sid)
        .finish();
    let frame = format!("{}/framed/front?a=1&{query}", scene.receiver.origin).replace('&', "&#38;");
    assert!(page.html.contains(&frame), "{frame}: {}", page.html);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains(&format!("; frame-src {};", scene.receiver.origin)), "{policy}");
    assert!(policy.ends_with("; script-src 'self'") && policy.contains("default-src 'none'"), "{policy}");
    let next = page.headers["refresh"].to_str().unwrap();
    assert_eq!(next, "5; url=https://framed.example/bye?x=1&state=a%22b");
    assert!(!scene.is_signed_in(&alice).await);

    // Where nobody took part there is no frame, and the browser goes on at once.
    let away = alice.get(&logout(&params)).await.away();
    assert_eq!(away.as_str(), "https://framed.example/bye?x=1&state=a%22b");
}

#[tokio::test]
async fn a_client_that_the_user_never_visited_is_not_loaded() {
    let scene = Scene::on(Database::Sqlite).await;
    let alice = scene.house.signed_in("alice").await;
    scene.signs_in_to(&scene.house.signed_in("bob").await, &scene.framed).await;
    let page = alice.page("/logout").await;
    let over = page.submit(&page.form(), Some(("decision", "confirm"))).await.page();
    assert!(over.html.contains("id=\"logged-out\"") && !over.html.contains("<iframe"), "{}", over.html);
    let policy = over.headers["content-security-policy"].to_str().unwrap();
    assert!(!policy.contains("frame-src") && !policy.contains("script-src"), "{policy}");
    assert!(over.headers.get("refresh").is_none());
}

#[tokio::test]
async fn a_page_that_leads_nowhere_stays() {
    let scene = Scene::on(Database::Sqlite).await;
    let alice = scene.house.signed_in("alice").await;
    scene.signs_in_to(&alice, &scene.framed).await;
    let page = alice.page("/logout").await;
    let over = page.submit(&page.form(), Some(("decision", "confirm"))).await.page();
    assert!(over.html.contains("<iframe") && over.headers.get("refresh").is_none());
    assert!(!over.html.contains("<script"), "{}", over.html);
}

//! Sign-in that is begun here, for an application: the link on the account page.

use tests::Database;

use super::Scene;

/// What the link to an application is on this page.
fn links(html: &str) -> Vec<String> {
    let found = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    found.filter(|link| link.starts_with("https://")).map(|link| link.replace("&#38;", "&")).collect()
}

#[tokio::test]
async fn the_account_page_opens_applications_that_can_be_opened() {
    let scene = Scene::on(Database::Sqlite).await;
    let alice = scene.house.signed_in("alice").await;
    scene.signs_in_to(&alice, &scene.rp).await;
    assert!(links(&alice.page("/account").await.html).is_empty(), "the rp registered no address for it");
    scene.signs_in_to(&alice, &scene.other).await;
    let issuer: String = url::form_urlencoded::byte_serialize(scene.house.issuer().as_bytes()).collect();
    let link =
        format!("https://other.example/begin?iss={issuer}&target_link_uri=https%3A%2F%2Fother.example%2F");
    assert_eq!(links(&alice.page("/account").await.html), [link]);

    // An application that may know the user's name is told whom to expect.
    scene.house.ask(&scene.other).scope("openid profile").approved_by(&alice).await;
    let told = links(&alice.page("/account").await.html);
    assert!(told.iter().any(|link| link.contains("&login_hint=alice&")), "{told:?}");
}

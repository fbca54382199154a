//! One-time links to set a password.

use tests::{Database, House, on_both_databases};

on_both_databases! { a_link_sets_a_password_once }

async fn newcomer(database: Database) -> (House, String) {
    let house = House::on_with(database, "[[users]]\nusername = \"carol\"\nname = \"Carol\"\n").await;
    let notice = house.notices.iter().find(|notice| notice.username == "carol").unwrap();
    let path = notice.link.reveal().strip_prefix(house.issuer()).unwrap().to_owned();
    (house, path)
}

async fn a_link_sets_a_password_once(database: Database) {
    let (house, path) = newcomer(database).await;
    let person = house.person();
    let page = person.page(&path).await;
    let filled = |first: &str, second: &str| {
        let mut form = page.form();
        form.fill("password", first).fill("password_again", second);
        form
    };
    for (first, second) in [("too short", "too short"), ("a good long one", "another long one"), ("", "")] {
        assert_eq!(page.submit(&filled(first, second), None).await.page().status, 400);
    }
    let good = "a good long password";
    let mut forged = filled(good, good);
    forged.without("csrf");
    assert!((400..500).contains(&page.submit(&forged, None).await.page().status));
    let done = page.submit(&filled(good, good), None).await.page();
    assert_eq!((done.status, done.path.as_str()), (200, "/account"), "they go on to their account");
    house.told("user.sign_in", "granted").await;
    let set = house
        .events()
        .await
        .into_iter()
        .filter(|event| serde_json::to_value(event).unwrap()["action"] == "user.set_password");
    assert_eq!(set.count(), 1);
    assert_eq!(person.page(&path).await.status, 400, "the link is used up");
    assert!(
        (400..500)
            .contains(&page.submit(&filled("yet another one", "yet another one"), None).await.page().status)
    );
    house.person().sign_in("carol", good).await;
}

#[tokio::test]
async fn a_link_is_over_after_a_day_and_a_guess_is_none() {
    let (house, path) = newcomer(Database::Sqlite).await;
    assert_eq!(house.person().page("/set-password?link=link_guess").await.status, 400);
    assert_eq!(house.person().page("/set-password").await.status, 400);
    house.later(86_401);
    assert_eq!(house.person().page(&path).await.status, 400);
}

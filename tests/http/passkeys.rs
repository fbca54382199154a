//! Passkeys: alone, as the second step, and all that a device must not say.

use serde_json::Value;
use tests::{Database, House, Page, Passkey, Person, on_both_databases, password_of};

on_both_databases! {
    a_passkey_is_added_and_signs_in_alone,
    an_answer_counts_once_however_many_bring_it,
}

const ADD: &str = "/account/security/passkey";
const SIGN_IN: &str = "/sign-in/passkey";

async fn equip(house: &House, username: &str) -> (Person, Passkey) {
    let person = house.signed_in(username).await;
    let page = person.page(ADD).await;
    let (passkey, said) = Passkey::make(house.issuer(), &page.passkey_options("add-passkey-form"));
    let mut form = page.form_to(ADD);
    form.fill("credential", &said).fill("name", "My key");
    let page = page.submit(&form, None).await.page();
    assert!(page.html.contains("id=\"recovery-codes\""), "{}", page.text());
    (person, passkey)
}

fn options(page: &Page) -> Value {
    page.passkey_options("login-passkey-form")
}

/// Signs in somebody new with what `change` makes of the device.
async fn try_with(house: &House, passkey: &mut Passkey, change: impl FnOnce(&mut Passkey)) -> Page {
    change(passkey);
    let person = house.person();
    let page = person.page("/sign-in").await;
    let said = passkey.sign(&options(&page));
    page.submit_passkey(SIGN_IN, &said).await.page()
}

async fn a_passkey_is_added_and_signs_in_alone(database: Database) {
    let house = House::with_passkeys(database, "").await;
    let (alice, mut passkey) = equip(&house, "alice").await;
    let added = house.events().await.into_iter().rev().nth(1).unwrap();
    assert_eq!(added.event.action, protocol::audit::Action::UserPasskeyAdd);
    let page = alice.page("/account/security").await;
    assert!(page.text().contains("My key"));

    let person = house.person();
    let page = person.page("/sign-in").await;
    let asked = options(&page);
    assert_eq!((&asked["userVerification"], &asked["rpId"]), (&"required".into(), &"localhost".into()));
    assert_eq!(asked["allowCredentials"], serde_json::json!([]), "the device says who it is");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let plain = person.page("/").await;
    assert!(!plain.headers["content-security-policy"].to_str().unwrap().contains("script-src"));

    let said = passkey.sign(&asked);
    let page = page.submit_passkey(SIGN_IN, &said).await.page();
    assert_eq!((page.status, page.path.as_str()), (200, "/account"), "{}", page.text());
    let event = house.told("user.sign_in", "granted").await;
    assert_eq!(event["reason"], "pop user mfa");

    // With another name, and gone.
    let page = person.page("/account/security").await;
    let mut form = page.form_to("/account/security/passkey/rename");
    form.fill("name", "The yellow key");
    let page = page.submit(&form, None).await.page();
    house.told("user.passkey_rename", "granted").await;
    assert!(page.text().contains("The yellow key") && page.text().contains("last used"));
    let page = page.submit(&page.form_to("/account/security/passkey/remove"), None).await.page();
    house.told("user.passkey_remove", "granted").await;
    assert!(!page.text().contains("The yellow key"));
    let refused = try_with(&house, &mut passkey, |_| {}).await;
    assert_eq!(refused.status, 401);
    house.told("user.sign_in", "access_denied").await;
    house.signed_in("alice").await;
}

async fn an_answer_counts_once_however_many_bring_it(database: Database) {
    let house = House::with_passkeys(database, "").await;
    let (_, mut passkey) = equip(&house, "alice").await;
    let person = house.person();
    let page = person.page("/sign-in").await;
    let said = passkey.sign(&options(&page));
    let mut form = page.form_to(SIGN_IN);
    form.fill("credential", &said);
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (person, form) = (person.copied(), form.clone());
        tries.spawn(async move { person.post(SIGN_IN, &form.fields).await.page().path });
    }
    let arrived = tries.join_all().await;
    assert_eq!(arrived.iter().filter(|path| *path == "/account").count(), 1, "{arrived:?}");
    assert_ne!(person.post(SIGN_IN, &form.fields).await.page().path, "/account");
}

#[tokio::test]
async fn a_device_that_says_something_wrong_does_not_sign_in() {
    let house = House::with_passkeys(Database::Sqlite, "").await;
    let (_, mut passkey) = equip(&house, "alice").await;
    let here = house.issuer().to_owned();
    let refused = try_with(&house, &mut passkey, |key| key.origin = "http://evil.example".into()).await;
    assert_eq!(refused.status, 401);
    assert_eq!(house.last_event().await["reason"], "the passkey was used at another site");
    passkey.origin = here;
    let refused = try_with(&house, &mut passkey, |key| key.verifies = false).await;
    assert_eq!(refused.status, 401);
    assert_eq!(house.last_event().await["reason"], "the device did not ask its user");
    passkey.verifies = true;
    let refused = try_with(&house, &mut passkey, |key| key.tells_user = false).await;
    assert_eq!(refused.status, 401, "nobody knows who comes");
    passkey.tells_user = true;
    for (nonsense, status) in [("", 401), ("{}", 401), ("not JSON", 401), (r#"{"id":"x"}"#, 401)] {
        let person = house.person();
        let page = person.page("/sign-in").await;
        assert_eq!(page.submit_passkey(SIGN_IN, nonsense).await.page().status, status, "{nonsense}");
    }
    assert_eq!(try_with(&house, &mut passkey, |_| {}).await.path, "/account");
}

#[tokio::test]
async fn a_counter_that_does_not_go_on_tells_of_a_copy() {
    let house = House::with_passkeys(Database::Sqlite, "").await;
    let (_, mut passkey) = equip(&house, "alice").await;
    assert_eq!(try_with(&house, &mut passkey, |key| key.counter = 9).await.path, "/account");
    // A copy from before that, which signs for the tenth time too.
    let copied = try_with(&house, &mut passkey, |key| key.counter = 9).await;
    assert_eq!(copied.status, 401);
    let event = house.told("user.sign_in", "access_denied").await;
    assert_eq!(event["reason"], "the passkey's counter did not go on: it may have been copied");
    assert!(event["user"].is_string());
    assert_eq!(try_with(&house, &mut passkey, |_| {}).await.path, "/account", "the one that goes on");
}

#[tokio::test]
async fn an_answer_to_another_question_is_none() {
    let house = House::with_passkeys(Database::Sqlite, "").await;
    let (_, mut passkey) = equip(&house, "alice").await;
    let (mallory, alice) = (house.person(), house.person());
    let alices = alice.page("/sign-in").await;
    let said = passkey.sign(&options(&alices));
    let page = mallory.page("/sign-in").await;
    assert_eq!(page.submit_passkey(SIGN_IN, &said).await.page().status, 401, "another browser's question");
    house.later(31 * 60);
    let (person, mut page) = (house.person(), alices);
    page = person.page(&page.path).await;
    let said = passkey.sign(&options(&page));
    house.later(29 * 60);
    assert_eq!(page.submit_passkey(SIGN_IN, &said).await.page().path, "/account");
    let page = house.person().page("/sign-in").await;
    let said = passkey.sign(&options(&page));
    house.later(31 * 60);
    assert_ne!(page.submit_passkey(SIGN_IN, &said).await.page().path, "/account", "too late");
}

#[tokio::test]
async fn after_a_password_only_ones_own_passkey_counts() {
    let house = House::with_passkeys(Database::Sqlite, "").await;
    let (_, mut alices) = equip(&house, "alice").await;
    let (_, mut bobs) = equip(&house, "bob").await;
    let person = house.person();
    let page = person.page("/sign-in").await.sign_in("alice", &password_of("alice")).await.page();
    assert_eq!(page.path, "/sign-in/second-factor");
    let asked = page.passkey_options("second-factor-passkey-form");
    assert_eq!(asked["allowCredentials"].as_array().unwrap().len(), 1);
    let page = page.submit_passkey(SIGN_IN, &bobs.sign(&asked)).await.page();
    assert_eq!(page.status, 401, "{}", page.text());
    alices.tells_user = false;
    let said = alices.sign(&page.passkey_options("second-factor-passkey-form"));
    let page = page.submit_passkey(SIGN_IN, &said).await.page();
    assert_eq!(page.path, "/account", "who it is was known already");
    assert_eq!(house.told("user.sign_in", "granted").await["reason"], "pwd pop user mfa");
}

#[tokio::test]
async fn a_synced_passkey_says_so_and_tells_the_client_how_the_user_signed_in() {
    let house = House::with_passkeys(Database::Sqlite, "").await;
    let alice = house.signed_in("alice").await;
    let page = alice.page(ADD).await;
    let made = page.passkey_options("add-passkey-form");
    assert_eq!(made["authenticatorSelection"]["residentKey"], "preferred");
    assert_eq!(made["attestation"], "none");
    // Made on a device that copies its keys: it has to say so from the beginning.
    let (mut passkey, _) = Passkey::make(house.issuer(), &made);
    passkey.synced = true;
    let said = passkey.attest_again(&made);
    let page = page.submit_passkey(ADD, &said).await.page();
    assert_eq!(page.status, 200, "{}", page.text());
    let (web, person) = (house.client("web"), house.person());
    let page = house.ask(&web).scope("openid orders:read").brought_by(&person).await.page();
    let page = page.submit_passkey(SIGN_IN, &passkey.sign(&options(&page))).await.page();
    assert!(page.path.starts_with("/consent"), "{}", page.path);
    assert_eq!(house.last_event().await["reason"], "swk user mfa");
}

#[tokio::test]
async fn a_key_made_wrongly_is_not_added() {
    let house = House::with_passkeys(Database::Sqlite, "").await;
    let (alice, passkey) = equip(&house, "alice").await;
    let add = async |change: fn(&mut Passkey)| {
        let page = alice.page(ADD).await;
        let asked = page.passkey_options("add-passkey-form");
        let (mut made, _) = Passkey::make(house.issuer(), &asked);
        change(&mut made);
        page.submit_passkey(ADD, &made.attest_again(&asked)).await.page().status
    };
    assert_eq!(add(|key| key.origin = "http://evil.example".into()).await, 400);
    assert_eq!(add(|key| key.verifies = false).await, 400);
    let page = alice.page(ADD).await;
    let asked = page.passkey_options("add-passkey-form");
    assert_eq!(asked["excludeCredentials"].as_array().unwrap().len(), 1, "the device is told what is there");
    let again = page.submit_passkey(ADD, &passkey.attest_again(&asked)).await.page();
    assert_eq!(again.status, 400, "the same key a second time");
    let page = alice.page("/account/security").await;
    assert_eq!(page.html.matches("/account/security/passkey/remove").count(), 1);
    assert_eq!(add(|_| {}).await, 200);
    let stranger = house.person();
    assert!(stranger.page(ADD).await.path.starts_with("/sign-in?next="));
}

#[tokio::test]
async fn nobody_removes_or_renames_what_is_somebody_elses() {
    let house = House::with_passkeys(Database::Sqlite, "").await;
    let (alice, _) = equip(&house, "alice").await;
    let (bob, _) = equip(&house, "bob").await;
    let theirs = alice.page("/account/security").await.form_to("/account/security/passkey/remove");
    let csrf = bob.page("/account/security").await.form_to("/account/security/passkey/remove");
    let mut stolen = theirs.clone();
    stolen.fill("csrf", csrf.value("csrf")).fill("name", "Bob's now");
    for action in ["/account/security/passkey/remove", "/account/security/passkey/rename"] {
        bob.post(action, &stolen.fields).await.page();
    }
    let page = alice.page("/account/security").await;
    assert!(page.text().contains("My key") && !page.text().contains("Bob's now"));
}

#[tokio::test]
async fn a_site_that_is_only_an_address_has_no_passkeys() {
    let house = House::open().await;
    let alice = house.signed_in("alice").await;
    assert!(!house.person().page("/sign-in").await.html.contains("data-passkey"));
    assert_eq!(alice.page(ADD).await.status, 404);
    let page = alice.page("/account/security").await;
    assert!(!page.html.contains("add-passkey"));
    assert!(page.text_of("no-passkeys").contains("this server goes by a number"), "{}", page.text());
}

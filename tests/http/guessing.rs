//! Whoever guesses waits; whom they guess for does not.

use tests::{Database, House, Passkey, Person, password_of};

async fn fail(person: &Person, username: &str) -> u16 {
    person.page("/sign-in?next=%2Faccount").await.sign_in(username, "a guess").await.page().status
}

async fn succeeds(person: &Person, username: &str) -> bool {
    let page =
        person.page("/sign-in?next=%2Faccount").await.sign_in(username, &password_of(username)).await.page();
    page.path == "/account"
}

const FEW_PER_NAME: &str = "[limits]\nfailed_sign_ins_per_hour_for_one_name = 4\n";

#[tokio::test]
async fn guessing_a_name_makes_new_browsers_wait_but_none_that_knows_its_user() {
    let house = House::open_with(FEW_PER_NAME).await;
    let known = house.signed_in("alice").await;
    for _ in 0..4 {
        assert_eq!(fail(&house.person(), "alice").await, 401);
    }
    assert_eq!(fail(&house.person(), "ALICE").await, 429);
    assert!(!succeeds(&house.person(), "alice").await, "a new browser waits, even with the right password");
    assert!(succeeds(&known, "alice").await, "hers does not");
    assert!(succeeds(&house.person(), "bob").await, "and nobody else's");
    // The mark is hers alone, and in her browser alone.
    let bob = house.signed_in("bob").await;
    assert!(!succeeds(&bob, "alice").await, "bob's browser is new to her");
    known.forget_cookie("__Host-procura-browser");
    assert!(!succeeds(&known, "alice").await);
}

#[tokio::test]
async fn a_known_browser_has_a_count_of_its_own_and_that_one_ends_too() {
    let house = House::open_with("[limits]\nsign_in_attempts_per_minute = 3\n").await;
    let known = house.signed_in("alice").await;
    let stolen = known.copied();
    for _ in 0..3 {
        assert_eq!(fail(&stolen, "alice").await, 401);
    }
    assert_eq!(fail(&stolen, "alice").await, 429, "a stolen mark is no licence to guess");
}

#[tokio::test]
async fn names_that_nobody_has_wait_like_all_others() {
    let house = House::open_with(FEW_PER_NAME).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(fail(&house.person(), "nobody-at-all").await);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 429]);
}

#[tokio::test]
async fn many_names_from_one_address_wait_together_but_for_known_browsers() {
    let house = House::open_with("[limits]\nfailed_sign_ins_per_minute_from_one_address = 5\n").await;
    let known = house.signed_in("alice").await;
    for n in 0..5 {
        assert_eq!(fail(&house.person(), &format!("user-{n}")).await, 401);
    }
    assert_eq!(fail(&house.person(), "user-9").await, 429);
    assert!(!succeeds(&house.person(), "bob").await);
    assert!(succeeds(&known, "alice").await, "she sits in the same building");
}

#[tokio::test]
async fn a_passkey_signs_in_while_passwords_wait() {
    let house = House::with_passkeys(Database::Sqlite, FEW_PER_NAME).await;
    let alice = house.signed_in("alice").await;
    let page = alice.page("/account/security/passkey").await;
    let (mut passkey, said) = Passkey::make(house.issuer(), &page.passkey_options("add-passkey-form"));
    page.submit_passkey("/account/security/passkey", &said).await.page();
    for _ in 0..5 {
        fail(&house.person(), "alice").await;
    }
    let page = house.person().page("/sign-in").await;
    let said = passkey.sign(&page.passkey_options("login-passkey-form"));
    assert_eq!(page.submit_passkey("/sign-in/passkey", &said).await.page().path, "/account");
}

#[tokio::test]
async fn whoever_sets_a_password_by_link_does_not_wait() {
    let house =
        House::open_with(&format!("{FEW_PER_NAME}\n[[users]]\nusername = \"carol\"\nname = \"Carol\"\n"))
            .await;
    let notice = house.notices.iter().find(|notice| notice.username == "carol").unwrap();
    let path = notice.link.reveal().strip_prefix(house.issuer()).unwrap().to_owned();
    for _ in 0..5 {
        fail(&house.person(), "carol").await;
    }
    let carol = house.person();
    let page = carol.page(&path).await;
    let mut form = page.form();
    form.fill("password", "four words in a row").fill("password_again", "four words in a row");
    assert_eq!(page.submit(&form, None).await.page().path, "/account");
    // Nor later, in the browser that is known now.
    let page = carol.page("/logout").await;
    page.submit(&page.form(), Some(("decision", "confirm"))).await.page();
    let page =
        carol.page("/sign-in?next=%2Faccount").await.sign_in("carol", "four words in a row").await.page();
    assert_eq!(page.path, "/account");
}

//! What is asked for after a password: codes of an app, and codes that were written down.

use tests::{Database, Form, House, Page, Person, code_at, on_both_databases, password_of};

on_both_databases! {
    an_app_is_set_up_by_its_first_code_and_asked_for_from_then_on,
    a_code_signs_in_once_however_many_try_at_the_same_time,
    a_recovery_code_signs_in_once_however_many_try_at_the_same_time,
    new_recovery_codes_make_the_old_ones_void,
    a_secret_that_no_code_has_confirmed_lies_sealed_in_its_session,
    whoever_has_a_link_and_no_second_factor_is_in_no_known_browser,
}

/// The secret and the recovery codes of somebody who has set up an app.
struct Equipped {
    secret: String,
    codes: Vec<String>,
}

fn codes_on(page: &Page) -> Vec<String> {
    let list = page.html.split("id=\"codes\"").nth(1).unwrap_or_default().split("</ol>").next().unwrap();
    list.split("<code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

async fn equip(house: &House, person: &Person) -> Equipped {
    let page = person.page("/account/security/totp").await;
    let secret = page.text_of("totp-secret");
    let code = code_at(&secret, house.door().now());
    let page = person.prove(&page, "/account/security/totp", &code).await.page();
    assert_eq!(page.status, 200, "{}", page.text());
    house.later(60);
    Equipped { secret: secret.replace(' ', ""), codes: codes_on(&page) }
}

async fn a_secret_that_no_code_has_confirmed_lies_sealed_in_its_session(database: Database) {
    let key = "8f1d0c6b5a4e3f2d1c0b9a8f7e6d5c4b3a2f1e0d9c8b7a6f5e4d3c2b1a0f9e8d";
    let house = House::on_with(database, &format!("keys.encryption_key = \"{key}\"\n")).await;
    let (alice, _bob) = (house.signed_in("alice").await, house.signed_in("bob").await);
    let page = alice.page("/account/security/totp").await;
    let secret = page.text_of("totp-secret").replace(' ', "");
    assert!(secret.len() >= 32, "{secret}");
    let user = house.store().find_user_by_username("alice").await.unwrap().unwrap();
    let sessions = house.store().sessions_of_user(&user.id, house.door().now()).await.unwrap();
    let kept: Vec<String> = sessions.iter().map(|session| session.document.to_string()).collect();
    assert!(kept.iter().any(|document| document.contains("totp_adding")), "{kept:?}");
    assert!(kept.iter().all(|document| !document.contains(&secret)), "in the clear");

    // Nobody else's session opens it, and its own does.
    let sealed = sessions.iter().find_map(|session| session.document["totp_adding"].as_str()).unwrap();
    let visit = server::app::Visit {
        now: house.door().now(),
        id: "req_test".parse().unwrap(),
        from: None,
        certificate: None,
    };
    let code = code_at(&secret, house.door().now());
    let bob = house.store().find_user_by_username("bob").await.unwrap().unwrap();
    let bobs = house.store().sessions_of_user(&bob.id, house.door().now()).await.unwrap();
    let who = server::sign_in::InSession { user: &bob.id, session: &bobs[0].session };
    let stolen = server::sign_in::add_totp(house.app(), &visit, who, sealed, &code).await;
    assert!(stolen.is_err());
    let page = alice.prove(&page, "/account/security/totp", &code).await.page();
    assert_eq!(page.status, 200, "{}", page.text());
}

async fn whoever_has_a_link_and_no_second_factor_is_in_no_known_browser(database: Database) {
    let house = House::on(database).await;
    let (alice, admin) = (house.signed_in("alice").await, house.signed_in("admin").await);
    let secret = equip(&house, &alice).await.secret;
    let form = Form::all(&admin.page("/admin").await.html);
    let user = house.store().find_user_by_username("alice").await.unwrap().unwrap();
    let form = form.into_iter().find(|form| form.fields.iter().any(|(_, value)| *value == user.id.as_str()));
    let page = admin.post("/admin/users/reset-link", &form.unwrap().fields).await.page();
    let link = page.html.split("/set-password?link=").nth(1).unwrap().split(['<', '"']).next().unwrap();
    let thief = house.person();
    let page = thief.page(&format!("/set-password?link={link}")).await;
    let mut form = page.form();
    form.fill("password", "another good long one").fill("password_again", "another good long one");
    let page = page.submit(&form, None).await.page();
    assert_eq!(page.path, "/sign-in/second-factor");
    let known = |person: &Person| person.cookie_header().contains("__Host-procura-browser=");
    assert!(!known(&thief), "a known browser may try more codes");
    let code = code_at(&secret, house.door().now());
    assert_eq!(thief.prove(&page, "/sign-in/second-factor", &code).await.page().path, "/account");
    assert!(known(&thief), "whoever is in is known");
}

/// Somebody at the second step.
async fn halfway(house: &House, username: &str) -> (Person, Page) {
    let person = house.person();
    let page = person.page("/sign-in").await.sign_in(username, &password_of(username)).await.page();
    assert_eq!((page.status, page.path.as_str()), (200, "/sign-in/second-factor"), "{}", page.text());
    (person, page)
}

async fn an_app_is_set_up_by_its_first_code_and_asked_for_from_then_on(database: Database) {
    let house = House::on(database).await;
    let alice = house.signed_in("alice").await;
    let page = alice.page("/account/security/totp").await;
    let secret = page.text_of("totp-secret");
    let wrong = alice.prove(&page, "/account/security/totp", "000000").await.page();
    assert_eq!((wrong.status, wrong.text_of("totp-secret")), (400, secret.clone()), "the same secret again");
    assert!(!alice.page("/account/security").await.html.contains("id=\"totp-on\""), "it does not count yet");
    house.signed_in("alice").await;

    let code = code_at(&secret, house.door().now());
    let page = alice.prove(&wrong, "/account/security/totp", &code).await.page();
    assert_eq!(codes_on(&page).len(), 10, "the spare comes with it: {}", page.text());
    let told = house.events().await.into_iter().map(|event| event.event.action);
    assert!(told.into_iter().any(|action| action == protocol::audit::Action::UserTotpAdd));
    house.told("user.recovery_codes", "granted").await;

    let (person, page) = halfway(&house, "alice").await;
    assert!(person.page("/account").await.path.starts_with("/sign-in"), "not in yet");
    let again = person.prove(&page, "/sign-in/second-factor", &code).await.page();
    assert_eq!(again.status, 401, "the code that set it up is used up");
    house.told("user.sign_in", "access_denied").await;
    house.later(30);
    let code = code_at(&secret, house.door().now());
    let page = person.prove(&again, "/sign-in/second-factor", &code).await.page();
    assert_eq!((page.status, page.path.as_str()), (200, "/account"));
    let event = house.told("user.sign_in", "granted").await;
    assert_eq!(event["reason"], "pwd otp mfa");

    let page = person.page("/account/security").await;
    let page = page.submit(&page.form_to("/account/security/totp/remove"), None).await.page();
    assert!(page.html.contains("id=\"add-totp\""), "{}", page.text());
    house.told("user.totp_remove", "granted").await;
    house.signed_in("alice").await;
}

async fn a_code_signs_in_once_however_many_try_at_the_same_time(database: Database) {
    let house = House::on(database).await;
    let Equipped { secret, .. } = equip(&house, &house.signed_in("alice").await).await;
    let code = code_at(&secret, house.door().now());
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let ((person, page), code) = (halfway(&house, "alice").await, code.clone());
        tries.spawn(async move { person.prove(&page, "/sign-in/second-factor", &code).await.page().path });
    }
    let arrived = tries.join_all().await;
    assert_eq!(arrived.iter().filter(|path| *path == "/account").count(), 1, "{arrived:?}");
}

async fn a_recovery_code_signs_in_once_however_many_try_at_the_same_time(database: Database) {
    let house = House::on(database).await;
    let Equipped { codes, .. } = equip(&house, &house.signed_in("alice").await).await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let ((person, page), code) = (halfway(&house, "alice").await, codes[3].to_lowercase());
        tries.spawn(async move {
            let page = person.prove(&page, "/sign-in/recovery-code", &code).await.page();
            (page.path.clone(), person)
        });
    }
    let arrived = tries.join_all().await;
    let inside: Vec<_> = arrived.iter().filter(|(path, _)| path == "/account").collect();
    assert_eq!(inside.len(), 1);
    let page = inside[0].1.page("/account/security").await;
    assert_eq!(page.text_of("recovery-codes-left"), "9 codes are left");
    let events = house.events().await;
    let reasons: Vec<_> = events.iter().filter_map(|event| event.event.reason.as_deref()).collect();
    assert!(reasons.contains(&"pwd recovery_code mfa") && reasons.contains(&"wrong recovery code"));
}

async fn new_recovery_codes_make_the_old_ones_void(database: Database) {
    let house = House::on(database).await;
    let alice = house.signed_in("alice").await;
    let Equipped { codes, .. } = equip(&house, &alice).await;
    let page = alice.page("/account/security").await;
    let fresh = page.submit(&page.form_to("/account/security/recovery-codes"), None).await.page();
    let fresh = codes_on(&fresh);
    assert!(fresh.len() == 10 && fresh.iter().all(|code| !codes.contains(code)));
    let (person, page) = halfway(&house, "alice").await;
    let old = person.prove(&page, "/sign-in/recovery-code", &codes[0]).await.page();
    assert_eq!(old.status, 401);
    let new = person.prove(&old, "/sign-in/recovery-code", &fresh[0]).await.page();
    assert_eq!(new.path, "/account");
}

#[tokio::test]
async fn a_recovery_code_of_somebody_else_is_none() {
    let house = House::open().await;
    let alices = equip(&house, &house.signed_in("alice").await).await;
    let bobs = equip(&house, &house.signed_in("bob").await).await;
    let (person, page) = halfway(&house, "alice").await;
    let page = person.prove(&page, "/sign-in/recovery-code", &bobs.codes[0]).await.page();
    assert_eq!(page.status, 401);
    let page = person.prove(&page, "/sign-in/recovery-code", &alices.codes[0]).await.page();
    assert_eq!(page.path, "/account");
}

#[tokio::test]
async fn the_second_step_is_nothing_without_the_first() {
    let house = House::open().await;
    let Equipped { secret, codes } = equip(&house, &house.signed_in("alice").await).await;
    let stranger = house.person();
    assert!(stranger.page("/sign-in/second-factor").await.path.starts_with("/sign-in"));
    let csrf = stranger.page("/sign-in").await.form().value("csrf").to_owned();
    for (action, code) in [
        ("/sign-in/second-factor", code_at(&secret, house.door().now())),
        ("/sign-in/recovery-code", codes[0].clone()),
    ] {
        let form = [("csrf".to_owned(), csrf.clone()), ("code".to_owned(), code)];
        assert_eq!(stranger.post(action, &form).await.page().path, "/sign-in");
    }
    let (slow, page) = halfway(&house, "alice").await;
    house.later(601);
    let code = code_at(&secret, house.door().now());
    assert_eq!(slow.prove(&page, "/sign-in/second-factor", &code).await.page().path, "/sign-in");
    assert!(slow.page("/account").await.path.starts_with("/sign-in"));
}

#[tokio::test]
async fn a_form_without_its_token_proves_nothing() {
    let house = House::open().await;
    let Equipped { secret, .. } = equip(&house, &house.signed_in("alice").await).await;
    let (_, page) = halfway(&house, "alice").await;
    let mut form = page.form_to("/sign-in/second-factor");
    form.fill("code", &code_at(&secret, house.door().now())).without("csrf");
    assert_eq!(page.submit(&form, None).await.page().status, 403);
}

#[tokio::test]
async fn whoever_guesses_codes_waits_and_the_browser_that_is_known_does_not() {
    let house = House::open().await;
    let known = house.signed_in("alice").await;
    let Equipped { secret, .. } = equip(&house, &known).await;
    let (guesser, mut page) = halfway(&house, "alice").await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        page = guesser.prove(&page, "/sign-in/second-factor", "123456").await.page();
        statuses.push(page.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
    let code = code_at(&secret, house.door().now());
    let page = guesser.prove(&page, "/sign-in/second-factor", &code).await.page();
    assert_eq!(page.status, 429, "even the right one waits");
    // The same address, but a browser in which she was signed in before.
    let page =
        known.page("/sign-in?next=%2Faccount").await.sign_in("alice", &password_of("alice")).await.page();
    let page = known.prove(&page, "/sign-in/second-factor", &code).await.page();
    assert_eq!(page.path, "/account");
}

#[tokio::test]
async fn an_application_waits_through_both_steps() {
    let house = House::open().await;
    let Equipped { secret, .. } = equip(&house, &house.signed_in("alice").await).await;
    let (shop, person) = (house.client("shop"), house.person());
    let page = house.ask(&shop).scope("openid orders:read").brought_by(&person).await.page();
    let page = page.sign_in("alice", &password_of("alice")).await.page();
    assert!(page.path.starts_with("/sign-in/second-factor?interaction="), "{}", page.path);
    let code = code_at(&secret, house.door().now());
    let page = person.prove(&page, "/sign-in/second-factor", &code).await.page();
    assert!(page.path.starts_with("/consent"), "{}", page.path);
    assert!(page.approve(|_| {}).await.away().as_str().contains("code="));
}

#[tokio::test]
async fn what_one_signs_in_with_changes_only_soon_after_signing_in() {
    let house = House::open().await;
    let alice = house.signed_in("alice").await;
    let page = alice.page("/account/security/totp").await;
    let code = code_at(&page.text_of("totp-secret"), house.door().now());
    house.later(20 * 60);
    let later = alice.prove(&page, "/account/security/totp", &code).await.page();
    assert!(later.path.starts_with("/sign-in?next=%2Faccount%2Fsecurity"), "{}", later.path);
    let page = later.sign_in("alice", &password_of("alice")).await.page();
    assert_eq!(page.path, "/account/security", "and then back");
    assert!(!page.html.contains("id=\"totp-on\""));
    let page = alice.page("/account/security/totp").await;
    let code = code_at(&page.text_of("totp-secret"), house.door().now());
    assert_eq!(alice.prove(&page, "/account/security/totp", &code).await.page().status, 200);
    let mut form = alice.page("/account/security").await.form_to("/account/security/totp/remove");
    form.without("csrf");
    assert_eq!(alice.post(&form.action, &form.fields).await.page().status, 403);
}

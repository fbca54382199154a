//! Another password: for whoever knows the old one, for whoever was given a link, and for whoever reads their mail.

use tests::{Database, House, Page, Person, PostOffice, on_both_databases, password_of};

on_both_databases! {
    whoever_signs_in_with_the_old_password_while_another_is_set_is_out,
    a_first_step_with_the_old_password_leads_no_further,
    a_password_is_changed_by_whoever_knows_it_and_other_sessions_end,
    a_link_by_mail_sets_a_password_and_ends_every_session,
}

const CHANGE: &str = "/account/security/password";
const NEW: &str = "four entirely new words";

async fn change(person: &Person, old: &str, first: &str, second: &str) -> Page {
    let page = person.page(CHANGE).await;
    let mut form = page.form();
    form.fill("old_password", old).fill("password", first).fill("password_again", second);
    page.submit(&form, None).await.page()
}

async fn is_inside(person: &Person) -> bool {
    person.page("/account").await.path == "/account"
}

async fn a_password_is_changed_by_whoever_knows_it_and_other_sessions_end(database: Database) {
    let house = House::on(database).await;
    let (here, there) = (house.signed_in("alice").await, house.signed_in("alice").await);
    let bob = house.signed_in("bob").await;
    let web = house.client("web");
    let token = house.ask(&web).scope("orders:read").approved_by(&there).await.redeem(&web).await.ok();
    let old = password_of("alice");
    let wrong = change(&here, "not the old one", NEW, NEW).await;
    assert_eq!(wrong.status, 400);
    house.told("user.sign_in", "access_denied").await;
    for (first, second) in
        [("short", "short"), (NEW, "others"), ("alicearnold", "alicearnold"), ("123456789012", "")]
    {
        assert_eq!(change(&here, &old, first, second).await.status, 400, "{first}");
    }
    assert!(is_inside(&there).await);

    let done = change(&here, &old, NEW, NEW).await;
    assert_eq!((done.status, done.path.as_str()), (200, "/account/security"), "{}", done.text());
    house.told("user.set_password", "granted").await;
    assert!(is_inside(&here).await, "this one stays");
    assert!(!is_inside(&there).await, "the other one is over");
    assert!(is_inside(&bob).await, "and nobody else is meant");
    assert!(!house.is_active(token.access_token()).await, "nor do tokens stay that hung on it");
    let page = house.person().page("/sign-in").await;
    assert_eq!(page.sign_in("alice", &old).await.page().status, 401);
    house.person().sign_in("alice", NEW).await;
}

/// Everybody who gets in at the same moment comes before the new password, and it ends their sessions; or after it, and
/// does not know it.
async fn whoever_signs_in_with_the_old_password_while_another_is_set_is_out(database: Database) {
    let house = House::on(database).await;
    let mut old = password_of("alice");
    for round in 0..6 {
        let new = format!("another good password {round}");
        let here = house.person();
        here.sign_in("alice", &old).await;
        let page = here.page(CHANGE).await;
        let mut form = page.form();
        form.fill("old_password", &old).fill("password", &new).fill("password_again", &new);
        let mut tries = tokio::task::JoinSet::new();
        for wait in 0..6 {
            let (person, old) = (house.person(), old.clone());
            let page = person.page("/sign-in").await;
            tries.spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(3 * wait)).await;
                page.sign_in("alice", &old).await;
                person
            });
        }
        let changed = page.submit(&form, None).await.page();
        assert_eq!(changed.status, 200, "{}", changed.text());
        for person in tries.join_all().await {
            assert!(!is_inside(&person).await, "round {round}");
        }
        assert!(is_inside(&here).await);
        old = new;
    }
}

async fn a_first_step_with_the_old_password_leads_no_further(database: Database) {
    let house = House::on(database).await;
    let alice = house.signed_in("alice").await;
    let page = alice.page("/account/security/totp").await;
    let secret = page.text_of("totp-secret");
    let code = tests::code_at(&secret, house.door().now());
    alice.prove(&page, "/account/security/totp", &code).await.page();
    let old = password_of("alice");
    let thief = house.person();
    let halfway = thief.page("/sign-in").await.sign_in("alice", &old).await.page();
    assert_eq!(halfway.path, "/sign-in/second-factor");
    assert_eq!(change(&alice, &old, NEW, NEW).await.status, 200);
    house.later(30);
    let code = tests::code_at(&secret, house.door().now());
    let refused = thief.prove(&halfway, "/sign-in/second-factor", &code).await.page();
    assert_eq!(refused.status, 401, "{}", refused.text());
    assert!(!is_inside(&thief).await);
    // With the new password the same code is as good as ever.
    let there = house.person();
    let page = there.page("/sign-in").await.sign_in("alice", NEW).await.page();
    let there = there.prove(&page, "/sign-in/second-factor", &code).await.page();
    assert_eq!(there.path, "/account");
}

#[tokio::test]
async fn a_changed_password_outlives_the_configuration_that_declared_the_first_one() {
    let mut house = House::open().await;
    change(&house.signed_in("alice").await, &password_of("alice"), NEW, NEW).await;
    house.restart().await;
    house.person().sign_in("alice", NEW).await;
    // Unless an admin writes another one there.
    let hash =
        house.config().lines().filter(|line| line.starts_with("password_hash")).nth(1).unwrap().to_owned();
    house
        .restart_changed(|config| {
            let first = config.lines().find(|line| line.starts_with("password_hash")).unwrap().to_owned();
            config.replacen(&first, &hash, 1)
        })
        .await;
    house.person().sign_in("alice", &password_of("bob")).await;
}

#[tokio::test]
async fn the_old_password_cannot_be_guessed_here_either() {
    let house = House::open_with("[limits]\nsign_in_attempts_per_minute = 3\n").await;
    let alice = house.signed_in("alice").await;
    for _ in 0..3 {
        assert_eq!(change(&alice, "a guess", NEW, NEW).await.status, 400);
    }
    assert_eq!(change(&alice, &password_of("alice"), NEW, NEW).await.status, 429);
}

/// The path of the link in a mail.
fn link(house: &House, text: &str) -> String {
    let line = text.lines().find(|line| line.contains("/set-password?link=")).expect("a link");
    line.trim().strip_prefix(house.issuer()).expect("our own link").to_owned()
}

async fn ask_for_mail(person: &Person, address: &str) -> Page {
    let page = person.page("/forgot-password").await;
    let mut form = page.form();
    form.fill("email", address);
    page.submit(&form, None).await.page()
}

async fn set(person: &Person, path: &str, password: &str) -> Page {
    let page = person.page(path).await;
    let mut form = page.form();
    form.fill("password", password).fill("password_again", password);
    page.submit(&form, None).await.page()
}

async fn a_link_by_mail_sets_a_password_and_ends_every_session(database: Database) {
    let post = PostOffice::open().await;
    let house = House::on_with(database, &post.config).await;
    let (alice, person) = (house.signed_in("alice").await, house.person());
    assert!(person.page("/sign-in").await.html.contains("id=\"login-forgot\""));
    let known = ask_for_mail(&person, " Alice@people.EXAMPLE ").await;
    let mail = post.mail().await;
    assert_eq!(mail.to, "alice@people.example");
    for header in ["MIME-Version: 1.0", "Message-ID: <", "Auto-Submitted: auto-generated"] {
        assert!(mail.text.contains(header), "{}", mail.text);
    }
    house.told("user.reset_link", "granted").await;
    let unknown = ask_for_mail(&person, "nobody@people.example").await;
    post.stays_empty().await;
    assert_eq!((known.status, known.text()), (unknown.status, unknown.text()), "one answer for all");
    house.told("user.reset_link", "access_denied").await;

    let path = link(&house, &mail.text);
    let done = set(&person, &path, NEW).await;
    assert_eq!((done.status, done.path.as_str()), (200, "/account"), "{}", done.text());
    assert!(!is_inside(&alice).await, "every session is over");
    assert_eq!(person.page(&path).await.status, 400, "the link is used up");
    person.sign_in("alice", NEW).await;

    ask_for_mail(&person, "alice@people.example").await;
    let path = link(&house, &post.mail().await.text);
    house.later(30 * 60 + 1);
    assert_eq!(person.page(&path).await.status, 400, "half an hour is over");
}

#[tokio::test]
async fn a_new_password_voids_the_links_that_are_still_open() {
    let post = PostOffice::open().await;
    let house = House::open_with(&post.config).await;
    let person = house.person();
    let mut paths = Vec::new();
    for _ in 0..2 {
        ask_for_mail(&person, "alice@people.example").await;
        paths.push(link(&house, &post.mail().await.text));
    }
    set(&person, &paths[0], NEW).await;
    assert_eq!(person.page(&paths[1]).await.status, 400);
}

#[tokio::test]
async fn mail_goes_to_an_address_a_few_times_an_hour_and_only_where_it_is_verified() {
    let post = PostOffice::open().await;
    let dave = "[[users]]\nusername = \"dave\"\nname = \"Dave\"\nemail = \"dave@people.example\"\n";
    let house = House::open_with(&format!("{}\n{dave}", post.config)).await;
    let person = house.person();
    ask_for_mail(&person, "dave@people.example").await;
    post.stays_empty().await;
    for _ in 0..3 {
        ask_for_mail(&person, "bob@people.example").await;
        post.mail().await;
    }
    let fourth = ask_for_mail(&person, "bob@people.example").await;
    assert_eq!(fourth.status, 200, "the answer stays the same");
    post.stays_empty().await;
    house.told("user.reset_link", "access_denied").await;
}

#[tokio::test]
async fn without_a_mail_server_nobody_is_offered_mail() {
    let house = House::open().await;
    let person = house.person();
    assert!(!person.page("/sign-in").await.html.contains("forgot"));
    assert_eq!(person.page("/forgot-password").await.status, 404);
}

#[tokio::test]
async fn an_admin_makes_a_link_and_nobody_else_does() {
    let house = House::open().await;
    let (admin, alice) = (house.signed_in("admin").await, house.signed_in("alice").await);
    let page = admin.page("/admin").await;
    let forms = tests::Form::all(&page.html);
    let form = forms.iter().filter(|form| form.action == "/admin/users/reset-link").nth(1).unwrap();
    let mut stolen = form.clone();
    stolen.fill("csrf", alice.page("/logout").await.form().value("csrf"));
    assert_eq!(alice.post(&stolen.action, &stolen.fields).await.page().status, 403);
    let mut without = form.clone();
    without.without("csrf");
    assert_eq!(page.submit(&without, None).await.page().status, 403);
    let shown = page.submit(form, None).await.page();
    assert_eq!(shown.status, 200);
    let event = house.told("user.reset_link", "granted").await;
    assert!(event["reason"].as_str().unwrap().starts_with("made by usr_"), "{event}");
    let url = shown.text_of("the-link");
    let done = set(&house.person(), url.strip_prefix(house.issuer()).unwrap(), NEW).await;
    assert_eq!((done.status, done.path.as_str()), (200, "/account"));
    assert!(!is_inside(&alice).await, "alice was the second in the list");
    house.later(20 * 60);
    let page = admin.page("/admin").await;
    let late = page.submit(&page.form_to("/admin/users/reset-link"), None).await.page();
    assert!(late.path.starts_with("/sign-in?next="), "an admin signs in again for that: {}", late.path);
}

#[tokio::test]
async fn second_factors_stay_when_a_password_is_set_anew() {
    let post = PostOffice::open().await;
    let house = House::open_with(&post.config).await;
    let alice = house.signed_in("alice").await;
    let page = alice.page("/account/security/totp").await;
    let code = tests::code_at(&page.text_of("totp-secret"), house.door().now());
    alice.prove(&page, "/account/security/totp", &code).await.page();
    ask_for_mail(&house.person(), "alice@people.example").await;
    let path = link(&house, &post.mail().await.text);
    let person = house.person();
    let page = set(&person, &path, NEW).await;
    assert_eq!(page.path, "/sign-in/second-factor", "the link and the password are one of two");
    assert!(!is_inside(&person).await);
    let page = house.person().page("/sign-in").await.sign_in("alice", NEW).await.page();
    assert_eq!(page.path, "/sign-in/second-factor");
}

//! Where somebody is signed in, and ending that from somewhere else; and where one is led after signing in.

use server::app::Visit;
use server::sign_in::{self, InSession};
use tests::{Database, House, Person, on_both_databases, password_of};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

on_both_databases! {
    a_user_sees_their_sessions_and_ends_them,
    a_form_that_was_begun_in_a_session_that_ended_meanwhile_does_nothing,
    what_is_written_waits_for_no_session_that_ended,
}

async fn is_inside(person: &Person) -> bool {
    person.page("/account").await.path == "/account"
}

async fn a_user_sees_their_sessions_and_ends_them(database: Database) {
    let house = House::on(database).await;
    let (here, bob) = (house.signed_in("alice").await, house.signed_in("bob").await);
    house.later(60);
    let (there, elsewhere) = (house.signed_in("alice").await, house.signed_in("alice").await);
    let web = house.client("web");
    let present = house.ask(&web).scope("orders:read").approved_by(&there).await.redeem(&web).await.ok();
    let ask = house.ask(&web).scope("offline_access inventory:read");
    let absent = ask.approved_by(&there).await.redeem(&web).await.ok();

    let page = here.page("/account/security").await;
    assert_eq!(page.html.matches("id=\"this-session\"").count(), 1);
    assert!(page.text().contains("127.0.0.*"), "{}", page.text());
    let forms: Vec<_> = tests::Form::all(&page.html)
        .into_iter()
        .filter(|form| form.action == "/account/security/sessions/end")
        .collect();
    assert_eq!(forms.len(), 2, "two others");
    let mut theirs = forms[0].clone();
    theirs.fill("csrf", bob.page("/logout").await.form().value("csrf"));
    assert_eq!(bob.post(&theirs.action, &theirs.fields).await.page().status, 404, "bob has no such session");
    let mut without = forms[0].clone();
    without.without("csrf");
    assert_eq!(here.post(&without.action, &without.fields).await.page().status, 403);
    assert!(is_inside(&there).await && is_inside(&elsewhere).await);

    let page = page.submit(&forms[0], None).await.page();
    assert_eq!(page.path, "/account/security");
    house.told("user.session_end", "granted").await;
    assert_ne!(is_inside(&there).await, is_inside(&elsewhere).await, "one of the two");
    assert!(is_inside(&here).await);

    let page = page.submit(&page.form_to("/account/security/sessions/end-others"), None).await.page();
    assert!(!page.html.contains("/account/security/sessions/end\""), "{}", page.text());
    assert!(!is_inside(&there).await && !is_inside(&elsewhere).await);
    assert!(is_inside(&here).await && is_inside(&bob).await);
    assert!(!house.is_active(present.access_token()).await, "what hung on the session is over");
    assert!(house.is_active(absent.access_token()).await, "what was approved for her absence is not");
}

async fn a_form_that_was_begun_in_a_session_that_ended_meanwhile_does_nothing(database: Database) {
    let house = House::on(database).await;
    let (intruder, owner) = (house.signed_in("admin").await, house.signed_in("admin").await);
    let alice = house.store().find_user_by_username("alice").await.unwrap().unwrap();
    let csrf = intruder.page("/admin").await.html.split("name=\"csrf\" value=\"").nth(1).unwrap().to_owned();
    let csrf = csrf.split('"').next().unwrap();
    let mut held = Vec::new();
    for (path, fields) in [
        ("/admin/users/reset-link", vec![("csrf", csrf), ("user", alice.id.as_str())]),
        ("/account/security/recovery-codes", vec![("csrf", csrf)]),
    ] {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        let address = house.issuer().strip_prefix("http://").unwrap();
        let mut wire = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: {}\r\nCookie: {}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{}",
            house.issuer(),
            intruder.cookie_header(),
            body.len(),
            &body[..10]
        );
        wire.write_all(head.as_bytes()).await.unwrap();
        held.push((wire, body));
    }
    // Long enough for the head to be read.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let page = owner.page("/account/security").await;
    page.submit(&page.form_to("/account/security/sessions/end-others"), None).await.page();
    for (mut wire, body) in held {
        wire.write_all(&body.as_bytes()[10..]).await.unwrap();
        let mut answer = String::new();
        wire.read_to_string(&mut answer).await.unwrap();
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(!answer.contains("set-password?link=") && !answer.contains("id=\"codes\""), "{answer}");
    }
}

async fn what_is_written_waits_for_no_session_that_ended(database: Database) {
    let house = House::on(database).await;
    let _admin = house.signed_in("admin").await;
    let now = house.door().now();
    let user = async |name: &str| house.store().find_user_by_username(name).await.unwrap().unwrap();
    let (admin, alice) = (user("admin").await, user("alice").await);
    let session = house.store().sessions_of_user(&admin.id, now).await.unwrap().remove(0).session;
    let visit = Visit { now, id: "req_test".parse().unwrap(), from: None, certificate: None };
    let who = InSession { user: &admin.id, session: &session };
    assert!(sign_in::link_for(house.app(), &visit, &alice, who).await.is_ok());
    assert!(sign_in::new_recovery_codes(house.app(), &visit, who).await.is_ok());
    let of_alice = InSession { user: &alice.id, session: &session };
    assert!(sign_in::link_for(house.app(), &visit, &admin, of_alice).await.is_err(), "she is no admin");
    sign_in::end_session(house.app(), &visit, &admin.id, &session).await.unwrap();
    assert!(sign_in::link_for(house.app(), &visit, &alice, who).await.is_err());
    assert!(sign_in::new_recovery_codes(house.app(), &visit, who).await.is_err());
    assert!(sign_in::remove_totp(house.app(), &visit, who).await.is_err());
    assert!(sign_in::rename_passkey(house.app(), &visit, who, "x", "y").await.is_err());
    assert!(sign_in::remove_passkey(house.app(), &visit, who, "x").await.is_err());
}

#[tokio::test]
async fn signing_in_leads_back_to_the_page_that_asked_for_it() {
    let house = House::open().await;
    for (path, username) in [("/admin", "admin"), ("/account/security", "alice"), ("/account", "alice")] {
        let page = house.person().page(path).await;
        let page = page.sign_in(username, &password_of(username)).await.page();
        assert_eq!((page.status, page.path.as_str()), (200, path));
    }
    let page = house.person().page("/sign-in?next=%2Fadmin").await;
    let wrong = page.sign_in("admin", "not the password").await.page();
    let page = wrong.sign_in("admin", &password_of("admin")).await.page();
    assert_eq!(page.path, "/admin", "also after a wrong password");
}

#[tokio::test]
async fn signing_in_leads_to_no_other_site() {
    let house = House::open().await;
    for elsewhere in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/%09/evil.example",
    ] {
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("next", elsewhere).finish();
        let person = house.person();
        let mut form = person.page(&format!("/sign-in?{query}")).await.form();
        form.fill("username", "alice").fill("password", &password_of("alice"));
        let arrived = person.post("/sign-in", &form.fields).await.page();
        assert!(
            ["/account", "/%09/evil.example"].contains(&arrived.path.as_str()),
            "{elsewhere}: {}",
            arrived.path
        );
        let mut form = person.page("/sign-in?next=%2Faccount").await.form();
        form.fill("username", "alice").fill("password", &password_of("alice")).fill("next", elsewhere);
        let arrived = person.post("/sign-in", &form.fields).await.page();
        assert!(
            ["/account", "/%09/evil.example"].contains(&arrived.path.as_str()),
            "{elsewhere}: {}",
            arrived.path
        );
    }
}

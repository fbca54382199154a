//! Where somebody is signed in, and ending that from somewhere else; and where one is led after signing in.

use tests::{Database, House, Person, on_both_databases, password_of};

on_both_databases! {
    a_user_sees_their_sessions_and_ends_them,
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

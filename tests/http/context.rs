//! Who the user is, and how they signed in: account choice, hints, contexts, languages (OpenID Connect Core §3.1.2.1,
//! §5.5.1.1; RFC 9470).

use serde_json::json;
use tests::{Ask, Database, House, ORDERS, Person, on_both_databases, password_of, unverified_claims};

use crate::rp::{open, query};

on_both_databases! { an_account_is_chosen_or_changed }

const SINGLE: &str = "urn:procura:acr:single-factor";
const MULTI: &str = "urn:procura:acr:multi-factor";

/// Who an ID token is for, after everything that is shown was approved.
async fn subject(house: &House, ask: &Ask, person: &Person) -> serde_json::Value {
    let web = house.client("web");
    unverified_claims(ask.approved_by(person).await.redeem(&web).await.ok().text("id_token"))["sub"].clone()
}

async fn an_account_is_chosen_or_changed(database: Database) {
    let house = House::on(database).await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let plain = || house.ask(&web).scope("openid");
    let is_alice = subject(&house, &plain(), &alice).await;
    let ask = plain().with("prompt", "select_account");
    let page = ask.brought_by(&alice).await.page();
    assert!(page.path.starts_with("/select-account"), "{}", page.path);
    assert!(page.text().contains("Alice Arnold"), "{}", page.text());
    // To come again is no choice.
    assert!(alice.page(&page.path).await.path.starts_with("/select-account"));
    let form = page.form();
    let code = page.submit(&form, Some(("decision", "continue"))).await.param("code");
    let token = ask.code(&code).redeem(&web).await.ok();
    assert_eq!(unverified_claims(token.text("id_token"))["sub"], is_alice);
    // The choice was for that request alone; another account is signed in to in its place.
    let ask = plain().with("prompt", "select_account");
    let page = ask.brought_by(&alice).await.page();
    let sign_in = page.submit(&page.form(), Some(("decision", "other"))).await.page();
    assert!(sign_in.path.starts_with("/sign-in"), "{}", sign_in.path);
    let consent = sign_in.sign_in("bob", &password_of("bob")).await.page();
    let code = consent.approve(|_| {}).await.param("code");
    let token = ask.code(&code).redeem(&web).await.ok();
    assert_ne!(unverified_claims(token.text("id_token"))["sub"], is_alice);
    // And one may go back without any.
    let page = plain().with("prompt", "select_account").brought_by(&alice).await.page();
    let told = query(page.submit(&page.form(), Some(("decision", "cancel"))).await);
    assert_eq!(told["error"], "access_denied");
    house.told("consent.decide", "access_denied").await;
    let mut form = page.form();
    form.fill("csrf", "another");
    assert_eq!(page.submit(&form, Some(("decision", "continue"))).await.page().status, 400, "it is over");
}

#[tokio::test]
async fn a_form_that_is_not_ours_chooses_nothing() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let page =
        house.ask(&web).scope("openid").with("prompt", "select_account").brought_by(&alice).await.page();
    let mut form = page.form();
    form.fill("csrf", "another");
    let refused = page.submit(&form, Some(("decision", "continue"))).await.page();
    assert_eq!((refused.status, refused.path.as_str()), (403, "/select-account"));
    assert!(alice.page(&page.path).await.path.starts_with("/select-account"), "nothing was chosen");
}

#[tokio::test]
async fn a_hint_names_the_only_user_who_will_do() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let bob = house.signed_in("bob").await;
    let ask = || house.ask(&web).scope("openid");
    let token = ask().approved_by(&alice).await.redeem(&web).await.ok();
    let hint = token.text("id_token").to_owned();
    ask().approved_by(&bob).await;
    house.later(4000);
    let silent = |person: &Person, hint: &str| {
        let ask = ask().with("prompt", "none").with("id_token_hint", hint);
        let person = person.clone();
        async move { query(ask.brought_by(&person).await) }
    };
    // It is long over; what it says of her is as true as before.
    let again = alice;
    assert!(silent(&again, &hint).await.contains_key("code"));
    assert_eq!(silent(&bob, &hint).await["error"], "login_required");
    let mut altered = hint.clone();
    altered.replace_range(hint.len() - 8..hint.len() - 4, "AAAA");
    let foreign =
        tests::Key::generate().sign(&json!({"alg": "ES256", "typ": "JWT"}), &json!({"sub": "x", "exp": 1}));
    for wrong in [altered.as_str(), foreign.as_str(), "x", token.access_token()] {
        assert_eq!(silent(&again, wrong).await["error"], "invalid_request", "{wrong}");
        house.told("authorization.request", "invalid_request").await;
    }
    // Whoever signs in for it and is somebody else is not asked for ever.
    let page = ask().with("id_token_hint", &hint).brought_by(&bob).await.page();
    assert!(page.path.starts_with("/sign-in"), "{}", page.path);
    let told = query(page.sign_in("bob", &password_of("bob")).await);
    assert_eq!((told["error"].as_str(), told["state"].as_str()), ("login_required", "the state"));
}

#[tokio::test]
async fn a_sub_in_claims_names_the_only_user_too() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let plain = || house.ask(&web).scope("openid");
    let sub = subject(&house, &plain(), &alice).await;
    let silent = |sub: &serde_json::Value| {
        plain()
            .with("prompt", "none")
            .with("claims", &json!({"id_token": {"sub": {"value": sub}}}).to_string())
    };
    assert!(query(silent(&sub).brought_by(&alice).await).contains_key("code"));
    assert_eq!(query(silent(&json!("nobody")).brought_by(&alice).await)["error"], "login_required");
}

#[tokio::test]
async fn an_essential_context_that_cannot_be_reached_is_refused() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let essential = |values: &[&str]| {
        let claims = json!({"id_token": {"acr": {"essential": true, "values": values}}}).to_string();
        house.ask(&web).scope("openid").with("claims", &claims)
    };
    // Unknown here: at once, whoever is signed in.
    let told = query(essential(&["urn:unknown"]).brought_by(&alice).await);
    assert_eq!(told["error"], "unmet_authentication_requirements");
    house.told("authorization.request", "unmet_authentication_requirements").await;
    // Known, and a password is not enough: after she tried, and not in circles.
    let page = essential(&[MULTI]).brought_by(&alice).await.page();
    assert!(page.path.starts_with("/sign-in"), "{}", page.path);
    let told = query(page.sign_in("alice", &password_of("alice")).await);
    assert_eq!(told["error"], "unmet_authentication_requirements");
    let silent = essential(&[MULTI]).with("prompt", "none").brought_by(&alice).await;
    assert_eq!(query(silent)["error"], "login_required");
    // Met: and told by the name that was asked for.
    let token = essential(&[MULTI, SINGLE]).approved_by(&alice).await.redeem(&web).await.ok();
    assert_eq!(unverified_claims(token.text("id_token"))["acr"], SINGLE);
}

#[tokio::test]
async fn acr_values_are_a_wish_for_a_sign_in_and_necessary_for_a_resource_server() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let ask = |scope: &str, values: &str| house.ask(&web).scope(scope).with("acr_values", values);
    // A wish: she is asked once more, and then it is as it is.
    let page = ask("openid", MULTI).brought_by(&alice).await.page();
    assert!(page.path.starts_with("/sign-in"), "{}", page.path);
    let page = page.sign_in("alice", &password_of("alice")).await.page();
    page.approve(|_| {}).await.param("code");
    // For a resource server that may have asked for it: a weaker token would be refused there again.
    let page = ask("openid orders:read", MULTI).brought_by(&alice).await.page();
    let told = query(page.sign_in("alice", &password_of("alice")).await);
    assert_eq!(told["error"], "unmet_authentication_requirements");
    // All that are there, and some that are not.
    for values in [format!("phr {MULTI} {SINGLE}"), format!("1 2 {SINGLE}")] {
        let code = ask("openid orders:read", &values).approved_by(&alice).await;
        let token = web.token(&[code.params(), vec![("resource", ORDERS)]].concat()).await.ok();
        assert_eq!(unverified_claims(token.text("id_token"))["acr"], SINGLE, "{values}");
        assert_eq!(token.claims()["acr"], SINGLE, "{values}");
        let told = house.client("orders-api").introspect(token.access_token()).await.ok();
        assert_eq!(told.json["acr"], SINGLE);
        assert!(told.json["auth_time"].is_i64());
    }
    ask("openid", "1 2").approved_by(&alice).await;
}

#[tokio::test]
async fn a_registered_max_age_holds_where_a_request_has_none() {
    let (house, client, _) = open("default_max_age = 50").await;
    let alice = house.signed_in("alice").await;
    house.later(100);
    let ask = || house.ask(&client).scope("openid");
    assert!(ask().brought_by(&alice).await.page().path.starts_with("/sign-in"));
    let page = ask().with("max_age", "10000").brought_by(&alice).await.page();
    assert!(page.path.starts_with("/consent"), "{}", page.path);
    let silent = ask().with("prompt", "none").brought_by(&alice).await;
    assert_eq!(query(silent)["error"], "login_required");
}

#[tokio::test]
async fn the_pages_speak_the_language_that_is_asked_for() {
    let house = House::open().await;
    let (web, person) = (house.client("web"), house.person());
    let ask = |locales: &str| house.ask(&web).scope("openid").with("ui_locales", locales);
    for (locales, lang) in [("fr-CA de-AT en", "de"), ("en de", "en"), ("se", "en"), ("de", "de")] {
        let page = ask(locales).brought_by(&person).await.page();
        assert!(page.html.contains(&format!("<html lang=\"{lang}\"")), "{locales}: {}", page.html);
    }
    let plain = house.ask(&web).scope("openid").brought_by(&person).await.page();
    assert!(plain.html.contains("<html lang=\"en\""));
}

#[tokio::test]
async fn what_need_not_be_understood_is_no_error() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    for (name, value) in [
        ("display", "page"),
        ("display", "popup"),
        ("display", "zz"),
        ("claims_locales", "se"),
        ("ui_locales", "se"),
        ("login_hint", "buffy@example.com"),
        ("extra", "foobar"),
        ("acr_values", "1 2"),
        ("claims", r#"{"zz":1}"#),
    ] {
        let page = house.ask(&web).scope("openid").with(name, value).brought_by(&alice).await.page();
        assert!(page.path.starts_with("/consent"), "{name}={value}: {}", page.path);
    }
}

#[tokio::test]
async fn userinfo_can_demand_a_better_or_a_newer_login() {
    let house = House::open_with(&format!("[userinfo]\nmax_age = 100\nacr_values = [\"{SINGLE}\"]\n")).await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let ask = || house.ask(&web).scope("openid");
    let token = ask().approved_by(&alice).await.redeem(&web).await.ok();
    web.call("GET", "/userinfo", token.access_token()).await.ok();
    house.later(101);
    let refused = web.call("GET", "/userinfo", token.access_token()).await;
    let refused = refused.refused_with(401, "insufficient_user_authentication");
    let challenges: Vec<_> =
        refused.headers.get_all("www-authenticate").iter().map(|c| c.to_str().unwrap()).collect();
    let bearer = challenges.iter().find(|challenge| challenge.starts_with("Bearer ")).unwrap();
    assert!(bearer.contains(&format!("acr_values=\"{SINGLE}\", max_age=\"100\"")), "{bearer}");
    // With what the challenge says, the client gets a token that is enough.
    let asked = ask().with("max_age", "100").with("acr_values", SINGLE);
    let page = asked.brought_by(&alice).await.page();
    assert!(page.path.starts_with("/sign-in"), "{}", page.path);
    let code = page.sign_in("alice", &password_of("alice")).await.param("code");
    let token = asked.code(&code).redeem(&web).await.ok();
    web.call("GET", "/userinfo", token.access_token()).await.ok();
}

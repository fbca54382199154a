//! Whom a request from afar names, by what, and whom it does not.

use serde_json::{Value, json};
use tests::{Client, Database, Key, on_both_databases, unverified_claims};

use crate::elsewhere::{DEVICE_CODE, Elsewhere, INTERVAL};

on_both_databases! {
    a_user_with_a_code_is_asked_by_those_who_know_it,
    a_code_is_guessed_no_sooner_by_many_clients_than_by_one,
    a_user_may_be_named_by_an_address_that_somebody_made_sure_of,
    a_username_that_also_names_somebody_else_names_nobody,
    a_client_with_pairwise_subjects_names_its_user_by_the_one_it_knows,
}

async fn a_user_with_a_code_is_asked_by_those_who_know_it(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, alice) = (&town.house, town.house.signed_in("alice").await);
    let (till, other) = (town.client("till-code"), town.client("till"));
    let set = |code: &'static str, button: &'static str| {
        let alice = alice.clone();
        async move {
            let page = alice.page("/approvals").await;
            let mut form = page.form_to("/approvals/user-code");
            form.fill("user_code", code);
            page.submit(&form, Some(("decision", button))).await.page()
        }
    };
    assert!(set("123", "set").await.html.contains("error-summary"), "too short");
    town.ask_alice(&till, &[]).await.ok();
    assert!(set("open sesame", "set").await.html.contains("approvals-code-is-set"));
    let told = house.told("user.set_user_code", "granted").await;
    assert!(!told.to_string().contains("sesame"));
    town.ask_alice(&till, &[]).await.refused("missing_user_code");
    // A client that cannot send one is told what it is told of nobody, and she is not bothered.
    let questions = async || alice.page("/approvals").await.html.matches("href=\"/approvals/").count();
    let before = questions().await;
    let unheard = town.ask_alice(&other, &[]).await.ok();
    let told = house.told("authorization.backchannel", "granted").await;
    assert!(told["reason"].as_str().unwrap().contains("not asked"), "{told}");
    town.poll(&other, &unheard).await.refused("authorization_pending");
    assert_eq!(questions().await, before);
    town.ask_alice(&other, &[("user_code", "open sesame")]).await.refused("invalid_request");
    town.ask_alice(&till, &[("user_code", "open barley")]).await.refused("invalid_user_code");
    house.told("authorization.backchannel", "invalid_user_code").await;
    town.ask_alice(&till, &[("user_code", "open sesame")]).await.ok();
    set("", "remove").await;
    town.ask_alice(&till, &[]).await.ok();
}

async fn a_code_is_guessed_no_sooner_by_many_clients_than_by_one(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, alice) = (&town.house, town.house.signed_in("alice").await);
    let (one, other) = (town.client("till-code"), town.client("other-code"));
    let page = alice.page("/approvals").await;
    let mut form = page.form_to("/approvals/user-code");
    form.fill("user_code", "open sesame");
    page.submit(&form, Some(("decision", "set"))).await.page();
    let id = house.store().find_user_by_username("alice").await.unwrap().unwrap().id.clone();
    // All guesses of an hour but one.
    for _ in 1..20 {
        assert!(house.app().wrong_codes_of_user.count(id.as_str()));
    }
    for client in [&one, &other] {
        town.ask_alice(client, &[("user_code", "open sesame")]).await.ok();
    }
    town.ask_alice(&one, &[("user_code", "open barley")]).await.refused("invalid_user_code");
    let refused = town.ask_alice(&other, &[("user_code", "open sesame")]).await.refused("invalid_user_code");
    assert!(refused.body.contains("too many"), "{}", refused.body);
    house.told("authorization.backchannel", "invalid_user_code").await;
}

#[tokio::test]
async fn a_request_names_one_user_in_one_way() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    let asked = town.ask_alice(&till, &[]).await.ok();
    town.question(&alice).await.approve(|_| {}).await.page();
    let tokens = town.poll(&till, &asked).await.ok();
    let (id_token, sub) = (tokens.text("id_token"), tokens.claims()["sub"].as_str().unwrap().to_owned());
    let key = town.key("till");
    let hint = |claims: Value| key.sign(&json!({ "alg": "ES256" }), &claims);
    let now = house.door().now().0;
    let subject = json!({ "format": "iss_sub", "iss": house.issuer(), "sub": sub });
    let fine = json!({ "iss": "till", "aud": house.issuer(), "exp": now + 60, "sub_id": subject });
    let scope = ("scope", "openid orders:read");
    let ask = |params: &[(&'static str, String)]| {
        let mut all: Vec<(&str, String)> = vec![(scope.0, scope.1.to_owned())];
        all.extend(params.iter().cloned());
        let till = till.clone();
        async move {
            let borrowed: Vec<(&str, &str)> =
                all.iter().map(|(name, value)| (*name, value.as_str())).collect();
            till.post("/backchannel/authorize", &borrowed).await
        }
    };
    for one in [
        ("login_hint", sub.clone()),
        ("id_token_hint", id_token.to_owned()),
        ("login_hint_token", hint(fine.clone())),
    ] {
        ask(&[one]).await.ok();
        town.question(&alice).await.deny().await.page();
    }
    ask(&[]).await.refused("invalid_request");
    let two = [("login_hint", "alice".to_owned()), ("id_token_hint", id_token.to_owned())];
    ask(&two).await.refused("invalid_request");
    for forged in ["x.y.z".to_owned(), tokens.access_token().to_owned()] {
        ask(&[("id_token_hint", forged)]).await.refused("invalid_request");
    }
    let mut over = fine.clone();
    over["exp"] = json!(now - 1);
    ask(&[("login_hint_token", hint(over))]).await.refused("expired_login_hint_token");
    let strangers = Key::generate().sign(&json!({ "alg": "ES256" }), &fine);
    ask(&[("login_hint_token", strangers)]).await.refused("invalid_request");
    // An ID token of somebody else's.
    let others = town.client("other-till");
    let params = [("scope", "openid"), ("id_token_hint", id_token)];
    others.post("/backchannel/authorize", &params).await.refused("invalid_request");
}

#[tokio::test]
async fn whether_there_is_such_a_user_is_told_only_where_the_house_says_so() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let till = town.client("till");
    let nobody = [("scope", "openid orders:read"), ("login_hint", "nobody")];
    let asked = till.post("/backchannel/authorize", &nobody).await.ok();
    town.poll(&till, &asked).await.refused("authorization_pending");
    town.house.later(INTERVAL);
    town.poll(&till, &asked).await.refused("authorization_pending");
    for _ in 1..10 {
        till.post("/backchannel/authorize", &nobody).await.ok();
    }
    till.post("/backchannel/authorize", &nobody).await.refused_with(403, "access_denied");

    let town = Elsewhere::with(Database::Sqlite, "tell_unknown_users = true").await;
    let till = town.client("till");
    till.post("/backchannel/authorize", &nobody).await.refused("unknown_user_id");
    town.house.told("authorization.backchannel", "unknown_user_id").await;
    town.ask_alice(&till, &[]).await.ok();
}

#[tokio::test]
async fn whoever_was_not_asked_neither_sees_nor_answers() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    let asked = town.ask_alice(&till, &[]).await.ok();
    let page = town.question(&alice).await;
    let mut fields = page.form().fields;
    fields.push(("decision".into(), "approve".into()));
    assert!(house.person().post(&page.path, &fields).await.page().path.starts_with("/sign-in"));
    assert!(house.person().page(&page.path).await.path.starts_with("/sign-in"));
    let bob = house.signed_in("bob").await;
    assert!(bob.page("/approvals").await.html.contains("no-approvals"));
    assert_eq!(bob.page(&page.path).await.status, 400);
    let csrf = bob.page("/logout").await.form().value("csrf").to_owned();
    for (name, value) in &mut fields {
        if name == "csrf" {
            value.clone_from(&csrf);
        }
    }
    assert_eq!(bob.post(&page.path, &fields).await.page().status, 400);
    let refused = page
        .approve(|form| {
            form.fill("csrf", "x");
        })
        .await
        .page();
    assert_eq!(refused.status, 400);
    assert!(!house.events().await.iter().any(|event| event.event.consent.is_some()));
    town.poll(&town.client("other-till"), &asked).await.refused("invalid_grant");
    let as_device = [("grant_type", DEVICE_CODE), ("device_code", asked.text("auth_req_id"))];
    town.client("tv").token(&as_device).await.refused("invalid_grant");
    page.approve(|_| {}).await.page();
    town.poll(&town.client("other-till"), &asked).await.refused("invalid_grant");
    town.poll(&till, &asked).await.ok();
}

async fn a_user_may_be_named_by_an_address_that_somebody_made_sure_of(database: Database) {
    let more = "[[users]]\nusername = \"carol\"\nname = \"Carol\"\nemail = \"carol@people.example\"\n\
                [[users]]\nusername = \"dave\"\nname = \"Dave\"\nemail = \"both@people.example\"\n\
                email_verified = true\n\
                [[users]]\nusername = \"erin\"\nname = \"Erin\"\nemail = \"both@people.example\"\n\
                email_verified = true\n";
    let town = Elsewhere::with(database, more).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    let ask = |hint: &'static str| {
        let till = till.clone();
        async move {
            let params = [("scope", "openid orders:read"), ("login_hint", hint)];
            till.post("/backchannel/authorize", &params).await.ok()
        }
    };
    let named = ask("Alice@People.example").await;
    assert!(house.told("authorization.backchannel", "granted").await["user"].is_string());
    town.question(&alice).await.approve(|_| {}).await.page();
    town.poll(&till, &named).await.ok();
    // One that nobody made sure of, one of two people, one of nobody: they look alike, and nobody is asked.
    for hint in ["carol@people.example", "both@people.example", "nobody@people.example"] {
        let asked = ask(hint).await;
        let told = house.told("authorization.backchannel", "granted").await;
        assert!(told.get("user").is_none(), "{hint}: {told}");
        let members =
            |answer: &tests::Answer| answer.json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(members(&asked), members(&named), "{hint}");
        town.poll(&till, &asked).await.refused("authorization_pending");
    }
}

async fn a_username_that_also_names_somebody_else_names_nobody(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till) = (&town.house, town.client("till"));
    let bob = house.store().find_user_by_username("bob").await.unwrap().unwrap();
    for username in ["alice@people.example", bob.id.as_str(), "carol@corp.example"] {
        house.has_somebody_called(username).await;
    }
    let ask = async |name: &str, hint: &str| {
        let params = [("scope", "openid orders:read"), (name, hint)];
        till.post("/backchannel/authorize", &params).await.ok();
        let told = house.told("authorization.backchannel", "granted").await;
        told.get("user").map(|user| user.as_str().unwrap().to_owned())
    };
    let opaque = |id: &str| {
        let now = house.door().now().0;
        let claims = json!({ "iss": "till", "aud": house.issuer(), "exp": now + 60,
            "sub_id": { "format": "opaque", "id": id } });
        town.key("till").sign(&json!({ "alg": "ES256" }), &claims)
    };
    assert_eq!(ask("login_hint", "alice@people.example").await, None);
    assert_eq!(ask("login_hint", bob.id.as_str()).await, None);
    assert_eq!(ask("login_hint_token", &opaque("alice@people.example")).await, None);
    // Who is named by nothing else keeps their name, and the others their own.
    assert!(ask("login_hint", "carol@corp.example").await.is_some());
    assert!(ask("login_hint_token", &opaque("carol@corp.example")).await.is_some());
    assert_eq!(ask("login_hint", "bob").await, Some(bob.id.to_string()));
}

async fn a_client_with_pairwise_subjects_names_its_user_by_the_one_it_knows(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, alice) = (&town.house, town.house.signed_in("alice").await);
    let (till, other) = (town.client("till-pairwise"), town.client("other-pairwise"));
    let asked = town.ask_alice(&till, &[]).await.ok();
    let public =
        house.told("authorization.backchannel", "granted").await["user"].as_str().unwrap().to_owned();
    town.question(&alice).await.approve(|_| {}).await.page();
    let tokens = town.poll(&till, &asked).await.ok();
    let id_token = tokens.text("id_token").to_owned();
    let sub = unverified_claims(&id_token)["sub"].as_str().unwrap().to_owned();
    assert_ne!(sub, public);
    let now = house.door().now().0;
    let token = |client: &str, sub: &str| {
        let subject = json!({ "format": "iss_sub", "iss": house.issuer(), "sub": sub });
        let claims = json!({ "iss": client, "aud": house.issuer(), "exp": now + 60, "sub_id": subject });
        town.key(client).sign(&json!({ "alg": "ES256" }), &claims)
    };
    let ask = |client: &Client, name: &'static str, hint: String| {
        let client = client.clone();
        async move {
            client.post("/backchannel/authorize", &[("scope", "openid orders:read"), (name, &hint)]).await
        }
    };
    for (name, hint) in [
        ("id_token_hint", id_token.clone()),
        ("login_hint", sub.clone()),
        ("login_hint_token", token("till-pairwise", &sub)),
    ] {
        ask(&till, name, hint).await.ok();
        let told = house.told("authorization.backchannel", "granted").await;
        assert_eq!(told["user"], public.as_str(), "{name}");
        town.question(&alice).await.deny().await.page();
    }
    // What another sector sees names nobody here, and neither does what everybody else sees.
    for (client, name, hint) in [
        (&other, "login_hint", sub.clone()),
        (&other, "login_hint_token", token("other-pairwise", &sub)),
        (&till, "login_hint", public.clone()),
        (&till, "login_hint_token", token("till-pairwise", &public)),
        (&town.client("till"), "login_hint", sub.clone()),
    ] {
        ask(client, name, hint).await.ok();
        let told = house.told("authorization.backchannel", "granted").await;
        assert!(told.get("user").is_none(), "{} {name}: {told}", client.id);
    }
    ask(&other, "id_token_hint", id_token).await.refused("invalid_request");
}

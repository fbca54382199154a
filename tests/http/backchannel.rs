//! Client-Initiated Backchannel Authentication: a client asks from afar, its user answers, the client is told.

use serde_json::{Value, json};
use tests::{
    Client, Database, House, Key, ORDERS, PostOffice, code_at, on_both_databases, password_of,
    unverified_claims,
};

use crate::elsewhere::{CIBA, DEVICE_CODE, Elsewhere, INTERVAL};

on_both_databases! {
    a_client_asks_from_afar_and_gets_what_its_user_allows,
    a_no_is_told_to_the_client,
    a_client_is_pinged_when_there_is_an_answer,
    tokens_are_pushed_to_whoever_is_registered_so,
    a_signed_request_counts_once,
    a_user_with_a_code_is_asked_by_those_who_know_it,
    a_code_is_guessed_no_sooner_by_many_clients_than_by_one,
    an_agent_that_asks_is_the_one_that_acts,
    of_many_polls_at_once_one_gets_the_tokens,
    a_user_may_be_named_by_an_address_that_somebody_made_sure_of,
    a_username_that_also_names_somebody_else_names_nobody,
    a_client_with_pairwise_subjects_names_its_user_by_the_one_it_knows,
    a_client_that_was_away_is_told_later_also_by_a_house_that_was_opened_again,
    what_was_made_to_be_pushed_and_was_not_ends,
    a_stronger_sign_in_is_asked_for_before_a_yes_and_a_weaker_one_gives_none,
    a_user_is_told_by_mail_of_what_waits_and_of_nothing_secret,
}

async fn a_client_asks_from_afar_and_gets_what_its_user_allows(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    assert!(alice.page("/approvals").await.html.contains("no-approvals"));
    let asked = town.ask_alice(&till, &[("binding_message", "W4SCT")]).await.ok();
    let told = house.told("authorization.backchannel", "granted").await;
    assert!(told["user"].is_string() && told["client"] == "till", "{told}");
    assert_eq!(asked.header("cache-control"), "no-store");
    assert_eq!((&asked.json["expires_in"], &asked.json["interval"]), (&json!(300), &json!(INTERVAL)));
    let id = asked.text("auth_req_id");
    assert!(id.len() >= 43 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), "{id}");
    let before = house.events().await.len();
    town.poll(&till, &asked).await.refused("authorization_pending");
    town.poll(&till, &asked).await.refused("slow_down");
    assert_eq!(house.events().await.len(), before);

    assert!(alice.page("/account").await.html.contains("approvals-waiting"));
    let list = alice.page("/approvals").await;
    assert!(list.text().contains("The till") && list.text().contains("W4SCT"), "{}", list.text());
    let page = town.question(&alice).await;
    for words in ["The till", "W4SCT", "See your orders", "Allow this only if you know why you are asked"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    for id in ["ciba-approve", "ciba-deny", "binding-message"] {
        assert!(page.html.contains(&format!("id=\"{id}\"")), "{id}");
    }
    let done = page.approve(|_| {}).await.page();
    assert!(done.path == "/approvals" && done.html.contains("approvals-answered"), "{}", done.text());
    house.told("consent.decide", "granted").await;
    let tokens = town.poll(&till, &asked).await.ok();
    assert_eq!(tokens.header("cache-control"), "no-store");
    assert_eq!(
        (&tokens.claims()["client_id"], &tokens.claims()["scope"]),
        (&json!("till"), &json!("openid orders:read"))
    );
    let id_token = unverified_claims(tokens.text("id_token"));
    assert_eq!((&id_token["aud"], &id_token["sub"]), (&json!("till"), &tokens.claims()["sub"]));
    assert!(id_token.get("urn:openid:params:jwt:claim:auth_req_id").is_none(), "that is for what is pushed");
    house.told("token.ciba", "granted").await;
    assert!(house.is_active(tokens.access_token()).await);
    town.poll(&till, &asked).await.refused("invalid_grant");
    assert_eq!(page.approve(|_| {}).await.page().status, 400, "an answer is given once");
    // It hangs on the consent, and on nothing in the browser.
    let account = alice.page("/account").await;
    account.submit(&account.form_to("/account/consents/end"), None).await.page();
    assert!(!house.is_active(tokens.access_token()).await);
}

async fn a_no_is_told_to_the_client(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    let asked = town.ask_alice(&till, &[]).await.ok();
    let done = town.question(&alice).await.deny().await.page();
    assert!(done.text().contains("Denied"), "{}", done.text());
    house.told("consent.decide", "access_denied").await;
    for _ in 0..2 {
        town.poll(&till, &asked).await.refused("access_denied");
    }
    house.told("token.ciba", "access_denied").await;
}

async fn a_client_is_pinged_when_there_is_an_answer(database: Database) {
    let town = Elsewhere::on(database).await;
    let (till, alice) = (town.client("till-ping"), town.house.signed_in("alice").await);
    town.ask_alice(&till, &[]).await.refused("invalid_request");
    let long = "t".repeat(1024);
    for (secret, allowed) in [("a-secret-of-the-tills-own", true), (long.as_str(), false)] {
        let asked = town.ask_alice(&till, &[("client_notification_token", secret)]).await.ok();
        assert_eq!(asked.json["interval"], INTERVAL);
        let page = town.question(&alice).await;
        if allowed {
            page.approve(|_| {}).await.page()
        } else {
            page.deny().await.page()
        };
        let letter = town.mailbox.letter().await;
        assert!(letter.head.starts_with("POST /notified "), "{}", letter.head);
        assert_eq!(letter.body, json!({ "auth_req_id": asked.text("auth_req_id") }));
        assert_eq!(letter.header("authorization"), format!("Bearer {secret}"));
        assert_eq!(letter.header("content-type"), "application/json");
        let answer = town.poll(&till, &asked).await;
        if allowed { drop(answer.ok()) } else { drop(answer.refused("access_denied")) }
    }
}

async fn tokens_are_pushed_to_whoever_is_registered_so(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, alice) = (&town.house, town.client("till-push"), town.house.signed_in("alice").await);
    let asks = |scope: &'static str| {
        [
            ("scope", scope),
            ("login_hint", "alice"),
            ("client_notification_token", "a-secret-of-the-tills-own"),
        ]
    };
    let asked = till.post("/backchannel/authorize", &asks("openid offline_access orders:read")).await.ok();
    assert!(asked.json.get("interval").is_none(), "whoever is told does not ask");
    town.poll(&till, &asked).await.refused("unauthorized_client");
    town.question(&alice).await.approve(|_| {}).await.page();
    let letter = town.mailbox.letter().await;
    assert_eq!(letter.header("authorization"), "Bearer a-secret-of-the-tills-own");
    let told = &letter.body;
    assert_eq!(told["auth_req_id"], asked.text("auth_req_id"));
    let (access, refresh) = (told["access_token"].as_str().unwrap(), told["refresh_token"].as_str().unwrap());
    assert_eq!(told["token_type"], "Bearer");
    let id_token = unverified_claims(told["id_token"].as_str().unwrap());
    assert_eq!(id_token["urn:openid:params:jwt:claim:auth_req_id"], asked.text("auth_req_id"));
    let hash = |text: &str| protocol::id_token::at_hash(text, protocol::client::SigningAlg::Es256);
    assert_eq!(id_token["at_hash"], hash(access));
    assert_eq!(id_token["urn:openid:params:jwt:claim:rt_hash"], hash(refresh));
    house.told("token.ciba", "granted").await;
    assert!(house.is_active(access).await);
    town.poll(&till, &asked).await.refused("unauthorized_client");

    let asked = till.post("/backchannel/authorize", &asks("openid orders:read")).await.ok();
    town.question(&alice).await.deny().await.page();
    let letter = town.mailbox.letter().await;
    assert_eq!(
        (&letter.body["error"], &letter.body["auth_req_id"]),
        (&json!("access_denied"), &json!(asked.text("auth_req_id")))
    );
    assert!(letter.body.get("access_token").is_none());
}

async fn a_signed_request_counts_once(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, key) = (&town.house, town.client("till-signed"), town.key("till-signed"));
    let send = |claims: Value| {
        let request = key.sign(&json!({ "alg": "ES256", "typ": "oauth-authz-req+jwt" }), &claims);
        let till = till.clone();
        async move { till.post("/backchannel/authorize", &[("request", &request)]).await }
    };
    let claims = town.signed_claims("till-signed");
    send(claims.clone()).await.ok();
    send(claims).await.refused("invalid_request");
    house.told("authorization.backchannel", "invalid_request").await;
    let mut claims = town.signed_claims("till-signed");
    claims["requested_expiry"] = json!(30);
    assert_eq!(send(claims).await.ok().json["expires_in"], 30);
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

async fn an_agent_that_asks_is_the_one_that_acts(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, agent, alice) = (&town.house, town.client("agent-d"), town.house.signed_in("alice").await);
    let details = json!([{ "type": "agent_task", "actions": ["refund"], "purpose": "Refund order 4711",
        "locations": [ORDERS], "max_amount": 50, "currency": "EUR" }]);
    let details_text = details.to_string();
    let more = [("authorization_details", details_text.as_str()), ("binding_message", "Refund 4711?")];
    let asked = town.ask_alice(&agent, &more).await.ok();
    let page = town.question(&alice).await;
    for words in [", an AI agent, wants to act for you", "Refund order 4711", "At most 50"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    page.approve(|form| {
        form.untick("scope", "orders:read");
    })
    .await
    .page();
    let other_key = town.client("agent-d");
    town.poll(&other_key, &asked).await.refused("invalid_grant");
    let tokens = town.poll(&agent, &asked).await.ok();
    let claims = tokens.claims();
    assert_eq!((&claims["act"]["sub"], &claims["scope"]), (&json!("agent-d"), &json!("openid")));
    assert_eq!(tokens.json["authorization_details"], details);
    assert!(claims["cnf"]["jkt"].is_string(), "{claims}");
    let told = house.told("token.ciba", "granted").await;
    assert!(told["task"].is_string() && told["consent"].is_string(), "{told}");
}

async fn of_many_polls_at_once_one_gets_the_tokens(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    let asked = town.ask_alice(&till, &[]).await.ok();
    town.question(&alice).await.approve(|_| {}).await.page();
    let polls: Vec<_> = (0..10)
        .map(|_| {
            let (till, id) = (till.clone(), asked.text("auth_req_id").to_owned());
            tokio::spawn(async move { till.token(&[("grant_type", CIBA), ("auth_req_id", &id)]).await })
        })
        .collect();
    let mut won = Vec::new();
    for poll in polls {
        let answer = poll.await.unwrap();
        if answer.status == 200 { won.push(answer) } else { drop(answer.refused("invalid_grant")) }
    }
    assert_eq!(won.len(), 1);
    assert!(house.is_active(won[0].access_token()).await);
}

#[tokio::test]
async fn a_request_lives_as_long_as_it_asks_for_and_no_longer_than_it_may() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, till) = (&town.house, town.client("till"));
    let alice = house.signed_in("alice").await;
    let asked = town.ask_alice(&till, &[("requested_expiry", "30")]).await.ok();
    assert_eq!(asked.json["expires_in"], 30);
    let page = town.question(&alice).await;
    house.later(31);
    town.poll(&till, &asked).await.refused("expired_token");
    assert_eq!(page.approve(|_| {}).await.page().status, 400);
    assert!(alice.page("/approvals").await.html.contains("no-approvals"));
    town.poll(&till, &asked).await.refused("expired_token");
    let asked = town.ask_alice(&till, &[("requested_expiry", "999999")]).await.ok();
    assert_eq!(asked.json["expires_in"], 1800);
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
async fn nobody_is_asked_too_much() {
    let town = Elsewhere::with(Database::Sqlite, "most_waiting_per_user = 2").await;
    let (till, alice) = (town.client("till"), town.house.signed_in("alice").await);
    for client in [&till, &town.client("other-till")] {
        town.ask_alice(client, &[]).await.ok();
    }
    town.ask_alice(&till, &[]).await.refused_with(403, "access_denied");
    town.house.told("authorization.backchannel", "access_denied").await;
    town.question(&alice).await.deny().await.page();
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

#[tokio::test]
async fn what_is_malformed_is_refused_with_its_own_word() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, till) = (&town.house, town.client("till"));
    for (more, code) in [
        (("binding_message", "a\nb"), "invalid_binding_message"),
        (("binding_message", &"much too long. ".repeat(10)), "invalid_binding_message"),
        (("requested_expiry", "soon"), "invalid_request"),
        (("resource", "https://elsewhere.example"), "invalid_target"),
        (("authorization_details", "[{\"type\":\"nothing\"}]"), "invalid_authorization_details"),
        (("request_uri", "https://till.example/request.jwt"), "invalid_request"),
        (("user_code", "1234"), "invalid_request"),
        (("requested_actor", "nobody"), "invalid_request"),
    ] {
        town.ask_alice(&till, &[more]).await.refused(code);
        house.told("authorization.backchannel", code).await;
    }
    for scope in ["orders:read", "openid orders:delete"] {
        let params = [("scope", scope), ("login_hint", "alice")];
        till.post("/backchannel/authorize", &params).await.refused("invalid_scope");
    }
    town.ask_alice(&house.client("web"), &[]).await.refused("unauthorized_client");
    town.ask_alice(&town.client("tv"), &[]).await.refused("unauthorized_client");
    let nobody = Client::new(house.door(), "till", tests::Authentication::None);
    town.ask_alice(&nobody, &[]).await.refused("invalid_client");
    assert_eq!(house.send(house.request("GET", "/backchannel/authorize")).await.status, 405);
}

#[tokio::test]
async fn an_unfit_signed_request_is_refused() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, till, key) = (&town.house, town.client("till-signed"), town.key("till-signed"));
    town.ask_alice(&till, &[]).await.refused("invalid_request");
    let header = json!({ "alg": "ES256" });
    let send = |jwt: String| {
        let till = till.clone();
        async move { till.post("/backchannel/authorize", &[("request", &jwt)]).await }
    };
    send(key.sign(&header, &town.signed_claims("till-signed"))).await.ok();
    let now = house.door().now().0;
    for (name, value) in [
        ("iss", Value::Null),
        ("aud", Value::Null),
        ("exp", Value::Null),
        ("iat", Value::Null),
        ("nbf", Value::Null),
        ("jti", Value::Null),
        ("iss", json!("till")),
        ("aud", json!("https://other.example")),
        ("exp", json!(now - 60)),
        ("exp", json!(now + 3700)),
        ("nbf", json!(now - 3700)),
        ("nbf", json!(now + 120)),
    ] {
        let mut claims = town.signed_claims("till-signed");
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
        let answer = send(key.sign(&header, &claims)).await;
        assert_eq!(
            (answer.status, &answer.json["error"]),
            (400, &json!("invalid_request")),
            "{name} {value}"
        );
    }
    let claims = town.signed_claims("till-signed");
    send(town.key("till").sign(&header, &claims)).await.refused("invalid_request");
    let bare = key.sign(&json!({ "alg": "none" }), &claims);
    send(bare.rsplit_once('.').map(|(input, _)| format!("{input}.")).unwrap())
        .await
        .refused("invalid_request");
    let (rs256, typed) = (json!({ "alg": "RS256" }), json!({ "alg": "ES256", "typ": "dpop+jwt" }));
    for other in [rs256, typed] {
        send(key.sign(&other, &claims)).await.refused("invalid_request");
    }
    let signed = key.sign(&header, &claims);
    for beside in [("scope", "openid"), ("binding_message", "x"), ("login_hint", "bob")] {
        let params = [("request", signed.as_str()), beside];
        till.post("/backchannel/authorize", &params).await.refused("invalid_request");
    }
    // The profile demands it too, whatever is registered; a client of another may still sign.
    let fapi = town.client("till-fapi");
    town.ask_alice(&fapi, &[]).await.refused("invalid_request");
    let signed = town.key("till-fapi").sign(&header, &town.signed_claims("till-fapi"));
    let asked = fapi.post("/backchannel/authorize", &[("request", &signed)]).await.ok();
    let signed = town.key("till").sign(&header, &town.signed_claims("till"));
    town.client("till").post("/backchannel/authorize", &[("request", &signed)]).await.ok();
    // Its tokens are bound to a certificate, and there is none here.
    let alice = house.signed_in("alice").await;
    while alice.page("/account").await.html.contains("approvals-waiting") {
        town.question(&alice).await.approve(|_| {}).await.page();
    }
    town.poll(&fapi, &asked).await.refused("invalid_request");
}

#[tokio::test]
async fn what_a_client_refuses_is_not_sent_again_and_no_redirect_is_followed() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (till, alice) = (town.client("till-ping"), town.house.signed_in("alice").await);
    for status in [401, 302, 200] {
        *town.mailbox.statuses.lock().await = vec![status];
        let asked =
            town.ask_alice(&till, &[("client_notification_token", "secret-of-the-till-1")]).await.ok();
        town.question(&alice).await.approve(|_| {}).await.page();
        assert_eq!(town.mailbox.letter().await.body["auth_req_id"], asked.text("auth_req_id"));
        assert!(town.mailbox.stays_empty(4).await, "{status}");
        town.poll(&till, &asked).await.ok();
    }
    // A server that is broken is tried again.
    *town.mailbox.statuses.lock().await = vec![503, 204];
    let asked = town.ask_alice(&till, &[("client_notification_token", "secret-of-the-till-1")]).await.ok();
    town.question(&alice).await.approve(|_| {}).await.page();
    for _ in 0..2 {
        assert_eq!(town.mailbox.letter().await.body["auth_req_id"], asked.text("auth_req_id"));
    }
}

#[tokio::test]
async fn what_is_needed_to_notify_is_forgotten_once_the_client_was_notified() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, till, alice) = (&town.house, town.client("till-ping"), town.house.signed_in("alice").await);
    let asked = town.ask_alice(&till, &[("client_notification_token", "secret-of-the-till-1")]).await.ok();
    let digest = server::secret::SecretDigest::of(asked.text("auth_req_id"));
    assert!(house.store().find_deferred(&digest).await.unwrap().unwrap().delivery.is_some());
    town.question(&alice).await.approve(|_| {}).await.page();
    town.mailbox.letter().await;
    for _ in 0..50 {
        if house.store().find_deferred(&digest).await.unwrap().unwrap().delivery.is_none() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("it is still there");
}

#[tokio::test]
async fn a_public_client_asks_nobody_from_afar_and_no_fapi_client_is_pushed_to() {
    let read = |client: &str| {
        let text = format!("[[clients]]\nid = \"c\"\nname = \"C\"\nkind = \"application\"\n{client}\n");
        let file = server::config::ConfigFile { name: "c.toml".into(), text, folder: ".".into() };
        let problems = server::config::read(Some(&file), []).err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let ciba = format!("grant_types = [\"{CIBA}\"]");
    assert!(read(&format!("authentication = \"none\"\n{ciba}")).contains("public client"));
    let keys = Key::generate().jwks_toml();
    let with =
        |more: &str| read(&format!("authentication = \"private_key_jwt\"\njwks = {keys}\n{ciba}\n{more}"));
    assert_eq!(with(""), "");
    let ping = "backchannel_token_delivery_mode = \"ping\"";
    assert!(with(ping).contains("backchannel_client_notification_endpoint"));
    let there = "backchannel_client_notification_endpoint = \"https://c.example/told\"";
    assert_eq!(with(&format!("{ping}\n{there}")), "");
    let push = format!("backchannel_token_delivery_mode = \"push\"\n{there}");
    assert_eq!(with(&push), "");
    assert!(with(&format!("{push}\nprofile = \"fapi-ciba\"")).contains("does not permit push"));
    let plain = "backchannel_client_notification_endpoint = \"http://c.example/told\"";
    assert!(with(&format!("{ping}\n{plain}")).contains("must be https"));
}

#[tokio::test]
async fn the_discovery_documents_say_what_there_is() {
    let house = House::open().await;
    let told = house.send(house.request("GET", "/.well-known/openid-configuration")).await.ok().json;
    assert_eq!(told["device_authorization_endpoint"], house.url("/device_authorization"));
    assert_eq!(told["backchannel_authentication_endpoint"], house.url("/backchannel/authorize"));
    assert_eq!(told["backchannel_token_delivery_modes_supported"], json!(["poll", "ping", "push"]));
    assert_eq!(told["backchannel_user_code_parameter_supported"], true);
    for grant_type in [DEVICE_CODE, CIBA] {
        assert!(told["grant_types_supported"].as_array().unwrap().contains(&json!(grant_type)));
    }
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

async fn a_client_that_was_away_is_told_later_also_by_a_house_that_was_opened_again(database: Database) {
    let mut town = Elsewhere::on(database).await;
    let (till, alice) = (town.client("till-ping"), town.house.signed_in("alice").await);
    *town.mailbox.statuses.lock().await = vec![503, 204];
    let asked = town.ask_alice(&till, &[("client_notification_token", "secret-of-the-till-1")]).await.ok();
    let page = town.question(&alice).await;
    page.approve(|_| {}).await.page();
    assert_eq!(town.mailbox.letter().await.body["auth_req_id"], asked.text("auth_req_id"));
    town.house.restart().await;
    town.house.later(200);
    let letter = town.mailbox.letter().await;
    assert_eq!(letter.body, json!({ "auth_req_id": asked.text("auth_req_id") }));
    assert_eq!(letter.header("authorization"), "Bearer secret-of-the-till-1");
    assert!(town.mailbox.stays_empty(3).await, "told is told");
    town.poll(&till, &asked).await.ok();
}

async fn what_was_made_to_be_pushed_and_was_not_ends(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, alice) = (&town.house, town.client("till-push"), town.house.signed_in("alice").await);
    *town.mailbox.statuses.lock().await = vec![503];
    let asked = town.ask_alice(&till, &[("client_notification_token", "secret-of-the-till-1")]).await.ok();
    town.question(&alice).await.approve(|_| {}).await.page();
    let first = town.mailbox.letter().await;
    let access = first.body["access_token"].as_str().unwrap().to_owned();
    assert!(house.is_active(&access).await);
    // Whoever made them is not heard of for longer than anybody may take: another node takes over.
    house.later(200);
    let failed = loop {
        let letter = town.mailbox.letter().await;
        assert_eq!(letter.body["auth_req_id"], asked.text("auth_req_id"));
        if letter.body.get("error").is_some() {
            break letter;
        }
        assert_eq!(letter.body["access_token"], access.as_str(), "nothing is made twice");
    };
    assert_eq!(failed.body["error"], "transaction_failed");
    assert!(!house.is_active(&access).await);
}

const MULTI: &str = "urn:procura:acr:multi-factor";

async fn a_stronger_sign_in_is_asked_for_before_a_yes_and_a_weaker_one_gives_none(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    let asked = town.ask_alice(&till, &[("acr_values", MULTI)]).await.ok();
    // She has nothing more than a password: she is sent to sign in, and then told that it is not enough.
    let sign_in = town.question(&alice).await;
    assert!(sign_in.path.starts_with("/sign-in?next="), "{}", sign_in.path);
    let again = sign_in.sign_in("alice", &password_of("alice")).await.page();
    assert!(again.path.starts_with("/approvals/") && again.status == 403, "{} {}", again.status, again.path);
    assert!(again.html.contains("error-summary"), "{}", again.text());
    let refused = again.approve(|_| {}).await.page();
    assert_eq!(refused.status, 403, "{}", refused.text());
    town.poll(&till, &asked).await.refused("authorization_pending");

    // With an app she can, after she used it.
    let page = alice.page("/account/security/totp").await;
    let secret = page.text_of("totp-secret");
    alice.prove(&page, "/account/security/totp", &code_at(&secret, house.door().now())).await.page();
    house.later(60);
    let strong = house.person();
    let page = strong.page("/sign-in").await.sign_in("alice", &password_of("alice")).await.page();
    let code = code_at(&secret, house.door().now());
    strong.prove(&page, "/sign-in/second-factor", &code).await.page();
    let page = town.question(&strong).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.approve(|_| {}).await.page().html.contains("approvals-answered"));
    house.later(INTERVAL);
    let tokens = town.poll(&till, &asked).await.ok();
    let told = unverified_claims(tokens.text("id_token"));
    assert_eq!((&told["acr"], &told["amr"]), (&json!(MULTI), &json!(["pwd", "otp", "mfa"])));
    assert_eq!(tokens.claims()["acr"], MULTI);

    // Who signed in with less before can still say no; and what is only a wish is given up once it was tried for.
    let asked = town.ask_alice(&till, &[("acr_values", "phr")]).await.ok();
    let sign_in = town.question(&strong).await;
    assert!(sign_in.path.starts_with("/sign-in?next="), "{}", sign_in.path);
    let page = town.question(&strong).await;
    assert!(page.path.starts_with("/sign-in?next="), "to come again is not to sign in");
    house.later(30);
    let half = page.sign_in("alice", &password_of("alice")).await.page();
    let page =
        strong.prove(&half, "/sign-in/second-factor", &code_at(&secret, house.door().now())).await.page();
    assert_eq!(page.status, 403);
    assert!(page.deny().await.page().html.contains("approvals-answered"));
    town.poll(&till, &asked).await.refused("access_denied");
    let params = [("scope", "openid"), ("login_hint", "alice"), ("acr_values", "phr")];
    let asked = till.post("/backchannel/authorize", &params).await.ok();
    let sign_in = town.question(&strong).await;
    house.later(30);
    let half = sign_in.sign_in("alice", &password_of("alice")).await.page();
    let page =
        strong.prove(&half, "/sign-in/second-factor", &code_at(&secret, house.door().now())).await.page();
    assert_eq!(page.status, 200, "{}", page.text());
    page.approve(|_| {}).await.page();
    let told = unverified_claims(town.poll(&till, &asked).await.ok().text("id_token"));
    assert_eq!(told["acr"], MULTI, "what was reached");
}

async fn a_user_is_told_by_mail_of_what_waits_and_of_nothing_secret(database: Database) {
    let post = PostOffice::open().await;
    let town = Elsewhere::with(database, &post.config).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    let asked = town.ask_alice(&till, &[("binding_message", "W4SCT")]).await.ok();
    let mail = post.mail().await;
    assert_eq!(mail.to, "alice@people.example");
    for words in ["Alice Arnold", "The till", "See your orders", "W4SCT"] {
        assert!(mail.text.contains(words), "{words}: {}", mail.text);
    }
    assert!(!mail.text.contains(asked.text("auth_req_id")), "{}", mail.text);
    let at = house.url("/approvals/");
    let link = mail.text.lines().find_map(|line| line.strip_prefix(&at)).unwrap().trim().to_owned();
    assert_eq!(town.question(&alice).await.path, format!("/approvals/{link}"));
    // The link is no key.
    assert!(house.person().page(&format!("/approvals/{link}")).await.path.starts_with("/sign-in"));
    assert_eq!(house.signed_in("bob").await.page(&format!("/approvals/{link}")).await.status, 400);
    // Nobody is written to about what was refused, nor where the hint names nobody.
    town.ask_alice(&till, &[("binding_message", "a\nb")]).await.refused("invalid_binding_message");
    let nobody = [("scope", "openid"), ("login_hint", "nobody@people.example")];
    till.post("/backchannel/authorize", &nobody).await.ok();
    post.stays_empty().await;
}

#[tokio::test]
async fn mail_about_questions_is_bounded_and_can_be_turned_off() {
    let post = PostOffice::open().await;
    let with = |more: &str| {
        let fragment = format!("most_waiting_per_user = 100\n{more}{}", post.config);
        async move { Elsewhere::with(Database::Sqlite, &fragment).await }
    };
    let town = with("").await;
    let till = town.client("till");
    for _ in 0..21 {
        town.ask_alice(&till, &[]).await.ok();
    }
    for _ in 0..20 {
        post.mail().await;
    }
    post.stays_empty().await;
    let town = with("mail = false\n").await;
    town.ask_alice(&town.client("till"), &[]).await.ok();
    post.stays_empty().await;
}

//! The device flow (RFC 8628), from the device's side and from its user's.

use serde_json::json;
use tests::{Authentication, Client, Database, House, on_both_databases, unverified_claims};

use crate::elsewhere::{CIBA, DEVICE_CODE, Elsewhere, INTERVAL};

on_both_databases! {
    a_device_gets_what_its_user_allows,
    a_no_is_told_to_the_device_and_stays_a_no,
    whoever_asks_too_often_must_slow_down_for_good,
    of_many_polls_at_once_one_gets_the_tokens,
    of_two_answers_at_once_one_counts,
    what_was_approved_dies_with_its_consent,
}

async fn a_device_gets_what_its_user_allows(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, tv) = (&town.house, town.client("tv"));
    let asked = town.tv_asks().await;
    house.told("authorization.device", "granted").await;
    assert_eq!((asked.header("cache-control"), &asked.json["interval"]), ("no-store", &json!(INTERVAL)));
    assert_eq!(asked.json["expires_in"], 600);
    assert_eq!(asked.text("verification_uri"), house.url("/device"));
    let (code, complete) = (asked.text("user_code"), asked.text("verification_uri_complete"));
    assert_eq!(complete, format!("{}?user_code={code}", house.url("/device")));
    assert!(asked.text("device_code").len() >= 43);
    let before = house.events().await.len();
    town.poll_device(&tv, &asked).await.refused("authorization_pending");
    assert_eq!(house.events().await.len(), before, "to ask decides nothing");

    let alice = house.signed_in("alice").await;
    let written = code.to_lowercase().replace('-', "%20");
    let page = alice.page(&format!("/device?user_code={written}")).await;
    for words in
        [code, "The television", "See your orders", "Allow this only if you started it yourself", "127.0.0.1"]
    {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
    let done = page.approve(|_| {}).await.page();
    assert!(done.path == "/device" && done.html.contains("device-answered"), "{}", done.text());
    let told = house.told("consent.decide", "granted").await;
    assert_eq!((&told["client"], &told["actor"]), (&json!("tv"), &json!("tv")));

    let tokens = town.poll_device(&tv, &asked).await.ok();
    assert_eq!(tokens.header("cache-control"), "no-store");
    assert_eq!(tokens.claims()["client_id"], "tv");
    assert_eq!(tokens.claims()["scope"], "openid orders:read");
    assert!(tokens.json.get("refresh_token").is_none());
    let id_token = unverified_claims(tokens.text("id_token"));
    assert_eq!((&id_token["aud"], &id_token["sub"]), (&json!("tv"), &tokens.claims()["sub"]));
    let told = house.told("token.device_code", "granted").await;
    assert_eq!(told["token"], tokens.claims()["jti"]);
    assert!(house.is_active(tokens.access_token()).await);

    town.poll_device(&tv, &asked).await.refused("invalid_grant");
    assert!(house.is_active(tokens.access_token()).await);
    assert_eq!(alice.page(&format!("/device?user_code={code}")).await.status, 400, "a code is used once");
}

async fn a_no_is_told_to_the_device_and_stays_a_no(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, tv, asked) = (&town.house, town.client("tv"), town.tv_asks().await);
    let alice = house.signed_in("alice").await;
    let page = alice.page(&format!("/device?user_code={}", asked.text("user_code"))).await;
    assert!(page.deny().await.page().html.contains("device-answered"));
    let told = house.told("consent.decide", "access_denied").await;
    assert_eq!(told["client"], "tv");
    for _ in 0..2 {
        town.poll_device(&tv, &asked).await.refused("access_denied");
        house.told("token.device_code", "access_denied").await;
    }
    let late = page.approve(|_| {}).await.page();
    assert_eq!(late.status, 400, "{}", late.text());
    town.poll_device(&tv, &asked).await.refused("access_denied");
}

async fn whoever_asks_too_often_must_slow_down_for_good(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, tv, asked) = (&town.house, town.client("tv"), town.tv_asks().await);
    town.poll_device(&tv, &asked).await.refused("authorization_pending");
    town.poll_device(&tv, &asked).await.refused("slow_down");
    house.later(INTERVAL);
    town.poll_device(&tv, &asked).await.refused("slow_down");
    house.later(INTERVAL + 10);
    town.poll_device(&tv, &asked).await.refused("authorization_pending");
    // Once there is an answer, nobody waits for it.
    let alice = house.signed_in("alice").await;
    alice.page(&format!("/device?user_code={}", asked.text("user_code"))).await.approve(|_| {}).await.page();
    town.poll_device(&tv, &asked).await.ok();
}

async fn of_many_polls_at_once_one_gets_the_tokens(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, tv, asked) = (&town.house, town.client("tv"), town.tv_asks().await);
    let alice = house.signed_in("alice").await;
    alice.page(&format!("/device?user_code={}", asked.text("user_code"))).await.approve(|_| {}).await.page();
    let polls: Vec<_> = (0..10)
        .map(|_| {
            let (tv, code) = (tv.clone(), asked.text("device_code").to_owned());
            tokio::spawn(
                async move { tv.token(&[("grant_type", DEVICE_CODE), ("device_code", &code)]).await },
            )
        })
        .collect();
    let mut won = Vec::new();
    for poll in polls {
        let answer = poll.await.unwrap();
        if answer.status == 200 { won.push(answer) } else { drop(answer.refused("invalid_grant")) }
    }
    assert_eq!(won.len(), 1);
    assert!(house.is_active(won[0].access_token()).await, "whoever was late takes nothing away");
}

async fn of_two_answers_at_once_one_counts(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, tv, asked) = (&town.house, town.client("tv"), town.tv_asks().await);
    let path = format!("/device?user_code={}", asked.text("user_code"));
    let (alice, bob) = (house.signed_in("alice").await, house.signed_in("bob").await);
    let (hers, his) = (alice.page(&path).await, bob.page(&path).await);
    let (yes, no) = tokio::join!(hers.approve(|_| {}), his.deny());
    let told = [yes.page(), no.page()].map(|page| page.html.contains("device-answered"));
    assert_eq!(told.iter().filter(|told| **told).count(), 1, "{told:?}");
    let answer = town.poll_device(&tv, &asked).await;
    if told[0] {
        drop(answer.ok())
    } else {
        drop(answer.refused("access_denied"))
    }
    let decided = house.events().await;
    let decided = decided.iter().filter(|event| event.event.action == protocol::audit::Action::ConsentDecide);
    assert_eq!(decided.count(), 1);
}

async fn what_was_approved_dies_with_its_consent(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, tv) = (&town.house, town.client("tv"));
    let alice = house.signed_in("alice").await;
    for redeemed in [true, false] {
        let asked = town.tv_asks().await;
        let path = format!("/device?user_code={}", asked.text("user_code"));
        alice.page(&path).await.approve(|_| {}).await.page();
        let tokens = if redeemed { Some(town.poll_device(&tv, &asked).await.ok()) } else { None };
        let account = alice.page("/account").await;
        account.submit(&account.form_to("/account/consents/end"), None).await.page();
        match tokens {
            Some(tokens) => assert!(!house.is_active(tokens.access_token()).await),
            None => drop(town.poll_device(&tv, &asked).await.refused("invalid_grant")),
        }
    }
}

#[tokio::test]
async fn what_a_device_got_outlives_the_browser_in_which_it_was_allowed() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, tv, asked) = (&town.house, town.client("tv"), town.tv_asks().await);
    let alice = house.signed_in("alice").await;
    alice.page(&format!("/device?user_code={}", asked.text("user_code"))).await.approve(|_| {}).await.page();
    let tokens = town.poll_device(&tv, &asked).await.ok();
    let page = alice.page("/logout").await;
    page.submit(&page.form(), None).await;
    assert!(house.is_active(tokens.access_token()).await);
}

#[tokio::test]
async fn what_is_over_is_told_as_expired() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, tv, asked) = (&town.house, town.client("tv"), town.tv_asks().await);
    let alice = house.signed_in("alice").await;
    let page = alice.page(&format!("/device?user_code={}", asked.text("user_code"))).await;
    house.later(601);
    town.poll_device(&tv, &asked).await.refused("expired_token");
    house.told("token.device_code", "expired_token").await;
    let late = page.approve(|_| {}).await.page();
    assert_eq!((late.status, late.html.contains("id=\"user-code\"")), (400, true), "{}", late.text());
    town.poll_device(&tv, &asked).await.refused("expired_token");
}

#[tokio::test]
async fn a_code_is_its_devices_alone_and_for_its_grant_type_alone() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, asked) = (&town.house, town.tv_asks().await);
    let code = asked.text("device_code");
    let agent = town.client("agent-d");
    town.poll_device(&agent, &asked).await.refused("invalid_grant");
    agent.token(&[("grant_type", CIBA), ("auth_req_id", code)]).await.refused("invalid_grant");
    let alice = house.signed_in("alice").await;
    alice.page(&format!("/device?user_code={}", asked.text("user_code"))).await.approve(|_| {}).await.page();
    town.poll_device(&agent, &asked).await.refused("invalid_grant");
    // Nor is it an authorization code, whatever it is kept as.
    let shop = house.client("shop");
    shop.token(&[("grant_type", "authorization_code"), ("code", code)]).await.refused("invalid_grant");
    for wrong in ["", "pdc_nothing", &code[1..]] {
        let poll = [("grant_type", DEVICE_CODE), ("device_code", wrong)];
        let expected = if wrong.is_empty() { "invalid_request" } else { "invalid_grant" };
        town.client("tv").token(&poll).await.refused(expected);
    }
    town.poll_device(&town.client("tv"), &asked).await.ok();
}

#[tokio::test]
async fn what_cannot_be_asked_for_gets_no_code() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, tv) = (&town.house, town.client("tv"));
    for (params, code) in [
        (&[("scope", "orders:delete")][..], "invalid_scope"),
        (&[("scope", "")], "invalid_scope"),
        (&[("scope", "openid"), ("scope", "openid")], "invalid_request"),
        (&[("scope", "orders:read"), ("resource", "https://elsewhere.example")], "invalid_target"),
        (&[("authorization_details", "[{\"type\":\"nothing\"}]")], "invalid_authorization_details"),
        (&[("scope", "orders:read"), ("requested_actor", "nobody")], "invalid_request"),
    ] {
        tv.post("/device_authorization", params).await.refused(code);
        house.told("authorization.device", code).await;
    }
    tv.post("/device_authorization", &[("scope", "openid"), ("zz", "1"), ("nonce", "")]).await.ok();
    let asks = [("scope", "openid orders:read")];
    house.client("web").post("/device_authorization", &asks).await.refused("unauthorized_client");
    let wrong = house.client("web").authenticating(Authentication::Basic("wrong".into()));
    wrong.post("/device_authorization", &asks).await.refused("invalid_client");
    let nobody = Client::new(house.door(), "nobody", Authentication::None);
    nobody.post("/device_authorization", &asks).await.refused("invalid_client");
    assert_eq!(house.send(house.request("GET", "/device_authorization")).await.status, 405);
    // Who authenticates asks with credentials, every time.
    let asked = town.client("agent-d").post("/device_authorization", &asks).await.ok();
    let bare = Client::new(house.door(), "agent-d", Authentication::None);
    town.poll_device(&bare, &asked).await.refused("invalid_client");
}

#[tokio::test]
async fn codes_are_not_guessed() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, asked) = (&town.house, town.tv_asks().await);
    let right = format!("/device?user_code={}", asked.text("user_code"));
    // Who is not signed in learns nothing, and comes back to the same place.
    let nobody = house.person();
    for path in [right.as_str(), "/device?user_code=BBBB-BBBB"] {
        let page = nobody.page(path).await;
        assert!(page.path.starts_with("/sign-in") && !page.text().contains("television"), "{}", page.path);
    }
    let page = nobody.page(&right).await.sign_in("alice", &tests::password_of("alice")).await.page();
    assert!(
        page.path.starts_with("/device?user_code=") && page.text().contains("The television"),
        "{}",
        page.path
    );

    let bob = house.signed_in("bob").await;
    for guess in 0..10 {
        let page = bob.page("/device?user_code=BBBB-BBBB").await;
        assert_eq!(page.status, 400, "{guess}");
        assert!(page.html.contains("error-summary"));
    }
    house.told("authorization.device", "access_denied").await;
    for path in ["/device?user_code=BBBB-BBBB", right.as_str()] {
        assert_eq!(bob.page(path).await.status, 429, "the right one is not told apart");
    }
}

#[tokio::test]
async fn nothing_is_allowed_without_a_click_in_our_own_form() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, tv, asked) = (&town.house, town.client("tv"), town.tv_asks().await);
    let alice = house.signed_in("alice").await;
    let path = format!("/device?user_code={}", asked.text("user_code"));
    let page = alice.page(&path).await;
    alice.page(&path).await;
    town.poll_device(&tv, &asked).await.refused("authorization_pending");
    for (token, status) in [("", 403), ("x", 400)] {
        let again = page
            .approve(|form| {
                form.fill("csrf", token);
            })
            .await
            .page();
        assert_eq!(again.status, status, "{}", again.text());
        assert_eq!(again.text().contains("did not come from this site"), token.is_empty());
    }
    let form = page.form();
    let mut fields = form.fields.clone();
    fields.push(("decision".into(), "approve".into()));
    let foreign = house.request("POST", "/device").form(&fields).header("Cookie", alice.cookie_header());
    let foreign = foreign.header("Sec-Fetch-Site", "cross-site").header("Origin", "https://evil.example");
    assert_eq!(house.send(foreign).await.status, 403);
    // Nobody answers who is not signed in, or was not shown the question.
    assert!(house.person().post("/device", &fields).await.page().path.starts_with("/sign-in"));
    let bob = house.signed_in("bob").await;
    let csrf = bob.page("/logout").await.form().value("csrf").to_owned();
    let unseen: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.clone(), if name == "csrf" { csrf.clone() } else { value.clone() }))
        .collect();
    assert_eq!(bob.post("/device", &unseen).await.page().status, 400);
    assert!(!house.events().await.iter().any(|event| event.event.consent.is_some()));
    house.later(INTERVAL + 10);
    town.poll_device(&tv, &asked).await.refused("authorization_pending");
}

#[tokio::test]
async fn an_agent_on_a_device_acts_by_its_own_key_and_has_a_task() {
    let town = Elsewhere::on(Database::Sqlite).await;
    let (house, agent) = (&town.house, town.client("agent-d"));
    let details = json!([{ "type": "agent_task", "actions": ["refund"], "purpose": "Refund order 4711",
        "locations": [tests::ORDERS] }]);
    let asks = [
        ("scope", "orders:read orders:write offline_access"),
        ("authorization_details", &details.to_string()),
    ];
    let asked = agent.post("/device_authorization", &asks).await.ok();
    let alice = house.signed_in("alice").await;
    let page = alice.page(&format!("/device?user_code={}", asked.text("user_code"))).await;
    for words in ["agent-d the agent", "Refund order 4711", "Asks first.", "Bob Brandt answers for it"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    page.approve(|form| {
        form.untick("scope", "orders:write");
    })
    .await
    .page();
    let other_key = town.client("agent-d");
    town.poll_device(&other_key, &asked).await.refused("invalid_grant");
    town.poll_device(&agent.clone().without_dpop(), &asked).await.refused("invalid_grant");
    let tokens = town.poll_device(&agent, &asked).await.ok();
    let claims = tokens.claims();
    assert_eq!((&claims["act"]["sub"], &claims["scope"]), (&json!("agent-d"), &json!("orders:read")));
    assert_eq!(claims["cnf"]["jkt"], json!(agent.dpop.as_ref().unwrap().thumbprint()));
    assert!(claims["txn"].is_string() || claims["task"].is_object(), "{claims}");
    assert_eq!(tokens.json["authorization_details"], details);
    let again = agent.refresh(tokens.text("refresh_token"), &[]).await.ok();
    assert_eq!(again.claims()["act"]["sub"], "agent-d");
}

#[tokio::test]
async fn whoever_was_stopped_meanwhile_gets_nothing() {
    for what in ["id = \"tv\"", "username = \"alice\""] {
        let mut town = Elsewhere::on(Database::Sqlite).await;
        let (tv, asked) = (town.client("tv"), town.tv_asks().await);
        let alice = town.house.signed_in("alice").await;
        let page = alice.page(&format!("/device?user_code={}", asked.text("user_code"))).await;
        page.approve(|_| {}).await.page();
        drop((tv, alice, page));
        town.house.restart_changed(|config| without_entry(&config, what)).await;
        let answer = town.poll_device(&town.client("tv"), &asked).await;
        let expected = if what.starts_with("id") { "invalid_client" } else { "invalid_grant" };
        answer.refused(expected);
    }
}

/// The configuration without the declared thing that says this of itself.
fn without_entry(config: &str, line: &str) -> String {
    let mut kept = String::new();
    for (index, entry) in config.split("\n[[").enumerate() {
        if index > 0 && !entry.lines().any(|known| known == line) {
            kept.push_str("\n[[");
        }
        if index == 0 || !entry.lines().any(|known| known == line) {
            kept.push_str(entry);
        }
    }
    assert_ne!(kept, config);
    kept
}

#[tokio::test]
async fn the_page_asks_for_a_code_and_leads_on() {
    let house = House::open().await;
    let alice = house.signed_in("alice").await;
    let page = alice.page("/device").await;
    assert!(page.html.contains("id=\"user-code\"") && page.html.contains("id=\"device-submit\""));
    assert_eq!(alice.page("/device?user_code=nonsense").await.status, 400);
}

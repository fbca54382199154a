//! Codes (RFC 6749 §4.1.3, RFC 7636, RFC 9700 §2.1).

use tests::{Code, Database, House, ORDERS, on_both_databases, unverified_claims};

on_both_databases! {
    a_code_becomes_tokens_once,
    a_second_redemption_ends_what_the_first_one_got,
    of_many_redemptions_at_once_one_wins,
    a_code_is_over_after_its_life,
}

async fn code_for_shop(house: &House) -> Code {
    let shop = house.client("shop");
    let ask = house.ask(&shop).scope("openid offline_access orders:read").with("nonce", "n-1");
    ask.approved_by(&house.signed_in("alice").await).await
}

async fn a_code_becomes_tokens_once(database: Database) {
    let house = House::on(database).await;
    let answer = code_for_shop(&house).await.redeem(&house.client("shop")).await.ok();
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.text("token_type"), "Bearer");
    assert!((1..=300).contains(&answer.json["expires_in"].as_i64().unwrap()));
    let claims = answer.claims();
    assert_eq!((claims["client_id"].as_str(), claims["iss"].as_str()), (Some("shop"), Some(house.issuer())));
    assert_eq!(claims["sub_profile"], "user");
    assert!(claims.get("act").is_none() && claims.get("cnf").is_none(), "{claims}");
    let id_token = unverified_claims(answer.text("id_token"));
    assert_eq!((&id_token["aud"], &id_token["nonce"]), (&"shop".into(), &"n-1".into()));
    assert_eq!(id_token["sub"], claims["sub"]);
    let event = house.told("token.authorization_code", "granted").await;
    assert_eq!((&event["client"], &event["user"]), (&claims["client_id"], &claims["sub"]));
    assert_eq!(event["token"], claims["jti"]);
    assert!(!serde_json::to_string(&house.events().await).unwrap().contains(answer.access_token()));
}

async fn a_second_redemption_ends_what_the_first_one_got(database: Database) {
    let house = House::on(database).await;
    let (shop, code) = (house.client("shop"), code_for_shop(&house).await);
    let first = code.redeem(&shop).await.ok();
    assert!(house.is_active(first.access_token()).await);
    code.redeem(&shop).await.refused("invalid_grant");
    house.told("token.authorization_code", "invalid_grant").await;
    assert!(!house.is_active(first.access_token()).await);
    shop.refresh(first.text("refresh_token"), &[]).await.refused("invalid_grant");
}

async fn of_many_redemptions_at_once_one_wins(database: Database) {
    let house = House::on(database).await;
    let (shop, code) = (house.client("shop"), code_for_shop(&house).await);
    let attempts: Vec<_> = (0..10)
        .map(|_| {
            let (shop, code) = (shop.clone(), code.clone());
            tokio::spawn(async move { code.redeem(&shop).await })
        })
        .collect();
    let mut won = Vec::new();
    for attempt in attempts {
        let answer = attempt.await.unwrap();
        if answer.status == 200 { won.push(answer) } else { drop(answer.refused("invalid_grant")) }
    }
    assert_eq!(won.len(), 1);
    assert!(!house.is_active(won[0].access_token()).await);
}

async fn a_code_is_over_after_its_life(database: Database) {
    let house = House::on(database).await;
    let code = code_for_shop(&house).await;
    house.later(61);
    code.redeem(&house.client("shop")).await.refused("invalid_grant");
    house.told("token.authorization_code", "invalid_grant").await;
}

#[tokio::test]
async fn a_code_is_over_with_its_consent() {
    let house = House::open().await;
    let code = code_for_shop(&house).await;
    let alice = house.signed_in("alice").await;
    let page = alice.page("/account").await;
    page.submit(&page.form_to("/account/consents/end"), None).await.page();
    code.redeem(&house.client("shop")).await.refused("invalid_grant");
    house.told("token.authorization_code", "invalid_grant").await;
}

#[tokio::test]
async fn the_verifier_must_be_the_one_of_the_challenge() {
    let house = House::open().await;
    let (shop, code) = (house.client("shop"), code_for_shop(&house).await);
    let without: Vec<_> = code.params().into_iter().filter(|(name, _)| *name != "code_verifier").collect();
    shop.token(&without).await.refused("invalid_grant");
    let wrong = Code { verifier: tests::random(), ..code.clone() };
    wrong.redeem(&shop).await.refused("invalid_grant");
    house.told("token.authorization_code", "invalid_grant").await;
    code.redeem(&shop).await.ok();
}

#[tokio::test]
async fn a_verifier_without_a_challenge_is_refused() {
    let house = House::open().await;
    let web = house.client("web");
    let ask = house.ask(&web).scope("openid").with("nonce", "n");
    let ask = ask.without("code_challenge").without("code_challenge_method");
    let code = ask.approved_by(&house.signed_in("alice").await).await;
    let answer = code.redeem(&web).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    let without: Vec<_> = code.params().into_iter().filter(|(name, _)| *name != "code_verifier").collect();
    web.token(&without).await.ok();
}

#[tokio::test]
async fn without_pkce_the_redirect_uri_must_be_said_again() {
    let house = House::open().await;
    let web = house.client("web");
    let ask = house.ask(&web).scope("openid").with("nonce", "n");
    let ask = ask.without("code_challenge").without("code_challenge_method");
    let code = ask.approved_by(&house.signed_in("alice").await).await;
    web.token(&[("grant_type", "authorization_code"), ("code", &code.code)]).await.refused("invalid_grant");
}

#[tokio::test]
async fn the_redirect_uri_must_be_the_same() {
    let house = House::open().await;
    let (shop, code) = (house.client("shop"), code_for_shop(&house).await);
    let elsewhere = Code { redirect_uri: "http://127.0.0.1/other".into(), ..code.clone() };
    elsewhere.redeem(&shop).await.refused("invalid_grant");
    house.told("token.authorization_code", "invalid_grant").await;
    code.redeem(&shop).await.ok();
}

#[tokio::test]
async fn after_three_wrong_attempts_the_code_is_dead() {
    let house = House::open().await;
    let (shop, code) = (house.client("shop"), code_for_shop(&house).await);
    for _ in 0..3 {
        let wrong = Code { verifier: tests::random(), ..code.clone() };
        wrong.redeem(&shop).await.refused("invalid_grant");
    }
    code.redeem(&shop).await.refused("invalid_grant");
}

#[tokio::test]
async fn another_client_gets_nothing_for_it_and_harms_nothing() {
    let house = House::open().await;
    let code = code_for_shop(&house).await;
    for _ in 0..5 {
        code.redeem(&house.client("web")).await.refused("invalid_grant");
    }
    let event = house.told("token.authorization_code", "invalid_grant").await;
    assert_eq!(event["client"], "web");
    code.redeem(&house.client("shop")).await.ok();
}

#[tokio::test]
async fn a_code_for_a_key_is_for_that_key() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop").with_dpop(), house.signed_in("alice").await);
    let jkt = shop.dpop.as_ref().unwrap().thumbprint();
    let code = house.ask(&shop).scope("orders:read").with("dpop_jkt", &jkt).approved_by(&alice).await;
    code.redeem(&house.client("shop")).await.refused("invalid_grant");
    code.redeem(&house.client("shop").with_dpop()).await.refused("invalid_grant");
    let answer = code.redeem(&shop).await.ok();
    assert_eq!(answer.text("token_type"), "DPoP");
    assert_eq!(answer.claims()["cnf"]["jkt"], jkt);
}

#[tokio::test]
async fn the_token_request_may_choose_the_resource_and_nothing_that_was_not_approved() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let ask = house.ask(&shop).scope("orders:read inventory:read");
    let code = ask.approved_by(&alice).await;
    let with = |resource| [code.params(), vec![("resource", resource)]].concat();
    code.redeem(&shop).await.refused("invalid_target");
    shop.token(&with("https://elsewhere.example")).await.refused("invalid_target");
    let claims = shop.token(&with(ORDERS)).await.ok().claims();
    assert_eq!((&claims["aud"], &claims["scope"]), (&ORDERS.into(), &"orders:read".into()));
}

#[tokio::test]
async fn an_agent_that_asked_itself_is_the_actor_at_once() {
    let house = House::open().await;
    let agent = house.client("agent-a");
    let code = house.ask(&agent).scope("orders:read").approved_by(&house.signed_in("alice").await).await;
    code.redeem(&agent.clone().without_dpop()).await.refused("invalid_request");
    let claims = code.redeem(&agent).await.ok().claims();
    assert_eq!(claims["act"]["sub"], "agent-a");
    assert_eq!(claims["act"]["sub_profile"], "ai_agent");
    assert!(claims["txn"].is_string() && claims["task"]["id"].is_string(), "{claims}");
}

#[tokio::test]
async fn what_an_application_gets_for_an_agent_is_for_that_agent_alone() {
    let house = House::open().await;
    let agent = house.client("agent-a");
    let token = house.token_for(&agent, "orders:read").await;
    let claims = unverified_claims(&token);
    assert_eq!((&claims["aud"], &claims["may_act"]["sub"]), (&"agent-a".into(), &"agent-a".into()));
    assert!(claims.get("act").is_none(), "{claims}");
    assert_eq!(house.client("orders-api").introspect(&token).await.ok().json["active"], false);
    // It names who may act and says nothing about validity, and introspection tells the same.
    let may_act = claims["may_act"].as_object().unwrap();
    for name in ["exp", "nbf", "iat", "aud", "scope"] {
        assert!(!may_act.contains_key(name), "{name}: {claims}");
    }
    assert_eq!(may_act["iss"], house.issuer());
    let told = house.client("agent-a").introspect(&token).await.ok();
    assert_eq!((&told.json["active"], &told.json["may_act"]), (&true.into(), &claims["may_act"]));
}

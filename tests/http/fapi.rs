//! What a FAPI 2.0 client must do, and what is done differently for it.

use tests::{Arrival, Database, House, on_both_databases};

use crate::rp::{self, open, query};

on_both_databases! { a_refresh_token_stays_as_it_is }

async fn a_refresh_token_stays_as_it_is(database: Database) {
    let (house, client, _) = rp::house(database, "profile = \"fapi2\"").await;
    let client = client.with_dpop();
    let alice = house.signed_in("alice").await;
    let ask = house.ask(&client).scope("openid offline_access").with("nonce", "n");
    let first = ask.pushed(&client).await.approved_by(&alice).await.redeem(&client).await.ok();
    for _ in 0..3 {
        let again = client.refresh(first.text("refresh_token"), &[]).await.ok();
        assert!(again.json.get("refresh_token").is_none(), "{}", again.body);
        house.told("token.refresh", "granted").await;
        house.later(31);
    }
    client.without_dpop().refresh(first.text("refresh_token"), &[]).await.refused("invalid_request");
}

#[tokio::test]
async fn its_requests_are_pushed_with_a_challenge_and_a_redirect_uri() {
    let (house, client, _) = open("profile = \"fapi2\"").await;
    let client = client.with_dpop();
    let alice = house.signed_in("alice").await;
    let ask = || house.ask(&client).scope("openid").with("nonce", "n");
    // Not without PAR.
    let told = query(ask().brought_by(&alice).await);
    assert_eq!((told["error"].as_str(), told["iss"].as_str()), ("invalid_request", house.issuer()));
    house.told("authorization.request", "invalid_request").await;
    let unnamed = ask().without("redirect_uri");
    assert!(matches!(unnamed.brought_by(&alice).await, Arrival::Page(page) if page.status == 400));
    for wrong in [
        unnamed,
        ask().without("code_challenge").without("code_challenge_method"),
        ask().without("code_challenge_method").with("code_challenge_method", "plain"),
        ask().with("response_mode", "zz"),
    ] {
        client.push(&wrong.params()).await.refused("invalid_request");
        house.told("authorization.push", "invalid_request").await;
    }
    let pushed = client.push(&ask().params()).await.ok();
    assert!(pushed.json["expires_in"].as_i64().unwrap() < 600);
}

#[tokio::test]
async fn lives_are_short_whatever_the_settings_say() {
    let members = "setting: code_life = \"10m\"\nsetting: pushed_request_life = \"10m\"\nprofile = \"fapi2\"";
    let (house, client, _) = open(members).await;
    let client = client.with_dpop();
    let alice = house.signed_in("alice").await;
    let ask = || house.ask(&client).scope("openid").with("nonce", "n");
    assert_eq!(client.push(&ask().params()).await.ok().json["expires_in"], 599);
    let code = ask().pushed(&client).await.approved_by(&alice).await;
    house.later(61);
    code.redeem(&client).await.refused("invalid_grant");
    // Others have what the settings say.
    let web = house.client("web");
    let code = house.ask(&web).scope("openid").approved_by(&alice).await;
    house.later(61);
    code.redeem(&web).await.ok();
    assert_eq!(web.push(&house.ask(&web).scope("openid").params()).await.ok().json["expires_in"], 600);
}

#[tokio::test]
async fn a_reference_is_used_up_by_an_answer_of_either_kind_and_not_by_a_look() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let ask = house.ask(&web).scope("orders:read").pushed(&web).await;
    ask.brought_by(&alice).await.page();
    let page = ask.brought_by(&alice).await.page();
    let other = ask.brought_by(&alice).await.page();
    assert_eq!(query(page.deny().await)["error"], "access_denied");
    let page = other.approve(|_| {}).await.page();
    assert_eq!(page.status, 400);
    assert!(page.text().contains("invalid_request_uri"), "{}", page.text());
}

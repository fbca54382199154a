//! What an attested instance asked for itself is brought to it and to no other of the same agent.

use std::sync::Arc;

use serde_json::json;
use tests::{Client, Database, Key, ORDERS, on_both_databases};

use super::attestation::Site;
use crate::elsewhere::{CIBA, DEVICE_CODE, question};

on_both_databases! {
    a_code_of_a_pushed_request_is_the_pushing_instances_alone,
    a_code_of_an_ended_instances_request_is_never_given,
    a_code_of_a_request_that_a_browser_brought_is_any_instances,
    a_device_code_is_the_asking_instances_alone,
    an_auth_req_id_is_the_asking_instances_alone,
}

/// Two instances of `worker`, with one DPoP key: only the attested keys tell them apart.
async fn two(site: &Site) -> ([Client; 2], [Arc<Key>; 2]) {
    let keys = [(); 2].map(|()| Arc::new(Key::generate()));
    let (first, mut second) = (site.instance(&keys[0]).await, site.instance(&keys[1]).await);
    second.dpop.clone_from(&first.dpop);
    ([first, second], keys)
}

async fn a_code_of_a_pushed_request_is_the_pushing_instances_alone(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let ([first, second], [key, other]) = two(&site).await;
    let ask = house.ask(&first).scope("orders:read").resource(ORDERS).pushed(&first).await;
    let code = ask.approved_by(&house.signed_in("alice").await).await;
    code.redeem(&second).await.refused("invalid_grant");
    let told = house.told("token.authorization_code", "invalid_grant").await;
    assert_eq!(told["instance"], json!(other.thumbprint()));
    // It is not used up by that, and the same key under a new attestation is the same instance.
    let mut again = site.instance(&key).await;
    again.dpop.clone_from(&first.dpop);
    let got = code.redeem(&again).await.ok();
    assert_eq!(got.claims()["act"]["instance"], json!(key.thumbprint()));
    house.told("token.authorization_code", "granted").await;
}

async fn a_code_of_an_ended_instances_request_is_never_given(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let ([first, _], [key, _]) = two(&site).await;
    let alice = house.signed_in("alice").await;
    let ask = house.ask(&first).scope("orders:read").resource(ORDERS).pushed(&first).await;
    let page = ask.brought_by(&alice).await.page();
    site.end("worker", &key.thumbprint()).await;
    let answer = page.approve(|_| {}).await.page();
    assert_eq!(answer.status, 400, "{}", answer.text());
    first.own_token("orders:read", ORDERS).await.refused("invalid_client");
}

async fn a_code_of_a_request_that_a_browser_brought_is_any_instances(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let ([first, second], [_, other]) = two(&site).await;
    let ask = house.ask(&first).scope("orders:read").resource(ORDERS);
    let code = ask.approved_by(&house.signed_in("alice").await).await;
    let got = code.redeem(&second).await.ok();
    assert_eq!(got.claims()["act"]["instance"], json!(other.thumbprint()));
}

async fn a_device_code_is_the_asking_instances_alone(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let ([first, second], [key, _]) = two(&site).await;
    let asked = first.post("/device_authorization", &[("scope", "openid orders:read")]).await.ok();
    let device_code = asked.text("device_code");
    let params = [("grant_type", DEVICE_CODE), ("device_code", device_code)];
    second.token(&params).await.refused("invalid_grant");
    let alice = house.signed_in("alice").await;
    let page = alice.page(&format!("/device?user_code={}", asked.text("user_code"))).await;
    page.approve(|_| {}).await.page();
    second.token(&params).await.refused("invalid_grant");
    house.told("token.device_code", "invalid_grant").await;
    let got = first.token(&params).await.ok();
    assert_eq!(got.claims()["act"]["instance"], json!(key.thumbprint()));
}

async fn an_auth_req_id_is_the_asking_instances_alone(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let ([first, second], [key, _]) = two(&site).await;
    let asks = [("scope", "openid orders:read"), ("login_hint", "alice")];
    let asked = first.post("/backchannel/authorize", &asks).await.ok();
    let params = [("grant_type", CIBA), ("auth_req_id", asked.text("auth_req_id"))];
    second.token(&params).await.refused("invalid_grant");
    question(&house.signed_in("alice").await).await.approve(|_| {}).await.page();
    second.token(&params).await.refused("invalid_grant");
    house.told("token.ciba", "invalid_grant").await;
    let got = first.token(&params).await.ok();
    assert_eq!(got.claims()["act"]["instance"], json!(key.thumbprint()));
}

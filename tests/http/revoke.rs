//! Revocation (RFC 7009).

use tests::{Database, House, ORDERS, on_both_databases};

on_both_databases! { a_client_ends_its_own_tokens }

async fn a_client_ends_its_own_tokens(database: Database) {
    let house = House::on(database).await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let code = house.ask(&web).scope("offline_access orders:read").approved_by(&alice).await;
    let first = code.redeem(&web).await.ok();
    let second = web.refresh(first.text("refresh_token"), &[]).await.ok();
    web.revoke(second.access_token()).await.ok();
    house.told("token.revoke", "granted").await;
    assert!(!house.is_active(second.access_token()).await);
    assert!(house.is_active(first.access_token()).await, "the others stay");
    web.revoke(first.text("refresh_token")).await.ok();
    assert!(!house.is_active(first.access_token()).await, "the family is over");
    web.refresh(first.text("refresh_token"), &[]).await.refused("invalid_grant");
    // Again, and what never was: no error.
    web.revoke(first.text("refresh_token")).await.ok();
    web.revoke("x").await.ok();
    web.post("/revoke", &[("token", "x"), ("token_type_hint", "nonsense")]).await.ok();
}

#[tokio::test]
async fn a_foreign_token_stays_as_it_is() {
    let house = House::open().await;
    let token = house.client("agent-a").own_token("orders:read", ORDERS).await.ok();
    let answer = house.client("agent-b").revoke(token.access_token()).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    house.told("token.revoke", "invalid_grant").await;
    assert!(house.is_active(token.access_token()).await);
    house
        .send(house.request("POST", "/revoke").form(&[("token", token.access_token())]))
        .await
        .refused("invalid_client");
    assert!(house.is_active(token.access_token()).await);
    house.client("agent-a").post("/revoke", &[]).await.refused("invalid_request");
}

#[tokio::test]
async fn a_public_client_ends_its_own_too() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let token = house.ask(&shop).scope("orders:read").approved_by(&alice).await.redeem(&shop).await.ok();
    shop.revoke(token.access_token()).await.ok();
    assert!(!house.is_active(token.access_token()).await);
}

#[tokio::test]
async fn guesses_here_count_like_those_at_the_token_endpoint() {
    let house = House::open_with("[limits]\nfailed_client_authentications_per_minute = 2\n").await;
    let wrong = house.client("web").authenticating(tests::Authentication::Basic("wrong".into()));
    for _ in 0..2 {
        wrong
            .post("/revoke", &[("token", "x"), ("token_type_hint", "refresh_token")])
            .await
            .refused("invalid_client");
    }
    house.client("web").revoke("x").await.refused("invalid_client");
    house.client("web").own_token("orders:read", ORDERS).await.refused("invalid_client");
    house.client("post").revoke("x").await.ok();
}

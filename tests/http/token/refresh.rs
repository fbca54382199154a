//! Refresh tokens (RFC 6749 §6, RFC 9700 §4.14, RFC 9449 §5).

use tests::{Answer, Client, Database, House, ORDERS, on_both_databases};

on_both_databases! {
    a_public_clients_token_is_replaced_at_each_use_and_its_reuse_ends_the_family,
    a_confidential_clients_token_stays,
    of_many_uses_at_once_one_wins_and_then_the_family_is_over,
}

async fn tokens(house: &House, client: &Client, scope: &str) -> Answer {
    let code = house.ask(client).scope(scope).approved_by(&house.signed_in("alice").await).await;
    code.redeem(client).await.ok()
}

async fn a_public_clients_token_is_replaced_at_each_use_and_its_reuse_ends_the_family(database: Database) {
    let house = House::on(database).await;
    let shop = house.client("shop");
    let first = tokens(&house, &shop, "offline_access orders:read").await;
    let second = shop.refresh(first.text("refresh_token"), &[]).await.ok();
    house.told("token.refresh", "granted").await;
    assert_ne!(first.text("refresh_token"), second.text("refresh_token"));
    let third = shop.refresh(second.text("refresh_token"), &[]).await.ok();
    assert!(house.is_active(third.access_token()).await);

    shop.refresh(first.text("refresh_token"), &[]).await.refused("invalid_grant");
    house.told("token.refresh", "invalid_grant").await;
    for token in [&first, &second, &third] {
        assert!(!house.is_active(token.access_token()).await);
    }
    shop.refresh(third.text("refresh_token"), &[]).await.refused("invalid_grant");
}

async fn a_confidential_clients_token_stays(database: Database) {
    let house = House::on(database).await;
    let web = house.client("web");
    let first = tokens(&house, &web, "offline_access orders:read").await;
    for _ in 0..3 {
        let again = web.refresh(first.text("refresh_token"), &[]).await.ok();
        assert!(again.json.get("refresh_token").is_none(), "{}", again.body);
        assert!(house.is_active(again.access_token()).await);
    }
}

async fn of_many_uses_at_once_one_wins_and_then_the_family_is_over(database: Database) {
    let house = House::on(database).await;
    let shop = house.client("shop");
    let first = tokens(&house, &shop, "offline_access orders:read").await;
    let uses: Vec<_> = (0..10)
        .map(|_| {
            let (shop, token) = (shop.clone(), first.text("refresh_token").to_owned());
            tokio::spawn(async move { shop.refresh(&token, &[]).await })
        })
        .collect();
    let mut won = Vec::new();
    for attempt in uses {
        let answer = attempt.await.unwrap();
        if answer.status == 200 { won.push(answer) } else { drop(answer.refused("invalid_grant")) }
    }
    assert_eq!(won.len(), 1);
    shop.refresh(won[0].text("refresh_token"), &[]).await.refused("invalid_grant");
    assert!(!house.is_active(won[0].access_token()).await);
}

#[tokio::test]
async fn there_is_one_only_where_the_user_approved_absence() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let answer = tokens(&house, &shop, "orders:read").await;
    assert!(answer.json.get("refresh_token").is_none(), "{}", answer.body);
    let ask = house.ask(&shop).scope("offline_access orders:read");
    let code = ask
        .approved_in_part(&alice, |form| {
            form.untick("offline_access", "yes");
        })
        .await;
    let answer = code.redeem(&shop).await.ok();
    assert!(answer.json.get("refresh_token").is_none(), "{}", answer.body);
    assert_eq!(answer.text("scope"), "orders:read");
}

#[tokio::test]
async fn a_narrower_token_does_not_narrow_the_next_one() {
    let house = House::open().await;
    let web = house.client("web");
    let first = tokens(&house, &web, "offline_access orders:read orders:write").await;
    let refresh_token = first.text("refresh_token");
    let narrow = web.refresh(refresh_token, &[("scope", "orders:read")]).await.ok();
    assert_eq!(narrow.claims()["scope"], "orders:read");
    let full = web.refresh(refresh_token, &[]).await.ok();
    assert_eq!(full.claims()["scope"], first.claims()["scope"]);
    web.refresh(refresh_token, &[("scope", "inventory:read")]).await.refused("invalid_scope");
    house.told("token.refresh", "invalid_scope").await;
    web.refresh(refresh_token, &[("resource", tests::INVENTORY)]).await.refused("invalid_target");
    assert_eq!(web.refresh(refresh_token, &[("resource", ORDERS)]).await.ok().claims()["aud"], ORDERS);
}

#[tokio::test]
async fn a_public_clients_bound_token_needs_its_key_and_is_not_replaced() {
    let house = House::open().await;
    let shop = house.client("shop").with_dpop();
    let first = tokens(&house, &shop, "offline_access orders:read").await;
    let refresh_token = first.text("refresh_token");
    house.client("shop").refresh(refresh_token, &[]).await.refused("invalid_grant");
    house.client("shop").with_dpop().refresh(refresh_token, &[]).await.refused("invalid_grant");
    for _ in 0..2 {
        let again = shop.refresh(refresh_token, &[]).await.ok();
        assert!(again.json.get("refresh_token").is_none(), "{}", again.body);
        assert_eq!(again.text("token_type"), "DPoP");
    }
}

#[tokio::test]
async fn it_is_good_for_nobody_else_for_nothing_else_and_not_for_ever() {
    let house = House::open().await;
    let web = house.client("web");
    let first = tokens(&house, &web, "offline_access orders:read").await;
    let refresh_token = first.text("refresh_token");
    house.client("post").refresh(refresh_token, &[]).await.refused("invalid_grant");
    house.client("shop").refresh(refresh_token, &[]).await.refused("invalid_grant");
    web.refresh(first.access_token(), &[]).await.refused("invalid_grant");
    web.refresh("prt_unknown", &[]).await.refused("invalid_grant");
    house.later(31 * 86_400);
    web.refresh(refresh_token, &[]).await.refused("invalid_grant");
}

#[tokio::test]
async fn an_agents_token_names_the_agent_after_a_refresh_too() {
    let house = House::open().await;
    let agent = house.client("agent-a");
    let first = tokens(&house, &agent, "offline_access orders:read").await;
    let again = agent.refresh(first.text("refresh_token"), &[]).await.ok().claims();
    assert_eq!(again["act"], first.claims()["act"]);
    assert_eq!(again["txn"], first.claims()["txn"]);
    agent.without_dpop().refresh(first.text("refresh_token"), &[]).await.refused("invalid_request");
}

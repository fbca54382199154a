//! Introspection (RFC 7662).

use serde_json::json;
use tests::{Database, House, INVENTORY, ORDERS, on_both_databases};

on_both_databases! { a_resource_server_learns_what_concerns_it }

async fn a_resource_server_learns_what_concerns_it(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let token = house.delegated_token(&agent, "orders:read").await;
    let answer = house.client("orders-api").introspect(token.access_token()).await.ok();
    assert_eq!(answer.header("cache-control"), "no-store");
    let claims = token.claims();
    for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "act", "cnf", "txn"] {
        assert_eq!(answer.json[name], claims[name], "{name}");
    }
    for name in ["id", "authority_hash"] {
        assert_eq!(answer.json["task"][name], claims["task"][name], "{name}");
    }
    assert_eq!((&answer.json["active"], &answer.json["token_type"]), (&true.into(), &"DPoP".into()));
    // Another resource server learns that there is nothing for it; the client itself sees its own.
    let other = house.client("inventory-api").introspect(token.access_token()).await.ok();
    assert_eq!(other.json, json!({ "active": false }));
    assert_eq!(
        house.client("agent-b").introspect(token.access_token()).await.ok().json,
        json!({ "active": false })
    );
    assert_eq!(agent.introspect(token.access_token()).await.ok().json["active"], true);
    agent.revoke(token.access_token()).await.ok();
    let over = house.client("orders-api").introspect(token.access_token()).await.ok();
    assert_eq!(over.body, r#"{"active":false}"#);
}

#[tokio::test]
async fn of_a_token_for_two_each_sees_its_own_part() {
    let house = House::open().await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let ask = house.ask(&agent).scope("orders:read inventory:read").resource(ORDERS).resource(INVENTORY);
    let code = ask.approved_by(&alice).await;
    let both = [code.params(), vec![("resource", ORDERS), ("resource", INVENTORY)]].concat();
    let token = agent.token(&both).await.ok();
    for (id, scope) in [("orders-api", "orders:read"), ("inventory-api", "inventory:read")] {
        assert_eq!(house.client(id).introspect(token.access_token()).await.ok().json["scope"], scope);
    }
}

#[tokio::test]
async fn what_is_no_live_token_is_inactive_and_no_more() {
    let house = House::open().await;
    let api = house.client("orders-api");
    let token = house.client("agent-a").own_token("orders:read", ORDERS).await.ok();
    let token = token.access_token();
    let bent = format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { 'Q' } else { 'A' });
    for text in ["x", "a.b.c", &bent, &format!("{token}."), &"x".repeat(19_000), "pat_x", "ä"] {
        assert_eq!(api.introspect(text).await.ok().body, r#"{"active":false}"#);
    }
    house.later(301);
    assert_eq!(api.introspect(token).await.ok().body, r#"{"active":false}"#);
    api.post("/introspect", &[]).await.refused("invalid_request");
    api.post("/introspect", &[("token", "x"), ("token", "y")]).await.refused("invalid_request");
    api.post("/introspect", &[("token", "x"), ("token_type_hint", "nonsense")]).await.ok();
}

#[tokio::test]
async fn a_public_client_and_a_stranger_learn_nothing() {
    let house = House::open().await;
    house.client("shop").introspect("x").await.refused("invalid_client");
    house.send(house.request("POST", "/introspect").form(&[("token", "x")])).await.refused("invalid_client");
}

#[tokio::test]
async fn an_opaque_token_says_the_same_when_asked() {
    let house = House::build(Database::Sqlite, |town| {
        town.replacen("name = \"The orders\"", "name = \"The orders\"\ntoken_format = \"opaque\"", 1)
    })
    .await;
    let token = house.client("agent-a").own_token("orders:read", ORDERS).await.ok();
    assert!(token.access_token().starts_with("pat_"));
    let told = house.client("orders-api").introspect(token.access_token()).await.ok().json;
    assert_eq!((&told["active"], &told["sub"]), (&true.into(), &"agent-a".into()));
}

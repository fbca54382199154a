//! A client's own tokens (RFC 6749 §4.4).

use tests::{Database, House, INVENTORY, ORDERS, on_both_databases};

on_both_databases! { an_agents_own_token_speaks_of_nobody_else }

async fn an_agents_own_token_speaks_of_nobody_else(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let answer = agent.own_token("orders:read", ORDERS).await.ok();
    let claims = answer.claims();
    assert_eq!((&claims["sub"], &claims["sub_profile"]), (&"agent-a".into(), &"ai_agent".into()));
    assert_eq!((&claims["aud"], &claims["scope"]), (&ORDERS.into(), &"orders:read".into()));
    assert_eq!(claims["cnf"]["jkt"], agent.dpop.as_ref().unwrap().thumbprint());
    assert!(claims.get("act").is_none(), "{claims}");
    assert!(answer.json.get("refresh_token").is_none());
    assert!(house.is_active(answer.access_token()).await);
    house.told("token.client_credentials", "granted").await;
}

#[tokio::test]
async fn a_service_needs_no_key_and_an_agent_does() {
    let house = House::open().await;
    let service = house.client("orders-api").without_dpop();
    assert_eq!(service.own_token("inventory:read", INVENTORY).await.ok().text("token_type"), "Bearer");
    let agent = house.client("agent-a").without_dpop();
    agent.own_token("orders:read", ORDERS).await.refused("invalid_request");
    house.told("token.client_credentials", "invalid_request").await;
}

#[tokio::test]
async fn what_is_not_its_own_is_refused() {
    let house = House::open().await;
    let agent = house.client("agent-a");
    for (scope, resource, code) in [
        ("orders:delete", ORDERS, "invalid_scope"),
        ("openid orders:read", ORDERS, "invalid_scope"),
        ("offline_access orders:read", ORDERS, "invalid_scope"),
        ("inventory:read", ORDERS, "invalid_scope"),
        ("orders:read", "https://elsewhere.example", "invalid_target"),
        ("orders:read", "not a uri", "invalid_target"),
    ] {
        let answer = agent.own_token(scope, resource).await;
        assert_eq!(answer.json["error"], code, "{scope} at {resource}: {}", answer.body);
        // What cannot even be read is told as such.
        let action = if resource == "not a uri" { "token.request" } else { "token.client_credentials" };
        house.told(action, code).await;
    }
    let details = r#"[{"type":"agent_task","actions":["read"]}]"#;
    let params = [("grant_type", "client_credentials"), ("authorization_details", details)];
    agent.token(&params).await.refused("invalid_authorization_details");
    let nowhere = [("grant_type", "client_credentials"), ("scope", "orders:read inventory:read")];
    agent.token(&nowhere).await.refused("invalid_target");
}

#[tokio::test]
async fn a_public_client_has_none() {
    let house = House::open().await;
    let answer = house.client("shop").own_token("orders:read", ORDERS).await;
    answer.refused("unauthorized_client");
}

#[tokio::test]
async fn a_grant_type_that_is_unknown_or_not_its_own_is_refused() {
    let house = House::open().await;
    let agent = house.client("agent-a");
    agent.token(&[("grant_type", "password")]).await.refused("unsupported_grant_type");
    agent.token(&[("scope", "orders:read")]).await.refused("invalid_request");
    let api = house.client("orders-api");
    api.token(&[("grant_type", "authorization_code"), ("code", "x")]).await.refused("unauthorized_client");
}

//! Of what is over it is said that it is over: no rule speaks of it, and nobody is asked about it.

use super::*;

on_both_databases! {
    what_is_over_is_refused_as_such_and_not_by_the_rules,
    a_token_that_was_revoked_is_refused_as_such_and_not_by_the_rules,
    a_code_of_what_is_over_is_refused_as_such_and_not_by_the_rules,
}

/// Ends the consent that the last event is about.
async fn end_consent(house: &House) {
    let event = house.last_event().await;
    let consent = event["consent"].as_str().unwrap().parse().unwrap();
    let change = server::store::Change::housekeeping(house.door().now());
    house.store().commit(change.end(server::store::Ending::Consent(consent))).await.unwrap();
}

const DELETE: &str = r#"[{"type":"agent_task","actions":["delete"]}]"#;

async fn what_is_over_is_refused_as_such_and_not_by_the_rules(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let details = serde_json::from_str(r#"[{"type":"agent_task","actions":["read","delete"]}]"#).unwrap();
    let ask = house.ask(&agent).scope("openid offline_access orders:read orders:write").details(&details);
    let ask = ask.resource(ORDERS).pushed(&agent).await;
    let first = ask.approved_by(&alice).await.redeem(&agent).await.ok();
    let (refresh, id_token) = (first.text("refresh_token"), first.text("id_token"));
    let asking = [("scope", "orders:write")];
    let waiting = [("scope", "orders:write"), ("completion_mode", "deferred")];
    let denied = [("authorization_details", DELETE), ("resource", ORDERS)];
    // While it lives, the rules speak.
    agent.refresh(refresh, &asking).await.refused("access_denied");
    agent.refresh(refresh, &denied).await.refused("access_denied");
    exchange_of(&agent, id_token, "id_token", &WAITING[..2]).await.refused("access_denied");
    exchange_of(&agent, id_token, "id_token", &denied).await.refused("access_denied");

    end_consent(&house).await;
    for params in [&asking[..], &waiting, &denied] {
        agent.refresh(refresh, params).await.refused("invalid_grant");
        let told = house.told("token.refresh", "invalid_grant").await;
        assert!(told.get("rule").is_none(), "{told}");
    }
    for params in [&WAITING[..2], &WAITING, &denied] {
        exchange_of(&agent, id_token, "id_token", params).await.refused("invalid_request");
        let told = house.told("token.exchange", "invalid_request").await;
        assert!(told.get("rule").is_none(), "{told}");
    }
    assert!(alice.page("/approvals").await.html.contains("no-approvals"));
}

async fn a_token_that_was_revoked_is_refused_as_such_and_not_by_the_rules(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let ask = house.ask(&agent).scope("offline_access orders:read orders:write").resource(ORDERS);
    let first = ask.approved_by(&alice).await.redeem(&agent).await.ok();
    let given = given(&house, &agent).await;
    let revoked = first.text("refresh_token");
    agent.exchange(&given, &WAITING[..2]).await.refused("access_denied");
    agent.revoke(revoked).await.ok();
    agent.refresh(revoked, &[("scope", "orders:write")]).await.refused("invalid_grant");
    // The token of an application goes with the application's own.
    house.client("shop").revoke(&given).await.ok();
    agent.exchange(&given, &WAITING[..2]).await.refused("invalid_request");
    agent.exchange(&given, &WAITING).await.refused("invalid_request");
    assert!(alice.page("/approvals").await.html.contains("no-approvals"));
}

async fn a_code_of_what_is_over_is_refused_as_such_and_not_by_the_rules(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    for over in [false, true] {
        let code = house.ask(&agent).scope("orders:write").resource(ORDERS).approved_by(&alice).await;
        if over {
            end_consent(&house).await;
        }
        let error = if over { "invalid_grant" } else { "access_denied" };
        code.redeem(&agent).await.refused(error);
        house.told("token.authorization_code", error).await;
    }
}

//! Our own ID tokens and refresh tokens as `subject_token` (RFC 8693 §2.1, §3).

use serde_json::json;
use server::store::{Change, Ending};
use tests::{Answer, Client, Database, House, ORDERS, on_both_databases};

on_both_databases! {
    an_id_token_and_a_refresh_token_are_subject_tokens_of_the_client_that_they_were_issued_to,
    nobody_elses_and_nothing_declared_otherwise_is_taken,
    what_they_hang_on_must_be_alive,
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const READ: [(&str, &str); 2] = [("scope", "orders:read"), ("resource", ORDERS)];

async fn exchange(client: &Client, token: &str, kind: &str, more: &[(&str, &str)]) -> Answer {
    let kind = format!("urn:ietf:params:oauth:token-type:{kind}");
    let mut params =
        vec![("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", kind.as_str())];
    params.extend_from_slice(more);
    client.token(&params).await
}

/// What alice gives an agent that asks her itself.
async fn signed_in(house: &House, agent: &Client) -> Answer {
    let ask = house.ask(agent).scope("openid offline_access orders:read orders:write").resource(ORDERS);
    let code = ask.approved_by(&house.signed_in("alice").await).await;
    agent.token(&[code.params(), vec![("resource", ORDERS)]].concat()).await.ok()
}

async fn an_id_token_and_a_refresh_token_are_subject_tokens_of_the_client_that_they_were_issued_to(
    database: Database,
) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let got = signed_in(&house, &agent).await;
    for (token, kind) in [("id_token", "id_token"), ("refresh_token", "refresh_token")] {
        let answer = exchange(&agent, got.text(token), kind, &READ).await.ok();
        let event = house.told("token.exchange", "granted").await;
        let (new, first) = (answer.claims(), got.claims());
        assert_eq!((&new["sub"], &new["act"]), (&first["sub"], &first["act"]), "{kind}");
        assert_eq!((&new["txn"], &new["scope"]), (&first["txn"], &json!("orders:read")));
        assert_eq!((&new["aud"], &new["auth_time"]), (&json!(ORDERS), &first["auth_time"]));
        assert_eq!(answer.json["token_type"], "DPoP");
        assert!(answer.json.get("refresh_token").is_none() && answer.json.get("id_token").is_none());
        assert!(house.is_active(answer.access_token()).await);
        assert_ne!(event["parent"], first["jti"], "what it comes from is what was presented");
        // They are no access tokens for that.
        assert!(!house.is_active(got.text(token)).await);
        exchange(&agent, got.text(token), kind, &[("scope", "inventory:read"), ("resource", ORDERS)])
            .await
            .refused("invalid_scope");
        house.told("token.exchange", "invalid_scope").await;
        exchange(&agent, got.text(token), kind, &[("resource", ORDERS)]).await.refused("invalid_scope");
    }
    // A token that came of a login ends with the consent like every other.
    let token = exchange(&agent, got.text("id_token"), "id_token", &READ).await.ok();
    let consent = got.text("grant_id").parse().unwrap();
    end(&house, Ending::Consent(consent)).await;
    assert!(!house.is_active(token.access_token()).await);
}

async fn nobody_elses_and_nothing_declared_otherwise_is_taken(database: Database) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let got = signed_in(&house, &a).await;
    let (id_token, refresh) = (got.text("id_token"), got.text("refresh_token"));
    for (client, token, kind) in [
        (&b, id_token, "id_token"),
        (&b, refresh, "refresh_token"),
        (&a.clone().without_dpop(), id_token, "id_token"),
        (&a.clone().without_dpop(), refresh, "refresh_token"),
        (&a, id_token, "refresh_token"),
        (&a, refresh, "id_token"),
        (&a, id_token, "access_token"),
        (&a, id_token, "jwt"),
        (&a, got.access_token(), "id_token"),
        (&a, got.access_token(), "jwt"),
        (&a, &format!("{id_token}x"), "id_token"),
    ] {
        exchange(client, token, kind, &READ).await.refused("invalid_request");
        house.told("token.exchange", "invalid_request").await;
    }
    // What an application got for an agent is not the application's to exchange, in no form.
    let web = house.client("web");
    let ask = house.ask(&web).actor("agent-b").scope("openid offline_access orders:read").resource(ORDERS);
    let code = ask.approved_by(&house.signed_in("alice").await).await;
    let for_b = web.token(&[code.params(), vec![("resource", ORDERS)]].concat()).await.ok();
    for (token, kind) in [("id_token", "id_token"), ("refresh_token", "refresh_token")] {
        exchange(&web, for_b.text(token), kind, &READ).await.refused("invalid_request");
        exchange(&b, for_b.text(token), kind, &READ).await.refused("invalid_request");
    }
}

async fn end(house: &House, ending: Ending) {
    let change = Change::housekeeping(house.door().now()).end(ending);
    house.store().commit(change).await.unwrap();
}

async fn what_they_hang_on_must_be_alive(database: Database) {
    let mut house = House::on(database).await;
    let agent = house.client("agent-a");
    let got = signed_in(&house, &agent).await;
    let (id_token, refresh) = (got.text("id_token"), got.text("refresh_token"));
    let refused = async |token: &str, kind: &str| {
        exchange(&agent, token, kind, &READ).await.refused("invalid_request");
        house.told("token.exchange", "invalid_request").await;
    };
    // Who signed out is signed out; what she allowed for her absence stays.
    let alice = house.store().find_user_by_username("alice").await.unwrap().unwrap();
    end(&house, Ending::SessionsOf { user: alice.id.clone(), except: None }).await;
    refused(id_token, "id_token").await;
    exchange(&agent, refresh, "refresh_token", &READ).await.ok();
    // An ID token is over when it says so.
    let again = signed_in(&house, &agent).await;
    exchange(&agent, again.text("id_token"), "id_token", &READ).await.ok();
    house.later(301);
    refused(again.text("id_token"), "id_token").await;
    let derived = exchange(&agent, refresh, "refresh_token", &READ).await.ok();
    // A revoked refresh token takes what came of it with it.
    agent.revoke(refresh).await.ok();
    assert!(!house.is_active(derived.access_token()).await);
    refused(refresh, "refresh_token").await;
    let refresh = again.text("refresh_token");
    exchange(&agent, refresh, "refresh_token", &READ).await.ok();
    end(&house, Ending::Consent(again.text("grant_id").parse().unwrap())).await;
    refused(refresh, "refresh_token").await;
    let last = signed_in(&house, &agent).await;
    house
        .restart_changed(|config| {
            let (before, after) = config.split_once("[[users]]\nusername = \"alice\"").unwrap();
            format!("{before}{}", &after[after.find("[[").unwrap()..])
        })
        .await;
    let agent = house.client("agent-a");
    let answer = exchange(&agent, last.text("refresh_token"), "refresh_token", &READ).await;
    answer.refused("invalid_request");
}

//! The deferral code: whose it is, how long it is good, and what it brings.

use super::*;

on_both_databases! {
    a_yes_to_one_request_releases_no_other,
    what_waits_is_the_clients_and_its_keys_alone,
    what_waits_lapses_and_so_does_what_was_approved,
    everything_is_decided_anew_when_the_client_comes_back,
    a_client_gives_up_what_it_asked_for,
    what_waits_outlives_a_restart,
}

async fn a_yes_to_one_request_releases_no_other(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let given = given(&house, &agent).await;
    let first = agent.exchange(&given, &WAITING).await.refused("authorization_pending");
    approve(&alice).await;
    let second = agent.exchange(&given, &WAITING).await.refused("authorization_pending");
    poll(&agent, &second).await.refused("authorization_pending");
    poll(&agent, &first).await.ok();
    house.later(INTERVAL + 1);
    poll(&agent, &second).await.refused("authorization_pending");
    // What was approved is no way to anything wider, or elsewhere, either: the client sends nothing but the code.
    let third = agent.exchange(&given, &WAITING).await.refused("authorization_pending");
    let code = third.text("deferral_code");
    let wider = [("grant_type", DEFERRED), ("deferral_code", code), ("scope", "orders:read orders:write")];
    question(&alice).await;
    agent.token(&wider).await.refused("authorization_pending");
}

async fn what_waits_is_the_clients_and_its_keys_alone(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let asked = waits(&house, &agent).await;
    approve(&alice).await;
    for stranger in [house.client("agent-b"), house.client("agent-a"), house.client("agent-a").without_dpop()]
    {
        poll(&stranger, &asked).await.refused("invalid_grant");
        house.told("deferral.poll", "invalid_grant").await;
    }
    let made_up = [("grant_type", DEFERRED), ("deferral_code", "pdf_nothing")];
    agent.token(&made_up).await.refused("invalid_grant");
    agent.token(&made_up[..1]).await.refused("invalid_request");
    poll(&agent, &asked).await.ok();
}

async fn what_waits_lapses_and_so_does_what_was_approved(database: Database) {
    let house = House::on_with(database, &format!("token_life = \"1h\"\n{RULES}")).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let given = given(&house, &agent).await;
    let ask = || agent.exchange(&given, &WAITING);
    let approved = ask().await.refused("authorization_pending");
    approve(&alice).await;
    let lapses = ask().await.refused("authorization_pending");
    let page = question(&alice).await;
    house.later(560);
    let token = poll(&agent, &approved).await.ok();
    let life = token.json["expires_in"].as_i64().unwrap();
    assert!(life <= 40, "nothing outlives the yes of ten minutes: {life}");
    let too_late = ask().await.refused("authorization_pending");
    page.deny().await.page();
    approve(&alice).await;
    house.later(601);
    poll(&agent, &too_late).await.refused("expired_token");
    house.told("deferral.poll", "expired_token").await;
    poll(&agent, &lapses).await.refused("access_denied");
    let lapses = ask().await.refused("authorization_pending");
    let page = question(&alice).await;
    house.later(2_500);
    assert_eq!(page.approve(|_| {}).await.page().status, 400);
    assert!(alice.page("/approvals").await.html.contains("no-approvals"));
    poll(&agent, &lapses).await.refused("expired_token");
}

async fn everything_is_decided_anew_when_the_client_comes_back(database: Database) {
    let mut house = House::on_with(database, &format!("token_life = \"1h\"\n{RULES}")).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let asked = waits(&house, &agent).await;
    approve(&alice).await;
    let deny = "[[rules]]\nid = \"stop\"\neffect = \"deny\"\nscope = \"orders:write\"\n";
    house.restart_changed(|config| format!("{config}\n{deny}")).await;
    let agent = again(&house, &agent);
    let refused = poll(&agent, &asked).await.refused("access_denied");
    assert!(refused.text("error_description").contains("denies"), "{}", refused.body);
    let told = house.told("token.exchange", "access_denied").await;
    assert_eq!(told["rule"], "stop");
    // Another person has to approve from now on: the yes of the first is none.
    house
        .restart_changed(|config| {
            config.replace(deny, "").replace(
                "effect = \"ask\"\nscope = \"orders:write\"",
                "effect = \"ask\"\napprover = \"user:admin\"\nscope = \"orders:write\"",
            )
        })
        .await;
    let agent = again(&house, &agent);
    let refused = poll(&agent, &asked).await.refused("access_denied");
    assert!(refused.text("error_description").contains("not what was approved"), "{}", refused.body);
    // And once all is as it was, it is good still.
    house
        .restart_changed(|config| {
            config.replace("approver = \"user:admin\"\nscope = \"orders:write\"", "scope = \"orders:write\"")
        })
        .await;
    poll(&again(&house, &agent), &asked).await.ok();
}

async fn a_client_gives_up_what_it_asked_for(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let asked = waits(&house, &agent).await;
    let page = question(&alice).await;
    let hint = ("token_type_hint", "urn:ietf:params:oauth:token-type:deferral-code");
    let params = [("token", asked.text("deferral_code")), hint];
    // Somebody else's word is none, and tells them nothing (Deferred Token Response §7.2).
    house.client("agent-b").post("/revoke", &params).await.ok();
    house.told("deferral.cancel", "invalid_grant").await;
    poll(&agent, &asked).await.refused("authorization_pending");
    agent.post("/revoke", &params).await.ok();
    house.told("deferral.cancel", "granted").await;
    poll(&agent, &asked).await.refused("access_denied");
    assert!(alice.page("/approvals").await.html.contains("no-approvals"));
    assert_eq!(page.approve(|_| {}).await.page().status, 400);
    agent.post("/revoke", &params).await.ok();
    agent.post("/revoke", &[("token", "pdf_nothing"), hint]).await.ok();
    // What was approved and not fetched is given up too.
    let asked = waits(&house, &agent).await;
    approve(&alice).await;
    agent.post("/revoke", &[("token", asked.text("deferral_code")), hint]).await.ok();
    poll(&agent, &asked).await.refused("access_denied");
}

async fn what_waits_outlives_a_restart(database: Database) {
    let mut house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let asked = waits(&house, &agent).await;
    let cookies = alice.copied();
    house.restart().await;
    drop(cookies);
    approve(&house.signed_in("alice").await).await;
    house.restart().await;
    poll(&again(&house, &agent), &asked).await.ok();
}

#[tokio::test]
async fn discovery_tells_of_deferred_token_responses() {
    let house = House::open().await;
    let told = house.send(house.request("GET", "/.well-known/oauth-authorization-server")).await.ok();
    assert_eq!(told.json["deferred_token_response_supported"], true);
    assert!(told.json["grant_types_supported"].as_array().unwrap().contains(&json!(DEFERRED)));
}

//! Whatever is issued for a task is over when the task is, whoever validates it and however.

use protocol::numeric_date::{NumericDate, Seconds};
use serde_json::{Value, json};
use tests::{Answer, Client, Database, House, ORDERS, on_both_databases, unverified_claims};

on_both_databases! {
    no_token_outlives_the_deadline_that_was_approved,
    a_token_whose_details_name_an_earlier_deadline_is_over_by_then,
    what_is_added_to_a_consent_opens_no_more_tasks_than_there_may_be,
}

/// An `agent_task` that is over so many seconds from now, and when that is.
fn detail(house: &House, after: i64) -> (Value, NumericDate) {
    let deadline = house.door().now().plus(Seconds(after));
    let detail = json!({
        "type": "agent_task", "actions": ["read"], "purpose": "Answer ticket 4711", "deadline": deadline.to_rfc3339()
    });
    (detail, deadline)
}

/// The `exp` of the token in this member.
fn end_of(answer: &Answer, member: &str) -> NumericDate {
    NumericDate(unverified_claims(answer.text(member))["exp"].as_i64().unwrap())
}

/// Alice lets `agent` do this until its deadline.
async fn allowed(house: &House, agent: &Client, detail: &Value) -> Answer {
    let ask = house
        .ask(agent)
        .scope("openid offline_access orders:read")
        .resource(ORDERS)
        .details(&json!([detail]));
    let alice = house.signed_in("alice").await;
    ask.pushed(agent).await.approved_by(&alice).await.redeem(agent).await.ok()
}

async fn no_token_outlives_the_deadline_that_was_approved(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let (detail, deadline) = detail(&house, 90);
    let first = allowed(&house, &agent, &detail).await;
    for member in ["access_token", "id_token"] {
        assert_eq!(end_of(&first, member), deadline, "{member}");
    }
    let left = first.json["expires_in"].as_i64().unwrap();
    assert!((1..=90).contains(&left), "{left}");
    // Nor does what leaves out the detail that names the deadline.
    for params in
        [&[("scope", "orders:read")][..], &[("scope", "orders:read"), ("authorization_details", "[]")]]
    {
        let refreshed = agent.refresh(first.text("refresh_token"), params).await.ok();
        assert_eq!(end_of(&refreshed, "access_token"), deadline, "{params:?}");
        let exchanged = agent.exchange(first.access_token(), params).await.ok();
        assert_eq!(end_of(&exchanged, "access_token"), deadline, "{params:?}");
    }
}

async fn a_token_whose_details_name_an_earlier_deadline_is_over_by_then(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let (approved, _) = detail(&house, 200);
    let first = allowed(&house, &agent, &approved).await;
    let (earlier, deadline) = detail(&house, 60);
    let named = json!([earlier]).to_string();
    let params = [("authorization_details", named.as_str())];
    let refreshed = agent.refresh(first.text("refresh_token"), &params).await.ok();
    assert_eq!(end_of(&refreshed, "access_token"), deadline);
    let exchanged = agent.exchange(first.access_token(), &params).await.ok();
    assert_eq!(end_of(&exchanged, "access_token"), deadline);
}

async fn what_is_added_to_a_consent_opens_no_more_tasks_than_there_may_be(database: Database) {
    let house = House::on_with(database, "[tasks]\nmost_open = 2\n").await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let ask = house.ask(&agent).scope("orders:read").with("grant_management_action", "create");
    let first = ask.approved_by(&alice).await.redeem(&agent).await.ok();
    let task = first.claims()["task"]["id"].as_str().unwrap().to_owned();
    let merging = async |scope: &str| {
        let ask = house.ask(&agent).scope(scope).with("grant_management_action", "merge");
        ask.with("grant_id", first.text("grant_id")).brought_by(&alice).await.page().approve(|_| {}).await
    };
    merging("orders:read orders:write").await.param("code");
    let full = merging("orders:read orders:write inventory:read").await.page();
    assert_eq!(full.status, 400);
    assert!(full.text().contains("complete some first"), "{}", full.text());
    let token = agent.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
    agent.call("POST", &format!("/tasks/{task}/complete"), token.access_token()).await.ok();
    merging("orders:read orders:write inventory:read").await.param("code");
}

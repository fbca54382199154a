//! A person in the loop of a token request: rules that have them asked, the deferred token response, and their answer.

mod as_shown;
mod asking;
mod destinations;
mod endings;
mod named_by_claim;
mod over;
mod signing_in;
mod told;
mod waiting;
mod ways;

use serde_json::{Value, json};
use tests::{
    Answer, Client, Database, Heard, House, INVENTORY, ORDERS, Page, Person, PostOffice, Receiver,
    on_both_databases, unverified_claims, unverified_header,
};

use crate::elsewhere::{Elsewhere, question};

const DEFERRED: &str = "urn:ietf:params:oauth:grant-type:deferred";

/// Longer than any test takes by itself.
const INTERVAL: i64 = 60;

const RULES: &str = r#"
[approvals]
interval = 60

[[rules]]
id = "alice-approves"
client = "agent-a"
effect = "ask"
scope = "orders:write"

[[rules]]
id = "bob-approves"
client = "agent-b"
effect = "ask"
approver = "owner"
scope = "orders:write"

[[rules]]
id = "ada-approves"
client = "agent-c"
effect = "ask"
approver = "user:admin"
scope = "orders:write"

[[rules]]
id = "ada-approves-stock"
client = "orders-api"
effect = "ask"
approver = "user:admin"
scope = "inventory:write"

[[rules]]
id = "nobody-deletes"
effect = "deny"
details_type = "agent_task"
actions = ["delete"]
"#;

async fn open(database: Database) -> House {
    House::on_with(database, RULES).await
}

/// What an exchange for changing orders sends, and that its client can wait.
const WAITING: [(&str, &str); 3] =
    [("scope", "orders:write"), ("resource", ORDERS), ("completion_mode", "deferred")];

/// A token that `agent` may exchange for reading and changing orders.
async fn given(house: &House, agent: &Client) -> String {
    house.token_for(agent, "orders:read orders:write").await
}

/// `agent` asks to change orders, and a person is asked.
async fn waits(house: &House, agent: &Client) -> Answer {
    let given = given(house, agent).await;
    agent.exchange(&given, &WAITING).await.refused("authorization_pending")
}

async fn poll(client: &Client, asked: &Answer) -> Answer {
    client.token(&[("grant_type", DEFERRED), ("deferral_code", asked.text("deferral_code"))]).await
}

async fn approve(person: &Person) -> Page {
    let done = question(person).await.approve(|_| {}).await.page();
    assert!(done.path == "/approvals" && done.html.contains("approvals-answered"), "{}", done.text());
    done
}

/// The same client with the same key, at a house that was opened again.
fn again(house: &House, client: &Client) -> Client {
    let mut again = house.client(&client.id);
    again.dpop.clone_from(&client.dpop);
    again
}

/// `client` asks by an exchange of `token` of this type, with `more` beside that.
async fn exchange_of(client: &Client, token: &str, kind: &str, more: &[(&str, &str)]) -> Answer {
    let kind = format!("urn:ietf:params:oauth:token-type:{kind}");
    let mut params = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", token),
        ("subject_token_type", kind.as_str()),
    ];
    params.extend_from_slice(more);
    client.token(&params).await
}

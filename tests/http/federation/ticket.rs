//! The story of one support ticket, from the question to the removal of its user: an agent reads at once, asks a person
//! before it changes anything, its helper sees less, and the company's word ends all of it and nothing else.

use serde_json::{Value, json};
use tests::{Answer, Client, Database, ORDERS, on_both_databases, random};

use super::World;
use crate::elsewhere::question;

on_both_databases! { a_ticket_is_answered_with_a_helper_and_a_persons_word_and_ends_with_its_user }

const ASK_BEFORE_CHANGES: &str = r#"
[approvals]
interval = 1

[[rules]]
id = "ask-before-changes"
client = "agent-a"
effect = "ask"
scope = "orders:write"
"#;

const DEFERRED: &str = "urn:ietf:params:oauth:grant-type:deferred";

async fn tasks(agent: &Client, body: &Value) -> Answer {
    let own = agent.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
    let task = agent.call_with("POST", "/tasks", own.access_token(), &[], Some(body)).await;
    assert_eq!(task.status, 201, "{}", task.body);
    task
}

async fn poll(agent: &Client, asked: &Answer) -> Answer {
    agent.token(&[("grant_type", DEFERRED), ("deferral_code", asked.text("deferral_code"))]).await
}

impl World {
    /// The company tells that it removed zoe.
    async fn removed(&self) -> Answer {
        let now = self.house.door().now().0;
        let path = "/global-token-revocation";
        let aud = self.house.url(path);
        let said =
            json!({ "iss": self.there.issuer, "aud": aud, "iat": now, "exp": now + 60, "jti": random() });
        let header = json!({ "alg": "ES256", "kid": "first", "typ": "global-token-revocation+jwt" });
        let whom = json!({ "sub_id": { "format": "iss_sub", "iss": self.there.issuer, "sub": "zoe" } });
        let bearer = format!("Bearer {}", self.there.sign(&header, &said));
        let request = self.house.request("POST", path).header("Authorization", bearer);
        self.house.send(request.header("Content-Type", "application/json").body(whom.to_string())).await
    }
}

async fn a_ticket_is_answered_with_a_helper_and_a_persons_word_and_ends_with_its_user(database: Database) {
    let world = World::on(database, ASK_BEFORE_CHANGES).await;
    let house = &world.house;
    let [agent, helper] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let (zoe, alice) = (world.signed_in().await, house.signed_in("alice").await);
    let asks = || house.ask(&agent).scope("offline_access orders:read orders:write").resource(ORDERS);
    let alices = asks().approved_by(&alice).await.redeem(&agent).await.ok();
    let consent = asks().approved_by(&zoe).await.redeem(&agent).await.ok();
    assert_eq!(consent.claims()["scope"].as_str().map(|scope| scope.contains("orders:write")), Some(false));

    // The ticket is a task of its own under what zoe allowed.
    let ticket = json!({
        "grant_id": consent.text("grant_id"), "scope": "orders:read orders:write",
        "purpose": "Answer ticket 4711: the invoice is wrong", "reference": "4711",
        "success_criteria": ["The customer has an answer"], "limits": ["Refund nothing"]
    });
    let task = tasks(&agent, &ticket).await;
    let id = task.text("id").to_owned();
    let refresh = consent.text("refresh_token").to_owned();
    let get = async |params: &[(&str, &str)]| {
        let mut all = vec![("task", id.as_str()), ("resource", ORDERS)];
        all.extend(params);
        agent.refresh(&refresh, &all).await
    };

    // It reads the order history at once.
    let reading = get(&[("scope", "orders:read")]).await.ok();
    let claims = reading.claims();
    assert_eq!((&claims["txn"], &claims["task"]["id"]), (&task.json["id"], &task.json["id"]));
    assert_eq!((&claims["act"]["sub"], &claims["scope"]), (&json!("agent-a"), &json!("orders:read")));

    // Before it changes anything, zoe is asked; by nobody else's word, and once.
    get(&[("scope", "orders:write")]).await.refused("access_denied");
    let change = [("scope", "orders:write"), ("completion_mode", "deferred")];
    let asked = get(&change).await.refused("authorization_pending");
    assert!(alice.page("/approvals").await.html.contains("no-approvals"));
    let page = question(&zoe).await;
    for words in ["agent-a the agent", "Change your orders", "Answer ticket 4711"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    house.later(2);
    poll(&agent, &asked).await.refused("authorization_pending");
    page.approve(|_| {}).await.page();
    house.later(2);
    let changing = poll(&agent, &asked).await.ok();
    assert_eq!(
        (&changing.claims()["scope"], &changing.claims()["txn"]),
        (&json!("orders:write"), &task.json["id"])
    );
    house.later(2);
    assert_ne!(poll(&agent, &asked).await.status, 200, "one word, one token");

    // Its helper gets a part, and sees less.
    let part =
        json!({ "parent": id, "actor": "agent-b", "scope": "orders:read", "purpose": "Look up the order" });
    let part = tasks(&agent, &part).await;
    let hand_over =
        [("audience", "agent-b"), ("scope", "orders:read"), ("resource", ORDERS), ("task", part.text("id"))];
    let handed = agent.exchange(reading.access_token(), &hand_over).await.ok();
    let helpers =
        helper.exchange(handed.access_token(), &[("scope", "orders:read"), ("resource", ORDERS)]).await.ok();
    let claims = helpers.claims();
    assert_eq!((&claims["act"]["sub"], &claims["act"]["act"]["sub"]), (&json!("agent-b"), &json!("agent-a")));
    assert_eq!((&claims["txn"], &claims["task"]["id"]), (&task.json["id"], &part.json["id"]));
    let wider = [("scope", "orders:write"), ("resource", ORDERS)];
    helper.exchange(handed.access_token(), &wider).await.refused("invalid_scope");

    // While a second change waits and a code is on its way, the company removes zoe.
    let waiting = get(&change).await.refused("authorization_pending");
    let code = asks().approved_by(&zoe).await;
    let all = [&consent, &reading, &changing, &helpers];
    for alive in all {
        assert!(house.is_active(alive.access_token()).await);
    }
    assert_eq!(world.removed().await.status, 204);
    house.told("user.revoke", "granted").await;
    for dead in all {
        assert!(!house.is_active(dead.access_token()).await);
    }
    house.later(2);
    assert_ne!(poll(&agent, &waiting).await.refused("access_denied").status, 200);
    get(&[("scope", "orders:read")]).await.refused("invalid_grant");
    code.redeem(&agent).await.refused("invalid_grant");
    let again = [("scope", "orders:read"), ("resource", ORDERS)];
    helper.exchange(handed.access_token(), &again).await.refused("invalid_request");
    agent.exchange(reading.access_token(), &again).await.refused("invalid_request");
    assert!(zoe.page("/account").await.path.starts_with("/sign-in"));
    let own = agent.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
    let seen = agent.call("GET", &format!("/tasks/{id}"), own.access_token()).await.ok();
    assert_eq!(seen.text("status"), "revoked");

    // Nothing of anybody else's, and who did what for whom stands in the log under one txn.
    assert!(house.is_active(alices.access_token()).await);
    let params = [("scope", "orders:read"), ("resource", ORDERS)];
    agent.refresh(alices.text("refresh_token"), &params).await.ok();
    let events: Vec<Value> =
        house.events().await.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
    let of_ticket = events.iter().filter(|event| event["txn"] == task.json["id"]);
    let told: Vec<&str> = of_ticket.filter_map(|event| event["action"].as_str()).collect();
    for action in ["task.open", "token.refresh", "deferral.ask", "deferral.decide", "token.exchange"] {
        assert!(told.contains(&action), "{action}: {told:?}");
    }
}

//! What can be seen by the admin API, and that its OpenAPI document says so.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Answer, Database, House, ORDERS, on_both_databases};

use super::Ops;

on_both_databases! {
    agents_users_consents_and_tasks_are_listed_and_found,
    a_list_goes_on_where_the_one_before_ended_and_leaves_nobody_out,
}

/// The OpenAPI document of a house.
pub async fn document(house: &House) -> Value {
    house.send(house.request("GET", "/admin/api/v1/openapi.json")).await.ok().json
}

/// An answer must be what the document says of it, to the last member.
#[track_caller]
pub fn is_as_documented(document: &Value, path: &str, method: &str, answer: &Answer) {
    let responses = &document["paths"][format!("/admin/api/v1{path}")][method]["responses"];
    let response = responses.get(answer.status.to_string()).unwrap_or(&responses["default"]);
    let response = match response["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => response,
    };
    let schema = &response["content"]["application/json"]["schema"];
    assert!(schema["$ref"].is_string(), "{method} {path} {} is not documented", answer.status);
    let whole = json!({ "$ref": schema["$ref"], "components": document["components"] });
    let validator = jsonschema::validator_for(&whole).unwrap();
    let wrong: Vec<String> = validator.iter_errors(&answer.json).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{method} {path}: {wrong:?} in {}", answer.body);
}

fn ids(answer: &Answer, name: &str) -> Vec<String> {
    let items = answer.json[name].as_array().unwrap_or_else(|| panic!("no {name} in {}", answer.body));
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn agents_users_consents_and_tasks_are_listed_and_found(database: Database) {
    let ops = Ops::on(database).await;
    let house = &ops.house;
    let document = document(house).await;
    let shop = house.client("shop");
    let delegated = house.delegated_token(&house.client("agent-a"), "orders:read").await;
    house.token_for(&house.client("agent-b"), "orders:read").await;
    let own = house.ask(&shop).scope("orders:read").resource(ORDERS);
    own.approved_by(&house.signed_in("bob").await).await.redeem(&shop).await.ok();

    let all = ops.get("/agents").await.ok();
    is_as_documented(&document, "/agents", "get", &all);
    assert_eq!(ids(&all, "agents"), ["agent-a", "agent-b", "agent-c"]);
    let users = ops.get("/users").await.ok();
    is_as_documented(&document, "/users", "get", &users);
    let user = |name: &str| {
        let users = users.json["users"].as_array().unwrap();
        users.iter().find(|user| user["username"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (alice, bob) = (user("alice"), user("bob"));
    let bobs = ops.get(&format!("/agents?owner={bob}&status=active&limit=2")).await.ok();
    assert_eq!((ids(&bobs, "agents").len(), bobs.text("next")), (2, "agent-b"));
    assert!(ids(&ops.get(&format!("/agents?owner={alice}")).await.ok(), "agents").is_empty());
    assert!(ids(&ops.get("/agents?status=retired").await.ok(), "agents").is_empty());
    let agent = ops.get("/agents/agent-a").await.ok();
    is_as_documented(&document, "/agents/{id}", "get", &agent);
    assert_eq!((agent.text("owner"), agent.text("status")), (bob.as_str(), "active"));

    assert_eq!(ids(&ops.get("/users?username=ALICE").await.ok(), "users"), [alice.as_str()]);
    assert_eq!(ids(&ops.get("/users?email=bob@people.example").await.ok(), "users"), [bob.as_str()]);
    assert!(ids(&ops.get("/users?enabled=false").await.ok(), "users").is_empty());
    let found = ops.get(&format!("/users/{alice}")).await.ok();
    is_as_documented(&document, "/users/{id}", "get", &found);
    assert_eq!((found.text("username"), &found.json["upstreams"]), ("alice", &json!([])));
    assert!(!found.body.contains("argon2"), "no hash of a password leaves the house: {}", found.body);

    let consents = ops.get(&format!("/consents?user={alice}&state=active")).await.ok();
    is_as_documented(&document, "/consents", "get", &consents);
    assert_eq!(ids(&consents, "consents").len(), 2);
    let of_a = ops.get("/consents?actor=agent-a&client=shop").await.ok();
    let [of_a] = ids(&of_a, "consents").try_into().unwrap();
    assert_eq!(of_a, delegated.text("grant_id"));
    let consent = ops.get(&format!("/consents/{of_a}")).await.ok();
    is_as_documented(&document, "/consents/{id}", "get", &consent);
    assert_eq!((consent.text("user"), consent.text("scope")), (alice.as_str(), "orders:read"));
    assert_eq!(ids(&ops.get(&format!("/consents?user={bob}")).await.ok(), "consents").len(), 1);

    let tasks =
        ops.get(&format!("/tasks?consent={of_a}&actor=agent-a&user={alice}&status=active")).await.ok();
    is_as_documented(&document, "/tasks", "get", &tasks);
    let [task] = ids(&tasks, "tasks").try_into().unwrap();
    assert_eq!(task, delegated.claims()["task"]["id"]);
    let task = ops.get(&format!("/tasks/{task}")).await.ok();
    is_as_documented(&document, "/tasks/{id}", "get", &task);
    is_as_documented(&document, "/tasks/{id}", "get", &ops.get("/tasks/task_none").await);
}

async fn a_list_goes_on_where_the_one_before_ended_and_leaves_nobody_out(database: Database) {
    let ops = Ops::on(database).await;
    for name in ["mallory", "oscar", "peggy", "trent"] {
        ops.house.has_somebody_called(name).await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    for _ in 0..10 {
        let list = ops.get(&format!("/users?limit=3&after={after}")).await.ok();
        seen.extend(ids(&list, "users"));
        match list.json["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (7, 7));
    assert!(seen.is_sorted());
    assert_eq!(ids(&ops.get("/users?limit=0").await.ok(), "users").len(), 1, "a list is of one at least");
    assert_eq!(ids(&ops.get("/users?limit=1000").await.ok(), "users").len(), 7);
}

//! The manager of the user as approver: whom a claim of the user names, and nobody in their place.

use super::*;

on_both_databases! {
    the_manager_of_the_user_approves_and_nobody_else,
    where_there_is_no_manager_the_request_is_refused,
    who_is_manager_no_more_when_the_client_comes_back_has_not_approved,
}

const MANAGED: &str = r#"
[approvals]
interval = 60

[[rules]]
id = "managers-approve"
client = "agent-a"
effect = "ask"
approver = "manager"
scope = "orders:write"
"#;

/// A house where alice's claims hold this.
async fn managed(database: Database, claims: &str) -> House {
    let alice = "username = \"alice\"\n";
    House::build(database, |town| {
        let town = town.replace(alice, &format!("{alice}claims = {{ {claims} }}\n"));
        format!("token_life = \"1h\"\n{MANAGED}\n{town}")
    })
    .await
}

async fn the_manager_of_the_user_approves_and_nobody_else(database: Database) {
    // A name is the same in capitals.
    let house = managed(database, "manager = \"Admin\"").await;
    let (agent, alice, bob) =
        (house.client("agent-a"), house.signed_in("alice").await, house.signed_in("bob").await);
    let ada = house.signed_in("admin").await;
    let asked = waits(&house, &agent).await;
    for other in [&alice, &bob] {
        assert!(other.page("/approvals").await.html.contains("no-approvals"));
    }
    let page = question(&ada).await;
    for words in ["for Alice Arnold", "You are asked as the manager of the person"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    approve(&ada).await;
    let id = house.store().find_user_by_username("admin").await.unwrap().unwrap().id.to_string();
    let told = house.told("deferral.decide", "granted").await;
    assert!(told["reason"].as_str().unwrap().contains(&id), "{told}");
    let token = poll(&agent, &asked).await.ok();
    assert_eq!(token.claims()["scope"], "orders:write");
    // A no of theirs is one.
    let asked = waits(&house, &agent).await;
    question(&ada).await.deny().await.page();
    poll(&agent, &asked).await.refused("access_denied");
}

async fn where_there_is_no_manager_the_request_is_refused(database: Database) {
    let refused = async |house: &House, agent: &Client| {
        let given = given(house, agent).await;
        let refused = agent.exchange(&given, &WAITING).await.refused("access_denied");
        assert!(refused.text("error_description").contains("nobody is there who may"), "{}", refused.body);
        let told = house.told("token.exchange", "access_denied").await;
        assert_eq!(told["rule"], "managers-approve");
    };
    // Nobody is named, or nobody who is there.
    for claims in ["nickname = \"Al\"", "manager = \"carol\""] {
        let house = managed(database, claims).await;
        refused(&house, &house.client("agent-a")).await;
    }
    // Or somebody whose account is closed; once it is open, they are asked.
    let house = managed(database, "manager = \"bob\"").await;
    let agent = house.client("agent-a");
    let bob = house.store().find_user_by_username("bob").await.unwrap().unwrap().id.clone();
    let set = async |operation| {
        let change = server::store::Change::housekeeping(house.door().now());
        house.store().commit(change.set_account(bob.clone(), operation)).await.unwrap();
        house.later(2);
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    };
    set(protocol::ending::AccountOperation::Disable).await;
    refused(&house, &agent).await;
    set(protocol::ending::AccountOperation::Enable).await;
    waits(&house, &agent).await;
    // Nobody is above themselves, whatever a directory says.
    let house = managed(database, "nickname = \"Al\"").await;
    let mut alice = house.store().find_user_by_username("alice").await.unwrap().unwrap().as_ref().clone();
    alice.claims.insert("manager".into(), "alice".into());
    let origin = server::store::Origin::Config;
    let change = server::store::Change::housekeeping(house.door().now());
    house.store().commit(change.keep(server::store::Record::User { user: alice, origin })).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    refused(&house, &house.client("agent-a")).await;
}

async fn who_is_manager_no_more_when_the_client_comes_back_has_not_approved(database: Database) {
    let mut house = managed(database, "manager = \"bob\"").await;
    let (agent, bob) = (house.client("agent-a"), house.signed_in("bob").await);
    let asked = waits(&house, &agent).await;
    approve(&bob).await;
    let (was, is) = ("manager = \"bob\"", "manager = \"admin\"");
    house.restart_changed(|config| config.replace(was, is)).await;
    let refused = poll(&again(&house, &agent), &asked).await.refused("access_denied");
    assert!(refused.text("error_description").contains("not what was approved"), "{}", refused.body);
    house.restart_changed(|config| config.replace(is, was)).await;
    poll(&again(&house, &agent), &asked).await.ok();
}

//! Grant Management: a client says what becomes of the user's word, a consent of its own, a part of one that stands, or
//! something in its place.

use serde_json::{Value, json};
use tests::{Answer, Arrival, Ask, Client, Database, House, INVENTORY, ORDERS, Person, on_both_databases};

use crate::elsewhere::{Elsewhere, question};

on_both_databases! {
    what_is_merged_is_added_to_the_same_grant_and_existing_tokens_go_on,
    what_replaces_takes_the_place_of_all_that_was_and_ends_it,
    what_agents_were_given_ends_with_what_is_replaced,
    a_grant_of_its_own_is_asked_for_whatever_was_allowed_before,
    only_the_owner_and_the_client_of_a_grant_change_it,
    of_many_answers_at_once_none_is_lost,
    a_device_and_a_client_from_afar_add_to_a_grant,
    where_an_action_is_required_clients_that_may_use_one_must,
}

const ACTION: &str = "grant_management_action";

/// `client` asks for this scope, with this action for this grant.
fn acting(house: &House, client: &Client, scope: &str, action: &str, grant: &str) -> Ask {
    let ask = house.ask(client).scope(scope).with(ACTION, action);
    if grant.is_empty() { ask } else { ask.with("grant_id", grant) }
}

/// The error that the browser brings back.
async fn refused(ask: &Ask, person: &Person) -> String {
    ask.brought_by(person).await.param("error")
}

/// What the grant allows, as its client is told.
async fn told(client: &Client, grant: &str) -> Value {
    let token =
        client.token(&[("grant_type", "client_credentials"), ("scope", "grant_management_query")]).await;
    client.call("GET", &format!("/grants/{grant}"), token.ok().access_token()).await.ok().json
}

async fn first(house: &House, client: &Client, person: &Person) -> Answer {
    let ask = acting(house, client, "offline_access orders:read", "create", "");
    ask.approved_by(person).await.redeem(client).await.ok()
}

async fn what_is_merged_is_added_to_the_same_grant_and_existing_tokens_go_on(database: Database) {
    let house = House::on(database).await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let before = first(&house, &web, &alice).await;
    let grant = before.text("grant_id");
    let ask = acting(&house, &web, "orders:read orders:write", "merge", grant).pushed(&web).await;
    let page = ask.brought_by(&alice).await.page();
    let text = page.text();
    for words in ["What you allowed already", "Stays allowed", "New", "Allowed already", "See your orders"] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    assert!(!text.contains("Not allowed any more"), "{text}");
    let back = page
        .approve(|form| {
            form.untick("scope", "orders:read");
        })
        .await
        .away();
    let event = house.told("consent.decide", "granted").await;
    assert_eq!((&event["consent"], &event["scope"]), (&json!(grant), &json!("orders:write")));
    assert_eq!(event["reason"], "added to what was allowed before");
    let added = ask.code_from(&back).redeem(&web).await.ok();
    assert_eq!((added.text("grant_id"), &added.claims()["scope"]), (grant, &json!("orders:write")));

    assert_eq!(told(&web, grant).await["scopes"][0]["scope"], "offline_access orders:read orders:write");
    assert!(house.is_active(before.access_token()).await && house.is_active(added.access_token()).await);
    let refreshed = web.refresh(before.text("refresh_token"), &[]).await.ok();
    assert_eq!(refreshed.claims()["scope"], "orders:read", "a token of before is not made wider");
    web.refresh(before.text("refresh_token"), &[("scope", "orders:write")]).await.refused("invalid_scope");

    // What is allowed already needs no page, and is still this grant.
    let again = acting(&house, &web, "orders:write", "merge", grant);
    let Arrival::Away(back) = again.brought_by(&alice).await else { panic!("asked once more") };
    assert_eq!(again.code_from(&back).redeem(&web).await.ok().text("grant_id"), grant);

    // Claims by name are told, and added too.
    let claims = json!({"userinfo": {"nickname": null}}).to_string();
    let ask = acting(&house, &web, "openid", "merge", grant).with("claims", &claims);
    ask.approved_by(&alice).await.redeem(&web).await.ok();
    assert_eq!(told(&web, grant).await["claims"], json!(["nickname"]));
}

async fn what_replaces_takes_the_place_of_all_that_was_and_ends_it(database: Database) {
    let house = House::on(database).await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let before = first(&house, &web, &alice).await;
    let grant = before.text("grant_id");
    let pending = acting(&house, &web, "orders:read", "merge", grant).approved_by(&alice).await;
    let other =
        acting(&house, &web, "orders:read", "create", "").approved_by(&alice).await.redeem(&web).await.ok();

    let ask = acting(&house, &web, "orders:write", "replace", grant);
    let page = ask.brought_by(&alice).await.page();
    for words in ["What you allowed until now", "Not allowed any more", "See your orders"] {
        assert!(page.text().contains(words), "{words} is not in {}", page.text());
    }
    assert!(house.is_active(before.access_token()).await, "not before the user has said yes");
    let back = page.approve(|_| {}).await.away();
    let event = house.told("consent.decide", "granted").await;
    assert_eq!(event["reason"], "in the place of what was allowed before");
    let after = ask.code_from(&back).redeem(&web).await.ok();
    assert_eq!((after.text("grant_id"), &after.claims()["scope"]), (grant, &json!("orders:write")));
    assert_eq!(told(&web, grant).await["scopes"][0]["scope"], "orders:write");

    assert!(!house.is_active(before.access_token()).await);
    web.refresh(before.text("refresh_token"), &[]).await.refused("invalid_grant");
    pending.redeem(&web).await.refused("invalid_grant");
    assert!(house.is_active(after.access_token()).await, "what came with it lives");
    assert!(house.is_active(other.access_token()).await, "and so does another grant");
}

async fn what_agents_were_given_ends_with_what_is_replaced(database: Database) {
    let house = House::on(database).await;
    let (web, agent, alice) = (house.client("web"), house.client("agent-a"), house.signed_in("alice").await);
    let asking = |scope, action, grant: &str| {
        acting(&house, &web, scope, action, grant).actor("agent-a").resource(ORDERS)
    };
    let code = asking("orders:read orders:write", "create", "").approved_by(&alice).await;
    let given = code.redeem(&web).await.ok();
    let grant = given.text("grant_id");
    let write = [("scope", "orders:write"), ("resource", ORDERS)];
    let delegated = agent.exchange(given.access_token(), &write).await.ok();
    assert!(house.is_active(delegated.access_token()).await);
    // A grant for an agent is not one for the application itself.
    let own = acting(&house, &web, "orders:read", "merge", grant);
    assert_eq!(refused(&own, &alice).await, "invalid_request");

    let after = asking("orders:read", "replace", grant).approved_by(&alice).await.redeem(&web).await.ok();
    assert!(!house.is_active(delegated.access_token()).await);
    agent.exchange(given.access_token(), &write).await.refused("invalid_request");
    agent.exchange(after.access_token(), &write).await.refused("invalid_scope");
    let read = [("scope", "orders:read"), ("resource", ORDERS)];
    agent.exchange(after.access_token(), &read).await.ok();

    // What is added is a task of its own: it does not hold what was there before.
    let added = asking("orders:write", "merge", grant).approved_by(&alice).await.redeem(&web).await.ok();
    agent.exchange(added.access_token(), &write).await.ok();
    agent.exchange(added.access_token(), &read).await.refused("invalid_scope");
    agent.exchange(after.access_token(), &read).await.ok();
}

async fn a_grant_of_its_own_is_asked_for_whatever_was_allowed_before(database: Database) {
    let house = House::on(database).await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let before = first(&house, &web, &alice).await;
    let ask = acting(&house, &web, "orders:read", "create", "");
    assert_eq!(refused(&ask.clone().with("prompt", "none"), &alice).await, "consent_required");
    let page = ask.brought_by(&alice).await.page();
    assert!(!page.text().contains("What you allowed already"), "{}", page.text());
    let code = ask.code_from(&page.approve(|_| {}).await.away());
    assert_ne!(code.redeem(&web).await.ok().text("grant_id"), before.text("grant_id"));
    // Without an action, what was allowed before is enough.
    let Arrival::Away(_) = house.ask(&web).scope("orders:read").brought_by(&alice).await else {
        panic!("asked once more")
    };
}

async fn only_the_owner_and_the_client_of_a_grant_change_it(database: Database) {
    let house = House::on(database).await;
    let (web, post, shop) = (house.client("web"), house.client("post"), house.client("shop"));
    let (alice, bob) = (house.signed_in("alice").await, house.signed_in("bob").await);
    let before = first(&house, &web, &alice).await;
    let grant = before.text("grant_id");
    for action in ["merge", "replace"] {
        let own = acting(&house, &web, "orders:write", action, grant);
        assert_eq!(refused(&own, &bob).await, "access_denied");
        house.told("authorization.request", "access_denied").await;
        for foreign in [grant, "con_none", "no id"] {
            let ask = acting(&house, &post, "orders:write", action, foreign);
            assert_eq!(refused(&ask, &alice).await, "invalid_grant_id", "{foreign}");
            post.push(&ask.params()).await.refused("invalid_grant_id");
            house.told("authorization.push", "invalid_grant_id").await;
        }
        let ask = acting(&house, &web, "orders:write", action, "");
        assert_eq!(refused(&ask, &alice).await, "invalid_request");
    }
    let wrong = acting(&house, &web, "orders:write", "create", grant);
    assert_eq!(refused(&wrong, &alice).await, "invalid_request");
    let wrong = acting(&house, &web, "orders:write", "update", grant);
    assert_eq!(refused(&wrong, &alice).await, "invalid_request");
    let public = acting(&house, &shop, "orders:write", "create", "");
    assert_eq!(refused(&public, &alice).await, "unauthorized_client");

    // A word must not come to mean something where it was not asked for.
    let details = json!([{"type": "agent_task", "actions": ["read"]}]);
    let here = house.ask(&web).with(ACTION, "create").details(&details).resource(ORDERS);
    let here = here.pushed(&web).await.approved_by(&alice).await.redeem(&web).await.ok();
    let there = acting(&house, &web, "inventory:read", "merge", here.text("grant_id")).resource(INVENTORY);
    assert_eq!(refused(&there, &alice).await, "invalid_target");

    let revoke =
        web.token(&[("grant_type", "client_credentials"), ("scope", "grant_management_revoke")]).await;
    let ended = web.call("DELETE", &format!("/grants/{grant}"), revoke.ok().access_token()).await;
    assert_eq!(ended.status, 204);
    let ask = acting(&house, &web, "orders:write", "merge", grant);
    assert_eq!(refused(&ask, &alice).await, "invalid_grant_id");
}

async fn of_many_answers_at_once_none_is_lost(database: Database) {
    let house = House::on(database).await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let before = first(&house, &web, &alice).await;
    let grant = before.text("grant_id");
    let words = ["orders:write", "inventory:read", "inventory:write", "profile", "email"];
    let mut pages = Vec::new();
    for word in words {
        let browser = house.signed_in("alice").await;
        let scope = if word.contains(':') { word.to_owned() } else { format!("openid {word}") };
        let ask = acting(&house, &web, &scope, "merge", grant);
        pages.push((word, ask.brought_by(&browser).await.page()));
    }
    let mut answers = tokio::task::JoinSet::new();
    for (word, page) in pages {
        answers.spawn(async move { (word, page.approve(|_| {}).await) });
    }
    let mut given = Vec::new();
    let mut again = Vec::new();
    for (word, arrival) in answers.join_all().await {
        match arrival {
            Arrival::Away(_) => given.push(word),
            // The grant is not what was shown any more: it is shown as it is now.
            Arrival::Page(page) => again.push((word, page)),
        }
    }
    assert!(!given.is_empty());
    for (word, page) in again {
        assert_eq!(page.status, 400, "{word}");
        let mut page = page;
        loop {
            match page.approve(|_| {}).await {
                Arrival::Away(_) => break,
                Arrival::Page(next) => page = next,
            }
        }
        given.push(word);
    }
    let scope = told(&web, grant).await["scopes"][0]["scope"].as_str().unwrap().to_owned();
    for word in words {
        assert!(scope.split(' ').any(|known| known == word), "{word} is lost: {scope}");
    }
    assert!(house.is_active(before.access_token()).await);
    let id = grant.parse().unwrap();
    let consent = house.store().find_consent_now(&id).await.unwrap().unwrap();
    assert_eq!(consent.version, 1 + u32::try_from(words.len()).unwrap());
}

async fn a_device_and_a_client_from_afar_add_to_a_grant(database: Database) {
    let town = Elsewhere::on(database).await;
    let (house, agent) = (&town.house, town.client("agent-d"));
    let alice = house.signed_in("alice").await;
    let asked = town.ask_alice(&agent, &[(ACTION, "create")]).await.ok();
    question(&alice).await.approve(|_| {}).await.page();
    let before = town.poll(&agent, &asked).await.ok();
    let grant = before.text("grant_id").to_owned();

    for hint in ["bob", "nobody at all"] {
        let asks =
            [("scope", "openid"), ("login_hint", hint), (ACTION, "merge"), ("grant_id", grant.as_str())];
        agent.post("/backchannel/authorize", &asks).await.refused_with(403, "access_denied");
        house.told("authorization.backchannel", "access_denied").await;
    }
    let other = town.client("till");
    let foreign = [(ACTION, "merge"), ("grant_id", grant.as_str())];
    town.ask_alice(&other, &foreign).await.refused("invalid_grant_id");

    let asks = [("scope", "orders:write"), (ACTION, "merge"), ("grant_id", grant.as_str())];
    let asked = agent.post("/device_authorization", &asks).await.ok();
    let path = format!("/device?user_code={}", asked.text("user_code"));
    let bob = house.signed_in("bob").await;
    assert_eq!(bob.page(&path).await.status, 400, "it is not his to add to");
    let page = alice.page(&path).await;
    assert!(page.text().contains("What you allowed already"), "{}", page.text());
    page.approve(|_| {}).await.page();
    let added = town.poll_device(&agent, &asked).await.ok();
    assert_eq!((added.text("grant_id"), &added.claims()["scope"]), (grant.as_str(), &json!("orders:write")));
    assert!(house.is_active(before.access_token()).await && house.is_active(added.access_token()).await);

    let asked = town.ask_alice(&agent, &[(ACTION, "replace"), ("grant_id", &grant)]).await.ok();
    let page = question(&alice).await;
    assert!(page.text().contains("What you allowed until now"), "{}", page.text());
    page.approve(|_| {}).await.page();
    let after = town.poll(&agent, &asked).await.ok();
    assert_eq!(after.text("grant_id"), grant);
    assert!(!house.is_active(before.access_token()).await && !house.is_active(added.access_token()).await);
    assert!(house.is_active(after.access_token()).await);
}

async fn where_an_action_is_required_clients_that_may_use_one_must(database: Database) {
    let house = House::on_with(database, "[grant_management]\naction_required = true\n").await;
    let (web, shop, alice) = (house.client("web"), house.client("shop"), house.signed_in("alice").await);
    let document = house.send(house.request("GET", "/.well-known/openid-configuration")).await.ok().json;
    assert_eq!(document["grant_management_action_required"], true);
    let actions = json!(["query", "revoke", "create", "merge", "replace"]);
    assert_eq!(document["grant_management_actions_supported"], actions);
    let ask = house.ask(&web).scope("orders:read");
    assert_eq!(refused(&ask, &alice).await, "invalid_request");
    web.push(&ask.params()).await.refused("invalid_request");
    first(&house, &web, &alice).await;
    // A public client may not use one, and is not asked for it.
    house.ask(&shop).scope("orders:read").approved_by(&alice).await.redeem(&shop).await.ok();
}

//! Token exchange (RFC 8693): how the authority gets to an agent, and how it goes on from there.

use serde_json::{Value, json};
use tests::{Client, Database, House, INVENTORY, ORDERS, on_both_databases};

on_both_databases! {
    an_agent_narrows_its_own_token_and_the_chain_does_not_grow,
    an_agent_hands_over_to_another_and_that_one_to_a_third,
    ending_the_consent_ends_every_token_of_the_chain,
}

/// A token that `agent` got by asking alice itself.
async fn own_consent(house: &House, agent: &Client, scope: &str) -> String {
    let code = house.ask(agent).scope(scope).approved_by(&house.signed_in("alice").await).await;
    code.redeem(agent).await.ok().access_token().to_owned()
}

/// `from` hands `token` over to `to`.
async fn hand_over(from: &Client, to: &Client, token: &str, scope: &str) -> String {
    let params = [("audience", to.id.as_str()), ("scope", scope), ("resource", ORDERS)];
    from.exchange(token, &params).await.ok().access_token().to_owned()
}

fn chain(claims: &Value) -> Vec<String> {
    let mut actors = Vec::new();
    let mut act = &claims["act"];
    while let Some(sub) = act["sub"].as_str() {
        actors.push(sub.to_owned());
        act = &act["act"];
    }
    actors
}

async fn an_agent_narrows_its_own_token_and_the_chain_does_not_grow(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let wide = own_consent(&house, &agent, "orders:read orders:write").await;
    let narrow = agent.exchange(&wide, &[("scope", "orders:read")]).await.ok();
    assert_eq!(narrow.text("issued_token_type"), "urn:ietf:params:oauth:token-type:access_token");
    assert_eq!(narrow.text("token_type"), "DPoP");
    let (before, after) = (tests::unverified_claims(&wide), narrow.claims());
    assert_eq!(after["scope"], "orders:read");
    for same in ["sub", "act", "txn", "aud", "auth_time", "amr"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert!(after["exp"].as_i64() <= before["exp"].as_i64());
    let event = house.told("token.exchange", "granted").await;
    assert_eq!((&event["token"], &event["parent"]), (&after["jti"], &before["jti"]));
    agent.exchange(narrow.access_token(), &[("scope", "orders:write")]).await.refused("invalid_scope");
    house.told("token.exchange", "invalid_scope").await;
}

async fn an_agent_hands_over_to_another_and_that_one_to_a_third(database: Database) {
    let house = House::on(database).await;
    let [a, b, c] = ["agent-a", "agent-b", "agent-c"].map(|id| house.client(id));
    let first = house.delegated_token(&a, "orders:read orders:write").await;
    let to_b = hand_over(&a, &b, first.access_token(), "orders:read").await;
    assert_eq!(tests::unverified_claims(&to_b)["aud"], "agent-b");
    assert!(!house.is_active(&to_b).await, "a hand-over is good for nothing but exchange");
    c.exchange(&to_b, &[("scope", "orders:read")]).await.refused("invalid_request");
    b.exchange(&to_b, &[("scope", "orders:write")]).await.refused("invalid_scope");
    b.exchange(&to_b, &[("scope", "orders:read"), ("resource", INVENTORY)]).await.refused("invalid_target");

    let second = b.exchange(&to_b, &[("scope", "orders:read")]).await.ok();
    assert_eq!(chain(&second.claims()), ["agent-b", "agent-a"]);
    assert_eq!(second.claims()["cnf"]["jkt"], b.dpop.as_ref().unwrap().thumbprint());
    let to_c = hand_over(&b, &c, second.access_token(), "orders:read").await;
    let third = c.exchange(&to_c, &[("scope", "orders:read")]).await.ok();
    assert_eq!(chain(&third.claims()), ["agent-c", "agent-b", "agent-a"]);
    for same in ["sub", "txn"] {
        assert_eq!(third.claims()[same], first.claims()[same], "{same}");
    }
    let told = house.client("orders-api").introspect(third.access_token()).await.ok().json;
    assert_eq!((&told["active"], &told["act"]), (&true.into(), &third.claims()["act"]));
    let event = house.last_event().await;
    assert_eq!(event["chain"].as_array().unwrap().len(), 3, "{event}");
}

async fn ending_the_consent_ends_every_token_of_the_chain(database: Database) {
    let house = House::on(database).await;
    let (a, b) = (house.client("agent-a"), house.client("agent-b"));
    let first = house.delegated_token(&a, "orders:read").await;
    let to_b = hand_over(&a, &b, first.access_token(), "orders:read").await;
    let second = b.exchange(&to_b, &[("scope", "orders:read")]).await.ok();
    assert!(house.is_active(second.access_token()).await);
    let alice = house.signed_in("alice").await;
    let page = alice.page("/account").await;
    page.submit(&page.form_to("/account/consents/end"), None).await.page();
    house.told("consent.end", "granted").await;
    for token in [first.access_token(), second.access_token()] {
        assert!(!house.is_active(token).await);
    }
    a.exchange(first.access_token(), &[("scope", "orders:read")]).await.refused("invalid_request");
    house.told("token.exchange", "invalid_request").await;
    b.exchange(&to_b, &[("scope", "orders:read")]).await.refused("invalid_request");
}

#[tokio::test]
async fn an_application_asks_for_an_agent_and_is_not_in_the_chain() {
    let house = House::open().await;
    let claims = house.delegated_token(&house.client("agent-a"), "orders:read").await.claims();
    assert_eq!(chain(&claims), ["agent-a"]);
    assert_eq!(claims["client_id"], "agent-a");
    assert!(claims.get("may_act").is_none(), "may_act speaks of its own token only");
}

#[tokio::test]
async fn authorization_details_narrow_with_the_token() {
    let house = House::open().await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let wide = json!([{"type": "agent_task", "actions": ["read", "refund"], "max_amount": 100, "purpose": "Refund"}]);
    let ask = house.ask(&agent).details(&wide).resource(ORDERS).pushed(&agent).await;
    let code = ask.approved_by(&alice).await;
    let token = code.redeem(&agent).await.ok();
    assert_eq!(token.json["authorization_details"], wide);
    let narrow = json!([{"type": "agent_task", "actions": ["read"], "max_amount": 50, "purpose": "Refund"}])
        .to_string();
    let answer = agent.exchange(token.access_token(), &[("authorization_details", &narrow)]).await.ok();
    assert_eq!(answer.json["authorization_details"], serde_json::from_str::<Value>(&narrow).unwrap());
    assert_eq!(answer.claims()["authorization_details"], answer.json["authorization_details"]);
    for wider in [
        json!([{"type": "agent_task", "actions": ["read", "delete"], "max_amount": 50, "purpose": "Refund"}]),
        json!([{"type": "agent_task", "actions": ["read"], "max_amount": 101, "purpose": "Refund"}]),
        json!([{"type": "agent_task", "actions": ["read"], "purpose": "Refund"}]),
        json!([{"type": "agent_task", "actions": ["read"], "max_amount": 50, "purpose": "Something else"}]),
        json!([{"type": "mcp_tool", "server": "https://m.example", "tools": ["t"]}]),
        json!([{"type": "no_such_type"}]),
    ] {
        let wider = wider.to_string();
        let answer = agent.exchange(token.access_token(), &[("authorization_details", &wider)]).await;
        answer.refused("invalid_authorization_details");
        house.told("token.exchange", "invalid_authorization_details").await;
    }
}

#[tokio::test]
async fn a_service_hands_on_what_was_sent_to_it_where_a_rule_says_so() {
    let rule = format!(
        "[[rules]]\nid = \"orders-go-on\"\nclient = \"orders-api\"\neffect = \"may_act\"\nresources = [\"{INVENTORY}\"]\n"
    );
    let house = House::open_with(&rule).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let task = json!([{"type": "agent_task", "actions": ["read"]}]);
    let ask = house.ask(&agent).details(&task).resource(ORDERS).resource(INVENTORY);
    let code = ask.pushed(&agent).await.approved_by(&alice).await;
    let params = [code.params(), vec![("resource", ORDERS)]].concat();
    let token = agent.token(&params).await.ok();
    let api = house.client("orders-api");
    let answer = api.exchange(token.access_token(), &[("resource", INVENTORY)]).await.ok();
    assert_eq!(chain(&answer.claims()), ["orders-api", "agent-a"]);
    assert_eq!(answer.claims()["aud"], INVENTORY);
    assert_eq!(house.told("token.exchange", "granted").await["rule"], "orders-go-on");
    // It is no rule for others.
    let other = house.client("inventory-api");
    other.exchange(token.access_token(), &[("resource", INVENTORY)]).await.refused("invalid_request");
}

#[tokio::test]
async fn an_actor_token_of_its_own_changes_nothing() {
    let house = House::open().await;
    let agent = house.client("agent-a");
    let own = agent.own_token("orders:read", ORDERS).await.ok();
    let subject = house.token_for(&agent, "orders:read").await;
    let params = [("scope", "orders:read"), ("resource", ORDERS)];
    let answer = agent.exchange_as(&subject, own.access_token(), &params).await.ok();
    assert_eq!(chain(&answer.claims()), ["agent-a"]);
}

#[tokio::test]
async fn a_rule_may_let_one_client_send_anothers_actor_token() {
    let rule = "[[rules]]\nid = \"orders-for-a\"\nclient = \"orders-api\"\neffect = \"actor_token\"\nactor = \"agent-a\"\n\
                [[rules]]\nid = \"b-for-a\"\nclient = \"agent-b\"\neffect = \"actor_token\"\nactor = \"agent-a\"\n\
                [[rules]]\nid = \"b-presents\"\nclient = \"agent-b\"\neffect = \"may_present\"\nresources = [\"https://orders.example\"]\n";
    let house = House::open_with(rule).await;
    let (a, b, orders) =
        (house.client("agent-a"), house.client("agent-b"), house.client("orders-api").with_dpop());
    let own = a.own_token("orders:read", ORDERS).await.ok();
    let subject = house.delegated_token(&a, "orders:read").await.ok();
    let subject = subject.access_token();
    let params = [("scope", "orders:read"), ("resource", ORDERS)];
    let answer = orders.exchange_as(subject, own.access_token(), &params).await.ok();
    assert_eq!(chain(&answer.claims()), ["agent-a"]);
    assert_eq!(answer.claims()["client_id"], "orders-api");
    // A bound token that agent-a did not send to agent-b proves nothing in agent-b's hands, rule or not.
    b.exchange_as(subject, own.access_token(), &params).await.refused("invalid_request");
}

#[tokio::test]
async fn several_resources_stand_in_the_audience_together_where_they_are_named() {
    let house = House::open().await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let ask = house.ask(&agent).scope("orders:read inventory:read").resource(ORDERS).resource(INVENTORY);
    let code = ask.approved_by(&alice).await;
    let both = [code.params(), vec![("resource", ORDERS), ("resource", INVENTORY)]].concat();
    let token = agent.token(&both).await.ok();
    agent.exchange(token.access_token(), &[("scope", "orders:read")]).await.refused("invalid_target");
    let one = [("scope", "orders:read"), ("resource", ORDERS)];
    assert_eq!(agent.exchange(token.access_token(), &one).await.ok().claims()["aud"], ORDERS);
    let crossed = [("scope", "inventory:read"), ("resource", ORDERS)];
    agent.exchange(token.access_token(), &crossed).await.refused("invalid_scope");
    let two = [("scope", "orders:read inventory:read"), ("resource", ORDERS), ("audience", INVENTORY)];
    let claims = agent.exchange(token.access_token(), &two).await.ok().claims();
    assert_eq!(claims["aud"].as_array().unwrap().len(), 2, "{claims}");
}

#[tokio::test]
async fn impersonation_needs_a_rule_that_names_the_user_and_leaves_its_mark() {
    let rule = format!(
        "[[rules]]\nid = \"as-alice\"\nclient = \"orders-api\"\neffect = \"impersonate\"\n\
         subjects = [\"alice\"]\nresources = [\"{INVENTORY}\"]\n"
    );
    let house = House::open_with(&rule).await;
    let (web, api) = (house.client("web"), house.client("orders-api"));
    let task = json!([{"type": "agent_task", "actions": ["read"]}]);
    for (username, allowed) in [("alice", true), ("bob", false)] {
        let person = house.signed_in(username).await;
        let ask = house.ask(&web).details(&task).resource(ORDERS).pushed(&web).await;
        let code = ask.approved_by(&person).await;
        let token = code.redeem(&web).await.ok();
        let answer = api.exchange(token.access_token(), &[("resource", INVENTORY)]).await;
        if allowed {
            let claims = answer.ok().claims();
            assert!(claims.get("act").is_none(), "{claims}");
            assert_eq!(house.told("token.exchange", "granted").await["rule"], "as-alice");
        } else {
            answer.refused("invalid_request");
        }
    }
}

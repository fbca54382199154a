//! Every way in which an exchange is refused (RFC 8693 §2.2.2), each told to the audit log.

use server::store::{Change, Ending};
use tests::{Client, Database, House, INVENTORY, ORDERS, on_both_databases};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const READ: (&str, &str) = ("scope", "orders:read");

on_both_databases! {
    more_than_there_is_is_refused,
    a_token_of_somebody_else_is_refused,
    what_is_over_is_refused,
    who_is_there_is_not_told_to_whoever_cannot_hand_over_to_them,
    the_word_of_a_sign_in_stops_with_what_came_with_it,
}

async fn refused(house: &House, client: &Client, token: &str, params: &[(&str, &str)], code: &str) {
    client.exchange(token, params).await.refused(code);
    house.told("token.exchange", code).await;
}

async fn more_than_there_is_is_refused(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let token = house.delegated_token(&agent, "orders:read").await;
    let token = token.access_token();
    for (params, code) in [
        (vec![("scope", "orders:read orders:write")], "invalid_scope"),
        (vec![("scope", "inventory:read")], "invalid_scope"),
        (vec![("scope", "no:such")], "invalid_scope"),
        (vec![], "invalid_scope"),
        (vec![("scope", " ")], "invalid_scope"),
        (vec![READ, ("resource", INVENTORY)], "invalid_target"),
        (vec![READ, ("resource", ORDERS), ("resource", INVENTORY)], "invalid_target"),
        (vec![READ, ("resource", "https://elsewhere.example")], "invalid_target"),
        (vec![READ, ("audience", "nobody")], "invalid_target"),
        (vec![READ, ("audience", "agent-b"), ("audience", "agent-c")], "invalid_target"),
        (
            vec![("authorization_details", r#"[{"type":"agent_task","actions":["read"]}]"#)],
            "invalid_authorization_details",
        ),
    ] {
        refused(&house, &agent, token, &params, code).await;
    }
    agent.exchange(token, &[READ]).await.ok();
}

async fn a_token_of_somebody_else_is_refused(database: Database) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let token = house.delegated_token(&a, "orders:read").await;
    refused(&house, &b, token.access_token(), &[READ], "invalid_request").await;
    // Not even by its own client, without the key that it is bound to.
    refused(&house, &house.client("agent-a"), token.access_token(), &[READ], "invalid_request").await;
    refused(&house, &a.clone().without_dpop(), token.access_token(), &[READ], "invalid_request").await;
    // What an application has for itself is not for an agent, consent or not.
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let code = house.ask(&web).scope("orders:read").approved_by(&alice).await;
    let webs = code.redeem(&web).await.ok();
    refused(&house, &a, webs.access_token(), &[READ], "invalid_request").await;
    // An API may exchange what is sent to it, but needs to be allowed to act.
    refused(&house, &house.client("orders-api"), webs.access_token(), &[READ], "invalid_request").await;
}

async fn what_is_over_is_refused(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let token = house.delegated_token(&agent, "orders:read").await;
    agent.revoke(token.access_token()).await.ok();
    refused(&house, &agent, token.access_token(), &[READ], "invalid_request").await;
    let token = house.delegated_token(&agent, "orders:read").await;
    house.later(301);
    refused(&house, &agent, token.access_token(), &[READ], "invalid_request").await;
}

async fn who_is_there_is_not_told_to_whoever_cannot_hand_over_to_them(database: Database) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let acting = house.delegated_token(&a, "orders:read").await;
    let handed = a.exchange(acting.access_token(), &[READ, ("audience", "agent-b")]).await.ok();
    let second = b.exchange(handed.access_token(), &[READ]).await.ok();
    let own = a.own_token("orders:read", ORDERS).await.ok();
    let webs = house.ask(&web).scope("orders:read").approved_by(&alice).await.redeem(&web).await.ok();
    let over = house.delegated_token(&a, "orders:read").await;
    a.revoke(over.access_token()).await.ok();
    let mut told = std::collections::BTreeSet::new();
    // Each with what cannot be handed over, to somebody who is there, to themselves, to nobody, to what is no name at all.
    for (client, token, of_target) in [
        (&b, second.access_token(), true),
        (&a, own.access_token(), true),
        (&a, second.access_token(), false),
        (&a, webs.access_token(), false),
        (&web, webs.access_token(), true),
        (&a, over.access_token(), false),
        (&a, "nonsense", false),
    ] {
        let mut answers = std::collections::BTreeSet::new();
        for audience in ["agent-a", "nobody", "https://nobody.example/client", "a b", INVENTORY] {
            let answer = client.exchange(token, &[READ, ("audience", audience)]).await;
            answers.insert((answer.status, answer.body.clone()));
            let code = if of_target { "invalid_target" } else { "invalid_request" };
            house.told("token.exchange", code).await;
        }
        assert_eq!(answers.len(), 1, "{answers:?}");
        told.extend(answers.into_iter().filter(|_| of_target));
    }
    // And all of it is what is said of a resource server.
    let elsewhere = a.exchange(acting.access_token(), &[READ, ("resource", "https://nobody.example")]).await;
    told.insert((elsewhere.status, elsewhere.refused("invalid_target").body));
    assert_eq!(told.len(), 1, "{told:?}");
    // The auditor is told why.
    b.exchange(second.access_token(), &[READ, ("audience", "agent-a")]).await.refused("invalid_target");
    let event = house.told("token.exchange", "invalid_target").await;
    assert!(event["reason"].as_str().unwrap().contains("other than the actors so far"), "{event}");
}

async fn the_word_of_a_sign_in_stops_with_what_came_with_it(database: Database) {
    const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
    let house = House::on(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let exchange = async |id_token: &str| {
        let params =
            [("grant_type", EXCHANGE), ("subject_token", id_token), ("subject_token_type", ID_TOKEN)];
        agent.token(&[params.as_slice(), &[READ, ("resource", ORDERS)]].concat()).await
    };
    for way in ["token", "family", "consent", "task", "code"] {
        let code = house.ask(&agent).scope("openid offline_access orders:read").approved_by(&alice).await;
        let redeem = [code.params(), vec![("resource", ORDERS)]].concat();
        let got = agent.token(&redeem).await.ok();
        let id_token = got.text("id_token").to_owned();
        let derived = exchange(&id_token).await.ok();
        assert!(house.is_active(derived.access_token()).await);
        let end = async |ending: Ending| {
            let change = Change::housekeeping(house.door().now()).end(ending);
            house.store().commit(change).await.unwrap();
        };
        match way {
            "token" => drop(agent.revoke(got.access_token()).await.ok()),
            "family" => drop(agent.revoke(got.text("refresh_token")).await.ok()),
            "consent" => end(Ending::Consent(got.text("grant_id").parse().unwrap())).await,
            "task" => end(Ending::Task(got.claims()["task"]["id"].as_str().unwrap().parse().unwrap())).await,
            // It came a second time (RFC 6749 §4.1.2).
            _ => drop(agent.token(&redeem).await.refused("invalid_grant")),
        }
        exchange(&id_token).await.refused("invalid_request");
        house.told("token.exchange", "invalid_request").await;
        assert!(!house.is_active(derived.access_token()).await, "{way}: and what was derived from it");
    }
}

#[tokio::test]
async fn the_ended_parent_takes_what_was_derived_with_it() {
    let house = House::open().await;
    let agent = house.client("agent-a");
    let subject = house.token_for(&agent, "orders:read").await;
    let params = [READ, ("resource", ORDERS)];
    let token = agent.exchange(&subject, &params).await.ok();
    house.client("shop").revoke(&subject).await.ok();
    assert!(!house.is_active(token.access_token()).await);
    refused(&house, &agent, token.access_token(), &[READ], "invalid_request").await;
}

#[tokio::test]
async fn token_types_must_be_known_and_fit() {
    let house = House::open().await;
    let agent = house.client("agent-a");
    let code = house.ask(&agent).scope("openid offline_access orders:read");
    let code = code.approved_by(&house.signed_in("alice").await).await;
    let got = [code.params(), vec![("resource", ORDERS)]].concat();
    let got = agent.token(&got).await.ok();
    let access = got.access_token();
    let refresh = got.text("refresh_token");
    let id_token = got.text("id_token");
    for (token, kind) in [
        (access, "urn:ietf:params:oauth:token-type:refresh_token"),
        (access, "urn:ietf:params:oauth:token-type:id_token"),
        (access, "urn:ietf:params:oauth:token-type:saml2"),
        (access, "urn:example:token-type"),
        (access, "access_token"),
        (refresh, ACCESS_TOKEN),
        (refresh, "urn:ietf:params:oauth:token-type:id_token"),
        (id_token, ACCESS_TOKEN),
        (id_token, "urn:ietf:params:oauth:token-type:refresh_token"),
        (access, "urn:ietf:params:oauth:token-type:txn_token"),
        (access, "urn:ietf:params:oauth:token-type:id-jag"),
        ("no.such.token", ACCESS_TOKEN),
        (&format!("{access}x"), ACCESS_TOKEN),
    ] {
        let params = [("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", kind), READ];
        let answer = agent.token(&params).await;
        assert_eq!(
            (answer.status, &answer.json["error"]),
            (400, &"invalid_request".into()),
            "{kind} {token}"
        );
    }
    for requested in ["urn:ietf:params:oauth:token-type:id_token", "urn:example:x"] {
        let params = [READ, ("requested_token_type", requested)];
        agent.exchange(access, &params).await.refused("invalid_request");
    }
    agent
        .token(&[("grant_type", EXCHANGE), ("subject_token", access), READ])
        .await
        .refused("invalid_request");
    agent
        .token(&[("grant_type", EXCHANGE), ("subject_token_type", ACCESS_TOKEN)])
        .await
        .refused("invalid_request");
    agent.exchange(access, &[READ, ("requested_token_type", ACCESS_TOKEN)]).await.ok();
}

#[tokio::test]
async fn a_public_client_exchanges_nothing() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let code = house.ask(&shop).scope("orders:read").approved_by(&alice).await;
    let token = code.redeem(&shop).await.ok();
    refused(&house, &shop, token.access_token(), &[READ], "unauthorized_client").await;
}

#[tokio::test]
async fn an_actor_token_must_be_the_clients_own_plain_and_bound_to_its_key() {
    let house = House::open().await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let subject = house.token_for(&a, "orders:read").await;
    let params = [READ, ("resource", ORDERS)];
    let acting = house.delegated_token(&a, "orders:read").await;
    let of_b = b.own_token("orders:read", ORDERS).await.ok();
    let of_other_key = house.client("agent-a").own_token("orders:read", ORDERS).await.ok();
    let web = house.client("web");
    let code = house.ask(&web).scope("orders:read").approved_by(&house.signed_in("alice").await).await;
    let of_user = code.redeem(&web).await.ok();
    for token in [&acting, &of_b, &of_other_key, &of_user]
        .map(|answer| answer.access_token())
        .into_iter()
        .chain(["none"])
    {
        a.exchange_as(&subject, token, &params).await.refused("invalid_request");
        house.told("token.exchange", "invalid_request").await;
    }
    let own = a.own_token("orders:read", ORDERS).await.ok();
    let own = own.access_token();
    a.exchange(&subject, &[READ, ("actor_token", own)]).await.refused("invalid_request");
    a.exchange(&subject, &[READ, ("actor_token_type", ACCESS_TOKEN)]).await.refused("invalid_request");
    house.later(301);
    let subject = house.token_for(&a, "orders:read").await;
    a.exchange_as(&subject, own, &params).await.refused("invalid_request");
}

/// Neither a rule that lets it present nor one that lets it act opens a token whose `may_act` names another.
#[tokio::test]
async fn may_act_is_exhaustive_with_and_without_an_actor_token() {
    let rules = "[[rules]]\nid = \"r1\"\nclient = \"agent-b\"\neffect = \"may_present\"\nresources = [\"https://orders.example\"]\n\
                 [[rules]]\nid = \"r2\"\nclient = \"agent-b\"\neffect = \"may_act\"\nresources = [\"https://orders.example\"]\n";
    let house = House::open_with(rules).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let subject = house.token_for(&a, "orders:read").await;
    let params = [READ, ("resource", ORDERS)];
    refused(&house, &b, &subject, &params, "invalid_request").await;
    let own = b.own_token("orders:read", ORDERS).await.ok();
    b.exchange_as(&subject, own.access_token(), &params).await.refused("invalid_request");
    house.told("token.exchange", "invalid_request").await;
    // Without a may_act the same rules do open one.
    let token = a.exchange(&subject, &params).await.ok();
    b.exchange(token.access_token(), &params).await.ok();
}

#[tokio::test]
async fn where_passing_on_was_not_allowed_nothing_is_handed_over() {
    let house = House::open().await;
    let (a, shop) = (house.client("agent-a"), house.client("shop"));
    let ask = house.ask(&shop).actor("agent-a").scope("orders:read").resource(ORDERS);
    let alice = house.signed_in("alice").await;
    let code = ask
        .approved_in_part(&alice, |form| {
            form.untick("passing_on", "yes");
        })
        .await;
    let subject = code.redeem(&shop).await.ok();
    let token = a.exchange(subject.access_token(), &[READ, ("resource", ORDERS)]).await.ok();
    refused(&house, &a, token.access_token(), &[READ, ("audience", "agent-b")], "invalid_target").await;
}

#[tokio::test]
async fn nobody_comes_back_into_the_chain() {
    let house = House::open().await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let token = house.delegated_token(&a, "orders:read").await;
    let to_b = a.exchange(token.access_token(), &[READ, ("audience", "agent-b")]).await.ok();
    let second = b.exchange(to_b.access_token(), &[READ]).await.ok();
    refused(&house, &b, second.access_token(), &[READ, ("audience", "agent-a")], "invalid_target").await;
    refused(&house, &b, second.access_token(), &[READ, ("audience", "agent-b")], "invalid_target").await;
}

#[tokio::test]
async fn the_chain_is_no_longer_than_allowed_and_never_cut() {
    let house = House::open_with("max_chain_depth = 2").await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let token = house.delegated_token(&a, "orders:read").await;
    let to_b = a.exchange(token.access_token(), &[READ, ("audience", "agent-b")]).await.ok();
    let second = b.exchange(to_b.access_token(), &[READ]).await.ok();
    refused(&house, &b, second.access_token(), &[READ, ("audience", "agent-c")], "invalid_target").await;
}

#[tokio::test]
async fn an_agents_own_longest_chain_holds_too() {
    let house = House::build(Database::Sqlite, |town| {
        town.replacen("id = \"agent-b\"", "id = \"agent-b\"\nmax_chain_depth = 1", 1)
    })
    .await;
    let a = house.client("agent-a");
    let token = house.delegated_token(&a, "orders:read").await;
    // What it could not use it is not even handed.
    refused(&house, &a, token.access_token(), &[READ, ("audience", "agent-b")], "invalid_target").await;
    a.exchange(token.access_token(), &[READ, ("audience", "agent-c")]).await.ok();
}

#[tokio::test]
async fn an_agent_that_is_gone_from_the_configuration_gets_nothing_more() {
    let mut house = House::open().await;
    let agent = house.client("agent-a");
    let token = house.delegated_token(&agent, "orders:read").await;
    house
        .restart_changed(|config| {
            let start = config.find("[[agents]]\nid = \"agent-a\"").unwrap();
            let end = start + config[start..].find("[[agents]]\nid = \"agent-b\"").unwrap();
            format!("{}{}", &config[..start], &config[end..])
        })
        .await;
    assert!(!house.is_active(token.access_token()).await);
    agent.exchange(token.access_token(), &[READ]).await.refused("invalid_client");
}

//! Instances: several copies of one agent, told apart by their platform. Each can be ended alone.

use std::sync::Arc;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::instance::Instance;
use serde_json::{Value, json};
use server::store::{Change, Ended, Ending};
use tests::{Client, Database, FakeProvider, House, ORDERS, on_both_databases, random};

use super::{agent, of_repository, right, shows, signed, trusting};
use crate::admin_api::Ops;

on_both_databases! {
    an_instance_stands_beside_the_agent_in_act,
    what_one_instance_got_is_no_other_ones,
    one_instance_ends_with_all_that_it_holds_and_never_comes_back,
    an_operator_ends_one_instance_and_its_siblings_go_on,
    an_admin_sees_the_instances_of_an_agent_and_ends_one_for_good,
    nothing_that_is_issued_to_an_instance_while_it_is_ended_lives_afterwards,
    a_token_of_the_agents_platform_is_an_actor_token_where_a_rule_says_so,
}

const AT_ORDERS: [(&str, &str); 2] = [("scope", "orders:read"), ("resource", ORDERS)];

/// A platform that vouches for workloads.
pub async fn platform() -> Arc<FakeProvider> {
    Arc::new(FakeProvider::open("nobody", "nobody", protocol::numeric_date::NumericDate(0)).await)
}

/// A house with `runner`, whose instances are the runs of `acme/app`, and a rule for orders-api.
async fn open(database: Database, platform: &FakeProvider) -> House {
    House::on_with(database, &declared(platform)).await
}

/// What is declared there.
pub fn declared(platform: &FakeProvider) -> String {
    let runner = agent("runner", "workload_jwt", &of_repository(platform, "acme/app"));
    let other = agent("other", "workload_jwt", &of_repository(platform, "acme/other"));
    let rule = "[[rules]]\nid = \"orders-api-speaks-for-runner\"\nclient = \"orders-api\"\neffect = \"actor_token\"\n\
                actor = \"runner\"\n\
                [[rules]]\nid = \"runner-acts\"\nclient = \"runner\"\neffect = \"may_act\"\n\
                resources = [\"https://orders.example\"]\n\
                [[rules]]\nid = \"other-acts\"\nclient = \"other\"\neffect = \"may_act\"\n\
                resources = [\"https://orders.example\"]\n";
    trusting(platform, "instance_claim = \"run_id\"", &format!("{runner}{other}{rule}"))
}

/// A fresh token of this run.
fn of_run(platform: &FakeProvider, house: &House, run: &str) -> Value {
    let mut claims = right(platform, house);
    claims["run_id"] = run.into();
    claims
}

/// The run of this name, which asks its platform for a token whenever it comes.
pub fn run(platform: &Arc<FakeProvider>, house: &House, name: &str) -> Client {
    let (platform, claims, door) =
        (Arc::clone(platform), of_run(platform, house, name), house.door().clone());
    shows(house, "runner", "jwt-bearer", move || {
        let mut claims = claims.clone();
        let now = door.now().0;
        (claims["iat"], claims["exp"], claims["jti"]) = (now.into(), (now + 300).into(), random().into());
        signed(&platform, &claims)
    })
}

async fn end(house: &House, instance: &str) -> Ended {
    let instance = Instance::new(&"runner".parse().unwrap(), &instance.parse().unwrap());
    let event = AuditEvent::new(Action::InstanceEnd, Outcome::Granted, house.door().now());
    house.store().commit(Change::new(event).end(Ending::Instance(instance))).await.unwrap().ended
}

/// What alice allowed the run herself: an access token and a refresh token.
async fn allowed(house: &House, run: &Client) -> tests::Answer {
    let ask = house.ask(run).scope("orders:read offline_access").resource(ORDERS);
    let code = ask.approved_by(&house.signed_in("alice").await).await;
    code.redeem(run).await.ok()
}

async fn an_instance_stands_beside_the_agent_in_act(database: Database) {
    let platform = platform().await;
    let house = open(database, &platform).await;
    let first = run(&platform, &house, "run-1");
    let token = house.delegated_token(&first, "orders:read").await;
    let act = &token.claims()["act"];
    assert_eq!((&act["sub"], &act["instance"]), (&json!("runner"), &json!("run-1")));
    assert_eq!(act["sub_profile"], "ai_agent");
    let told = house.told("token.exchange", "granted").await;
    assert_eq!((&told["client"], &told["instance"]), (&json!("runner"), &json!("run-1")));
    assert_eq!(told["chain"][0]["instance"], "run-1");
    // The agent it hands over to is told of it, too.
    let for_b =
        first.exchange(token.access_token(), &[("audience", "agent-b"), AT_ORDERS[0], AT_ORDERS[1]]).await;
    let b = house.client("agent-b");
    let as_b = b.exchange(for_b.ok().access_token(), &AT_ORDERS).await.ok().claims();
    assert_eq!((&as_b["act"]["sub"], as_b["act"].get("instance")), (&json!("agent-b"), None));
    assert_eq!(as_b["act"]["act"]["instance"], "run-1");
}

async fn what_one_instance_got_is_no_other_ones(database: Database) {
    let platform = platform().await;
    let house = open(database, &platform).await;
    let [first, second] = ["run-1", "run-2"].map(|name| run(&platform, &house, name));
    let mut second = second;
    // Not even with the same key.
    second.dpop.clone_from(&first.dpop);
    let got = allowed(&house, &first).await;
    let act = got.claims()["act"].clone();
    assert_eq!(act["instance"], "run-1");
    let refresh_token = got.text("refresh_token");
    second.refresh(refresh_token, &[]).await.refused("invalid_grant");
    house.told("token.refresh", "invalid_grant").await;
    second.exchange(got.access_token(), &AT_ORDERS).await.refused("invalid_request");
    let again = first.refresh(refresh_token, &[]).await.ok();
    assert_eq!(again.claims()["act"]["instance"], "run-1");
    first.exchange(again.access_token(), &AT_ORDERS).await.ok();
    // Nor does another one end it.
    for token in [refresh_token, got.access_token()] {
        second.revoke(token).await.refused("invalid_grant");
        let told = house.told("token.revoke", "invalid_grant").await;
        assert_eq!((&told["client"], told["token"].is_string()), (&json!("runner"), true), "{told}");
    }
    assert!(house.is_active(got.access_token()).await);
    first.refresh(refresh_token, &[]).await.ok();
    first.revoke(refresh_token).await.ok();
    first.refresh(refresh_token, &[]).await.refused("invalid_grant");
    // What is addressed to the agent, any of its instances may take.
    let subject = house.token_for(&first, "orders:read").await;
    let taken = second.exchange(&subject, &AT_ORDERS).await.ok();
    assert_eq!(taken.claims()["act"]["instance"], "run-2");
}

async fn one_instance_ends_with_all_that_it_holds_and_never_comes_back(database: Database) {
    let platform = platform().await;
    let house = open(database, &platform).await;
    let [first, second] = ["run-1", "run-2"].map(|name| run(&platform, &house, name));
    let of_first = allowed(&house, &first).await;
    let narrowed = first.exchange(of_first.access_token(), &AT_ORDERS).await.ok();
    let own = first.own_token("orders:read", ORDERS).await.ok();
    let of_second = allowed(&house, &second).await;
    let pushed = house.ask(&first).scope("orders:read").resource(ORDERS).pushed(&first).await;

    let ended = end(&house, "run-1").await;
    assert_eq!((ended.tokens, ended.consents, ended.tasks), (4, 0, 0), "{ended:?}");
    assert_eq!(ended.pending, 1, "{ended:?}");
    for token in [&of_first, &narrowed, &own] {
        assert!(!house.is_active(token.access_token()).await);
    }
    assert!(house.is_active(of_second.access_token()).await);
    second.refresh(of_second.text("refresh_token"), &[]).await.ok();
    let alice = house.signed_in("alice").await;
    assert_eq!(pushed.brought_by(&alice).await.page().status, 400);

    // The platform still vouches for it.
    first.own_token("orders:read", ORDERS).await.refused("invalid_client");
    let told = house.told("client.authenticate", "invalid_client").await;
    assert_eq!((&told["client"], &told["instance"]), (&json!("runner"), &json!("run-1")));
    first.refresh(of_first.text("refresh_token"), &[]).await.refused("invalid_client");
    house.later(86_400);
    house.sweep().await;
    run(&platform, &house, "run-1").own_token("orders:read", ORDERS).await.refused("invalid_client");
    second.own_token("orders:read", ORDERS).await.ok();
}

async fn an_operator_ends_one_instance_and_its_siblings_go_on(database: Database) {
    let platform = platform().await;
    let ops = Ops::on_with(database, &declared(&platform)).await;
    let house = &ops.house;
    let [first, second] = ["run-1", "run-2"].map(|name| run(&platform, house, name));
    let [of_first, of_second] = [allowed(house, &first).await, allowed(house, &second).await];

    let ended = ops.end_instance("runner", "run-1").await.ok();
    assert_eq!(
        (ended.text("level"), ended.text("id"), ended.text("instance")),
        ("instance", "runner", "run-1")
    );
    assert_eq!(ended.json["seen"], true, "{}", ended.body);
    let counts = &ended.json["ended"]["counts"];
    assert_eq!((&counts["tokens"], &counts["consents"]), (&json!(2), &json!(0)), "{}", ended.body);
    let told = house.told("instance.end", "granted").await;
    assert_eq!((&told["actor"], &told["instance"]), (&json!("runner"), &json!("run-1")));
    assert_eq!((&told["client"], &told["reason"]), (&json!("ops"), &json!("by ops")));

    assert!(!house.is_active(of_first.access_token()).await);
    first.refresh(of_first.text("refresh_token"), &[]).await.refused("invalid_client");
    // Its platform goes on vouching for it, and it is refused all the same.
    first.own_token("orders:read", ORDERS).await.refused("invalid_client");
    assert!(house.is_active(of_second.access_token()).await);
    second.refresh(of_second.text("refresh_token"), &[]).await.ok();
    second.own_token("orders:read", ORDERS).await.ok();

    // Another agent may have an instance of that name, and nobody brings one back.
    let again = ops.end_instance("runner", "run-1").await.ok();
    assert_eq!(again.json["ended"]["counts"]["tokens"], 0);
    let resumed = json!({ "level": "instance", "id": "runner", "instance": "run-1", "operation": "resume" });
    assert_eq!(ops.post("/endings", &resumed).await.status, 400);
    first.own_token("orders:read", ORDERS).await.refused("invalid_client");
    // One that was never seen can be ended beforehand.
    let unseen = ops.end_instance("runner", "run-3").await.ok();
    assert_eq!(unseen.json["seen"], false, "{}", unseen.body);
    assert_eq!(
        ops.end_instance("runner", "run-3").await.ok().json["seen"],
        false,
        "to be ended is not to be seen"
    );
    run(&platform, house, "run-3").own_token("orders:read", ORDERS).await.refused("invalid_client");
    // Whoever may only look ends nothing.
    let order = json!({ "level": "instance", "id": "runner", "instance": "run-2", "operation": "revoke" });
    let refused = crate::admin_api::call(house, &ops.watch, "POST", "/endings", Some(&order)).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    second.own_token("orders:read", ORDERS).await.ok();
}

async fn an_admin_sees_the_instances_of_an_agent_and_ends_one_for_good(database: Database) {
    let platform = platform().await;
    let house = open(database, &platform).await;
    let [first, second] = ["repo/1:a+b", "run-2"].map(|name| run(&platform, &house, name));
    let [of_first, of_second] = [allowed(&house, &first).await, allowed(&house, &second).await];
    // An instance acts in what orders-api got for it, too, and another agent has instances of its own.
    run(&platform, &house, "run-2").own_token("orders:read", ORDERS).await.ok();
    let admin = house.signed_in("admin").await;
    let page = admin.page("/admin/clients/runner").await;
    let path = "/admin/clients/runner/instances/repo%2F1%3Aa%2Bb/end";
    for words in ["<code>repo/1:a+b</code>", "<code>run-2</code>", path, "/instances/run-2/end"] {
        assert!(page.html.contains(words), "{words}: {}", page.html);
    }
    assert!(!admin.page("/admin/clients/other").await.html.contains("admin-instances"), "nobody was seen");
    assert_eq!(admin.page("/admin/clients/other/instances/run-2/end").await.status, 404, "that is another's");
    crate::endings::is_an_admins_alone(&house, &admin, path).await;
    let asked = admin.page(path).await;
    assert!(
        asked.text().contains("This instance of runner the agent may never act again"),
        "{}",
        asked.text()
    );
    assert!(house.is_active(of_first.access_token()).await, "to ask ends nothing");
    let done = crate::endings::confirm(&admin, path).await.text();
    assert!(done.contains("An instance of runner the agent has ended for good"), "{done}");
    assert!(done.contains("2 tokens"), "{done}");
    let told = house.told("instance.end", "granted").await;
    assert_eq!((&told["actor"], &told["instance"]), (&json!("runner"), &json!("repo/1:a+b")));
    assert!(told["reason"].as_str().unwrap().starts_with("by usr_"), "{told}");

    first.own_token("orders:read", ORDERS).await.refused("invalid_client");
    assert!(!house.is_active(of_first.access_token()).await);
    assert!(house.is_active(of_second.access_token()).await, "the other goes on");
    second.refresh(of_second.text("refresh_token"), &[]).await.ok();
    let page = admin.page("/admin/clients/runner").await;
    assert!(!page.html.contains(path) && page.html.contains("<code>repo/1:a+b</code>"), "{}", page.html);
    assert!(page.text().contains("Ended") && page.html.contains("/instances/run-2/end"));
    assert_eq!(admin.page(path).await.status, 404, "it has ended");
}

async fn nothing_that_is_issued_to_an_instance_while_it_is_ended_lives_afterwards(database: Database) {
    let platform = platform().await;
    let house = open(database, &platform).await;
    let first = run(&platform, &house, "run-1");
    first.own_token("orders:read", ORDERS).await.ok();
    let ask = || first.own_token("orders:read", ORDERS);
    let (a, b, ended, c, d) = tokio::join!(ask(), ask(), end(&house, "run-1"), ask(), ask());
    assert!(ended.tokens >= 1);
    for answer in [a, b, c, d] {
        match answer.status {
            200 => assert!(!house.is_active(answer.access_token()).await),
            _ => drop(answer.refused("invalid_client")),
        }
    }
}

async fn a_token_of_the_agents_platform_is_an_actor_token_where_a_rule_says_so(database: Database) {
    let platform = platform().await;
    let house = open(database, &platform).await;
    let api = house.client("orders-api");
    let shop = house.client("shop");
    let ask = house.ask(&shop).scope("orders:read").resource(ORDERS);
    let subject = ask.approved_by(&house.signed_in("alice").await).await.redeem(&shop).await.ok();
    let subject = subject.access_token();
    let jwt = "urn:ietf:params:oauth:token-type:jwt";
    let exchange = async |client: &Client, actor_token: &str| {
        let params = [("actor_token", actor_token), ("actor_token_type", jwt), AT_ORDERS[0], AT_ORDERS[1]];
        client.exchange(subject, &params).await
    };
    let claims = of_run(&platform, &house, "run-7");
    let right = signed(&platform, &claims);
    let with = |name: &str, value: Value| {
        let mut claims = of_run(&platform, &house, "run-7");
        claims[name] = value;
        signed(&platform, &claims)
    };
    let now = house.door().now().0;
    for wrong in [
        with("act", json!({ "sub": "somebody" })),
        with("aud", json!("https://other.example")),
        with("exp", json!(now - 60)),
        with("iat", json!(now - 6_000)),
        with("iss", json!("https://other.example")),
        // Another agent's workload, for which no rule lets the service speak.
        with("repository", json!("acme/other")),
        tests::Key::generate().sign(&json!({ "alg": "ES256", "kid": "first" }), &claims),
        platform.sign(&json!({ "alg": "none", "kid": "first" }), &claims),
        "x".to_owned(),
    ] {
        exchange(&api, &wrong).await.refused("invalid_request");
        house.told("token.exchange", "invalid_request").await;
    }
    // Another service, for which no rule speaks at all.
    exchange(&house.client("inventory-api"), &right).await.refused("invalid_request");
    let token = exchange(&api, &right).await.ok();
    let act = &token.claims()["act"];
    assert_eq!((&act["sub"], &act["instance"]), (&json!("runner"), &json!("run-7")));
    assert_eq!(token.claims()["client_id"], "orders-api");
    house.told("token.exchange", "granted").await;
    // It is taken once.
    let again = exchange(&api, &right).await.refused("invalid_request");
    assert!(again.text("error_description").contains("actor token was used before"), "{}", again.body);

    // It was issued to another client, and ends with the instance that acts in it all the same.
    assert!(house.is_active(token.access_token()).await);
    assert_eq!(end(&house, "run-7").await.tokens, 1);
    assert!(!house.is_active(token.access_token()).await);
    let next = signed(&platform, &of_run(&platform, &house, "run-7"));
    let ended = exchange(&api, &next).await.refused("invalid_request");
    assert_eq!(ended.text("error_description"), "the actor token is not acceptable");
    exchange(&api, &signed(&platform, &of_run(&platform, &house, "run-8"))).await.ok();
}

//! `/tasks`: an agent opens tasks under a consent to it, gives parts of them away, and ends them; tokens go over to a
//! task by name, and live and die with it.

use serde_json::{Value, json};
use tests::{Answer, Client, Database, House, ORDERS, on_both_databases};

on_both_databases! {
    an_agent_opens_a_task_under_its_consent_and_a_token_goes_over_to_it,
    a_task_is_opened_once_for_one_key,
    a_refresh_token_goes_on_for_another_task_of_the_same_consent,
    what_the_consent_does_not_allow_no_task_allows,
    a_part_is_given_to_another_agent_and_is_strictly_less,
    a_suspended_task_derives_nothing_and_goes_on_when_resumed,
    what_the_giver_suspended_its_helper_cannot_resume,
    completing_a_task_ends_its_tokens_and_parts_and_nothing_else,
    a_task_derives_as_many_tokens_as_it_may_even_when_all_come_at_once,
    others_tasks_are_as_none_at_all,
    what_went_over_to_another_task_lives_and_rests_with_that_one,
    a_list_of_tasks_tells_where_each_stands_the_newest_first,
    no_more_tasks_are_open_under_a_consent_than_there_may_be,
    no_more_tasks_are_kept_under_a_consent_than_there_may_be,
    who_is_there_is_not_told_to_whoever_gives_away_a_part,
}

/// Alice lets `agent` act; the token, with `grant_id` and the rest.
async fn allowed(house: &House, agent: &Client, scope: &str) -> Answer {
    let code = house.ask(agent).scope(scope).approved_by(&house.signed_in("alice").await).await;
    code.redeem(agent).await.ok()
}

/// The agent's own token for `/tasks`.
async fn own(agent: &Client) -> String {
    agent
        .token(&[("grant_type", "client_credentials"), ("scope", "tasks")])
        .await
        .ok()
        .access_token()
        .to_owned()
}

async fn open(agent: &Client, body: &Value) -> Answer {
    agent.call_with("POST", "/tasks", &own(agent).await, &[], Some(body)).await
}

async fn operate(agent: &Client, task: &str, operation: &str) -> Answer {
    agent.call("POST", &format!("/tasks/{task}/{operation}"), &own(agent).await).await
}

async fn see(agent: &Client, task: &str) -> Answer {
    agent.call("GET", &format!("/tasks/{task}"), &own(agent).await).await
}

fn under(consent: &Answer, scope: &str) -> Value {
    json!({ "grant_id": consent.text("grant_id"), "scope": scope, "purpose": "Answer ticket 4711" })
}

async fn an_agent_opens_a_task_under_its_consent_and_a_token_goes_over_to_it(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let consent = allowed(&house, &agent, "orders:read orders:write").await;
    let mut body = json!({
        "grant_id": consent.text("grant_id"), "scope": "orders:read", "purpose": "Answer ticket 4711",
        "reference": "4711", "success_criteria": ["Answered"], "limits": ["Change nothing"],
        "deadline": "2098-01-01T00:00:00Z", "max_derivations": 7
    });
    let told = open(&agent, &body).await.refused("invalid_request");
    assert!(told.text("error_description").contains("after the end of the consent"), "{}", told.body);
    body.as_object_mut().unwrap().remove("deadline");
    let task = open(&agent, &body).await;
    assert_eq!(task.status, 201, "{}", task.body);
    assert!(task.header("location").ends_with(&format!("/tasks/{}", task.text("id"))));
    assert_eq!(task.json["id"], task.json["txn"]);
    for same in ["grant_id", "scope", "purpose", "reference", "success_criteria", "limits", "max_derivations"]
    {
        assert_eq!(task.json[same], body[same], "{same}");
    }
    assert_eq!(task.text("status"), "active");
    assert_eq!(task.json["derivations_remaining"], 7);
    assert!(task.text("deadline") < "2098", "no task outlives its consent");
    let event = house.told("task.open", "granted").await;
    assert_eq!((&event["task"], &event["consent"]), (&task.json["id"], &task.json["grant_id"]));

    let params = [("scope", "orders:read"), ("task", task.text("id"))];
    let token = agent.exchange(consent.access_token(), &params).await.ok();
    let claims = token.claims();
    assert_eq!((&claims["task"]["id"], &claims["txn"]), (&task.json["id"], &task.json["txn"]));
    assert_eq!(claims["task"]["authority_hash"], task.json["authority_hash"]);
    let wider = [("scope", "orders:write"), ("task", task.text("id"))];
    agent.exchange(consent.access_token(), &wider).await.refused("invalid_scope");
    let seen = see(&agent, task.text("id")).await.ok();
    assert_eq!(seen.json["derivations_remaining"], 6);
    let list = agent.call("GET", "/tasks", &own(&agent).await).await.ok();
    assert_eq!(list.json["tasks"].as_array().unwrap().len(), 2, "the one of the consent, and this one");
}

async fn a_task_is_opened_once_for_one_key(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let consent = allowed(&house, &agent, "orders:read").await;
    let body = under(&consent, "orders:read");
    let token = own(&agent).await;
    let keyed = async |body: &Value, key: &str| {
        agent.call_with("POST", "/tasks", &token, &[("Idempotency-Key", key)], Some(body)).await
    };
    let first = keyed(&body, "run 1").await;
    let again = keyed(&body, "run 1").await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.json["id"], again.json["id"]);
    let mut other = body.clone();
    other["purpose"] = "Something else".into();
    keyed(&other, "run 1").await.refused("invalid_request");
    // What asks for less is not the same: it must not be told of a task that may do more.
    let details = json!([{ "type": "agent_task", "actions": ["read"] }]);
    let mut less = json!({ "grant_id": body["grant_id"], "purpose": body["purpose"] });
    keyed(&less, "run 1").await.refused("invalid_request");
    less["authorization_details"] = details;
    keyed(&less, "run 1").await.refused("invalid_request");
    // Nor is what leaves out its deadline: it would be told of one that ends before.
    let mut brief = body.clone();
    brief["deadline"] = house.door().now().plus(protocol::numeric_date::Seconds(60)).to_rfc3339().into();
    assert_eq!(keyed(&brief, "run 0").await.status, 201);
    keyed(&body, "run 0").await.refused("invalid_request");
    assert_ne!(keyed(&body, "run 2").await.json["id"], first.json["id"]);
    keyed(&body, "").await.refused("invalid_request");

    let body = &body;
    let keyed = &keyed;
    let (a, b, c) = tokio::join!(keyed(body, "run 3"), keyed(body, "run 3"), keyed(body, "run 3"));
    let ids = [&a.json["id"], &b.json["id"], &c.json["id"]];
    assert!(ids.iter().all(|id| *id == ids[0] && id.is_string()), "{ids:?}");
    assert_eq!([&a, &b, &c].iter().filter(|answer| answer.status == 201).count(), 1);
}

async fn a_refresh_token_goes_on_for_another_task_of_the_same_consent(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let consent = allowed(&house, &agent, "offline_access orders:read orders:write").await;
    let task = open(&agent, &under(&consent, "orders:read")).await;
    let refresh = consent.text("refresh_token").to_owned();
    let fresh = agent.refresh(&refresh, &[("task", task.text("id")), ("scope", "orders:read")]).await.ok();
    assert_eq!(fresh.claims()["task"]["id"], task.json["id"]);
    let wider = [("task", task.text("id")), ("scope", "orders:write")];
    agent.refresh(&refresh, &wider).await.refused("invalid_scope");
    agent.refresh(&refresh, &[("task", "task_none")]).await.refused("invalid_grant");
    operate(&agent, task.text("id"), "complete").await.ok();
    assert!(!house.is_active(fresh.access_token()).await);
    agent.refresh(&refresh, &[("task", task.text("id"))]).await.refused("invalid_grant");
    agent.refresh(&refresh, &[]).await.ok();

    let others = allowed(&house, &agent, "orders:read").await;
    let foreign = open(&agent, &under(&others, "orders:read")).await;
    agent.refresh(&refresh, &[("task", foreign.text("id"))]).await.refused("invalid_grant");
}

async fn what_the_consent_does_not_allow_no_task_allows(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let consent = allowed(&house, &agent, "orders:read").await;
    let with = |name: &str, value: Value| {
        let mut body = under(&consent, "orders:read");
        body[name] = value;
        body
    };
    for (body, error) in [
        (with("scope", "orders:read orders:write".into()), "invalid_scope"),
        (with("scope", "".into()), "invalid_scope"),
        (with("resource", "https://elsewhere.example".into()), "invalid_target"),
        (with("authorization_details", json!([{"type": "nobody_knows"}])), "invalid_authorization_details"),
        (
            with("authorization_details", json!([{"type": "agent_task", "actions": ["pay"]}])),
            "invalid_authorization_details",
        ),
        (with("deadline", "2001-01-01T00:00:00Z".into()), "invalid_request"),
        (with("grant_id", "con_none".into()), "invalid_request"),
        (with("zz", 1.into()), "invalid_request"),
        (with("max_derivations", 0.into()), "invalid_request"),
    ] {
        open(&agent, &body).await.refused(error);
        house.told("task.open", error).await;
    }
    // Another agent's consent is none.
    open(&house.client("agent-b"), &under(&consent, "orders:read")).await.refused("invalid_request");
    // A user's token opens nothing.
    let body = under(&consent, "orders:read");
    let answer = agent.call_with("POST", "/tasks", consent.access_token(), &[], Some(&body)).await;
    assert!([401, 403].contains(&answer.status), "{}", answer.status);
    assert_eq!(house.send(house.request("POST", "/tasks")).await.status, 401);
}

async fn a_part_is_given_to_another_agent_and_is_strictly_less(database: Database) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let consent = allowed(&house, &a, "orders:read orders:write").await;
    let claims = consent.claims();
    let parent = claims["task"]["id"].as_str().unwrap();
    let part =
        |scope: &str| json!({ "parent": parent, "actor": "agent-b", "scope": scope, "resource": ORDERS });
    open(&a, &part("orders:read orders:write")).await.refused("invalid_authorization_details");
    open(&a, &json!({ "parent": parent, "actor": "agent-a", "scope": "orders:read" }))
        .await
        .refused("invalid_request");
    open(&b, &part("orders:read")).await.refused("invalid_request");
    let child = open(&a, &part("orders:read")).await;
    assert_eq!(child.status, 201, "{}", child.body);
    assert_eq!((&child.json["txn"], &child.json["parent"]), (&claims["txn"], &json!(parent)));

    let id = child.text("id");
    let hand_over = [("audience", "agent-b"), ("scope", "orders:read"), ("resource", ORDERS), ("task", id)];
    let handed = a.exchange(consent.access_token(), &hand_over).await.ok();
    let got = b.exchange(handed.access_token(), &[("scope", "orders:read")]).await.ok();
    assert_eq!((&got.claims()["task"]["id"], &got.claims()["txn"]), (&json!(id), &claims["txn"]));
    assert_eq!(got.claims()["act"]["sub"], "agent-b");
    // The giver itself has no business in the part, nor has anybody else.
    a.exchange(consent.access_token(), &[("scope", "orders:read"), ("task", id)])
        .await
        .refused("invalid_request");
    let to_c = [("audience", "agent-c"), ("scope", "orders:read"), ("resource", ORDERS), ("task", id)];
    a.exchange(consent.access_token(), &to_c).await.refused("invalid_request");
    // Ending the part ends the helper's token alone.
    operate(&b, id, "complete").await.ok();
    assert!(!house.is_active(got.access_token()).await);
    assert!(house.is_active(consent.access_token()).await);
}

async fn a_suspended_task_derives_nothing_and_goes_on_when_resumed(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let consent = allowed(&house, &agent, "offline_access orders:read").await;
    let id = consent.claims()["task"]["id"].as_str().unwrap().to_owned();
    let suspended = operate(&agent, &id, "suspend").await.ok();
    assert_eq!((suspended.text("status"), &suspended.json["version"]), ("suspended", &json!(2)));
    assert!(suspended.json["took_ms"].is_u64());
    house.told("task.suspend", "granted").await;
    assert!(!house.is_active(consent.access_token()).await);
    let refused = agent.exchange(consent.access_token(), &[("scope", "orders:read")]).await;
    let refused = refused.refused("invalid_request");
    assert!(refused.text("error_description").contains("suspended"), "it is not over: {}", refused.body);
    // Nor is the refresh token, so nobody is told to throw it away.
    agent.refresh(consent.text("refresh_token"), &[]).await.refused("invalid_request");
    assert_eq!(operate(&agent, &id, "suspend").await.ok().json["version"], 2, "once more changes nothing");
    assert_eq!(operate(&agent, &id, "resume").await.ok().text("status"), "active");
    assert!(house.is_active(consent.access_token()).await);
    agent.exchange(consent.access_token(), &[("scope", "orders:read")]).await.ok();
    agent.refresh(consent.text("refresh_token"), &[]).await.ok();
    operate(&agent, &id, "revoke").await.ok();
    agent.refresh(consent.text("refresh_token"), &[]).await.refused("invalid_grant");
    operate(&agent, &id, "resume").await.refused_with(409, "invalid_request");
    house.told("task.resume", "invalid_request").await;
    assert_eq!(operate(&agent, &id, "discharge").await.status, 404);
}

async fn what_the_giver_suspended_its_helper_cannot_resume(database: Database) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let consent = allowed(&house, &a, "orders:read orders:write").await;
    let parent = consent.claims()["task"]["id"].clone();
    let child = open(&a, &json!({ "parent": parent, "actor": "agent-b", "scope": "orders:read" })).await;
    let id = child.text("id");
    operate(&a, id, "suspend").await.ok();
    let refused = operate(&b, id, "resume").await.refused_with(409, "invalid_request");
    assert!(
        refused.text("error_description").contains("the actor that gave it suspended"),
        "{}",
        refused.body
    );
    operate(&a, id, "resume").await.ok();
    operate(&b, id, "suspend").await.ok();
    operate(&b, id, "resume").await.ok();
    // Nobody gets a part of what they gave: they would be their own giver.
    open(&b, &json!({ "parent": id, "actor": "agent-a", "scope": "orders:read" }))
        .await
        .refused("invalid_request");
    // What rests above rests below.
    operate(&a, parent.as_str().unwrap(), "suspend").await.ok();
    assert_eq!(see(&b, id).await.ok().text("status"), "suspended");
    open(&b, &json!({ "parent": id, "actor": "agent-c", "scope": "orders:read" }))
        .await
        .refused("invalid_request");
}

async fn completing_a_task_ends_its_tokens_and_parts_and_nothing_else(database: Database) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let consent = allowed(&house, &a, "orders:read orders:write").await;
    let [first, second] = [
        open(&a, &under(&consent, "orders:read orders:write")).await,
        open(&a, &under(&consent, "orders:read")).await,
    ];
    let onto = async |task: &Answer| {
        let params = [("scope", "orders:read"), ("task", task.text("id"))];
        a.exchange(consent.access_token(), &params).await.ok()
    };
    let (of_first, of_second) = (onto(&first).await, onto(&second).await);
    let part =
        open(&a, &json!({ "parent": first.text("id"), "actor": "agent-b", "scope": "orders:read" })).await;
    let hand_over = [("audience", "agent-b"), ("scope", "orders:read"), ("task", part.text("id"))];
    let handed = a.exchange(of_first.access_token(), &hand_over).await.ok();
    let helpers =
        b.exchange(handed.access_token(), &[("scope", "orders:read"), ("resource", ORDERS)]).await.ok();

    let done = operate(&a, first.text("id"), "complete").await.ok();
    assert_eq!(done.text("status"), "completed");
    assert_eq!(
        done.json["ended"],
        json!({ "tasks": 2, "tokens": 3, "pending": 0 }),
        "the task, its part; three tokens"
    );
    for dead in [&of_first, &helpers] {
        assert!(!house.is_active(dead.access_token()).await);
    }
    for alive in [&of_second, &consent] {
        assert!(house.is_active(alive.access_token()).await);
    }
    assert_eq!(see(&b, part.text("id")).await.ok().text("status"), "revoked");
    assert_eq!(see(&a, second.text("id")).await.ok().text("status"), "active");
    let params = [("scope", "orders:read"), ("task", first.text("id"))];
    a.exchange(consent.access_token(), &params).await.refused("invalid_request");
}

async fn a_task_derives_as_many_tokens_as_it_may_even_when_all_come_at_once(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let consent = allowed(&house, &agent, "orders:read").await;
    let mut body = under(&consent, "orders:read");
    body["max_derivations"] = 3.into();
    let task = open(&agent, &body).await;
    let params = [("scope", "orders:read"), ("task", task.text("id"))];
    let one = || agent.exchange(consent.access_token(), &params);
    one().await.ok();
    let (a, b, c, d, e) = tokio::join!(one(), one(), one(), one(), one());
    let all = [a, b, c, d, e];
    assert_eq!(all.iter().filter(|answer| answer.status == 200).count(), 2);
    let refused = all.into_iter().find(|answer| answer.status != 200).unwrap().refused("invalid_request");
    assert!(refused.text("error_description").contains("as many tokens as it may"));
    assert_eq!(see(&agent, task.text("id")).await.json["derivations_remaining"], 0);
    agent.exchange(consent.access_token(), &[("scope", "orders:read")]).await.ok();
}

async fn others_tasks_are_as_none_at_all(database: Database) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let consent = allowed(&house, &a, "orders:read").await;
    let id = consent.claims()["task"]["id"].as_str().unwrap().to_owned();
    let (theirs, none) = (see(&b, &id).await, see(&b, "task_none").await);
    assert_eq!((theirs.status, none.status), (404, 404));
    assert_eq!(theirs.body, none.body);
    let (theirs, none) = (operate(&b, &id, "revoke").await, operate(&b, "task_none", "revoke").await);
    assert_eq!((theirs.status, &theirs.body), (404, &none.body));
    assert!(house.is_active(consent.access_token()).await);
    assert!(b.call("GET", "/tasks", &own(&b).await).await.ok().json["tasks"].as_array().unwrap().is_empty());
}

async fn what_went_over_to_another_task_lives_and_rests_with_that_one(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let consent = allowed(&house, &agent, "offline_access orders:read orders:write").await;
    let first = consent.claims()["task"]["id"].as_str().unwrap().to_owned();
    let second = open(&agent, &under(&consent, "orders:read")).await;
    let onto = [("scope", "orders:read"), ("task", second.text("id"))];
    let refresh = consent.text("refresh_token").to_owned();
    let over =
        [agent.exchange(consent.access_token(), &onto).await.ok(), agent.refresh(&refresh, &onto).await.ok()];
    let stay = agent.exchange(consent.access_token(), &[("scope", "orders:read")]).await.ok();
    let active = async |token: &Answer| house.is_active(token.access_token()).await;
    // While the first rests, so does what hangs on it, its refresh token too; what went over does not.
    operate(&agent, &first, "suspend").await.ok();
    assert!(!active(&stay).await && !active(&consent).await);
    agent.refresh(&refresh, &onto).await.refused("invalid_request");
    agent.exchange(consent.access_token(), &onto).await.refused("invalid_request");
    assert!(active(&over[0]).await && active(&over[1]).await);
    operate(&agent, &first, "resume").await.ok();
    assert!(active(&stay).await);
    agent.refresh(&refresh, &onto).await.ok();
    // When it is done, it takes its own tokens with it and no others.
    operate(&agent, &first, "complete").await.ok();
    assert!(!active(&stay).await && !active(&consent).await);
    agent.refresh(&refresh, &onto).await.refused("invalid_grant");
    assert!(active(&over[0]).await && active(&over[1]).await);
    let further = agent.exchange(over[0].access_token(), &[("scope", "orders:read")]).await.ok();
    assert!(active(&further).await);
    operate(&agent, second.text("id"), "complete").await.ok();
    assert!(!active(&over[0]).await && !active(&over[1]).await && !active(&further).await);
}

async fn a_list_of_tasks_tells_where_each_stands_the_newest_first(database: Database) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let consent = allowed(&house, &a, "orders:read orders:write").await;
    let root = consent.claims()["task"]["id"].as_str().unwrap().to_owned();
    let part = |scope| json!({ "parent": root, "actor": "agent-b", "scope": scope });
    house.later(1);
    let older = open(&a, &part("orders:read")).await;
    house.later(1);
    let newer = open(&a, &part("orders:write")).await;
    operate(&a, &root, "suspend").await.ok();
    operate(&a, newer.text("id"), "revoke").await.ok();
    let list = b.call("GET", "/tasks", &own(&b).await).await.ok();
    let told: Vec<_> =
        list.json["tasks"].as_array().unwrap().iter().map(|t| (&t["id"], &t["status"])).collect();
    let (revoked, suspended) = (json!("revoked"), json!("suspended"));
    assert_eq!(told, [(&newer.json["id"], &revoked), (&older.json["id"], &suspended)]);
}

async fn no_more_tasks_are_kept_under_a_consent_than_there_may_be(database: Database) {
    let house = House::on_with(database, "[tasks]\nmost_kept = 5\n").await;
    let agent = house.client("agent-a");
    let consent = allowed(&house, &agent, "orders:read orders:write").await;
    let first = consent.claims()["task"]["id"].as_str().unwrap().to_owned();
    let one = || async { open(&agent, &under(&consent, "orders:read")).await };
    // Opened and completed in a loop, as fast as it goes.
    for _ in 0..2 {
        operate(&agent, one().await.text("id"), "complete").await.ok();
    }
    let part = json!({ "parent": first, "actor": "agent-b", "scope": "orders:read" });
    let (a, b, c, d) = tokio::join!(one(), one(), open(&agent, &part), open(&agent, &part));
    let (opened, refused): (Vec<_>, Vec<_>) =
        [a, b, c, d].into_iter().partition(|answer| answer.status == 201);
    assert_eq!((opened.len(), refused.len()), (2, 2), "the consent's own and two that are over are there");
    for answer in refused {
        let told = answer.refused("invalid_request");
        let told = told.text("error_description");
        assert!(told.contains("as many tasks"), "{told}");
    }
    house.told("task.open", "invalid_request").await;
    // Another consent has room of its own, and the sweep makes room once they are long over.
    let another = allowed(&house, &agent, "orders:read").await;
    assert_eq!(open(&agent, &under(&another, "orders:read")).await.status, 201);
}

/// Whether there is somebody of a name is judged with everything else about them.
async fn who_is_there_is_not_told_to_whoever_gives_away_a_part(database: Database) {
    let house = House::on(database).await;
    let [agent, helper] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let consent = allowed(&house, &agent, "orders:read orders:write").await;
    let parent = consent.claims()["task"]["id"].as_str().unwrap().to_owned();
    let ask = async |client: &Client, actor: &str, more: Value| {
        let mut asked = json!({ "parent": parent, "actor": actor, "scope": "orders:read" });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = open(client, &asked).await;
        (answer.status, answer.body)
    };
    for (client, more) in [
        (&agent, json!({})),
        (&helper, json!({})),
        (&agent, json!({ "scope": "" })),
        (&agent, json!({ "deadline": "2001-01-01T00:00:00Z" })),
        (&agent, json!({ "authorization_details": [{ "type": "no-such-type" }] })),
        (&agent, json!({ "parent": "task_none" })),
    ] {
        let there = ask(client, "shop", more.clone()).await;
        let not_there = ask(client, "nobody", more.clone()).await;
        assert_eq!(there, not_there, "{more}");
        assert_ne!(there.0, 201);
    }
    operate(&agent, &parent, "complete").await.ok();
    assert_eq!(ask(&agent, "shop", json!({})).await, ask(&agent, "nobody", json!({})).await);
}

async fn no_more_tasks_are_open_under_a_consent_than_there_may_be(database: Database) {
    let house = House::on_with(database, "[tasks]\nmost_open = 3\nmost_children = 2\n").await;
    let [agent, helper] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let consent = allowed(&house, &agent, "orders:read orders:write").await;
    let first = consent.claims()["task"]["id"].as_str().unwrap().to_owned();
    let one = || async { open(&agent, &under(&consent, "orders:read")).await };
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    let (opened, refused): (Vec<_>, Vec<_>) =
        [a, b, c, d].into_iter().partition(|answer| answer.status == 201);
    assert_eq!((opened.len(), refused.len()), (2, 2), "the consent's own is one of three");
    for answer in refused {
        assert!(answer.refused("invalid_request").text("error_description").contains("complete some first"));
    }
    operate(&agent, opened[0].text("id"), "complete").await.ok();
    assert_eq!(one().await.status, 201);
    let part = || async {
        open(&agent, &json!({ "parent": first, "actor": "agent-b", "scope": "orders:read" })).await
    };
    let (a, b, c) = tokio::join!(part(), part(), part());
    let all = [a, b, c];
    assert_eq!(all.iter().filter(|answer| answer.status == 201).count(), 2);
    let refused = all.into_iter().find(|answer| answer.status != 201).unwrap().refused("invalid_request");
    assert!(refused.text("error_description").contains("fanout_exceeded"));
    assert_eq!(
        helper.call("GET", "/tasks", &own(&helper).await).await.json["tasks"].as_array().unwrap().len(),
        2
    );
}

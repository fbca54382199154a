//! Token Status Lists: whoever validates offline learns of an ending within the list's `ttl`.

use std::collections::BTreeSet;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::client::{Client as ProtocolClient, ClientStatus};
use protocol::status_list::{Status, StatusList};
use serde_json::{Value, json};
use server::store::{Change, Origin, Record};
use tests::{Answer, Client, Database, House, ORDERS, on_both_databases};

on_both_databases! {
    a_tokens_place_in_its_list_tells_what_became_of_it,
    a_suspended_task_rests_in_the_list_and_comes_back,
    whoever_is_stopped_stops_what_they_hold_under_others_consents_too,
    what_hangs_on_a_session_is_over_in_the_list_when_the_session_is,
    what_went_over_to_another_task_rests_and_ends_with_that_one_in_the_list,
    a_list_is_told_as_its_draft_wants_it,
    no_two_tokens_have_one_place_not_even_after_a_restart,
    a_list_is_gone_when_all_its_tokens_are_over,
    a_reference_and_a_hand_over_have_no_place,
}

async fn allowed(house: &House, agent: &Client, scope: &str) -> Answer {
    let code = house.ask(agent).scope(scope).approved_by(&house.signed_in("alice").await).await;
    code.redeem(agent).await.ok()
}

fn place(token: &Answer) -> (String, u32) {
    let status = &token.claims()["status"]["status_list"];
    let index = u32::try_from(status["idx"].as_u64().unwrap()).unwrap();
    (status["uri"].as_str().unwrap().to_owned(), index)
}

fn read(jwt: &str) -> (Value, StatusList) {
    let claims = tests::unverified_claims(jwt);
    let deflated = URL_SAFE_NO_PAD.decode(claims["status_list"]["lst"].as_str().unwrap()).unwrap();
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(deflated.as_slice()).take(1 << 20).read_to_end(&mut bytes).unwrap();
    (claims, StatusList::from_bytes(bytes))
}

/// What the list says of the token. A list is read at most once a second.
async fn status(house: &House, token: &Answer) -> Option<Status> {
    house.later(1);
    let (uri, index) = place(token);
    let path = uri.strip_prefix(house.issuer()).unwrap();
    let answer = house.send(house.request("GET", path)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    read(&answer.body).1.get(index)
}

async fn a_tokens_place_in_its_list_tells_what_became_of_it(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let (first, second) =
        (allowed(&house, &agent, "orders:read").await, allowed(&house, &agent, "orders:read").await);
    let derived = agent.exchange(first.access_token(), &[("scope", "orders:read")]).await.ok();
    for token in [&first, &second, &derived] {
        assert_eq!(status(&house, token).await, Some(Status::Valid));
    }
    assert_eq!(agent.revoke(first.access_token()).await.status, 200);
    for (token, expected) in
        [(&first, Status::Invalid), (&derived, Status::Invalid), (&second, Status::Valid)]
    {
        assert_eq!(status(&house, token).await, Some(expected));
    }
}

async fn a_suspended_task_rests_in_the_list_and_comes_back(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let [token, other] =
        [allowed(&house, &agent, "orders:read").await, allowed(&house, &agent, "orders:read").await];
    let derived = agent.exchange(token.access_token(), &[("scope", "orders:read")]).await.ok();
    let own = agent.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
    let task = token.claims()["task"]["id"].as_str().unwrap().to_owned();
    let operate = async |operation: &str| {
        agent.call("POST", &format!("/tasks/{task}/{operation}"), own.access_token()).await.ok();
    };
    for (operation, expected) in
        [("suspend", Status::Suspended), ("resume", Status::Valid), ("complete", Status::Invalid)]
    {
        operate(operation).await;
        assert_eq!(status(&house, &token).await, Some(expected), "{operation}");
        assert_eq!(status(&house, &derived).await, Some(expected), "{operation}");
        assert_eq!(status(&house, &other).await, Some(Status::Valid), "{operation}");
    }
}

async fn whoever_is_stopped_stops_what_they_hold_under_others_consents_too(database: Database) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let token = allowed(&house, &a, "orders:read orders:write").await;
    let hand_over = [("scope", "orders:read"), ("audience", "agent-b"), ("resource", ORDERS)];
    let handed = a.exchange(token.access_token(), &hand_over).await.ok();
    let got = b.exchange(handed.access_token(), &[("scope", "orders:read")]).await.ok();
    assert_eq!(status(&house, &got).await, Some(Status::Valid));
    let stopped = house.store().find_client(&"agent-b".parse().unwrap()).await.unwrap().unwrap();
    let stopped = ProtocolClient { status: ClientStatus::Suspended, ..stopped.as_ref().clone() };
    let change = Change::housekeeping(house.door().now());
    let change = change.keep(Record::Client { client: stopped, origin: Origin::Admin });
    house.store().commit(change).await.unwrap();
    assert!(!house.is_active(got.access_token()).await);
    assert_eq!(status(&house, &got).await, Some(Status::Suspended));
    assert_eq!(status(&house, &token).await, Some(Status::Valid));
}

async fn a_list_is_told_as_its_draft_wants_it(database: Database) {
    let house = House::on(database).await;
    let token = allowed(&house, &house.client("agent-a"), "orders:read").await;
    let (uri, _) = place(&token);
    let path = uri.strip_prefix(house.issuer()).unwrap();
    let request = || house.request("GET", path).header("Origin", "https://rs.example");
    let answer = house.send(request()).await;
    assert_eq!(answer.header("content-type"), "application/statuslist+jwt");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("cache-control"), "public, max-age=30");
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(answer.body.split('.').next().unwrap()).unwrap())
            .unwrap();
    assert_eq!((&header["typ"], &header["alg"]), (&json!("statuslist+jwt"), &json!("ES256")));
    let (claims, _) = read(&answer.body);
    assert_eq!((&claims["sub"], &claims["ttl"]), (&json!(uri), &json!(30)));
    assert_eq!(claims["status_list"]["bits"], 2);
    assert!(claims["exp"].as_i64() > claims["iat"].as_i64());
    let packed = house.send(request().header("Accept-Encoding", "br;q=1, GZIP")).await;
    assert_eq!(packed.header("content-encoding"), "gzip");

    let all = house.send(house.request("GET", "/status-lists")).await.ok();
    assert_eq!(all.json["status_lists"], json!([uri]));
    let metadata = house.send(house.request("GET", "/.well-known/oauth-authorization-server")).await.ok();
    assert_eq!(metadata.text("status_list_aggregation_endpoint"), house.url("/status-lists"));
    assert_eq!(house.send(house.request("GET", "/status-lists/none")).await.status, 404);
}

async fn no_two_tokens_have_one_place_not_even_after_a_restart(database: Database) {
    let mut house = House::on(database).await;
    let mut places = BTreeSet::new();
    for _ in 0..2 {
        let agent = house.client("agent-a");
        let token = allowed(&house, &agent, "orders:read").await;
        places.insert(place(&token));
        for _ in 0..10 {
            let one = || agent.exchange(token.access_token(), &[("scope", "orders:read")]);
            let (a, b) = tokio::join!(one(), one());
            places.extend([place(&a.ok()), place(&b.ok())]);
        }
        house.restart().await;
    }
    assert_eq!(places.len(), 42);
    assert_eq!(places.iter().map(|(uri, _)| uri).collect::<BTreeSet<_>>().len(), 2);
}

async fn a_list_is_gone_when_all_its_tokens_are_over(database: Database) {
    let house = House::on(database).await;
    let token = allowed(&house, &house.client("agent-a"), "orders:read").await;
    let (uri, _) = place(&token);
    let path = uri.strip_prefix(house.issuer()).unwrap();
    house.later(3 * 3600);
    assert_eq!(house.send(house.request("GET", path)).await.status, 404);
    house.sweep().await;
    assert_eq!(house.send(house.request("GET", "/status-lists")).await.ok().json["status_lists"], json!([]));
}

async fn a_reference_and_a_hand_over_have_no_place(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let token = allowed(&house, &agent, "orders:read orders:write").await;
    let handed =
        agent.exchange(token.access_token(), &[("scope", "orders:read"), ("audience", "agent-b")]).await.ok();
    assert!(handed.claims().get("status").is_none());
    assert!(token.claims().get("status").is_some());
}

async fn what_went_over_to_another_task_rests_and_ends_with_that_one_in_the_list(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let token = allowed(&house, &agent, "orders:read orders:write").await;
    let own = agent.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
    let body = json!({ "grant_id": token.text("grant_id"), "scope": "orders:read" });
    let second = agent.call_with("POST", "/tasks", own.access_token(), &[], Some(&body)).await;
    let onto = [("scope", "orders:read"), ("task", second.text("id"))];
    let over = agent.exchange(token.access_token(), &onto).await.ok();
    let first = token.claims()["task"]["id"].as_str().unwrap().to_owned();
    for (task, operation, expected) in [
        (first.as_str(), "suspend", (Status::Suspended, Status::Valid)),
        (&first, "resume", (Status::Valid, Status::Valid)),
        (second.text("id"), "suspend", (Status::Valid, Status::Suspended)),
        (&first, "complete", (Status::Invalid, Status::Suspended)),
        (second.text("id"), "revoke", (Status::Invalid, Status::Invalid)),
    ] {
        agent.call("POST", &format!("/tasks/{task}/{operation}"), own.access_token()).await.ok();
        let told = (status(&house, &token).await, status(&house, &over).await);
        assert_eq!(told, (Some(expected.0), Some(expected.1)), "{operation} {task}");
        let alive = (house.is_active(token.access_token()).await, house.is_active(over.access_token()).await);
        let valid = (expected.0 == Status::Valid, expected.1 == Status::Valid);
        assert_eq!(alive, valid, "online and offline say the same: {operation} {task}");
    }
}

async fn what_hangs_on_a_session_is_over_in_the_list_when_the_session_is(database: Database) {
    let house = House::on_with(database, "session_life = \"2m\"").await;
    let token = allowed(&house, &house.client("agent-a"), "orders:read").await;
    assert_eq!(status(&house, &token).await, Some(Status::Valid));
    house.later(125);
    house.sweep().await;
    assert!(!house.is_active(token.access_token()).await);
    assert_eq!(status(&house, &token).await, Some(Status::Invalid));
}

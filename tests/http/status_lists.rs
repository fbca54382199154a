//! Token Status Lists: whoever validates offline learns of an ending within the list's `ttl`.

use std::collections::BTreeSet;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::status_list::{Status, StatusList};
use serde_json::{Value, json};
use tests::{Answer, Client, Database, House, on_both_databases};

on_both_databases! {
    a_tokens_place_in_its_list_tells_what_became_of_it,
    a_suspended_task_rests_in_the_list_and_comes_back,
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

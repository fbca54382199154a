//! A test server: what a conformance suite needs is there when it is configured, and only then.

use tests::{Database, House};

use crate::elsewhere::Elsewhere;

#[tokio::test]
async fn without_the_table_nothing_of_it_is_there() {
    let house = House::open().await;
    assert_eq!(house.person().page("/certification/resource").await.status, 404);
    assert!(!house.person().page("/").await.html.contains("id=\"test-server\""));
}

#[tokio::test]
async fn the_resource_asks_for_the_token_as_it_is_bound_and_gives_the_calls_name_back() {
    let mut house = House::open().await;
    become_test_server(&mut house).await;
    assert!(house.person().page("/").await.html.contains("id=\"test-server\""), "each page says so");
    let path = "/certification/resource";
    assert_eq!(house.send(house.request("GET", path)).await.status, 401);

    let (alice, web) = (house.signed_in("alice").await, house.client("web"));
    let bearer = house.ask(&web).scope("openid").approved_by(&alice).await.redeem(&web).await.ok();
    let call = |token: &str| {
        house.request("GET", path).bearer_auth(token).header("x-fapi-interaction-id", "7c1b-the-call")
    };
    let answer = call(bearer.access_token()).header("Accept", "application/pdf").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.headers()["x-fapi-interaction-id"], "7c1b-the-call");
    let date = answer.headers().get_all("date").into_iter().count();
    assert_eq!(date, 1);
    let told: serde_json::Value = answer.json().await.unwrap();
    assert_eq!((told["client_id"].as_str(), told["scope"].as_str()), (Some("web"), Some("openid")));
    let in_query = house.request("GET", &format!("{path}?access_token={}", bearer.access_token()));
    assert_eq!(house.send(in_query).await.status, 401, "a token in the query is none");

    // Bound to a key: not without its proof, and not as a bearer token.
    let agent = house.client("agent-a");
    let ask = house.ask(&agent).scope("openid");
    let bound = ask.approved_by(&alice).await.redeem(&agent).await.ok();
    assert_eq!(agent.call("GET", path, bound.access_token()).await.status, 200);
    assert_eq!(call(bound.access_token()).send().await.unwrap().status().as_u16(), 401);
    // For another resource server: not here.
    let elsewhere = house.ask(&web).scope("orders:read").approved_by(&alice).await.redeem(&web).await.ok();
    assert_eq!(call(elsewhere.access_token()).send().await.unwrap().status().as_u16(), 401);
}

/// Configures what makes a test server, now that its address is known.
async fn become_test_server(house: &mut House) {
    let issuer = house.issuer().to_owned();
    let table = format!(
        "[certification]\ni_know_that_this_is_insecure = true\nissuer = \"{issuer}\"\n\
         hook_secret = \"a-word-that-nobody-guesses\"\n\n[[users]]"
    );
    house.restart_changed(|config| config.replacen("[[users]]", &table, 1)).await;
}

/// Rotates the keys by the hook, with this word; the status.
async fn rotate(house: &House, word: &str) -> u16 {
    house.send(house.request("POST", &format!("/certification/{word}/rotate-keys"))).await.status
}

#[tokio::test]
async fn whoever_knows_the_word_rotates_the_keys_and_nobody_else() {
    let mut house = House::open().await;
    assert_eq!(rotate(&house, "a-word-that-nobody-guesses").await, 404, "not without the table");
    become_test_server(&mut house).await;
    let kids = |jwks: &serde_json::Value| {
        let keys = jwks["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<std::collections::BTreeSet<_>>()
    };
    let before = kids(&house.send(house.request("GET", "/jwks")).await.json);
    assert_eq!(rotate(&house, "a-word-that-somebody-guessed").await, 404);
    assert_eq!(kids(&house.send(house.request("GET", "/jwks")).await.json), before);
    assert_eq!(rotate(&house, "a-word-that-nobody-guesses").await, 204);
    let after = kids(&house.send(house.request("GET", "/jwks")).await.json);
    assert!(after.is_superset(&before) && after.len() > before.len(), "{before:?} {after:?}");
}

/// Answers a backchannel request by the hook, with this word; the status.
async fn answer(house: &House, word: &str, id: &str, action: &str) -> u16 {
    house.send(house.request("POST", &format!("/certification/{word}/ciba/{id}/{action}"))).await.status
}

#[tokio::test]
async fn whoever_knows_the_word_answers_backchannel_requests_and_nobody_else() {
    let mut town = Elsewhere::on(Database::Sqlite).await;
    become_test_server(&mut town.house).await;
    let till = town.client("till");
    for (action, told) in [("allow", "granted"), ("deny", "access_denied")] {
        let asked = town.ask_alice(&till, &[]).await.ok();
        let id = asked.text("auth_req_id");
        assert_eq!(answer(&town.house, "a-word-that-somebody-guessed", id, action).await, 404);
        assert_eq!(answer(&town.house, "a-word-that-nobody-guesses", id, "perhaps").await, 404);
        assert_eq!(answer(&town.house, "a-word-that-nobody-guesses", "unknown", action).await, 400);
        town.poll(&till, &asked).await.refused("authorization_pending");
        assert_eq!(answer(&town.house, "a-word-that-nobody-guesses", id, action).await, 204);
        town.house.told("consent.decide", told).await;
        assert_eq!(
            answer(&town.house, "a-word-that-nobody-guesses", id, action).await,
            400,
            "an answer is given once"
        );
        let polled = town.poll(&till, &asked).await;
        match action {
            "allow" => drop(polled.ok()),
            _ => drop(polled.refused("access_denied")),
        }
    }
}

#[tokio::test]
async fn a_server_with_many_people_is_no_test_server() {
    let mut house = House::open().await;
    become_test_server(&mut house).await;
    let mut config = house.config().to_owned();
    for n in 0..20 {
        config.push_str(&format!("\n[[users]]\nusername = \"person{n}\"\nname = \"Person\"\n"));
    }
    let file = server::config::ConfigFile { name: "t.toml".into(), text: config, folder: ".".into() };
    let config = server::config::read(Some(&file), []).unwrap();
    let clock = std::sync::Arc::new(server::clock::SystemClock);
    let entropy = std::sync::Arc::new(server::secret::SystemEntropy);
    let Err(refused) = server::start::open(config, clock, entropy).await else { panic!("it opened") };
    assert!(refused.to_string().contains("a test server has at most 20"), "{refused}");
}

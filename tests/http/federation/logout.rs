//! The upstream says that somebody signed out there.

use serde_json::{Value, json};
use tests::{Answer, Database, on_both_databases};

use super::World;

on_both_databases! { a_session_there_ends_the_sessions_here_that_began_with_it_and_no_other }

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn fit(world: &World, jti: &str) -> Value {
    let now = world.house.door().now().0;
    json!({
        "iss": world.there.issuer, "aud": "web", "sub": "zoe", "iat": now, "exp": now + 120, "jti": jti,
        "events": { EVENT: {} },
    })
}

async fn post(world: &World, token: &str) -> Answer {
    let request = world.house.request("POST", "/federation/company/backchannel-logout");
    world.house.send(request.form(&[("logout_token", token)])).await
}

async fn say(world: &World, claims: &Value) -> Answer {
    let header = world.there_header();
    post(world, &world.there.sign(&header, claims)).await
}

impl World {
    fn there_header(&self) -> Value {
        json!({ "alg": "ES256", "kid": "first", "typ": "logout+jwt" })
    }
}

async fn a_session_there_ends_the_sessions_here_that_began_with_it_and_no_other(database: Database) {
    let world = World::on(database, "").await;
    let first = world.signed_in().await;
    world.there.claim("sid", json!("there-2"));
    let second = world.signed_in().await;
    let local = world.house.signed_in("alice").await;

    let mut token = fit(&world, "one");
    token["sid"] = "there-1".into();
    let answer = say(&world, &token).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    world.house.told("upstream.logout", "granted").await;
    assert!(first.page("/account").await.path.starts_with("/sign-in"));
    assert_eq!(second.page("/account").await.path, "/account");

    // Without `sid` all sessions of the user are meant.
    assert_eq!(say(&world, &fit(&world, "two")).await.status, 200);
    assert!(second.page("/account").await.path.starts_with("/sign-in"));
    assert_eq!(local.page("/account").await.path, "/account");
    // That there is nothing left to end is a success (§2.8).
    assert_eq!(say(&world, &fit(&world, "three")).await.status, 200);
}

#[tokio::test]
async fn what_is_no_logout_token_of_this_upstream_ends_nothing() {
    let world = World::open("").await;
    let zoe = world.signed_in().await;
    let with = |name: &str, value: Value| {
        let mut claims = fit(&world, "x");
        claims[name] = value;
        claims
    };
    for claims in [
        with("iss", json!("https://other.example")),
        with("aud", json!("another-client")),
        with("nonce", json!("n")),
        with("events", json!({})),
        with("exp", json!(1)),
        with("jti", Value::Null),
    ] {
        assert_eq!(say(&world, &claims).await.status, 400, "{claims}");
        world.house.told("upstream.logout", "invalid_request").await;
    }
    let header = world.there_header();
    let foreign = tests::Key::generate().sign(&header, &fit(&world, "y"));
    assert_eq!(post(&world, &foreign).await.status, 400, "another key");
    for header in [json!({"alg": "none"}), json!({"alg": "ES256", "kid": "first", "typ": "at+jwt"})] {
        let token = world.there.sign(&header, &fit(&world, "z"));
        assert_eq!(post(&world, &token).await.status, 400, "{header}");
    }
    assert_eq!(post(&world, "no token").await.status, 400);
    let nothing = world.house.request("POST", "/federation/company/backchannel-logout");
    assert_eq!(world.house.send(nothing.form(&[("x", "y")])).await.status, 400);
    let unknown = world.house.request("POST", "/federation/nobody/backchannel-logout");
    assert_eq!(world.house.send(unknown.form(&[("logout_token", "x")])).await.status, 404);
    assert_eq!(zoe.page("/account").await.path, "/account");
}

#[tokio::test]
async fn of_one_logout_token_sent_many_times_at_once_one_counts() {
    let world = World::open("").await;
    world.signed_in().await;
    let token = world.there.sign(&world.there_header(), &fit(&world, "one"));
    let answers = tokio::join!(post(&world, &token), post(&world, &token), post(&world, &token));
    let mut statuses = [answers.0.status, answers.1.status, answers.2.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400, 400]);
    assert_eq!(world.count("upstream.logout").await, 1);
}

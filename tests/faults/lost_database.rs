//! The database goes away while the house serves, and comes back.

use std::time::{Duration, Instant};

use tests::Database;
use tests::load::wire::{self, Answer};
use tests::street::Street;

use crate::text;

/// Nothing was given, and the client knows that it may try again.
#[track_caller]
fn says_come_again(answer: &Answer) {
    assert_eq!(answer.status, 503, "{} {}", answer.head, answer.json());
    assert!(answer.field("retry-after").is_some(), "{}", answer.head);
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert!(answer.json().get("access_token").is_none());
}

async fn lose_and_find(mode: &str) {
    if !Database::postgres_is_there("lost_database") {
        return;
    }
    let street = Street::on_own_postgres(1).await;
    let scene = &street.scene;
    let nonce = scene.nonce().await.unwrap();
    let before = street.send(0, &scene.exchange(&nonce).unwrap()).await;
    let known = text(&before, "access_token");

    // Some are under way when it happens: each is either answered with a token that was written, or told to come again.
    let under_way = street.race((0..30).map(|_| scene.exchange(&nonce).unwrap()).collect());
    let loss = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        tokio::task::block_in_place(|| street.stop_database(mode));
    };
    let (under_way, ()) = tokio::join!(under_way, loss);
    for answer in under_way.iter().filter(|answer| answer.status != 200) {
        says_come_again(answer);
    }

    for _ in 0..3 {
        let asked = Instant::now();
        says_come_again(&street.send(0, &scene.exchange(&nonce).unwrap()).await);
        says_come_again(&street.send(0, &scene.introspection(&known).unwrap()).await);
        assert!(asked.elapsed() < Duration::from_secs(15), "an outage is told after {:?}", asked.elapsed());
    }
    says_come_again(&street.send(0, &wire::get("/readyz")).await);
    assert_eq!(street.send(0, &wire::get("/healthz")).await.status, 200);

    tokio::task::block_in_place(|| street.start_database());
    let back = Instant::now();
    while street.send(0, &wire::get("/readyz")).await.status != 200 {
        assert!(back.elapsed() < Duration::from_secs(15), "it does not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let nonce = scene.nonce().await.unwrap();
    let after = street.send(0, &scene.exchange(&nonce).unwrap()).await;
    assert_eq!(after.status, 200, "{}", after.json());
    // The cluster does not sync to disk, but it is stopped, not the machine: what was told is there.
    for token in under_way.iter().filter(|a| a.status == 200).map(|answer| text(answer, "access_token")) {
        let answer = street.send(0, &scene.introspection(&token).unwrap()).await;
        assert_eq!(answer.json()["active"], true, "{}", answer.json());
    }
    let events = street.nodes[0].app.store.audit_after(0, 10_000).await.unwrap();
    let places: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(places, (1..=i64::try_from(places.len()).unwrap()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_stopped_gives_503_and_never_a_token_until_it_is_back() {
    lose_and_find("fast").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_crashes_gives_503_and_never_a_token_until_it_is_back() {
    lose_and_find("immediate").await;
}

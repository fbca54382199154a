//! Two nodes on one PostgreSQL are one house.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use protocol::audit::{Action, AuditEvent, Outcome};
use server::clock::{Clock as _, SystemClock};
use server::store::{Change, Ending};
use tests::Database;
use tests::load::scene::CONSENT;
use tests::street::{Street, open_at_once};

use crate::{id_of, refusal, text};

macro_rules! needs_postgres {
    ($name:literal) => {
        if !Database::postgres_is_there($name) {
            return;
        }
    };
}

#[tokio::test]
async fn what_ends_at_one_node_derives_nothing_at_the_other_and_is_known_there_within_a_second() {
    needs_postgres!("what_ends_at_one_node");
    let street = Street::open(Database::Postgres, 2).await;
    let scene = &street.scene;
    let nonce = scene.nonce().await.unwrap();
    // The other node knows everything by heart.
    let mut tokens = Vec::new();
    for _ in 0..5 {
        let answer = street.send(1, &scene.exchange(&nonce).unwrap()).await;
        let token = text(&answer, "access_token");
        let answer = street.send(1, &scene.introspection(&token).unwrap()).await;
        assert_eq!(answer.json()["active"], true);
        tokens.push(token);
    }
    let event = AuditEvent::new(Action::ConsentEnd, Outcome::Granted, SystemClock.now());
    let ending = Change::new(event).end(Ending::Consent(CONSENT.parse().unwrap()));
    street.nodes[0].app.store.commit(ending).await.unwrap();
    let ended = Instant::now();

    let answers = street.race((0..10).map(|_| scene.exchange(&nonce).unwrap()).collect()).await;
    for answer in answers {
        assert_eq!((answer.status, refusal(&answer).as_str()), (400, "invalid_request"), "{}", answer.json());
    }
    tokio::time::sleep(Duration::from_secs(1).saturating_sub(ended.elapsed())).await;
    for (token, node) in tokens.iter().zip([0, 1].into_iter().cycle()) {
        let answer = street.send(node, &scene.introspection(token).unwrap()).await;
        assert_eq!(answer.json(), serde_json::json!({ "active": false }));
    }
}

#[tokio::test]
async fn no_exchange_that_begins_after_an_ending_gets_a_token_while_others_are_under_way() {
    needs_postgres!("no_exchange_that_begins_after_an_ending");
    let street = Street::open(Database::Postgres, 2).await;
    let scene = &street.scene;
    let nonce = scene.nonce().await.unwrap();
    let early = street.race((0..40).map(|_| scene.exchange(&nonce).unwrap()).collect());
    let ending = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        let event = AuditEvent::new(Action::ConsentEnd, Outcome::Granted, SystemClock.now());
        let ending = Change::new(event).end(Ending::Consent(CONSENT.parse().unwrap()));
        street.nodes[0].app.store.commit(ending).await.unwrap();
        street.race((0..40).map(|_| scene.exchange(&nonce).unwrap()).collect()).await
    };
    let (early, late) = tokio::join!(early, ending);
    assert!(late.iter().all(|answer| refusal(answer) == "invalid_request"));
    // Whoever was in time got a token that ended with the consent: none escaped.
    for answer in early.iter().filter(|answer| answer.status == 200) {
        let token = text(answer, "access_token");
        let answer = street.send(1, &scene.introspection(&token).unwrap()).await;
        assert_eq!(answer.json()["active"], false);
    }
}

#[tokio::test]
async fn a_nonce_and_a_token_of_one_node_are_good_at_the_other() {
    needs_postgres!("a_nonce_and_a_token_of_one_node");
    let street = Street::open(Database::Postgres, 2).await;
    let nonce = street.scene.nonce().await.unwrap();
    let answer = street.send(1, &street.scene.exchange(&nonce).unwrap()).await;
    let token = text(&answer, "access_token");
    for node in [0, 1] {
        let answer = street.send(node, &street.scene.introspection(&token).unwrap()).await;
        assert_eq!(answer.json()["active"], true, "at node {node}");
    }
}

#[tokio::test]
async fn the_log_has_no_gap_and_nothing_twice_when_two_nodes_write_at_once() {
    needs_postgres!("the_log_has_no_gap");
    let street = Street::open(Database::Postgres, 2).await;
    let scene = &street.scene;
    let nonce = scene.nonce().await.unwrap();
    let mut given = BTreeSet::new();
    for _ in 0..4 {
        let answers = street.race((0..60).map(|_| scene.exchange(&nonce).unwrap()).collect()).await;
        for answer in answers {
            // A machine with too much to do says so.
            assert!([200, 503].contains(&answer.status), "{}", answer.json());
            given.extend(answer.json()["access_token"].as_str().map(id_of));
        }
    }
    let events = street.nodes[1].app.store.audit_after(0, 100_000).await.unwrap();
    let places: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(places, (1..=i64::try_from(places.len()).unwrap()).collect::<Vec<_>>());
    let told = events.iter().filter_map(|event| event.event.token.as_ref()).map(|id| id.as_str().to_owned());
    let told: Vec<String> = told.collect();
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), told.len());
    assert!(given.len() > 100 && given.iter().all(|id| told.contains(id)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_on_an_empty_database_have_the_same_keys_and_people() {
    needs_postgres!("nodes_that_start_at_once");
    for _ in 0..3 {
        let mut apps = Vec::new();
        for opened in open_at_once(Database::Postgres, 3).await {
            apps.push(opened.unwrap());
        }
        let nonce = |app: &server::app::App| {
            let purpose = server::jose::NoncePurpose::AuthorizationServer;
            app.nonces.issue(SystemClock.now(), purpose, app.entropy.as_ref())
        };
        let first = nonce(&apps[0]);
        for app in &apps {
            assert_eq!(app.keys.jwks(), apps[0].keys.jwks());
            let purpose = server::jose::NoncePurpose::AuthorizationServer;
            let life = app.settings.dpop.nonce_life;
            assert!(app.nonces.is_recent(&first, purpose, SystemClock.now(), life), "another nonce key");
            app.store.close().await;
        }
    }
}

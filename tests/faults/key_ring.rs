//! The ring of signing keys when several change it, and when somebody stops in the middle.

use std::time::{Duration, Instant};

use protocol::audit::Action;
use protocol::client::SigningAlg;
use protocol::key_rotation::{KeyState, Rotation};
use protocol::numeric_date::{NumericDate, Seconds};
use server::app::App;
use server::clock::{Clock as _, SystemClock};
use server::jose::AtRest;
use server::keys::{self, Workshop, by_hand};
use server::secret::SystemEntropy;
use server::store::Store;
use tests::Database;
use tests::street::Street;

/// As the settings of the scene have it.
const ROTATION: Rotation =
    Rotation { every: Seconds::days(90), overlap: Seconds::days(1), longest_life: Seconds::minutes(12 * 60) };

fn workshop(app: &App) -> Workshop<'_> {
    Workshop { store: &app.store, at_rest: &app.at_rest, entropy: app.entropy.as_ref() }
}

async fn count(store: &Store, state: KeyState) -> usize {
    store.signing_keys().await.unwrap().keys.iter().filter(|key| key.facts.state == state).count()
}

async fn told(store: &Store, action: Action) -> usize {
    let events = store.audit_after(0, 10_000).await.unwrap();
    events.iter().filter(|event| event.event.action == action).count()
}

/// A ring is right when it opens, and one key signs with each algorithm.
async fn check(store: &Store, at_rest: &AtRest) {
    let stored = store.signing_keys().await.unwrap();
    let published = keys::publish(&stored, at_rest).unwrap();
    assert_eq!(published.ring.algs().count(), SigningAlg::ALL.len());
    for alg in SigningAlg::ALL {
        let active =
            stored.keys.iter().filter(|key| key.facts.alg == alg && key.facts.state == KeyState::Active);
        assert_eq!(active.count(), 1, "{alg:?}");
        let next = stored.keys.iter().filter(|key| key.facts.alg == alg && key.facts.state == KeyState::Next);
        assert!(next.count() <= 1, "{alg:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_that_find_the_same_step_due_one_takes_it_and_the_other_hears_of_it() {
    if !Database::postgres_is_there("of_two_nodes_that_find_the_same_step_due") {
        return;
    }
    let street = Street::open(Database::Postgres, 2).await;
    let (one, two) = (&street.nodes[0].app, &street.nodes[1].app);
    let (made, activated) =
        (told(&one.store, Action::KeyMake).await, told(&one.store, Action::KeyActivate).await);
    // The clock of both goes on to where the next keys are due, and then to where they sign.
    let due = SystemClock.now().plus(Seconds::days(89));
    for (now, next, former) in [(due, 4, 0), (due.plus(Seconds::days(1)), 0, 4)] {
        let (workshops, rotation) = ((workshop(one), workshop(two)), ROTATION);
        let (left, right) = tokio::join!(
            keys::look_after(&workshops.0, &rotation, now),
            keys::look_after(&workshops.1, &rotation, now)
        );
        let (left, right) = (left.unwrap(), right.unwrap());
        assert_eq!(left.ring.jwks(), right.ring.jwks());
        // The number is read before the keys: it may be behind them, which costs one more look, and never ahead.
        let version = one.store.signing_keys_version().await.unwrap();
        assert!(left.version <= version && right.version <= version);
        assert_eq!(count(&one.store, KeyState::Next).await, next);
        assert_eq!(count(&one.store, KeyState::Former).await, former);
        check(&two.store, &two.at_rest).await;
    }
    assert_eq!(told(&one.store, Action::KeyMake).await - made, 4, "each step was taken once");
    assert_eq!(told(&one.store, Action::KeyActivate).await - activated, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_publishes_the_other_publishes_within_a_second_or_so() {
    if !Database::postgres_is_there("what_one_node_publishes") {
        return;
    }
    let street = Street::open(Database::Postgres, 2).await;
    let (one, two) = (&street.nodes[0].app, &street.nodes[1].app);
    let signed = two.keys.sign(SigningAlg::Es256, "JWT", &serde_json::Map::new()).unwrap();
    let rotated =
        by_hand::rotate(&workshop(one), &[SigningAlg::Es256], &ROTATION, SystemClock.now()).await.unwrap();
    let began = Instant::now();
    let knows = |app: &App| app.keys.jwks().to_string().contains(&rotated[0].kid);
    while !(knows(one) && knows(two)) {
        assert!(began.elapsed() < Duration::from_secs(10), "nobody told the others");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // On an idle machine it is less than a second; a busy one gets its time.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(two.keys.verify_own(&signed, "JWT").is_ok());
}

/// Somebody who looks after the keys is stopped wherever they are, again and again, while the years go by.
async fn whoever_is_stopped_leaves_a_ring_that_is_right(database: Database) {
    let street = Street::open(database, 1).await;
    let app = &street.nodes[0].app;
    let mut now = SystemClock.now();
    let mut stopped = 0;
    for turn in 0_u64..40 {
        now = now.plus(Seconds(7 * 86_400 + 5_000));
        let (store, url_now) = (app.store.clone(), now);
        let running = tokio::spawn(async move {
            let at_rest = AtRest::new(None, &[]).unwrap();
            let workshop = Workshop { store: &store, at_rest: &at_rest, entropy: &SystemEntropy };
            keys::look_after(&workshop, &ROTATION, url_now).await.map(|_| ())
        });
        tokio::time::sleep(Duration::from_millis(turn * 13 % 90)).await;
        running.abort();
        stopped += usize::from(running.await.is_err());
        check(&app.store, &app.at_rest).await;
    }
    assert!(stopped > 0, "nobody was stopped in time");
    // Whoever comes next does all that was left undone, and an overlap later every key is young again.
    keys::look_after(&workshop(app), &ROTATION, now).await.unwrap();
    now = now.plus(ROTATION.overlap);
    let looked = keys::look_after(&workshop(app), &ROTATION, now).await.unwrap();
    check(&app.store, &app.at_rest).await;
    let ages = looked.facts.iter().filter(|key| key.state == KeyState::Active).map(|key| key.since);
    let oldest: NumericDate = ages.min().unwrap();
    assert!(now.since(oldest) <= ROTATION.every, "it went on in spite of all: {oldest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_stopped_leaves_a_ring_that_is_right_on_sqlite() {
    whoever_is_stopped_leaves_a_ring_that_is_right(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_stopped_leaves_a_ring_that_is_right_on_postgres() {
    if Database::postgres_is_there("whoever_is_stopped_leaves_a_ring_that_is_right_on_postgres") {
        whoever_is_stopped_leaves_a_ring_that_is_right(Database::Postgres).await;
    }
}

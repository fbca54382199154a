//! The program is killed in the middle of its work, at no particular moment, and started again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::audit::{LoggedEvent, Outcome};
use server::store::Store;
use tests::load::scene::{self, AGENT, Code, Scene, refreshing};
use tests::load::wire::{Answer, Wire};
use tests::program::{Program, free_address};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::{id_of, refusal, text};

/// How often it is killed.
const KILLS: u64 = 4;
/// How many speak to it at once.
const CONNECTIONS: usize = 8;

/// What the clients were told before the line went dead.
#[derive(Default)]
struct Told {
    /// Exchanges that were acknowledged: assertion, proof and the token.
    exchanged: Vec<(String, String, String)>,
    /// Exchanges that were sent and never answered: assertion and proof.
    unanswered: Vec<(String, String)>,
    /// Codes that were redeemed for sure, and the token each gave.
    redeemed: Vec<(Code, String)>,
    /// Refresh tokens that were used up for sure.
    rotated: Vec<String>,
    /// Anything else.
    surprises: Vec<Answer>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill_and_what_was_used_stays_used() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/procura.db?mode=rwc", folder.path().display());
    let scene = Arc::new(Scene::set(folder.path(), &database, free_address().unwrap()).await.unwrap());
    let mut issued: HashSet<String> = HashSet::new();
    for round in 0..KILLS {
        let app = scene.open().await.unwrap();
        let codes = scene::codes(&app, 200).await.unwrap();
        app.store.close().await;

        let program = Program::start(&scene.config, scene.address).await.unwrap();
        let told = Arc::new(Mutex::new(Told::default()));
        let load = start_load(&scene, codes, &told).await;
        // The first answers must be there; from then on any moment is as good as any other.
        while told.lock().await.exchanged.len() < 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(130 * round + u64::from(std::process::id() % 97))).await;
        program.kill().unwrap();
        load.join_all().await;

        let told = std::mem::take(&mut *told.lock().await);
        assert!(told.surprises.is_empty(), "{:?}", told.surprises);
        let program = Program::start(&scene.config, scene.address).await.unwrap();
        everything_told_is_known(&scene, &told).await;
        nothing_used_can_be_used_again(&scene, &told).await;
        issued.extend(told.exchanged.iter().map(|(_, _, token)| token.clone()));
        issued.extend(told.redeemed.iter().map(|(_, token)| token.clone()));
        drop(program);
    }
    let store = Store::open(&database).await.unwrap();
    let events = store.audit_after(0, 1_000_000).await.unwrap();
    the_log_is_whole(&events, &issued);
}

/// Exchanges, redemptions and refreshes, until the line goes dead.
async fn start_load(scene: &Arc<Scene>, codes: Vec<Code>, told: &Arc<Mutex<Told>>) -> JoinSet<()> {
    let nonce = scene.nonce().await.unwrap();
    let mut load = JoinSet::new();
    for _ in 0..CONNECTIONS {
        load.spawn(exchange_on(Arc::clone(scene), nonce.clone(), Arc::clone(told)));
    }
    load.spawn(redeem_on(scene.address, codes, Arc::clone(told)));
    load
}

async fn exchange_on(scene: Arc<Scene>, nonce: String, told: Arc<Mutex<Told>>) {
    let mut wire = Wire::connect(scene.address).await.unwrap();
    loop {
        let assertion = scene.assertion(AGENT, &scene.agent_key).unwrap();
        let proof = scene.proof("/token", &nonce).unwrap();
        let answer = wire.send(&scene.exchange_with(&assertion, &proof)).await;
        let mut told = told.lock().await;
        match answer {
            Ok(answer) if answer.status == 200 => {
                told.exchanged.push((assertion, proof, text(&answer, "access_token")));
            }
            Ok(answer) => told.surprises.push(answer),
            Err(_) => {
                told.unanswered.push((assertion, proof));
                return;
            }
        }
    }
}

/// Each code is redeemed, and its refresh token rotated twice.
async fn redeem_on(address: SocketAddr, codes: Vec<Code>, told: Arc<Mutex<Told>>) {
    let mut wire = Wire::connect(address).await.unwrap();
    for code in codes {
        let Ok(answer) = wire.send(&code.redemption()).await else { return };
        if answer.status != 200 {
            return told.lock().await.surprises.push(answer);
        }
        let mut current = text(&answer, "refresh_token");
        told.lock().await.redeemed.push((code, text(&answer, "access_token")));
        for _ in 0..2 {
            let Ok(answer) = wire.send(&refreshing(&current)).await else { return };
            if answer.status != 200 {
                return told.lock().await.surprises.push(answer);
            }
            let next = text(&answer, "refresh_token");
            told.lock().await.rotated.push(std::mem::replace(&mut current, next));
        }
    }
}

async fn everything_told_is_known(scene: &Scene, told: &Told) {
    let mut wire = Wire::connect(scene.address).await.unwrap();
    let exchanged = told.exchanged.iter().map(|(_, _, token)| token);
    for token in exchanged.chain(told.redeemed.iter().map(|(_, token)| token)) {
        let answer = wire.send(&scene.introspection(token).unwrap()).await.unwrap();
        assert_eq!(answer.json()["active"], true, "{} {}", answer.status, answer.json());
    }
}

async fn nothing_used_can_be_used_again(scene: &Scene, told: &Told) {
    let mut wire = Wire::connect(scene.address).await.unwrap();
    let nonce = scene.nonce().await.unwrap();
    for (assertion, proof, _) in &told.exchanged {
        let fresh_proof = scene.proof("/token", &nonce).unwrap();
        let answer = wire.send(&scene.exchange_with(assertion, &fresh_proof)).await.unwrap();
        assert_eq!(refusal(&answer), "invalid_client", "{}", answer.json());
        let fresh_assertion = scene.assertion(AGENT, &scene.agent_key).unwrap();
        let answer = wire.send(&scene.exchange_with(&fresh_assertion, proof)).await.unwrap();
        assert_eq!(refusal(&answer), "invalid_dpop_proof", "{}", answer.json());
    }
    for (assertion, proof) in &told.unanswered {
        // Whether it was written before the end, nobody knows; but once more is the most there is.
        let once = wire.send(&scene.exchange_with(assertion, proof)).await.unwrap();
        let twice = wire.send(&scene.exchange_with(assertion, proof)).await.unwrap();
        assert!(once.status == 200 || refusal(&once) == "invalid_client", "{}", once.json());
        assert_eq!(refusal(&twice), "invalid_client", "{}", twice.json());
    }
    for token in &told.rotated {
        let answer = wire.send(&refreshing(token)).await.unwrap();
        assert_eq!(refusal(&answer), "invalid_grant", "{}", answer.json());
    }
    for (code, token) in &told.redeemed {
        let answer = wire.send(&code.redemption()).await.unwrap();
        assert_eq!(refusal(&answer), "invalid_grant", "{}", answer.json());
        let answer = wire.send(&scene.introspection(token).unwrap()).await.unwrap();
        assert_eq!(answer.json()["active"], false, "a code that came twice left its token alive");
    }
}

fn the_log_is_whole(events: &[LoggedEvent], issued: &HashSet<String>) {
    let places: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(places, (1..=i64::try_from(events.len()).unwrap()).collect::<Vec<_>>());
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events.iter().filter(|event| event.event.outcome == Outcome::Granted) {
        *told.entry(event.event.token.as_ref().map_or("", |id| id.as_str())).or_default() += 1;
    }
    let issued: HashMap<String, &String> = issued.iter().map(|token| (id_of(token), token)).collect();
    for id in issued.keys() {
        assert_eq!(told.get(id.as_str()), Some(&1), "the log does not tell of {id} once");
    }
    assert!(issued.len() > 20, "too little happened: {}", issued.len());
}

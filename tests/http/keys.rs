//! Signing keys over their whole life, and how the database keeps them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::client::SigningAlg;
use protocol::key_rotation::KeyState;
use protocol::numeric_date::Seconds;
use serde_json::{Value, json};
use server::cli::keys::{Alg, KeysCommand, List, Retire, Rotate, act};
use server::clock::Clock as _;
use server::config::{self, Config, ConfigFile};
use server::jose::{AtRest, SigningKey};
use server::secret::SystemEntropy;
use server::store::{Change, Record, SigningKeys, Store, Take};
use tests::{Database, House, ORDERS, on_both_databases, unverified_header};

on_both_databases! {
    rotation_breaks_no_token_over_several_turns,
    an_operator_rotates_and_retires_by_hand,
    keys_from_before_there_were_seals_are_sealed_at_the_next_start,
    the_encryption_key_can_be_changed,
}

const DAY: i64 = 86_400;
const FIRST: &str = "8f1d0c6b5a4e3f2d1c0b9a8f7e6d5c4b3a2f1e0d9c8b7a6f5e4d3c2b1a0f9e8d";
const SECOND: &str = "0f1d0c6b5a4e3f2d1c0b9a8f7e6d5c4b3a2f1e0d9c8b7a6f5e4d3c2b1a0f9e80";

async fn kids(house: &House) -> BTreeSet<String> {
    let told = house.send(house.request("GET", "/jwks")).await.ok().json;
    told["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Waits for what a node does by itself, about once a second.
#[track_caller]
fn soon<F: Future<Output = bool>>(mut done: impl FnMut() -> F) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let started = Instant::now();
        while !done().await {
            assert!(started.elapsed() < Duration::from_secs(30), "it did not come about: {place}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn token(house: &House) -> String {
    house.client("agent-a").own_token("orders:read", ORDERS).await.ok().access_token().to_owned()
}

fn kid_of(jwt: &str) -> String {
    unverified_header(jwt)["kid"].as_str().unwrap().to_owned()
}

async fn rotation_breaks_no_token_over_several_turns(database: Database) {
    let house = House::on(database).await;
    let mut signed_by = BTreeSet::new();
    for turn in 0..3 {
        let before = kids(&house).await;
        assert_eq!(before.len(), 4, "turn {turn}");
        // A day before the keys are ninety days old, the next ones are published, and do not sign.
        house.later(89 * DAY);
        soon(|| async { kids(&house).await.len() == 8 }).await;
        let published = kids(&house).await;
        assert!(published.is_superset(&before));
        let early = token(&house).await;
        assert!(before.contains(&kid_of(&early)));
        house.later(DAY - 100);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let last = token(&house).await;
        assert!(before.contains(&kid_of(&last)), "nobody signs with a key before its day is over");
        house.later(100);
        soon(|| async { published.difference(&before).any(|kid| *kid == house_kid(&house)) }).await;
        let new = token(&house).await;
        assert!(!before.contains(&kid_of(&new)) && published.contains(&kid_of(&new)));
        assert!(signed_by.insert(kid_of(&new)));
        // What was signed a moment before lives, and whoever verifies it finds its key.
        assert!(house.is_active(&last).await);
        assert!(kids(&house).await.contains(&kid_of(&last)));
        check_signature(&house, &last).await;
        // Nothing that they signed can live any more: the former keys go.
        house.later(12 * 3600 + 300);
        soon(|| async { kids(&house).await.len() == 4 }).await;
        assert!(kids(&house).await.is_disjoint(&before));
    }
    let told = |action: &str, events: &[protocol::audit::LoggedEvent]| {
        let name =
            |event: &protocol::audit::LoggedEvent| serde_json::to_value(event).unwrap()["action"] == action;
        events.iter().filter(|event| name(event)).count()
    };
    let events = house.events().await;
    assert_eq!((told("key.make", &events), told("key.activate", &events)), (4 + 12, 12));
    assert_eq!(told("key.retire", &events), 12);
    for key in house.store().signing_keys().await.unwrap().keys {
        let gone = key.facts.state == KeyState::Retired;
        assert_eq!(gone, key.document.get("sealed").is_none(), "a retired key keeps no private part");
    }
}

/// The key that signs access tokens now, as the server has it.
fn house_kid(house: &House) -> String {
    kid_of(&house.app().keys.sign(SigningAlg::Es256, "JWT", &serde_json::Map::new()).unwrap())
}

async fn check_signature(house: &House, jwt: &str) {
    let keys = house.send(house.request("GET", "/jwks")).await.ok().json;
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid_of(jwt)).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(&serde_json::from_value(key.clone()).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    // It verifies by our own clock, which is turned.
    rules.validate_exp = false;
    rules.set_audience(&[ORDERS]);
    jsonwebtoken::decode::<Value>(jwt, &key, &rules).unwrap();
}

async fn command(house: &House, command: KeysCommand) -> anyhow::Result<String> {
    let mut out = Vec::new();
    act(house.store(), &house.app().settings, &command, &mut out).await?;
    Ok(String::from_utf8(out).unwrap())
}

async fn an_operator_rotates_and_retires_by_hand(database: Database) {
    let house = House::on(database).await;
    let list = || command(&house, KeysCommand::List(List { all: false }));
    let before = list().await.unwrap();
    assert_eq!(before.lines().count(), 4);
    let old = house_kid(&house);
    assert!(before.contains(&old) && before.contains("ES256") && before.contains("active"), "{before}");

    // The only key stays, however much haste there is.
    for now in [true, false] {
        let refused =
            command(&house, KeysCommand::Retire(Retire { kid: old.clone(), now })).await.unwrap_err();
        assert!(refused.to_string().contains("only key"), "{refused}");
    }
    let unknown =
        command(&house, KeysCommand::Retire(Retire { kid: "x".into(), now: true })).await.unwrap_err();
    assert!(unknown.to_string().contains("no such key"), "{unknown}");

    let rotate = || command(&house, KeysCommand::Rotate(Rotate { alg: Some(Alg::Es256) }));
    let next = rotate().await.unwrap();
    let next_kid = next.split_whitespace().next().unwrap().to_owned();
    assert!(next.contains("next") && next.contains("signs from"), "{next}");
    assert_eq!(rotate().await.unwrap(), next, "asked again, it makes no second one");
    house.told("key.make", "granted").await;
    // The node that serves publishes it within a second or so, without a restart, and signs with the old one.
    soon(|| async { kids(&house).await.contains(&next_kid) }).await;
    assert_eq!(house_kid(&house), old);
    let signed = token(&house).await;

    // What it signed still lives, so without haste it stays; at once, it goes and the next one signs.
    let refused =
        command(&house, KeysCommand::Retire(Retire { kid: old.clone(), now: false })).await.unwrap_err();
    assert!(refused.to_string().contains("--now"), "{refused}");
    command(&house, KeysCommand::Retire(Retire { kid: old.clone(), now: true })).await.unwrap();
    house.told("key.retire", "granted").await;
    soon(|| async { !kids(&house).await.contains(&old) }).await;
    assert_eq!(house_kid(&house), next_kid);
    assert_eq!(kid_of(&signed), old);
    let shown = command(&house, KeysCommand::List(List { all: true })).await.unwrap();
    assert!(shown.lines().any(|line| line.starts_with(&old) && line.contains("retired")), "{shown}");
    assert!(!list().await.unwrap().contains(&old));
}

#[tokio::test]
async fn the_key_set_may_be_kept_for_less_time_than_a_key_is_published_before_it_signs() {
    let house = House::open().await;
    let answer = house.send(house.request("GET", "/jwks")).await.ok();
    let kept = answer.header("cache-control").strip_prefix("public, max-age=").unwrap();
    assert!(Seconds(kept.parse().unwrap()) <= house.app().settings.keys.overlap);
}

/// The raw texts of everything secret in the database.
async fn raw(store: &Store) -> (Vec<String>, String) {
    let keys = store.signing_keys().await.unwrap().keys;
    let keys = keys.iter().map(|key| key.document.to_string()).collect();
    (keys, store.setting("dpop_nonce_key").await.unwrap().unwrap())
}

fn with_key(config: &str, key: &str) -> String {
    format!("keys.encryption_key = \"{key}\"\n{config}")
}

async fn opens(house: &House, config: String) -> Result<(), String> {
    let file = ConfigFile { name: "house.toml".into(), text: config, folder: ".".into() };
    let config: Config = config::read(Some(&file), []).unwrap();
    let opened =
        server::start::open(config, Arc::new(server::clock::SystemClock), Arc::new(SystemEntropy)).await;
    let _ = house;
    match opened {
        Ok((app, _)) => {
            app.store.close().await;
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Puts the keys back into the form that they were kept in before there were seals.
async fn unseal(store: &Store) {
    let at_rest = AtRest::new(None, &[]).unwrap();
    let SigningKeys { version, keys } = store.signing_keys().await.unwrap();
    let mut change = Change::housekeeping(server::clock::SystemClock.now()).take(Take::SigningKeys(version));
    for key in keys {
        let opened = SigningKey::open(&key.document, &at_rest).unwrap();
        let document = serde_json::to_value(opened.to_document().unwrap()).unwrap();
        assert!(document.get("pkcs8").is_some());
        change = change.keep(Record::SigningKey(server::store::SigningKey { document, ..key }));
    }
    let nonce = store.setting("dpop_nonce_key").await.unwrap().unwrap();
    let value = nonce.strip_prefix("v0.").unwrap().to_owned();
    store.commit(change.keep(Record::Setting { name: "dpop_nonce_key".into(), value })).await.unwrap();
}

async fn keys_from_before_there_were_seals_are_sealed_at_the_next_start(database: Database) {
    let mut house = House::on(database).await;
    let agent = house.client("agent-a");
    let issued = agent.own_token("orders:read", ORDERS).await.ok().access_token().to_owned();
    let (before, nonce) = (kids(&house).await, agent.nonce().unwrap());
    unseal(house.store()).await;

    // Without an encryption key they go on as they are.
    house.restart().await;
    assert_eq!(kids(&house).await, before);
    assert!(house.is_active(&issued).await);
    unseal(house.store()).await;

    let plain = raw(house.store()).await;
    house.restart_changed(|config| with_key(&config, FIRST)).await;
    assert_eq!(kids(&house).await, before, "the keys are the same");
    assert!(house.is_active(&issued).await);
    check_signature(&house, &issued).await;
    let (keys, setting) = raw(house.store()).await;
    for (sealed, bare) in keys.iter().zip(&plain.0) {
        let bare: Value = serde_json::from_str(bare).unwrap();
        let secret = bare["pkcs8"].as_str().unwrap();
        assert!(!sealed.contains("pkcs8") && !sealed.contains(&secret[40..]), "{sealed}");
        let sealed: Value = serde_json::from_str(sealed).unwrap();
        assert!(sealed["sealed"].as_str().unwrap().starts_with("v1."), "{sealed}");
    }
    assert!(setting.starts_with("v1.") && !setting.contains(&plain.1));
    let sealed = house
        .events()
        .await
        .into_iter()
        .filter(|event| serde_json::to_value(event).unwrap()["action"] == "key.encrypt");
    assert!(sealed.count() >= 2, "the keys and the setting are told of");
    // A nonce from before is still one: its key was sealed, not changed.
    let proof = agent.proof("POST", &house.url("/token"), None).claim("nonce", json!(nonce)).sign();
    let request =
        agent.authenticated(house.request("POST", "/token"), &[("grant_type", "client_credentials")]);
    let answer = house.send(request.header("DPoP", proof)).await;
    assert_ne!(answer.json["error"], "use_dpop_nonce", "{}", answer.body);

    // And nothing is sealed twice: the next start leaves all as it is.
    house.restart().await;
    assert_eq!(raw(house.store()).await, (keys, setting));
}

async fn the_encryption_key_can_be_changed(database: Database) {
    let mut house = House::on(database).await;
    let config = house.config().to_owned();
    let before = kids(&house).await;
    house.restart_changed(|config| with_key(&config, FIRST)).await;

    // Neither with another key nor without one does it start, and it says why.
    let other = opens(&house, with_key(&config, SECOND)).await.unwrap_err();
    assert!(other.contains("configured encryption key is another one"), "{other}");
    let none = opens(&house, config.clone()).await.unwrap_err();
    assert!(none.contains("no encryption key is configured"), "{none}");
    for text in [other, none] {
        assert!(!text.contains(FIRST) && !text.contains(SECOND), "{text}");
    }

    let both = format!("keys.encryption_key_previous = \"{FIRST}\"\n{}", with_key(&config, SECOND));
    house.restart_changed(|_| both).await;
    assert_eq!(kids(&house).await, before);
    let changed = raw(house.store()).await;
    // From now on the first key is of no use.
    house.restart_changed(|_| with_key(&config, SECOND)).await;
    assert_eq!(raw(house.store()).await, changed);
    assert_eq!(kids(&house).await, before);
    assert!(opens(&house, with_key(&config, FIRST)).await.is_err());
}

#[tokio::test]
async fn a_new_key_is_sealed_from_the_beginning() {
    let mut house = House::open().await;
    let without = house.app().settings.clone();
    house.restart_changed(|config| with_key(&config, FIRST)).await;
    // Whoever has no key for those that are there, makes none beside them.
    let rotate = KeysCommand::Rotate(Rotate { alg: None });
    let refused = act(house.store(), &without, &rotate, &mut Vec::new()).await.unwrap_err();
    assert!(format!("{refused:#}").contains("no encryption key is configured"), "{refused:#}");
    assert_eq!(raw(house.store()).await.0.len(), 4);
    let next = command(&house, KeysCommand::Rotate(Rotate { alg: None })).await.unwrap();
    assert_eq!(next.lines().count(), 4, "{next}");
    let (keys, _) = raw(house.store()).await;
    assert!(keys.len() == 8 && keys.iter().all(|key| key.contains("\"v1.")), "{keys:?}");
    soon(|| async { kids(&house).await.len() == 8 }).await;
}

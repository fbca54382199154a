//! The JWK Sets that clients publish at their `jwks_uri` (RFC 7591 §2): fetched when they are needed, kept for a
//! while, fetched again when a key is not among them, and never so often that a stranger could have us bother their
//! publisher.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use moka::sync::Cache;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::workload::spiffe;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use crate::outbound::Outbound;

/// How long a set is used before it is fetched again, unless it says itself that this is too long.
const FRESH: Seconds = Seconds::minutes(5);
/// How long a set is used on while its publisher does not answer.
const LONGEST_KEPT: Seconds = Seconds::days(1);
/// How long after one fetch the next may begin, whatever is asked for and however the first one ended.
const PAUSE: Seconds = Seconds(15);

/// The sets seen last, by where they are published.
pub struct KeySets(Cache<Url, Arc<Published>>);

/// What is published at one place.
#[derive(Default)]
struct Published {
    latest: ArcSwapOption<Fetched>,
    /// When a fetch last began. Whoever fetches holds it, so that there is never more than one at a time, and those
    /// who wait for it find what it brought.
    begun: Mutex<Option<NumericDate>>,
}

struct Fetched {
    jwks: Arc<Value>,
    at: NumericDate,
}

impl KeySets {
    /// Sets of at most `most` publishers.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self(Cache::new(most))
    }

    /// The set published at `uri`, as it was within the last minutes; while there is no answer, as it was within the
    /// last day. `None` where there never was one.
    pub async fn get(&self, outbound: &Outbound, uri: &Url, now: NumericDate) -> Option<Arc<Value>> {
        let published = self.published(uri);
        match published.usable(now) {
            Some(latest) if now.since(latest.at) < fresh_for(&latest.jwks) => Some(Arc::clone(&latest.jwks)),
            latest => published.fetch(outbound, uri, latest.map(|latest| latest.at), now).await,
        }
    }

    /// A newer set than `known`, which lacked something: fetched now, unless that was done a moment ago.
    pub async fn newer(
        &self,
        outbound: &Outbound,
        uri: &Url,
        known: &Arc<Value>,
        now: NumericDate,
    ) -> Option<Arc<Value>> {
        let published = self.published(uri);
        let latest = published.usable(now);
        let newest = match latest {
            // Somebody else fetched it meanwhile.
            Some(latest) if !Arc::ptr_eq(&latest.jwks, known) => Some(Arc::clone(&latest.jwks)),
            latest => published.fetch(outbound, uri, latest.map(|latest| latest.at), now).await,
        };
        newest.filter(|newest| !Arc::ptr_eq(newest, known))
    }

    fn published(&self, uri: &Url) -> Arc<Published> {
        self.0.get_with_by_ref(uri, Arc::default)
    }
}

/// How long this set is used. A trust bundle may say how often it changes; nobody is asked more often than strangers
/// could have us ask.
fn fresh_for(jwks: &Value) -> Seconds {
    spiffe::refresh_hint(jwks).map_or(FRESH, |hint| hint.clamp(PAUSE, FRESH))
}

impl Published {
    fn usable(&self, now: NumericDate) -> Option<Arc<Fetched>> {
        self.latest.load_full().filter(|latest| now.since(latest.at) < LONGEST_KEPT)
    }

    /// Fetches, unless it was done since `seen`, or tried a moment ago.
    async fn fetch(
        &self,
        outbound: &Outbound,
        uri: &Url,
        seen: Option<NumericDate>,
        now: NumericDate,
    ) -> Option<Arc<Value>> {
        let mut begun = self.begun.lock().await;
        let latest = self.usable(now);
        let done = latest.as_ref().is_some_and(|latest| seen.is_none_or(|seen| latest.at > seen));
        let tried = begun.is_some_and(|begun| now.since(begun) < PAUSE);
        if done || tried {
            return latest.map(|latest| Arc::clone(&latest.jwks));
        }
        *begun = Some(now);
        match ask(outbound, uri).await {
            Ok(jwks) => {
                let jwks = Arc::new(jwks);
                self.latest.store(Some(Arc::new(Fetched { jwks: Arc::clone(&jwks), at: now })));
                Some(jwks)
            }
            Err(reason) => {
                tracing::warn!(host = uri.host_str(), %reason, "a jwks_uri could not be fetched");
                latest.map(|latest| Arc::clone(&latest.jwks))
            }
        }
    }
}

async fn ask(outbound: &Outbound, uri: &Url) -> Result<Value, String> {
    let answer = outbound.get(uri, "application/jwk-set+json, application/json").await;
    let answer = answer.map_err(|error| error.to_string())?;
    if answer.status != 200 {
        return Err(format!("the status is {}", answer.status));
    }
    let jwks: Value = serde_json::from_slice(&answer.body).map_err(|_| "it is not JSON".to_owned())?;
    match jwks.get("keys") {
        Some(Value::Array(_)) => Ok(jwks),
        _ => Err("it is not a JWK Set".into()),
    }
}

impl fmt::Debug for KeySets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySets(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::OutboundSettings;

    /// A publisher that says what it is told to say, and counts how often it was asked.
    struct Publisher {
        uri: Url,
        says: Arc<std::sync::Mutex<String>>,
        asked: Arc<AtomicUsize>,
    }

    impl Publisher {
        async fn open() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let uri = format!("http://{}/jwks", listener.local_addr().unwrap()).parse().unwrap();
            let says = Arc::new(std::sync::Mutex::new(set("a")));
            let asked = Arc::new(AtomicUsize::new(0));
            let (said, counted) = (Arc::clone(&says), Arc::clone(&asked));
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    let _ = stream.read(&mut [0; 4096]).await;
                    counted.fetch_add(1, Ordering::SeqCst);
                    let body = said.lock().unwrap().clone();
                    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length";
                    let _ =
                        stream.write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
                }
            });
            Self { uri, says, asked }
        }

        fn says(&self, text: &str) {
            text.clone_into(&mut self.says.lock().unwrap());
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    fn set(kid: &str) -> String {
        json!({"keys": [{"kid": kid}]}).to_string()
    }

    fn kid(jwks: Option<Arc<Value>>) -> Option<String> {
        jwks.map(|jwks| jwks["keys"][0]["kid"].as_str().unwrap().to_owned())
    }

    fn outbound() -> Outbound {
        let permitted_addresses = vec!["127.0.0.0/8".parse().unwrap()];
        Outbound::new(&OutboundSettings { permitted_addresses, ..OutboundSettings::default() }).unwrap()
    }

    const NOW: NumericDate = NumericDate(1_000_000);

    #[tokio::test]
    async fn a_set_is_fetched_once_by_all_who_need_it_at_once_and_then_kept() {
        let (publisher, outbound, sets) = (Publisher::open().await, outbound(), KeySets::new(10));
        let get = || sets.get(&outbound, &publisher.uri, NOW);
        let (a, b, c) = tokio::join!(get(), get(), get());
        assert!([a, b, c].into_iter().all(|jwks| kid(jwks).as_deref() == Some("a")));
        let later = NOW.plus(Seconds(299));
        assert_eq!(kid(sets.get(&outbound, &publisher.uri, later).await).as_deref(), Some("a"));
        assert_eq!(publisher.asked(), 1);
        publisher.says(&set("b"));
        let stale = NOW.plus(Seconds(300));
        assert_eq!(kid(sets.get(&outbound, &publisher.uri, stale).await).as_deref(), Some("b"));
        assert_eq!(publisher.asked(), 2);
    }

    #[tokio::test]
    async fn a_bundle_that_says_so_is_fetched_sooner_and_never_without_a_pause() {
        let (publisher, outbound, sets) = (Publisher::open().await, outbound(), KeySets::new(10));
        let mut at = NOW;
        for (hint, first_stale) in [(60, 60), (1, 15), (86_400, 300)] {
            publisher.says(&json!({ "keys": [], "spiffe_refresh_hint": hint }).to_string());
            at = at.plus(Seconds(1_000));
            sets.get(&outbound, &publisher.uri, at).await.unwrap();
            let asked = publisher.asked();
            sets.get(&outbound, &publisher.uri, at.plus(Seconds(first_stale - 1))).await.unwrap();
            assert_eq!(publisher.asked(), asked, "{hint}");
            sets.get(&outbound, &publisher.uri, at.plus(Seconds(first_stale))).await.unwrap();
            assert_eq!(publisher.asked(), asked + 1, "{hint}");
        }
    }

    #[tokio::test]
    async fn what_is_missing_is_looked_for_once_in_a_while_however_often_it_is_asked_for() {
        let (publisher, outbound, sets) = (Publisher::open().await, outbound(), KeySets::new(10));
        let known = sets.get(&outbound, &publisher.uri, NOW).await.unwrap();
        let newer = |seconds| sets.newer(&outbound, &publisher.uri, &known, NOW.plus(Seconds(seconds)));
        for _ in 0..100 {
            assert_eq!(kid(newer(14).await), None);
        }
        assert_eq!(publisher.asked(), 1);
        publisher.says(&set("b"));
        assert_eq!(kid(newer(15).await).as_deref(), Some("b"));
        assert_eq!(kid(newer(16).await).as_deref(), Some("b"));
        assert_eq!(publisher.asked(), 2);
    }

    #[tokio::test]
    async fn while_there_is_no_answer_the_last_one_is_used_for_a_day() {
        let (publisher, outbound, sets) = (Publisher::open().await, outbound(), KeySets::new(10));
        sets.get(&outbound, &publisher.uri, NOW).await.unwrap();
        for nonsense in ["", "[]", "{}", "{\"keys\": 1}"] {
            publisher.says(nonsense);
            let (day, later) = (NOW.plus(Seconds(86_399)), NOW.plus(Seconds(86_400)));
            assert_eq!(kid(sets.get(&outbound, &publisher.uri, day).await).as_deref(), Some("a"));
            assert_eq!(kid(sets.get(&outbound, &publisher.uri, later).await), None);
        }
    }

    #[tokio::test]
    async fn a_publisher_that_never_answered_is_not_asked_again_at_once() {
        let (publisher, outbound, sets) = (Publisher::open().await, outbound(), KeySets::new(10));
        publisher.says("nothing");
        for _ in 0..10 {
            assert_eq!(kid(sets.get(&outbound, &publisher.uri, NOW).await), None);
        }
        assert_eq!(publisher.asked(), 1);
    }
}

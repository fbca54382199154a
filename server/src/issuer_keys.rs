//! The public keys of somebody whose JWTs are read here and who is no client: written down, published somewhere, or to be
//! found by discovery (OpenID Connect Discovery §4).

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use protocol::client::{KeySource, SigningAlg};
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::registration::redirect_uris::is_loopback;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use crate::jose::{ClientKeys, JoseError};
use crate::key_sets::KeySets;
use crate::outbound::Outbound;

/// How long it is remembered where somebody publishes their keys.
const REMEMBERED: Seconds = Seconds::days(1);
/// How long after a failure nobody is asked again.
const PAUSE: Seconds = Seconds(15);

/// The keys of one issuer.
pub struct IssuerKeys {
    place: Place,
    /// Which part of what is published are the keys that sign JWTs.
    part: fn(&Value) -> Value,
    /// What was parsed last, and of what.
    latest: ArcSwapOption<(Arc<Value>, Arc<ClientKeys>)>,
}

enum Place {
    Known(Arc<Value>),
    Published(Url),
    Discovered(Discovery),
}

/// Where an issuer says that its keys are. Whoever asks it holds `found`, so that there is one question at a time.
struct Discovery {
    issuer: String,
    document: Url,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    jwks_uri: Option<(Url, NumericDate)>,
    failed_at: Option<NumericDate>,
}

impl IssuerKeys {
    /// The keys of `issuer` that are in `source`, or without one, where its discovery document says. Of what is there,
    /// `part` are those that sign JWTs.
    ///
    /// # Errors
    /// [`JoseError`] for keys that cannot be read, or nowhere to find them.
    pub fn new(issuer: &str, source: &KeySource, part: fn(&Value) -> Value) -> Result<Self, JoseError> {
        let place = match source {
            KeySource::Jwks(jwks) => {
                ClientKeys::parse(&part(jwks))?;
                Place::Known(Arc::new(jwks.clone()))
            }
            KeySource::JwksUri(uri) => Place::Published(uri.clone()),
            KeySource::None => {
                let base = issuer.trim_end_matches('/');
                let document = format!("{base}/.well-known/openid-configuration");
                let document = document.parse().map_err(|_| JoseError::NotAKeySet)?;
                Place::Discovered(Discovery { issuer: issuer.to_owned(), document, found: Mutex::default() })
            }
        };
        Ok(Self { place, part, latest: ArcSwapOption::empty() })
    }

    /// What is published, keys for other uses included.
    pub async fn published(
        &self,
        key_sets: &KeySets,
        outbound: &Outbound,
        now: NumericDate,
    ) -> Option<Arc<Value>> {
        match &self.place {
            Place::Known(jwks) => Some(Arc::clone(jwks)),
            Place::Published(uri) => key_sets.get(outbound, uri, now).await,
            Place::Discovered(discovery) => {
                let uri = discovery.jwks_uri(outbound, now).await?;
                key_sets.get(outbound, &uri, now).await
            }
        }
    }

    /// What was published since `known`, which lacked something.
    pub async fn newer(
        &self,
        key_sets: &KeySets,
        outbound: &Outbound,
        known: &Arc<Value>,
        now: NumericDate,
    ) -> Option<Arc<Value>> {
        match &self.place {
            Place::Known(_) => None,
            Place::Published(uri) => key_sets.newer(outbound, uri, known, now).await,
            Place::Discovered(discovery) => {
                let uri = discovery.jwks_uri(outbound, now).await?;
                key_sets.newer(outbound, &uri, known, now).await
            }
        }
    }

    /// The claims of a JWT that the issuer signed; where none of its keys fits, with those that it has published since.
    ///
    /// # Errors
    /// [`JoseError::KeysAway`] says nothing of the JWT; everything else does.
    pub async fn verify(
        &self,
        key_sets: &KeySets,
        outbound: &Outbound,
        compact: &str,
        kid: Option<&str>,
        alg: SigningAlg,
        now: NumericDate,
    ) -> Result<Map<String, Value>, JoseError> {
        let jwks = self.published(key_sets, outbound, now).await.ok_or(JoseError::KeysAway)?;
        match self.parsed(&jwks)?.verify(compact, kid, alg) {
            Err(JoseError::UnknownKey) => {}
            // A set without names for its keys may have got others.
            Err(JoseError::BadSignature) if kid.is_none() => {}
            verdict => return verdict,
        }
        let newer = self.newer(key_sets, outbound, &jwks, now).await.ok_or(JoseError::UnknownKey)?;
        self.parsed(&newer)?.verify(compact, kid, alg)
    }

    /// The keys in `jwks`, parsed once for each set that was published.
    fn parsed(&self, jwks: &Arc<Value>) -> Result<Arc<ClientKeys>, JoseError> {
        if let Some(latest) = self.latest.load().as_deref()
            && Arc::ptr_eq(&latest.0, jwks)
        {
            return Ok(Arc::clone(&latest.1));
        }
        let keys = Arc::new(ClientKeys::parse(&(self.part)(jwks))?);
        self.latest.store(Some(Arc::new((Arc::clone(jwks), Arc::clone(&keys)))));
        Ok(keys)
    }
}

impl Discovery {
    /// Where the issuer publishes its keys, as it said within the last day; while it does not answer, as it said before.
    async fn jwks_uri(&self, outbound: &Outbound, now: NumericDate) -> Option<Url> {
        let mut found = self.found.lock().await;
        let known = found.jwks_uri.clone();
        if let Some((uri, at)) = &known
            && now.since(*at) < REMEMBERED
        {
            return Some(uri.clone());
        }
        if found.failed_at.is_some_and(|at| now.since(at) < PAUSE) {
            return known.map(|(uri, _)| uri);
        }
        match self.ask(outbound).await {
            Ok(uri) => {
                *found = Found { jwks_uri: Some((uri.clone(), now)), failed_at: None };
                Some(uri)
            }
            Err(reason) => {
                tracing::warn!(
                    issuer = self.issuer,
                    reason,
                    "an issuer's discovery document could not be used"
                );
                found.failed_at = Some(now);
                known.map(|(uri, _)| uri)
            }
        }
    }

    /// Asks. What the document says counts only if it is this issuer's (§4.3).
    async fn ask(&self, outbound: &Outbound) -> Result<Url, &'static str> {
        let answer =
            outbound.get(&self.document, "application/json").await.map_err(|_| "it was not answered")?;
        if answer.status != 200 {
            return Err("the answer was no success");
        }
        let said: Value = serde_json::from_slice(&answer.body).map_err(|_| "the answer was not JSON")?;
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        if text("issuer") != Some(self.issuer.as_str()) {
            return Err("it is another issuer's");
        }
        let uri: Url = text("jwks_uri").and_then(|uri| uri.parse().ok()).ok_or("it has no jwks_uri")?;
        if uri.scheme() == "https" || is_loopback(&uri) { Ok(uri) } else { Err("its jwks_uri is not https") }
    }
}

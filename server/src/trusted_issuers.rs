//! Those whose JWTs are believed, each for its purposes, and the keys that they sign with.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use protocol::client::{KeySource, SigningAlg};
use protocol::numeric_date::NumericDate;
use protocol::trusted_issuer::{Purpose, TrustedIssuer};
use serde_json::{Map, Value};
use url::Url;

use crate::jose::{ClientKeys, JoseError};
use crate::key_sets::KeySets;
use crate::outbound::Outbound;

/// All of them, by `iss`.
#[derive(Default)]
pub struct TrustedIssuers(BTreeMap<String, Trusted>);

/// One of them.
pub struct Trusted {
    /// How far it is believed.
    pub rule: TrustedIssuer,
    keys: Keys,
}

enum Keys {
    /// Written down.
    Known(Arc<ClientKeys>),
    /// Published; with what was parsed last.
    Published(Url, ArcSwapOption<(Arc<Value>, Arc<ClientKeys>)>),
}

impl TrustedIssuers {
    /// These.
    ///
    /// # Errors
    /// [`JoseError`] for keys that cannot be read.
    pub fn new(declared: &[(TrustedIssuer, KeySource)]) -> Result<Self, JoseError> {
        let trusted = |(rule, source): &(TrustedIssuer, KeySource)| {
            let keys = match source {
                KeySource::Jwks(jwks) => Keys::Known(Arc::new(ClientKeys::parse(jwks)?)),
                KeySource::JwksUri(uri) => Keys::Published(uri.clone(), ArcSwapOption::empty()),
                KeySource::None => return Err(JoseError::NotAKeySet),
            };
            Ok((rule.issuer.clone(), Trusted { rule: rule.clone(), keys }))
        };
        declared.iter().map(trusted).collect::<Result<_, _>>().map(Self)
    }

    /// Whether any of them is believed for this purpose.
    #[must_use]
    pub fn any_for(&self, purpose: Purpose) -> bool {
        self.0.values().any(|trusted| trusted.rule.purposes.contains(&purpose))
    }

    /// The one of this `iss`, compared as a string (RFC 7523 §3).
    #[must_use]
    pub fn find(&self, issuer: &str) -> Option<&Trusted> {
        self.0.get(issuer)
    }
}

impl Trusted {
    /// The claims of a JWT that it signed; where none of its published keys fits, with those that it has published
    /// since.
    ///
    /// # Errors
    /// [`JoseError`].
    pub async fn verify(
        &self,
        key_sets: &KeySets,
        outbound: &Outbound,
        compact: &str,
        kid: Option<&str>,
        alg: SigningAlg,
        now: NumericDate,
    ) -> Result<Map<String, Value>, JoseError> {
        let (uri, latest) = match &self.keys {
            Keys::Known(keys) => return keys.verify(compact, kid, alg),
            Keys::Published(uri, latest) => (uri, latest),
        };
        let jwks = key_sets.get(outbound, uri, now).await.ok_or(JoseError::NotAKeySet)?;
        match parsed(latest, &jwks)?.verify(compact, kid, alg) {
            Err(JoseError::UnknownKey) => {}
            // A set without names for its keys may have got others.
            Err(JoseError::BadSignature) if kid.is_none() => {}
            verdict => return verdict,
        }
        let newer = key_sets.newer(outbound, uri, &jwks, now).await.ok_or(JoseError::UnknownKey)?;
        parsed(latest, &newer)?.verify(compact, kid, alg)
    }
}

/// The keys in `jwks`, parsed once for each set that was published.
fn parsed(
    latest: &ArcSwapOption<(Arc<Value>, Arc<ClientKeys>)>,
    jwks: &Arc<Value>,
) -> Result<Arc<ClientKeys>, JoseError> {
    if let Some(latest) = latest.load().as_deref()
        && Arc::ptr_eq(&latest.0, jwks)
    {
        return Ok(Arc::clone(&latest.1));
    }
    let keys = Arc::new(ClientKeys::parse(jwks)?);
    latest.store(Some(Arc::new((Arc::clone(jwks), Arc::clone(&keys)))));
    Ok(keys)
}

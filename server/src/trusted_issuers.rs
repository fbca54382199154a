//! Those whose JWTs are believed, each for its purposes, and the keys that they sign with.

use std::collections::BTreeMap;

use protocol::client::KeySource;
use protocol::trusted_issuer::{Purpose, TrustedIssuer};
use serde_json::Value;

use crate::issuer_keys::IssuerKeys;
use crate::jose::JoseError;

/// All of them, by `iss`.
#[derive(Default)]
pub struct TrustedIssuers(BTreeMap<String, Trusted>);

/// One of them.
pub struct Trusted {
    /// How far it is believed.
    pub rule: TrustedIssuer,
    /// Its keys.
    pub keys: IssuerKeys,
}

impl TrustedIssuers {
    /// These.
    ///
    /// # Errors
    /// [`JoseError`] for keys that cannot be read.
    pub fn new(declared: &[(TrustedIssuer, KeySource)]) -> Result<Self, JoseError> {
        let trusted = |(rule, source): &(TrustedIssuer, KeySource)| {
            // Who speaks for people says in the configuration where its keys are, and never by itself.
            if *source == KeySource::None {
                return Err(JoseError::NotAKeySet);
            }
            let keys = IssuerKeys::new(&rule.issuer, source, Value::clone)?;
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

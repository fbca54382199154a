//! The keys in force: a ring that everybody signs with, and that is changed for another one while they do.

use std::sync::Arc;

use arc_swap::ArcSwap;
use protocol::client::SigningAlg;
use protocol::key_rotation::KeyFacts;
use serde_json::{Map, Value};

use super::{JoseError, KeyRing};

/// A ring, and what is known of its keys and of those that came before.
#[derive(Debug)]
pub struct Published {
    /// How often the stored ring had been changed when this one was read.
    pub version: i64,
    /// All keys, retired ones too.
    pub facts: Vec<KeyFacts>,
    /// Those that sign and verify.
    pub ring: KeyRing,
}

/// The ring in force.
#[derive(Debug)]
pub struct Keys(ArcSwap<Published>);

impl Keys {
    /// Begins with this ring.
    #[must_use]
    pub fn new(first: Published) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    /// Goes on with this ring.
    pub fn replace(&self, next: Published) {
        self.0.store(Arc::new(next));
    }

    /// The ring in force now.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        self.0.load_full()
    }

    /// Signs `claims` as a JWT with header `typ`, `alg` and `kid`, in compact serialization.
    pub fn sign(&self, alg: SigningAlg, typ: &str, claims: &Map<String, Value>) -> Result<String, JoseError> {
        self.0.load().ring.sign(alg, typ, claims)
    }

    /// The JWK Set of everything published.
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.0.load().ring.jwks().clone()
    }

    /// The algorithms with an active key, in the order discovery lists them.
    #[must_use]
    pub fn algs(&self) -> Vec<SigningAlg> {
        self.0.load().ring.algs().collect()
    }

    /// The claims of a JWT of exactly this `typ` that a key of the ring signed. Whether they still hold is not asked.
    pub fn verify_own(&self, compact: &str, typ: &str) -> Result<Map<String, Value>, JoseError> {
        self.0.load().ring.verify_own(compact, typ)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::SigningKey;

    #[test]
    fn what_a_ring_signed_verifies_under_the_next_one_as_long_as_its_key_is_there() {
        let key = || SigningKey::generate(SigningAlg::Es256).unwrap();
        let publish = |version, active: &SigningKey, others: &[SigningKey]| Published {
            version,
            facts: Vec::new(),
            ring: KeyRing::new(vec![active.clone()], others).unwrap(),
        };
        let (first, second) = (key(), key());
        let keys = Keys::new(publish(1, &first, &[]));
        let jwt = keys.sign(SigningAlg::Es256, "JWT", &Map::new()).unwrap();
        keys.replace(publish(2, &second, std::slice::from_ref(&first)));
        assert_eq!(keys.verify_own(&jwt, "JWT"), Ok(Map::new()));
        assert_eq!((keys.published().version, keys.algs()), (2, vec![SigningAlg::Es256]));
        keys.replace(publish(3, &second, &[]));
        assert_eq!(keys.verify_own(&jwt, "JWT"), Err(JoseError::UnknownKey));
        assert_eq!(keys.jwks()["keys"].as_array().unwrap().len(), 1);
    }
}

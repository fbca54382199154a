//! Signing keys as the database keeps them: the private part sealed, for this key and algorithm and no other.

use protocol::client::SigningAlg;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::at_rest::{AtRest, NotOpened, Place};
use super::{JoseError, SigningKey, SigningKeyDocument};
use crate::secret::Entropy;

/// Why a stored key is of no use.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyNotOpened {
    /// Its seal.
    #[error(transparent)]
    Sealed(#[from] NotOpened),
    /// What is under the seal.
    #[error(transparent)]
    Key(#[from] JoseError),
}

#[derive(Deserialize)]
struct Sealed {
    kid: String,
    alg: SigningAlg,
    sealed: String,
}

/// What is sealed belongs to this key.
fn place<'a>(of: &'a [&'a str]) -> Place<'a> {
    Place { kind: "signing_key", of }
}

impl SigningKey {
    /// The key as it is kept, its private part sealed.
    pub fn seal(&self, at_rest: &AtRest, entropy: &dyn Entropy) -> Result<Value, JoseError> {
        let pkcs8 = self.to_pkcs8()?;
        let of = [self.kid(), self.alg().as_str()];
        let sealed = at_rest.seal(place(&of), &pkcs8, entropy)?;
        Ok(json!({ "kid": self.kid(), "alg": self.alg().as_str(), "sealed": sealed }))
    }

    /// The key that was kept as `document`, sealed or, from before there were seals, as it is.
    ///
    /// # Errors
    /// [`KeyNotOpened`].
    pub fn open(document: &Value, at_rest: &AtRest) -> Result<Self, KeyNotOpened> {
        let unfit = |_| JoseError::NotASigningKey;
        if document.get("sealed").is_none() {
            let bare: SigningKeyDocument = Deserialize::deserialize(document).map_err(unfit)?;
            return Ok(Self::from_document(&bare)?);
        }
        let Sealed { kid, alg, sealed } = Deserialize::deserialize(document).map_err(unfit)?;
        let of = [kid.as_str(), alg.as_str()];
        let pkcs8: Zeroizing<Vec<u8>> = at_rest.open(place(&of), &sealed)?;
        Ok(Self::from_pkcs8(alg, &kid, &pkcs8)?)
    }
}

/// Whether the key in `document` is sealed as it would be now.
#[must_use]
pub fn is_sealed_as_now(document: &Value, at_rest: &AtRest) -> bool {
    document.get("sealed").and_then(Value::as_str).is_some_and(|sealed| at_rest.is_current(sealed))
}

/// What is left of a key that is retired.
#[must_use]
pub fn without_private_part(kid: &str, alg: SigningAlg) -> Value {
    json!({ "kid": kid, "alg": alg.as_str() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    #[test]
    fn a_key_comes_back_from_its_seal_the_same_and_from_no_other_place() {
        let at_rest = AtRest::new(Some(&[1; 32]), &[]).unwrap();
        for alg in SigningAlg::ALL {
            let key = SigningKey::generate(alg).unwrap();
            let document = key.seal(&at_rest, &SystemEntropy).unwrap();
            assert_eq!(SigningKey::open(&document, &at_rest).unwrap().public_jwk(), key.public_jwk());
            assert!(is_sealed_as_now(&document, &at_rest));
            assert!(document.get("pkcs8").is_none());
            let mut moved = document.clone();
            moved["kid"] = SigningKey::generate(alg).unwrap().kid().into();
            assert_eq!(SigningKey::open(&moved, &at_rest).unwrap_err(), NotOpened::Corrupt.into());
        }
    }

    #[test]
    fn a_key_from_before_there_were_seals_opens_and_is_to_be_sealed() {
        let key = SigningKey::generate(SigningAlg::Es256).unwrap();
        let bare = serde_json::to_value(key.to_document().unwrap()).unwrap();
        for at_rest in [AtRest::new(Some(&[1; 32]), &[]).unwrap(), AtRest::new(None, &[]).unwrap()] {
            assert_eq!(SigningKey::open(&bare, &at_rest).unwrap().kid(), key.kid());
            assert!(!is_sealed_as_now(&bare, &at_rest));
            assert!(is_sealed_as_now(&key.seal(&at_rest, &SystemEntropy).unwrap(), &at_rest));
        }
    }

    #[test]
    fn what_is_left_of_a_retired_key_opens_nothing() {
        let left = without_private_part("kid", SigningAlg::Es256);
        let at_rest = AtRest::new(None, &[]).unwrap();
        assert_eq!(SigningKey::open(&left, &at_rest).unwrap_err(), JoseError::NotASigningKey.into());
    }
}

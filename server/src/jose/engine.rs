//! aws-lc-rs behind josekit's traits: josekit lays tokens out and takes them apart, these two compute.

use josekit::jws::{self, JwsAlgorithm, JwsSigner, JwsVerifier};
use protocol::client::SigningAlg;

use super::{JoseError, SigningKey, VerifyingKey};

/// josekit's word for one of our algorithms.
fn algorithm(alg: SigningAlg) -> &'static dyn JwsAlgorithm {
    match alg {
        SigningAlg::Es256 => &jws::ES256,
        SigningAlg::EdDsa => &jws::EdDSA,
        SigningAlg::Ps256 => &jws::PS256,
        SigningAlg::Rs256 => &jws::RS256,
    }
}

/// Our reason, packed so that it passes through josekit.
pub(super) fn packed(reason: JoseError) -> josekit::JoseError {
    josekit::JoseError::InvalidSignature(reason.into())
}

/// Our reason again, or that josekit found no JWS at all.
pub(super) fn unpacked(error: josekit::JoseError) -> JoseError {
    match error {
        josekit::JoseError::InvalidSignature(inner) => inner.downcast().unwrap_or(JoseError::Engine),
        _ => JoseError::NotCompact,
    }
}

impl JwsSigner for SigningKey {
    fn algorithm(&self) -> &dyn JwsAlgorithm {
        algorithm(self.alg())
    }

    fn key_id(&self) -> Option<&str> {
        Some(self.kid())
    }

    fn signature_len(&self) -> usize {
        self.signature_length()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, josekit::JoseError> {
        self.signature(message).map_err(packed)
    }

    fn box_clone(&self) -> Box<dyn JwsSigner> {
        Box::new(self.clone())
    }
}

impl JwsVerifier for VerifyingKey {
    fn algorithm(&self) -> &dyn JwsAlgorithm {
        algorithm(self.alg())
    }

    /// None: which key belongs to which `kid` is decided where keys are chosen.
    fn key_id(&self) -> Option<&str> {
        None
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), josekit::JoseError> {
        self.check_signature(message, signature).map_err(packed)
    }

    fn box_clone(&self) -> Box<dyn JwsVerifier> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn josekit_and_the_protocol_name_algorithms_alike() {
        for alg in SigningAlg::ALL {
            assert_eq!(algorithm(alg).name(), alg.as_str());
        }
    }

    #[test]
    fn a_reason_survives_the_way_through_josekit() {
        assert_eq!(unpacked(packed(JoseError::UnknownKey)), JoseError::UnknownKey);
    }
}

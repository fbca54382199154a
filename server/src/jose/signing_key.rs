//! The server's own keys: made here, kept as PKCS#8, published as JWKs without a private member.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::client::SigningAlg;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{JoseError, VerifyingKey};
use crate::secret::SecretDigest;

/// A private key that signs with one algorithm, ready for use. Clones share the one key.
#[derive(Clone)]
pub struct SigningKey(Arc<Parts>);

struct Parts {
    alg: SigningAlg,
    pair: Pair,
    kid: String,
    public_jwk: Map<String, Value>,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

/// A signing key as the database kept it before there were seals.
#[derive(Serialize, Deserialize)]
pub struct SigningKeyDocument {
    /// `kid` of what it signs.
    pub kid: String,
    /// The algorithm it signs with.
    pub alg: SigningAlg,
    /// The private key: PKCS#8 (RFC 5958) in DER, base64url.
    #[serde(serialize_with = "write_secret", deserialize_with = "read_secret")]
    pkcs8: Zeroizing<String>,
}

impl SigningKey {
    /// A new key for `alg`; RSA keys have 2048 bits.
    pub fn generate(alg: SigningAlg) -> Result<Self, JoseError> {
        let rsa = || RsaKeyPair::generate(KeySize::Rsa2048);
        let pair = match alg {
            SigningAlg::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::P256),
            SigningAlg::EdDsa => Ed25519KeyPair::generate().map(Pair::Ed25519),
            SigningAlg::Ps256 => rsa().map(|pair| Pair::Rsa(pair, &RSA_PSS_SHA256)),
            SigningAlg::Rs256 => rsa().map(|pair| Pair::Rsa(pair, &RSA_PKCS1_SHA256)),
        };
        Ok(Self::of(alg, pair.map_err(|_| JoseError::Engine)?))
    }

    /// The key that a document describes.
    pub fn from_document(document: &SigningKeyDocument) -> Result<Self, JoseError> {
        let der = URL_SAFE_NO_PAD.decode(document.pkcs8.as_bytes()).map_err(|_| JoseError::NotASigningKey)?;
        Self::from_pkcs8(document.alg, &document.kid, &Zeroizing::new(der))
    }

    /// The key in this PKCS#8 document, if it is the one of this `kid`.
    pub(super) fn from_pkcs8(alg: SigningAlg, kid: &str, der: &[u8]) -> Result<Self, JoseError> {
        let key = Self::from_pkcs8_of_any_name(alg, der)?;
        if key.kid() == kid { Ok(key) } else { Err(JoseError::NotASigningKey) }
    }

    /// The key in this PKCS#8 document, whatever it is called.
    pub(super) fn from_pkcs8_of_any_name(alg: SigningAlg, der: &[u8]) -> Result<Self, JoseError> {
        let rsa = || RsaKeyPair::from_pkcs8(der);
        let pair = match alg {
            SigningAlg::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Pair::P256)
            }
            SigningAlg::EdDsa => Ed25519KeyPair::from_pkcs8(der).map(Pair::Ed25519),
            SigningAlg::Ps256 => rsa().map(|pair| Pair::Rsa(pair, &RSA_PSS_SHA256)),
            SigningAlg::Rs256 => rsa().map(|pair| Pair::Rsa(pair, &RSA_PKCS1_SHA256)),
        };
        Ok(Self::of(alg, pair.map_err(|_| JoseError::NotASigningKey)?))
    }

    /// The document that it was kept by before there were seals.
    pub fn to_document(&self) -> Result<SigningKeyDocument, JoseError> {
        let pkcs8 = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.to_pkcs8()?.as_slice()));
        Ok(SigningKeyDocument { kid: self.0.kid.clone(), alg: self.0.alg, pkcs8 })
    }

    /// The private key: PKCS#8 (RFC 5958) in DER.
    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, JoseError> {
        let bytes = |der: &[u8]| Zeroizing::new(der.to_vec());
        let pkcs8 = match &self.0.pair {
            Pair::P256(pair) => pair.to_pkcs8v1().map(|der| bytes(der.as_ref())),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map(|der| bytes(der.as_ref())),
            Pair::Rsa(pair, _) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|der| bytes(der.as_ref())),
        };
        pkcs8.map_err(|_| JoseError::Engine)
    }

    fn of(alg: SigningAlg, pair: Pair) -> Self {
        let mut public_jwk = public_members(&pair);
        let kid = thumbprint(&public_jwk);
        public_jwk.insert("kid".into(), kid.as_str().into());
        public_jwk.insert("use".into(), "sig".into());
        public_jwk.insert("alg".into(), alg.as_str().into());
        Self(Arc::new(Parts { alg, pair, kid, public_jwk }))
    }

    /// The one algorithm it signs with.
    #[must_use]
    pub fn alg(&self) -> SigningAlg {
        self.0.alg
    }

    /// Its `kid`: the thumbprint of its public key (RFC 7638).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.0.kid
    }

    /// Its public key with `kid`, `use` and `alg` (RFC 7517 §4).
    #[must_use]
    pub fn public_jwk(&self) -> &Map<String, Value> {
        &self.0.public_jwk
    }

    /// The key that verifies what it signs.
    pub fn verifying_key(&self) -> Result<VerifyingKey, JoseError> {
        VerifyingKey::from_jwk(self.public_jwk(), self.alg())
    }

    /// How many bytes a signature has.
    pub(super) fn signature_length(&self) -> usize {
        match &self.0.pair {
            Pair::P256(_) | Pair::Ed25519(_) => 64,
            Pair::Rsa(pair, _) => pair.public_modulus_len(),
        }
    }

    /// Signs `message`.
    #[expect(clippy::disallowed_methods, reason = "signatures draw their own chance inside the library")]
    pub(super) fn signature(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        let signature = match &self.0.pair {
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), message).map(|s| s.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair.try_sign(message).map(|s| s.as_ref().to_vec()),
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature).map(|()| signature)
            }
        };
        signature.map_err(|_| JoseError::Engine)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("alg", &self.0.alg)
            .field("kid", &self.0.kid)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SigningKeyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeyDocument")
            .field("kid", &self.kid)
            .field("alg", &self.alg)
            .finish_non_exhaustive()
    }
}

fn write_secret<S: Serializer>(text: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn read_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

/// The members that make the public key (RFC 7518 §6.2.1, §6.3.1, RFC 8037 §2), in the order of their names.
fn public_members(pair: &Pair) -> Map<String, Value> {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let members = match pair {
        Pair::P256(pair) => {
            // Uncompressed (SEC 1 §2.3.3): 4, x, y.
            let (x, y) = pair
                .public_key()
                .as_ref()
                .get(1..)
                .unwrap_or_default()
                .split_at_checked(32)
                .unwrap_or_default();
            json!({"crv": "P-256", "kty": "EC", "x": text(x), "y": text(y)})
        }
        Pair::Ed25519(pair) => {
            json!({"crv": "Ed25519", "kty": "OKP", "x": text(pair.public_key().as_ref())})
        }
        Pair::Rsa(pair, _) => {
            let e = text(pair.public_key().exponent().big_endian_without_leading_zero());
            let n = text(pair.public_key().modulus().big_endian_without_leading_zero());
            json!({"e": e, "kty": "RSA", "n": n})
        }
    };
    match members {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// SHA-256 of the public members as JSON in the order of their names, base64url (RFC 7638 §3).
fn thumbprint(public_members: &Map<String, Value>) -> String {
    let members: Vec<String> =
        public_members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    SecretDigest::of(&format!("{{{}}}", members.join(","))).to_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kid_is_the_thumbprint_of_rfc_7638() {
        for alg in SigningAlg::ALL {
            let key = SigningKey::generate(alg).unwrap();
            let jwk: jsonwebtoken::jwk::Jwk =
                serde_json::from_value(Value::Object(key.public_jwk().clone())).unwrap();
            assert_eq!(key.kid(), jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap());
        }
    }

    #[test]
    fn the_thumbprint_example_of_rfc_8037_a_3_comes_out() {
        let key = json!({"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        assert_eq!(thumbprint(key.as_object().unwrap()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_public_jwk_has_only_public_members() {
        for alg in SigningAlg::ALL {
            let key = SigningKey::generate(alg).unwrap();
            let names: Vec<&str> = key.public_jwk().keys().map(String::as_str).collect();
            let expected: &[&str] = match alg {
                SigningAlg::Es256 => &["crv", "kty", "x", "y", "kid", "use", "alg"],
                SigningAlg::EdDsa => &["crv", "kty", "x", "kid", "use", "alg"],
                SigningAlg::Ps256 | SigningAlg::Rs256 => &["e", "kty", "n", "kid", "use", "alg"],
            };
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn a_key_comes_back_from_its_document_the_same() {
        for alg in SigningAlg::ALL {
            let key = SigningKey::generate(alg).unwrap();
            let stored = serde_json::to_string(&key.to_document().unwrap()).unwrap();
            let back = SigningKey::from_document(&serde_json::from_str(&stored).unwrap()).unwrap();
            assert_eq!(back.public_jwk(), key.public_jwk());
            let signature = back.signature(b"message").unwrap();
            assert_eq!(signature.len(), key.signature_length());
            assert_eq!(key.verifying_key().unwrap().check_signature(b"message", &signature), Ok(()));
        }
    }

    #[test]
    fn a_document_that_lies_about_its_key_is_refused() {
        let document = |alg| SigningKey::generate(alg).unwrap().to_document().unwrap();
        let mut other_alg = document(SigningAlg::Es256);
        other_alg.alg = SigningAlg::EdDsa;
        let mut other_kid = document(SigningAlg::Es256);
        other_kid.kid = document(SigningAlg::Es256).kid;
        let mut not_der = document(SigningAlg::Rs256);
        not_der.pkcs8 = Zeroizing::new("AAAA".into());
        for document in [other_alg, other_kid, not_der] {
            assert_eq!(SigningKey::from_document(&document).unwrap_err(), JoseError::NotASigningKey);
        }
    }

    #[test]
    fn neither_a_key_nor_its_document_prints_the_private_part() {
        let key = SigningKey::generate(SigningAlg::Es256).unwrap();
        let document = key.to_document().unwrap();
        let printed = format!("{key:?} {document:?}");
        assert!(printed.contains(key.kid()));
        assert!(!printed.contains(document.pkcs8.as_str()) && !printed.contains("pkcs8"), "{printed}");
    }
}

//! Keys of clients, and JWTs made by hand, so that they can be wrong in every way.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use server::secret::{Entropy as _, SystemEntropy};

/// A P-256 key that signs with ES256.
pub struct Key {
    pair: EcdsaKeyPair,
    /// The public key as JWK.
    pub jwk: Value,
}

impl Key {
    /// A new key.
    #[must_use]
    pub fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": coordinate(&point[1..33]), "y": coordinate(&point[33..]) });
        Self { pair, jwk }
    }

    /// The private key as JWK, for a client that is not of this process.
    #[must_use]
    pub fn private_jwk(&self) -> Value {
        let secret: EcPrivateKeyBin<'_> = self.pair.private_key().as_be_bytes().unwrap();
        let mut jwk = self.jwk.clone();
        jwk["d"] = URL_SAFE_NO_PAD.encode(secret.as_ref()).into();
        jwk["alg"] = "ES256".into();
        jwk["kid"] = self.thumbprint().into();
        jwk
    }

    /// The thumbprint (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let (x, y) = (self.jwk["x"].as_str().unwrap(), self.jwk["y"].as_str().unwrap());
        s256(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#))
    }

    /// The JWK Set as a TOML value.
    #[must_use]
    pub fn jwks_toml(&self) -> String {
        let member = |name: &str| self.jwk[name].as_str().unwrap().to_owned();
        format!(
            "{{ keys = [{{ kty = \"EC\", crv = \"P-256\", use = \"sig\", x = \"{}\", y = \"{}\" }}] }}",
            member("x"),
            member("y")
        )
    }

    /// A signed JWT with this header and these claims, whatever they say.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "a client has its own generator")]
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

/// A random text of 43 characters.
#[must_use]
pub fn random() -> String {
    let mut bytes = [0; 32];
    SystemEntropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The base64url of the SHA-256: of a verifier its challenge, of a token its `ath`.
#[must_use]
pub fn s256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

fn part(jwt: &str, index: usize) -> Map<String, Value> {
    let part = jwt.split('.').nth(index).unwrap_or_else(|| panic!("not a JWT: {jwt}"));
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The header of a JWT, unverified.
#[must_use]
pub fn unverified_header(jwt: &str) -> Value {
    part(jwt, 0).into()
}

/// The claims of a JWT, unverified.
#[must_use]
pub fn unverified_claims(jwt: &str) -> Value {
    part(jwt, 1).into()
}

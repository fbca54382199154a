//! JWTs as a guest needs them: well-formed ones, and such as no library would make.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, anyhow, bail};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::EcCurve;
use josekit::jws::{ES256, EdDSA, JwsSigner, JwsVerifier, PS256, RS256};
use serde_json::{Map, Value, json};

/// A private key with the algorithm it signs with.
#[derive(Clone, Debug)]
pub struct Key {
    jwk: Jwk,
    public: Map<String, Value>,
    /// `alg`.
    pub alg: &'static str,
}

impl Key {
    /// A new P-256 key.
    ///
    /// # Errors
    /// The library's.
    pub fn generate() -> Result<Self> {
        Self::new(Jwk::generate_ec_key(EcCurve::P256)?)
    }

    /// A private JWK: EC with P-256, or OKP with Ed25519.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn read(jwk: Map<String, Value>) -> Result<Self> {
        Self::new(Jwk::from_map(jwk)?)
    }

    fn new(jwk: Jwk) -> Result<Self> {
        let alg = match jwk.key_type() {
            "EC" => "ES256",
            "OKP" => "EdDSA",
            other => bail!("a key of type {other} is not for this suite; use EC or OKP"),
        };
        let whole: &Map<String, Value> = jwk.as_ref();
        let public = ["kty", "crv", "x", "y"]
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), whole.get(*name)?.clone())))
            .collect();
        Ok(Self { jwk, public, alg })
    }

    /// The public key as it stands in a proof's header.
    #[must_use]
    pub fn public(&self) -> Value {
        Value::Object(self.public.clone())
    }

    /// The whole key, which nobody should ever send.
    #[must_use]
    pub fn private(&self) -> Value {
        let whole: &Map<String, Value> = self.jwk.as_ref();
        Value::Object(whole.clone())
    }

    /// `kid`, where it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.jwk.key_id()
    }

    /// Its thumbprint (RFC 7638 §3). The members of a map stand in the order of the alphabet, as it is wanted there.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let members: Map<String, Value> = self.public.clone();
        let mut names: Vec<&String> = members.keys().collect();
        names.sort();
        let inner: Vec<String> = names.iter().map(|name| format!("\"{name}\":{}", members[*name])).collect();
        sha256(&format!("{{{}}}", inner.join(",")))
    }

    /// A compact JWS of exactly this header and payload.
    ///
    /// # Errors
    /// The library's.
    pub fn sign(&self, header: &Value, payload: &Value) -> Result<String> {
        let input = format!("{}.{}", encode(&header.to_string()), encode(&payload.to_string()));
        let signer: Box<dyn JwsSigner> = match self.alg {
            "ES256" => Box::new(ES256.signer_from_jwk(&self.jwk)?),
            _ => Box::new(EdDSA.signer_from_jwk(&self.jwk)?),
        };
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signer.sign(input.as_bytes())?)))
    }
}

/// An unsecured JWT.
#[must_use]
pub fn unsigned(header: &Value, payload: &Value) -> String {
    format!("{}.{}.", encode(&header.to_string()), encode(&payload.to_string()))
}

/// A JWT "signed" by HMAC with any key.
#[must_use]
pub fn hmac(header: &Value, payload: &Value, key: &[u8]) -> String {
    let input = format!("{}.{}", encode(&header.to_string()), encode(&payload.to_string()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key);
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, input.as_bytes())))
}

/// The same JWT with one bit of its signature changed.
#[must_use]
pub fn tampered(jwt: &str) -> String {
    let (rest, signature) = jwt.rsplit_once('.').unwrap_or((jwt, ""));
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    if let Some(byte) = bytes.get_mut(3) {
        *byte ^= 1;
    }
    format!("{rest}.{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn part(jwt: &str, index: usize) -> Result<Value> {
    let part = jwt.split('.').nth(index).ok_or_else(|| anyhow!("not a JWT"))?;
    let bytes = URL_SAFE_NO_PAD.decode(part).context("a part of the JWT is not base64url")?;
    serde_json::from_slice(&bytes).context("a part of the JWT is not JSON")
}

/// Whether it has the form of a JWT.
#[must_use]
pub fn is_jwt(text: &str) -> bool {
    text.split('.').count() == 3 && part(text, 0).is_ok()
}

/// The header of a JWT, believed unseen.
///
/// # Errors
/// Where there is none.
pub fn header(jwt: &str) -> Result<Value> {
    part(jwt, 0)
}

/// The payload of a JWT, believed unseen.
///
/// # Errors
/// Where there is none.
pub fn payload(jwt: &str) -> Result<Value> {
    part(jwt, 1)
}

/// Verifies a JWT with the key of a JWK Set that its `kid` names.
///
/// # Errors
/// Where there is no such key, the algorithm is not one of ours, or the signature is wrong.
pub fn verify(jwt: &str, jwks: &Value) -> Result<()> {
    let header = header(jwt)?;
    let keys = jwks["keys"].as_array().cloned().unwrap_or_default();
    let kid = header["kid"].as_str().ok_or_else(|| anyhow!("the header has no kid"))?;
    let key = keys.iter().find(|key| key["kid"] == kid).ok_or_else(|| anyhow!("no key has the kid {kid}"))?;
    let jwk = Jwk::from_map(key.as_object().cloned().unwrap_or_default())?;
    let verifier: Box<dyn JwsVerifier> = match header["alg"].as_str() {
        Some("ES256") => Box::new(ES256.verifier_from_jwk(&jwk)?),
        Some("EdDSA") => Box::new(EdDSA.verifier_from_jwk(&jwk)?),
        Some("PS256") => Box::new(PS256.verifier_from_jwk(&jwk)?),
        Some("RS256") => Box::new(RS256.verifier_from_jwk(&jwk)?),
        other => bail!("the alg {other:?} is none that this suite knows"),
    };
    let (input, signature) = jwt.rsplit_once('.').ok_or_else(|| anyhow!("not a JWT"))?;
    let signature = URL_SAFE_NO_PAD.decode(signature)?;
    verifier.verify(input.as_bytes(), &signature).context("the signature is wrong")
}

/// The base64url SHA-256 of a text: challenges, `ath`, thumbprints.
#[must_use]
pub fn sha256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

/// The base64url left half of a SHA-256 (OpenID Connect Core §3.1.3.6).
#[must_use]
pub fn half_sha256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&digest::digest(&digest::SHA256, text.as_bytes()).as_ref()[..16])
}

/// A value that was never used before: 43 characters, fit for a `jti`, a `state` and a `code_verifier`.
#[must_use]
pub fn fresh() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut seed = [0_u8; 32];
    if aws_lc_rs::rand::fill(&mut seed).is_err() {
        // Unique at least, within this run.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        return sha256(&format!("{count} {:?}", std::time::SystemTime::now()));
    }
    URL_SAFE_NO_PAD.encode(seed)
}

/// The claims of a DPoP proof (RFC 9449 §4.2).
#[must_use]
pub fn proof_claims(method: &str, url: &str, now: i64) -> Value {
    json!({ "jti": fresh(), "htm": method, "htu": url, "iat": now })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_verifies_and_what_is_tampered_with_does_not() {
        let key = Key::generate().unwrap();
        let mut public = key.public();
        public["kid"] = "a".into();
        let jwks = json!({ "keys": [public] });
        let jwt = key.sign(&json!({ "alg": "ES256", "kid": "a" }), &json!({ "sub": "x" })).unwrap();
        assert!(verify(&jwt, &jwks).is_ok());
        assert!(verify(&tampered(&jwt), &jwks).is_err());
        assert_eq!(payload(&jwt).unwrap()["sub"], "x");
    }

    #[test]
    fn a_thumbprint_is_that_of_rfc_7638() {
        // The Ed25519 key of RFC 8037 appendix A.3.
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519",
            "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let key = Key::read(jwk.as_object().unwrap().clone()).unwrap();
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}

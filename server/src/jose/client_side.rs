//! What a client of ours signs, where we are one: assertions (RFC 7523 §2.2) and proofs of a key (RFC 9449 §4.2).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use protocol::client::SigningAlg;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{JoseError, SigningKey};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A JWT of these claims. With `embedded`, its header shows the public key, as a proof does; without, nothing names it.
///
/// # Errors
/// [`JoseError::Engine`].
pub fn sign_as_client(
    key: &SigningKey,
    typ: &str,
    embedded: bool,
    claims: &Map<String, Value>,
) -> Result<String, JoseError> {
    let mut header = Map::new();
    header.insert("typ".into(), typ.into());
    header.insert("alg".into(), key.alg().as_str().into());
    if embedded {
        header.insert("jwk".into(), Value::Object(public_members(key)));
    }
    let part = |object: &Map<String, Value>| {
        let text = serde_json::to_string(object).map_err(|_| JoseError::Engine)?;
        Ok::<_, JoseError>(URL_SAFE_NO_PAD.encode(text))
    };
    let input = format!("{}.{}", part(&header)?, part(claims)?);
    let signature = key.signature(input.as_bytes())?;
    Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The members that make the public key (RFC 7638 §3.2), and no others.
#[must_use]
pub fn public_members(key: &SigningKey) -> Map<String, Value> {
    let members = ["kty", "crv", "x", "y", "e", "n"];
    let known = |(name, _): &(&String, &Value)| members.contains(&name.as_str());
    key.public_jwk().iter().filter(known).map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl SigningKey {
    /// The private key of a PEM document (PKCS#8, RFC 5958), as `openssl genpkey` writes it: P-256, Ed25519, or RSA
    /// for PS256.
    ///
    /// # Errors
    /// [`JoseError::NotASigningKey`].
    pub fn from_pem(pem: &str) -> Result<Self, JoseError> {
        let inner = pem.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map(|(inner, _)| inner);
        let inner = inner.ok_or(JoseError::NotASigningKey)?;
        let text = Zeroizing::new(inner.split_whitespace().collect::<String>());
        let der = Zeroizing::new(STANDARD.decode(text.as_bytes()).map_err(|_| JoseError::NotASigningKey)?);
        [SigningAlg::Es256, SigningAlg::EdDsa, SigningAlg::Ps256]
            .into_iter()
            .find_map(|alg| Self::from_pkcs8_of_any_name(alg, &der).ok())
            .ok_or(JoseError::NotASigningKey)
    }

    /// The same, written.
    ///
    /// # Errors
    /// [`JoseError::Engine`].
    pub fn to_pem(&self) -> Result<Zeroizing<String>, JoseError> {
        let text = Zeroizing::new(STANDARD.encode(self.to_pkcs8()?.as_slice()));
        let mut pem = Zeroizing::new(format!("{BEGIN}\n"));
        for line in text.as_bytes().chunks(64) {
            pem.push_str(std::str::from_utf8(line).map_err(|_| JoseError::Engine)?);
            pem.push('\n');
        }
        pem.push_str(END);
        pem.push('\n');
        Ok(pem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::verify_dpop;

    #[test]
    fn a_key_is_read_as_it_was_written_and_nothing_else_is_one() {
        for alg in [SigningAlg::Es256, SigningAlg::EdDsa] {
            let key = SigningKey::generate(alg).unwrap();
            let read = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
            assert_eq!((read.alg(), read.kid()), (alg, key.kid()));
        }
        for text in ["", BEGIN, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"] {
            assert!(SigningKey::from_pem(text).is_err(), "{text}");
        }
    }

    /// The key of RFC 8037 Appendix A.1, as openssl writes it.
    #[test]
    fn what_openssl_writes_is_read() {
        let ed25519 = "-----BEGIN PRIVATE KEY-----\n\
                       MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                       -----END PRIVATE KEY-----\n";
        let key = SigningKey::from_pem(ed25519).unwrap();
        assert_eq!(key.public_jwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    }

    #[test]
    fn a_proof_shows_the_key_that_verifies_it_and_no_part_of_the_private_one() {
        let key = SigningKey::generate(SigningAlg::Es256).unwrap();
        let claims = Map::from_iter([("jti".to_owned(), Value::from("1"))]);
        let proof = sign_as_client(&key, "dpop+jwt", true, &claims).unwrap();
        let read = verify_dpop(&proof).unwrap();
        assert_eq!(read.claims, claims);
        let jwk = read.header["jwk"].as_object().unwrap();
        assert_eq!(jwk.keys().collect::<Vec<_>>(), ["crv", "kty", "x", "y"]);
    }
}

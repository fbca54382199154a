//! The public keys a client registered (RFC 7591 §2, `jwks`), parsed once.

use std::fmt;
use std::sync::Arc;

use moka::sync::Cache;
use protocol::client::{ContentEncryptionAlg, KeyManagementAlg, SigningAlg};
use protocol::identifier::ClientId;
use serde_json::{Map, Value};

use super::{EncryptionKey, JoseError, VerifyingKey, verify};

/// The most keys of one JWK Set.
pub const MOST_KEYS: usize = 10;

/// The public keys of one client: those that verify what it signed, and those that encrypt to it.
#[derive(Debug)]
pub struct ClientKeys(Vec<ClientKey>, Vec<EncryptionKey>);

#[derive(Debug)]
struct ClientKey {
    kid: Option<String>,
    key: VerifyingKey,
}

impl ClientKeys {
    /// Parses a JWK Set. Keys that are not understood are passed over (RFC 7517 §5); a private key is not: whoever sent
    /// it has given it away.
    pub fn parse(jwks: &Value) -> Result<Self, JoseError> {
        let keys = jwks.get("keys").and_then(Value::as_array).ok_or(JoseError::NotAKeySet)?;
        if keys.len() > MOST_KEYS {
            return Err(JoseError::NotAKeySet);
        }
        let (mut parsed, mut encrypting) = (Vec::new(), Vec::new());
        for jwk in keys {
            let jwk = jwk.as_object().ok_or(JoseError::NotAKeySet)?;
            for alg in SigningAlg::ALL {
                match VerifyingKey::from_jwk(jwk, alg) {
                    Ok(key) => {
                        parsed.push(ClientKey {
                            kid: jwk.get("kid").and_then(Value::as_str).map(Into::into),
                            key,
                        });
                    }
                    Err(JoseError::PrivateMember) => return Err(JoseError::PrivateMember),
                    Err(_) => {}
                }
            }
            let fit = |alg| EncryptionKey::from_jwk(jwk, alg).ok();
            encrypting.extend(KeyManagementAlg::ALL.into_iter().filter_map(fit));
        }
        Ok(Self(parsed, encrypting))
    }

    /// Whether there is no key to verify anything with.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Encrypts a signed JWT to the first key that fits `alg` (RFC 7516, RFC 7519 §5.2): what only this client can read.
    ///
    /// # Errors
    /// [`JoseError::NoEncryptionKey`] where the client has none.
    pub fn encrypt(
        &self,
        jwt: &str,
        alg: KeyManagementAlg,
        enc: ContentEncryptionAlg,
    ) -> Result<String, JoseError> {
        let key = self.1.iter().find(|key| key.alg() == alg).ok_or(JoseError::NoEncryptionKey)?;
        key.encrypt(jwt, enc)
    }

    /// Encrypts claims that are not signed to the first key that fits `alg`.
    ///
    /// # Errors
    /// [`JoseError::NoEncryptionKey`] where the client has none.
    pub fn encrypt_claims(
        &self,
        claims: &Map<String, Value>,
        alg: KeyManagementAlg,
        enc: ContentEncryptionAlg,
    ) -> Result<String, JoseError> {
        let key = self.1.iter().find(|key| key.alg() == alg).ok_or(JoseError::NoEncryptionKey)?;
        key.encrypt_claims(claims, enc)
    }

    /// The keys that may have signed a JWT with this `kid` and `alg`. A key registered without `kid` may always have.
    pub fn select(&self, kid: Option<&str>, alg: SigningAlg) -> impl Iterator<Item = &VerifyingKey> {
        self.0
            .iter()
            .filter(move |k| k.key.alg() == alg)
            .filter(move |k| kid.is_none() || k.kid.is_none() || k.kid.as_deref() == kid)
            .map(|k| &k.key)
    }

    /// The claims of a JWT that one of the selected keys signed.
    pub fn verify(
        &self,
        compact: &str,
        kid: Option<&str>,
        alg: SigningAlg,
    ) -> Result<Map<String, Value>, JoseError> {
        let mut verdict = Err(JoseError::UnknownKey);
        for key in self.select(kid, alg) {
            verdict = verify(compact, alg, key);
            if verdict != Err(JoseError::BadSignature) {
                break;
            }
        }
        verdict
    }
}

/// The parsed keys of the clients seen last.
pub struct ClientKeyCache(Cache<ClientId, Arc<Entry>>);

struct Entry {
    /// What was parsed: a client that registers other keys is never verified with the former ones.
    jwks: Value,
    keys: Arc<ClientKeys>,
}

impl ClientKeyCache {
    /// A cache for `most` clients.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self(Cache::new(most))
    }

    /// The keys in `jwks`, which `client` has registered.
    pub fn keys(&self, client: &ClientId, jwks: &Value) -> Result<Arc<ClientKeys>, JoseError> {
        if let Some(entry) = self.0.get(client)
            && entry.jwks == *jwks
        {
            return Ok(Arc::clone(&entry.keys));
        }
        let keys = Arc::new(ClientKeys::parse(jwks)?);
        let entry = Entry { jwks: jwks.clone(), keys: Arc::clone(&keys) };
        self.0.insert(client.clone(), Arc::new(entry));
        Ok(keys)
    }
}

impl fmt::Debug for ClientKeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientKeyCache(…)")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::jose::{KeyRing, SigningKey, claims_set};

    fn jwk(alg: SigningAlg) -> Map<String, Value> {
        SigningKey::generate(alg).unwrap().public_jwk().clone()
    }

    fn with(mut jwk: Map<String, Value>, name: &str, value: &str) -> Map<String, Value> {
        jwk.insert(name.into(), value.into());
        jwk
    }

    #[test]
    fn keys_for_encryption_other_algorithms_and_unknown_types_are_passed_over() {
        let jwks = json!({"keys": [
            with(jwk(SigningAlg::Es256), "use", "enc"),
            with(jwk(SigningAlg::Es256), "alg", "ECDH-ES"),
            {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
            with(jwk(SigningAlg::Es256), "kid", "one"),
            with(jwk(SigningAlg::EdDsa), "kid", "two"),
        ]});
        let keys = ClientKeys::parse(&jwks).unwrap();
        assert_eq!(keys.select(None, SigningAlg::Es256).count(), 1);
        assert_eq!(keys.select(Some("one"), SigningAlg::Es256).count(), 1);
        assert_eq!(keys.select(Some("two"), SigningAlg::Es256).count(), 0);
        assert_eq!(keys.select(Some("two"), SigningAlg::EdDsa).count(), 1);
        assert_eq!(keys.select(None, SigningAlg::Rs256).count(), 0);
    }

    #[test]
    fn what_is_encrypted_goes_to_the_key_that_is_for_encryption_or_nowhere() {
        let enc = ContentEncryptionAlg::A256Gcm;
        let jwks = json!({"keys": [
            with(with(jwk(SigningAlg::Es256), "use", "sig"), "kid", "signs"),
            {"kty": "EC", "crv": "P-256", "use": "enc", "kid": "reads",
             "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
        ]});
        let keys = ClientKeys::parse(&jwks).unwrap();
        let jwe = keys.encrypt("a.b.c", KeyManagementAlg::EcdhEsA256Kw, enc).unwrap();
        let header =
            claims_set::parse(&URL_SAFE_NO_PAD.decode(jwe.split('.').next().unwrap()).unwrap()).unwrap();
        assert_eq!((&header["kid"], &header["enc"]), (&json!("reads"), &json!("A256GCM")));
        let none = keys.encrypt("a.b.c", KeyManagementAlg::RsaOaep256, enc);
        assert_eq!(none, Err(JoseError::NoEncryptionKey));
    }

    #[test]
    fn an_rsa_key_without_alg_serves_both_paddings_and_one_with_alg_its_own() {
        let mut open = jwk(SigningAlg::Rs256);
        open.remove("alg");
        let keys = ClientKeys::parse(&json!({"keys": [open, jwk(SigningAlg::Rs256)]})).unwrap();
        assert_eq!(keys.select(None, SigningAlg::Rs256).count(), 2);
        assert_eq!(keys.select(None, SigningAlg::Ps256).count(), 1);
    }

    #[test]
    fn a_set_is_bounded_and_public() {
        let key = jwk(SigningAlg::EdDsa);
        assert!(ClientKeys::parse(&json!({"keys": vec![key.clone(); 10]})).is_ok());
        for bad in [json!({"keys": vec![key.clone(); 11]}), json!({}), json!([]), json!({"keys": ["x"]})] {
            assert_eq!(ClientKeys::parse(&bad).unwrap_err(), JoseError::NotAKeySet);
        }
        let private = json!({"keys": [with(key, "d", "AA")]});
        assert_eq!(ClientKeys::parse(&private).unwrap_err(), JoseError::PrivateMember);
    }

    #[test]
    fn without_a_kid_every_key_of_the_algorithm_is_tried() {
        let signer = SigningKey::generate(SigningAlg::Es256).unwrap();
        let jwks = json!({"keys": [jwk(SigningAlg::Es256), signer.public_jwk()]});
        let keys = ClientKeys::parse(&jwks).unwrap();
        let claims = json!({"iss": "c"}).as_object().unwrap().clone();
        let kid = signer.kid().to_owned();
        let jwt = KeyRing::new(vec![signer], &[]).unwrap().sign(SigningAlg::Es256, "JWT", &claims).unwrap();
        assert_eq!(keys.verify(&jwt, None, SigningAlg::Es256), Ok(claims.clone()));
        assert_eq!(keys.verify(&jwt, Some(&kid), SigningAlg::Es256), Ok(claims));
        assert_eq!(keys.verify(&jwt, Some("other"), SigningAlg::Es256), Err(JoseError::UnknownKey));
        let stranger = ClientKeys::parse(&json!({"keys": [jwk(SigningAlg::Es256)]})).unwrap();
        assert_eq!(stranger.verify(&jwt, None, SigningAlg::Es256), Err(JoseError::BadSignature));
    }

    #[test]
    fn the_cache_parses_once_and_again_when_the_keys_change() {
        let cache = ClientKeyCache::new(10);
        let client: ClientId = "client".parse().unwrap();
        let (old, new) = (json!({"keys": [jwk(SigningAlg::EdDsa)]}), json!({"keys": []}));
        let first = cache.keys(&client, &old).unwrap();
        assert!(Arc::ptr_eq(&first, &cache.keys(&client, &old).unwrap()));
        assert!(cache.keys(&client, &new).unwrap().is_empty());
        assert!(!cache.keys(&client, &old).unwrap().is_empty());
    }
}

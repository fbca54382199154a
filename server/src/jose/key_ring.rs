//! The ring of the server's keys: one active per algorithm, and the others that are published (RFC 7517 §5).

use std::collections::BTreeMap;

use josekit::jws::{self, JwsHeader};
use protocol::client::SigningAlg;
use serde_json::{Map, Value, json};

use super::compact::{alg_of, open};
use super::{JoseError, SigningKey, VerifyingKey, engine};

/// The server's keys. A ring does not change: rotation makes a new one.
#[derive(Debug)]
pub struct KeyRing {
    active: BTreeMap<SigningAlg, SigningKey>,
    published: BTreeMap<String, VerifyingKey>,
    jwks: Value,
}

impl KeyRing {
    /// A ring of the `active` keys, at most one per algorithm, and `others`: the next ones, published before they
    /// sign, and the former ones, published while their tokens live. Of the others only the public half is kept.
    pub fn new(active: Vec<SigningKey>, others: &[SigningKey]) -> Result<Self, JoseError> {
        let mut published = BTreeMap::new();
        let mut keys = Vec::new();
        for key in active.iter().chain(others) {
            if published.insert(key.kid().to_owned(), key.verifying_key()?).is_some() {
                return Err(JoseError::Ambiguous);
            }
            keys.push(key.public_jwk().clone());
        }
        let mut by_alg = BTreeMap::new();
        for key in active {
            if by_alg.insert(key.alg(), key).is_some() {
                return Err(JoseError::Ambiguous);
            }
        }
        Ok(Self { active: by_alg, published, jwks: json!({ "keys": keys }) })
    }

    /// Signs `claims` as a JWT with header `typ`, `alg` and `kid`, in compact serialization.
    pub fn sign(&self, alg: SigningAlg, typ: &str, claims: &Map<String, Value>) -> Result<String, JoseError> {
        let key = self.active.get(&alg).ok_or(JoseError::NoSigningKey(alg))?;
        let payload = serde_json::to_vec(claims).map_err(|_| JoseError::NotAnObject)?;
        let mut header = JwsHeader::new();
        header.set_token_type(typ);
        jws::serialize_compact(&payload, &header, key).map_err(engine::unpacked)
    }

    /// The JWK Set of everything published.
    #[must_use]
    pub const fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// The algorithms with an active key, in the order discovery lists them.
    pub fn algs(&self) -> impl Iterator<Item = SigningAlg> {
        self.active.keys().copied()
    }

    /// The claims of a JWT of exactly this `typ` that a key of this ring signed. Whether they still hold is not asked.
    pub fn verify_own(&self, compact: &str, typ: &str) -> Result<Map<String, Value>, JoseError> {
        let find = |header: &Map<String, Value>| {
            alg_of(header)?;
            if header.get("typ").is_none_or(|v| v != typ) {
                return Err(JoseError::WrongTyp);
            }
            let kid = header.get("kid").and_then(Value::as_str).ok_or(JoseError::UnknownKey)?;
            self.published.get(kid).ok_or(JoseError::UnknownKey)
        };
        open(compact, find).map(|proven| proven.claims)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::jose::{decode, verify};

    static RING: LazyLock<KeyRing> = LazyLock::new(|| {
        KeyRing::new(SigningAlg::ALL.map(|alg| SigningKey::generate(alg).unwrap()).into(), &[]).unwrap()
    });

    fn claims() -> Map<String, Value> {
        json!({"iss": "https://as.example", "sub": "alice", "exp": 4_000_000_000_u64})
            .as_object()
            .unwrap()
            .clone()
    }

    #[test]
    fn what_the_ring_signs_it_verifies_and_names_in_the_header() {
        for alg in SigningAlg::ALL {
            let jwt = RING.sign(alg, "at+jwt", &claims()).unwrap();
            assert_eq!(RING.verify_own(&jwt, "at+jwt"), Ok(claims()));
            let unverified = decode(&jwt).unwrap();
            let kid = RING.active[&alg].kid();
            assert_eq!(unverified.claims, claims());
            assert_eq!(
                Value::Object(unverified.header),
                json!({"typ": "at+jwt", "alg": alg.as_str(), "kid": kid})
            );
        }
    }

    #[test]
    fn another_implementation_verifies_it_with_the_published_keys() {
        let published: jsonwebtoken::jwk::JwkSet = serde_json::from_value(RING.jwks().clone()).unwrap();
        for alg in SigningAlg::ALL {
            let jwt = RING.sign(alg, "JWT", &claims()).unwrap();
            let kid = jsonwebtoken::decode_header(&jwt).unwrap().kid.unwrap();
            let key = jsonwebtoken::DecodingKey::from_jwk(published.find(&kid).unwrap()).unwrap();
            let rules = jsonwebtoken::Validation::new(alg.as_str().parse().unwrap());
            let token = jsonwebtoken::decode::<Map<String, Value>>(&jwt, &key, &rules).unwrap();
            assert_eq!(token.claims, claims());
        }
    }

    #[test]
    fn what_another_implementation_signs_verifies_here() {
        let pem_of = |alg| {
            let document = serde_json::to_value(RING.active[&alg].to_document().unwrap()).unwrap();
            document["pkcs8"].as_str().unwrap().replace('-', "+").replace('_', "/")
        };
        for alg in SigningAlg::ALL {
            let mut base64 = pem_of(alg);
            base64.push_str(["", "", "==", "="][base64.len() % 4]);
            let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
            let key = match alg {
                SigningAlg::Es256 => jsonwebtoken::EncodingKey::from_ec_pem(pem.as_bytes()),
                SigningAlg::EdDsa => jsonwebtoken::EncodingKey::from_ed_pem(pem.as_bytes()),
                SigningAlg::Ps256 | SigningAlg::Rs256 => {
                    jsonwebtoken::EncodingKey::from_rsa_pem(pem.as_bytes())
                }
            };
            let header = jsonwebtoken::Header::new(alg.as_str().parse().unwrap());
            let jwt = jsonwebtoken::encode(&header, &claims(), &key.unwrap()).unwrap();
            let key = RING.active[&alg].verifying_key().unwrap();
            assert_eq!(verify(&jwt, alg, &key), Ok(claims()));
        }
    }

    #[test]
    fn a_jwt_of_another_typ_kid_or_ring_is_not_our_own() {
        let jwt = RING.sign(SigningAlg::Es256, "JWT", &claims()).unwrap();
        for typ in ["at+jwt", "jwt", ""] {
            assert_eq!(RING.verify_own(&jwt, typ), Err(JoseError::WrongTyp));
        }
        let stranger = KeyRing::new(vec![SigningKey::generate(SigningAlg::Es256).unwrap()], &[]).unwrap();
        assert_eq!(stranger.verify_own(&jwt, "JWT"), Err(JoseError::UnknownKey));
        assert_eq!(
            stranger.sign(SigningAlg::EdDsa, "JWT", &claims()),
            Err(JoseError::NoSigningKey(SigningAlg::EdDsa))
        );
    }

    #[test]
    fn a_former_key_still_verifies_and_is_published_but_signs_no_more() {
        let key = || SigningKey::generate(SigningAlg::Es256).unwrap();
        let (former, current) = (key(), key());
        let old = KeyRing::new(vec![former.clone()], &[])
            .unwrap()
            .sign(SigningAlg::Es256, "JWT", &claims())
            .unwrap();
        let ring = KeyRing::new(vec![current.clone()], std::slice::from_ref(&former)).unwrap();
        assert_eq!(ring.verify_own(&old, "JWT"), Ok(claims()));
        assert_eq!(ring.jwks(), &json!({"keys": [current.public_jwk(), former.public_jwk()]}));
        let new = ring.sign(SigningAlg::Es256, "JWT", &claims()).unwrap();
        assert_eq!(decode(&new).unwrap().kid(), Some(current.kid()));
    }

    #[test]
    fn a_ring_has_one_active_key_per_algorithm_and_no_key_twice() {
        let key = || SigningKey::generate(SigningAlg::EdDsa).unwrap();
        assert_eq!(KeyRing::new(vec![key(), key()], &[]).unwrap_err(), JoseError::Ambiguous);
        let twice = key();
        assert_eq!(KeyRing::new(vec![twice.clone()], &[twice]).unwrap_err(), JoseError::Ambiguous);
    }
}

//! Public keys that JWTs are encrypted to (RFC 7516): key agreement and RSA-OAEP, and nothing that shares a secret.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwe::{self, JweEncrypter, JweHeader};
use josekit::jwk::Jwk;
use protocol::client::{ContentEncryptionAlg, KeyManagementAlg};
use serde_json::{Map, Value};

use super::JoseError;
use super::verifying_key::{PRIVATE_MEMBERS, check_rsa_size};

/// A public key that encrypts with one key management algorithm and no other.
pub struct EncryptionKey {
    alg: KeyManagementAlg,
    encrypter: Box<dyn JweEncrypter>,
}

impl EncryptionKey {
    /// The public key in `jwk`, for `alg`. What the key says about its use holds; of it, only the public members are
    /// handed on.
    pub fn from_jwk(jwk: &Map<String, Value>, alg: KeyManagementAlg) -> Result<Self, JoseError> {
        if PRIVATE_MEMBERS.iter().any(|name| jwk.contains_key(*name)) {
            return Err(JoseError::PrivateMember);
        }
        check_intent(jwk, alg)?;
        let bare = Jwk::from_map(public_members(jwk, alg)?).map_err(|_| JoseError::NotAKey)?;
        let boxed: Result<Box<dyn JweEncrypter>, _> = match alg {
            KeyManagementAlg::RsaOaep => {
                jwe::RSA_OAEP.encrypter_from_jwk(&bare).map(|key| Box::new(key) as _)
            }
            KeyManagementAlg::RsaOaep256 => {
                jwe::RSA_OAEP_256.encrypter_from_jwk(&bare).map(|key| Box::new(key) as _)
            }
            KeyManagementAlg::EcdhEs => jwe::ECDH_ES.encrypter_from_jwk(&bare).map(|key| Box::new(key) as _),
            KeyManagementAlg::EcdhEsA256Kw => {
                jwe::ECDH_ES_A256KW.encrypter_from_jwk(&bare).map(|key| Box::new(key) as _)
            }
        };
        boxed.map(|encrypter| Self { alg, encrypter }).map_err(|_| JoseError::NotAKey)
    }

    /// The one algorithm it encrypts with.
    #[must_use]
    pub const fn alg(&self) -> KeyManagementAlg {
        self.alg
    }

    /// A signed JWT within an encrypted one, in compact serialization (RFC 7519 §5.2, RFC 7516 §3.1). Nothing is
    /// compressed: how long a text gets would tell what is in it (RFC 8725 §3.6).
    pub fn encrypt(&self, jwt: &str, enc: ContentEncryptionAlg) -> Result<String, JoseError> {
        let mut header = JweHeader::new();
        header.set_content_encryption(enc.as_str());
        header.set_content_type("JWT");
        jwe::serialize_compact(jwt.as_bytes(), &header, self.encrypter.as_ref())
            .map_err(|_| JoseError::Engine)
    }

    /// A claims set that nobody signed, as an encrypted JWT (RFC 7519 §7.1).
    pub fn encrypt_claims(
        &self,
        claims: &Map<String, Value>,
        enc: ContentEncryptionAlg,
    ) -> Result<String, JoseError> {
        let mut header = JweHeader::new();
        header.set_content_encryption(enc.as_str());
        header.set_token_type("JWT");
        let payload = serde_json::to_vec(claims).map_err(|_| JoseError::NotAnObject)?;
        jwe::serialize_compact(&payload, &header, self.encrypter.as_ref()).map_err(|_| JoseError::Engine)
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKey").field("alg", &self.alg).finish_non_exhaustive()
    }
}

/// `use`, `key_ops` and `alg` are optional, but hold where they stand (RFC 7517 §4.2–4.4).
fn check_intent(jwk: &Map<String, Value>, alg: KeyManagementAlg) -> Result<(), JoseError> {
    const OPERATIONS: [&str; 4] = ["wrapKey", "encrypt", "deriveKey", "deriveBits"];
    let allowed = |ops: &Value| {
        ops.as_array()
            .is_some_and(|ops| ops.iter().any(|op| op.as_str().is_some_and(|op| OPERATIONS.contains(&op))))
    };
    let fits = jwk.get("use").is_none_or(|v| v == "enc")
        && jwk.get("alg").is_none_or(|v| v == alg.as_str())
        && jwk.get("key_ops").is_none_or(allowed);
    if fits { Ok(()) } else { Err(JoseError::NotAKey) }
}

/// The members that make the key, of the kind and size that `alg` needs, and the `kid` that its header names.
fn public_members(jwk: &Map<String, Value>, alg: KeyManagementAlg) -> Result<Map<String, Value>, JoseError> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str).ok_or(JoseError::NotAKey);
    let names: &[&str] = match alg {
        KeyManagementAlg::RsaOaep | KeyManagementAlg::RsaOaep256 => {
            if text("kty")? != "RSA" {
                return Err(JoseError::NotAKey);
            }
            check_rsa_size(jwk)?;
            &["kty", "n", "e"]
        }
        KeyManagementAlg::EcdhEs | KeyManagementAlg::EcdhEsA256Kw => {
            let (coordinates, length): (&[&str], usize) = match (text("kty")?, text("crv")?) {
                ("EC", "P-256") => (&["x", "y"], 32),
                ("EC", "P-384") => (&["x", "y"], 48),
                ("EC", "P-521") => (&["x", "y"], 66),
                ("OKP", "X25519") => (&["x"], 32),
                _ => return Err(JoseError::NotAKey),
            };
            for name in coordinates {
                // The longest coordinate takes 88 characters.
                let bytes = Some(text(name)?).filter(|text| text.len() <= 88);
                let bytes = bytes.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
                if bytes.is_none_or(|bytes| bytes.len() != length) {
                    return Err(JoseError::NotAKey);
                }
            }
            if coordinates.len() == 2 { &["kty", "crv", "x", "y"] } else { &["kty", "crv", "x"] }
        }
    };
    let mut members: Map<String, Value> =
        names.iter().filter_map(|name| Some(((*name).to_owned(), jwk.get(*name)?.clone()))).collect();
    if let Some(kid) = jwk.get("kid").filter(|kid| kid.is_string()) {
        members.insert("kid".to_owned(), kid.clone());
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use josekit::jwe::JweDecrypter;
    use josekit::jwk::alg::ec::EcCurve;
    use josekit::jwk::alg::ecx::EcxCurve;
    use serde_json::json;

    use super::*;

    const JWT: &str = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl";

    /// A private key for `alg`, and the public half as a client registers it.
    fn pair(kind: &str) -> (Jwk, Map<String, Value>) {
        let mut private = match kind {
            "RSA" => Jwk::generate_rsa_key(2048),
            "P-256" => Jwk::generate_ec_key(EcCurve::P256),
            "P-384" => Jwk::generate_ec_key(EcCurve::P384),
            "P-521" => Jwk::generate_ec_key(EcCurve::P521),
            _ => Jwk::generate_ecx_key(EcxCurve::X25519),
        }
        .unwrap();
        private.set_key_id("the-key");
        let private: Map<String, Value> = private.into();
        let private = private.into_iter().filter(|(name, _)| name != "alg" && name != "key_ops");
        let private = Jwk::from_map(private.collect::<Map<_, _>>()).unwrap();
        let mut public: Map<String, Value> = private.clone().into();
        public.retain(|name, _| !PRIVATE_MEMBERS.contains(&name.as_str()));
        (private, public)
    }

    fn decrypter(alg: KeyManagementAlg, key: &Jwk) -> Box<dyn JweDecrypter> {
        match alg {
            KeyManagementAlg::RsaOaep => Box::new(jwe::RSA_OAEP.decrypter_from_jwk(key).unwrap()),
            KeyManagementAlg::RsaOaep256 => Box::new(jwe::RSA_OAEP_256.decrypter_from_jwk(key).unwrap()),
            KeyManagementAlg::EcdhEs => Box::new(jwe::ECDH_ES.decrypter_from_jwk(key).unwrap()),
            KeyManagementAlg::EcdhEsA256Kw => Box::new(jwe::ECDH_ES_A256KW.decrypter_from_jwk(key).unwrap()),
        }
    }

    fn kinds(alg: KeyManagementAlg) -> &'static [&'static str] {
        match alg {
            KeyManagementAlg::RsaOaep | KeyManagementAlg::RsaOaep256 => &["RSA"],
            KeyManagementAlg::EcdhEs | KeyManagementAlg::EcdhEsA256Kw => {
                &["P-256", "P-384", "P-521", "X25519"]
            }
        }
    }

    #[test]
    fn the_holder_of_the_private_key_reads_what_was_encrypted_and_nobody_else() {
        for alg in KeyManagementAlg::ALL {
            for kind in kinds(alg) {
                let ((private, public), (stranger, _)) = (pair(kind), pair(kind));
                let key = EncryptionKey::from_jwk(&public, alg).unwrap();
                for enc in ContentEncryptionAlg::ALL {
                    let jwe = key.encrypt(JWT, enc).unwrap();
                    assert_eq!(jwe.split('.').count(), 5);
                    let read = jwe::deserialize_compact(&jwe, decrypter(alg, &private).as_ref());
                    let (payload, header) = read.unwrap();
                    assert_eq!(payload, JWT.as_bytes());
                    let header = header.claims_set();
                    assert_eq!(header["alg"], alg.as_str());
                    assert_eq!(header["enc"], enc.as_str());
                    assert_eq!((&header["cty"], &header["kid"]), (&json!("JWT"), &json!("the-key")));
                    assert!(!header.contains_key("zip"));
                    let other = jwe::deserialize_compact(&jwe, decrypter(alg, &stranger).as_ref());
                    assert!(other.is_err(), "{} {kind}", alg.as_str());
                }
            }
        }
    }

    #[test]
    fn two_encryptions_of_one_text_have_nothing_in_common() {
        let (_, public) = pair("P-256");
        let key = EncryptionKey::from_jwk(&public, KeyManagementAlg::EcdhEsA256Kw).unwrap();
        let enc = ContentEncryptionAlg::ALL[0];
        let (one, two) = (key.encrypt(JWT, enc).unwrap(), key.encrypt(JWT, enc).unwrap());
        assert!(one.split('.').zip(two.split('.')).all(|(a, b)| a != b));
    }

    /// An ephemeral coordinate begins with a zero byte once in 128 times.
    #[test]
    fn leading_zeros_of_ephemeral_keys_are_not_lost() {
        let (private, public) = pair("P-256");
        let key = EncryptionKey::from_jwk(&public, KeyManagementAlg::EcdhEs).unwrap();
        for _ in 0..400 {
            let jwe = key.encrypt(JWT, ContentEncryptionAlg::ALL[0]).unwrap();
            let (payload, header) =
                jwe::deserialize_compact(&jwe, decrypter(KeyManagementAlg::EcdhEs, &private).as_ref())
                    .unwrap();
            assert_eq!(payload, JWT.as_bytes());
            for name in ["x", "y"] {
                assert_eq!(header.claims_set()["epk"][name].as_str().unwrap().len(), 43);
            }
        }
    }

    #[test]
    fn a_key_is_for_the_algorithms_of_its_type_only() {
        for kind in ["RSA", "P-256", "X25519"] {
            let (_, public) = pair(kind);
            for alg in KeyManagementAlg::ALL {
                assert_eq!(
                    EncryptionKey::from_jwk(&public, alg).is_ok(),
                    kinds(alg).contains(&kind),
                    "{kind}"
                );
            }
        }
    }

    #[test]
    fn what_a_key_says_it_is_for_holds() {
        let (_, public) = pair("P-256");
        for (name, value, good) in [
            ("use", json!("enc"), true),
            ("use", json!("sig"), false),
            ("use", json!(null), false),
            ("alg", json!("ECDH-ES"), true),
            ("alg", json!("ECDH-ES+A256KW"), false),
            ("alg", json!("ES256"), false),
            ("key_ops", json!(["deriveKey"]), true),
            ("key_ops", json!(["deriveBits"]), true),
            ("key_ops", json!(["verify"]), false),
            ("key_ops", json!("deriveKey"), false),
            ("d", json!("AA"), false),
            ("crv", json!("secp256k1"), false),
            ("crv", json!("P-384"), false),
            ("x", json!("AA"), false),
            ("kty", json!("oct"), false),
        ] {
            let mut jwk = public.clone();
            jwk.insert(name.into(), value);
            assert_eq!(EncryptionKey::from_jwk(&jwk, KeyManagementAlg::EcdhEs).is_ok(), good, "{jwk:?}");
        }
    }

    #[test]
    fn a_point_off_the_curve_and_a_short_modulus_are_no_keys() {
        let (_, mut point) = pair("P-256");
        let (x, y) = (point["x"].clone(), point["y"].clone());
        point.insert("x".into(), y);
        point.insert("y".into(), x);
        assert!(EncryptionKey::from_jwk(&point, KeyManagementAlg::EcdhEs).is_err());
        let short = json!({"kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xff; 128])});
        let short = EncryptionKey::from_jwk(short.as_object().unwrap(), KeyManagementAlg::RsaOaep256);
        assert_eq!(short.unwrap_err(), JoseError::NotAKey);
    }
}

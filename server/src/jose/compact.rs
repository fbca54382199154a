//! JWTs in compact serialization (RFC 7515 §7.1, RFC 7519 §3): read without proof, or verified.

use std::cell::OnceCell;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jws;
use protocol::client::SigningAlg;
use serde_json::{Map, Value};

use super::{JoseError, VerifyingKey, claims_set, engine};

/// The longest JWT anybody may present, in bytes.
pub const LONGEST_JWT: usize = 16 * 1024;

/// What a JWT says about itself, before anybody proved it: good for finding the key, and for nothing else.
#[derive(Clone, PartialEq, Debug)]
pub struct Unverified {
    /// The JOSE header.
    pub header: Map<String, Value>,
    /// The claims set.
    pub claims: Map<String, Value>,
}

impl Unverified {
    /// The algorithm it names, if that is one of ours.
    pub fn alg(&self) -> Result<SigningAlg, JoseError> {
        alg_of(&self.header)
    }

    /// The `kid` it names.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }
}

/// Reads a JWT without verifying anything.
pub fn decode(compact: &str) -> Result<Unverified, JoseError> {
    check_shape(compact)?;
    let mut parts = compact.split('.').map(|part| URL_SAFE_NO_PAD.decode(part));
    let mut next = || parts.next().and_then(Result::ok).ok_or(JoseError::NotCompact);
    let (header, claims, _signature) = (next()?, next()?, next()?);
    let header = claims_set::parse(&header)?;
    check_extensions(&header)?;
    Ok(Unverified { header, claims: claims_set::parse(&claims)? })
}

/// The claims of a JWT signed with `alg` by the holder of `key`.
pub fn verify(compact: &str, alg: SigningAlg, key: &VerifyingKey) -> Result<Map<String, Value>, JoseError> {
    if key.alg() != alg {
        return Err(JoseError::WrongAlg);
    }
    open(compact, |_| Ok(key)).map(|proven| proven.claims)
}

/// The claims of a JWT signed with `alg` by the holder of the key in `jwk`, a key that is not seen twice.
pub fn verify_with_jwk(
    compact: &str,
    alg: SigningAlg,
    jwk: &Map<String, Value>,
) -> Result<Map<String, Value>, JoseError> {
    verify(compact, alg, &VerifyingKey::from_jwk(jwk, alg)?)
}

/// A JWT that was signed with the key in its own header: it proves possession of that key and nothing else.
#[derive(Clone, PartialEq, Debug)]
pub struct EmbeddedKeyJwt {
    /// The JOSE header, with the public key as `jwk`.
    pub header: Map<String, Value>,
    /// The claims set.
    pub claims: Map<String, Value>,
    /// The algorithm of the signature.
    pub alg: SigningAlg,
}

impl EmbeddedKeyJwt {
    /// The public key it was signed with.
    pub fn jwk(&self) -> Result<&Map<String, Value>, JoseError> {
        jwk_of(&self.header)
    }
}

/// A DPoP proof (RFC 9449 §4.2), its signature verified with the key that it carries. Its other rules, `typ` among
/// them, are [`protocol`]'s.
pub fn verify_dpop(compact: &str) -> Result<EmbeddedKeyJwt, JoseError> {
    let key = OnceCell::new();
    let Proven { header, claims } = open(compact, |header| {
        let embedded = VerifyingKey::from_jwk(jwk_of(header)?, alg_of(header)?)?;
        Ok(key.get_or_init(|| embedded))
    })?;
    let alg = alg_of(&header)?;
    Ok(EmbeddedKeyJwt { header, claims, alg })
}

/// What a verified JWT says.
pub(super) struct Proven {
    header: Map<String, Value>,
    /// The claims set.
    pub(super) claims: Map<String, Value>,
}

/// Verifies a JWT with the key that `key_for` finds by its header: the one way from text to proven claims. That the
/// header's `alg` is the key's is asked here, so that the reason is plain, and by josekit once more.
pub(super) fn open<'k>(
    compact: &str,
    key_for: impl Fn(&Map<String, Value>) -> Result<&'k VerifyingKey, JoseError>,
) -> Result<Proven, JoseError> {
    check_shape(compact)?;
    let (payload, header) = jws::deserialize_compact_with_selector(compact, |header| {
        let header = header.claims_set();
        let key = check_extensions(header)
            .and_then(|()| key_for(header))
            .and_then(|key| if key.alg() == alg_of(header)? { Ok(key) } else { Err(JoseError::WrongAlg) })
            .map_err(engine::packed)?;
        Ok(Some(key))
    })
    .map_err(engine::unpacked)?;
    Ok(Proven { header: header.into_map(), claims: claims_set::parse(&payload)? })
}

/// Bounded, and three parts: neither empty nor encrypted (five parts) nor JSON.
fn check_shape(compact: &str) -> Result<(), JoseError> {
    if compact.len() > LONGEST_JWT {
        return Err(JoseError::TooLong);
    }
    let dots = compact.bytes().filter(|b| *b == b'.').count();
    if dots == 2 { Ok(()) } else { Err(JoseError::NotCompact) }
}

/// No extension is understood, so none may be critical (RFC 7515 §4.1.11); `b64` only counts there (RFC 7797 §3).
fn check_extensions(header: &Map<String, Value>) -> Result<(), JoseError> {
    if header.contains_key("crit") || header.contains_key("b64") { Err(JoseError::Critical) } else { Ok(()) }
}

pub(super) fn alg_of(header: &Map<String, Value>) -> Result<SigningAlg, JoseError> {
    header.get("alg").and_then(Value::as_str).and_then(SigningAlg::find).ok_or(JoseError::WrongAlg)
}

fn jwk_of(header: &Map<String, Value>) -> Result<&Map<String, Value>, JoseError> {
    header.get("jwk").and_then(Value::as_object).ok_or(JoseError::NotAKey)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use josekit::jws::JwsSigner as _;
    use serde_json::json;

    use super::*;
    use crate::jose::SigningKey;

    static SIGNER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(SigningAlg::Es256).unwrap());
    static KEY: LazyLock<VerifyingKey> = LazyLock::new(|| SIGNER.verifying_key().unwrap());

    /// A JWT of exactly these texts, well signed.
    fn signed(header: &str, claims: &str) -> String {
        signed_by(&SIGNER, header, claims)
    }

    fn signed_by(signer: &SigningKey, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = signer.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn outcome(jwt: &str) -> Result<Map<String, Value>, JoseError> {
        verify(jwt, SigningAlg::Es256, &KEY)
    }

    const GOOD: &str = r#"{"alg":"ES256","typ":"JWT"}"#;

    #[test]
    fn only_the_expected_algorithm_verifies() {
        assert_eq!(outcome(&signed(GOOD, r#"{"a":1}"#)).unwrap(), *json!({"a": 1}).as_object().unwrap());
        for alg in
            [r#""none""#, r#""HS256""#, r#""RS256""#, r#""EdDSA""#, r#""es256""#, "null", "1", r#"["ES256"]"#]
        {
            let header = format!(r#"{{"alg":{alg}}}"#);
            assert!(
                matches!(outcome(&signed(&header, "{}")), Err(JoseError::WrongAlg | JoseError::NotCompact)),
                "{alg}"
            );
        }
        assert_eq!(outcome(&signed("{}", "{}")), Err(JoseError::WrongAlg));
        assert_eq!(verify(&signed(GOOD, "{}"), SigningAlg::EdDsa, &KEY), Err(JoseError::WrongAlg));
    }

    #[test]
    fn an_unsigned_jwt_is_refused() {
        for header in [r#"{"alg":"none"}"#, GOOD] {
            let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode("{}"));
            assert!(outcome(&unsigned).is_err(), "{header}");
        }
    }

    #[test]
    fn a_public_key_is_no_shared_secret() {
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode("{}"));
        let secret = serde_json::to_vec(SIGNER.public_jwk()).unwrap();
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
        let tag = URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
        assert_eq!(outcome(&format!("{message}.{tag}")), Err(JoseError::WrongAlg));
    }

    #[test]
    fn one_flipped_bit_anywhere_is_refused() {
        let jwt = signed(GOOD, r#"{"sub":"alice"}"#);
        for at in 0..jwt.len() {
            let mut bytes = jwt.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(outcome(std::str::from_utf8(&bytes).unwrap()).is_err(), "byte {at}");
        }
    }

    #[test]
    fn another_key_of_the_same_algorithm_does_not_verify() {
        for alg in SigningAlg::ALL {
            let (signer, other) = (SigningKey::generate(alg).unwrap(), SigningKey::generate(alg).unwrap());
            let jwt = signed_by(&signer, &format!(r#"{{"alg":"{}"}}"#, alg.as_str()), "{}");
            assert_eq!(verify(&jwt, alg, &signer.verifying_key().unwrap()), Ok(Map::new()));
            assert_eq!(verify(&jwt, alg, &other.verifying_key().unwrap()), Err(JoseError::BadSignature));
        }
    }

    #[test]
    fn extensions_are_refused() {
        for header in [
            r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
            r#"{"alg":"ES256","crit":["b64"],"b64":false}"#,
            r#"{"alg":"ES256","crit":[]}"#,
            r#"{"alg":"ES256","b64":false}"#,
        ] {
            assert_eq!(outcome(&signed(header, "{}")), Err(JoseError::Critical), "{header}");
            assert_eq!(decode(&signed(header, "{}")), Err(JoseError::Critical), "{header}");
        }
    }

    #[test]
    fn what_is_not_a_compact_jws_is_neither_verified_nor_decoded() {
        let good = signed(GOOD, "{}");
        let long = signed(GOOD, &format!(r#"{{"a":"{}"}}"#, "x".repeat(LONGEST_JWT)));
        let json = r#"{"payload":"e30","protected":"e30","signature":"AA"}"#;
        let padded = format!("{good}=");
        let five_parts = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AA.AA.AA.AA";
        for (bad, reason) in [
            ("", JoseError::NotCompact),
            (".", JoseError::NotCompact),
            ("a.b", JoseError::NotCompact),
            (five_parts, JoseError::NotCompact),
            (json, JoseError::NotCompact),
            (&padded, JoseError::NotCompact),
            (&long, JoseError::TooLong),
        ] {
            assert_eq!(outcome(bad).unwrap_err(), reason, "{bad}");
            assert_eq!(decode(bad).unwrap_err(), reason, "{bad}");
        }
        assert!(outcome("..").is_err() && decode("..").is_err());
        assert!(outcome(&good.replace('.', ". ")).is_err());
    }

    #[test]
    fn a_payload_that_is_not_an_object_with_distinct_names_is_no_claims_set() {
        for claims in ["", "[]", "1", r#"{"sub":"a","sub":"b"}"#, "{", "\u{feff}{}"] {
            assert_eq!(outcome(&signed(GOOD, claims)), Err(JoseError::NotAnObject), "{claims}");
            assert_eq!(decode(&signed(GOOD, claims)), Err(JoseError::NotAnObject), "{claims}");
        }
        assert_eq!(decode(&signed(r#"{"alg":"ES256","alg":"none"}"#, "{}")), Err(JoseError::NotAnObject));
    }

    #[test]
    fn a_dpop_proof_is_verified_with_the_key_it_carries() {
        for alg in SigningAlg::ALL {
            let signer = SigningKey::generate(alg).unwrap();
            let jwk = signer.public_jwk();
            let header = json!({"typ": "dpop+jwt", "alg": alg.as_str(), "jwk": jwk});
            let jwt = signed_by(&signer, &header.to_string(), r#"{"jti":"1"}"#);
            let proof = verify_dpop(&jwt).unwrap();
            assert_eq!(Value::Object(proof.header.clone()), header);
            assert_eq!((proof.alg, proof.jwk()), (alg, Ok(jwk)));
            assert_eq!(Ok(proof.claims), verify_with_jwk(&jwt, alg, jwk));
            let stolen = signed(&header.to_string(), r#"{"jti":"1"}"#);
            assert_eq!(verify_dpop(&stolen), Err(JoseError::BadSignature));
        }
    }

    #[test]
    fn a_dpop_proof_without_a_usable_public_key_is_refused() {
        let mut private = SIGNER.public_jwk().clone();
        private.insert("d".into(), "AAAA".into());
        let symmetric = json!({"kty": "oct", "k": "AAAA"});
        for (alg, jwk, reason) in [
            ("ES256", json!(private), JoseError::PrivateMember),
            ("HS256", symmetric.clone(), JoseError::WrongAlg),
            ("none", json!(SIGNER.public_jwk()), JoseError::WrongAlg),
            ("ES256", symmetric, JoseError::PrivateMember),
            ("EdDSA", json!(SIGNER.public_jwk()), JoseError::NotAKey),
            ("ES256", json!({"kty": "EC", "crv": "P-256"}), JoseError::NotAKey),
        ] {
            let header = json!({"typ": "dpop+jwt", "alg": alg, "jwk": jwk}).to_string();
            assert_eq!(verify_dpop(&signed(&header, "{}")).unwrap_err(), reason, "{header}");
        }
        assert_eq!(verify_dpop(&signed(GOOD, "{}")), Err(JoseError::NotAKey));
    }
}

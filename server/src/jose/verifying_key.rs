//! Public keys as JWKs (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2), parsed once for one algorithm.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::client::SigningAlg;
use serde_json::{Map, Value};

use super::JoseError;

/// A public key that verifies signatures of one algorithm and no other.
#[derive(Clone)]
pub struct VerifyingKey {
    alg: SigningAlg,
    key: ParsedPublicKey,
}

/// The members that only private or symmetric keys have (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
pub(super) const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The shortest and longest RSA modulus in bits; RFC 7518 §3.3 asks for 2048 or more.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

impl VerifyingKey {
    /// The public key in `jwk`, for `alg`.
    pub fn from_jwk(jwk: &Map<String, Value>, alg: SigningAlg) -> Result<Self, JoseError> {
        if PRIVATE_MEMBERS.iter().any(|name| jwk.contains_key(*name)) {
            return Err(JoseError::PrivateMember);
        }
        check_intent(jwk, alg)?;
        let key = match alg {
            SigningAlg::Es256 => p256(jwk)?,
            SigningAlg::EdDsa => ed25519(jwk)?,
            SigningAlg::Ps256 => rsa(jwk, &RSA_PSS_2048_8192_SHA256)?,
            SigningAlg::Rs256 => rsa(jwk, &RSA_PKCS1_2048_8192_SHA256)?,
        };
        Ok(Self { alg, key })
    }

    /// The one algorithm it verifies.
    #[must_use]
    pub const fn alg(&self) -> SigningAlg {
        self.alg
    }

    /// Whether `signature` is this key's over `message`.
    pub(super) fn check_signature(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        self.key.verify_sig(message, signature).map_err(|_| JoseError::BadSignature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey").field("alg", &self.alg).finish_non_exhaustive()
    }
}

/// What the key says it is for: `use`, `key_ops` and `alg` are optional, but hold where they stand (RFC 7517 §4.2–4.4).
fn check_intent(jwk: &Map<String, Value>, alg: SigningAlg) -> Result<(), JoseError> {
    let fits = jwk.get("use").is_none_or(|v| v == "sig")
        && jwk.get("alg").is_none_or(|v| v == alg.as_str())
        && jwk
            .get("key_ops")
            .is_none_or(|v| v.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")));
    if fits { Ok(()) } else { Err(JoseError::NotAKey) }
}

/// RFC 7518 §6.2.1: both coordinates are full length, and the library checks that the point is on the curve.
fn p256(jwk: &Map<String, Value>) -> Result<ParsedPublicKey, JoseError> {
    expect(jwk, "kty", "EC")?;
    expect(jwk, "crv", "P-256")?;
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != 32 || y.len() != 32 {
        return Err(JoseError::NotAKey);
    }
    // The uncompressed point of SEC 1 §2.3.3.
    let mut point = [4; 65];
    point[1..33].copy_from_slice(&x);
    point[33..].copy_from_slice(&y);
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| JoseError::NotAKey)
}

/// RFC 8037 §2.
fn ed25519(jwk: &Map<String, Value>) -> Result<ParsedPublicKey, JoseError> {
    expect(jwk, "kty", "OKP")?;
    expect(jwk, "crv", "Ed25519")?;
    let x = bytes(jwk, "x")?;
    if x.len() != 32 {
        return Err(JoseError::NotAKey);
    }
    ParsedPublicKey::new(&ED25519, x).map_err(|_| JoseError::NotAKey)
}

/// RFC 7518 §6.3.1.
fn rsa(jwk: &Map<String, Value>, parameters: &'static RsaParameters) -> Result<ParsedPublicKey, JoseError> {
    expect(jwk, "kty", "RSA")?;
    let (n, e) = check_rsa_size(jwk)?;
    RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).map_err(|_| JoseError::NotAKey)
}

/// Modulus and exponent, of a size that is safe and costs no more than it must: [`RSA_BITS`], and an odd exponent of
/// at most four bytes, since a longer one only costs time.
pub(super) fn check_rsa_size(jwk: &Map<String, Value>) -> Result<(Vec<u8>, Vec<u8>), JoseError> {
    let (n, e) = (bytes(jwk, "n")?, bytes(jwk, "e")?);
    let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
    let exponent = e.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    if !RSA_BITS.contains(&bits) || e.len() > 4 || exponent < 3 || exponent % 2 == 0 {
        return Err(JoseError::NotAKey);
    }
    Ok((n, e))
}

fn expect(jwk: &Map<String, Value>, name: &str, value: &str) -> Result<(), JoseError> {
    if jwk.get(name).is_some_and(|v| v == value) { Ok(()) } else { Err(JoseError::NotAKey) }
}

/// A base64url member; the longest one that fits a key is the modulus of [`RSA_BITS`].
fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, JoseError> {
    let text = jwk.get(name).and_then(Value::as_str).ok_or(JoseError::NotAKey)?;
    if text.len() > RSA_BITS.end() / 6 + 1 {
        return Err(JoseError::NotAKey);
    }
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JoseError::NotAKey)
}

#[cfg(test)]
mod tests {
    use josekit::jws::deserialize_compact;
    use serde_json::json;

    use super::*;
    use crate::jose::{SigningKey, verify};

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn p256_jwk() -> Map<String, Value> {
        object(json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }))
    }

    #[test]
    fn the_es256_example_of_rfc_7515_a_3_verifies() {
        let key = VerifyingKey::from_jwk(&p256_jwk(), SigningAlg::Es256).unwrap();
        let claims = verify(
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9\
             pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3\
             -Kg6NU1Q",
            SigningAlg::Es256,
            &key,
        )
        .unwrap();
        assert_eq!(claims["iss"], "joe");
    }

    #[test]
    fn the_ed25519_example_of_rfc_8037_a_4_verifies() {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let key = VerifyingKey::from_jwk(&object(jwk), SigningAlg::EdDsa).unwrap();
        let (payload, _) = deserialize_compact(
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIb\
             QR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            &key,
        )
        .unwrap();
        assert_eq!(payload, b"Example of Ed25519 signing");
    }

    #[test]
    fn a_key_is_for_the_algorithms_of_its_type_only() {
        for alg in SigningAlg::ALL {
            let mut jwk = SigningKey::generate(alg).unwrap().public_jwk().clone();
            jwk.remove("alg");
            let fits: &[SigningAlg] = match alg {
                SigningAlg::Ps256 | SigningAlg::Rs256 => &[SigningAlg::Ps256, SigningAlg::Rs256],
                SigningAlg::Es256 | SigningAlg::EdDsa => &[alg],
            };
            for other in SigningAlg::ALL {
                let fit = VerifyingKey::from_jwk(&jwk, other).is_ok();
                assert_eq!(fit, fits.contains(&other), "{alg:?} {other:?}");
            }
        }
    }

    #[test]
    fn what_a_key_says_it_is_for_holds() {
        for (name, value, good) in [
            ("use", json!("sig"), true),
            ("use", json!("enc"), false),
            ("use", json!(null), false),
            ("alg", json!("ES256"), true),
            ("alg", json!("ES384"), false),
            ("key_ops", json!(["verify"]), true),
            ("key_ops", json!(["encrypt"]), false),
            ("key_ops", json!("verify"), false),
        ] {
            let mut jwk = p256_jwk();
            jwk.insert(name.into(), value);
            assert_eq!(VerifyingKey::from_jwk(&jwk, SigningAlg::Es256).is_ok(), good, "{jwk:?}");
        }
    }

    #[test]
    fn a_private_member_is_refused_whatever_it_holds() {
        for name in PRIVATE_MEMBERS {
            let mut jwk = p256_jwk();
            jwk.insert(name.into(), Value::Null);
            let refused = VerifyingKey::from_jwk(&jwk, SigningAlg::Es256).unwrap_err();
            assert_eq!(refused, JoseError::PrivateMember, "{name}");
        }
    }

    #[test]
    fn a_point_off_the_curve_or_of_the_wrong_length_is_no_key() {
        for (x, y) in [
            ("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU=", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
            ("AA", "AA"),
            ("", ""),
        ] {
            let jwk = object(json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}));
            assert_eq!(
                VerifyingKey::from_jwk(&jwk, SigningAlg::Es256).unwrap_err(),
                JoseError::NotAKey,
                "{x} {y}"
            );
        }
    }

    #[test]
    fn an_rsa_key_has_2048_to_8192_bits_and_a_small_odd_exponent() {
        let modulus = |length: usize, first: u8| {
            let mut n = vec![0xff; length];
            n[0] = first;
            URL_SAFE_NO_PAD.encode(n)
        };
        for (n, e, good) in [
            (modulus(256, 0x80), "AQAB", true),
            (modulus(1024, 0xff), "AQAB", true),
            (modulus(256, 0x7f), "AQAB", false),
            (modulus(128, 0xff), "AQAB", false),
            (modulus(257, 0x00), "AQAB", false),
            (modulus(1025, 0x01), "AQAB", false),
            (modulus(256, 0x80), "AQ", false),
            (modulus(256, 0x80), "Ag", false),
            (modulus(256, 0x80), "", false),
            (modulus(256, 0x80), "AQAAAAAB", false),
        ] {
            let jwk = object(json!({"kty": "RSA", "n": n, "e": e}));
            for alg in [SigningAlg::Rs256, SigningAlg::Ps256] {
                assert_eq!(VerifyingKey::from_jwk(&jwk, alg).is_ok(), good, "{} {e}", n.len());
            }
        }
    }
}

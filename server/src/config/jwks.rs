//! The public keys of a client (RFC 7517, RFC 7518 §6, RFC 8037 §2): what may be declared, and which keys are the same.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The key itself, without the names and uses around it: two equal ones are one key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum KeyMaterial {
    /// A point of P-256.
    P256 {
        /// Its x.
        x: Vec<u8>,
        /// Its y.
        y: Vec<u8>,
    },
    /// An Ed25519 public key.
    Ed25519 {
        /// Its bytes.
        x: Vec<u8>,
    },
    /// An RSA public key.
    Rsa {
        /// The modulus, without leading zeros.
        n: Vec<u8>,
        /// The public exponent, without leading zeros.
        e: Vec<u8>,
    },
}

/// Why a key cannot be declared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnfitKey {
    /// Not `{"keys": [...]}` with at least one key.
    #[error("must be a JWK Set: a table with a list keys of at least one key")]
    NotASet,
    /// Not an object.
    #[error("must be a JWK: a table")]
    NotAKey,
    /// It holds a private or a symmetric key.
    #[error("must be a public key: it has a private part, which belongs to the client alone")]
    Private,
    /// `kty` or `crv` that we do not verify with.
    #[error("must be EC with P-256, OKP with Ed25519, or RSA")]
    Kind,
    /// A member that is missing or not base64url.
    #[error("a member of the key is missing or not base64url without padding")]
    Member,
    /// Not a point of the curve.
    #[error("is no point of its curve")]
    NotOnCurve,
    /// RSA below 2048 bits (RFC 7518 §3.3) or beyond 4096, or an exponent that nobody should use.
    #[error("an RSA key must have 2048 to 4096 bits and an odd exponent above 1")]
    RsaSize,
    /// `use` or `key_ops` says that it is for something else.
    #[error("its use or key_ops allows neither verifying signatures nor encrypting with such a key")]
    Use,
}

const PRIVATE_MEMBERS: [&str; 8] = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"];

/// The keys of a JWK Set that verify signatures; beside them it may have keys to encrypt to. Or each unfit one by its position, `None` for the set itself.
pub fn check(jwks: &Value) -> Result<Vec<KeyMaterial>, Vec<(Option<usize>, UnfitKey)>> {
    let keys = jwks.get("keys").and_then(Value::as_array).filter(|keys| !keys.is_empty());
    let Some(keys) = keys else { return Err(vec![(None, UnfitKey::NotASet)]) };
    let mut fit = Vec::new();
    let mut unfit = Vec::new();
    for (i, key) in keys.iter().enumerate() {
        match key.as_object().ok_or(UnfitKey::NotAKey).and_then(material) {
            Ok(key) => fit.extend(key),
            Err(why) => unfit.push((Some(i), why)),
        }
    }
    if unfit.is_empty() { Ok(fit) } else { Err(unfit) }
}

/// The key; or nothing, where it is one to encrypt to.
fn material(jwk: &Map<String, Value>) -> Result<Option<KeyMaterial>, UnfitKey> {
    if PRIVATE_MEMBERS.iter().any(|member| jwk.contains_key(*member)) {
        return Err(UnfitKey::Private);
    }
    let text = |member: &str| jwk.get(member).and_then(Value::as_str);
    if text("use") == Some("enc") {
        // What exactly it must be, the room that encrypts knows.
        return match (text("kty"), text("crv")) {
            (Some("RSA"), None)
            | (Some("EC"), Some("P-256" | "P-384" | "P-521"))
            | (Some("OKP"), Some("X25519")) => Ok(None),
            _ => Err(UnfitKey::Use),
        };
    }
    let for_verifying = jwk.get("use").is_none_or(|u| u == "sig")
        && jwk
            .get("key_ops")
            .is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.contains(&"verify".into())));
    if !for_verifying {
        return Err(UnfitKey::Use);
    }
    let bytes = |member: &str| {
        let decoded = text(member).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        decoded.filter(|bytes| !bytes.is_empty()).ok_or(UnfitKey::Member)
    };
    match (text("kty"), text("crv")) {
        (Some("EC"), Some("P-256")) => p256(bytes("x")?, bytes("y")?).map(Some),
        (Some("OKP"), Some("Ed25519")) => ed25519(bytes("x")?).map(Some),
        (Some("RSA"), None) => rsa(without_zeros(bytes("n")?), without_zeros(bytes("e")?)).map(Some),
        _ => Err(UnfitKey::Kind),
    }
}

fn p256(x: Vec<u8>, y: Vec<u8>) -> Result<KeyMaterial, UnfitKey> {
    let point = [&[0x04], x.as_slice(), y.as_slice()].concat();
    let fits = x.len() == 32 && y.len() == 32;
    let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    if fits && parsed.is_ok() { Ok(KeyMaterial::P256 { x, y }) } else { Err(UnfitKey::NotOnCurve) }
}

fn ed25519(x: Vec<u8>) -> Result<KeyMaterial, UnfitKey> {
    let fits = x.len() == 32 && ParsedPublicKey::new(&ED25519, &x).is_ok();
    if fits { Ok(KeyMaterial::Ed25519 { x }) } else { Err(UnfitKey::NotOnCurve) }
}

fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<KeyMaterial, UnfitKey> {
    let leading = n.first().map_or(8, |first| first.leading_zeros() as usize);
    let bits = (n.len() * 8).saturating_sub(leading);
    let exponent = e.len() <= 8 && e != [1] && e.last().is_some_and(|last| last & 1 == 1);
    if (2048..=4096).contains(&bits) && exponent {
        Ok(KeyMaterial::Rsa { n, e })
    } else {
        Err(UnfitKey::RsaSize)
    }
}

fn without_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|b| *b == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const X: &str = "og1b0QL38pVYeuKR-NFIST98pr8tiQaSba2AcdQAwQQ";
    const Y: &str = "i8zz-FfbhIe6R68cllVeh3fa2zGYmzNz3K2JQxQ-SJI";
    const ED: &str = "k-5pqHcriTK2ZX8R3Ix0PFGLyDFk7swrqZ05bKU6Jk4";

    fn of_size(bytes: usize) -> String {
        URL_SAFE_NO_PAD.encode(vec![0xff; bytes])
    }

    fn first(jwk: Value) -> Result<KeyMaterial, UnfitKey> {
        match check(&json!({"keys": [jwk]})) {
            Ok(keys) => Ok(keys[0].clone()),
            Err(unfit) => Err(unfit[0].1),
        }
    }

    #[test]
    fn public_keys_of_the_three_kinds_are_fit() {
        assert!(
            first(json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "a", "use": "sig"})).is_ok()
        );
        assert!(first(json!({"kty": "OKP", "crv": "Ed25519", "x": ED})).is_ok());
        assert!(first(json!({"kty": "RSA", "n": of_size(256), "e": "AQAB"})).is_ok());
    }

    #[test]
    fn private_symmetric_weak_and_foreign_keys_are_not() {
        for (jwk, why) in [
            (json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "d": X}), UnfitKey::Private),
            (json!({"kty": "oct", "k": X}), UnfitKey::Private),
            (json!({"kty": "oct"}), UnfitKey::Kind),
            (json!({"kty": "EC", "crv": "P-384", "x": X, "y": Y}), UnfitKey::Kind),
            (json!({"kty": "OKP", "crv": "X25519", "x": ED}), UnfitKey::Kind),
            (json!({"kty": "EC", "crv": "P-256", "x": X}), UnfitKey::Member),
            (json!({"kty": "EC", "crv": "P-256", "x": "=", "y": Y}), UnfitKey::Member),
            (json!({"kty": "EC", "crv": "P-256", "x": X, "y": X}), UnfitKey::NotOnCurve),
            (json!({"kty": "OKP", "crv": "Ed25519", "x": "AQAB"}), UnfitKey::NotOnCurve),
            (json!({"kty": "RSA", "n": of_size(255), "e": "AQAB"}), UnfitKey::RsaSize),
            (json!({"kty": "RSA", "n": of_size(256), "e": "AQ"}), UnfitKey::RsaSize),
            (json!({"kty": "RSA", "n": of_size(256), "e": "Ag"}), UnfitKey::RsaSize),
            (json!({"kty": "OKP", "crv": "Ed25519", "x": ED, "use": "enc"}), UnfitKey::Use),
            (json!({"kty": "OKP", "crv": "Ed25519", "x": ED, "key_ops": ["encrypt"]}), UnfitKey::Use),
            (json!("key"), UnfitKey::NotAKey),
        ] {
            assert_eq!(first(jwk.clone()), Err(why), "{jwk}");
        }
        for no_set in [json!({}), json!({"keys": []}), json!([])] {
            assert_eq!(check(&no_set), Err(vec![(None, UnfitKey::NotASet)]));
        }
    }

    #[test]
    fn a_key_to_encrypt_to_may_stand_beside_those_that_verify() {
        let keys = json!({"keys": [
            {"kty": "RSA", "n": of_size(256), "e": "AQAB", "use": "enc"},
            {"kty": "OKP", "crv": "X25519", "x": ED, "use": "enc"},
            {"kty": "OKP", "crv": "Ed25519", "x": ED, "use": "sig"},
        ]});
        assert_eq!(check(&keys).map(|keys| keys.len()), Ok(1));
        let private = json!({"keys": [{"kty": "OKP", "crv": "X25519", "x": ED, "d": ED, "use": "enc"}]});
        assert_eq!(check(&private), Err(vec![(Some(0), UnfitKey::Private)]));
    }

    #[test]
    fn leading_zeros_do_not_make_another_rsa_key() {
        let padded = URL_SAFE_NO_PAD.encode([vec![0], vec![0xff; 256]].concat());
        let plain = first(json!({"kty": "RSA", "n": of_size(256), "e": "AQAB"}));
        assert_eq!(first(json!({"kty": "RSA", "n": padded, "e": "AAEAAQ"})), plain);
    }
}

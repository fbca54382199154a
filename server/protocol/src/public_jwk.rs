//! A public key that somebody sends along (RFC 7517), kept to the kinds our algorithms use, and its thumbprint
//! (RFC 7638), by which tokens are bound to it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::client::SigningAlg;
use crate::identifier::Jkt;

/// A public key, reduced to the members that make it (RFC 7638 §3.2). Each is canonical base64url, so that one key
/// has one thumbprint. Whether its numbers are a point on the curve is for whoever verifies with it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PublicJwk {
    key: Key,
    jkt: Jkt,
}

/// The kinds of keys, by what makes them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Key {
    /// `EC` on `P-256` (RFC 7518 §6.2.1).
    P256 { x: Box<str>, y: Box<str> },
    /// `OKP` on `Ed25519` (RFC 8037 §2).
    Ed25519 { x: Box<str> },
    /// `RSA` of 2048 to 4096 bits (RFC 7518 §6.3.1).
    Rsa { n: Box<str>, e: Box<str> },
}

/// Why a JWK is not taken as a public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidJwk {
    /// It holds private or symmetric key material.
    #[error("jwk must not hold private or symmetric key material")]
    Private,
    /// Neither EC on P-256, nor OKP on Ed25519, nor RSA.
    #[error("jwk must be an EC key on P-256, an OKP key on Ed25519 or an RSA key")]
    Kind,
    /// A member is missing or not base64url, or of the wrong length.
    #[error("jwk has a member that is missing, malformed or of the wrong size")]
    Malformed,
}

/// Members that no public key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl PublicJwk {
    /// Reads a JWK; members that do not make the key are passed over.
    ///
    /// # Errors
    /// [`InvalidJwk`] for private keys, other kinds, and members that are not canonical.
    pub fn parse(jwk: &Map<String, Value>) -> Result<Self, InvalidJwk> {
        if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
            return Err(InvalidJwk::Private);
        }
        let key = Key::parse(jwk)?;
        let jkt = key.thumbprint().parse().map_err(|_| InvalidJwk::Malformed)?;
        Ok(Self { key, jkt })
    }

    /// Whether signatures of this algorithm are made with keys of this kind.
    #[must_use]
    pub const fn fits(&self, alg: SigningAlg) -> bool {
        match alg {
            SigningAlg::Es256 => matches!(self.key, Key::P256 { .. }),
            SigningAlg::EdDsa => matches!(self.key, Key::Ed25519 { .. }),
            SigningAlg::Ps256 | SigningAlg::Rs256 => matches!(self.key, Key::Rsa { .. }),
        }
    }

    /// The key as a JWK of nothing but what makes it, for whoever verifies with it.
    #[must_use]
    pub fn to_jwk(&self) -> Map<String, Value> {
        self.key.members().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }

    /// The base64url SHA-256 thumbprint (RFC 7638 §3).
    #[must_use]
    pub const fn jkt(&self) -> &Jkt {
        &self.jkt
    }
}

impl Key {
    fn parse(jwk: &Map<String, Value>) -> Result<Self, InvalidJwk> {
        let named = |member: &str| jwk.get(member).and_then(Value::as_str);
        match (named("kty"), named("crv")) {
            (Some("oct"), _) => Err(InvalidJwk::Private),
            (Some("EC"), Some("P-256")) => {
                Ok(Self::P256 { x: bytes(named("x"), 32..=32)?, y: bytes(named("y"), 32..=32)? })
            }
            (Some("OKP"), Some("Ed25519")) => Ok(Self::Ed25519 { x: bytes(named("x"), 32..=32)? }),
            (Some("RSA"), _) => {
                Ok(Self::Rsa { n: number(named("n"), 256..=512)?, e: number(named("e"), 1..=8)? })
            }
            _ => Err(InvalidJwk::Kind),
        }
    }

    /// The members that make the key, in the order of RFC 7638 §3.3.
    fn members(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::P256 { x, y } => vec![("crv", "P-256"), ("kty", "EC"), ("x", x), ("y", y)],
            Self::Ed25519 { x } => vec![("crv", "Ed25519"), ("kty", "OKP"), ("x", x)],
            Self::Rsa { n, e } => vec![("e", e), ("kty", "RSA"), ("n", n)],
        }
    }

    /// Nothing in the members needs escaping in JSON: they are names of ours and base64url.
    fn thumbprint(&self) -> String {
        let members: Vec<String> =
            self.members().into_iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{{{}}}", members.join(","))))
    }
}

/// Canonical base64url of so many bytes.
fn bytes(member: Option<&str>, length: std::ops::RangeInclusive<usize>) -> Result<Box<str>, InvalidJwk> {
    let text = member.filter(|text| text.len() <= 700).ok_or(InvalidJwk::Malformed)?;
    let decoded = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidJwk::Malformed)?;
    if length.contains(&decoded.len()) { Ok(text.into()) } else { Err(InvalidJwk::Malformed) }
}

/// The same for a number, which has no leading zero byte (RFC 7518 §2, Base64urlUInt).
fn number(member: Option<&str>, length: std::ops::RangeInclusive<usize>) -> Result<Box<str>, InvalidJwk> {
    let text = bytes(member, length)?;
    if text.starts_with("AA") || text.as_ref() == "A" { Err(InvalidJwk::Malformed) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(jwk: &Value) -> Result<PublicJwk, InvalidJwk> {
        PublicJwk::parse(jwk.as_object().unwrap())
    }

    fn of(length: usize) -> String {
        URL_SAFE_NO_PAD.encode(vec![7; length])
    }

    #[test]
    fn a_key_with_private_members_is_refused_whatever_they_hold() {
        let ec = json!({"kty": "EC", "crv": "P-256", "x": of(32), "y": of(32)});
        assert!(parse(&ec).is_ok());
        for member in PRIVATE {
            let mut private = ec.clone();
            private[member] = json!(null);
            assert_eq!(parse(&private), Err(InvalidJwk::Private), "{member}");
        }
        assert_eq!(parse(&json!({"kty": "oct"})), Err(InvalidJwk::Private));
    }

    #[test]
    fn other_curves_and_kinds_are_refused() {
        for other in [
            json!({"kty": "EC", "crv": "P-384", "x": of(48), "y": of(48)}),
            json!({"kty": "EC", "crv": "secp256k1", "x": of(32), "y": of(32)}),
            json!({"kty": "OKP", "crv": "X25519", "x": of(32)}),
            json!({"kty": "ec", "crv": "P-256", "x": of(32), "y": of(32)}),
            json!({}),
        ] {
            assert_eq!(parse(&other), Err(InvalidJwk::Kind), "{other}");
        }
    }

    #[test]
    fn a_key_is_written_in_one_way_only() {
        for odd in [
            json!({"kty": "EC", "crv": "P-256", "x": of(31), "y": of(32)}),
            json!({"kty": "EC", "crv": "P-256", "x": format!("{}=", of(32)), "y": of(32)}),
            json!({"kty": "EC", "crv": "P-256", "x": of(32)}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "B".repeat(43)}),
            json!({"kty": "RSA", "n": of(128), "e": "AQAB"}),
            json!({"kty": "RSA", "n": of(513), "e": "AQAB"}),
            json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([&[0], [7; 256].as_slice()].concat()), "e": "AQAB"}),
            json!({"kty": "RSA", "n": of(256), "e": "AAEAAQ"}),
            json!({"kty": "RSA", "n": of(256), "e": 65537}),
        ] {
            assert_eq!(parse(&odd), Err(InvalidJwk::Malformed), "{odd}");
        }
    }

    #[test]
    fn an_algorithm_fits_the_keys_it_is_made_for() {
        let rsa = parse(&json!({"kty": "RSA", "n": of(256), "e": "AQAB"})).unwrap();
        let ed = parse(&json!({"kty": "OKP", "crv": "Ed25519", "x": of(32)})).unwrap();
        let fitting =
            |key: &PublicJwk| SigningAlg::ALL.into_iter().filter(|a| key.fits(*a)).collect::<Vec<_>>();
        assert_eq!(fitting(&rsa), [SigningAlg::Ps256, SigningAlg::Rs256]);
        assert_eq!(fitting(&ed), [SigningAlg::EdDsa]);
    }

    #[test]
    fn members_that_do_not_make_the_key_do_not_change_its_thumbprint() {
        let bare = json!({"kty": "OKP", "crv": "Ed25519", "x": of(32)});
        let adorned = json!({"kid": "1", "use": "sig", "x": of(32), "crv": "Ed25519", "kty": "OKP"});
        assert_eq!(parse(&bare).unwrap().jkt(), parse(&adorned).unwrap().jkt());
        assert_eq!(Value::Object(parse(&adorned).unwrap().to_jwk()), bare);
    }
}

//! DPoP proofs (RFC 9449 §4): what a proof must say so that whoever presents it is taken for the holder of its
//! key. The signature itself is checked elsewhere, between [`check_header`] and [`check`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::client::SigningAlg;
use crate::identifier::Jkt;
use crate::numeric_date::{NumericDate, Seconds};
use crate::public_jwk::{InvalidJwk, PublicJwk};
use crate::refusal::{ErrorCode, Refuse};
use crate::unverified_claims::{FURTHEST_AHEAD, WrongType, date, jti_fits, text};

/// The longest `htu`, in bytes.
const LONGEST_URI: usize = 2000;

/// What the caller knows about the request that carries the proof.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The request's URL as the public sees it, not as a proxy passes it on.
    pub uri: &'a str,
    /// The access token that came with it, where it goes to a protected resource.
    pub access_token: Option<&'a str>,
    /// Now.
    pub now: NumericDate,
    /// How old a proof may be.
    pub window: Seconds,
    /// Whether a nonce was demanded.
    pub nonce: NonceDemand,
}

/// Whether the server demands a nonce of its own in the proof (RFC 9449 §8, §9). Whether one is its own takes a
/// key to say, so it is said by the caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NonceDemand {
    /// None is demanded; one that is there is passed over.
    NotDemanded,
    /// One is demanded.
    Demanded {
        /// Whether the one in the proof is a recent one of ours; `false` where there is none.
        valid: bool,
    },
}

/// The claims of a proof (RFC 9449 §4.2), each of its JSON type and none of them believed yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProofClaims {
    /// `jti`.
    pub jti: String,
    /// `htm`.
    pub htm: String,
    /// `htu`.
    pub htu: String,
    /// `iat`.
    pub iat: NumericDate,
    /// `ath`.
    pub ath: Option<String>,
    /// `nonce`.
    pub nonce: Option<String>,
}

/// A proof that holds for this one request. Only [`check`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Proof {
    /// The thumbprint of its key, for `cnf.jkt` (RFC 9449 §6.1).
    pub jkt: Jkt,
    /// Its id, to be remembered together with the URL (RFC 9449 §11.1).
    pub jti: String,
    /// Until when its id must be remembered: after this moment the proof is too old anyway.
    pub remember_until: NumericDate,
}

/// Why a proof was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProofRefused {
    /// A required claim is missing or a claim is of the wrong JSON type.
    #[error("the DPoP proof needs the claims jti, htm and htu as strings and iat as a number")]
    Claims,
    /// Another `typ`.
    #[error("the DPoP proof needs the header parameter typ with the value dpop+jwt")]
    Type,
    /// Another `alg`, or none.
    #[error("the DPoP proof must be signed with ES256, EdDSA, PS256 or RS256")]
    Algorithm,
    /// No `jwk`, or one that is no public key of ours.
    #[error("the DPoP proof needs the public key in its header: {0}")]
    Jwk(InvalidJwk),
    /// The key is of another kind than the algorithm.
    #[error("the jwk of the DPoP proof does not fit its alg")]
    JwkAndAlgorithm,
    /// Another `htm`.
    #[error("htm of the DPoP proof is not the method of this request")]
    Method,
    /// Another `htu`.
    #[error("htu of the DPoP proof is not the URL of this request")]
    Uri,
    /// A nonce of ours is needed (RFC 9449 §8).
    #[error("the DPoP proof needs the nonce given in the DPoP-Nonce header")]
    Nonce,
    /// Created too long ago.
    #[error("the DPoP proof is too old; sign a new one for each request")]
    TooOld,
    /// Created in the future.
    #[error("iat of the DPoP proof lies in the future; check the clock")]
    FromTheFuture,
    /// `jti` is empty or too long.
    #[error("jti of the DPoP proof must have 1 to 256 bytes")]
    Jti,
    /// `ath` is missing or that of another token (RFC 9449 §4.3).
    #[error("ath of the DPoP proof must be the base64url SHA-256 of the access token")]
    AccessToken,
}

impl Refuse for ProofRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Nonce => ErrorCode::UseDpopNonce,
            _ => ErrorCode::InvalidDpopProof,
        }
    }
}

impl From<WrongType> for ProofRefused {
    fn from(_: WrongType) -> Self {
        Self::Claims
    }
}

/// Checks the JOSE header (RFC 9449 §4.3, items 4, 5 and 7) and says with which algorithm and key the signature is
/// to be verified.
///
/// # Errors
/// [`ProofRefused`] for another `typ`, `alg` or kind of key.
pub fn check_header(header: &Map<String, Value>) -> Result<(SigningAlg, PublicJwk), ProofRefused> {
    let named = |name: &str| header.get(name).and_then(Value::as_str);
    if named("typ") != Some("dpop+jwt") {
        return Err(ProofRefused::Type);
    }
    let alg = named("alg").and_then(SigningAlg::find).ok_or(ProofRefused::Algorithm)?;
    let jwk = header.get("jwk").and_then(Value::as_object);
    let jwk = jwk.ok_or(InvalidJwk::Malformed).and_then(PublicJwk::parse).map_err(ProofRefused::Jwk)?;
    if jwk.fits(alg) { Ok((alg, jwk)) } else { Err(ProofRefused::JwkAndAlgorithm) }
}

impl ProofClaims {
    /// Reads the payload; unknown claims, `exp` and `nbf` among them, are passed over.
    ///
    /// # Errors
    /// [`ProofRefused::Claims`] where one is missing or of the wrong type.
    pub fn parse(payload: &Map<String, Value>) -> Result<Self, ProofRefused> {
        let optional = |name| text(payload, name).map(|found| found.map(str::to_owned));
        let required = |name| optional(name)?.ok_or(WrongType);
        Ok(Self {
            jti: required("jti")?,
            htm: required("htm")?,
            htu: required("htu")?,
            iat: date(payload, "iat")?.ok_or(WrongType)?,
            ath: optional("ath")?,
            nonce: optional("nonce")?,
        })
    }
}

/// Checks a proof whose signature by `jwk` has been verified, in the order of RFC 9449 §4.3. That the access token
/// is bound to this very key is for the caller to compare: a mismatch there is `invalid_token`.
///
/// # Errors
/// [`ProofRefused`] with the first question that it fails.
pub fn check(jwk: &PublicJwk, claims: &ProofClaims, expected: &Expected<'_>) -> Result<Proof, ProofRefused> {
    if !jti_fits(&claims.jti) {
        return Err(ProofRefused::Jti);
    }
    if claims.htm != expected.method {
        return Err(ProofRefused::Method);
    }
    let htu = normalised(&claims.htu).ok_or(ProofRefused::Uri)?;
    if Some(htu) != normalised(expected.uri) {
        return Err(ProofRefused::Uri);
    }
    if expected.nonce == (NonceDemand::Demanded { valid: false }) {
        return Err(ProofRefused::Nonce);
    }
    if claims.iat.since(expected.now) > FURTHEST_AHEAD {
        return Err(ProofRefused::FromTheFuture);
    }
    if expected.now.since(claims.iat) > expected.window {
        return Err(ProofRefused::TooOld);
    }
    if let Some(token) = expected.access_token {
        let ath = ath(token);
        let same = claims.ath.as_ref().is_some_and(|claim| claim.as_bytes().ct_eq(ath.as_bytes()).into());
        if !same {
            return Err(ProofRefused::AccessToken);
        }
    }
    let remember_until = claims.iat.plus(expected.window).plus(Seconds(1));
    Ok(Proof { jkt: jwk.jkt().clone(), jti: claims.jti.clone(), remember_until })
}

/// The `ath` of an access token (RFC 9449 §4.2).
#[must_use]
pub fn ath(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(access_token))
}

/// An http(s) URL without query and fragment after the normalisation of RFC 3986 §6.2.2 and §6.2.3: case of scheme
/// and host, the default port, dot segments, and percent escapes.
fn normalised(uri: &str) -> Option<String> {
    if uri.len() > LONGEST_URI || !uri.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
        return None;
    }
    let url = Url::parse(uri).ok()?;
    let anonymous = url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "https" | "http") && anonymous)
        .then(|| url.origin().ascii_serialization() + &with_least_escapes(url.path()))
}

/// The path with unreserved characters unescaped and the other escapes in upper case (RFC 3986 §6.2.2.1, §6.2.2.2).
fn with_least_escapes(path: &str) -> String {
    let mut least = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        least.push_str(&rest[..at]);
        let escape = rest.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        rest = match escape {
            Some(byte) => {
                let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
                if unreserved {
                    least.push(byte.into())
                } else {
                    least.push_str(&format!("%{byte:02X}"))
                }
                &rest[at + 3..]
            }
            None => {
                least.push('%');
                &rest[at + 1..]
            }
        };
    }
    least + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: NumericDate = NumericDate(1_000_000);
    const WINDOW: Seconds = Seconds(300);

    fn key() -> Value {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": x})
    }

    fn jwk() -> PublicJwk {
        PublicJwk::parse(key().as_object().unwrap()).unwrap()
    }

    fn payload() -> Value {
        json!({"jti": "1", "htm": "POST", "htu": "https://as.example/token", "iat": NOW.0})
    }

    fn expected() -> Expected<'static> {
        Expected {
            method: "POST",
            uri: "https://as.example/token",
            access_token: None,
            now: NOW,
            window: WINDOW,
            nonce: NonceDemand::NotDemanded,
        }
    }

    fn check_with(payload: &Value, expected: &Expected<'_>) -> Result<Proof, ProofRefused> {
        check(&jwk(), &ProofClaims::parse(payload.as_object().unwrap())?, expected)
    }

    fn changed(name: &str, value: Value) -> Value {
        let mut payload = payload();
        payload[name] = value;
        payload
    }

    #[test]
    fn a_header_has_its_type_an_algorithm_of_ours_and_a_public_key_that_fits() {
        let header = |name: &str, value: Value| {
            let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key()});
            header[name] = value;
            check_header(header.as_object().unwrap()).map(|(alg, _)| alg)
        };
        assert_eq!(header("x", json!(1)), Ok(SigningAlg::Es256));
        for typ in [json!("JWT"), json!("at+jwt"), json!("DPoP+jwt"), json!(null)] {
            assert_eq!(header("typ", typ), Err(ProofRefused::Type));
        }
        for alg in [json!("none"), json!("HS256"), json!("ES384"), json!(null)] {
            assert_eq!(header("alg", alg), Err(ProofRefused::Algorithm));
        }
        assert_eq!(header("alg", json!("RS256")), Err(ProofRefused::JwkAndAlgorithm));
        assert_eq!(header("jwk", json!("k")), Err(ProofRefused::Jwk(InvalidJwk::Malformed)));
        assert_eq!(
            header("jwk", json!({"kty": "oct", "k": "x"})),
            Err(ProofRefused::Jwk(InvalidJwk::Private))
        );
    }

    #[test]
    fn a_proof_that_fits_the_request_is_accepted_with_its_thumbprint() {
        let proof = check_with(&changed("exp", json!(1)), &expected()).unwrap();
        assert_eq!((proof.jti.as_str(), &proof.jkt), ("1", jwk().jkt()));
        assert_eq!(proof.remember_until, NumericDate(NOW.0 + 301));
    }

    #[test]
    fn every_claim_is_required_and_of_its_type() {
        for name in ["jti", "htm", "htu", "iat"] {
            let mut payload = payload();
            payload.as_object_mut().unwrap().remove(name);
            assert_eq!(check_with(&payload, &expected()), Err(ProofRefused::Claims), "{name}");
        }
        for (name, value) in [("iat", json!("1000000")), ("htm", json!(["POST"])), ("ath", json!(1))] {
            assert_eq!(check_with(&changed(name, value), &expected()), Err(ProofRefused::Claims), "{name}");
        }
    }

    #[test]
    fn the_method_is_compared_case_sensitively() {
        for other in ["GET", "post", "POST ", ""] {
            assert_eq!(check_with(&changed("htm", other.into()), &expected()), Err(ProofRefused::Method));
        }
    }

    #[test]
    fn the_same_url_may_be_written_in_several_ways() {
        for same in [
            "https://as.example/token?a=b#c",
            "HTTPS://AS.EXAMPLE:443/token",
            "https://as.example/x/../token",
            "https://as.example/%74oken",
        ] {
            assert!(check_with(&changed("htu", same.into()), &expected()).is_ok(), "{same}");
        }
        let odd = Expected { uri: "https://as.example/a%2fb~?q", ..expected() };
        assert!(check_with(&changed("htu", "https://as.example/a%2Fb%7e".into()), &odd).is_ok());
    }

    #[test]
    fn another_url_is_refused() {
        for other in [
            "https://as.example/token/",
            "https://as.example/Token",
            "https://as.example:8443/token",
            "http://as.example/token",
            "https://as.example.evil.example/token",
            "https://user@as.example/token",
            "https://as.example/to%2Fken",
            "/token",
            "token",
            " https://as.example/token",
        ] {
            assert_eq!(
                check_with(&changed("htu", other.into()), &expected()),
                Err(ProofRefused::Uri),
                "{other}"
            );
        }
        let broken = Expected { uri: "inner", ..expected() };
        assert_eq!(check_with(&changed("htu", "inner".into()), &broken), Err(ProofRefused::Uri));
    }

    #[test]
    fn a_proof_may_be_as_old_as_the_window_and_a_minute_ahead() {
        let at = |seconds: i64| check_with(&changed("iat", json!(NOW.0 + seconds)), &expected()).map(|_| ());
        for fine in [-300, -10, 10, 60] {
            assert_eq!(at(fine), Ok(()), "{fine}");
        }
        assert_eq!(at(-301), Err(ProofRefused::TooOld));
        assert_eq!(at(61), Err(ProofRefused::FromTheFuture));
        for absurd in [i64::MAX, i64::MIN] {
            assert!(check_with(&changed("iat", json!(absurd)), &expected()).is_err());
        }
    }

    #[test]
    fn a_demanded_nonce_must_be_ours() {
        let nonce = |valid| Expected { nonce: NonceDemand::Demanded { valid }, ..expected() };
        assert!(check_with(&payload(), &nonce(true)).is_ok());
        let refused = check_with(&payload(), &nonce(false)).unwrap_err();
        assert_eq!((refused, refused.code()), (ProofRefused::Nonce, ErrorCode::UseDpopNonce));
    }

    #[test]
    fn a_jti_has_1_to_256_bytes() {
        assert!(check_with(&changed("jti", "x".repeat(256).into()), &expected()).is_ok());
        for bad in [String::new(), "x".repeat(257)] {
            assert_eq!(check_with(&changed("jti", bad.into()), &expected()), Err(ProofRefused::Jti));
        }
    }

    #[test]
    fn beside_an_access_token_the_proof_names_its_hash() {
        let with_token = Expected { access_token: Some("t"), ..expected() };
        assert!(check_with(&changed("ath", ath("t").into()), &with_token).is_ok());
        for wrong in [payload(), changed("ath", ath("u").into()), changed("ath", "".into())] {
            assert_eq!(check_with(&wrong, &with_token), Err(ProofRefused::AccessToken));
        }
    }
}

//! Attestation-based client authentication: whoever starts the instances of a client vouches for the key of each, and the
//! instance proves that it holds it (OAuth 2.0 Attestation-Based Client Authentication).

use serde_json::{Map, Value};

use crate::identifier::{ClientId, InstanceId, Jkt};
use crate::numeric_date::{NumericDate, Seconds};
use crate::public_jwk::PublicJwk;
use crate::refusal::{ErrorCode, Refuse};
use crate::unverified_claims::{FURTHEST_AHEAD, WrongType, date, jti_fits, text};

/// `typ` of a Client Attestation.
const ATTESTATION: &str = "oauth-client-attestation+jwt";
/// `typ` of its proof of possession.
const PROOF: &str = "oauth-client-attestation-pop+jwt";
/// How long after its `exp` an attestation still counts, because clocks differ.
const SKEW: Seconds = Seconds(10);

/// An instance's key, and that somebody vouches for it. Only [`check`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Attested {
    /// The key that the instance must prove (`cnf.jwk`).
    pub key: PublicJwk,
    /// The instance: its key's thumbprint.
    pub instance: InstanceId,
}

/// What a proof of possession says. Only [`check_proof`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Proof {
    /// `jti`, to be remembered for this instance.
    pub jti: String,
    /// Until when.
    pub remember_until: NumericDate,
}

/// What the caller knows of a proof.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedProof<'a> {
    /// Our issuer identifier.
    pub issuer: &'a str,
    /// Now.
    pub now: NumericDate,
    /// How long ago it may have been made.
    pub window: Seconds,
    /// Whether it must answer a challenge of ours.
    pub challenge_demanded: bool,
    /// Whether the challenge that it answers is one, and recent.
    pub challenge_fits: bool,
}

/// How an instance proves the attested key (§5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Possession {
    /// With a JWT of its own in `OAuth-Client-Attestation-PoP` (§5.1).
    Jwt,
    /// With the DPoP proof of the same key (§5.2).
    Dpop,
}

/// Why an attestation or its proof is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AttestationRefused {
    /// Not one attestation with one proof.
    #[error(
        "send exactly one OAuth-Client-Attestation header, and with it one OAuth-Client-Attestation-PoP header, or \
         where the client is registered so one DPoP header alone"
    )]
    Headers,
    /// The proof is of the kind that the client is not registered for.
    #[error(
        "the client is registered to prove its attested key in the other way: attest_jwt_client_auth with an \
         OAuth-Client-Attestation-PoP header, attest_jwt_client_auth_dpop with its DPoP proof and none"
    )]
    OtherWay,
    /// A `typ` that says it is something else.
    #[error(
        "typ of the client attestation must be oauth-client-attestation+jwt, of its proof \
         oauth-client-attestation-pop+jwt"
    )]
    Type,
    /// Another client than the one it is shown for.
    #[error("sub of the client attestation must be the client_id")]
    Client,
    /// No public key to be proven.
    #[error("the client attestation needs cnf with a public key as jwk, without any private part")]
    Key,
    /// It is over, or has no end.
    #[error("the client attestation is over, or has no exp; get a fresh one")]
    NotFresh,
    /// `iat` or `nbf` lies in the future, or the proof is too old.
    #[error("the client attestation or its proof is not of now; check the clock")]
    NotOfNow,
    /// The proof is for others, or for others too.
    #[error("aud of the proof must be the issuer identifier alone")]
    Audience,
    /// `jti` is missing, empty or too long.
    #[error("the proof needs a jti of 1 to 256 bytes")]
    Jti,
    /// The proof is not signed with the attested key.
    #[error("the proof is not signed with the key of the client attestation")]
    NotProven,
    /// A challenge of ours is missing, or too old.
    #[error("the proof must answer a recent challenge; use the one in OAuth-Client-Attestation-Challenge")]
    Challenge,
    /// A claim is of the wrong JSON type.
    #[error("a claim of the client attestation or of its proof has the wrong JSON type")]
    Claims,
}

impl Refuse for AttestationRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotFresh => ErrorCode::UseFreshAttestation,
            Self::Challenge => ErrorCode::UseAttestationChallenge,
            _ => ErrorCode::InvalidClientAttestation,
        }
    }
}

impl From<WrongType> for AttestationRefused {
    fn from(_: WrongType) -> Self {
        Self::Claims
    }
}

/// How a request with these many headers proves the attested key (§7): a proof in a header of its own stands for itself,
/// and whatever DPoP proof comes with it has nothing to do with it.
///
/// # Errors
/// [`AttestationRefused::Headers`] where there is not one attestation with one proof.
pub const fn possession(
    attestations: usize,
    proofs: usize,
    dpop_proofs: usize,
) -> Result<Possession, AttestationRefused> {
    match (attestations, proofs, dpop_proofs) {
        (1, 1, _) => Ok(Possession::Jwt),
        (1, 0, 1) => Ok(Possession::Dpop),
        _ => Err(AttestationRefused::Headers),
    }
}

/// Checks that the DPoP proof is of the attested key (§7.3), and says whether its `nonce` stands for a challenge that
/// may be none of ours: such a one is never passed over.
///
/// # Errors
/// [`AttestationRefused::NotProven`] for another key, [`AttestationRefused::Challenge`] for a strange challenge.
pub fn check_combined(
    attested: &Attested,
    proven: &Jkt,
    nonce: Option<&str>,
    nonce_fits: bool,
) -> Result<(), AttestationRefused> {
    if attested.key.jkt() != proven {
        return Err(AttestationRefused::NotProven);
    }
    if nonce.is_some() && !nonce_fits { Err(AttestationRefused::Challenge) } else { Ok(()) }
}

/// Whom an attestation claims to be of, so that the keys of the right attester can be tried.
#[must_use]
pub fn unverified_client(claims: &Map<String, Value>) -> Option<ClientId> {
    claims.get("sub")?.as_str()?.parse().ok()
}

/// Checks header and claims of an attestation, once its signature is of the attester's.
///
/// # Errors
/// [`AttestationRefused`] with the first question that it fails.
pub fn check(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    client: &ClientId,
    now: NumericDate,
) -> Result<Attested, AttestationRefused> {
    check_type(header, ATTESTATION)?;
    if text(claims, "sub")? != Some(client.as_str()) {
        return Err(AttestationRefused::Client);
    }
    let expires_at = date(claims, "exp")?.ok_or(AttestationRefused::NotFresh)?;
    if expires_at.plus(SKEW).is_over(now) {
        return Err(AttestationRefused::NotFresh);
    }
    for name in ["iat", "nbf"] {
        if date(claims, name)?.is_some_and(|moment| moment.since(now) > FURTHEST_AHEAD) {
            return Err(AttestationRefused::NotOfNow);
        }
    }
    let jwk = claims.get("cnf").and_then(|cnf| cnf.get("jwk")).and_then(Value::as_object);
    let key = jwk.and_then(|jwk| PublicJwk::parse(jwk).ok()).ok_or(AttestationRefused::Key)?;
    let instance = key.jkt().as_str().parse().map_err(|_| AttestationRefused::Key)?;
    Ok(Attested { key, instance })
}

/// Checks header and claims of a proof, once its signature is of the attested key: for us alone, made now, and in answer
/// to a challenge where one is demanded. A challenge that is none of ours is never passed over.
///
/// # Errors
/// [`AttestationRefused`] with the first question that it fails.
pub fn check_proof(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    expected: ExpectedProof<'_>,
) -> Result<Proof, AttestationRefused> {
    check_type(header, PROOF)?;
    let for_us = match claims.get("aud") {
        Some(Value::Array(all)) => matches!(all.as_slice(), [one] if one == expected.issuer),
        Some(one) => one == expected.issuer,
        None => false,
    };
    if !for_us {
        return Err(AttestationRefused::Audience);
    }
    let made_at = date(claims, "iat")?.ok_or(AttestationRefused::NotOfNow)?;
    if made_at.since(expected.now) > FURTHEST_AHEAD || expected.now.since(made_at) > expected.window {
        return Err(AttestationRefused::NotOfNow);
    }
    let jti = text(claims, "jti")?.filter(|jti| jti_fits(jti)).ok_or(AttestationRefused::Jti)?;
    let answers = text(claims, "challenge")?.is_some();
    if (expected.challenge_demanded || answers) && !expected.challenge_fits {
        return Err(AttestationRefused::Challenge);
    }
    let remember_until = made_at.plus(expected.window).plus(FURTHEST_AHEAD);
    Ok(Proof { jti: jti.to_owned(), remember_until })
}

/// The `typ` is not optional here: these JWTs are told apart by it.
fn check_type(header: &Map<String, Value>, expected: &str) -> Result<(), AttestationRefused> {
    match text(header, "typ") {
        Ok(Some(typ)) if typ.eq_ignore_ascii_case(expected) => Ok(()),
        _ => Err(AttestationRefused::Type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_000_000;
    const US: &str = "https://as.example";

    fn jwk() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }

    fn attested(name: &str, value: Value) -> Result<Attested, AttestationRefused> {
        let header = json!({ "typ": ATTESTATION });
        let mut claims =
            json!({ "iss": "them", "sub": "c", "exp": NOW + 60, "iat": NOW, "cnf": { "jwk": jwk() } });
        match value.is_null() {
            true => drop(claims.as_object_mut().unwrap().remove(name)),
            false => claims[name] = value,
        }
        let client = "c".parse().unwrap();
        check(header.as_object().unwrap(), claims.as_object().unwrap(), &client, NumericDate(NOW))
    }

    #[test]
    fn an_attestation_in_order_names_the_instance_by_its_key() {
        let attested = attested("x", json!(1)).unwrap();
        assert_eq!(attested.instance.as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn whatever_is_wrong_with_an_attestation_is_refused_for_that() {
        let private = json!({ "jwk": { "kty": "OKP", "crv": "Ed25519", "x": jwk()["x"], "d": "AA" } });
        for (name, value, reason) in [
            ("sub", json!("d"), AttestationRefused::Client),
            ("sub", json!(null), AttestationRefused::Client),
            ("exp", json!(null), AttestationRefused::NotFresh),
            ("exp", json!(NOW - 10), AttestationRefused::NotFresh),
            ("exp", json!("soon"), AttestationRefused::Claims),
            ("iat", json!(NOW + 61), AttestationRefused::NotOfNow),
            ("nbf", json!(NOW + 61), AttestationRefused::NotOfNow),
            ("cnf", json!(null), AttestationRefused::Key),
            ("cnf", json!({ "jkt": "x" }), AttestationRefused::Key),
            ("cnf", private, AttestationRefused::Key),
        ] {
            assert_eq!(attested(name, value.clone()), Err(reason), "{name} {value}");
        }
        assert!(attested("exp", json!(NOW - 9)).is_ok() && attested("iss", json!(null)).is_ok());
        assert_eq!(AttestationRefused::NotFresh.code(), ErrorCode::UseFreshAttestation);
        assert_eq!(AttestationRefused::Key.code(), ErrorCode::InvalidClientAttestation);
    }

    fn proven(name: &str, value: Value, demanded: bool, fits: bool) -> Result<Proof, AttestationRefused> {
        let header = json!({ "typ": PROOF });
        let mut claims = json!({ "aud": US, "jti": "1", "iat": NOW });
        match value.is_null() {
            true => drop(claims.as_object_mut().unwrap().remove(name)),
            false => claims[name] = value,
        }
        let expected = ExpectedProof {
            issuer: US,
            now: NumericDate(NOW),
            window: Seconds(60),
            challenge_demanded: demanded,
            challenge_fits: fits,
        };
        check_proof(header.as_object().unwrap(), claims.as_object().unwrap(), expected)
    }

    #[test]
    fn a_proof_is_for_us_alone_made_now_and_answers_the_challenge() {
        let proof = proven("x", json!(1), false, false).unwrap();
        assert_eq!((proof.jti.as_str(), proof.remember_until), ("1", NumericDate(NOW + 120)));
        for (name, value, reason) in [
            ("aud", json!([US, "x"]), AttestationRefused::Audience),
            ("aud", json!(null), AttestationRefused::Audience),
            ("iat", json!(NOW - 61), AttestationRefused::NotOfNow),
            ("iat", json!(NOW + 61), AttestationRefused::NotOfNow),
            ("iat", json!(null), AttestationRefused::NotOfNow),
            ("jti", json!(null), AttestationRefused::Jti),
            ("challenge", json!("old"), AttestationRefused::Challenge),
            ("challenge", json!(1), AttestationRefused::Claims),
        ] {
            assert_eq!(proven(name, value.clone(), false, false), Err(reason), "{name} {value}");
        }
        assert_eq!(proven("x", json!(1), true, false), Err(AttestationRefused::Challenge));
        assert!(proven("challenge", json!("new"), true, true).is_ok());
    }

    #[test]
    fn one_attestation_comes_with_one_proof() {
        for (headers, found) in [
            ((1, 1, 0), Ok(Possession::Jwt)),
            ((1, 1, 1), Ok(Possession::Jwt)),
            ((1, 1, 2), Ok(Possession::Jwt)),
            ((1, 0, 1), Ok(Possession::Dpop)),
            ((1, 0, 0), Err(AttestationRefused::Headers)),
            ((1, 0, 2), Err(AttestationRefused::Headers)),
            ((1, 2, 1), Err(AttestationRefused::Headers)),
            ((0, 1, 1), Err(AttestationRefused::Headers)),
            ((2, 1, 1), Err(AttestationRefused::Headers)),
            ((2, 0, 1), Err(AttestationRefused::Headers)),
        ] {
            let (attestations, proofs, dpop_proofs) = headers;
            assert_eq!(possession(attestations, proofs, dpop_proofs), found, "{headers:?}");
        }
    }

    #[test]
    fn a_dpop_proof_stands_for_the_attested_key_only_if_it_is_of_that_key() {
        let attested = attested("x", json!(1)).unwrap();
        let (own, other) = (attested.key.jkt().clone(), "x".repeat(43).parse().unwrap());
        assert_eq!(check_combined(&attested, &own, None, false), Ok(()));
        assert_eq!(check_combined(&attested, &own, Some("new"), true), Ok(()));
        assert_eq!(check_combined(&attested, &other, Some("new"), true), Err(AttestationRefused::NotProven));
        assert_eq!(check_combined(&attested, &own, Some("old"), false), Err(AttestationRefused::Challenge));
    }

    #[test]
    fn each_jwt_says_by_its_typ_which_it_is() {
        let claims = json!({ "sub": "c" });
        let (claims, client) = (claims.as_object().unwrap(), "c".parse().unwrap());
        for typ in [json!(PROOF), json!("JWT"), json!(""), json!(1)] {
            let header = json!({ "typ": typ });
            let refused = check(header.as_object().unwrap(), claims, &client, NumericDate(NOW));
            assert_eq!(refused, Err(AttestationRefused::Type));
        }
    }
}

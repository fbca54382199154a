//! Proof Key for Code Exchange (RFC 7636): the code can be redeemed only by whoever began the request. `S256` is
//! the one method; `plain` proves nothing to somebody who has seen the request, so it is not there.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::refusal::{ErrorCode, Refuse};

/// The one `code_challenge_method` (RFC 7636 §4.3).
pub const METHOD: &str = "S256";

/// An S256 `code_challenge`: the base64url SHA-256 of the verifier (RFC 7636 §4.2), so always 43 characters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge(Box<str>);

/// A `code_verifier`: 43 to 128 unreserved characters (RFC 7636 §4.1). It is a secret and does not print.
pub struct CodeVerifier<'a>(&'a str);

/// Why `code_challenge` and `code_challenge_method` were refused (RFC 7636 §4.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidChallenge {
    /// Not 43 base64url characters.
    #[error("code_challenge must be the 43 base64url characters of a SHA-256 hash")]
    Malformed,
    /// A challenge without a method means `plain` (RFC 7636 §4.3), which is not supported.
    #[error("code_challenge_method is required and must be S256")]
    MethodMissing,
    /// Another method than S256.
    #[error("code_challenge_method must be S256")]
    MethodNotSupported,
    /// A method without a challenge.
    #[error("code_challenge_method was sent without code_challenge")]
    ChallengeMissing,
}

impl Refuse for InvalidChallenge {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

/// Why a code cannot be redeemed with this verifier, or without one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PkceRefused {
    /// The request had a challenge and the verifier is missing.
    #[error("code_verifier is required: the authorization request had a code_challenge")]
    VerifierMissing,
    /// The verifier is none by its syntax, or not the one of this challenge (RFC 7636 §4.6).
    #[error("code_verifier does not match the code_challenge")]
    Mismatch,
    /// A verifier for a request that had no challenge: a downgrade (RFC 9700 §4.8.2).
    #[error("code_verifier was sent, but the authorization request had no code_challenge")]
    ChallengeMissing,
}

impl Refuse for PkceRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::VerifierMissing | Self::Mismatch => ErrorCode::InvalidGrant,
            Self::ChallengeMissing => ErrorCode::InvalidRequest,
        }
    }
}

impl CodeChallenge {
    /// Reads both parameters of an authorization request; `None` where neither was sent.
    ///
    /// # Errors
    /// [`InvalidChallenge`] for half of them, another method, or a challenge that cannot be a hash.
    pub fn from_params(
        challenge: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Self>, InvalidChallenge> {
        match (challenge, method) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(InvalidChallenge::ChallengeMissing),
            (Some(_), None) => Err(InvalidChallenge::MethodMissing),
            (Some(challenge), Some(METHOD)) => challenge.parse().map(Some),
            (Some(_), Some(_)) => Err(InvalidChallenge::MethodNotSupported),
        }
    }

    /// The challenge as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_of(&self, verifier: &CodeVerifier<'_>) -> bool {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.0));
        digest.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

impl std::str::FromStr for CodeChallenge {
    type Err = InvalidChallenge;

    fn from_str(text: &str) -> Result<Self, InvalidChallenge> {
        let base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if text.len() == 43 && text.bytes().all(base64url) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidChallenge::Malformed)
        }
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = InvalidChallenge;
    fn try_from(text: String) -> Result<Self, InvalidChallenge> {
        text.parse()
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> Self {
        challenge.0.into()
    }
}

impl<'a> CodeVerifier<'a> {
    /// The verifier, if the text can be one.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        ((43..=128).contains(&text.len()) && text.bytes().all(unreserved)).then_some(Self(text))
    }
}

/// Checks the verifier of a token request against the challenge that the code was bound to: either both are there
/// and fit, or neither is. Compared in constant time.
///
/// # Errors
/// [`PkceRefused`] in all other cases.
pub fn check(challenge: Option<&CodeChallenge>, verifier: Option<&str>) -> Result<(), PkceRefused> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(PkceRefused::ChallengeMissing),
        (Some(_), None) => Err(PkceRefused::VerifierMissing),
        (Some(challenge), Some(text)) => {
            let verifier = CodeVerifier::parse(text).ok_or(PkceRefused::Mismatch)?;
            if challenge.is_of(&verifier) { Ok(()) } else { Err(PkceRefused::Mismatch) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn challenge_of(verifier: &str) -> CodeChallenge {
        URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)).parse().unwrap()
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        for length in [43, 128] {
            let verifier = "~".repeat(length);
            assert_eq!(check(Some(&challenge_of(&verifier)), Some(&verifier)), Ok(()));
        }
        for bad in ["x".repeat(42), "x".repeat(129), "+".repeat(43), "ä".repeat(43)] {
            let refused = check(Some(&challenge_of(&bad)), Some(&bad));
            assert_eq!(refused, Err(PkceRefused::Mismatch), "{bad}");
        }
    }

    #[test]
    fn another_verifier_or_the_challenge_itself_is_a_mismatch() {
        let challenge = challenge_of(VERIFIER);
        let changed = VERIFIER.replace('d', "e");
        for wrong in [changed.as_str(), challenge.as_str()] {
            assert_eq!(check(Some(&challenge), Some(wrong)), Err(PkceRefused::Mismatch));
        }
        assert_eq!(PkceRefused::Mismatch.code(), ErrorCode::InvalidGrant);
    }

    #[test]
    fn a_verifier_is_there_exactly_if_the_challenge_was() {
        assert_eq!(check(None, None), Ok(()));
        let missing = check(Some(&challenge_of(VERIFIER)), None).unwrap_err();
        assert_eq!((missing, missing.code()), (PkceRefused::VerifierMissing, ErrorCode::InvalidGrant));
        let downgraded = check(None, Some(VERIFIER)).unwrap_err();
        let expected = (PkceRefused::ChallengeMissing, ErrorCode::InvalidRequest);
        assert_eq!((downgraded, downgraded.code()), expected);
    }

    #[test]
    fn only_s256_is_a_method_and_it_must_be_named() {
        let challenge = challenge_of(VERIFIER);
        let read = |method| CodeChallenge::from_params(Some(challenge.as_str()), method);
        assert_eq!(read(Some("S256")), Ok(Some(challenge.clone())));
        assert_eq!(read(None), Err(InvalidChallenge::MethodMissing));
        for other in ["plain", "s256", "S512"] {
            assert_eq!(read(Some(other)), Err(InvalidChallenge::MethodNotSupported), "{other}");
        }
        assert_eq!(CodeChallenge::from_params(None, None), Ok(None));
        assert_eq!(CodeChallenge::from_params(None, Some("S256")), Err(InvalidChallenge::ChallengeMissing));
    }

    #[test]
    fn a_challenge_is_43_base64url_characters() {
        for bad in ["a", &"a".repeat(42), &"a".repeat(44), &"~".repeat(43), &"=".repeat(43)] {
            assert_eq!(bad.parse::<CodeChallenge>(), Err(InvalidChallenge::Malformed), "{bad}");
        }
    }
}

//! `login_hint_token` (Client-Initiated Backchannel Authentication §7.1): its form is for each server to choose. Here it
//! is a JWT that the client signs, with a subject identifier (RFC 9493) as `sub_id`.

use serde_json::{Map, Value};

use super::signed_request::Expected;
use crate::refusal::{ErrorCode, Refuse};
use crate::unverified_claims::{date, text};

/// Whom a `login_hint_token` names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HintedSubject {
    /// A `sub` of ours (`iss_sub`, RFC 9493 §3.2.3).
    Sub(String),
    /// What the user types to sign in (`opaque`, RFC 9493 §3.2.4).
    Username(String),
}

/// Why a `login_hint_token` was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HintRefused {
    /// It is over.
    #[error("login_hint_token has expired")]
    Expired,
    /// Anything else.
    #[error(
        "login_hint_token must be a JWT of this client for the issuer, with exp and a sub_id of RFC 9493"
    )]
    Malformed,
}

impl Refuse for HintRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Expired => ErrorCode::ExpiredLoginHintToken,
            Self::Malformed => ErrorCode::InvalidRequest,
        }
    }
}

impl HintedSubject {
    /// Whom the claims name, if they are the client's, for us, and not over.
    ///
    /// # Errors
    /// [`HintRefused`].
    pub fn check(claims: &Map<String, Value>, expected: Expected<'_>) -> Result<Self, HintRefused> {
        let own = |name: &str| text(claims, name).ok().flatten();
        if own("iss") != Some(expected.client.as_str()) || own("aud") != Some(expected.issuer) {
            return Err(HintRefused::Malformed);
        }
        let expires_at = date(claims, "exp").ok().flatten().ok_or(HintRefused::Malformed)?;
        if expires_at.is_over(expected.now) {
            return Err(HintRefused::Expired);
        }
        let subject = claims.get("sub_id").and_then(Value::as_object).ok_or(HintRefused::Malformed)?;
        let member = |name: &str| subject.get(name).and_then(Value::as_str);
        match (member("format"), member("iss"), member("sub"), member("id")) {
            (Some("iss_sub"), Some(issuer), Some(sub), _) if issuer == expected.issuer => {
                Ok(Self::Sub(sub.to_owned()))
            }
            (Some("opaque"), _, _, Some(id)) => Ok(Self::Username(id.to_owned())),
            _ => Err(HintRefused::Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric_date::{NumericDate, Seconds};
    use serde_json::json;

    const ISSUER: &str = "https://as.example";

    fn check(claims: Value) -> Result<HintedSubject, HintRefused> {
        let client = "c".parse().unwrap();
        let expected =
            Expected { client: &client, issuer: ISSUER, life: Seconds(60), now: NumericDate(1000) };
        HintedSubject::check(claims.as_object().unwrap(), expected)
    }

    fn naming(sub_id: Value) -> Value {
        json!({"iss": "c", "aud": ISSUER, "exp": 1001, "sub_id": sub_id})
    }

    #[test]
    fn a_user_is_named_by_sub_or_by_username() {
        let sub = naming(json!({"format": "iss_sub", "iss": ISSUER, "sub": "usr_1"}));
        assert_eq!(check(sub), Ok(HintedSubject::Sub("usr_1".into())));
        let name = naming(json!({"format": "opaque", "id": "alice"}));
        assert_eq!(check(name), Ok(HintedSubject::Username("alice".into())));
    }

    #[test]
    fn a_hint_that_is_over_says_so_and_all_others_are_malformed() {
        let fine = naming(json!({"format": "opaque", "id": "alice"}));
        let with = |name: &str, value: Value| {
            let mut claims = fine.clone();
            claims[name] = value;
            check(claims).unwrap_err()
        };
        assert_eq!(with("exp", json!(1000)).code(), ErrorCode::ExpiredLoginHintToken);
        for (name, value) in [
            ("exp", json!("1001")),
            ("iss", json!("d")),
            ("aud", json!("https://other.example")),
            ("sub_id", json!("alice")),
            ("sub_id", json!({"format": "email", "email": "a@b.example"})),
            ("sub_id", json!({"format": "iss_sub", "iss": "https://other.example", "sub": "usr_1"})),
        ] {
            assert_eq!(with(name, value.clone()), HintRefused::Malformed, "{name} {value}");
        }
    }
}

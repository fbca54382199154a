//! The logout token (Back-Channel Logout §2.4), and what the client's answer to it means (§2.5, §2.8).

use serde_json::{Map, Value, json};

use crate::identifier::ClientId;
use crate::numeric_date::{NumericDate, Seconds};

/// `typ` of a logout token (§2.4).
pub const LOGOUT_TOKEN_TYP: &str = "logout+jwt";
/// The member of `events` (§2.4).
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How long a logout token is good (§4).
const LIFE: Seconds = Seconds::minutes(2);
/// How often a client is told at most.
pub const MOST_ATTEMPTS: u32 = 6;

/// What a logout token says.
#[derive(Clone, Copy, Debug)]
pub struct LogoutToken<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`, the client alone.
    pub client: &'a ClientId,
    /// `sub`, as the client knows the user.
    pub sub: &'a str,
    /// `sid`, as the client knows the session.
    pub sid: &'a str,
    /// `iat`.
    pub issued_at: NumericDate,
    /// `jti`.
    pub jti: &'a str,
}

impl LogoutToken<'_> {
    /// The claims. There is never a `nonce` among them, so that it cannot pass for an ID token.
    #[must_use]
    pub fn claims(&self) -> Map<String, Value> {
        let claims = [
            ("iss", self.issuer.into()),
            ("aud", self.client.as_str().into()),
            ("sub", self.sub.into()),
            ("sid", self.sid.into()),
            ("iat", self.issued_at.0.into()),
            ("exp", self.issued_at.plus(LIFE).0.into()),
            ("jti", self.jti.into()),
            ("events", json!({ EVENT: {} })),
        ];
        claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// What follows from an attempt to tell a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfterAttempt {
    /// It knows.
    Told,
    /// It may be tried again, so much later.
    Again(Seconds),
    /// It will not be told.
    GivenUp,
}

/// Judges the answer to the attempt number `attempt`, from one. `status` is none where there was no answer. A client
/// that says no means it (§2.8); one that is broken or away may be back soon.
#[must_use]
pub const fn after_attempt(status: Option<u16>, attempt: u32) -> AfterAttempt {
    let passing = match status {
        Some(200 | 204) => return AfterAttempt::Told,
        None | Some(408 | 425 | 429 | 500..=599) => true,
        Some(_) => false,
    };
    if !passing || attempt >= MOST_ATTEMPTS {
        return AfterAttempt::GivenUp;
    }
    AfterAttempt::Again(match attempt {
        0 | 1 => Seconds(5),
        2 => Seconds(30),
        3 => Seconds::minutes(2),
        4 => Seconds::minutes(10),
        _ => Seconds::minutes(60),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logout_token_has_what_it_must_have_and_never_a_nonce() {
        let token = LogoutToken {
            issuer: "https://as.example",
            client: &"web".parse().unwrap(),
            sub: "u",
            sid: "s",
            issued_at: NumericDate(100),
            jti: "j",
        };
        assert_eq!(
            Value::Object(token.claims()),
            json!({
                "iss": "https://as.example", "aud": "web", "sub": "u", "sid": "s", "iat": 100, "exp": 220, "jti": "j",
                "events": {"http://schemas.openid.net/event/backchannel-logout": {}}
            })
        );
    }

    #[test]
    fn a_client_that_says_no_is_not_asked_again() {
        assert_eq!(after_attempt(Some(200), 1), AfterAttempt::Told);
        assert_eq!(after_attempt(Some(204), MOST_ATTEMPTS), AfterAttempt::Told);
        for no in [201, 302, 307, 400, 401, 404, 413] {
            assert_eq!(after_attempt(Some(no), 1), AfterAttempt::GivenUp, "{no}");
        }
    }

    #[test]
    fn a_client_that_is_away_is_asked_again_later_and_later_and_then_no_more() {
        let mut before = Seconds(0);
        for attempt in 1..MOST_ATTEMPTS {
            for status in [None, Some(500), Some(503), Some(504), Some(429), Some(408)] {
                let AfterAttempt::Again(wait) = after_attempt(status, attempt) else { panic!("{attempt}") };
                assert!(wait >= before && wait > Seconds(0));
                before = wait;
            }
        }
        assert_eq!(after_attempt(None, MOST_ATTEMPTS), AfterAttempt::GivenUp);
        assert_eq!(after_attempt(Some(503), MOST_ATTEMPTS + 1), AfterAttempt::GivenUp);
    }
}

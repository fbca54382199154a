//! Step-up authentication (RFC 9470): a protected resource says that the user's login is not enough for it, and which
//! one would be.

use std::fmt::Write as _;

use serde_json::Value;

use crate::acr::{self, Standing};
use crate::numeric_date::{NumericDate, Seconds};
use crate::refusal::{ErrorCode, Refusal, Refuse};
use crate::token::Login;

/// What a resource asks of the login behind an access token.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Demand {
    /// One of these contexts, in the order in which they are liked; none where any will do.
    pub acr_values: Vec<String>,
    /// At most this long ago.
    pub max_age: Option<Seconds>,
}

/// The login is too weak or too long ago (RFC 9470 §3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the user must sign in again, as acr_values and max_age of this answer say")]
pub struct Insufficient;

impl Refuse for Insufficient {
    fn code(&self) -> ErrorCode {
        ErrorCode::InsufficientUserAuthentication
    }
}

impl Demand {
    /// Holds a token's login against this. A token without a login meets nothing that is asked.
    ///
    /// # Errors
    /// [`Insufficient`].
    pub fn check(&self, login: Option<&Login>, now: NumericDate) -> Result<(), Insufficient> {
        let strong = acr::standing(&self.acr_values, login) == Standing::Met;
        let recent = |limit: Seconds| login.is_some_and(|login| now.since(login.auth_time) <= limit);
        if strong && self.max_age.is_none_or(recent) { Ok(()) } else { Err(Insufficient) }
    }

    /// This, and at most so long ago besides.
    #[must_use]
    pub fn within(&self, max_age: Option<Seconds>) -> Self {
        let both = self.max_age.into_iter().chain(max_age).min();
        Self { acr_values: self.acr_values.clone(), max_age: both }
    }

    /// The same as [`check`](Self::check), where the answer says which login would be enough.
    ///
    /// # Errors
    /// `insufficient_user_authentication`, with this demand.
    pub fn check_telling(&self, login: Option<&Login>, now: NumericDate) -> Result<(), Refusal> {
        self.check(login, now)
            .map_err(|reason| Refusal { login: Some(Box::new(self.clone())), ..Refusal::from(reason) })
    }

    /// The members of an error response that say which login would be enough (Identity Assertion JWT Authorization
    /// Grant §4.3).
    pub fn members(&self) -> impl Iterator<Item = (String, Value)> {
        let acr_values = (!self.acr_values.is_empty()).then(|| self.acr_values.join(" ").into());
        let max_age = self.max_age.map(|max_age| max_age.0.into());
        let named = |name: &str, value: Option<Value>| value.map(|value| (name.to_owned(), value));
        named("acr_values", acr_values).into_iter().chain(named("max_age", max_age))
    }

    /// The parameters of the challenge (RFC 9470 §3), each behind a comma.
    #[must_use]
    pub fn parameters(&self) -> String {
        let mut text = String::new();
        if !self.acr_values.is_empty() {
            let _ = write!(text, ", acr_values=\"{}\"", self.acr_values.join(" "));
        }
        if let Some(max_age) = self.max_age {
            let _ = write!(text, ", max_age=\"{}\"", max_age.0);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acr::{Acr, Method};

    const NOW: NumericDate = NumericDate(1000);

    fn demand(acr_values: &[Acr], max_age: Option<i64>) -> Demand {
        let acr_values = acr_values.iter().map(ToString::to_string).collect();
        Demand { acr_values, max_age: max_age.map(Seconds) }
    }

    #[test]
    fn what_asks_nothing_is_met_by_everybody() {
        assert_eq!(Demand::default().check(None, NOW), Ok(()));
        assert_eq!(Demand::default().parameters(), "");
    }

    #[test]
    fn a_login_must_be_strong_enough_and_recent_enough() {
        let password = acr::login(&[Method::Password], NumericDate(900));
        let both = acr::login(&[Method::Password, Method::OneTimeCode], NumericDate(900));
        for (demand, login, expected) in [
            (demand(&[Acr::MultiFactor], None), Some(&password), Err(Insufficient)),
            (demand(&[Acr::MultiFactor], None), Some(&both), Ok(())),
            (demand(&[Acr::MultiFactor], None), None, Err(Insufficient)),
            (demand(&[], Some(100)), Some(&password), Ok(())),
            (demand(&[], Some(99)), Some(&password), Err(Insufficient)),
            (demand(&[], Some(99)), None, Err(Insufficient)),
            (demand(&[Acr::MultiFactor], Some(99)), Some(&both), Err(Insufficient)),
            (demand(&[Acr::MultiFactor], Some(100)), Some(&both), Ok(())),
        ] {
            assert_eq!(demand.check(login, NOW), expected, "{demand:?} {login:?}");
        }
    }

    #[test]
    fn of_two_ages_the_shorter_one_counts() {
        for (own, more, both) in [
            (None, None, None),
            (Some(5), None, Some(5)),
            (None, Some(5), Some(5)),
            (Some(5), Some(9), Some(5)),
        ] {
            assert_eq!(demand(&[], own).within(more.map(Seconds)), demand(&[], both));
        }
    }

    #[test]
    fn a_refusal_says_which_login_would_be_enough() {
        let asked = demand(&[Acr::PhishingResistant, Acr::MultiFactor], Some(5));
        let refusal = asked.check_telling(None, NOW).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::InsufficientUserAuthentication);
        let told: Vec<_> = refusal.login.as_deref().unwrap().members().collect();
        let acr_values = ("acr_values".to_owned(), "phr urn:procura:acr:multi-factor".into());
        assert_eq!(told, [acr_values, ("max_age".to_owned(), 5.into())]);
        assert_eq!(Demand::default().members().count(), 0);
        assert_eq!(Demand::default().check_telling(None, NOW), Ok(()));
    }

    #[test]
    fn the_challenge_says_what_would_be_enough() {
        let demand = demand(&[Acr::PhishingResistant, Acr::MultiFactor], Some(5));
        assert_eq!(demand.parameters(), ", acr_values=\"phr urn:procura:acr:multi-factor\", max_age=\"5\"");
    }
}

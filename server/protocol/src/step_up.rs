//! Step-up authentication (RFC 9470): a protected resource says that the user's login is not enough for it, and which
//! one would be.

use std::fmt::Write as _;

use crate::acr::{self, Standing};
use crate::numeric_date::{NumericDate, Seconds};
use crate::refusal::{ErrorCode, Refuse};
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
#[error("the user must sign in again, as acr_values and max_age of this challenge say")]
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
    fn the_challenge_says_what_would_be_enough() {
        let demand = demand(&[Acr::PhishingResistant, Acr::MultiFactor], Some(5));
        assert_eq!(demand.parameters(), ", acr_values=\"phr urn:procura:acr:multi-factor\", max_age=\"5\"");
    }
}

//! How somebody signed in (`amr`, RFC 8176), how much that is worth (`acr`, OpenID Connect Core §2), and whether it is
//! enough for what was asked (`acr_values`, OpenID Connect Core §3.1.2.1; step-up, RFC 9470).
//!
//! The contexts form a ladder: whoever stands on a rung has what every lower rung asks for. The rung follows from the
//! methods that were used, and from nothing else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::token::Login;

/// One way of proving who one is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A password.
    Password,
    /// A code of an authenticator app (RFC 6238).
    OneTimeCode,
    /// One of the codes that were written down for the day when nothing else is at hand.
    RecoveryCode,
    /// A passkey (WebAuthn).
    Passkey {
        /// Whether it can be copied to other devices, so that its key lies in no single piece of hardware.
        synced: bool,
        /// Whether the device asked its user for a fingerprint, a face or a PIN.
        user_verified: bool,
    },
}

impl Method {
    /// Its words in `amr`. A passkey that stays on one device is told as `pop`, a key of which nobody says how it is
    /// kept: that it is kept by hardware (`hwk`) could only be said after an attestation, and none is asked for.
    #[must_use]
    pub const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Password => &["pwd"],
            Self::OneTimeCode => &["otp"],
            Self::RecoveryCode => &["recovery_code"],
            Self::Passkey { synced: true, .. } => &["swk", "user"],
            Self::Passkey { synced: false, .. } => &["pop", "user"],
        }
    }

    /// How many factors it proves: a passkey that was unlocked by its user is something they have and something they
    /// are or know.
    const fn factors(self) -> usize {
        match self {
            Self::Passkey { user_verified: true, .. } => 2,
            _ => 1,
        }
    }
}

/// The `amr` of somebody who used these methods, each of another kind, one after the other.
#[must_use]
pub fn amr(methods: &[Method]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in methods.iter().flat_map(|method| method.words()) {
        if !words.iter().any(|known| known == word) {
            words.push((*word).to_owned());
        }
    }
    if methods.iter().map(|method| method.factors()).sum::<usize>() > 1 {
        words.push(MFA.to_owned());
    }
    words
}

const MFA: &str = "mfa";
/// The words for a key that signs for one site alone, which nobody can be talked into typing somewhere else.
const KEYS: [&str; 3] = ["hwk", "swk", "pop"];

/// An authentication context class, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Acr {
    /// One factor, such as a password.
    #[serde(rename = "urn:procura:acr:single-factor")]
    SingleFactor,
    /// Two factors of different kinds.
    #[serde(rename = "urn:procura:acr:multi-factor")]
    MultiFactor,
    /// A key that works at this site only (`phr`, OpenID Connect EAP ACR Values §3).
    #[serde(rename = "phr")]
    PhishingResistant,
}

/// No context of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("acr is none of the contexts of this server")]
pub struct UnknownAcr;

impl Acr {
    /// Every context, weakest first; for discovery (`acr_values_supported`).
    pub const ALL: [Self; 3] = [Self::SingleFactor, Self::MultiFactor, Self::PhishingResistant];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SingleFactor => "urn:procura:acr:single-factor",
            Self::MultiFactor => "urn:procura:acr:multi-factor",
            Self::PhishingResistant => "phr",
        }
    }

    /// The context that methods are worth, by their words.
    #[must_use]
    pub fn of(amr: &[String]) -> Self {
        let has = |word: &str| amr.iter().any(|known| known == word);
        // A key alone, that anybody who holds the device can use, is one factor, however well it resists phishing.
        match (has(MFA), KEYS.into_iter().any(has)) {
            (true, true) => Self::PhishingResistant,
            (true, false) => Self::MultiFactor,
            (false, _) => Self::SingleFactor,
        }
    }

    /// The context that a login reached: the one it names, where that is ours; else what its methods are worth.
    #[must_use]
    pub fn reached(login: &Login) -> Self {
        let named = login.acr.as_deref().and_then(|acr| acr.parse().ok());
        named.unwrap_or_else(|| Self::of(&login.amr))
    }
}

impl FromStr for Acr {
    type Err = UnknownAcr;

    fn from_str(text: &str) -> Result<Self, UnknownAcr> {
        Self::ALL.into_iter().find(|acr| acr.as_str() == text).ok_or(UnknownAcr)
    }
}

impl fmt::Display for Acr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A login by these methods at this moment, with what it is worth.
#[must_use]
pub fn login(methods: &[Method], auth_time: crate::numeric_date::NumericDate) -> Login {
    let amr = amr(methods);
    Login { auth_time, acr: Some(Acr::of(&amr).to_string()), amr }
}

/// How a login stands to the contexts that were asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It is enough, or nothing was asked.
    Met,
    /// It is not; signing in so that this context is reached would be.
    Raise(Acr),
    /// Nothing that is asked for is known here. What was asked for voluntarily is passed over; what is essential is
    /// refused with `unmet_authentication_requirements`.
    Unknown,
}

/// Holds a login against the contexts that were asked for, in the order in which they are liked (`acr_values`, or the
/// values of the `acr` claim). A context that another server gave (federation) counts by its name.
#[must_use]
pub fn standing(asked: &[String], login: Option<&Login>) -> Standing {
    if asked.is_empty() || told(asked, login).is_some() {
        return Standing::Met;
    }
    // The first one that can be reached is what the client likes best.
    asked.iter().find_map(|value| value.parse().ok()).map_or(Standing::Unknown, Standing::Raise)
}

/// The value by which a login that is enough tells so: the asked one that it meets and that is liked best. A client
/// that asked for a lower rung than was reached compares names, and must find the one it asked for.
#[must_use]
pub fn told<'a>(asked: &'a [String], login: Option<&Login>) -> Option<&'a str> {
    let login = login?;
    let reached = Acr::reached(login);
    let meets = |value: &&String| {
        login.acr.as_ref() == Some(*value) || value.parse::<Acr>().is_ok_and(|asked| asked <= reached)
    };
    asked.iter().find(meets).map(String::as_str)
}

/// The login as it is told to a client that asked for these contexts: where it meets them, under the very name that was
/// asked for.
#[must_use]
pub fn told_login(asked: &[String], login: &Login) -> Login {
    match (standing(asked, Some(login)), told(asked, Some(login))) {
        (Standing::Met, Some(told)) => Login { acr: Some(told.to_owned()), ..login.clone() },
        _ => login.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric_date::NumericDate;

    const KEY: Method = Method::Passkey { synced: false, user_verified: true };
    const TOUCHED: Method = Method::Passkey { synced: true, user_verified: false };

    fn by(methods: &[Method]) -> Login {
        login(methods, NumericDate(1))
    }

    fn asked(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn a_context_reads_back_from_its_name() {
        for acr in Acr::ALL {
            assert_eq!(acr.as_str().parse(), Ok(acr));
        }
        assert_eq!("0".parse::<Acr>(), Err(UnknownAcr));
        assert!(Acr::ALL.is_sorted());
    }

    #[test]
    fn methods_are_told_in_the_order_they_were_used_and_once() {
        for (methods, words) in [
            (&[Method::Password][..], &["pwd"][..]),
            (&[Method::Password, Method::OneTimeCode], &["pwd", "otp", "mfa"]),
            (&[Method::Password, Method::RecoveryCode], &["pwd", "recovery_code", "mfa"]),
            (&[KEY], &["pop", "user", "mfa"]),
            (&[TOUCHED], &["swk", "user"]),
            (&[Method::Password, TOUCHED], &["pwd", "swk", "user", "mfa"]),
            (&[Method::Password, KEY], &["pwd", "pop", "user", "mfa"]),
            (&[], &[]),
        ] {
            assert_eq!(amr(methods), words);
        }
    }

    #[test]
    fn the_context_follows_from_the_methods() {
        for (methods, acr) in [
            (&[][..], Acr::SingleFactor),
            (&[Method::Password], Acr::SingleFactor),
            (&[TOUCHED], Acr::SingleFactor),
            (&[Method::Password, Method::OneTimeCode], Acr::MultiFactor),
            (&[Method::Password, Method::RecoveryCode], Acr::MultiFactor),
            (&[Method::Password, TOUCHED], Acr::PhishingResistant),
            (&[KEY], Acr::PhishingResistant),
        ] {
            assert_eq!(Acr::reached(&by(methods)), acr, "{methods:?}");
        }
    }

    #[test]
    fn a_higher_rung_meets_what_a_lower_one_asks_and_not_the_other_way_round() {
        let methods: [&[Method]; 3] = [&[Method::Password], &[Method::Password, Method::OneTimeCode], &[KEY]];
        for (has, methods) in methods.into_iter().enumerate() {
            for (wants, acr) in Acr::ALL.into_iter().enumerate() {
                let expected = if wants <= has { Standing::Met } else { Standing::Raise(acr) };
                assert_eq!(standing(&asked(&[acr.as_str()]), Some(&by(methods))), expected);
            }
        }
    }

    #[test]
    fn nobody_meets_anything_that_is_asked() {
        assert_eq!(standing(&[], None), Standing::Met);
        let single = asked(&[Acr::SingleFactor.as_str()]);
        assert_eq!(standing(&single, None), Standing::Raise(Acr::SingleFactor));
    }

    #[test]
    fn one_of_several_is_enough_and_the_one_liked_best_is_told() {
        let password = by(&[Method::Password]);
        let either = asked(&["phr", "x", "urn:procura:acr:single-factor"]);
        assert_eq!(standing(&either, Some(&password)), Standing::Met);
        assert_eq!(told(&either, Some(&password)), Some("urn:procura:acr:single-factor"));
        assert_eq!(told(&either, Some(&by(&[KEY]))), Some("phr"));
        let lower = asked(&["urn:procura:acr:multi-factor"]);
        assert_eq!(told(&lower, Some(&by(&[KEY]))), Some("urn:procura:acr:multi-factor"));
    }

    #[test]
    fn the_first_that_is_known_is_what_to_raise_to() {
        let values = asked(&["1", "phr", "urn:procura:acr:multi-factor"]);
        let standing_of = standing(&values, Some(&by(&[Method::Password])));
        assert_eq!(standing_of, Standing::Raise(Acr::PhishingResistant));
    }

    #[test]
    fn what_nobody_here_knows_is_unknown_unless_another_server_gave_it() {
        let values = asked(&["1", "2"]);
        assert_eq!(standing(&values, Some(&by(&[KEY]))), Standing::Unknown);
        let foreign = Login { auth_time: NumericDate(1), acr: Some("2".into()), amr: vec!["mfa".into()] };
        assert_eq!(standing(&values, Some(&foreign)), Standing::Met);
        assert_eq!(told(&values, Some(&foreign)), Some("2"));
        let multi = asked(&[Acr::MultiFactor.as_str()]);
        assert_eq!(standing(&multi, Some(&foreign)), Standing::Met, "by its methods");
    }
}

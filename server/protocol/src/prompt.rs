//! `prompt`, `max_age` and the authentication context (OpenID Connect Core §3.1.2.1, §5.5.1.1; RFC 9470 §5), and the
//! one decision that follows from them: sign in, choose an account, ask for consent, go on, or refuse.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::acr::Standing;
use crate::numeric_date::{NumericDate, Seconds};
use crate::refusal::{ErrorCode, Refuse};

/// The values of `prompt` that mean something here, for discovery (`prompt_values_supported`).
pub const VALUES: [&str; 4] = ["none", "login", "consent", "select_account"];

/// What the client wants the user to be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Prompt {
    /// `none`: no page may be shown.
    Nothing,
    /// The rest: pages may be shown, and these must be.
    Ask {
        /// `login`: sign in again.
        login: bool,
        /// `consent`: ask again, whatever was approved before.
        consent: bool,
        /// `select_account`: let the user choose who they are.
        select_account: bool,
    },
}

impl Default for Prompt {
    fn default() -> Self {
        Self::Ask { login: false, consent: false, select_account: false }
    }
}

/// `none` beside another value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("prompt must not hold none together with another value")]
pub struct InvalidPrompt;

impl Refuse for InvalidPrompt {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

impl FromStr for Prompt {
    type Err = InvalidPrompt;

    /// Values are divided by spaces; unknown ones are passed over.
    fn from_str(text: &str) -> Result<Self, InvalidPrompt> {
        let values: Vec<&str> = text.split(' ').filter(|value| !value.is_empty()).collect();
        let has = |value| values.contains(&value);
        if !has("none") {
            let (login, consent) = (has("login"), has("consent"));
            return Ok(Self::Ask { login, consent, select_account: has("select_account") });
        }
        if values.iter().all(|value| *value == "none") { Ok(Self::Nothing) } else { Err(InvalidPrompt) }
    }
}

impl fmt::Display for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = match *self {
            Self::Nothing => vec!["none"],
            Self::Ask { login, consent, select_account } => {
                let asked = [(login, "login"), (consent, "consent"), (select_account, "select_account")];
                asked.into_iter().filter_map(|(wanted, value)| wanted.then_some(value)).collect()
            }
        };
        f.write_str(&values.join(" "))
    }
}

impl TryFrom<String> for Prompt {
    type Error = InvalidPrompt;
    fn try_from(text: String) -> Result<Self, InvalidPrompt> {
        text.parse()
    }
}

impl From<Prompt> for String {
    fn from(prompt: Prompt) -> Self {
        prompt.to_string()
    }
}

/// What is known about the browser session at this step of an authorization request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionState {
    /// Whether somebody is signed in. Where `id_token_hint` names a user, anybody else counts as nobody.
    pub login: Option<SignedIn>,
    /// Whether the user chose, on a page of this request, to go on as who they are.
    pub account_chosen: bool,
    /// How the login, or that there is none, stands to the authentication context that is asked for.
    pub context: Standing,
    /// What has been approved.
    pub consent: Approved,
}

/// A session's login.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedIn {
    /// When.
    pub auth_time: NumericDate,
    /// Whether it was for this very request, after it began. Seconds cannot tell: a login just before a request
    /// and one just after may be in the same.
    pub for_this_request: bool,
}

/// Whether the user has approved what the request asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Approved {
    /// Not all of it.
    No,
    /// All of it, before; but this client or this request needs the user's eyes again (RFC 6749 §10.2).
    AskAgain,
    /// All of it, before.
    Before,
    /// All of it, on a page of this very request.
    ForThisRequest,
}

/// What a request asks of the login.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// `prompt`.
    pub prompt: Prompt,
    /// `max_age`.
    pub max_age: Option<Seconds>,
    /// Whether the authentication context is necessary, and not a wish.
    pub acr_necessary: bool,
}

/// The authentication context that a request asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AskedAcr {
    /// One of these, in the order in which they are liked; none where any will do.
    pub values: Vec<String>,
    /// Whether the request fails without.
    pub necessary: bool,
}

/// What is to happen next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Show the sign-in page.
    SignIn,
    /// Show who is signed in, and let the user choose.
    SelectAccount,
    /// Show the consent page.
    Consent,
    /// Give the code.
    Proceed,
    /// Say no by redirect.
    Refuse(PromptRefused),
}

/// Why a request cannot be served (OpenID Connect Core §3.1.2.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PromptRefused {
    /// Nobody is signed in, or not recently or not strongly enough.
    #[error("the user must sign in, and prompt=none forbids to ask")]
    LoginRequired,
    /// The user has not approved this.
    #[error("the user must be asked for consent, and prompt=none forbids to ask")]
    ConsentRequired,
    /// The user has approved this, but must see it again.
    #[error("the user must confirm this request, and prompt=none forbids to ask")]
    InteractionRequired,
    /// The user signed in, or could only have, in a weaker way than is necessary (OpenID Connect Core §5.5.1.1).
    #[error("the user could not sign in with the authentication context that is necessary")]
    Unmet,
}

impl Refuse for PromptRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::LoginRequired => ErrorCode::LoginRequired,
            Self::ConsentRequired => ErrorCode::ConsentRequired,
            Self::InteractionRequired => ErrorCode::InteractionRequired,
            Self::Unmet => ErrorCode::UnmetAuthenticationRequirements,
        }
    }
}

/// Decides what happens next. A `max_age` of 0 is as good as `prompt=login`; a login made for this request is recent
/// enough however long the user then reads the consent page. Whoever signed in for this request and is still below
/// the context that is asked for cannot do better: a wish is given up then, and what is necessary is refused.
#[must_use]
pub fn next(state: &SessionState, asked: &Asked, now: NumericDate) -> Next {
    if asked.acr_necessary && state.context == Standing::Unknown {
        return Next::Refuse(PromptRefused::Unmet);
    }
    let too_weak = matches!(state.context, Standing::Raise(_));
    match asked.prompt {
        Prompt::Nothing => without_asking(state, asked, too_weak && asked.acr_necessary, now),
        Prompt::Ask { login, consent, select_account } => {
            let Some(signed_in) = state.login.filter(|_| !needs_sign_in(state, login, asked.max_age, now))
            else {
                return Next::SignIn;
            };
            let done = signed_in.for_this_request;
            if select_account && !done && !state.account_chosen {
                return Next::SelectAccount;
            }
            match (too_weak, done, asked.acr_necessary) {
                (true, false, _) => return Next::SignIn,
                (true, true, true) => return Next::Refuse(PromptRefused::Unmet),
                (true, true, false) | (false, ..) => {}
            }
            match state.consent {
                Approved::ForThisRequest => Next::Proceed,
                Approved::Before if !consent => Next::Proceed,
                Approved::No | Approved::AskAgain | Approved::Before => Next::Consent,
            }
        }
    }
}

fn without_asking(state: &SessionState, asked: &Asked, too_weak: bool, now: NumericDate) -> Next {
    if too_weak || needs_sign_in(state, false, asked.max_age, now) {
        return Next::Refuse(PromptRefused::LoginRequired);
    }
    match state.consent {
        Approved::No => Next::Refuse(PromptRefused::ConsentRequired),
        Approved::AskAgain => Next::Refuse(PromptRefused::InteractionRequired),
        Approved::Before | Approved::ForThisRequest => Next::Proceed,
    }
}

fn needs_sign_in(state: &SessionState, demanded: bool, max_age: Option<Seconds>, now: NumericDate) -> bool {
    let Some(login) = state.login else { return true };
    let too_old = |limit: Seconds| limit <= Seconds(0) || now.since(login.auth_time) > limit;
    !login.for_this_request && (demanded || max_age.is_some_and(too_old))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acr::Acr;

    const NOW: NumericDate = NumericDate(1000);

    fn session(age: i64, for_this_request: bool, consent: Approved) -> SessionState {
        let auth_time = NumericDate(NOW.0 - age);
        let login = Some(SignedIn { auth_time, for_this_request });
        SessionState { login, account_chosen: false, context: Standing::Met, consent }
    }

    fn decide(state: SessionState, prompt: &str, max_age: Option<i64>) -> Next {
        let prompt = prompt.parse().unwrap();
        next(&state, &Asked { prompt, max_age: max_age.map(Seconds), acr_necessary: false }, NOW)
    }

    fn decide_acr(context: Standing, for_this_request: bool, prompt: &str, acr_necessary: bool) -> Next {
        let state = SessionState { context, ..session(0, for_this_request, Approved::Before) };
        next(&state, &Asked { prompt: prompt.parse().unwrap(), max_age: None, acr_necessary }, NOW)
    }

    #[test]
    fn none_stands_alone_and_unknown_values_are_passed_over() {
        assert_eq!("none".parse(), Ok(Prompt::Nothing));
        for bad in ["none login", "login none", "none x"] {
            assert_eq!(bad.parse::<Prompt>(), Err(InvalidPrompt), "{bad}");
        }
        assert_eq!("create x".parse(), Ok(Prompt::default()));
        let all = Prompt::Ask { login: true, consent: true, select_account: true };
        assert_eq!("select_account login  consent".parse(), Ok(all));
        for prompt in [all, Prompt::Nothing, Prompt::default()] {
            assert_eq!(prompt.to_string().parse(), Ok(prompt));
        }
    }

    #[test]
    fn nobody_signed_in_must_sign_in_or_is_refused() {
        let nobody = SessionState { login: None, ..session(0, false, Approved::No) };
        assert_eq!(decide(nobody, "", None), Next::SignIn);
        assert_eq!(decide(nobody, "none", None), Next::Refuse(PromptRefused::LoginRequired));
    }

    #[test]
    fn a_session_and_a_consent_are_enough() {
        let state = session(10, false, Approved::Before);
        assert_eq!(decide(state, "", None), Next::Proceed);
        assert_eq!(decide(state, "none", None), Next::Proceed);
    }

    #[test]
    fn what_was_not_approved_is_asked_or_refused() {
        let state = session(10, false, Approved::No);
        assert_eq!(decide(state, "", None), Next::Consent);
        assert_eq!(decide(state, "none", None), Next::Refuse(PromptRefused::ConsentRequired));
        let again = session(10, false, Approved::AskAgain);
        assert_eq!(decide(again, "", None), Next::Consent);
        assert_eq!(decide(again, "none", None), Next::Refuse(PromptRefused::InteractionRequired));
    }

    #[test]
    fn prompt_login_is_served_by_a_login_for_this_request_alone() {
        for prompt in ["login", "login select_account"] {
            assert_eq!(decide(session(0, false, Approved::Before), prompt, None), Next::SignIn, "{prompt}");
            assert_eq!(decide(session(0, true, Approved::Before), prompt, None), Next::Proceed, "{prompt}");
        }
    }

    #[test]
    fn prompt_consent_asks_again_once() {
        assert_eq!(decide(session(0, false, Approved::Before), "consent", None), Next::Consent);
        assert_eq!(decide(session(0, false, Approved::ForThisRequest), "consent", None), Next::Proceed);
        assert_eq!(decide(session(0, false, Approved::Before), "login consent", None), Next::SignIn);
        assert_eq!(decide(session(0, true, Approved::Before), "login consent", None), Next::Consent);
    }

    #[test]
    fn a_login_older_than_max_age_is_too_old() {
        let of_age = |age| session(age, false, Approved::Before);
        assert_eq!(decide(of_age(10), "", Some(10)), Next::Proceed);
        assert_eq!(decide(of_age(11), "", Some(10)), Next::SignIn);
        assert_eq!(decide(of_age(11), "none", Some(10)), Next::Refuse(PromptRefused::LoginRequired));
    }

    #[test]
    fn a_max_age_of_zero_is_prompt_login() {
        assert_eq!(decide(session(0, false, Approved::Before), "", Some(0)), Next::SignIn);
        assert_eq!(decide(session(30, true, Approved::Before), "", Some(0)), Next::Proceed);
        let refused = Next::Refuse(PromptRefused::LoginRequired);
        assert_eq!(decide(session(0, false, Approved::Before), "none", Some(0)), refused);
    }

    #[test]
    fn an_account_is_chosen_once_by_a_word_or_by_signing_in() {
        let before = session(0, false, Approved::Before);
        assert_eq!(decide(before, "select_account", None), Next::SelectAccount);
        let chosen = SessionState { account_chosen: true, ..before };
        assert_eq!(decide(chosen, "select_account", None), Next::Proceed);
        assert_eq!(decide(session(0, true, Approved::Before), "select_account", None), Next::Proceed);
        let nobody = SessionState { login: None, ..before };
        assert_eq!(decide(nobody, "select_account", None), Next::SignIn);
    }

    #[test]
    fn a_context_that_can_be_reached_is_tried_once_and_then_given_up_or_refused() {
        let raise = Standing::Raise(Acr::MultiFactor);
        for necessary in [false, true] {
            assert_eq!(decide_acr(raise, false, "", necessary), Next::SignIn);
            assert_eq!(decide_acr(Standing::Met, true, "", necessary), Next::Proceed);
        }
        assert_eq!(decide_acr(raise, true, "", false), Next::Proceed);
        assert_eq!(decide_acr(raise, true, "", true), Next::Refuse(PromptRefused::Unmet));
        assert_eq!(decide_acr(raise, false, "none", false), Next::Proceed);
        assert_eq!(decide_acr(raise, false, "none", true), Next::Refuse(PromptRefused::LoginRequired));
    }

    #[test]
    fn a_context_that_nobody_can_reach_is_passed_over_or_refused_at_once() {
        for prompt in ["", "none"] {
            assert_eq!(decide_acr(Standing::Unknown, false, prompt, false), Next::Proceed);
            let refused = Next::Refuse(PromptRefused::Unmet);
            assert_eq!(decide_acr(Standing::Unknown, false, prompt, true), refused);
        }
    }
}

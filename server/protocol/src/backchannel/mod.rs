//! The backchannel authentication request (Client-Initiated Backchannel Authentication §7.1): a client asks for the
//! word of a user who is elsewhere.

mod login_hint_token;
pub mod notification;
mod signed_request;

use crate::client::{Client, DeliveryMode};
use crate::credentials::is_token68;
use crate::deferred::{Asked, AskedRefused};
use crate::numeric_date::Seconds;
use crate::params::{Params, RepeatedParameter};
use crate::presented_secret::PresentedSecret;
use crate::refusal::{ErrorCode, Refuse};
use crate::visible_text::says_what_it_shows;

pub use login_hint_token::{HintRefused, HintedSubject};
pub use signed_request::{Expected, SignedRequest, SignedRequestRefused, check_alone};

/// The longest `binding_message`, in characters: it is to be compared, not read (CIBA §7.1).
pub const LONGEST_BINDING_MESSAGE: usize = 140;
/// The longest `client_notification_token`, in characters (CIBA §7.1).
const LONGEST_NOTIFICATION_TOKEN: usize = 1024;
/// The longest `login_hint`, in bytes.
const LONGEST_LOGIN_HINT: usize = 256;
/// The longest `user_code`, in bytes.
pub const LONGEST_USER_CODE: usize = 128;

/// A backchannel authentication request.
#[derive(Clone, Debug)]
pub struct BackchannelRequest {
    /// What is asked for.
    pub asked: Asked,
    /// Whom it is asked of.
    pub hint: Hint,
    /// `binding_message`.
    pub binding_message: Option<String>,
    /// `user_code`: what only the user knows, so that nobody else is asked on their behalf.
    pub user_code: Option<PresentedSecret>,
    /// `requested_expiry`.
    pub requested_expiry: Option<Seconds>,
    /// `client_notification_token`, REQUIRED in ping and push mode.
    pub client_notification_token: Option<PresentedSecret>,
}

/// Whom it is asked of; not yet looked up or verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hint {
    /// `login_hint`: what the user types to sign in, or their `sub`.
    LoginHint(String),
    /// `id_token_hint`: an ID token that this client got.
    IdToken(String),
    /// `login_hint_token`: a JWT of the client's that names the user.
    LoginHintToken(String),
}

/// Why a request was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BackchannelRefused {
    /// A parameter that other requests have too.
    #[error(transparent)]
    Asked(#[from] AskedRefused),
    /// No `openid` (CIBA §7.1).
    #[error("scope must contain openid")]
    NotOpenId,
    /// No hint, or several.
    #[error("send exactly one of login_hint, id_token_hint and login_hint_token")]
    OneHint,
    /// Too long, or not what such a parameter holds.
    #[error("{0} is malformed or too long")]
    Malformed(&'static str),
    /// More than a few words, or not plain text.
    #[error("binding_message must be 1 to 140 printable characters in one line")]
    BindingMessage,
    /// In ping and push mode there is nothing to notify with.
    #[error("client_notification_token is required, as this client is notified")]
    NoNotificationToken,
    /// The client was not registered for `user_code`.
    #[error("this client is not registered for user_code")]
    UserCodeNotRegistered,
    /// The client's profile has no push mode.
    #[error("tokens are not pushed to clients of this profile")]
    PushNotPermitted,
    /// There is nowhere to notify.
    #[error("this client is registered without backchannel_client_notification_endpoint")]
    NoNotificationEndpoint,
}

impl Refuse for BackchannelRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Asked(reason) => reason.code(),
            Self::NotOpenId => ErrorCode::InvalidScope,
            Self::BindingMessage => ErrorCode::InvalidBindingMessage,
            Self::PushNotPermitted | Self::NoNotificationEndpoint => ErrorCode::UnauthorizedClient,
            Self::OneHint | Self::Malformed(_) | Self::NoNotificationToken | Self::UserCodeNotRegistered => {
                ErrorCode::InvalidRequest
            }
        }
    }
}

impl From<RepeatedParameter> for BackchannelRefused {
    fn from(repeated: RepeatedParameter) -> Self {
        Self::Asked(repeated.into())
    }
}

impl BackchannelRequest {
    /// Reads the parameters, which came as a form or signed.
    ///
    /// # Errors
    /// [`BackchannelRefused`] with the first that is wrong.
    pub fn parse(params: &Params) -> Result<Self, BackchannelRefused> {
        let asked = Asked::parse(params)?;
        if !asked.scope.as_ref().is_some_and(|scope| scope.contains("openid")) {
            return Err(BackchannelRefused::NotOpenId);
        }
        Ok(Self {
            asked,
            hint: hint(params)?,
            binding_message: binding_message(params)?,
            user_code: at_most(params, "user_code", LONGEST_USER_CODE)?.map(PresentedSecret::from),
            requested_expiry: requested_expiry(params)?,
            client_notification_token: notification_token(params)?.map(PresentedSecret::from),
        })
    }

    /// Checks the request against what the client registered (CIBA §4).
    ///
    /// # Errors
    /// [`BackchannelRefused`].
    pub fn check_for(&self, client: &Client) -> Result<(), BackchannelRefused> {
        let mode = client.delivery_mode();
        if mode == DeliveryMode::Push && !client.profile.rules().pushed_tokens {
            return Err(BackchannelRefused::PushNotPermitted);
        }
        if mode != DeliveryMode::Poll {
            if client.metadata.backchannel_client_notification_endpoint.is_none() {
                return Err(BackchannelRefused::NoNotificationEndpoint);
            }
            if self.client_notification_token.is_none() {
                return Err(BackchannelRefused::NoNotificationToken);
            }
        }
        if self.user_code.is_some() && !client.metadata.backchannel_user_code_parameter {
            return Err(BackchannelRefused::UserCodeNotRegistered);
        }
        Ok(())
    }
}

fn at_most<'a>(
    params: &'a Params,
    name: &'static str,
    longest: usize,
) -> Result<Option<&'a str>, BackchannelRefused> {
    match params.once(name)? {
        Some(text) if text.len() > longest => Err(BackchannelRefused::Malformed(name)),
        text => Ok(text),
    }
}

/// One hint and no second one (CIBA §7.1): two could name two users.
fn hint(params: &Params) -> Result<Hint, BackchannelRefused> {
    let login_hint = at_most(params, "login_hint", LONGEST_LOGIN_HINT)?.map(str::to_owned);
    let id_token = params.once("id_token_hint")?.map(str::to_owned);
    let token = params.once("login_hint_token")?.map(str::to_owned);
    match (login_hint, id_token, token) {
        (Some(hint), None, None) => Ok(Hint::LoginHint(hint)),
        (None, Some(hint), None) => Ok(Hint::IdToken(hint)),
        (None, None, Some(hint)) => Ok(Hint::LoginHintToken(hint)),
        _ => Err(BackchannelRefused::OneHint),
    }
}

/// Plain text in one line. What could turn, hide or break the words around it is not plain.
fn binding_message(params: &Params) -> Result<Option<String>, BackchannelRefused> {
    let Some(message) = params.once("binding_message")? else { return Ok(None) };
    // To be compared letter by letter, so that not even joiners hide in it.
    let unseen = |c: char| c.is_control() || matches!(c, '\u{200c}' | '\u{200d}');
    let short = message.chars().count() <= LONGEST_BINDING_MESSAGE;
    let plain =
        short && !message.trim().is_empty() && !message.chars().any(unseen) && says_what_it_shows(message);
    if plain { Ok(Some(message.to_owned())) } else { Err(BackchannelRefused::BindingMessage) }
}

fn requested_expiry(params: &Params) -> Result<Option<Seconds>, BackchannelRefused> {
    let read = |text: &str| {
        let all_digits = text.bytes().all(|b| b.is_ascii_digit());
        let seconds = all_digits.then(|| text.parse::<u32>().ok()).flatten().filter(|seconds| *seconds > 0);
        seconds.map(|s| Seconds(s.into())).ok_or(BackchannelRefused::Malformed("requested_expiry"))
    };
    params.once("requested_expiry")?.map(read).transpose()
}

/// `client_notification_token` (CIBA §7.1, Deferred Token Response §5.3), in the syntax of a bearer token (RFC 6750 §2.1), as
/// it will be sent as one.
///
/// # Errors
/// [`BackchannelRefused::Malformed`], also where it is too long; a repeated parameter.
pub fn notification_token(params: &Params) -> Result<Option<&str>, BackchannelRefused> {
    let token = at_most(params, "client_notification_token", LONGEST_NOTIFICATION_TOKEN)?;
    match token {
        Some(token) if !is_token68(token) => Err(BackchannelRefused::Malformed("client_notification_token")),
        token => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with(more: &[(&str, &str)]) -> Result<BackchannelRequest, BackchannelRefused> {
        let mut pairs = vec![("scope".to_owned(), "openid orders:read".to_owned())];
        pairs.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        BackchannelRequest::parse(&Params::try_from(pairs).unwrap())
    }

    fn refused(more: &[(&str, &str)]) -> BackchannelRefused {
        with(more).unwrap_err()
    }

    #[test]
    fn a_request_has_exactly_one_hint() {
        assert_eq!(with(&[("login_hint", "alice")]).unwrap().hint, Hint::LoginHint("alice".into()));
        assert_eq!(with(&[("id_token_hint", "a.b.c")]).unwrap().hint, Hint::IdToken("a.b.c".into()));
        assert_eq!(
            with(&[("login_hint_token", "a.b.c")]).unwrap().hint,
            Hint::LoginHintToken("a.b.c".into())
        );
        assert_eq!(refused(&[]), BackchannelRefused::OneHint);
        assert_eq!(refused(&[("login_hint", "a"), ("id_token_hint", "b")]), BackchannelRefused::OneHint);
        assert_eq!(refused(&[("login_hint", "a"), ("login_hint_token", "b")]), BackchannelRefused::OneHint);
        assert_eq!(refused(&[("login_hint", &"a".repeat(257))]), BackchannelRefused::Malformed("login_hint"));
    }

    #[test]
    fn a_request_without_openid_is_none() {
        let form = |form: &str| BackchannelRequest::parse(&Params::parse(form.as_bytes()).unwrap());
        for scope in ["login_hint=a", "scope=orders:read&login_hint=a", "scope=openidx&login_hint=a"] {
            let refused = form(scope).unwrap_err();
            assert_eq!((refused.code(), &refused), (ErrorCode::InvalidScope, &BackchannelRefused::NotOpenId));
        }
    }

    fn message(text: &str) -> Result<Option<String>, BackchannelRefused> {
        with(&[("login_hint", "a"), ("binding_message", text)]).map(|request| request.binding_message)
    }

    #[test]
    fn a_binding_message_is_short_and_plain() {
        for fine in ["1234", "Überweisung: 5 €", "支払い 42", &"x".repeat(140), "it's (fine), ok?"] {
            assert_eq!(message(fine), Ok(Some(fine.to_owned())), "{fine}");
        }
        for bad in ["a\nb", "a\u{202e}b", "a\u{200b}b", " ", "\u{7}", "a\u{2066}b", &"x".repeat(141)] {
            let refused = message(bad).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::InvalidBindingMessage, "{bad:?}");
        }
    }

    #[test]
    fn a_requested_expiry_is_a_positive_number_of_seconds() {
        let expiry = |text: &str| {
            with(&[("login_hint", "a"), ("requested_expiry", text)]).map(|request| request.requested_expiry)
        };
        assert_eq!(expiry("30"), Ok(Some(Seconds(30))));
        for bad in ["0", "-1", "1.5", "x", "99999999999", "+5"] {
            assert_eq!(expiry(bad), Err(BackchannelRefused::Malformed("requested_expiry")), "{bad}");
        }
    }

    #[test]
    fn a_notification_token_is_a_bearer_token_of_bounded_length() {
        let token = |text: &str| {
            let read = with(&[("login_hint", "a"), ("client_notification_token", text)]);
            read.map(|request| request.client_notification_token.map(|token| token.reveal().to_owned()))
        };
        assert_eq!(token(&"x".repeat(1024)).unwrap().unwrap().len(), 1024);
        for bad in [&"x".repeat(1025), "a b", "a\r\nX: y", "=", "ä"] {
            let expected = Err(BackchannelRefused::Malformed("client_notification_token"));
            assert_eq!(token(bad), expected, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_as_a_message_stands_in_one_line(text in "\\PC{0,20}|.{0,20}") {
            if let Ok(Some(message)) = message(&text) {
                prop_assert!(message.chars().all(|c| !c.is_control()) && message.lines().count() == 1);
            }
        }
    }
}

//! Signing in with a username and a password, or with a passkey.

use askama::Template;

use super::client_marks::ClientMarks;
use super::federation::UpstreamButton;
use super::page::Page;

/// The sign-in page. It posts `username`, `password`, `csrf`, `interaction` and `next` to `/sign-in`; or
/// `decision=cancel`; or, by its script, `credential` to `/sign-in/passkey`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// The frame.
    pub page: Page,
    /// The token of this form.
    pub csrf: String,
    /// The authorization request that waits for the sign-in; empty where somebody came by themselves.
    pub interaction: String,
    /// Where they are led after it, if no authorization request waits; empty where they said nothing.
    pub next: String,
    /// Whether they are signed in already, and asked once more.
    pub again: bool,
    /// What `navigator.credentials.get` is given, as JSON; none where this site can have no passkeys.
    pub passkey: Option<String>,
    /// Whether a new password can be asked for by mail.
    pub forgot: bool,
    /// The client that asks, if one does.
    pub client_name: Option<String>,
    /// What that client shows of itself.
    pub marks: ClientMarks,
    /// What stands in the username field: `login_hint` (OpenID Connect Core §3.1.2.1) or what was typed before.
    pub username: String,
    /// The upstream OpenID Providers that one may sign in at instead.
    pub upstreams: Vec<UpstreamButton>,
    /// Whether an e-mail address may lead to one of them, so that a password need not be typed.
    pub home_realms: bool,
    /// Why the last attempt failed.
    pub refused: Option<SignInRefused>,
}

/// Why nobody is signed in. Which of username and password was wrong is not told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignInRefused {
    /// The username or the password.
    WrongUsernameOrPassword,
    /// The passkey.
    Passkey,
    /// There were too many attempts; only time helps.
    TooManyAttempts,
    /// The page was open for too long; it can simply be sent again.
    FormTooOld,
}

impl SignInRefused {
    /// The words for it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::WrongUsernameOrPassword => "sign-in-wrong",
            Self::Passkey => "passkey-refused",
            Self::TooManyAttempts => "sign-in-too-many-attempts",
            Self::FormTooOld => "form-too-old",
        }
    }

    /// Whether what was typed is at fault, and its fields are to be marked.
    #[must_use]
    pub fn marks_fields(self) -> bool {
        self == Self::WrongUsernameOrPassword
    }
}

impl SignInPage {
    /// Whether there is anything that they could go back to.
    #[must_use]
    pub fn can_cancel(&self) -> bool {
        !self.interaction.is_empty() || self.again
    }

    /// Whether the fields are to be marked as wrong.
    #[must_use]
    pub fn fields_are_wrong(&self) -> bool {
        self.refused.is_some_and(SignInRefused::marks_fields)
    }
}

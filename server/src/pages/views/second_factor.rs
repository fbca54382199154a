//! The second step of a sign-in.

use askama::Template;

use super::page::Page;

/// The page. It posts `code`, `csrf`, `interaction` and `next` to `/sign-in/second-factor` or `/sign-in/recovery-code`;
/// or, by its script, `credential` to `/sign-in/passkey`.
#[derive(Clone, Debug, Template)]
#[template(path = "second_factor.html")]
pub struct SecondFactorPage {
    /// The frame.
    pub page: Page,
    /// The token of all forms on the page.
    pub csrf: String,
    /// The authorization request that waits for the sign-in.
    pub interaction: String,
    /// Where they are led otherwise.
    pub next: String,
    /// Who is signing in.
    pub username: String,
    /// What `navigator.credentials.get` is given, as JSON, where they have passkeys.
    pub passkey: Option<String>,
    /// Whether they have an authenticator app.
    pub code: bool,
    /// Why the last attempt failed.
    pub refused: Option<SecondFactorRefused>,
}

/// Why they are not signed in yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecondFactorRefused {
    /// The code of the app.
    WrongCode,
    /// The recovery code.
    WrongRecoveryCode,
    /// The passkey.
    Passkey,
    /// There were too many attempts.
    TooManyAttempts,
    /// The page was open for too long.
    FormTooOld,
}

impl SecondFactorRefused {
    /// The words for it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::WrongCode => "second-factor-wrong",
            Self::WrongRecoveryCode => "second-factor-recovery-wrong",
            Self::Passkey => "passkey-refused",
            Self::TooManyAttempts => "sign-in-too-many-attempts",
            Self::FormTooOld => "form-too-old",
        }
    }
}

impl SecondFactorPage {
    /// Whether the field of the code is to be marked as wrong.
    #[must_use]
    pub fn code_is_wrong(&self) -> bool {
        self.refused == Some(SecondFactorRefused::WrongCode)
    }

    /// Whether that of the recovery code is.
    #[must_use]
    pub fn recovery_is_wrong(&self) -> bool {
        self.refused == Some(SecondFactorRefused::WrongRecoveryCode)
    }

    /// Whether the recovery codes are the only way, or the one that was just tried.
    #[must_use]
    pub fn recovery_is_open(&self) -> bool {
        self.recovery_is_wrong() || (!self.code && self.passkey.is_none())
    }

    /// The way back to the first step.
    #[must_use]
    pub fn back(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("interaction", &self.interaction), ("next", &self.next)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        if query.is_empty() { "/sign-in".to_owned() } else { format!("/sign-in?{query}") }
    }
}

//! How somebody signs in, and where they are signed in.

use askama::Template;
use protocol::numeric_date::NumericDate;
use serde::{Deserialize, Serialize};

use super::language::Argument;
use super::page::Page;

/// The page. Each thing on it has a form of its own.
#[derive(Clone, Debug, Template)]
#[template(path = "security.html")]
pub struct SecurityPage {
    /// The frame; the user is always known here.
    pub page: Page,
    /// The token of all forms on the page.
    pub csrf: String,
    /// What was done just now.
    pub said: Option<Said>,
    /// Whether they have a password.
    pub has_password: bool,
    /// Their passkeys; none where this site can have none.
    pub passkeys: Option<Vec<PasskeyRow>>,
    /// When they set up an authenticator app.
    pub totp: Option<NumericDate>,
    /// How many recovery codes are left; none where there is nothing to recover.
    pub recovery_codes: Option<i64>,
    /// Whether there are upstreams that an account can be linked to.
    pub connections: bool,
    /// Where they are signed in.
    pub sessions: Vec<SessionRow>,
}

/// A passkey.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PasskeyRow {
    /// Its id, posted as `passkey`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was added.
    pub added: NumericDate,
    /// When it was last used.
    pub used: Option<NumericDate>,
}

/// A session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// Its id, posted as `session`.
    pub id: String,
    /// The browser's name, if it is known.
    pub browser: Option<String>,
    /// The system's.
    pub system: Option<String>,
    /// The neighbourhood of its address.
    pub network: Option<String>,
    /// When they signed in.
    pub since: NumericDate,
    /// Whether it is the one that this page is shown in.
    pub current: bool,
}

/// What was done just now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// The password was changed.
    PasswordChanged,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was renamed.
    PasskeyRenamed,
    /// A passkey was removed.
    PasskeyRemoved,
    /// The authenticator app was set up.
    TotpAdded,
    /// It was removed.
    TotpRemoved,
    /// A session was ended.
    SessionEnded,
    /// All other sessions were.
    SessionsEnded,
}

impl Said {
    /// Everything that can be said.
    pub const ALL: [Self; 8] = [
        Self::PasswordChanged,
        Self::PasskeyAdded,
        Self::PasskeyRenamed,
        Self::PasskeyRemoved,
        Self::TotpAdded,
        Self::TotpRemoved,
        Self::SessionEnded,
        Self::SessionsEnded,
    ];

    /// The words for it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::PasswordChanged => "said-password-changed",
            Self::PasskeyAdded => "said-passkey-added",
            Self::PasskeyRenamed => "said-passkey-renamed",
            Self::PasskeyRemoved => "said-passkey-removed",
            Self::TotpAdded => "said-totp-added",
            Self::TotpRemoved => "said-totp-removed",
            Self::SessionEnded => "said-session-ended",
            Self::SessionsEnded => "said-sessions-ended",
        }
    }
}

impl SecurityPage {
    /// How many recovery codes are left, in words.
    #[must_use]
    pub fn recovery_words(&self) -> Option<String> {
        self.recovery_codes.map(|left| self.page.t_count("security-recovery-left", &left))
    }

    /// Whether none is left.
    #[must_use]
    pub fn has_no_codes(&self) -> bool {
        self.recovery_codes == Some(0)
    }

    /// A session's browser in words. The names are ours, found in what the browser said of itself.
    #[must_use]
    pub fn device(&self, session: &SessionRow) -> String {
        match (&session.browser, &session.system) {
            (Some(browser), Some(system)) => {
                let arguments = [("browser", Argument::Text(browser)), ("system", Argument::Text(system))];
                self.page.t_with("device-on", &arguments)
            }
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => self.page.t("device-unknown"),
        }
    }
}

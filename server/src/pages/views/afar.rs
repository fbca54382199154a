//! The pages of questions that come from elsewhere: where a device's code is entered, what waits for the user, and what
//! became of it.

use askama::Template;
use protocol::numeric_date::NumericDate;

use super::account::Kind;
use super::page::Page;

/// Where the code of a device is entered. Its form leads to `/device?user_code=…`.
#[derive(Clone, Debug, Template)]
#[template(path = "device.html")]
pub struct DevicePage {
    /// The frame; the user is always known here.
    pub page: Page,
    /// What was entered before.
    pub user_code: String,
    /// Why that was not taken.
    pub refused: Option<UserCodeRefused>,
    /// What was answered just now.
    pub answered: Option<Answered>,
}

/// Why a code was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserCodeRefused {
    /// There is no such code, or not any more.
    Wrong,
    /// There were too many.
    TooMany,
}

impl UserCodeRefused {
    /// The words for it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Wrong => "device-wrong",
            Self::TooMany => "device-too-many",
        }
    }
}

/// A question that was answered.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Answered {
    /// Yes or no.
    pub allowed: bool,
    /// Who asked.
    pub client_name: String,
}

/// What waits for the user. Its forms post `csrf` and `user_code`, with `decision` (`set` or `remove`), to
/// `/approvals/user-code`.
#[derive(Clone, Debug, Template)]
#[template(path = "approvals.html")]
pub struct ApprovalsPage {
    /// The frame; the user is always known here.
    pub page: Page,
    /// The token of the forms.
    pub csrf: String,
    /// What was answered just now.
    pub answered: Option<Answered>,
    /// What waits, the newest first.
    pub waiting: Vec<WaitingEntry>,
    /// Whether the user set a code without which nobody asks.
    pub has_user_code: bool,
    /// What became of the form for it.
    pub user_code_told: Option<UserCodeTold>,
}

/// What became of the form for the user's code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum UserCodeTold {
    /// It was set.
    Set,
    /// It was taken away.
    Removed,
    /// It was too short or too long.
    Refused,
}

impl UserCodeTold {
    /// The words for it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Set => "approvals-code-set",
            Self::Removed => "approvals-code-removed",
            Self::Refused => "approvals-code-refused",
        }
    }

    /// Whether something was done.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Set | Self::Removed)
    }
}

/// A question that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingEntry {
    /// It is at `/approvals/{id}`.
    pub id: String,
    /// Who asks.
    pub client_name: String,
    /// What kind of principal that is.
    pub kind: Kind,
    /// What the client shows too.
    pub binding_message: Option<String>,
    /// When it was asked.
    pub asked_at: NumericDate,
    /// Until when it waits.
    pub until: NumericDate,
}

//! Adding a passkey.

use askama::Template;

use super::page::Page;

/// The page. Its script asks the device and posts `credential`, `name` and `csrf` to `/account/security/passkey`.
#[derive(Clone, Debug, Template)]
#[template(path = "add_passkey.html")]
pub struct AddPasskeyPage {
    /// The frame.
    pub page: Page,
    /// The token of this form.
    pub csrf: String,
    /// What `navigator.credentials.create` is given, as JSON.
    pub options: String,
    /// Why the last attempt failed.
    pub refused: Option<PasskeyRefused>,
}

/// Why a passkey was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasskeyRefused {
    /// What the device said does not fit, or came too late.
    Refused,
    /// There are too many.
    TooMany,
    /// The page was open for too long.
    FormTooOld,
}

impl PasskeyRefused {
    /// The words for it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Refused => "add-passkey-refused",
            Self::TooMany => "add-passkey-too-many",
            Self::FormTooOld => "form-too-old",
        }
    }
}

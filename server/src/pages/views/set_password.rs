//! Setting a password, reached by a one-time link.

use askama::Template;

use super::page::Page;

/// The fewest characters of a password.
pub const SHORTEST_PASSWORD: u8 = 12;

/// The page. It posts `password`, `password_again`, `csrf` and `link` to `/set-password`.
#[derive(Clone, Debug, Template)]
#[template(path = "set_password.html")]
pub struct SetPasswordPage {
    /// The frame.
    pub page: Page,
    /// The token of this form.
    pub csrf: String,
    /// The secret of the one-time link.
    pub link: String,
    /// Whose password it is, for the browser's password manager too.
    pub username: String,
    /// Why the last attempt failed.
    pub refused: Option<PasswordRefused>,
}

/// Why a password was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordRefused {
    /// It has fewer than [`SHORTEST_PASSWORD`] characters.
    TooShort,
    /// It is longer than any password needs to be.
    TooLong,
    /// The two are not the same.
    NotTheSame,
    /// The page was open for too long.
    FormTooOld,
}

impl SetPasswordPage {
    /// What went wrong, in words.
    #[must_use]
    pub fn refused_words(&self) -> Option<String> {
        self.refused.map(|refused| match refused {
            PasswordRefused::TooShort => self.page.t_count("set-password-too-short", &SHORTEST_PASSWORD),
            PasswordRefused::TooLong => self.page.t("set-password-too-long"),
            PasswordRefused::NotTheSame => self.page.t("set-password-not-the-same"),
            PasswordRefused::FormTooOld => self.page.t("form-too-old"),
        })
    }

    /// What a password has to be, in words.
    #[must_use]
    pub fn hint(&self) -> String {
        self.page.t_count("set-password-hint", &SHORTEST_PASSWORD)
    }

    /// Whether the first of the two fields is at fault.
    #[must_use]
    pub fn first_is_wrong(&self) -> bool {
        matches!(self.refused, Some(PasswordRefused::TooShort | PasswordRefused::TooLong))
    }

    /// Whether the second is.
    #[must_use]
    pub fn second_is_wrong(&self) -> bool {
        self.refused == Some(PasswordRefused::NotTheSame)
    }
}

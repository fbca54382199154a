//! Setting a password, reached by a one-time link.

use askama::Template;

use super::page::Page;

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
    /// The fewest characters.
    pub shortest: i64,
    /// Why the last attempt failed.
    pub refused: Option<PasswordRefused>,
}

/// Why a password was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordRefused {
    /// It has too few characters.
    TooShort,
    /// It is longer than any password needs to be.
    TooLong,
    /// It is the name of its owner.
    OwnName,
    /// It is among those that are tried first.
    Common,
    /// The two are not the same.
    NotTheSame,
    /// The page was open for too long.
    FormTooOld,
}

impl PasswordRefused {
    /// What went wrong, in words.
    #[must_use]
    pub fn words(self, page: &Page, shortest: i64) -> String {
        match self {
            Self::TooShort => page.t_count("set-password-too-short", &shortest),
            Self::TooLong => page.t("set-password-too-long"),
            Self::OwnName => page.t("set-password-own-name"),
            Self::Common => page.t("set-password-common"),
            Self::NotTheSame => page.t("set-password-not-the-same"),
            Self::FormTooOld => page.t("form-too-old"),
        }
    }

    /// Whether the first of the two fields is at fault.
    #[must_use]
    pub const fn is_the_first(self) -> bool {
        matches!(self, Self::TooShort | Self::TooLong | Self::OwnName | Self::Common)
    }
}

impl From<protocol::password::PasswordRefused> for PasswordRefused {
    fn from(refused: protocol::password::PasswordRefused) -> Self {
        match refused {
            protocol::password::PasswordRefused::TooShort => Self::TooShort,
            protocol::password::PasswordRefused::TooLong => Self::TooLong,
            protocol::password::PasswordRefused::OwnName => Self::OwnName,
            protocol::password::PasswordRefused::Common => Self::Common,
        }
    }
}

impl SetPasswordPage {
    /// What went wrong, in words.
    #[must_use]
    pub fn refused_words(&self) -> Option<String> {
        self.refused.map(|refused| refused.words(&self.page, self.shortest))
    }

    /// What a password has to be, in words.
    #[must_use]
    pub fn hint(&self) -> String {
        self.page.t_count("set-password-hint", &self.shortest)
    }

    /// Whether the first of the two fields is at fault.
    #[must_use]
    pub fn first_is_wrong(&self) -> bool {
        self.refused.is_some_and(PasswordRefused::is_the_first)
    }

    /// Whether the second is.
    #[must_use]
    pub fn second_is_wrong(&self) -> bool {
        self.refused == Some(PasswordRefused::NotTheSame)
    }
}

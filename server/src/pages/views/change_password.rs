//! Changing a password that one knows.

use askama::Template;

use super::page::Page;
use super::set_password::PasswordRefused;

/// The page. It posts `old_password`, `password`, `password_again` and `csrf` to `/account/security/password`.
#[derive(Clone, Debug, Template)]
#[template(path = "change_password.html")]
pub struct ChangePasswordPage {
    /// The frame.
    pub page: Page,
    /// The token of this form.
    pub csrf: String,
    /// Whose password it is, for the browser's password manager.
    pub username: String,
    /// The fewest characters.
    pub shortest: i64,
    /// Why the last attempt failed.
    pub refused: Option<ChangeRefused>,
}

/// Why a password was not changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeRefused {
    /// The one until now is wrong.
    Old,
    /// There were too many attempts.
    TooManyAttempts,
    /// The new one.
    New(PasswordRefused),
}

impl ChangePasswordPage {
    /// What went wrong, in words.
    #[must_use]
    pub fn refused_words(&self) -> Option<String> {
        self.refused.map(|refused| match refused {
            ChangeRefused::Old => self.page.t("change-password-old-wrong"),
            ChangeRefused::TooManyAttempts => self.page.t("sign-in-too-many-attempts"),
            ChangeRefused::New(refused) => refused.words(&self.page, self.shortest),
        })
    }

    /// What a password has to be, in words.
    #[must_use]
    pub fn hint(&self) -> String {
        self.page.t_count("set-password-hint", &self.shortest)
    }

    /// Whether the old one is at fault.
    #[must_use]
    pub fn old_is_wrong(&self) -> bool {
        self.refused == Some(ChangeRefused::Old)
    }

    /// Whether the first of the two new ones is.
    #[must_use]
    pub fn first_is_wrong(&self) -> bool {
        matches!(self.refused, Some(ChangeRefused::New(refused)) if refused.is_the_first())
    }

    /// Whether the second is.
    #[must_use]
    pub fn second_is_wrong(&self) -> bool {
        self.refused == Some(ChangeRefused::New(PasswordRefused::NotTheSame))
    }
}

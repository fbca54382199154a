//! For whoever forgot their password: the page that asks for an address, and the mail that goes to it.

use askama::Template;

use super::language::{Language, Piece};
use super::page::Page;

/// The page. It posts `email` and `csrf` to `/forgot-password`; what it says then is the same for every address.
#[derive(Clone, Debug, Template)]
#[template(path = "forgot_password.html")]
pub struct ForgotPasswordPage {
    /// The frame.
    pub page: Page,
    /// The token of this form.
    pub csrf: String,
    /// Whether an address was sent.
    pub sent: bool,
    /// Whether the page was open for too long.
    pub too_old: bool,
}

/// The link that an admin hands over.
#[derive(Clone, Template)]
#[template(path = "reset_link.html")]
pub struct ResetLinkPage {
    /// The frame.
    pub page: Page,
    /// For whom.
    pub username: String,
    /// The link.
    pub link: String,
}

/// The mail with a link to set a password: subject and text.
#[must_use]
pub fn forgot_mail(language: Language, name: &str, username: &str, link: &str) -> (String, String) {
    let one_line = |text: &str| text.replace(char::is_control, " ");
    let plain = |pieces: Vec<Piece>| pieces.into_iter().map(|piece| piece.text).collect::<String>();
    let hello = plain(language.sentence("forgot-mail-hello", &[("name", &one_line(name))]));
    let words = plain(language.sentence("forgot-mail-words", &[("username", &one_line(username))]));
    let (life, not_you) = (language.t("forgot-mail-life"), language.t("forgot-mail-not-you"));
    let text = format!("{hello}\n\n{words}\n\n{link}\n\n{life}\n\n{not_you}\n");
    (language.t("forgot-mail-subject"), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_holds_the_link_on_a_line_of_its_own_and_no_line_of_anybody_elses() {
        for language in Language::ALL {
            let (subject, text) =
                forgot_mail(language, "Eve\nhttps://evil.example", "eve\r\n", "https://as/x");
            assert!(!subject.is_empty() && !subject.contains('\n'));
            assert!(text.lines().any(|line| line == "https://as/x"), "{text}");
            assert!(!text.lines().any(|line| line.starts_with("https://evil")), "{text}");
            assert!(!text.contains("Unknown localization"), "{text}");
        }
    }
}

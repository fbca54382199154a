//! Signing out (OpenID Connect RP-Initiated Logout §2).

use askama::Template;

use super::page::Page;

/// Asks whether to sign out. It posts `csrf`, what is `carried`, and `decision=confirm` or `decision=cancel` to `/logout/confirm`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign_out.html")]
pub struct SignOutPage {
    /// The frame.
    pub page: Page,
    /// The token of this form.
    pub csrf: String,
    /// The client that asks for it, if one does.
    pub client_name: Option<String>,
    /// Parameters of the request that come along in hidden fields, such as `state`, by name.
    pub carried: Vec<(String, String)>,
}

/// Nobody is signed in any more.
#[derive(Clone, Debug, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage {
    /// The frame.
    pub page: Page,
    /// Where the user may go on, a registered `post_logout_redirect_uri`, where no redirect leads there by itself.
    pub continue_to: Option<String>,
    /// Whose place that is.
    pub client_name: Option<String>,
    /// What the browser is to load, so that clients sign the user out too (Front-Channel Logout §2).
    pub frames: Vec<String>,
    /// Whether the page goes on by itself, once that is loaded.
    pub goes_on: bool,
}

impl SignedOutPage {
    /// `continue_to`, if it leads to a web page and nowhere else.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        self.continue_to.as_deref().filter(|uri| uri.starts_with("https://") || uri.starts_with("http://"))
    }
}

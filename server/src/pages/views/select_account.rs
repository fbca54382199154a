//! Who is signed in, and whether to go on as them.

use askama::Template;

use super::page::Page;

/// The choice of an account. It posts `csrf`, `interaction` and `decision` (`continue`, `other` or `cancel`) to
/// `/select-account`.
#[derive(Clone, Debug, Template)]
#[template(path = "select_account.html")]
pub struct SelectAccountPage {
    /// The frame.
    pub page: Page,
    /// The token of this form.
    pub csrf: String,
    /// The authorization request that waits for the choice.
    pub interaction: String,
    /// The client that asks.
    pub client_name: String,
    /// How pages address whoever is signed in.
    pub user_name: String,
    /// What they type to sign in.
    pub username: String,
    /// Whether the page was open for too long; it can simply be sent again.
    pub form_too_old: bool,
}

//! One consent, for admins: what was allowed, and what is alive under it.

use askama::Template;
use protocol::numeric_date::NumericDate;

use super::account::{ConsentEnd, Kind};
use super::admin_held::Held;
use super::allowed::Allowed;
use super::page::Page;
use super::task_tree::TaskSummary;

/// A consent.
#[derive(Clone, Debug, Template)]
#[template(path = "admin_consent.html")]
pub struct AdminConsentPage {
    /// The frame.
    pub page: Page,
    /// Its id.
    pub id: String,
    /// Who allowed it.
    pub user_name: String,
    /// Who may act.
    pub actor: ClientLink,
    /// The client through which it was asked, where that is another one.
    pub client: Option<ClientLink>,
    /// Whose word stands for the user's, where it was not asked here.
    pub brought_by: Option<String>,
    /// How it ended, if it did.
    pub end: Option<ConsentEnd>,
    /// What was allowed.
    pub allowed: Allowed,
    /// The claims about the user that were asked for by name.
    pub claims: Vec<String>,
    /// How many further actors it may reach.
    pub passing_on_max: u8,
    /// Whether the actor may go on in the user's absence.
    pub offline_access: bool,
    /// When it was given.
    pub since: NumericDate,
    /// When it ends.
    pub until: NumericDate,
    /// The tasks under it, each part behind the task that it is a part of.
    pub tasks: Vec<TaskSummary>,
    /// Whether there are more than are shown.
    pub more_tasks: bool,
    /// What is alive under it.
    pub held: Held,
}

/// A client, with the way to its page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientLink {
    /// Its name.
    pub name: String,
    /// What kind of client it is.
    pub kind: Kind,
    /// Where its page is.
    pub path: String,
}

impl AdminConsentPage {
    /// The words for whether it stands.
    #[must_use]
    pub const fn state_key(&self) -> &'static str {
        match self.end {
            Some(end) => end.key(),
            None => "admin-consent-stands",
        }
    }
}

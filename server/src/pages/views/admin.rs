//! The admin page: what is there and what happened last.

use askama::Template;
use protocol::audit::Outcome;
use protocol::client::ClientStatus;
use protocol::numeric_date::NumericDate;

use super::account::Permitted;
use super::page::Page;

/// The admin page.
#[derive(Clone, Debug, Template)]
#[template(path = "admin.html")]
pub struct AdminPage {
    /// The frame.
    pub page: Page,
    /// The token of all forms on the page.
    pub csrf: String,
    /// The users, wherever they sign in.
    pub users: Vec<UserRow>,
    /// Every agent.
    pub agents: Vec<AgentRow>,
    /// Every live consent.
    pub consents: Vec<ConsentRow>,
    /// Tasks that are open, those that may go on longest first.
    pub tasks: Vec<TaskRow>,
    /// The last events of the audit log, the newest first.
    pub events: Vec<AuditRow>,
}

/// A user. The row's form posts `csrf` and `user` to `/admin/users/reset-link`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserRow {
    /// Their id.
    pub id: String,
    /// What they type to sign in.
    pub username: String,
    /// How pages address them.
    pub name: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether they answer for agents.
    pub has_agents: bool,
    /// Whether the account may be used.
    pub enabled: bool,
    /// Whether an admin keeps it disabled.
    pub halted: bool,
    /// Where the pages that end what they have begin.
    pub path: String,
}

/// An agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentRow {
    /// Its client id.
    pub id: String,
    /// Where its page is.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Who answers for it.
    pub owner_name: String,
    /// What it is for.
    pub purpose: String,
    /// When it ends.
    pub expires_at: NumericDate,
    /// Whether that is over.
    pub expired: bool,
    /// Whether it may act.
    pub status: ClientStatus,
}

/// A live consent. Its page is `/admin/consents/{id}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentRow {
    /// Its id.
    pub id: String,
    /// Who allowed it.
    pub user_name: String,
    /// Who may act.
    pub actor_name: String,
    /// The client through which it was asked.
    pub client_name: String,
    /// What was allowed.
    pub what: Vec<Permitted>,
    /// When it was given.
    pub since: NumericDate,
    /// When it ends.
    pub until: NumericDate,
}

/// An open task. Its page is `/admin/tasks/{id}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskRow {
    /// Its id.
    pub id: String,
    /// For whom.
    pub user_name: String,
    /// Who does it.
    pub actor_name: String,
    /// What for, in the actor's words.
    pub purpose: Option<String>,
    /// When it ends at the latest.
    pub deadline: NumericDate,
}

/// An event of the audit log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditRow {
    /// Its place in the log.
    pub seq: i64,
    /// When.
    pub time: NumericDate,
    /// What, in the audit log's own word.
    pub action: String,
    /// Yes or no.
    pub outcome: Outcome,
    /// The client that asked.
    pub client: Option<String>,
    /// The chain of actors, the current one first.
    pub chain: Vec<String>,
    /// Why, where it was refused.
    pub reason: Option<String>,
}

impl UserRow {
    /// Where the page is that asks whether to do this to them.
    #[must_use]
    pub fn path_to(&self, ending: &str) -> String {
        format!("{}/{ending}", self.path)
    }
}

impl AgentRow {
    /// The words for its status: an expired agent may not act, whatever else is said of it.
    #[must_use]
    pub const fn status_key(&self) -> &'static str {
        match (self.expired, self.status) {
            (_, ClientStatus::Retired) => "status-retired",
            (true, _) => "status-expired",
            (false, ClientStatus::Suspended) => "status-suspended",
            (false, ClientStatus::Active) => "status-active",
        }
    }

    /// Whether it may act.
    #[must_use]
    pub fn may_act(&self) -> bool {
        !self.expired && self.status == ClientStatus::Active
    }
}

impl AuditRow {
    /// Whether it was granted.
    #[must_use]
    pub fn is_granted(&self) -> bool {
        self.outcome == Outcome::Granted
    }

    /// The names in the order in which the authority travelled.
    pub fn way(&self) -> impl Iterator<Item = &String> {
        self.chain.iter().rev()
    }
}

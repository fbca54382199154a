//! The account page: what the user allowed, and the way to end it.

use askama::Template;
use protocol::client::ClientKind;
use protocol::numeric_date::NumericDate;
use protocol::task::TaskStatus;

use super::account_tasks::TaskStep;
use super::page::Page;

/// The account page. Each consent has a form that posts `csrf` and `consent` to `/account/consents/end`.
#[derive(Clone, Debug, Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    /// The frame; the user is always known here.
    pub page: Page,
    /// The token of all forms on the page.
    pub csrf: String,
    /// The name of the actor whose consent was ended just now.
    pub just_ended: Option<String>,
    /// What was done to a task just now, as a key of its words, and who does the task.
    pub just_stepped: Option<(String, String)>,
    /// How many questions wait for an answer.
    pub waiting: u32,
    /// Whether there is anywhere else that one may sign in at.
    pub connections: bool,
    /// What stands, the newest first.
    pub consents: Vec<ConsentSummary>,
    /// What does not stand any more.
    pub ended: Vec<EndedConsent>,
}

/// A live consent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentSummary {
    /// Its id, posted as `consent`.
    pub id: String,
    /// Who may act.
    pub actor_name: String,
    /// What kind of principal that is.
    pub kind: Kind,
    /// The client through which it was asked, where that is another one.
    pub client_name: Option<String>,
    /// Where the application is opened, with its user signed in, if it can be from here (OpenID Connect Core §4).
    pub open: Option<String>,
    /// When it was given.
    pub since: NumericDate,
    /// When it ends.
    pub until: NumericDate,
    /// What was allowed.
    pub what: Vec<Permitted>,
    /// How many further actors it may reach.
    pub passing_on_max: u8,
    /// Whether the actor may go on in the user's absence.
    pub offline_access: bool,
    /// The tasks under it, each part behind the task that it is a part of.
    pub tasks: Vec<TaskSummary>,
    /// The live tokens under it.
    pub tokens: Vec<LiveTokens>,
}

/// A consent that ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndedConsent {
    /// Who could act.
    pub actor_name: String,
    /// What kind of principal that is.
    pub kind: Kind,
    /// When it was given.
    pub since: NumericDate,
    /// What had been allowed.
    pub what: Vec<Permitted>,
    /// How it ended.
    pub end: ConsentEnd,
}

/// One thing that was allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Permitted {
    /// What, in a sentence.
    pub sentence: String,
    /// What else is said of it.
    pub lines: Vec<String>,
}

/// How a consent ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConsentEnd {
    /// Somebody ended it.
    Revoked,
    /// Its time was over.
    TimeOver,
}

/// What kind of client somebody is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Something people use.
    Application,
    /// A program that acts for itself.
    Service,
    /// An AI agent.
    Agent,
}

/// A task under a consent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskSummary {
    /// Its id.
    pub id: String,
    /// Its purpose in words.
    pub purpose: Option<String>,
    /// A ticket, a run id.
    pub reference: Option<String>,
    /// Where it stands.
    pub status: TaskStatus,
    /// When it ends at the latest.
    pub deadline: NumericDate,
    /// How to see that it is done.
    pub success_criteria: Vec<String>,
    /// What must not happen, in words.
    pub limits: Vec<String>,
    /// How many tasks it lies below.
    pub depth: u32,
    /// Who does it, where that is not who the consent is to.
    pub actor_name: Option<String>,
    /// The purpose, if it has one, of the task that it is a part of, where it is one.
    pub part_of: Option<Option<String>>,
    /// It rests because something above it does.
    pub rests_above: bool,
    /// What the user may do with it now.
    pub steps: Vec<TaskStep>,
}

/// Live tokens of one chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveTokens {
    /// The names of the chain, the current actor first.
    pub chain: Vec<String>,
    /// How many tokens.
    pub count: u32,
}

impl AccountPage {
    /// How many consents ended, in words.
    #[must_use]
    pub fn ended_words(&self) -> String {
        self.page.t_count("account-ended", &i64::try_from(self.ended.len()).unwrap_or(i64::MAX))
    }
}

impl From<&ClientKind> for Kind {
    fn from(kind: &ClientKind) -> Self {
        match kind {
            ClientKind::Application => Self::Application,
            ClientKind::Service => Self::Service,
            ClientKind::Agent(_) => Self::Agent,
        }
    }
}

impl Kind {
    /// The words for it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Application => "kind-application",
            Self::Service => "kind-service",
            Self::Agent => "kind-agent",
        }
    }
}

impl ConsentEnd {
    /// The words for it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Revoked => "account-ended-revoked",
            Self::TimeOver => "account-ended-time-over",
        }
    }
}

impl TaskSummary {
    /// The class of its place in the tree; what lies deeper than three is drawn like the third.
    #[must_use]
    pub const fn depth_class(&self) -> &'static str {
        match self.depth {
            0 => "",
            1 => " part-1",
            2 => " part-2",
            _ => " part-3",
        }
    }

    /// Where the page is that asks whether to do this.
    #[must_use]
    pub fn path(&self, step: &TaskStep) -> String {
        format!("/account/tasks/{}/{}", self.id, step.operation().as_str())
    }

    /// The words for where it stands.
    #[must_use]
    pub const fn status_key(&self) -> &'static str {
        match self.status {
            TaskStatus::Active => "task-active",
            TaskStatus::Suspended => "task-suspended",
            TaskStatus::Completed => "task-completed",
            TaskStatus::Revoked => "task-revoked",
            TaskStatus::Expired => "task-expired",
        }
    }
}

impl LiveTokens {
    /// The names in the order in which the authority travelled.
    pub fn way(&self) -> impl Iterator<Item = &String> {
        self.chain.iter().rev()
    }
}

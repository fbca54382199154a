//! The tasks under a consent as they hang together, with what the reader may do with each.

use protocol::numeric_date::NumericDate;
use protocol::task::TaskStatus;

use super::account_tasks::TaskStep;

/// A task in its tree.
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
    /// The page that says more of it, where the reader has one.
    pub path: Option<String>,
    /// What the reader may do with it now, each with the page that asks whether to.
    pub steps: Vec<(TaskStep, String)>,
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

    /// The words for where it stands.
    #[must_use]
    pub const fn status_key(&self) -> &'static str {
        status_key(self.status)
    }
}

/// The words for where a task stands.
#[must_use]
pub const fn status_key(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Active => "task-active",
        TaskStatus::Suspended => "task-suspended",
        TaskStatus::Completed => "task-completed",
        TaskStatus::Revoked => "task-revoked",
        TaskStatus::Expired => "task-expired",
    }
}

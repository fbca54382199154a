//! One task, for admins: what it is for, its parts, and what is alive under it.

use askama::Template;
use protocol::numeric_date::NumericDate;
use protocol::task::{Hand, TaskStatus};

use super::account_tasks::TaskStep;
use super::admin_consent::ClientLink;
use super::admin_held::Held;
use super::allowed::Allowed;
use super::approval::TaskInWords;
use super::page::Page;
use super::task_tree::{self, TaskSummary};

/// A task.
#[derive(Clone, Debug, Template)]
#[template(path = "admin_task.html")]
pub struct AdminTaskPage {
    /// The frame.
    pub page: Page,
    /// Its id.
    pub id: String,
    /// For whom.
    pub user_name: String,
    /// Who does it.
    pub actor: ClientLink,
    /// Where it stands, what it is a part of taken together.
    pub status: TaskStatus,
    /// It rests because something above it does.
    pub rests_above: bool,
    /// By whose hand it rests, where it does by itself.
    pub suspended_by: Option<Hand>,
    /// What it is for.
    pub task: TaskInWords,
    /// What may be done for it.
    pub allowed: Allowed,
    /// When it was opened.
    pub since: NumericDate,
    /// When it ends at the latest.
    pub deadline: NumericDate,
    /// How many tokens were derived and how many may be, where that is counted.
    pub derivations: Option<(u32, u32)>,
    /// The consent that it is done under.
    pub consent: String,
    /// The task that it is a part of.
    pub part_of: Option<String>,
    /// What can be done with it now, each with the page that asks whether to.
    pub steps: Vec<(TaskStep, String)>,
    /// Its parts, each behind the task that it is a part of.
    pub tasks: Vec<TaskSummary>,
    /// Whether there are more than are shown.
    pub more_tasks: bool,
    /// What is alive under it and its parts.
    pub held: Held,
}

impl AdminTaskPage {
    /// The words for where it stands.
    #[must_use]
    pub const fn status_key(&self) -> &'static str {
        task_tree::status_key(self.status)
    }

    /// The words for whose hand suspended it.
    #[must_use]
    pub const fn hand_key(hand: &Hand) -> &'static str {
        match hand {
            Hand::Actor => "task-hand-actor",
            Hand::Giver => "task-hand-giver",
            Hand::User => "task-hand-user",
            Hand::Admin => "task-hand-admin",
        }
    }
}

//! The user's own hand on a task: the question before it.

use askama::Template;
use protocol::task::Operation;

use super::page::Page;

/// What a user may do with a task that is done for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TaskStep {
    /// It rests.
    Suspend,
    /// It goes on.
    Resume,
    /// It ends for good.
    Revoke,
}

impl TaskStep {
    /// All of them, in the order of their buttons.
    pub const ALL: [Self; 3] = [Self::Resume, Self::Suspend, Self::Revoke];

    /// What is done to the task.
    #[must_use]
    pub const fn operation(self) -> Operation {
        match self {
            Self::Suspend => Operation::Suspend,
            Self::Resume => Operation::Resume,
            Self::Revoke => Operation::Revoke,
        }
    }

    /// The words on its button.
    #[must_use]
    pub const fn button(self) -> &'static str {
        match self {
            Self::Suspend => "task-suspend",
            Self::Resume => "task-resume",
            Self::Revoke => "task-revoke",
        }
    }

    /// The question.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::Suspend => "task-suspend-question",
            Self::Resume => "task-resume-question",
            Self::Revoke => "task-revoke-question",
        }
    }

    /// What it means.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Suspend => "task-suspend-meaning",
            Self::Resume => "task-resume-meaning",
            Self::Revoke => "task-revoke-meaning",
        }
    }

    /// What is said when it was done.
    #[must_use]
    pub const fn done(self) -> &'static str {
        match self {
            Self::Suspend => "task-suspend-done",
            Self::Resume => "task-resume-done",
            Self::Revoke => "task-revoke-done",
        }
    }
}

/// The question. Its form posts `csrf` to `action`.
#[derive(Clone, Debug, Template)]
#[template(path = "account_task.html")]
pub struct AccountTaskPage {
    /// The frame.
    pub page: Page,
    /// The form's token.
    pub csrf: String,
    /// What is asked about.
    pub step: TaskStep,
    /// Who does the task.
    pub actor_name: String,
    /// Its purpose in words.
    pub purpose: Option<String>,
    /// A ticket, a run id.
    pub reference: Option<String>,
    /// The parts of it that others do, each with who does it and its purpose.
    pub parts: Vec<(String, Option<String>)>,
    /// Where the form goes.
    pub action: String,
}

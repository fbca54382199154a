//! Ending what somebody holds: the question before it, and what came of it.

use askama::Template;

use super::page::Page;
use super::what_ended::WhatEnded;

/// What an admin is about to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndingInWords {
    /// Suspend an agent.
    Suspend,
    /// Let it act again.
    Resume,
    /// Stop it for good.
    Retire,
    /// End everything of a user's.
    User,
    /// Suspend all agents of an owner.
    Owner,
    /// Disable an account.
    Disable,
    /// Enable it.
    Enable,
    /// End a consent.
    Consent,
    /// End a task.
    Task,
    /// Let a task rest.
    SuspendTask,
    /// Let it go on.
    ResumeTask,
    /// End a token.
    Token,
    /// End a refresh family.
    Family,
    /// End one instance of a client.
    Instance,
}

/// What ends with an agent.
const OF_AGENT: &[&str] =
    &["ending-line-consents", "ending-line-tokens", "ending-line-pending", "ending-line-local"];

/// The keys of the words for an ending.
struct Words {
    /// The word by which it is known in paths.
    word: &'static str,
    button: &'static str,
    question: &'static str,
    meaning: &'static str,
    lines: &'static [&'static str],
    done: &'static str,
}

impl EndingInWords {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Suspend,
        Self::Resume,
        Self::Retire,
        Self::User,
        Self::Owner,
        Self::Disable,
        Self::Enable,
        Self::Consent,
        Self::Task,
        Self::SuspendTask,
        Self::ResumeTask,
        Self::Token,
        Self::Family,
        Self::Instance,
    ];

    const fn words(self) -> Words {
        match self {
            Self::Suspend => Words {
                word: "suspend",
                button: "ending-suspend",
                question: "ending-suspend-question",
                meaning: "ending-suspend-meaning",
                lines: OF_AGENT,
                done: "ending-suspend-done",
            },
            Self::Resume => Words {
                word: "resume",
                button: "ending-resume",
                question: "ending-resume-question",
                meaning: "ending-resume-meaning",
                lines: &["ending-line-anew"],
                done: "ending-resume-done",
            },
            Self::Retire => Words {
                word: "retire",
                button: "ending-retire",
                question: "ending-retire-question",
                meaning: "ending-retire-meaning",
                lines: OF_AGENT,
                done: "ending-retire-done",
            },
            Self::User => Words {
                word: "end",
                button: "ending-user",
                question: "ending-user-question",
                meaning: "ending-user-meaning",
                lines: &[
                    "ending-line-sessions",
                    "ending-line-user-consents",
                    "ending-line-user-tokens",
                    "ending-line-user-pending",
                    "ending-line-local",
                    "ending-line-account",
                ],
                done: "ending-user-done",
            },
            Self::Owner => Words {
                word: "end-agents",
                button: "ending-owner",
                question: "ending-owner-question",
                meaning: "ending-owner-meaning",
                lines: OF_AGENT,
                done: "ending-owner-done",
            },
            Self::Disable => Words {
                word: "disable",
                button: "ending-disable",
                question: "ending-disable-question",
                meaning: "ending-disable-meaning",
                lines: &[
                    "ending-line-sessions",
                    "ending-line-user-consents",
                    "ending-line-user-tokens",
                    "ending-line-user-pending",
                    "ending-line-local",
                    "ending-line-disabled",
                ],
                done: "ending-disable-done",
            },
            Self::Enable => Words {
                word: "enable",
                button: "ending-enable",
                question: "ending-enable-question",
                meaning: "ending-enable-meaning",
                lines: &["ending-line-enable-anew"],
                done: "ending-enable-done",
            },
            Self::Consent => Words {
                word: "end",
                button: "ending-end",
                question: "ending-consent-question",
                meaning: "ending-consent-meaning",
                lines: &["ending-line-consent-tasks", "ending-line-derived", "ending-line-local"],
                done: "ending-consent-done",
            },
            Self::Task => Words {
                word: "end",
                button: "ending-end",
                question: "ending-task-question",
                meaning: "ending-task-meaning",
                lines: &["ending-line-parts", "ending-line-derived", "ending-line-local"],
                done: "ending-task-done",
            },
            Self::SuspendTask => Words {
                word: "suspend",
                button: "ending-suspend",
                question: "ending-task-suspend-question",
                meaning: "ending-task-suspend-meaning",
                lines: &["ending-line-parts-rest", "ending-line-local"],
                done: "ending-task-suspend-done",
            },
            Self::ResumeTask => Words {
                word: "resume",
                button: "ending-resume",
                question: "ending-task-resume-question",
                meaning: "ending-task-resume-meaning",
                lines: &["ending-line-parts-go-on"],
                done: "ending-task-resume-done",
            },
            Self::Token => Words {
                word: "end",
                button: "ending-end",
                question: "ending-token-question",
                meaning: "ending-token-meaning",
                lines: &["ending-line-token-derived", "ending-line-token-again", "ending-line-local"],
                done: "ending-token-done",
            },
            Self::Family => Words {
                word: "end",
                button: "ending-end",
                question: "ending-family-question",
                meaning: "ending-family-meaning",
                lines: &["ending-line-family-tokens", "ending-line-local"],
                done: "ending-family-done",
            },
            Self::Instance => Words {
                word: "end",
                button: "ending-end",
                question: "ending-instance-question",
                meaning: "ending-instance-meaning",
                lines: &[
                    "ending-line-instance-tokens",
                    "ending-line-instance-pending",
                    "ending-line-instance-others",
                    "ending-line-local",
                ],
                done: "ending-instance-done",
            },
        }
    }

    /// The word by which it is known in paths.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.words().word
    }

    /// The words on its button.
    #[must_use]
    pub const fn button(self) -> &'static str {
        self.words().button
    }

    /// The question.
    #[must_use]
    pub const fn question(self) -> &'static str {
        self.words().question
    }

    /// What it means for whom it is done to.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.words().meaning
    }

    /// What happens, line by line.
    #[must_use]
    pub const fn lines(self) -> &'static [&'static str] {
        self.words().lines
    }

    /// What is said when it was done.
    #[must_use]
    pub const fn done(self) -> &'static str {
        self.words().done
    }
}

/// The question. Its form posts `csrf` to `action`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin_ending.html")]
pub struct AdminEndingPage {
    /// The frame.
    pub page: Page,
    /// The form's token.
    pub csrf: String,
    /// What is asked about.
    pub what: EndingInWords,
    /// Whom it is done to.
    pub name: String,
    /// Their client id or username, or the id of what is ended.
    pub id: String,
    /// The names of the agents that are suspended with it.
    pub agents: Vec<String>,
    /// Where the form goes.
    pub action: String,
    /// Where the way back leads.
    pub back: String,
}

/// What came of it.
#[derive(Clone, Debug, Template)]
#[template(path = "admin_ended.html")]
pub struct AdminEndedPage {
    /// The frame.
    pub page: Page,
    /// What was done.
    pub what: EndingInWords,
    /// Whom it was done to.
    pub name: String,
    /// What was ended.
    pub ended: WhatEnded,
    /// Where the way back leads.
    pub back: String,
}

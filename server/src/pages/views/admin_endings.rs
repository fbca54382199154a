//! Ending what somebody holds: the question before it, and what came of it.

use askama::Template;

use super::page::Page;

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
}

impl EndingInWords {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Suspend,
        Self::Resume,
        Self::Retire,
        Self::User,
        Self::Owner,
        Self::Disable,
        Self::Enable,
        Self::Consent,
        Self::Task,
    ];

    /// The word by which it is known in paths.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Retire => "retire",
            Self::User | Self::Consent | Self::Task => "end",
            Self::Owner => "end-agents",
            Self::Disable => "disable",
            Self::Enable => "enable",
        }
    }

    /// The words on its button.
    #[must_use]
    pub const fn button(self) -> &'static str {
        match self {
            Self::Suspend => "ending-suspend",
            Self::Resume => "ending-resume",
            Self::Retire => "ending-retire",
            Self::User => "ending-user",
            Self::Owner => "ending-owner",
            Self::Disable => "ending-disable",
            Self::Enable => "ending-enable",
            Self::Consent => "ending-consent",
            Self::Task => "ending-task",
        }
    }

    /// The question.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::Suspend => "ending-suspend-question",
            Self::Resume => "ending-resume-question",
            Self::Retire => "ending-retire-question",
            Self::User => "ending-user-question",
            Self::Owner => "ending-owner-question",
            Self::Disable => "ending-disable-question",
            Self::Enable => "ending-enable-question",
            Self::Consent => "ending-consent-question",
            Self::Task => "ending-task-question",
        }
    }

    /// What it means for whom it is done to.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Suspend => "ending-suspend-meaning",
            Self::Resume => "ending-resume-meaning",
            Self::Retire => "ending-retire-meaning",
            Self::User => "ending-user-meaning",
            Self::Owner => "ending-owner-meaning",
            Self::Disable => "ending-disable-meaning",
            Self::Enable => "ending-enable-meaning",
            Self::Consent => "ending-consent-meaning",
            Self::Task => "ending-task-meaning",
        }
    }

    /// What happens, line by line.
    #[must_use]
    pub const fn lines(self) -> &'static [&'static str] {
        match self {
            Self::Suspend | Self::Retire | Self::Owner => {
                &["ending-line-consents", "ending-line-tokens", "ending-line-pending", "ending-line-local"]
            }
            Self::Resume => &["ending-line-anew"],
            Self::Enable => &["ending-line-enable-anew"],
            Self::Consent => &["ending-line-consent-tasks", "ending-line-derived", "ending-line-local"],
            Self::Task => &["ending-line-parts", "ending-line-derived", "ending-line-local"],
            Self::Disable => &[
                "ending-line-sessions",
                "ending-line-user-consents",
                "ending-line-user-tokens",
                "ending-line-user-pending",
                "ending-line-local",
                "ending-line-disabled",
            ],
            Self::User => &[
                "ending-line-sessions",
                "ending-line-user-consents",
                "ending-line-user-tokens",
                "ending-line-user-pending",
                "ending-line-local",
                "ending-line-account",
            ],
        }
    }

    /// What is said when it was done.
    #[must_use]
    pub const fn done(self) -> &'static str {
        match self {
            Self::Suspend => "ending-suspend-done",
            Self::Resume => "ending-resume-done",
            Self::Retire => "ending-retire-done",
            Self::User => "ending-user-done",
            Self::Owner => "ending-owner-done",
            Self::Disable => "ending-disable-done",
            Self::Enable => "ending-enable-done",
            Self::Consent => "ending-consent-done",
            Self::Task => "ending-task-done",
        }
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
    /// Their client id or username.
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
    pub ended: EndedInNumbers,
    /// Where the way back leads.
    pub back: String,
}

/// How much was ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EndedInNumbers {
    /// Agents that were suspended with it.
    pub agents: i64,
    /// Browser sessions.
    pub sessions: i64,
    /// Consents.
    pub consents: i64,
    /// Tasks.
    pub tasks: i64,
    /// Tokens.
    pub tokens: i64,
    /// Codes and requests.
    pub pending: i64,
}

impl AdminEndedPage {
    /// What was ended, each kind in its own words; nothing of what there was none of.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let ended = &self.ended;
        let all = [
            ("ended-agents", ended.agents),
            ("ended-sessions", ended.sessions),
            ("ended-consents", ended.consents),
            ("ended-tasks", ended.tasks),
            ("ended-tokens", ended.tokens),
            ("ended-pending", ended.pending),
        ];
        let some = all.into_iter().filter(|(_, count)| *count > 0);
        some.map(|(key, count)| self.page.t_count(key, &count)).collect()
    }
}

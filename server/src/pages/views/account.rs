//! The account page: what the user allowed, and the way to end it.

use askama::Template;
use protocol::client::ClientKind;
use protocol::numeric_date::NumericDate;
use serde::{Deserialize, Serialize};

use super::page::Page;
use super::task_tree::TaskSummary;
use super::what_ended::WhatEnded;

/// The account page. Each consent has a form that posts `csrf` and `consent` to `/account/consents/end`.
#[derive(Clone, Debug, Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    /// The frame; the user is always known here.
    pub page: Page,
    /// The token of all forms on the page.
    pub csrf: String,
    /// What was done just now.
    pub just_done: Option<JustDone>,
    /// How many questions wait for an answer.
    pub waiting: u32,
    /// Whether there is anywhere else that one may sign in at.
    pub connections: bool,
    /// What stands, the newest first.
    pub consents: Vec<ConsentSummary>,
    /// What does not stand any more.
    pub ended: Vec<EndedConsent>,
}

/// What a user did on the account page just now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JustDone {
    /// The key of the words for it.
    pub done: String,
    /// Who it was done to.
    pub name: String,
    /// What was ended by it, where it was an ending.
    pub ended: Option<WhatEnded>,
}

impl JustDone {
    /// The words for a consent that was ended.
    pub const CONSENT_ENDED: &str = "account-just-ended";

    /// Its id on the page.
    #[must_use]
    pub fn id(&self) -> &'static str {
        if self.done == Self::CONSENT_ENDED { "consent-ended" } else { "task-stepped" }
    }
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

impl LiveTokens {
    /// The names in the order in which the authority travelled.
    pub fn way(&self) -> impl Iterator<Item = &String> {
        self.chain.iter().rev()
    }
}

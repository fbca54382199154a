//! What came of an ending, as whoever ordered it reads it.

use serde::{Deserialize, Serialize};

use super::page::Page;

/// What was ended, in numbers, and how long that took.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct WhatEnded {
    /// Agents that were stopped.
    pub agents: i64,
    /// The names of the first of them.
    pub agent_names: Vec<String>,
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
    /// Whether something of it is refused, but not marked as ended yet.
    pub under_way: bool,
    /// How many milliseconds that took.
    pub took: i64,
}

/// One kind of things that ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndedLine {
    /// How many of what.
    pub words: String,
    /// The names of some of them, where they have names.
    pub names: Vec<String>,
    /// Whether there are more than are named.
    pub and_more: bool,
}

impl WhatEnded {
    /// What was ended, each kind in its own words; nothing of what there was none of.
    #[must_use]
    pub fn lines(&self, page: &Page) -> Vec<EndedLine> {
        let all = [
            ("ended-agents", self.agents),
            ("ended-sessions", self.sessions),
            ("ended-consents", self.consents),
            ("ended-tasks", self.tasks),
            ("ended-tokens", self.tokens),
            ("ended-pending", self.pending),
        ];
        let some = all.into_iter().filter(|(_, count)| *count > 0);
        some.map(|(key, count)| {
            let names = if key == "ended-agents" { self.agent_names.clone() } else { Vec::new() };
            let told = i64::try_from(names.len()).unwrap_or(i64::MAX);
            EndedLine { words: page.t_count(key, &count), and_more: told > 0 && told < count, names }
        })
        .collect()
    }
}

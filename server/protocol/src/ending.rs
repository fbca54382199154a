//! Ending what somebody holds: what an admin may do to an agent, and when.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How an admin stopped an agent. It holds whatever else is declared of the agent, until the admin lifts it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Halt {
    /// It may not act now; this can be undone.
    Suspended,
    /// It never may again.
    Retired,
}

impl Halt {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Retired => "retired",
        }
    }
}

/// What an admin does to an agent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operation {
    /// Everything that it holds ends, and it may not act until it is resumed.
    Suspend,
    /// It may act again. What ended stays ended.
    Resume,
    /// Everything that it holds ends, and it never may act again.
    Retire,
}

/// A word that is no operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no such operation")]
pub struct NoSuchOperation;

impl Operation {
    /// Every operation, the gentlest first.
    pub const ALL: [Self; 3] = [Self::Suspend, Self::Resume, Self::Retire];

    /// As it stands in paths.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Retire => "retire",
        }
    }

    /// Whether it can be done to an agent that was stopped so, or not at all. What is retired is so for good; only what
    /// was suspended is resumed.
    #[must_use]
    pub fn is_possible(self, halt: Option<Halt>) -> bool {
        match self {
            Self::Suspend => halt.is_none(),
            Self::Resume => halt == Some(Halt::Suspended),
            Self::Retire => halt != Some(Halt::Retired),
        }
    }

    /// How the agent is stopped afterwards.
    #[must_use]
    pub const fn leads_to(self) -> Option<Halt> {
        match self {
            Self::Suspend => Some(Halt::Suspended),
            Self::Resume => None,
            Self::Retire => Some(Halt::Retired),
        }
    }
}

impl FromStr for Operation {
    type Err = NoSuchOperation;

    fn from_str(word: &str) -> Result<Self, NoSuchOperation> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == word).ok_or(NoSuchOperation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALTS: [Option<Halt>; 3] = [None, Some(Halt::Suspended), Some(Halt::Retired)];

    #[test]
    fn an_operation_is_read_as_it_is_written_and_no_other_word_is_one() {
        for operation in Operation::ALL {
            assert_eq!(operation.as_str().parse(), Ok(operation));
        }
        for word in ["", "Suspend", "end", "retired"] {
            assert_eq!(word.parse::<Operation>(), Err(NoSuchOperation));
        }
    }

    #[test]
    fn what_is_retired_is_so_for_good() {
        assert!(Operation::ALL.iter().all(|operation| !operation.is_possible(Some(Halt::Retired))));
    }

    #[test]
    fn only_what_was_suspended_is_resumed() {
        let possible = HALTS.into_iter().filter(|halt| Operation::Resume.is_possible(*halt));
        assert_eq!(possible.collect::<Vec<_>>(), [Some(Halt::Suspended)]);
    }

    #[test]
    fn nothing_is_done_that_would_change_nothing() {
        for operation in Operation::ALL {
            for halt in HALTS.into_iter().filter(|halt| operation.is_possible(*halt)) {
                assert_ne!(operation.leads_to(), halt, "{operation:?}");
            }
        }
    }
}

//! Ending what somebody holds: at which levels, what an admin may do at each, and when.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::identifier::{ClientId, ConsentId, FamilyId, InstanceId, TaskId, TokenId, UserId};
use crate::refusal::{ErrorCode, Refuse};
use crate::task;

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

/// What is done to a user's account.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AccountOperation {
    /// An admin disables it: it may not be used until an admin enables it, whatever else is declared of it.
    Disable,
    /// An admin enables it, as far as its declaration does.
    Enable,
    /// Nothing is issued for its user until they sign in.
    Revoke,
    /// Its user signed in.
    SignIn,
}

/// A level at which something is ended, the smallest first. What is derived from it ends with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// One token.
    Token,
    /// All refresh tokens that one authorization produced by rotation.
    Family,
    /// A piece of work.
    Task,
    /// What one user allowed one actor.
    Consent,
    /// One running copy of a client, for good.
    Instance,
    /// Everything that an agent holds.
    Agent,
    /// Everything of a user's.
    User,
    /// Everything that the agents of an owner hold.
    Owner,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 8] = [
        Self::Token,
        Self::Family,
        Self::Task,
        Self::Consent,
        Self::Instance,
        Self::Agent,
        Self::User,
        Self::Owner,
    ];

    /// As it stands in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Family => "family",
            Self::Task => "task",
            Self::Consent => "consent",
            Self::Instance => "instance",
            Self::Agent => "agent",
            Self::User => "user",
            Self::Owner => "owner",
        }
    }

    /// What can be done there. The first is what is meant by ending alone.
    #[must_use]
    pub const fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Token | Self::Family | Self::Consent | Self::Instance => &["revoke"],
            Self::Task => &["revoke", "suspend", "resume"],
            Self::Agent => &["retire", "suspend", "resume"],
            Self::User => &["revoke", "disable", "enable"],
            Self::Owner => &["suspend"],
        }
    }
}

/// What is to be ended, or stopped, or let go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// A token ends.
    Token(TokenId),
    /// A refresh family ends.
    Family(FamilyId),
    /// A task rests, goes on or ends.
    Task(TaskId, task::Operation),
    /// A consent ends.
    Consent(ConsentId),
    /// One running copy of a client ends, and never comes back. The others go on.
    Instance(ClientId, InstanceId),
    /// An agent is stopped, or may act again.
    Agent(ClientId, Operation),
    /// Everything of a user's ends; the account stays.
    User(UserId),
    /// A user's account is disabled, or enabled.
    Account(UserId, AccountOperation),
    /// The agents of an owner are suspended.
    Owner(UserId),
}

fn named<T: FromStr>(id: &str, level: Level) -> Result<T, OrderRefused> {
    id.parse().map_err(|_| OrderRefused::Id(level))
}

/// Why an order makes no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OrderRefused {
    /// There is no such level.
    #[error("level must be one of token, family, task, consent, instance, agent, user and owner")]
    Level,
    /// This is not done at this level.
    #[error("at the level {} the operation must be one of: {}", .0.as_str(), .0.operations().join(", "))]
    Operation(Level),
    /// An instance is known by its client and by its own id; nothing else has the latter.
    #[error("at the level instance, and there alone, `instance` says which of the client in `id` it is")]
    Instance,
    /// What is no id names nothing.
    #[error("there is no such {}", .0.as_str())]
    Id(Level),
}

impl Refuse for OrderRefused {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

impl Order {
    /// Reads an order of three words, and of an `instance` where it is about one.
    ///
    /// # Errors
    /// [`OrderRefused`].
    pub fn parse(
        level: &str,
        id: &str,
        instance: Option<&str>,
        operation: &str,
    ) -> Result<Self, OrderRefused> {
        let level =
            Level::ALL.into_iter().find(|known| known.as_str() == level).ok_or(OrderRefused::Level)?;
        if !level.operations().contains(&operation) {
            return Err(OrderRefused::Operation(level));
        }
        if instance.is_some() != (level == Level::Instance) {
            return Err(OrderRefused::Instance);
        }
        let unknown = OrderRefused::Operation(level);
        Ok(match level {
            Level::Token => Self::Token(named(id, level)?),
            Level::Family => Self::Family(named(id, level)?),
            Level::Task => Self::Task(named(id, level)?, task::Operation::find(operation).ok_or(unknown)?),
            Level::Consent => Self::Consent(named(id, level)?),
            Level::Instance => Self::Instance(named(id, level)?, named(instance.unwrap_or_default(), level)?),
            Level::Agent => Self::Agent(named(id, level)?, operation.parse().map_err(|_| unknown)?),
            Level::User => match operation {
                "disable" => Self::Account(named(id, level)?, AccountOperation::Disable),
                "enable" => Self::Account(named(id, level)?, AccountOperation::Enable),
                _ => Self::User(named(id, level)?),
            },
            Level::Owner => Self::Owner(named(id, level)?),
        })
    }

    /// The level it is about.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Token(_) => Level::Token,
            Self::Family(_) => Level::Family,
            Self::Task(..) => Level::Task,
            Self::Consent(_) => Level::Consent,
            Self::Instance(..) => Level::Instance,
            Self::Agent(..) => Level::Agent,
            Self::User(_) | Self::Account(..) => Level::User,
            Self::Owner(_) => Level::Owner,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_every_level_is_an_order_of_that_level_and_nothing_else_is_one() {
        let words = ["revoke", "suspend", "resume", "retire", "disable", "enable", "complete", "end", ""];
        for level in Level::ALL {
            let instance = (level == Level::Instance).then_some("run-1");
            for word in words {
                let order = Order::parse(level.as_str(), "id-1", instance, word);
                match level.operations().contains(&word) {
                    true => assert_eq!(order.map(|order| order.level()), Ok(level), "{level:?} {word}"),
                    false => assert_eq!(order, Err(OrderRefused::Operation(level)), "{level:?} {word}"),
                }
            }
            let first = level.operations()[0];
            assert_eq!(Order::parse(level.as_str(), "", instance, first), Err(OrderRefused::Id(level)));
            assert_eq!(serde_json::to_value(level).unwrap(), level.as_str());
        }
        assert_eq!(Order::parse("tenant", "id-1", None, "revoke"), Err(OrderRefused::Level));
    }

    #[test]
    fn an_instance_is_named_with_its_client_and_nothing_else_has_one() {
        for level in Level::ALL {
            let wrong = (level != Level::Instance).then_some("run-1");
            let order = Order::parse(level.as_str(), "id-1", wrong, level.operations()[0]);
            assert_eq!(order, Err(OrderRefused::Instance), "{level:?}");
        }
        let order = Order::parse("instance", "agent", Some("run-1"), "revoke");
        assert_eq!(order, Ok(Order::Instance("agent".parse().unwrap(), "run-1".parse().unwrap())));
        let nameless = Order::parse("instance", "agent", Some(""), "revoke");
        assert_eq!(nameless, Err(OrderRefused::Id(Level::Instance)));
    }

    #[test]
    fn disabling_an_account_is_not_ending_what_its_user_holds_and_leaving_it_open() {
        let id = || "u".parse().unwrap();
        assert_eq!(Order::parse("user", "u", None, "revoke"), Ok(Order::User(id())));
        let disable = Order::Account(id(), AccountOperation::Disable);
        assert_eq!(Order::parse("user", "u", None, "disable"), Ok(disable));
    }

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

//! Where a task stands: `active ⇄ suspended → completed | revoked | expired`.

use serde::{Deserialize, Serialize};

use super::Task;
use crate::numeric_date::NumericDate;

/// Where a task stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Tokens may be derived.
    Active,
    /// None may now; this can be undone.
    Suspended,
    /// Done.
    Completed,
    /// Ended by somebody.
    Revoked,
    /// Its deadline passed.
    Expired,
}

/// What may be done with a task.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Nothing is derived and nothing lives until it is resumed.
    Suspend,
    /// It goes on.
    Resume,
    /// It is done: everything derived from it ends.
    Complete,
    /// It is called off: everything derived from it ends.
    Revoke,
}

/// Who does something with a task. What one hand suspended, no lesser hand resumes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hand {
    /// Its own actor.
    Actor,
    /// The actor of a task that it is a part of.
    Giver,
    /// The user for whom it is done.
    User,
    /// An admin, or a rule that an admin made.
    Admin,
}

/// Why something cannot be done with a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IllegalOperation {
    /// It does not stand where this could be done.
    #[error("a task that is {} cannot be {}", .from.as_str(), .operation.participle())]
    From {
        /// Where it stands.
        from: TaskStatus,
        /// What was asked.
        operation: Operation,
    },
    /// A mightier hand suspended it.
    #[error("{} suspended the task, and nobody else resumes it", .0.in_words())]
    SuspendedBy(Hand),
}

impl Hand {
    const fn in_words(self) -> &'static str {
        match self {
            Self::Actor => "its actor",
            Self::Giver => "the actor that gave it",
            Self::User => "the user for whom it is done",
            Self::Admin => "an administrator",
        }
    }
}

impl TaskStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Active, Self::Suspended, Self::Completed, Self::Revoked, Self::Expired];

    /// Whether nothing can come after it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Revoked | Self::Expired)
    }

    /// The word in answers and rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Completed => "completed",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    /// Where it stands after `operation`; where it stands already, if the operation leads there.
    ///
    /// # Errors
    /// [`IllegalOperation`] where it cannot be done.
    pub const fn after(self, operation: Operation) -> Result<Self, IllegalOperation> {
        let aim = operation.aim();
        let same = matches!(
            (self, aim),
            (Self::Active, Self::Active)
                | (Self::Suspended, Self::Suspended)
                | (Self::Completed, Self::Completed)
                | (Self::Revoked, Self::Revoked)
        );
        if same || !self.is_final() { Ok(aim) } else { Err(IllegalOperation::From { from: self, operation }) }
    }
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Suspend, Self::Resume, Self::Complete, Self::Revoke];

    /// The operation of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == name)
    }

    /// Its name in paths and events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Complete => "complete",
            Self::Revoke => "revoke",
        }
    }

    /// Where it leads.
    #[must_use]
    pub const fn aim(self) -> TaskStatus {
        match self {
            Self::Suspend => TaskStatus::Suspended,
            Self::Resume => TaskStatus::Active,
            Self::Complete => TaskStatus::Completed,
            Self::Revoke => TaskStatus::Revoked,
        }
    }

    const fn participle(self) -> &'static str {
        match self {
            Self::Suspend => "suspended",
            Self::Resume => "resumed",
            Self::Complete => "completed",
            Self::Revoke => "revoked",
        }
    }
}

impl Task {
    /// Where the task stands after `operation` by `hand`, and by whose hand it is suspended then.
    ///
    /// # Errors
    /// [`IllegalOperation`] where it cannot be done, or not by this hand.
    pub fn after(
        &self,
        operation: Operation,
        hand: Hand,
        now: NumericDate,
    ) -> Result<(TaskStatus, Option<Hand>), IllegalOperation> {
        let from = self.own_status(now);
        let to = from.after(operation)?;
        if let (Operation::Resume, Some(by)) = (operation, self.suspended_by.filter(|by| *by > hand)) {
            return Err(IllegalOperation::SuspendedBy(by));
        }
        match operation {
            // A mightier hand on top of a lesser one stays; a lesser one changes nothing.
            Operation::Suspend => Ok((to, self.suspended_by.max(Some(hand)))),
            _ => Ok((to, None)),
        }
    }
}

/// Where something of this written status and deadline stands at `now`.
pub(super) const fn at(status: TaskStatus, deadline: NumericDate, now: NumericDate) -> TaskStatus {
    if !status.is_final() && deadline.0 <= now.0 { TaskStatus::Expired } else { status }
}

/// Where a task stands, its ancestors taken together: it is active only if all of them are. `line` begins with the task
/// itself and goes up. What is over in itself says how; what is over because of an ancestor is revoked.
#[must_use]
pub fn effective<'a>(line: impl IntoIterator<Item = &'a Task>, now: NumericDate) -> TaskStatus {
    let mut line = line.into_iter().map(|task| task.own_status(now));
    let Some(own) = line.next() else { return TaskStatus::Revoked };
    if own.is_final() {
        return own;
    }
    line.fold(own, |so_far, above| match (so_far, above) {
        (TaskStatus::Revoked, _) => TaskStatus::Revoked,
        (_, above) if above.is_final() => TaskStatus::Revoked,
        (_, TaskStatus::Suspended) => TaskStatus::Suspended,
        (so_far, _) => so_far,
    })
}

/// The version of where a task stands, its ancestors taken together: 1 and every change since of each task in `line`, a
/// deadline that passes being one. None of them goes back, so where two readings are of one version, each task in the line
/// stands where it stood, and so does what hangs on them.
#[must_use]
pub fn version<'a>(line: impl IntoIterator<Item = &'a Task>, now: NumericDate) -> u64 {
    line.into_iter().fold(1, |sum, task| {
        sum + u64::from(task.version.saturating_sub(1)) + u64::from(task.deadline.is_over(now))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_goes_to_and_fro_between_active_and_suspended_and_then_to_one_end() {
        use Operation::{Complete, Resume, Revoke, Suspend};
        use TaskStatus::{Active, Completed, Expired, Revoked, Suspended};
        let expected = [
            (Active, [Some(Suspended), Some(Active), Some(Completed), Some(Revoked)]),
            (Suspended, [Some(Suspended), Some(Active), Some(Completed), Some(Revoked)]),
            (Completed, [None, None, Some(Completed), None]),
            (Revoked, [None, None, None, Some(Revoked)]),
            (Expired, [None, None, None, None]),
        ];
        for (from, after) in expected {
            let all = [Suspend, Resume, Complete, Revoke];
            assert_eq!(all.map(|operation| from.after(operation).ok()), after, "{from:?}");
        }
    }

    #[test]
    fn a_refusal_says_where_the_task_stands_and_what_was_asked() {
        let refused = TaskStatus::Revoked.after(Operation::Resume).unwrap_err();
        assert_eq!(refused.to_string(), "a task that is revoked cannot be resumed");
    }

    #[test]
    fn names_are_found_again() {
        assert!(Operation::ALL.into_iter().all(|op| Operation::find(op.as_str()) == Some(op)));
        assert!(TaskStatus::ALL.into_iter().all(|s| serde_json::to_value(s).unwrap() == s.as_str()));
        assert_eq!(Operation::find("discharge"), None);
    }
}

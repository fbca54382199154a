//! A task: one piece of work under a consent. Its shape follows the mission-bound-authorization draft: an intent
//! and an authority, each with a hash, a state, and a version counter.

mod child;
mod hash;
mod intent;
mod lifecycle;
mod request;
mod words;

use serde::{Deserialize, Serialize};

pub use child::{Asked, ChildRefused, Family, NotLess, check as check_child};
pub use hash::authority_hash;
pub use intent::{Bounds, Intent};
pub use lifecycle::{Hand, IllegalOperation, Operation, TaskStatus, effective, version};
pub use request::{TaskRequest, TaskRequestRefused, Under};
pub use words::{Unfit, deadline as deadline_asked, intent as intent_asked};

use crate::audience::Resources;
use crate::authority::Authority;
use crate::authorization_details::{AuthorizationDetail, AuthorizationDetails};
use crate::consent::Consent;
use crate::identifier::{ClientId, ConsentId, TaskId, UserId};
use crate::numeric_date::NumericDate;
use crate::scope::Scope;
use crate::token::Token;

/// A task.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Task {
    /// `task.id` in tokens.
    pub id: TaskId,
    /// The task at the top of its tree, `txn` in tokens; its own id for a root.
    pub root: TaskId,
    /// The task it is a part of.
    pub parent: Option<TaskId>,
    /// The consent it is done under.
    pub consent: ConsentId,
    /// For whom.
    pub user: UserId,
    /// Who does it.
    pub actor: ClientId,
    /// What is to be done.
    pub intent: Intent,
    /// The hash of `intent`.
    pub intent_hash: String,
    /// What may be done for it, in the resource servers' own words; none where the consent alone says so, as for
    /// tasks that were opened before tasks had a scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Where; none where the consent alone says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// What may be done for it, in detail.
    pub details: AuthorizationDetails,
    /// The hash of the authority.
    pub authority_hash: String,
    /// When it ends at the latest.
    pub deadline: NumericDate,
    /// How many tokens may be derived from it at the most; none where nobody counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_derivations: Option<u32>,
    /// How many were. Counted where there is a most, in the transaction that writes the token.
    #[serde(default)]
    pub derivations: u32,
    /// Where it stands by itself, its ancestors aside.
    pub status: TaskStatus,
    /// By whose hand it was suspended, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_by: Option<Hand>,
    /// Grows by one with every change that is written. What its readers are told counts those above it too: [`version`].
    pub version: u32,
    /// When it was opened.
    pub created_at: NumericDate,
}

impl Task {
    /// Whether tokens may be derived from it, its ancestors aside.
    #[must_use]
    pub fn is_live(&self, now: NumericDate) -> bool {
        self.own_status(now) == TaskStatus::Active
    }

    /// Where it stands by itself at `now`: what is past its deadline is expired, whether or not anybody wrote it down.
    #[must_use]
    pub fn own_status(&self, now: NumericDate) -> TaskStatus {
        lifecycle::at(self.status, self.deadline, now)
    }

    /// What may be done for it. Where the task itself says nothing, `consent` does.
    #[must_use]
    pub fn authority(&self, consent: &Consent) -> Authority {
        Authority {
            scope: self.scope.clone().unwrap_or_else(|| consent.authority.scope.clone()),
            details: self.details.clone(),
            resources: self.resources.clone().unwrap_or_else(|| consent.authority.resources.clone()),
            until: self.deadline,
        }
    }

    /// Whether a refresh token goes on for this task: a root that its own client opened under the same consent.
    #[must_use]
    pub fn continues(&self, refresh_token: &Token) -> bool {
        let same_consent = refresh_token.consent.as_ref() == Some(&self.consent);
        let own = self.actor == refresh_token.client && self.parent.is_none();
        same_consent && own && refresh_token.subject.user() == Some(&self.user)
    }

    /// How many more tokens may be derived; none where nobody counts.
    #[must_use]
    pub fn derivations_remaining(&self) -> Option<u32> {
        self.max_derivations.map(|most| most.saturating_sub(self.derivations))
    }
}

/// The earliest `deadline` among the details, if one names any.
#[must_use]
pub fn deadline(details: &AuthorizationDetails) -> Option<NumericDate> {
    details.iter().filter_map(deadline_of).min()
}

/// The `deadline` of a detail, if it names one. One that is no moment has passed: whatever its reader took it for, it
/// does not hold longer than that.
#[must_use]
pub fn deadline_of(detail: &AuthorizationDetail) -> Option<NumericDate> {
    detail.text("deadline").map(|text| NumericDate::parse_rfc3339(text).unwrap_or(NumericDate(0)))
}

/// What is said where there is no room for another root task.
pub const NO_ROOM: &str = "there are as many tasks under this consent as there may be, open ones or all that are kept; \
                           complete some first, or wait until earlier ones are forgotten";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_deadline_counts() {
        let details = AuthorizationDetails::parse(
            r#"[{"type":"a","deadline":"2026-01-02T00:00:00Z"},{"type":"a","deadline":"2026-01-01T00:00:00Z"},{"type":"a"}]"#,
        );
        assert_eq!(deadline(&details.unwrap()), NumericDate::parse_rfc3339("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn a_deadline_that_is_no_moment_has_passed() {
        let details = r#"[{"type":"a","deadline":"2026-02-30T00:00:00Z"},{"type":"a","deadline":"2026-01-01T00:00:00Z"}]"#;
        assert_eq!(deadline(&AuthorizationDetails::parse(details).unwrap()), Some(NumericDate(0)));
    }

    #[test]
    fn a_task_from_before_tasks_had_a_scope_is_read_and_bounded_by_its_consent() {
        let consent: Consent = serde_json::from_value(serde_json::json!({
            "id": "con", "user": "u", "client": "c", "actor": "c", "passing_on": "no", "offline_access": false,
            "authority": {"scope": "a b", "details": [], "resources": ["https://r.example"], "until": 10},
            "created_at": 1, "state": "active"
        }))
        .unwrap();
        let task: Task = serde_json::from_value(serde_json::json!({
            "id": "t", "root": "t", "parent": null, "consent": "con", "user": "u", "actor": "c", "intent": {},
            "intent_hash": "", "details": [], "authority_hash": "", "deadline": 5, "status": "active",
            "version": 1, "created_at": 1
        }))
        .unwrap();
        assert_eq!(
            task.authority(&consent),
            Authority { until: NumericDate(5), ..consent.authority.clone() }
        );
        assert_eq!(task.derivations_remaining(), None);
        assert_eq!(task.own_status(NumericDate(4)), TaskStatus::Active);
        assert_eq!(task.own_status(NumericDate(5)), TaskStatus::Expired);
    }
}

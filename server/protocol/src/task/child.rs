//! Child tasks: a part of a task, given to another agent. It lies strictly within its parent.

use super::{Task, TaskStatus};
use crate::authority::Authority;
use crate::authorization_details::DetailsTypes;
use crate::client::Client;
use crate::consent::{Consent, PassingOn};
use crate::identifier::ClientId;
use crate::numeric_date::NumericDate;
use crate::refusal::{ErrorCode, Refuse};

/// What a child task is to be.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who is to do it; none, where there is nobody of the name that was asked for.
    pub actor: Option<&'a Client>,
    /// What it may do, where, and until when.
    pub authority: &'a Authority,
    /// How many tokens may be derived.
    pub max_derivations: Option<u32>,
}

/// Where the child would stand.
#[derive(Clone, Copy, Debug)]
pub struct Family<'a> {
    /// Who opens it.
    pub opener: &'a Client,
    /// The task it would be a part of.
    pub parent: &'a Task,
    /// Whose the tasks above the parent are. Whoever stands above gets no part below: they would be the giver of their own.
    pub above: &'a [&'a ClientId],
    /// Where the parent stands, its ancestors taken together.
    pub parent_status: TaskStatus,
    /// The consent of both.
    pub consent: &'a Consent,
    /// How many tasks lie above the child: 1 where its parent is a root.
    pub depth: usize,
    /// How many children the parent has already.
    pub siblings: u64,
    /// The most that it may have.
    pub most_children: u64,
    /// The deepest that a child may lie.
    pub deepest: usize,
}

/// Why a child task cannot be opened, in the words of the draft's child delegation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChildRefused {
    /// The parent is not the opener's own.
    #[error("parent_mismatch: the parent is not a task of this client")]
    ParentMismatch,
    /// The parent, or one of its ancestors, is not active.
    #[error("parent_not_active: the parent task or one above it is not active")]
    ParentNotActive,
    /// The consent, or a details type, does not allow passing on, or not this far.
    #[error("delegation_not_permitted: the consent does not allow passing this on, or not this far")]
    DelegationNotPermitted,
    /// Who is to do it may not.
    #[error("child_actor_not_allowed: this actor cannot take over a part of the task")]
    ChildActorNotAllowed,
    /// It is not less than the parent.
    #[error("not_strict_subset: {0}")]
    NotStrictSubset(NotLess),
    /// The parent has enough of them, or their consent has.
    #[error(
        "fanout_exceeded: the parent has as many child tasks, or the consent as many tasks, as there may be"
    )]
    FanoutExceeded,
}

/// In what a child task is not less than its parent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotLess {
    /// `scope`.
    #[error("scope holds more than the parent task permits")]
    Scope,
    /// `resource`.
    #[error("resource names more than the parent task permits")]
    Resource,
    /// `authorization_details`.
    #[error("authorization_details permit more than the parent task does")]
    Details,
    /// `deadline`.
    #[error("deadline is after that of the parent task")]
    Deadline,
    /// `max_derivations`.
    #[error("max_derivations is more than the parent task may derive")]
    MaxDerivations,
    /// In nothing: it is all that the parent is.
    #[error("it permits everything that the parent task does; a part must permit less")]
    Everything,
    /// In nothing: it is nothing.
    #[error("it permits nothing")]
    Nothing,
}

impl Refuse for ChildRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotStrictSubset(NotLess::Scope | NotLess::Nothing) => ErrorCode::InvalidScope,
            Self::NotStrictSubset(NotLess::Resource) => ErrorCode::InvalidTarget,
            Self::NotStrictSubset(NotLess::Details | NotLess::Everything) => {
                ErrorCode::InvalidAuthorizationDetails
            }
            _ => ErrorCode::InvalidRequest,
        }
    }
}

impl ChildRefused {
    /// `mission_denial_reason`.
    #[must_use]
    pub fn reason(&self) -> String {
        self.to_string().split(':').next().unwrap_or_default().to_owned()
    }
}

/// Whether the child may be opened. The questions in the draft's order: whose parent, which actor, is it active, may it
/// be passed on, is it less, is there room. Gives back who is to do it.
///
/// # Errors
/// The first reason against it.
pub fn check<'a>(
    family: &Family<'_>,
    asked: &Asked<'a>,
    types: &DetailsTypes,
    now: NumericDate,
) -> Result<&'a Client, ChildRefused> {
    if family.parent.actor != family.opener.id || family.parent.consent != family.consent.id {
        return Err(ChildRefused::ParentMismatch);
    }
    let above = |actor: &Client| actor.id == family.opener.id || family.above.contains(&&actor.id);
    let takes = |actor: &&Client| !above(actor) && actor.is_live(now) && actor.may_take_over();
    let actor = asked.actor.filter(takes).ok_or(ChildRefused::ChildActorNotAllowed)?;
    if family.parent_status != TaskStatus::Active || !family.consent.is_live(now) {
        return Err(ChildRefused::ParentNotActive);
    }
    let passing_on = family.consent.passing_on;
    let far = family.depth > family.deepest || family.depth + 1 > passing_on.longest_chain();
    let travels = asked.authority.details.iter().all(|detail| types.may_be_passed_on(detail));
    if passing_on == PassingOn::No || far || !travels {
        return Err(ChildRefused::DelegationNotPermitted);
    }
    if let Some(reason) = not_less(family, asked, types) {
        return Err(ChildRefused::NotStrictSubset(reason));
    }
    if family.siblings >= family.most_children { Err(ChildRefused::FanoutExceeded) } else { Ok(actor) }
}

/// In what the child is not less than its parent, if in anything. How many tokens may be derived it need not say: all of
/// them count for the parent too.
fn not_less(family: &Family<'_>, asked: &Asked<'_>, types: &DetailsTypes) -> Option<NotLess> {
    let (own, parents) = (asked.authority, family.parent.authority(family.consent));
    let more =
        |asked: Option<u32>| asked.zip(family.parent.max_derivations).is_some_and(|(own, most)| own > most);
    [
        (own.is_empty(), NotLess::Nothing),
        (!own.scope.is_within(&parents.scope), NotLess::Scope),
        (!own.resources.is_subset(&parents.resources), NotLess::Resource),
        (types.check_within(&own.details, &parents.details).is_err(), NotLess::Details),
        (own.until > parents.until, NotLess::Deadline),
        (more(asked.max_derivations), NotLess::MaxDerivations),
        (!own.is_within(&parents, types) || parents.is_within(own, types), NotLess::Everything),
    ]
    .into_iter()
    .find_map(|(holds, reason)| holds.then_some(reason))
}

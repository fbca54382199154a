//! Child tasks: a part of a task, given to another agent. It lies strictly within its parent.

use super::{Task, TaskStatus};
use crate::authority::Authority;
use crate::authorization_details::DetailsTypes;
use crate::client::Client;
use crate::consent::{Consent, PassingOn};
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
    #[error(
        "not_strict_subset: a child task must permit less than its parent, and nothing that the parent does not"
    )]
    NotStrictSubset,
    /// The parent has enough of them, or their consent has.
    #[error(
        "fanout_exceeded: the parent has as many child tasks, or the consent as many tasks, as there may be"
    )]
    FanoutExceeded,
}

impl Refuse for ChildRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotStrictSubset => ErrorCode::InvalidAuthorizationDetails,
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
    let takes = |actor: &&Client| actor.id != family.opener.id && actor.is_live(now) && actor.may_take_over();
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
    let parents = family.parent.authority(family.consent);
    let fewer = match (asked.max_derivations, family.parent.max_derivations) {
        (_, None) => true,
        (Some(asked), Some(parents)) => asked <= parents,
        (None, Some(_)) => false,
    };
    let within = asked.authority.is_within(&parents, types) && !asked.authority.is_empty();
    if !within || !fewer || parents.is_within(asked.authority, types) {
        return Err(ChildRefused::NotStrictSubset);
    }
    if family.siblings >= family.most_children { Err(ChildRefused::FanoutExceeded) } else { Ok(actor) }
}

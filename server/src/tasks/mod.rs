//! Tasks: every authorization of an agent opens one, named or not. Its actor opens more of them under the same consent,
//! gives parts of them to others, and says when one rests, goes on, or is done.

mod ask;
mod operate;

use protocol::authority::Authority;
use protocol::consent::Consent;
use protocol::identifier::{ClientId, TaskId};
use protocol::numeric_date::NumericDate;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::task::{self, Bounds, Intent, Task, TaskStatus};
use protocol::token::TaskRef;

pub use ask::{Opened, ask};
pub use operate::{By, Seen, Stepped, operate, operate_as_admin, see};

use crate::app::App;
use crate::failure::{Broken, Failure};
use crate::secret::random_id;
use crate::store::Room;

/// What a task is to be, beside its id.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The consent it is under.
    pub consent: &'a Consent,
    /// Who does it.
    pub actor: &'a ClientId,
    /// The task it is a part of.
    pub parent: Option<&'a Task>,
    /// What is to be done.
    pub intent: Intent,
    /// What may be done for it.
    pub authority: Authority,
    /// How many tokens may be derived.
    pub max_derivations: Option<u32>,
}

/// Opens a root task under `consent` for `authority`. Its words come from an `agent_task` detail, if there is one; its
/// deadline is the earliest that the details name, and never after the authority's end.
///
/// # Errors
/// Never in practice: the characters of the id are ours.
pub fn open(app: &App, consent: &Consent, authority: &Authority, now: NumericDate) -> Result<Task, Failure> {
    let until = consent.authority.until.min(authority.until);
    let until = task::deadline(&authority.details).map_or(until, |deadline| deadline.min(until));
    let plan = Plan {
        consent,
        actor: &consent.actor,
        parent: None,
        intent: Intent::of(&authority.details),
        authority: Authority { until, ..authority.clone() },
        max_derivations: None,
    };
    make(app, plan, now)
}

/// Where a new task goes, and how many there may be.
#[must_use]
pub fn rooms(app: &App, task: &Task) -> [Room; 2] {
    let bounds = &app.settings.tasks;
    let kept = Room::Kept { consent: task.consent.clone(), most: u64::from(bounds.most_kept.get()) };
    let beside = match &task.parent {
        Some(parent) => Room::Parts { parent: parent.clone(), most: u64::from(bounds.most_children.get()) },
        None => Room::Tasks { consent: task.consent.clone(), most: u64::from(bounds.most_open.get()) },
    };
    [kept, beside]
}

/// What is said where there is no room for a new task.
#[must_use]
pub fn no_room(task: &Task) -> Failure {
    if task.parent.is_some() {
        return task::ChildRefused::FanoutExceeded.into();
    }
    Refusal::new(ErrorCode::InvalidRequest, task::NO_ROOM).into()
}

/// The task of a plan.
fn make(app: &App, plan: Plan<'_>, now: NumericDate) -> Result<Task, Failure> {
    let id: TaskId = random_id(app.entropy.as_ref(), "task_")
        .parse()
        .map_err(|_| Broken::Other("a random id is no identifier"))?;
    let Plan { consent, actor, parent, intent, authority, max_derivations } = plan;
    let bounds = Bounds { resources: &authority.resources, deadline: authority.until, max_derivations };
    Ok(Task {
        root: parent.map_or_else(|| id.clone(), |parent| parent.root.clone()),
        id,
        parent: parent.map(|parent| parent.id.clone()),
        consent: consent.id.clone(),
        user: consent.user.clone(),
        actor: actor.clone(),
        intent_hash: intent.hash(app.issuer(), bounds),
        intent,
        authority_hash: task::authority_hash(app.issuer(), &authority),
        deadline: authority.until,
        scope: Some(authority.scope),
        resources: Some(authority.resources),
        details: authority.details,
        max_derivations,
        derivations: 0,
        status: TaskStatus::Active,
        suspended_by: None,
        version: 1,
        created_at: now,
    })
}

/// The tasks that one more token of this task counts for: itself and those above it, as far as anybody counts.
///
/// # Errors
/// The store's.
pub async fn counted(app: &App, task: &TaskRef) -> Result<Vec<TaskId>, Failure> {
    let mut counted = Vec::new();
    let mut next = Some(task.id.clone());
    while let Some(id) = next.take() {
        // One that is not there yet is written with the token, and counts it then.
        let Some(found) = app.store.find_task(&id).await? else { break };
        next.clone_from(&found.parent);
        if found.max_derivations.is_some() {
            counted.push(id);
        }
    }
    Ok(counted)
}

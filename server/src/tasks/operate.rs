//! A task rests, goes on, is done, or is called off.

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::identifier::{ClientId, TaskId};
use protocol::refusal::{ErrorCode, Refusal};
use protocol::task::{self, Hand, Operation, Task, TaskStatus};

use super::ask::tell_of;
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::store::{Anchor, Change, CommitError, Conflict, Ended, Ending, Named, Take};

/// How often it is tried again where somebody else changed the task at the same moment.
const TRIES: usize = 5;

/// A task as its reader may see it.
pub struct Seen {
    /// The task.
    pub task: Task,
    /// Where it stands, its ancestors taken together.
    pub status: TaskStatus,
    /// By what right the reader sees it.
    pub hand: Hand,
}

/// What became of a task.
pub struct Stepped {
    /// The task as it is now.
    pub seen: Seen,
    /// What was ended with it.
    pub ended: Ended,
}

/// The task, for its own actor and for the actors of those that it is a part of. For everybody else it is as one that
/// is not there.
///
/// # Errors
/// The store's.
pub async fn see(app: &App, visit: &Visit, client: &ClientId, id: &TaskId) -> Result<Option<Seen>, Failure> {
    let mut line = app.store.line_of_task(id).await?;
    let own = line.first().is_some_and(|task| task.actor == *client);
    let giver = line.iter().skip(1).any(|task| task.actor == *client);
    if !own && !giver {
        return Ok(None);
    }
    let status = task::effective(&line, visit.now);
    let hand = if giver { Hand::Giver } else { Hand::Actor };
    Ok(Some(Seen { task: line.swap_remove(0), status, hand }))
}

/// Does `operation` to a task by the hand of `client`.
///
/// # Errors
/// `invalid_request` where the task does not stand where this could be done; `None` where there is no such task.
pub async fn operate(
    app: &App,
    visit: &Visit,
    client: &ClientId,
    id: &TaskId,
    operation: Operation,
    reason: Option<&str>,
) -> Result<Option<Stepped>, Failure> {
    let mut told = AuditEvent::new(action(operation), Outcome::Granted, visit.now);
    told.request = Some(visit.id.clone());
    told.client = Some(client.clone());
    told.reason = reason.map(str::to_owned);
    step(app, visit, Some(client), id, operation, &told, &[]).await
}

/// Does `operation` to a task by an admin's hand, which is stronger than its actors' and its user's. `told` says who the
/// admin is; `requires` what of theirs must be alive still.
///
/// # Errors
/// `invalid_request` where the task does not stand where this could be done; `None` where there is no such task.
pub async fn operate_as_admin(
    app: &App,
    visit: &Visit,
    id: &TaskId,
    operation: Operation,
    told: &AuditEvent,
    requires: &[Anchor],
) -> Result<Option<Stepped>, Failure> {
    let told = AuditEvent { action: action(operation), ..told.clone() };
    step(app, visit, None, id, operation, &told, requires).await
}

/// The task, whoever looks: an admin does.
async fn see_as_admin(app: &App, visit: &Visit, id: &TaskId) -> Result<Option<Seen>, Failure> {
    let mut line = app.store.line_of_task(id).await?;
    let status = task::effective(&line, visit.now);
    Ok((!line.is_empty()).then(|| Seen { task: line.swap_remove(0), status, hand: Hand::Admin }))
}

async fn step(
    app: &App,
    visit: &Visit,
    client: Option<&ClientId>,
    id: &TaskId,
    operation: Operation,
    told: &AuditEvent,
    requires: &[Anchor],
) -> Result<Option<Stepped>, Failure> {
    for _ in 0..TRIES {
        let seen = match client {
            Some(client) => see(app, visit, client, id).await?,
            None => see_as_admin(app, visit, id).await?,
        };
        let Some(seen) = seen else { return Ok(None) };
        let mut told = told.clone();
        tell_of(&mut told, &seen.task);
        let (status, suspended_by) = match seen.task.after(operation, seen.hand, visit.now) {
            Ok(after) => after,
            Err(illegal) => {
                let refusal = Refusal::new(ErrorCode::InvalidRequest, illegal.to_string());
                app.tell(told.refused(&refusal)).await?;
                return Err(refusal.into());
            }
        };
        if status == seen.task.status && suspended_by == seen.task.suspended_by {
            return Ok(Some(Stepped { seen, ended: Ended::default() }));
        }
        let version = seen.task.version;
        let take = Take::Task { id: id.clone(), version, status, suspended_by };
        let change = requires.iter().cloned().fold(Change::new(told).take(take), Change::requires);
        let change = if status.is_final() { change.end(Ending::Task(id.clone())) } else { change };
        match app.store.commit(change).await {
            Ok(committed) => {
                let task = Task { status, suspended_by, version: version + 1, ..seen.task };
                let line = app.store.line_of_task(id).await?;
                let seen = Seen { status: task::effective(&line, visit.now), task, hand: seen.hand };
                let mut ended = committed.ended;
                if status.is_final() {
                    let named = Named { tasks: vec![id.to_string()], ..Named::default() };
                    ended += Ended { tasks: 1, named, ..Ended::default() };
                }
                return Ok(Some(Stepped { seen, ended }));
            }
            Err(CommitError::Broken(error)) => return Err(error.into()),
            // Whoever asks may not any more: that does not change by trying again.
            Err(CommitError::Conflict(Conflict::NotAlive(_))) => break,
            Err(CommitError::Conflict(_)) => {}
        }
    }
    Err(Refusal::new(ErrorCode::TemporarilyUnavailable, "others change this task; try again").into())
}

const fn action(operation: Operation) -> Action {
    match operation {
        Operation::Suspend => Action::TaskSuspend,
        Operation::Resume => Action::TaskResume,
        Operation::Complete => Action::TaskComplete,
        Operation::Revoke => Action::TaskRevoke,
    }
}

//! A task rests, goes on, is done, or is called off.

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::identifier::{ClientId, TaskId, UserId};
use protocol::numeric_date::NumericDate;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::task::{self, Hand, Operation, Task, TaskStatus};

use super::ask::tell_of;
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::store::{Anchor, Change, CommitError, Conflict, Ended, Ending, Named, Take};

/// How often it is tried again where somebody else changed the task at the same moment.
const TRIES: usize = 5;

/// Whose hand it is.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// The actor of the task, or of one that it is a part of.
    Client(&'a ClientId),
    /// The user for whom it is done.
    User(&'a UserId),
    /// An admin.
    Admin,
}

/// A task as its reader may see it.
pub struct Seen {
    /// The task.
    pub task: Task,
    /// Where it stands, its ancestors taken together.
    pub status: TaskStatus,
    /// The version of that.
    pub version: u64,
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

/// The task, for its own actor, for the actors of those that it is a part of, and for its user. For everybody else it is
/// as one that is not there.
///
/// # Errors
/// The store's.
pub async fn see(app: &App, visit: &Visit, by: By<'_>, id: &TaskId) -> Result<Option<Seen>, Failure> {
    Ok(seen(app.store.line_of_task(id).await?, by, visit.now))
}

/// The first task of a line, for whoever may see it.
pub(super) fn seen(mut line: Vec<Task>, by: By<'_>, now: NumericDate) -> Option<Seen> {
    let hand = hand_of(by, &line)?;
    let (status, version) = (task::effective(&line, now), task::version(&line, now));
    Some(Seen { task: line.swap_remove(0), status, version, hand })
}

/// By what right somebody sees the first task of a line.
fn hand_of(by: By<'_>, line: &[Task]) -> Option<Hand> {
    let (own, above) = line.split_first()?;
    match by {
        By::Client(client) if above.iter().any(|task| task.actor == *client) => Some(Hand::Giver),
        By::Client(client) => (own.actor == *client).then_some(Hand::Actor),
        By::User(user) => (own.user == *user).then_some(Hand::User),
        By::Admin => Some(Hand::Admin),
    }
}

/// Does `operation` to a task by somebody's hand.
///
/// # Errors
/// `invalid_request` where the task does not stand where this could be done; `None` where there is no such task.
pub async fn operate(
    app: &App,
    visit: &Visit,
    by: By<'_>,
    id: &TaskId,
    operation: Operation,
    reason: Option<&str>,
) -> Result<Option<Stepped>, Failure> {
    let mut told = AuditEvent::new(action(operation), Outcome::Granted, visit.now);
    told.request = Some(visit.id.clone());
    if let By::Client(client) = by {
        told.client = Some(client.clone());
    }
    told.reason = reason.map(str::to_owned);
    step(app, visit, by, id, operation, &told, &[]).await
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
    step(app, visit, By::Admin, id, operation, &told, requires).await
}

async fn step(
    app: &App,
    visit: &Visit,
    by: By<'_>,
    id: &TaskId,
    operation: Operation,
    told: &AuditEvent,
    requires: &[Anchor],
) -> Result<Option<Stepped>, Failure> {
    for _ in 0..TRIES {
        let Some(seen) = see(app, visit, by, id).await? else { return Ok(None) };
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
                let (status_now, version) =
                    (task::effective(&line, visit.now), task::version(&line, visit.now));
                let seen = Seen { status: status_now, version, task, hand: seen.hand };
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

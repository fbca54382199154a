//! Endings: an admin stops an agent, or ends everything of somebody's. What ends with what is the store's to find.

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::Client;
use protocol::ending::Operation;
use protocol::identifier::{InstanceId, SessionId, UserId};
use protocol::instance::Instance;
use protocol::refusal::{ErrorCode, Refusal};

use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::store::{Anchor, Change, CommitError, Ended, Ending};

/// The admin at whose word it ends.
#[derive(Clone, Copy, Debug)]
pub struct Admin<'a> {
    /// Who.
    pub id: &'a UserId,
    /// The session in which they say so.
    pub session: &'a SessionId,
}

/// Suspends, resumes or retires an agent. Unless it is resumed, everything that it holds ends in the same moment.
///
/// # Errors
/// `access_denied` where that cannot be done to it any more; the store's.
pub async fn operate(
    app: &App,
    visit: &Visit,
    admin: Admin<'_>,
    agent: &Client,
    operation: Operation,
) -> Result<Ended, Failure> {
    let action = match operation {
        Operation::Suspend => Action::AgentSuspend,
        Operation::Resume => Action::AgentResume,
        Operation::Retire => Action::AgentRetire,
    };
    let mut event = event(action, visit, admin);
    event.actor = Some(agent.id.clone());
    commit(app, admin, Change::new(event).operate(agent.id.clone(), operation)).await
}

/// Ends one instance of a client for good, with everything that it holds. The others go on.
///
/// # Errors
/// The store's.
pub async fn end_instance(
    app: &App,
    visit: &Visit,
    admin: Admin<'_>,
    client: &Client,
    instance: &InstanceId,
) -> Result<Ended, Failure> {
    let mut event = event(Action::InstanceEnd, visit, admin);
    event.actor = Some(client.id.clone());
    event.instance = Some(instance.clone());
    commit(app, admin, Change::new(event).end(Ending::Instance(Instance::new(&client.id, instance)))).await
}

/// Ends everything of a user's: nothing that was allowed, issued or begun before goes on. The account stays.
///
/// # Errors
/// The store's.
pub async fn end_user(app: &App, visit: &Visit, admin: Admin<'_>, user: &UserId) -> Result<Ended, Failure> {
    let mut event = event(Action::UserEnd, visit, admin);
    event.user = Some(user.clone());
    commit(app, admin, Change::new(event).end(Ending::User(user.clone()))).await
}

/// Suspends every agent that a user answers for, and ends everything that they hold.
///
/// # Errors
/// The store's.
pub async fn end_owner(app: &App, visit: &Visit, admin: Admin<'_>, owner: &UserId) -> Result<Ended, Failure> {
    let mut event = event(Action::OwnerEnd, visit, admin);
    event.user = Some(owner.clone());
    commit(app, admin, Change::new(event).end(Ending::Owner(owner.clone()))).await
}

fn event(action: Action, visit: &Visit, admin: Admin<'_>) -> AuditEvent {
    let mut event = AuditEvent::new(action, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    event.reason = Some(format!("by {}", admin.id));
    event
}

async fn commit(app: &App, admin: Admin<'_>, change: Change) -> Result<Ended, Failure> {
    let change =
        change.requires(Anchor::User(admin.id.clone())).requires(Anchor::Session(admin.session.clone()));
    match app.store.commit(change).await {
        Ok(committed) => Ok(committed.ended),
        Err(CommitError::Conflict(_)) => {
            Err(Refusal::new(ErrorCode::AccessDenied, "this cannot be done any more").into())
        }
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

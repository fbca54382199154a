//! The browsers in which somebody is signed in now, and the way to end that from another one.

use protocol::audit::Action;
use protocol::identifier::{SessionId, UserId};

use super::{commit, event};
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::store::{Change, Ending};

/// Ends one session of a user, with the tokens that hang on it; what was approved for their absence stays.
///
/// # Errors
/// The store's.
pub async fn end_session(
    app: &App,
    visit: &Visit,
    user: &UserId,
    session: &SessionId,
) -> Result<(), Failure> {
    let mut event = event(Action::UserSessionEnd, visit, user);
    event.reason = Some(format!("session {session}"));
    commit(app, Change::new(event).end(Ending::Session(session.clone()))).await
}

/// Ends every session of a user but this one, likewise.
///
/// # Errors
/// The store's.
pub async fn end_other_sessions(
    app: &App,
    visit: &Visit,
    user: &UserId,
    this: &SessionId,
) -> Result<(), Failure> {
    let mut event = event(Action::UserSessionEnd, visit, user);
    event.reason = Some(format!("all but {this}"));
    let ending = Ending::SessionsOf { user: user.clone(), except: Some(this.clone()) };
    commit(app, Change::new(event).end(ending)).await
}

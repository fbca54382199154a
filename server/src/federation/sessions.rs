//! Sessions that began at an upstream: how long they last, and how they are found when it says that they are over.

use protocol::audit::Action;
use protocol::ending::AccountOperation;
use protocol::identifier::{SessionId, UserId};
use protocol::numeric_date::NumericDate;
use serde::{Deserialize, Serialize};

use super::{Proven, event};
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::store::{Change, CommitError, FederatedSession, Record};
use crate::upstreams::Connection;

/// The latest end of a session, as the session itself remembers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Until(pub NumericDate);

/// Remembers that `session` began with what was proven, and tells of the sign-in.
///
/// # Errors
/// The store's.
pub async fn remember(
    app: &App,
    visit: &Visit,
    connection: &Connection,
    proven: &Proven,
    session: &SessionId,
    user: &UserId,
) -> Result<(), Failure> {
    let mut told = event(Action::UserSignIn, visit, connection.upstream(), "");
    told.user = Some(user.clone());
    let kept = FederatedSession {
        session: session.clone(),
        identity: proven.identity.clone(),
        sid: proven.sid.clone(),
        expires_at: Until::of(visit, connection).0,
    };
    let change = Change::new(told)
        .keep(Record::FederatedSession(kept))
        .set_account(user.clone(), AccountOperation::SignIn);
    match app.store.commit(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict(_)) => {
            Err(Broken::Inconsistent("nothing stands in a session's way").into())
        }
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

impl Until {
    /// For a session that begins now.
    #[must_use]
    pub fn of(visit: &Visit, connection: &Connection) -> Self {
        Self(visit.now.plus(connection.upstream().session_life))
    }
}

//! The end of what a user approved.

use protocol::audit::AuditEvent;
use protocol::consent::Consent;

use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::store::{Change, CommitError, Ended, Ending};

/// Ends a consent with everything derived from it: tasks, codes, tokens and what other agents made of them.
///
/// # Errors
/// The store's.
pub async fn end(
    app: &App,
    visit: &Visit,
    consent: &Consent,
    mut event: AuditEvent,
) -> Result<Ended, Failure> {
    event.request = Some(visit.id.clone());
    event.user = Some(consent.user.clone());
    event.actor = Some(consent.actor.clone());
    event.consent = Some(consent.id.clone());
    match app.store.commit(Change::new(event).end(Ending::Consent(consent.id.clone()))).await {
        Ok(committed) => Ok(committed.ended),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(_)) => {
            Err(Broken::Inconsistent("an ending that could not be written").into())
        }
    }
}

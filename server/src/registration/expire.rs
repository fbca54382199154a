//! Clients that registered and that nobody ever used.

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::numeric_date::NumericDate;

use super::manage::end;
use crate::app::App;
use crate::failure::Failure;
use crate::store::{Change, CommitError, Origin, RegisteredBy, Take};

/// Ends the clients whose time to be used is over at `now`.
///
/// # Errors
/// The store's.
pub async fn expire(app: &App, now: NumericDate) -> Result<(), Failure> {
    let until = NumericDate(now.0.saturating_sub(app.settings.registration.unused_client_life.0));
    for id in app.store.unused_registrations(until, now).await? {
        let registered = app.store.find_registration(&id).await?;
        let (Some(registered), Some(client)) = (registered, app.store.find_client(&id).await?) else {
            continue;
        };
        let origin = match registered.by {
            RegisteredBy::Itself(_) => Origin::Registered,
            RegisteredBy::Document(_) => Origin::Document,
        };
        let mut event = AuditEvent::new(Action::ClientDelete, Outcome::Granted, now);
        event.client = Some(id.clone());
        event.reason = Some("it was never used".to_owned());
        let change = end(Change::new(event).take(Take::UnusedRegistration(id)), &client, origin);
        match app.store.commit(change).await {
            // It was used in the last moment, or another node was quicker.
            Ok(_) | Err(CommitError::Conflict(_)) => {}
            Err(CommitError::Broken(error)) => return Err(error.into()),
        }
    }
    Ok(())
}

//! What waits for a user's word although the client is elsewhere, the word, and the end of what was approved.
//!
//! A device asks for a code that its user enters in a browser (RFC 8628); or a client names a user, who finds the
//! question among what waits for them (Client-Initiated Backchannel Authentication). Either way the answer is given
//! here, once, and the client fetches it with its reference, or is told.
//!
//! A token request that a rule or a details type holds up waits for a person in the same way (Deferred Token Response);
//! that person need not be the user whose authority it carries.

mod answer;
mod asked_user;
mod backchannel;
mod deferral;
mod deferral_notice;
mod deliver;
mod device;
mod end;
mod mail;
mod user_code;
mod webhooks;

pub use answer::{Answerer, approve, decide_for_test, deny, offer_for, readiness};
pub use backchannel::{BackchannelAsked, ask_user};
pub use deferral::{ApprovalLetter, ApprovalNews, Approving, Word, decide, registry_of, tell_approver};
pub use deliver::deliver_for_ever;
pub use device::{DeviceAsked, NotEntered, ask_device, enter_user_code};
pub use end::end;
pub use mail::{Letter, News};
pub use user_code::{SHORTEST_USER_CODE, set_user_code};
pub use webhooks::tell_webhooks_for_ever;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::deferred::Asked;
use protocol::refusal::Refusal;

use crate::app::{App, Visit};
use crate::authorization::Wanted;
use crate::caller::Caller;
use crate::failure::{Broken, Failure};
use crate::store::{Change, CommitError, Record};

/// What was asked, to be judged.
const fn wanted(asked: &Asked) -> Wanted<'_> {
    Wanted {
        scope: asked.scope.as_ref(),
        details: asked.authorization_details.as_ref(),
        resources: &asked.resources,
        requested_actor: asked.requested_actor.as_ref(),
        claims: None,
        grant_management: asked.grant_management.as_ref(),
    }
}

/// The event of a request that `caller` makes.
fn event_of(action: Action, visit: &Visit, caller: &Caller) -> AuditEvent {
    let mut told = AuditEvent::new(action, Outcome::Granted, visit.now);
    told.request = Some(visit.id.clone());
    told.client = Some(caller.client.id.clone());
    told
}

/// Writes what was asked into the event that tells of it.
fn tell_of(told: &mut AuditEvent, asked: &Asked) {
    told.scope.clone_from(&asked.scope);
    told.authorization_details = asked.authorization_details.clone().unwrap_or_default();
    told.resources = asked.resources.iter().cloned().collect();
    told.actor.clone_from(&asked.requested_actor);
}

/// Keeps a request, if what its caller showed was not shown before.
async fn keep(app: &App, caller: &Caller, change: Change, record: Record) -> Result<(), Failure> {
    match app.store.commit(caller.still_acts(caller.mark(change)).keep(record)).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(conflict)) => {
            match caller.replayed(&conflict).or_else(|| caller.stopped(&conflict)) {
                Some(refusal) => Err(refusal.into()),
                None => Err(Broken::Inconsistent("a request that could not be kept").into()),
            }
        }
    }
}

/// Tells the audit log of a refusal, with the marks of what the caller showed.
async fn refuse(app: &App, caller: &Caller, told: &AuditEvent, refusal: Refusal) -> Failure {
    match app.store.commit(caller.mark(Change::new(told.clone().refused(&refusal)))).await {
        Err(CommitError::Broken(error)) => error.into(),
        Ok(_) | Err(CommitError::Conflict(_)) => refusal.into(),
    }
}

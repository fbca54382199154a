//! What the user says to an offer, wherever they were asked: a yes becomes a consent and, for an agent, a task.

use std::collections::BTreeSet;

use protocol::audit::{Action, AuditEvent};
use protocol::authority::Authority;
use protocol::authorization::{self, Approval, OFFLINE_ACCESS};
use protocol::client::Client;
use protocol::consent::{Consent, ConsentState, PassingOn};
use protocol::identifier::{ClientId, UserId};
use protocol::refusal::{ErrorCode, Refusal};
use protocol::task::Task;

use super::{Offer, event};
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::secret::random_id;
use crate::store::{Change, Record};
use crate::tasks;

/// What the user decided on the consent page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Which entries stay, and until when.
    pub approval: Approval,
    /// Whether the actor may pass on.
    pub passing_on: bool,
}

/// A yes that is not yet written.
pub struct Granted {
    /// What was approved.
    pub consent: Consent,
    /// The task that it opens, where an agent was authorized.
    pub task: Option<Task>,
    /// Consent and task, with the event that tells of them.
    pub change: Change,
}

/// What `user` approved of `offer`: all, or a part.
///
/// # Errors
/// `access_denied` where nothing is left.
pub fn grant(
    app: &App,
    visit: &Visit,
    offer: &Offer,
    user: &UserId,
    decision: &Decision,
) -> Result<Granted, Failure> {
    let authority = authorization::approve(&offer.authority, &decision.approval, offer.registry.registered())
        .filter(|authority| !authority.until.is_over(visit.now))
        .ok_or_else(|| Refusal::new(ErrorCode::AccessDenied, "nothing is left to approve"))?;
    let consent = consent(app, visit, offer, user, authority, decision)?;
    let task = match offer.actor.agent() {
        Some(_) => Some(tasks::open(app, &consent, &consent.authority, visit.now)?),
        None => None,
    };
    let mut told = event(Action::ConsentDecide, visit, &offer.client.id);
    tell_of(&mut told, &consent, task.as_ref());
    let change = Change::new(told).keep(Record::Consent(consent.clone()));
    let change = task.iter().cloned().map(Record::Task).fold(change, Change::keep);
    Ok(Granted { consent, task, change })
}

/// A no, as the audit log is told of it.
pub fn told_of_refusal(visit: &Visit, offer: &Offer, user: Option<&UserId>, refusal: &Refusal) -> AuditEvent {
    let mut told = event(Action::ConsentDecide, visit, &offer.client.id).refused(refusal);
    told.user = user.cloned();
    told.actor = Some(offer.actor.id.clone());
    told.scope = Some(offer.authority.scope.clone());
    told.authorization_details = offer.authority.details.clone();
    told
}

fn consent(
    app: &App,
    visit: &Visit,
    offer: &Offer,
    user: &UserId,
    authority: Authority,
    decision: &Decision,
) -> Result<Consent, Failure> {
    let id = random_id(app.entropy.as_ref(), "con_");
    let passing_on = match offer.passing_on_max {
        further if decision.passing_on && further > 0 => PassingOn::UpTo(further),
        _ => PassingOn::No,
    };
    Ok(Consent {
        id: id.parse().map_err(|_| Broken::Other("a random id is no identifier"))?,
        user: user.clone(),
        client: offer.client.id.clone(),
        actor: offer.actor.id.clone(),
        offline_access: authority.scope.contains(OFFLINE_ACCESS),
        claims: if authority.scope.contains("openid") { offer.claims.clone() } else { BTreeSet::new() },
        authority,
        passing_on,
        created_at: visit.now,
        brought_by: None,
        state: ConsentState::Active,
    })
}

/// Writes what was approved into the event of its approval.
pub(super) fn tell_of(told: &mut AuditEvent, consent: &Consent, task: Option<&Task>) {
    told.user = Some(consent.user.clone());
    told.actor = Some(consent.actor.clone());
    told.consent = Some(consent.id.clone());
    told.task = task.map(|task| task.id.clone());
    told.txn = task.map(|task| task.root.clone());
    told.scope = Some(consent.authority.scope.clone());
    told.authorization_details = consent.authority.details.clone();
    told.resources = consent.authority.resources.iter().cloned().collect();
}

/// The actor that the user was asked about, where it is not the client itself.
#[must_use]
pub fn requested_actor(client: &Client, actor: &Client) -> Option<ClientId> {
    (client.id != actor.id).then(|| actor.id.clone())
}

//! What the user says to an offer, wherever they were asked: a yes becomes a consent and, for an agent, a task.

use std::collections::BTreeSet;

use protocol::audit::{Action, AuditEvent};
use protocol::authority::Authority;
use protocol::authorization::{self, Approval, OFFLINE_ACCESS};
use protocol::client::Client;
use protocol::consent::{Consent, ConsentState, PassingOn};
use protocol::grant_management;
use protocol::identifier::{ClientId, UserId};
use protocol::refusal::{ErrorCode, Refusal};
use protocol::task::Task;

use super::{Becomes, Offer, event};
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::secret::{SecretDigest, random_id};
use crate::store::{Amendment, Anchor, Change, Record};
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
    /// The consent, as it stands from now on.
    pub consent: Consent,
    /// What was approved this time: the whole consent, or the part that was added to it.
    pub authority: Authority,
    /// The task that it opens, where an agent was authorized.
    pub task: Option<Task>,
    /// The task, with the event that tells of all.
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
    let approved = consent(app, visit, offer, user, authority.clone(), decision)?;
    let consent = match &offer.becomes {
        Becomes::Itself => approved,
        Becomes::PartOf(standing) => {
            let longest = offer.authority.until;
            grant_management::merge(standing, &approved, longest, offer.registry.registered())?
        }
        Becomes::InPlaceOf(standing) => grant_management::replace(standing, approved),
    };
    let task = match offer.actor.agent() {
        Some(_) => Some(tasks::open(app, &consent, &authority, visit.now)?),
        None => None,
    };
    let mut told = event(Action::ConsentDecide, visit, &offer.client.id);
    tell_of(&mut told, &consent, task.as_ref());
    told.scope = Some(authority.scope.clone());
    told.authorization_details = authority.details.clone();
    told.resources = authority.resources.iter().cloned().collect();
    told.reason = match &offer.becomes {
        Becomes::Itself => None,
        Becomes::PartOf(_) => Some("added to what was allowed before".into()),
        Becomes::InPlaceOf(_) => Some("in the place of what was allowed before".into()),
    };
    let mut change = task.iter().cloned().map(Record::Task).fold(Change::new(told), Change::keep);
    // A consent of its own has room for its first task, and what is replaced ends with all of its tasks.
    if let (Becomes::PartOf(_), Some(task)) = (&offer.becomes, &task) {
        change = change.requires(Anchor::Consent(consent.id.clone()));
        change = tasks::rooms(app, task).into_iter().fold(change, Change::room);
    }
    // What is issued for a task is over when the task is, whoever validates it and however.
    let authority = match &task {
        Some(task) => Authority { until: authority.until.min(task.deadline), ..authority },
        None => authority,
    };
    Ok(Granted { consent, authority, task, change })
}

impl Granted {
    /// Everything that is written with the code of this digest.
    pub fn with_code(self, offer: &Offer, code: SecretDigest) -> Change {
        let Self { consent, task, change, .. } = self;
        match &offer.becomes {
            Becomes::Itself => change.keep(Record::Consent(consent)),
            Becomes::PartOf(_) => change.amend(Amendment::Merge(consent)),
            Becomes::InPlaceOf(_) => {
                let task = task.map(|task| task.id);
                change.amend(Amendment::Replace { consent, task, code })
            }
        }
    }
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
        passing_on,
        created_at: visit.now,
        brought_by: None,
        state: ConsentState::Active,
        types: offer.registry.types.versions(&authority.details),
        version: 1,
        authority,
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

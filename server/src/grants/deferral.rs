//! Deferred Token Response: a token request that a person has to approve waits for them. Its client gets a
//! `deferral_code`, asks with it, and when the answer is yes, everything is decided anew.
//!
//! What the client sent is sealed under the `deferral_code`, of which only the digest is kept: it opens when the client
//! comes back with it, and in no other way.

use std::sync::Arc;

use protocol::approval::{Approved, Question};
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::backchannel::notification_token;
use protocol::client::GrantType;
use protocol::deferred::{NoAnswer, Polling};
use protocol::numeric_date::Seconds;
use protocol::params::Params;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::Subject;
use protocol::token_request::{DeferralRequest, TokenRequest};
use protocol::user::User;
use protocol::webhook::{About, Event};
use serde_json::{Map, Value};

use super::commit::{lost, told};
use super::desk::{Desk, Granted, NotWritten, Refused};
use super::foreign_token::Foreign;
use super::notice::Notice;
use super::{Answer, action};
use crate::app::{App, Visit};
use crate::caller::Caller;
use crate::failure::{Broken, Failure};
use crate::federation::Meanwhile;
use crate::jose::{AtRest, Place};
use crate::secret::{Secret, SecretDigest, random_id};
use crate::store::{
    Anchor, AskedOfPerson, Change, CommitError, Conflict, Deferral, Note, Record, Room, SignedIn, Standing,
    Step, Take,
};

/// What every `deferral_code` begins with.
const PREFIX: &str = "pdf_";
/// What a sealed request is, to those who seal.
const PLACE: &str = "deferred_token_request";
/// How a client proves who it is: that is done anew each time, and kept nowhere.
const CREDENTIALS: [&str; 6] = [
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "completion_mode",
    "client_notification_token",
];

/// What the client is told (Deferred Token Response §5.4), and what the person is.
pub struct Deferred {
    /// `deferral_code`.
    pub deferral_code: Secret,
    /// `expires_in`.
    pub expires_in: Seconds,
    /// `interval`.
    pub interval: Seconds,
    /// Its id on pages.
    pub id: String,
    /// What is asked.
    pub question: Question,
    /// Of whom.
    pub approver: Arc<User>,
}

impl Deferred {
    /// The body of the answer: an error, since there is no token yet.
    #[must_use]
    pub fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| {
            body.insert(name.to_owned(), value);
        };
        put("error", ErrorCode::AuthorizationPending.as_str().into());
        put("error_description", "a person has to approve this first; ask again with deferral_code".into());
        put("deferral_code", self.deferral_code.reveal().into());
        put("expires_in", self.expires_in.0.into());
        put("interval", self.interval.0.into());
        body
    }
}

/// Whether a text can be a `deferral_code`; whether it is one, the store says.
#[must_use]
pub fn looks_like_deferral_code(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Has a person asked, and tells the client to wait.
pub(super) async fn ask(
    desk: &Desk<'_>,
    params: &Params,
    grant_type: GrantType,
    refused: Refused,
    question: Question,
) -> Result<Answer, Failure> {
    let (app, now) = (desk.app, desk.visit.now);
    let Refused { event: before, foreign, newcomer, .. } = refused;
    let is_new = newcomer.as_ref().map(|newcomer| Arc::clone(&newcomer.user));
    let approver = match may_be_asked(desk, &question, is_new.as_ref()).await {
        Ok(approver) => approver,
        Err(failure) => return Err(desk.close(desk.refused(&before, failure)).await),
    };
    let notified = desk.caller.client.metadata.deferred_client_notification_endpoint.is_some();
    let notification_token = match notification_token(params) {
        Ok(token) => token,
        Err(reason) => return Err(desk.close(desk.refused(&before, Refusal::from(reason))).await),
    };
    let settings = &app.settings.approvals;
    let expires_at = now.plus(settings.request_life).min(question.end);
    let deferral_code = Secret::generate(app.entropy.as_ref(), PREFIX);
    let digest = deferral_code.digest();
    let id = random_id(app.entropy.as_ref(), "ask_");
    let record = Deferral {
        digest,
        id: id.clone(),
        request: seal(app, params, &deferral_code)?,
        polling: Polling { interval: settings.interval, polled_at: None, expires_at },
        standing: Standing::Waiting,
        approved: None,
        delivery: notified.then(|| Notice::seal(app, &deferral_code, notification_token)).transpose()?,
        asked: AskedOfPerson {
            question: question.clone(),
            grant_type,
            instance: desk.caller.instance.clone(),
            key: desk.caller.key.clone(),
            certificate: desk.caller.certificate.clone(),
            asked_at: now,
        },
    };
    let event = event_of(before.as_ref().clone(), Action::DeferralAsk, &question);
    let change = desk.mark(Change::new(event.clone()));
    let mut needs = question_anchors(&question);
    needs.push(Anchor::User(approver.id.clone()));
    // What is written only now need not be alive before.
    needs.retain(|anchor| !matches!((anchor, &is_new), (Anchor::User(id), Some(new)) if *id == new.id));
    let shown: Vec<_> = foreign.iter().filter_map(|foreign| foreign.shown).collect();
    let change = with_foreign(desk, change, needs, foreign.as_deref())?.keep(Record::Deferral(record));
    let change = rooms(app, &question).into_iter().fold(change, Change::room);
    let about = About::question(&id, &question);
    let notice = Event::requested(about, &app.url(&format!("/approvals/{id}")), expires_at);
    let notice = app.webhooks.to_tell(&notice, app.issuer(), app.entropy.as_ref(), now);
    let mut change = notice.into_iter().fold(change, Change::keep);
    let mut meanwhile = Meanwhile::default();
    if let Some(newcomer) = newcomer {
        (change, meanwhile) = newcomer.with(change);
    }
    match app.store.commit(change).await {
        Ok(_) => Ok(Answer::Deferred(Box::new(Deferred {
            deferral_code,
            expires_in: expires_at.since(now),
            interval: settings.interval,
            id,
            question,
            approver,
        }))),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(conflict))
            if meanwhile.is_told_by(&conflict) || meanwhile.has_changed(&conflict) =>
        {
            Err(NotWritten::AccountIsThere.into())
        }
        Err(CommitError::Conflict(Conflict::NoRoom)) => {
            let refusal = denied(desk, "too many requests wait for approval already");
            Err(desk.close(desk.refused(&before, refusal)).await)
        }
        Err(CommitError::Conflict(conflict)) => {
            let refusal = desk.caller.replayed(&conflict).or_else(|| told(&conflict, &shown, &[]));
            let refusal = refusal.unwrap_or_else(|| lost(&conflict, grant_type));
            Err(desk.close(desk.refused(&event, refusal)).await)
        }
    }
}

/// Requires what the question `needs`. A token of another issuer enters the lineage together with it, so that it can
/// be ended while it waits, and counts as shown.
fn with_foreign(
    desk: &Desk<'_>,
    change: Change,
    needs: Vec<Anchor>,
    foreign: Option<&Foreign>,
) -> Result<Change, Broken> {
    let written = foreign.map(|foreign| Anchor::Token(foreign.token.id.clone()));
    let anchors = needs.into_iter().filter(|anchor| Some(anchor) != written.as_ref());
    let change = anchors.fold(change, Change::requires);
    let Some(foreign) = foreign else { return Ok(change) };
    let change = foreign.record(desk)?.into_iter().fold(change, Change::keep);
    let user = foreign.token.subject.user().cloned().map(SignedIn::Here);
    let change = user.into_iter().fold(change, Change::requires_signed_in);
    Ok(foreign.shown.into_iter().fold(change, |change, once| change.first_time(once.key, once.until)))
}

/// How much may wait: of one client, and for one person.
fn rooms(app: &App, question: &Question) -> [Room; 2] {
    let settings = &app.settings.approvals;
    let (client, approver) = (question.wanted.client.clone(), question.approver.clone());
    [
        Room::DeferralsOf { client, most: settings.most_waiting_per_client.get().into() },
        Room::DeferralsFor { approver, most: settings.most_waiting_per_user.get().into() },
    ]
}

fn denied(desk: &Desk<'_>, description: &'static str) -> Refusal {
    Refusal::new(ErrorCode::AccessDenied, format!("{description} (decision {})", desk.visit.id))
}

/// The person, if they are there to be asked, by a client that can wait for them.
async fn may_be_asked(
    desk: &Desk<'_>,
    question: &Question,
    newcomer: Option<&Arc<User>>,
) -> Result<Arc<User>, Failure> {
    if desk.caller.client.is_public() {
        let description = "a person must approve this, and a public client cannot wait for them";
        return Err(denied(desk, description).into());
    }
    let approver = match newcomer.filter(|newcomer| newcomer.id == question.approver) {
        // Who gets their account together with the question.
        Some(newcomer) => Some(Arc::clone(newcomer)),
        None => desk.app.store.find_user(&question.approver).await?.filter(|user| user.enabled),
    };
    Ok(approver.ok_or_else(|| denied(desk, "nobody is there who may approve this"))?)
}

/// Everything that must be alive for what is asked to make sense.
#[must_use]
pub fn question_anchors(question: &Question) -> Vec<Anchor> {
    let wanted = &question.wanted;
    let mut anchors = vec![Anchor::Client(wanted.client.clone())];
    anchors.extend(wanted.chain.actors().iter().map(|actor| Anchor::Client(actor.sub.clone())));
    match &wanted.subject {
        Subject::User(user) => anchors.push(Anchor::User(user.clone())),
        Subject::Client { id, .. } => anchors.push(Anchor::Client(id.clone())),
    }
    anchors.extend(wanted.consent.clone().map(Anchor::Consent));
    anchors.extend(wanted.task.clone().map(Anchor::Task));
    anchors.extend(wanted.parent.clone().map(Anchor::Token));
    anchors
}

/// The event of something that happens to what is asked.
#[must_use]
pub fn event_of(mut event: AuditEvent, action: Action, question: &Question) -> AuditEvent {
    let wanted = &question.wanted;
    event.action = action;
    event.outcome = Outcome::Granted;
    event.client = Some(wanted.client.clone());
    event.user = wanted.subject.user().cloned();
    event.chain = wanted.chain.clone();
    event.consent.clone_from(&wanted.consent);
    event.task.clone_from(&wanted.task);
    event.txn.clone_from(&wanted.txn);
    event.parent.clone_from(&wanted.parent);
    event.rule = question.reason.rule().cloned();
    event.scope = Some(wanted.scope.clone());
    event.authorization_details = wanted.authorization_details.clone();
    event.resources = wanted.resources.iter().cloned().collect();
    event.destination.clone_from(&wanted.destination);
    event.reason = Some(format!("{} is to approve", question.approver));
    event
}

fn place(digest: &str) -> [&str; 1] {
    [digest]
}

fn seal(app: &App, params: &Params, deferral_code: &Secret) -> Result<String, Failure> {
    let text = serde_json::to_vec(&params.without(&CREDENTIALS));
    let text = text.map_err(|_| Broken::Other("parameters are JSON"))?;
    let digest = deferral_code.digest().to_text();
    let place = Place { kind: PLACE, of: &place(&digest) };
    Ok(AtRest::under(deferral_code.reveal())?.seal(place, &text, app.entropy.as_ref())?)
}

fn open(kept: &Deferral, deferral_code: &str) -> Result<TokenRequest, Failure> {
    let digest = kept.digest.to_text();
    let place = Place { kind: PLACE, of: &place(&digest) };
    let broken = || Broken::Inconsistent("a deferred token request does not open with its own code");
    let text = AtRest::under(deferral_code)?.open(place, &kept.request).map_err(|_| broken())?;
    let params: Params = serde_json::from_slice(&text).map_err(|_| broken())?;
    Ok(TokenRequest::parse(&params)?)
}

fn gone() -> Refusal {
    Refusal::new(ErrorCode::InvalidGrant, "deferral_code is not valid, or not any more")
}

/// Issues what was asked for, if it was approved, or says why there is nothing yet (Deferred Token Response §5.5).
pub(super) async fn redeem(desk: &Desk<'_>, request: &DeferralRequest) -> Result<Granted, Refused> {
    let code = request.deferral_code.reveal();
    let kept = match desk.app.store.find_deferral(&SecretDigest::of(code)).await {
        Ok(Some(kept)) if is_callers(desk.caller, &kept) => kept,
        Ok(_) => return Err(desk.refused(&desk.event, gone())),
        Err(error) => return Err(desk.refused(&desk.event, error)),
    };
    let question = &kept.asked.question;
    let mut event = event_of(desk.event.clone(), desk.event.action, question);
    event.reason = None;
    let over = kept.polling.expires_at.is_over(desk.visit.now);
    match (kept.standing, over) {
        (Standing::Over, _) => Err(desk.refused(&event, gone())),
        (Standing::Ended, _) => {
            let description = "it was given up, or what it came from has ended";
            Err(desk.refused(&event, Refusal::new(ErrorCode::AccessDenied, description)))
        }
        (Standing::Denied, _) => {
            Err(desk.refused(&event, Refusal::new(ErrorCode::AccessDenied, "it was denied")))
        }
        (_, true) => Err(desk.refused(&event, Refusal::from(NoAnswer::Expired))),
        (Standing::Waiting, false) => Err(wait(desk, &kept, &event)),
        (Standing::Approved, false) => match open(&kept, code) {
            Ok(request) => issue(desk, &kept, &request).await,
            Err(failure) => Err(desk.refused(&event, failure)),
        },
    }
}

/// Whoever asked may ask, with the key and the certificate that it asked with.
fn is_callers(caller: &Caller, kept: &Deferral) -> bool {
    let AskedOfPerson { instance, key, certificate, question, .. } = &kept.asked;
    let same_instance = instance.is_none() || *instance == caller.instance;
    let same_key = key.is_none() || *key == caller.key;
    let same_certificate = certificate.is_none() || *certificate == caller.certificate;
    question.wanted.client == caller.client.id && same_instance && same_key && same_certificate
}

/// Nothing is there yet. Asking decides nothing, and is only noted.
fn wait(desk: &Desk<'_>, kept: &Deferral, event: &AuditEvent) -> Refused {
    let told = kept.polling.poll(desk.visit.now);
    let too_soon = told == NoAnswer::SlowDown;
    let refusal = match told {
        NoAnswer::Pending => {
            Refusal::new(ErrorCode::AuthorizationPending, "nobody has approved or denied it yet")
        }
        told => Refusal::from(told),
    };
    let polled = Some(Box::new(Note::PolledDeferral { digest: kept.digest, too_soon }));
    Refused { polled, ..desk.refused(event, refusal) }
}

/// Decides anew, as if the client asked for the first time, but with the yes in hand.
async fn issue(desk: &Desk<'_>, kept: &Deferral, request: &TokenRequest) -> Result<Granted, Refused> {
    let AskedOfPerson { question, grant_type, .. } = &kept.asked;
    let approved = Approved {
        by: question.approver.clone(),
        acr: question.acr,
        // A yes to nothing known is a yes to nothing.
        hash: kept.approved.clone().unwrap_or_default(),
        until: kept.polling.expires_at,
    };
    let mut event = desk.event.clone();
    event.action = action(*grant_type);
    event.reason = Some(format!("approved by {} ({})", approved.by, kept.id));
    let resumes = question.wanted.parent.as_ref();
    let desk = Desk { event, approved: Some(&approved), resumes, ..*desk };
    if !desk.caller.client.grant_types.contains(grant_type) {
        return Err(desk.refused(&desk.event, gone()));
    }
    let mut granted = super::derive(&desk, request).await?;
    let step = Take::Deferral { digest: kept.digest, step: Step::Redeem };
    if granted.take.replace(step).is_some() {
        let broken = Broken::Inconsistent("what waited for approval uses up something else too");
        return Err(desk.refused(&desk.event, broken));
    }
    granted.requires.push(Anchor::User(approved.by.clone()));
    Ok(granted)
}

/// Gives up what waits, at its client's word (RFC 7009 §2.1, Deferred Token Response §7.2). What is unknown or over is
/// a success too, and so is another client's, which goes on waiting.
///
/// # Errors
/// A replayed proof or assertion.
pub async fn cancel(app: &App, visit: &Visit, caller: &Caller, deferral_code: &str) -> Result<(), Failure> {
    let kept = app.store.find_deferral(&SecretDigest::of(deferral_code)).await?;
    let mut event = AuditEvent::new(Action::DeferralCancel, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    event.client = Some(caller.client.id.clone());
    let change = match kept {
        Some(kept) if !is_callers(caller, &kept) => {
            let refusal =
                Refusal::new(ErrorCode::InvalidGrant, "the deferral_code was not issued to this client");
            let change = caller.mark(Change::new(event.refused(&refusal)));
            return match app.store.commit(change).await {
                Err(CommitError::Broken(error)) => Err(error.into()),
                Ok(_) | Err(CommitError::Conflict(_)) => Ok(()),
            };
        }
        Some(kept) if matches!(kept.standing, Standing::Waiting | Standing::Approved) => {
            let mut event = event_of(event, Action::DeferralCancel, &kept.asked.question);
            event.reason = None;
            // Whoever gives it up is told of it no more.
            let cancelled = Take::Deferral { digest: kept.digest, step: Step::Cancel };
            Change::new(event).take(cancelled).note(Note::Delivered(kept.digest))
        }
        _ => Change::housekeeping(visit.now),
    };
    match app.store.commit(caller.mark(change)).await {
        Ok(_) | Err(CommitError::Conflict(Conflict::AlreadyTaken)) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(conflict)) => match caller.replayed(&conflict) {
            Some(refusal) => Err(refusal.into()),
            None => Err(Broken::Inconsistent("a request that could not be given up").into()),
        },
    }
}

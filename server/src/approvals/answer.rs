//! The user's word on what waits for them: it is given once, in time, and for what was asked.

use std::sync::Arc;

use protocol::acr;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::authorization::Approval;
use protocol::claims_request::ClaimsRequest;
use protocol::code::Code;
use protocol::deferred::{Readiness, Way};
use protocol::identifier::{SessionId, UserId};
use protocol::prompt::{AskedAcr, PromptRefused};
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::Login;
use protocol::webhook::{About, Event};

use super::{deliver, wanted};
use crate::app::{App, Visit};
use crate::authorization::{self, Decision, Offer};
use crate::failure::Failure;
use crate::secret::SecretDigest;
use crate::store::{Anchor, AnswerDelivery, Change, CommitError, Conflict, DeferredRequest, Record, Take};

/// Who answers.
#[derive(Clone, Debug)]
pub struct Answerer {
    /// The user.
    pub user: UserId,
    /// How they logged in.
    pub login: Login,
    /// The browser session in which they answer: it must be alive, but what they approve does not hang on it, since
    /// the client is elsewhere.
    pub session: Option<SessionId>,
}

/// What a waiting request puts before `user`, judged anew: client, actor and registrations may have changed since, and
/// it may hold what is not for this user to grant.
///
/// # Errors
/// What cannot be asked for any more.
pub async fn offer_for(
    app: &App,
    visit: &Visit,
    waiting: &DeferredRequest,
    user: &UserId,
) -> Result<Offer, Failure> {
    let request = &waiting.request;
    let gone = || Refusal::new(ErrorCode::UnauthorizedClient, "who asked may not act any more");
    let client = app.store.find_client(&request.client).await?;
    let client = client.filter(|client| client.is_live(visit.now)).ok_or_else(gone)?;
    let offer = authorization::offer_of(app, &client, wanted(&request.asked), visit.now).await?;
    offer.for_user(app, user).await
}

/// Whether a user with this login may say yes; `tried` tells that they signed in for this very question.
#[must_use]
pub fn readiness(waiting: &DeferredRequest, offer: &Offer, login: &Login, tried: bool) -> Readiness {
    Readiness::of(&asked_acr(waiting, offer), login, tried)
}

fn asked_acr(waiting: &DeferredRequest, offer: &Offer) -> AskedAcr {
    let elsewhere = offer.authority.resources.iter().any(|resource| *resource != offer.registry.itself);
    waiting.request.asked.acr_for(&offer.client, elsewhere)
}

/// The user approves all or a part; the client is told, where it is to be told.
///
/// # Errors
/// `access_denied` where nothing is left to approve; `invalid_request` where it was answered before or is over;
/// `unmet_authentication_requirements` where it takes a stronger login.
pub async fn approve(
    app: &Arc<App>,
    visit: &Visit,
    waiting: &DeferredRequest,
    answerer: &Answerer,
    offer: &Offer,
    decision: &Decision,
) -> Result<(), Failure> {
    // A wish may have been tried for in vain; what is necessary is.
    if readiness(waiting, offer, &answerer.login, true) == Readiness::TooWeak {
        return Err(PromptRefused::Unmet.into());
    }
    say_yes(app, visit, waiting, answerer, offer, decision).await
}

async fn say_yes(
    app: &Arc<App>,
    visit: &Visit,
    waiting: &DeferredRequest,
    answerer: &Answerer,
    offer: &Offer,
    decision: &Decision,
) -> Result<(), Failure> {
    check_asked(waiting, &answerer.user)?;
    let granted = authorization::grant(app, visit, offer, &answerer.user, decision)?;
    let code = Code {
        claims: ClaimsRequest::default(),
        client: offer.client.id.clone(),
        instance: waiting.request.instance.clone(),
        user: answerer.user.clone(),
        consent: granted.consent.id.clone(),
        task: granted.task.as_ref().map(|task| task.id.clone()),
        requested_actor: authorization::requested_actor(&offer.client, &offer.actor),
        authority: granted.authority.clone(),
        redirect_uri: None,
        code_challenge: None,
        nonce: None,
        dpop_jkt: waiting.request.dpop_jkt.clone(),
        login: acr::told_login(&asked_acr(waiting, offer).values, &answerer.login),
        session: None,
    };
    let expires_at = waiting.polling.expires_at;
    let change = granted
        .with_code(offer, waiting.digest)
        .requires(Anchor::User(answerer.user.clone()))
        .requires(Anchor::Client(offer.client.id.clone()))
        .requires(Anchor::Client(offer.actor.id.clone()));
    let change = answerer.session.clone().map(Anchor::Session).into_iter().fold(change, Change::requires);
    let change = change.take(Take::Answer(waiting.digest)).keep(Record::Code {
        digest: waiting.digest,
        code,
        expires_at,
    });
    commit(app, told(app, visit, change, waiting, true), visit, waiting).await
}

/// Keeps that webhooks are to be told of the answer to a question from afar. Who enters the code of a device answers what
/// nobody was told of.
fn told(app: &App, visit: &Visit, change: Change, waiting: &DeferredRequest, approved: bool) -> Change {
    let (Way::Backchannel { .. }, Some(user)) = (&waiting.request.way, &waiting.user) else { return change };
    let about = About::backchannel(&waiting.id, &waiting.request.client, user);
    let event = Event::answered(about, approved);
    let records = app.webhooks.to_tell(&event, app.issuer(), app.entropy.as_ref(), visit.now);
    records.into_iter().fold(change, Change::keep)
}

/// The user says no; the client is told, where it is to be told.
///
/// # Errors
/// `invalid_request` where it was answered before or is over.
pub async fn deny(
    app: &Arc<App>,
    visit: &Visit,
    waiting: &DeferredRequest,
    user: &UserId,
    offer: &Offer,
) -> Result<(), Failure> {
    check_asked(waiting, user)?;
    let refusal = Refusal::new(ErrorCode::AccessDenied, "the user said no");
    let event = authorization::told_of_refusal(visit, offer, Some(user), &refusal);
    let change = Change::new(event).take(Take::Answer(waiting.digest));
    commit(app, told(app, visit, change, waiting, false), visit, waiting).await
}

/// Nobody answers for somebody else.
fn check_asked(waiting: &DeferredRequest, user: &UserId) -> Result<(), Refusal> {
    let others = waiting.user.as_ref().is_some_and(|asked| asked != user);
    if others { Err(no_longer("this request is for somebody else")) } else { Ok(()) }
}

const fn no_longer(description: &'static str) -> Refusal {
    let description = std::borrow::Cow::Borrowed(description);
    Refusal { code: ErrorCode::InvalidRequest, description, login: None }
}

/// Writes the answer, and with it that the client is to be told, if it is.
async fn commit(
    app: &Arc<App>,
    change: Change,
    visit: &Visit,
    waiting: &DeferredRequest,
) -> Result<(), Failure> {
    let expires_at = waiting.polling.expires_at;
    let told = AnswerDelivery { digest: waiting.digest, due_at: visit.now, expires_at };
    let told = waiting.delivery.is_some().then_some(Record::AnswerDelivery(told));
    match app.store.commit(told.into_iter().fold(change, Change::keep)).await {
        Ok(_) => {
            deliver::begin(app, waiting);
            Ok(())
        }
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(Conflict::AlreadyTaken)) => {
            Err(no_longer("this request was answered before, or is over").into())
        }
        Err(CommitError::Conflict(Conflict::NoRoom)) => Err(no_longer(protocol::task::NO_ROOM).into()),
        Err(CommitError::Conflict(_)) => Err(no_longer("this request is not valid any more").into()),
    }
}

/// Answers for the user of a backchannel request, in the way that the page does, without the user: for certification
/// runs, where nobody sits at the page. A yes is to everything that was asked.
///
/// # Errors
/// `invalid_request` where no such request waits, or its user is unknown.
pub async fn decide_for_test(
    app: &Arc<App>,
    visit: &Visit,
    auth_req_id: &str,
    allow: bool,
) -> Result<(), Failure> {
    let unknown = || no_longer("no request of this auth_req_id waits for a user");
    let found = app.store.find_deferred(&SecretDigest::of(auth_req_id)).await?;
    let is_fit = |found: &DeferredRequest| {
        matches!(found.request.way, Way::Backchannel { .. }) && found.waits(visit.now)
    };
    let waiting = found.filter(is_fit).ok_or_else(unknown)?;
    let user = waiting.user.clone().ok_or_else(unknown)?;
    let user = app.store.find_user(&user).await?.ok_or_else(unknown)?;
    let offer = offer_for(app, visit, &waiting, &user.id).await?;
    let mut told = AuditEvent::new(Action::UserSignIn, Outcome::Granted, visit.now);
    told.request = Some(visit.id.clone());
    told.user = Some(user.id.clone());
    told.reason = Some("answered for the user by the test configuration".into());
    app.tell(told).await?;
    if !allow {
        return deny(app, visit, &waiting, &user.id, &offer).await;
    }
    let login = Login { auth_time: visit.now, acr: None, amr: Vec::new() };
    let answerer = Answerer { user: user.id.clone(), login, session: None };
    let approval = Approval {
        scope: offer.authority.scope.clone(),
        details: (0..offer.authority.details.iter().count()).collect(),
        until: offer.authority.until,
    };
    let decision = Decision { approval, passing_on: false };
    say_yes(app, visit, &waiting, &answerer, &offer, &decision).await
}

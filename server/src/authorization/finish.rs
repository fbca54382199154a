//! The user answers: what they approve becomes a consent, for an agent a task, and a code.

use std::sync::Arc;

use protocol::audit::{Action, AuditEvent};
use protocol::authority::Authority;
use protocol::authorization::{self, Approval, OFFLINE_ACCESS};
use protocol::client::Client;
use protocol::code::Code;
use protocol::consent::{Consent, ConsentState, PassingOn};
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::prompt::{self, Approved, Next, SessionState};
use protocol::redirect_uri::ReturnAddress;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::task::Task;

use super::{Offer, SignedIn, Stop, Waiting, event, offer, prove, refuse, session_state};
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::secret::{Secret, random_id};
use crate::store::{Anchor, Change, CommitError, Conflict, Record, ReplayKey, SessionClient, Take};
use crate::tasks;

/// How long it is remembered that a pushed request was completed: longer than any request that came from it waits.
const PUSHED_USED_LIFE: Seconds = Seconds::minutes(60);

/// What the user decided on the consent page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Which entries stay, and until when.
    pub approval: Approval,
    /// Whether the actor may pass on.
    pub passing_on: bool,
}

/// A waiting request with everything needed to answer it, judged anew: client, actor and registrations may have
/// changed since it began.
struct Story {
    offer: Offer,
    address: ReturnAddress,
}

/// What is to happen next with a waiting request, for this browser as it is now.
///
/// # Errors
/// [`Stop`], where the request cannot go on.
pub async fn next(
    app: &App,
    visit: &Visit,
    interaction: &str,
    waiting: &Waiting,
    signed_in: Option<&SignedIn>,
) -> Result<(Next, Offer), Stop> {
    let story = story(app, visit, waiting).await?;
    let signed_in = hinted(app, waiting, &story.address, signed_in)?;
    let login = signed_in.map(|signed_in| prompt::SignedIn {
        auth_time: signed_in.login.auth_time,
        for_this_request: signed_in.for_interaction.as_deref() == Some(interaction),
    });
    let consent = match signed_in {
        Some(signed_in) => approved(app, visit, waiting, &story.offer, signed_in).await?.0,
        None => Approved::No,
    };
    let state = SessionState { login, consent };
    let next = prompt::next(&state, waiting.request.prompt, waiting.request.max_age, visit.now);
    if let Next::Refuse(reason) = next {
        let refusal = Refusal::from(reason);
        let told = event(Action::AuthorizationRequest, visit, &waiting.client).refused(&refusal);
        app.tell_of_stranger(visit, told).await?;
        let told = session_state::of(app, waiting, signed_in);
        return Err(refuse_in(app, &story.address, waiting, told.as_deref(), &refusal));
    }
    Ok((next, story.offer))
}

/// A refusal with `session_state` (Session Management §2).
fn refuse_in(
    app: &App,
    to: &ReturnAddress,
    waiting: &Waiting,
    session_state: Option<&str>,
    refusal: &Refusal,
) -> Stop {
    let mut params =
        vec![("error", refusal.code.as_str()), ("error_description", refusal.description.as_ref())];
    params.extend(waiting.request.state.as_deref().map(|state| ("state", state)));
    params.push(("iss", app.issuer()));
    params.extend(session_state.map(|state| ("session_state", state)));
    Stop::Redirect(to.redirect(&params))
}

/// Who is signed in, unless `id_token_hint` names somebody else: then nobody is (OpenID Connect Core §3.1.2.1). A
/// hint that this server did not sign is no hint; one that is over still is.
fn hinted<'a>(
    app: &App,
    waiting: &Waiting,
    address: &ReturnAddress,
    signed_in: Option<&'a SignedIn>,
) -> Result<Option<&'a SignedIn>, Stop> {
    let Some(hint) = &waiting.request.id_token_hint else { return Ok(signed_in) };
    let claims = app.keys.verify_own(hint, "JWT").map_err(|_| {
        let refusal =
            Refusal::new(ErrorCode::InvalidRequest, "id_token_hint is not an ID token of this server");
        refuse(app, address, waiting.request.state.as_deref(), &refusal)
    })?;
    let sub = claims.get("sub").and_then(serde_json::Value::as_str);
    Ok(signed_in.filter(|signed_in| sub == Some(signed_in.user.as_str())))
}

async fn story(app: &App, visit: &Visit, waiting: &Waiting) -> Result<Story, Stop> {
    let unknown = || Stop::Page(Refusal::new(ErrorCode::InvalidRequest, "client_id is missing or unknown"));
    let client = app.store.find_client(&waiting.client).await.map_err(Failure::from)?;
    let client = client.filter(|client| client.is_live(visit.now)).ok_or_else(unknown)?;
    let address = prove(&client.redirect_uris, &waiting.return_address).map_err(Failure::from)?;
    match offer(app, &client, &waiting.request, visit.now).await {
        Ok(offer) => Ok(Story { offer, address }),
        Err(Failure::Refused(refusal)) => {
            Err(refuse(app, &address, waiting.request.state.as_deref(), &refusal))
        }
        Err(Failure::Broken(broken)) => Err(Stop::Broken(broken)),
    }
}

/// Whether the user approved all of this before. What an agent may do is looked at each time; and a public client
/// on the user's machine could be anybody (RFC 6749 §10.2, RFC 8252 §8.6).
async fn approved(
    app: &App,
    visit: &Visit,
    waiting: &Waiting,
    offer: &Offer,
    signed_in: &SignedIn,
) -> Result<(Approved, Option<Arc<Consent>>), Stop> {
    if offer.actor.agent().is_some() || offer.actor.id != offer.client.id {
        return Ok((Approved::No, None));
    }
    let consents =
        app.store.consents_for(&signed_in.user, &offer.actor.id, Some(&offer.client.id), visit.now).await;
    let consents = consents.map_err(Failure::from)?;
    let types = &offer.registry.types;
    let covers = |consent: &Consent| {
        let asked = Authority { until: consent.authority.until, ..offer.authority.clone() };
        asked.is_within(&consent.authority, types)
    };
    let Some(consent) = consents.into_iter().find(covers) else { return Ok((Approved::No, None)) };
    let sure_of_client = !offer.client.is_public() || waiting.return_address.starts_with("https://");
    let approved = if sure_of_client { Approved::Before } else { Approved::AskAgain };
    Ok((approved, Some(Arc::new(consent))))
}

/// The user approved all or a part. Gives the URL to send them to.
///
/// # Errors
/// [`Stop`]; `Page` with `access_denied` where nothing is left to approve.
pub async fn decide(
    app: &App,
    visit: &Visit,
    interaction: &str,
    waiting: &Waiting,
    signed_in: &SignedIn,
    decision: &Decision,
) -> Result<String, Stop> {
    let Story { offer, address } = story(app, visit, waiting).await?;
    let authority = authorization::approve(&offer.authority, &decision.approval, offer.registry.registered())
        .filter(|authority| !authority.until.is_over(visit.now))
        .ok_or_else(|| Stop::Page(Refusal::new(ErrorCode::AccessDenied, "nothing is left to approve")))?;
    let consent = consent(app, visit, &offer, signed_in, authority, decision)?;
    let task = match offer.actor.agent() {
        Some(_) => Some(tasks::open(app, &consent, &consent.authority.details, visit.now)?),
        None => None,
    };
    let mut told = event(Action::ConsentDecide, visit, &offer.client.id);
    tell_of(&mut told, &consent, task.as_ref());
    let change = Change::new(told).keep(Record::Consent(consent.clone()));
    let change = task.iter().cloned().map(Record::Task).fold(change, Change::keep);
    let asked = consent.authority.clone();
    give_code(
        app,
        visit,
        &Given { interaction, waiting, signed_in, address: &address, offer: &offer },
        change,
        &consent,
        asked,
        task,
    )
    .await
}

/// The user approved all of this before: no page is needed. Gives the URL to send them to.
///
/// # Errors
/// [`Stop`].
pub async fn proceed(
    app: &App,
    visit: &Visit,
    interaction: &str,
    waiting: &Waiting,
    signed_in: &SignedIn,
) -> Result<String, Stop> {
    let Story { offer, address } = story(app, visit, waiting).await?;
    let (_, consent) = approved(app, visit, waiting, &offer, signed_in).await?;
    let gone = || Stop::Page(Refusal::new(ErrorCode::AccessDenied, "what was approved before has ended"));
    let consent = consent.ok_or_else(gone)?;
    let mut told = event(Action::ConsentDecide, visit, &offer.client.id);
    tell_of(&mut told, &consent, None);
    told.reason = Some("approved before".into());
    let asked = Authority { until: consent.authority.until, ..offer.authority.clone() };
    let change = Change::new(told).requires(Anchor::Consent(consent.id.clone()));
    give_code(
        app,
        visit,
        &Given { interaction, waiting, signed_in, address: &address, offer: &offer },
        change,
        &consent,
        asked,
        None,
    )
    .await
}

/// The user said no, at sign-in or at consent. Gives the URL to send them to.
///
/// # Errors
/// [`Stop`].
pub async fn deny(
    app: &App,
    visit: &Visit,
    interaction: &str,
    waiting: &Waiting,
    signed_in: Option<&SignedIn>,
) -> Result<String, Stop> {
    let Story { offer, address } = story(app, visit, waiting).await?;
    let refusal = Refusal::new(ErrorCode::AccessDenied, "the user said no");
    let mut told = event(Action::ConsentDecide, visit, &offer.client.id).refused(&refusal);
    told.user = signed_in.map(|signed_in| signed_in.user.clone());
    told.actor = Some(offer.actor.id.clone());
    told.scope = Some(offer.authority.scope.clone());
    told.authorization_details = offer.authority.details.clone();
    commit(app, Change::new(told).take(Take::Interaction(interaction.to_owned()))).await?;
    let told = session_state::of(app, waiting, signed_in);
    match refuse_in(app, &address, waiting, told.as_deref(), &refusal) {
        Stop::Redirect(url) => Ok(url),
        stop => Err(stop),
    }
}

fn consent(
    app: &App,
    visit: &Visit,
    offer: &Offer,
    signed_in: &SignedIn,
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
        user: signed_in.user.clone(),
        client: offer.client.id.clone(),
        actor: offer.actor.id.clone(),
        offline_access: authority.scope.contains(OFFLINE_ACCESS),
        authority,
        passing_on,
        created_at: visit.now,
        state: ConsentState::Active,
    })
}

fn tell_of(told: &mut AuditEvent, consent: &Consent, task: Option<&Task>) {
    told.user = Some(consent.user.clone());
    told.actor = Some(consent.actor.clone());
    told.consent = Some(consent.id.clone());
    told.task = task.map(|task| task.id.clone());
    told.txn = task.map(|task| task.root.clone());
    told.scope = Some(consent.authority.scope.clone());
    told.authorization_details = consent.authority.details.clone();
    told.resources = consent.authority.resources.iter().cloned().collect();
}

/// A request that was answered with yes.
struct Given<'a> {
    interaction: &'a str,
    waiting: &'a Waiting,
    signed_in: &'a SignedIn,
    address: &'a ReturnAddress,
    offer: &'a Offer,
}

/// Writes the code with everything it rests on, in one transaction that ends the waiting; gives the way back.
async fn give_code(
    app: &App,
    visit: &Visit,
    given: &Given<'_>,
    change: Change,
    consent: &Consent,
    authority: Authority,
    task: Option<Task>,
) -> Result<String, Stop> {
    let Given { interaction, waiting, signed_in, address, offer } = given;
    let request = &waiting.request;
    let secret = Secret::generate(app.entropy.as_ref(), "pac_");
    let code = Code {
        client: offer.client.id.clone(),
        user: signed_in.user.clone(),
        consent: consent.id.clone(),
        task: task.map(|task| task.id),
        requested_actor: requested_actor(&offer.client, &offer.actor),
        authority,
        redirect_uri: address.as_str().to_owned(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
        login: signed_in.login.clone(),
        session: signed_in.session.clone(),
    };
    let expires_at: NumericDate = visit.now.plus(app.settings.code_life);
    let mut change = change
        .requires(Anchor::User(signed_in.user.clone()))
        .requires(Anchor::Client(offer.client.id.clone()))
        .requires(Anchor::Client(offer.actor.id.clone()))
        .requires(Anchor::Session(signed_in.session.clone()))
        .take(Take::Interaction((*interaction).to_owned()))
        .keep(Record::Code { digest: secret.digest(), code, expires_at });
    if request.scope.as_ref().is_some_and(|scope| scope.contains("openid")) {
        // From now on the client may know of the session, and is told when it ends.
        change = change.keep(Record::SessionClient(SessionClient {
            session: signed_in.session.clone(),
            client: offer.client.id.clone(),
            user: signed_in.user.clone(),
            at: visit.now,
        }));
    }
    if let Some(pushed) = &waiting.pushed {
        // Loading the page twice is no harm; completing it twice is (RFC 9126 §4, §7.3).
        change = change.first_time(ReplayKey::new("pushed", &[pushed]), visit.now.plus(PUSHED_USED_LIFE));
    }
    commit(app, change).await?;
    let mut params = vec![("code", secret.reveal())];
    params.extend(request.state.as_deref().map(|state| ("state", state)));
    params.push(("iss", app.issuer()));
    let session_state = session_state::of(app, waiting, Some(signed_in));
    params.extend(session_state.as_deref().map(|state| ("session_state", state)));
    Ok(address.redirect(&params))
}

fn requested_actor(client: &Client, actor: &Client) -> Option<protocol::identifier::ClientId> {
    (client.id != actor.id).then(|| actor.id.clone())
}

async fn commit(app: &App, change: Change) -> Result<(), Stop> {
    let gone = |description| Stop::Page(Refusal::new(ErrorCode::InvalidRequest, description));
    match app.store.commit(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(Stop::Broken(error.into())),
        Err(CommitError::Conflict(Conflict::AlreadyTaken)) => Err(gone("this request was answered before")),
        Err(CommitError::Conflict(Conflict::Replayed(_))) => Err(gone("this pushed request was used before")),
        Err(CommitError::Conflict(Conflict::NotAlive(_))) => Err(gone("this request is not valid any more")),
    }
}

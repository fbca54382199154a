//! The user answers: what they approve becomes a consent, for an agent a task, and a code.

use std::sync::Arc;

use protocol::audit::Action;
use protocol::authority::Authority;
use protocol::code::Code;
use protocol::consent::Consent;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::prompt::{self, Approved, Next, SessionState};
use protocol::redirect_uri::ReturnAddress;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::task::Task;

use super::grant::{requested_actor, tell_of};
use super::{
    Decision, Granted, Offer, SignedIn, Stop, Waiting, event, grant, offer, prove, refuse, told_of_refusal,
};
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::secret::Secret;
use crate::store::{Anchor, Change, CommitError, Conflict, Record, ReplayKey, Take};

/// How long it is remembered that a pushed request was completed: longer than any request that came from it waits.
const PUSHED_USED_LIFE: Seconds = Seconds::minutes(60);

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
        return Err(refuse(app, &story.address, waiting.request.state.as_deref(), &refusal));
    }
    Ok((next, story.offer))
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
    let Granted { consent, task, change } = grant(app, visit, &offer, &signed_in.user, decision)?;
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
    let told = told_of_refusal(visit, &offer, signed_in.map(|signed_in| &signed_in.user), &refusal);
    commit(app, Change::new(told).take(Take::Interaction(interaction.to_owned()))).await?;
    match refuse(app, &address, waiting.request.state.as_deref(), &refusal) {
        Stop::Redirect(url) => Ok(url),
        stop => Err(stop),
    }
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
        redirect_uri: Some(address.as_str().to_owned()),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
        login: signed_in.login.clone(),
        session: Some(signed_in.session.clone()),
    };
    let expires_at: NumericDate = visit.now.plus(app.settings.code_life);
    let mut change = change
        .requires(Anchor::User(signed_in.user.clone()))
        .requires(Anchor::Client(offer.client.id.clone()))
        .requires(Anchor::Client(offer.actor.id.clone()))
        .requires(Anchor::Session(signed_in.session.clone()))
        .take(Take::Interaction((*interaction).to_owned()))
        .keep(Record::Code { digest: secret.digest(), code, expires_at });
    if let Some(pushed) = &waiting.pushed {
        // Loading the page twice is no harm; completing it twice is (RFC 9126 §4, §7.3).
        change = change.first_time(ReplayKey::new("pushed", &[pushed]), visit.now.plus(PUSHED_USED_LIFE));
    }
    commit(app, change).await?;
    let mut params = vec![("code", secret.reveal())];
    params.extend(request.state.as_deref().map(|state| ("state", state)));
    params.push(("iss", app.issuer()));
    Ok(address.redirect(&params))
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

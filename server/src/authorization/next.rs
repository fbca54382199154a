//! What is to happen next with a waiting request: each time anew, for whoever is signed in then.

use std::sync::Arc;

use protocol::acr;
use protocol::audit::Action;
use protocol::authority::Authority;
use protocol::client::Client;
use protocol::consent::Consent;
use protocol::grant_management::GrantAction;
use protocol::identifier::UserId;
use protocol::prompt::{self, Approved, Asked, Next, SessionState};
use protocol::refusal::{ErrorCode, Refusal};

use super::answer::WayBack;
use super::{Offer, SignedIn, Stop, Waiting, event, offer, prove, session_state};
use crate::app::{App, Visit};
use crate::failure::Failure;

/// A waiting request in the browser of whoever is to answer it.
#[derive(Clone, Copy)]
pub struct Present<'a> {
    /// The request's id.
    pub interaction: &'a str,
    /// The request.
    pub waiting: &'a Waiting,
    /// Who is signed in.
    pub signed_in: Option<&'a SignedIn>,
    /// Whether they chose, on the page that shows who is signed in, to go on as who they are.
    pub account_chosen: bool,
}

/// A waiting request with everything needed to answer it, judged anew: client, actor and registrations may have
/// changed since it began.
pub(super) struct Story {
    pub(super) offer: Offer,
    pub(super) way: WayBack,
}

/// What is to happen next with a waiting request, for this browser as it is now.
///
/// # Errors
/// [`Stop`], where the request cannot go on.
pub async fn next(app: &App, visit: &Visit, present: &Present<'_>) -> Result<(Next, Offer), Stop> {
    let Present { interaction, waiting, account_chosen, .. } = *present;
    let Story { mut offer, mut way } = story(app, visit, waiting).await?;
    let request = &waiting.request;
    let signed_in = match rightful(app, &offer.client, present) {
        Ok(signed_in) => signed_in,
        Err(refusal) => return Err(refuse(app, visit, &way, &refusal).await),
    };
    way.session_state = session_state::of(app, waiting, signed_in);
    if let Some(signed_in) = signed_in {
        offer = offered_to(app, visit, &way, offer, &signed_in.user).await?;
    }
    let login = signed_in.map(|signed_in| prompt::SignedIn {
        auth_time: signed_in.login.auth_time,
        for_this_request: signed_in.for_interaction.as_deref() == Some(interaction),
    });
    let consent = match signed_in {
        Some(signed_in) => approved(app, visit, waiting, &offer, signed_in).await?.0,
        None => Approved::No,
    };
    let elsewhere = offer.authority.resources.iter().any(|resource| *resource != offer.registry.itself);
    let acr = request.acr_for(&offer.client, elsewhere);
    let context = acr::standing(&acr.values, signed_in.map(|signed_in| &signed_in.login));
    let state = SessionState { login, account_chosen, context, consent };
    let max_age = request.max_age_for(&offer.client);
    let asked = Asked { prompt: request.prompt, max_age, acr_necessary: acr.necessary };
    match prompt::next(&state, &asked, visit.now) {
        Next::Refuse(reason) => Err(refuse(app, visit, &way, &reason.into()).await),
        next => Ok((next, offer)),
    }
}

/// What of an offer this user may grant, or why nothing.
async fn offered_to(
    app: &App,
    visit: &Visit,
    way: &WayBack,
    offer: Offer,
    user: &UserId,
) -> Result<Offer, Stop> {
    match offer.for_user(app, user).await {
        Ok(offer) => Ok(offer),
        Err(Failure::Refused(refusal)) => Err(refuse(app, visit, way, &refusal).await),
        Err(Failure::Broken(broken)) => Err(Stop::Broken(broken)),
    }
}

async fn refuse(app: &App, visit: &Visit, way: &WayBack, refusal: &Refusal) -> Stop {
    let told = event(Action::AuthorizationRequest, visit, &way.client.id).refused(refusal);
    match app.tell_of_stranger(visit, told).await {
        Ok(()) => way.stop(app, visit, refusal).await,
        Err(failure) => failure.into(),
    }
}

/// Who is signed in, unless the client named somebody else, by `id_token_hint` or by a `sub` in `claims`: then nobody
/// is (OpenID Connect Core §3.1.2.1, §5.5.1). Whoever signs in for this very request and still is not the one, is not
/// asked a second time. A hint that this server did not sign is no hint; one that is over still is.
fn rightful<'a>(app: &App, client: &Client, present: &Present<'a>) -> Result<Option<&'a SignedIn>, Refusal> {
    let request = &present.waiting.request;
    let hinted = request.id_token_hint.as_deref().map(|hint| hinted(app, hint)).transpose()?;
    let Some(signed_in) = present.signed_in else { return Ok(None) };
    let subject = app.subject_for(client, &signed_in.user);
    if hinted.is_none_or(|hinted| hinted == subject) && request.takes_subject(&subject) {
        return Ok(Some(signed_in));
    }
    match signed_in.for_interaction.as_deref() == Some(present.interaction) {
        true => Err(Refusal::new(ErrorCode::LoginRequired, "another user signed in than the client named")),
        false => Ok(None),
    }
}

/// The `sub` of an ID token of ours. What else we sign with this `typ` has no `sub`, or no `exp`.
fn hinted(app: &App, hint: &str) -> Result<String, Refusal> {
    let none = || Refusal::new(ErrorCode::InvalidRequest, "id_token_hint is not an ID token of this server");
    let claims = app.keys.verify_own(hint, "JWT").map_err(|_| none())?;
    let sub = claims.get("sub").and_then(serde_json::Value::as_str).ok_or_else(none)?;
    if claims.contains_key("exp") { Ok(sub.to_owned()) } else { Err(none()) }
}

/// A waiting request, judged anew for the user who answers it.
pub(super) async fn story_of(
    app: &App,
    visit: &Visit,
    waiting: &Waiting,
    signed_in: &SignedIn,
) -> Result<Story, Stop> {
    let Story { offer, mut way } = story(app, visit, waiting).await?;
    way.session_state = session_state::of(app, waiting, Some(signed_in));
    let offer = offered_to(app, visit, &way, offer, &signed_in.user).await?;
    Ok(Story { offer, way })
}

pub(super) async fn story(app: &App, visit: &Visit, waiting: &Waiting) -> Result<Story, Stop> {
    let unknown = || Stop::Page(Refusal::new(ErrorCode::InvalidRequest, "client_id is missing or unknown"));
    let client = app.store.find_client(&waiting.client).await.map_err(Failure::from)?;
    let client = client.filter(|client| client.is_live(visit.now)).ok_or_else(unknown)?;
    let address = prove(&client.redirect_uris, &waiting.return_address).map_err(Failure::from)?;
    let mode = waiting.request.answered_in(&client);
    let state = waiting.request.state.clone();
    let way = WayBack { client: Arc::clone(&client), address, mode, state, session_state: None };
    match offer(app, &client, &waiting.request, visit.now).await {
        Ok(offer) => Ok(Story { offer, way }),
        Err(Failure::Refused(refusal)) => Err(way.stop(app, visit, &refusal).await),
        Err(Failure::Broken(broken)) => Err(Stop::Broken(broken)),
    }
}

/// Whether the user approved all of this before. What an agent may do is looked at each time; and a public client
/// on the user's machine could be anybody (RFC 6749 §10.2, RFC 8252 §8.6).
pub(super) async fn approved(
    app: &App,
    visit: &Visit,
    waiting: &Waiting,
    offer: &Offer,
    signed_in: &SignedIn,
) -> Result<(Approved, Option<Arc<Consent>>), Stop> {
    if offer.actor.agent().is_some() || offer.actor.id != offer.client.id {
        return Ok((Approved::No, None));
    }
    // A consent of its own, and one that is to take the place of another, is not there yet.
    if matches!(waiting.request.grant_management, Some(GrantAction::Create | GrantAction::Replace(_))) {
        return Ok((Approved::No, None));
    }
    let consents =
        app.store.consents_for(&signed_in.user, &offer.actor.id, Some(&offer.client.id), visit.now).await;
    let consents = consents.map_err(Failure::from)?;
    let types = &offer.registry.types;
    let onto = offer.becomes.standing().map(|standing| &standing.id);
    let covers = |consent: &Consent| {
        // What somebody else brought, the user never saw: it holds for what it was brought with.
        if consent.brought_by.is_some() {
            return false;
        }
        if onto.is_some_and(|onto| *onto != consent.id) {
            return false;
        }
        // What was allowed under another version of its type was allowed in other words.
        let (asked, given) = (types.versions(&offer.authority.details), consent.versions());
        if asked.iter().any(|(name, version)| given.get(name).is_some_and(|given| given != version)) {
            return false;
        }
        let asked = Authority { until: consent.authority.until, ..offer.authority.clone() };
        let claims = offer.claims.iter().all(|name| consent.covers_claim(name));
        claims && asked.is_within(&consent.authority, types)
    };
    let Some(consent) = consents.into_iter().find(covers) else { return Ok((Approved::No, None)) };
    let sure_of_client = !offer.client.is_public() || waiting.return_address.starts_with("https://");
    let approved = if sure_of_client { Approved::Before } else { Approved::AskAgain };
    Ok((approved, Some(Arc::new(consent))))
}

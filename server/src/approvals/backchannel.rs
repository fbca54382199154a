//! The backchannel authentication request (Client-Initiated Backchannel Authentication §7): a client asks for the word
//! of a user who is elsewhere.

use std::sync::Arc;

use protocol::audit::{Action, AuditEvent};
use protocol::backchannel::{BackchannelRequest, Expected, SignedRequest, check_alone};
use protocol::client::{Client, DeliveryMode, GrantType};
use protocol::deferred::{Deferred, Polling, Way};
use protocol::grant_management::GrantManagementRefused;
use protocol::identifier::UserId;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::params::Params;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::user::User;
use protocol::webhook::{About, Event};

use super::deliver::Delivery;
use super::{Letter, News, asked_user, event_of, keep, mail, refuse, tell_of, user_code, wanted};
use crate::app::{App, Visit};
use crate::authorization::{self, Offer};
use crate::caller::Caller;
use crate::failure::{Broken, Failure};
use crate::jose;
use crate::secret::{Secret, SecretDigest, random_id};
use crate::store::{Change, CommitError, Conflict, DeferredRequest, Record, ReplayKey};

/// The longest that a signed request lives where the client's profile says nothing.
const SIGNED_LIFE: Seconds = Seconds::minutes(60);

/// What the client is told (CIBA §7.3).
pub struct BackchannelAsked {
    /// `auth_req_id`.
    pub auth_req_id: Secret,
    /// `expires_in`.
    pub expires_in: Seconds,
    /// `interval`; none in push mode.
    pub interval: Option<Seconds>,
}

/// A request that is in order, and whom it is asked of.
struct Checked {
    request: BackchannelRequest,
    user: UserId,
    /// The same, if they are known.
    known: Option<Arc<User>>,
    offer: Offer,
}

/// A signed request's `jti`, seen once.
struct Seen {
    key: ReplayKey,
    until: NumericDate,
}

/// Takes in a request. Its user is told of it by `letter`, if mail is sent at all.
///
/// # Errors
/// What cannot be asked for, told to the audit log.
pub async fn ask_user(
    app: &Arc<App>,
    visit: &Visit,
    caller: &Caller,
    params: &Params,
    letter: &Letter,
) -> Result<BackchannelAsked, Failure> {
    let mut told = event_of(Action::AuthorizationBackchannel, visit, caller);
    let checked = check(app, visit, caller, params, &mut told).await;
    let Checked { request, user, known, offer } = match checked {
        Ok(checked) => checked,
        Err(Failure::Refused(refusal)) => return Err(refuse(app, caller, &told, refusal).await),
        Err(broken) => return Err(broken),
    };
    let auth_req_id = Secret::generate(app.entropy.as_ref(), "car_");
    let settings = &app.settings.ciba;
    let expires_in = request
        .requested_expiry
        .map_or(settings.request_life, |asked| asked.min(settings.longest_request_life));
    let mode = caller.client.delivery_mode();
    let token = request.client_notification_token.as_ref().filter(|_| mode != DeliveryMode::Poll);
    let id = random_id(app.entropy.as_ref(), "req_");
    let link = app.url(&format!("/approvals/{id}"));
    let binding_message = request.binding_message.clone();
    let expires_at = visit.now.plus(expires_in);
    // Of somebody who is not known, or not asked, there is nothing to tell.
    let event = known.as_ref().map(|known| {
        Event::requested(About::backchannel(&id, &caller.client.id, &known.id), &link, expires_at)
    });
    let event = event
        .iter()
        .flat_map(|event| app.webhooks.to_tell(event, app.issuer(), app.entropy.as_ref(), visit.now));
    let change = event.fold(Change::new(told), Change::keep);
    let record = DeferredRequest {
        digest: auth_req_id.digest(),
        id,
        user: Some(user),
        user_code: None,
        polling: Polling { interval: settings.interval, polled_at: None, expires_at },
        answered: false,
        delivery: token
            .map(|token| Delivery::new(&auth_req_id, token.reveal()).seal(app, &auth_req_id.digest()))
            .transpose()?,
        request: Deferred {
            client: caller.client.id.clone(),
            instance: caller.instance.clone(),
            asked: request.asked,
            way: Way::Backchannel { binding_message: request.binding_message, delivery: mode },
            dpop_jkt: caller.key.clone(),
            certificate: caller.certificate.clone(),
            asked_at: visit.now,
        },
    };
    keep(app, caller, change, Record::Deferred(record)).await?;
    if let Some(user) = known {
        mail::begin(app, News { user, offer, binding_message, link }, letter);
    }
    let interval = (mode != DeliveryMode::Push).then_some(settings.interval);
    Ok(BackchannelAsked { auth_req_id, expires_in, interval })
}

async fn check(
    app: &App,
    visit: &Visit,
    caller: &Caller,
    params: &Params,
    told: &mut AuditEvent,
) -> Result<Checked, Failure> {
    let client = &caller.client;
    if client.is_public() || !client.grant_types.contains(&GrantType::Ciba) {
        let description = "this client is not registered for backchannel authentication";
        return Err(Refusal::new(ErrorCode::UnauthorizedClient, description).into());
    }
    let expected = Expected {
        client: &client.id,
        issuer: app.issuer(),
        life: client.profile.rules().request_object_life.unwrap_or(SIGNED_LIFE),
        now: visit.now,
    };
    let request = match signed(app, client, params, expected).await? {
        Some((signed, seen)) => {
            // The request counts once, also where it is refused for something else afterwards.
            first_time(app, visit, &seen).await?;
            BackchannelRequest::parse(&signed)?
        }
        None => BackchannelRequest::parse(params)?,
    };
    tell_of(told, &request.asked);
    request.check_for(client)?;
    let offer = authorization::offer_of(app, client, wanted(&request.asked), visit.now).await?;
    let mut found = asked_user::find(app, client, &request.hint, expected).await?;
    if let Some(standing) = offer.becomes.standing() {
        // Somebody who is not known is not its owner either: the answer must not tell them apart.
        let owner = found.as_ref().filter(|user| user.id == standing.user);
        owner.ok_or(GrantManagementRefused::NotOwner)?;
    }
    if let Some(user) = &found {
        told.user = Some(user.id.clone());
        if !user_code::check(app, client, &user.id, request.user_code.as_ref()).await? {
            told.reason = Some("the user is not asked: they set a code, and this client sends none".into());
            found = None;
        }
    }
    let user = match &found {
        Some(user) => user.id.clone(),
        None if app.settings.ciba.tell_unknown_users => {
            return Err(Refusal::new(ErrorCode::UnknownUserId, "nobody is known by this hint").into());
        }
        None => nobody(&request)?,
    };
    let waiting = app.store.count_waiting_for_user(&user, visit.now).await?;
    if waiting >= u64::from(app.settings.ciba.most_waiting_per_user.get()) {
        let description = "too many requests wait for this user already";
        return Err(Refusal::new(ErrorCode::AccessDenied, description).into());
    }
    Ok(Checked { request, user, known: found, offer })
}

/// The parameters of a signed request, if it is one. It must be where the client registered an algorithm for it, or
/// its profile demands it.
async fn signed(
    app: &App,
    client: &Client,
    params: &Params,
    expected: Expected<'_>,
) -> Result<Option<(Params, Seen)>, Failure> {
    let refused = |description| Refusal::new(ErrorCode::InvalidRequest, description);
    if params.once("request_uri")?.is_some() {
        return Err(refused("request_uri is not supported here; send request").into());
    }
    let rules = client.profile.rules();
    let registered = client.metadata.backchannel_authentication_request_signing_alg;
    let Some(jwt) = params.once("request")? else {
        let needed = rules.signed_requests || registered.is_some();
        return if needed { Err(refused("this client must sign its requests").into()) } else { Ok(None) };
    };
    check_alone(params)?;
    let unfit = || refused("request is not a JWT that this client signed with an algorithm it may use");
    let unverified = jose::decode(jwt).map_err(|_| unfit())?;
    let alg = unverified.alg().map_err(|_| unfit())?;
    if !rules.signing_algs.contains(&alg) || registered.is_some_and(|only| only != alg) {
        return Err(unfit().into());
    }
    let claims = app.verify_of(client, jwt, unverified.kid(), alg, expected.now).await;
    let claims = claims.map_err(|_| unfit())?;
    let signed = SignedRequest::check(&unverified.header, &claims, expected)?;
    let key = ReplayKey::new("backchannel_request", &[client.id.as_str(), &signed.jti]);
    Ok(Some((signed.params, Seen { key, until: signed.expires_at })))
}

async fn first_time(app: &App, visit: &Visit, seen: &Seen) -> Result<(), Failure> {
    match app.store.commit(Change::housekeeping(visit.now).first_time(seen.key, seen.until)).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(Conflict::Replayed(_))) => {
            let description = "this request was sent before; make a new one with another jti";
            Err(Refusal::new(ErrorCode::InvalidRequest, description).into())
        }
        Err(CommitError::Conflict(_)) => Err(Broken::Inconsistent("a mark that could not be written").into()),
    }
}

/// Whom a hint names that names nobody: somebody who never answers, and for whom as much may wait as for others.
fn nobody(request: &BackchannelRequest) -> Result<UserId, Failure> {
    let digest = SecretDigest::of(&format!("{:?}", request.hint)).to_text();
    format!("nobody_{digest}").parse().map_err(|_| Broken::Other("a digest is no identifier").into())
}

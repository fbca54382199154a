//! Pushed authorization requests (RFC 9126).

use protocol::audit::Action;
use protocol::authorization_request::AuthorizationRequest;
use protocol::identifier::{InstanceId, Jkt};
use protocol::numeric_date::Seconds;
use protocol::params::Params;
use protocol::presented::CREDENTIAL_PARAMETERS;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::request_object::{self, PUSHED};
use serde_json::Value;

use super::begin::return_address;
use super::resolve::{self, Kept};
use super::{event, offer};
use crate::app::{App, Visit};
use crate::caller::Caller;
use crate::failure::{Broken, Failure};
use crate::secret::Secret;
use crate::store::{Change, CommitError, Record};

/// A request that was pushed.
pub struct Pushed {
    /// `request_uri`.
    pub request_uri: Secret,
    /// `expires_in`.
    pub expires_in: Seconds,
}

/// Keeps the request for the user's browser to come with its reference.
///
/// # Errors
/// Whatever would be wrong with it at the authorization endpoint, so far as it can be seen already.
pub async fn push(app: &App, visit: &Visit, caller: &Caller, params: &Params) -> Result<Pushed, Failure> {
    let mut told = event(Action::AuthorizationPush, visit, &caller.client.id);
    let checked = check(app, visit, caller, params).await;
    let kept = match checked {
        Ok((request, kept)) => {
            told.scope.clone_from(&request.scope);
            told.authorization_details = request.authorization_details.clone().unwrap_or_default();
            told.resources = request.resources.iter().cloned().collect();
            told.actor = request.requested_actor;
            keep(&kept, request.dpop_jkt, caller.instance.clone())?
        }
        Err(Failure::Refused(refusal)) => {
            let change = caller.mark(Change::new(told.clone().refused(&refusal)));
            if let Err(CommitError::Broken(error)) = app.store.commit(change).await {
                return Err(error.into());
            }
            return Err(refusal.into());
        }
        Err(broken) => return Err(broken),
    };
    let reference = Secret::generate(app.entropy.as_ref(), PUSHED);
    let longest = caller.client.profile.rules().pushed_request_life;
    let expires_in = longest.into_iter().fold(app.settings.pushed_request_life, Seconds::min);
    let record = Record::PushedRequest {
        digest: reference.digest(),
        client: caller.client.id.clone(),
        instance: caller.as_instance(),
        document: kept,
        expires_at: visit.now.plus(expires_in),
    };
    match app.store.commit(caller.still_acts(caller.mark(Change::new(told))).keep(record)).await {
        Ok(_) => Ok(Pushed { request_uri: reference, expires_in }),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(conflict)) => {
            match caller.replayed(&conflict).or_else(|| caller.stopped(&conflict)) {
                Some(refusal) => Err(refusal.into()),
                None => Err(Broken::Inconsistent("a pushed request that could not be kept").into()),
            }
        }
    }
}

async fn check(
    app: &App,
    visit: &Visit,
    caller: &Caller,
    sent: &Params,
) -> Result<(AuthorizationRequest, Kept), Failure> {
    let client = &caller.client;
    if sent.once("client_id")?.is_some_and(|id| id != client.id.as_str()) {
        return Err(
            Refusal::new(ErrorCode::InvalidRequest, "client_id is not the authenticated client").into()
        );
    }
    let kept = resolve::pushed(app, visit, client, sent).await?;
    request_object::check_signed(client, kept.signed)?;
    return_address(client, &kept.params)?;
    let mut request = AuthorizationRequest::parse(&kept.params)?;
    request.dpop_jkt = bound(request.dpop_jkt, caller.key.clone())?;
    offer(app, client, &request, visit.now).await?;
    Ok((request, kept))
}

/// `dpop_jkt` and the key of a `DPoP` header are the same thing said twice (RFC 9449 §10.1).
fn bound(named: Option<Jkt>, proven: Option<Jkt>) -> Result<Option<Jkt>, Refusal> {
    match (named, proven) {
        (Some(named), Some(proven)) if named != proven => {
            Err(Refusal::new(ErrorCode::InvalidRequest, "dpop_jkt is not the key of the DPoP proof"))
        }
        (named, proven) => Ok(proven.or(named)),
    }
}

/// What is kept: everything but the credentials, the key, however it was named, and who pushed it.
fn keep(kept: &Kept, jkt: Option<Jkt>, instance: Option<InstanceId>) -> Result<Value, Failure> {
    let mut pairs: Vec<(String, String)> =
        kept.params.without(&CREDENTIAL_PARAMETERS).without(&["dpop_jkt"]).into();
    pairs.extend(jkt.map(|jkt| ("dpop_jkt".to_owned(), jkt.to_string())));
    let kept = Kept { params: Params::try_from(pairs)?, signed: kept.signed, instance };
    serde_json::to_value(kept).map_err(|_| Broken::Other("parameters are text").into())
}

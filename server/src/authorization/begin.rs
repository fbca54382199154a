//! An authorization request arrives.

use std::sync::Arc;

use protocol::audit::Action;
use protocol::authorization_request::{self, AuthorizationRequest};
use protocol::client::Client;
use protocol::identifier::ClientId;
use protocol::params::Params;
use protocol::redirect_uri::{self, ReturnAddress};
use protocol::refusal::{ErrorCode, Refusal};

use super::{REQUEST_URI_PREFIX, Stop, WAITING_LIFE, Waiting, event, offer, refuse};
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::registration;
use crate::secret::{SecretDigest, random_id};
use crate::store::{Change, CommitError, Record};

/// A request that now waits for its user.
pub struct Begun {
    /// Its id, for the pages that follow.
    pub interaction: String,
    /// The request.
    pub waiting: Waiting,
}

/// Takes a request in and keeps it until the user has answered. `browser` ties it to the browser it came from.
///
/// # Errors
/// [`Stop`]: a page for what is wrong with client or return address, a redirect for the rest.
pub async fn begin(app: &App, visit: &Visit, params: &Params, browser: &str) -> Result<Begun, Stop> {
    let client = find_client(app, visit, params).await?;
    let (params, pushed) = resolve(app, visit, &client, params).await?;
    let address = params.once("redirect_uri").map_err(Failure::from)?;
    let address = match redirect_uri::find(&client.redirect_uris, address) {
        Ok(address) => address,
        Err(reason) => {
            let refusal = Refusal::from(reason);
            let told = event(Action::AuthorizationRequest, visit, &client.id).refused(&refusal);
            app.tell_of_stranger(visit, told).await?;
            return Err(Stop::Page(refusal));
        }
    };
    let state = authorization_request::state(&params).map(str::to_owned);
    match check(app, visit, &client, &params, pushed.is_some()).await {
        Ok(request) => wait(app, visit, &client, &address, request, pushed, browser).await,
        Err(Checked::Page(refusal)) => Err(Stop::Page(refusal)),
        Err(Checked::Failure(Failure::Broken(broken))) => Err(Stop::Broken(broken)),
        Err(Checked::Failure(Failure::Refused(refusal))) => {
            let told = event(Action::AuthorizationRequest, visit, &client.id).refused(&refusal);
            app.tell_of_stranger(visit, told).await?;
            Err(refuse(app, &address, state.as_deref(), &refusal))
        }
    }
}

async fn find_client(app: &App, visit: &Visit, params: &Params) -> Result<Arc<Client>, Stop> {
    let unknown = || Stop::Page(Refusal::new(ErrorCode::InvalidRequest, "client_id is missing or unknown"));
    let id = params.once("client_id").map_err(Failure::from)?.ok_or_else(unknown)?;
    let id: ClientId = id.parse().map_err(|_| unknown())?;
    let found = registration::find_client(app, visit, &id).await?;
    found.filter(|client| client.is_live(visit.now)).ok_or_else(unknown)
}

/// The parameters that count: those that were pushed, and then no others (RFC 9126 §4), or those that came.
async fn resolve(
    app: &App,
    visit: &Visit,
    client: &Client,
    params: &Params,
) -> Result<(Params, Option<String>), Stop> {
    let Some(reference) = params.once("request_uri").map_err(Failure::from)? else {
        return Ok((params.clone(), None));
    };
    if !reference.starts_with(REQUEST_URI_PREFIX) {
        let description = "request_uri must be one that this server gave out";
        return Err(Stop::Page(Refusal::new(ErrorCode::RequestUriNotSupported, description)));
    }
    let gone = || {
        Stop::Page(Refusal::new(ErrorCode::InvalidRequestUri, "request_uri is not valid, or not any more"))
    };
    let digest = SecretDigest::of(reference);
    let found = app.store.find_pushed_request(&digest, visit.now).await.map_err(Failure::from)?;
    let pushed = found.filter(|pushed| pushed.client == client.id).ok_or_else(gone)?;
    let kept = serde_json::from_value(pushed.document);
    let kept =
        kept.map_err(|_| Stop::Broken(Broken::Inconsistent("a pushed request that does not read back")))?;
    Ok((kept, Some(digest.to_text())))
}

enum Checked {
    /// The user is told, since how to tell the client is not known.
    Page(Refusal),
    Failure(Failure),
}

impl<F: Into<Failure>> From<F> for Checked {
    fn from(failure: F) -> Self {
        Self::Failure(failure.into())
    }
}

async fn check(
    app: &App,
    visit: &Visit,
    client: &Arc<Client>,
    params: &Params,
    pushed: bool,
) -> Result<AuthorizationRequest, Checked> {
    let request = AuthorizationRequest::parse(params).map_err(|reason| {
        let may_redirect = reason.may_redirect();
        let refusal = Refusal::from(reason);
        if may_redirect { Checked::Failure(refusal.into()) } else { Checked::Page(refusal) }
    })?;
    if client.require_pushed_authorization_requests && !pushed {
        let description = "this client must push its authorization requests (RFC 9126)";
        return Err(Refusal::new(ErrorCode::InvalidRequest, description).into());
    }
    offer(app, client, &request, visit.now).await?;
    Ok(request)
}

async fn wait(
    app: &App,
    visit: &Visit,
    client: &Client,
    address: &ReturnAddress,
    request: AuthorizationRequest,
    pushed: Option<String>,
    browser: &str,
) -> Result<Begun, Stop> {
    let waiting = Waiting {
        client: client.id.clone(),
        return_address: address.as_str().to_owned(),
        request,
        asked_at: visit.now,
        pushed,
        browser: browser.to_owned(),
    };
    let interaction = random_id(app.entropy.as_ref(), "int_");
    let document =
        serde_json::to_value(&waiting).map_err(|_| Stop::Broken(Broken::Other("a request is JSON")))?;
    let record =
        Record::Interaction { id: interaction.clone(), document, expires_at: visit.now.plus(WAITING_LIFE) };
    match app.store.commit(Change::housekeeping(visit.now).keep(record)).await {
        Ok(_) => Ok(Begun { interaction, waiting }),
        Err(CommitError::Broken(error)) => Err(Stop::Broken(error.into())),
        Err(CommitError::Conflict(_)) => Err(Stop::Broken(Broken::Inconsistent("an interaction id twice"))),
    }
}

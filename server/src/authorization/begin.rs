//! An authorization request arrives.

use std::sync::Arc;

use protocol::audit::Action;
use protocol::authorization_request::{self, AuthorizationRequest};
use protocol::client::Client;
use protocol::identifier::{ClientId, InstanceId};
use protocol::params::Params;
use protocol::redirect_uri::{self, RedirectUriRefused, ReturnAddress};
use protocol::refusal::{ErrorCode, Refusal};
use protocol::request_object;
use protocol::response_mode::ResponseMode;

use super::answer::WayBack;
use super::resolve::{self, Resolved, Unresolved};
use super::{Stop, WAITING_LIFE, Waiting, event, offer};
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::registration;
use crate::secret::random_id;
use crate::store::{Change, CommitError, Record};

/// A request that now waits for its user.
pub struct Begun {
    /// Its id, for the pages that follow.
    pub interaction: String,
    /// The request.
    pub waiting: Waiting,
}

/// What is known of a request that was pushed; nothing of any other.
struct Pushed {
    digest: Option<String>,
    instance: Option<InstanceId>,
}

/// Takes a request in and keeps it until the user has answered. `browser` ties it to the browser it came from.
///
/// # Errors
/// [`Stop`]: a page for what is wrong with client, return address or the way to answer; the rest is answered there.
pub async fn begin(app: &App, visit: &Visit, params: &Params, browser: &str) -> Result<Begun, Stop> {
    let client = find_client(app, visit, params).await?;
    let (params, resolved) = match resolve::asked(app, visit, &client, params).await {
        Ok(resolved) => (resolved.params.clone(), Ok(resolved)),
        Err(Unresolved::Tell(params, refusal)) => (params, Err(refusal)),
        Err(Unresolved::Page(refusal)) => return Err(page(app, visit, &client, refusal).await),
        Err(Unresolved::Broken(broken)) => return Err(Stop::Broken(broken)),
    };
    let way = match way_back(&client, &params) {
        Ok(way) => way,
        Err(refusal) => return Err(page(app, visit, &client, refusal).await),
    };
    let checked = match resolved {
        Ok(resolved) => {
            let checked = check(app, visit, &client, &resolved).await;
            checked.map(|request| (request, Pushed { digest: resolved.pushed, instance: resolved.instance }))
        }
        Err(refusal) => Err(Failure::Refused(refusal)),
    };
    match checked {
        Ok((request, pushed)) => wait(app, visit, &way, request, pushed, browser).await,
        Err(Failure::Broken(broken)) => Err(Stop::Broken(broken)),
        Err(Failure::Refused(refusal)) => {
            let told = event(Action::AuthorizationRequest, visit, &client.id).refused(&refusal);
            app.tell_of_stranger(visit, told).await?;
            Err(way.stop(app, visit, &refusal).await)
        }
    }
}

/// Shown to the user, and told to the audit log.
async fn page(app: &App, visit: &Visit, client: &Client, refusal: Refusal) -> Stop {
    let told = event(Action::AuthorizationRequest, visit, &client.id).refused(&refusal);
    match app.tell_of_stranger(visit, told).await {
        Ok(()) => Stop::Page(refusal),
        Err(failure) => failure.into(),
    }
}

async fn find_client(app: &App, visit: &Visit, params: &Params) -> Result<Arc<Client>, Stop> {
    let unknown = || Stop::Page(Refusal::new(ErrorCode::InvalidRequest, "client_id is missing or unknown"));
    let id = params.once("client_id").map_err(Failure::from)?.ok_or_else(unknown)?;
    let id: ClientId = id.parse().map_err(|_| unknown())?;
    let found = registration::find_client(app, visit, &id).await?;
    found.filter(|client| client.is_live(visit.now)).ok_or_else(unknown)
}

/// Where a request of `client` is answered, and how. What is wrong here is shown to the user.
fn way_back(client: &Arc<Client>, params: &Params) -> Result<WayBack, Refusal> {
    let address = return_address(client, params)?;
    let mode = client.response_mode(ResponseMode::find(params)?);
    let state = authorization_request::state(params).map(str::to_owned);
    Ok(WayBack { client: Arc::clone(client), address, mode, state, session_state: None })
}

/// The return address that a request names, or need not name.
pub(super) fn return_address(client: &Client, params: &Params) -> Result<ReturnAddress, Refusal> {
    let named = params.once("redirect_uri")?;
    if named.is_none() && client.profile.rules().redirect_uri_required {
        return Err(RedirectUriRefused::Missing.into());
    }
    Ok(redirect_uri::find(&client.redirect_uris, named)?)
}

async fn check(
    app: &App,
    visit: &Visit,
    client: &Arc<Client>,
    resolved: &Resolved,
) -> Result<AuthorizationRequest, Failure> {
    let request = AuthorizationRequest::parse(&resolved.params)?;
    if resolved.pushed.is_none() {
        request.check_unpushed(client)?;
    }
    request_object::check_signed(client, resolved.signed)?;
    offer(app, client, &request, visit.now).await?;
    Ok(request)
}

async fn wait(
    app: &App,
    visit: &Visit,
    way: &WayBack,
    request: AuthorizationRequest,
    pushed: Pushed,
    browser: &str,
) -> Result<Begun, Stop> {
    let waiting = Waiting {
        client: way.client.id.clone(),
        return_address: way.address.as_str().to_owned(),
        request,
        asked_at: visit.now,
        pushed: pushed.digest,
        instance: pushed.instance,
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

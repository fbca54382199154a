//! `POST /introspect` (RFC 7662).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::introspection::{self, Asker};
use protocol::metadata::INTROSPECT;
use protocol::refusal::{ErrorCode, Refusal};
use serde_json::{Map, Value};

use super::reply;
use super::sent::Sent;
use crate::app::App;
use crate::caller::{self, Caller};
use crate::failure::Failure;
use crate::store::{Change, CommitError};
use crate::tokens;

/// Tells a resource server, or a client about its own tokens, whether a token is alive and what it permits.
pub async fn post(State(app): State<Arc<App>>, sent: Sent) -> Response {
    match answer(&app, &sent).await {
        Ok(claims) => reply::json(StatusCode::OK, Value::Object(claims)),
        Err(failure) => reply::failure(&app, &sent.visit, failure, false),
    }
}

async fn answer(app: &App, sent: &Sent) -> Result<Map<String, Value>, Failure> {
    let url = app.url(INTROSPECT);
    let caller = caller::identify(app, &sent.visit, &sent.headers.presentation(&url), &sent.params).await?;
    if caller.client.is_public() {
        return Err(
            Refusal::new(ErrorCode::InvalidClient, "introspection needs client authentication").into()
        );
    }
    use_up(app, sent, &caller).await?;
    let token = sent.params.once("token")?;
    let token = token.ok_or_else(|| Refusal::new(ErrorCode::InvalidRequest, "token is required"))?;
    let Some(alive) = tokens::read_alive_of_any_kind(app, token, sent.visit.now).await? else {
        return Ok(introspection::inactive());
    };
    let registry = app.registry().await?;
    let own = caller.client.resource_server.as_ref().and_then(|own| registry.resource_servers.get(own));
    let as_server =
        own.map(|server| introspection::answer(&alive, app.issuer(), Asker::ResourceServer(server)));
    let as_client = || {
        let mut answer = introspection::answer(&alive, app.issuer(), Asker::Client(&caller.client.id));
        // A client knows its users by its own names for them (OpenID Connect Core §8).
        if let Some((sub, user)) = answer.get_mut("sub").zip(alive.subject.user()) {
            *sub = app.subject_for(&caller.client, user).into();
        }
        answer
    };
    Ok(as_server.filter(|answer| *answer != introspection::inactive()).unwrap_or_else(as_client))
}

/// What the caller showed is not to be shown again. Asking decides nothing, so there is no event.
async fn use_up(app: &App, sent: &Sent, caller: &Caller) -> Result<(), Failure> {
    if !caller.has_marks() {
        return Ok(());
    }
    match app.store.commit(caller.mark(Change::housekeeping(sent.visit.now))).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(conflict)) => {
            let refusal = caller.replayed(&conflict);
            Err(refusal.unwrap_or_else(|| Refusal::new(ErrorCode::InvalidRequest, "try again")).into())
        }
    }
}

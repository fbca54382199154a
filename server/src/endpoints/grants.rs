//! `/grants/{id}`: Grant Management for OAuth 2.0. A client sees and ends the consents that were asked through it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::consent::Consent;
use protocol::identifier::ConsentId;
use protocol::metadata::GRANTS;
use protocol::token::Token;
use serde_json::{Value, json};

use super::protected::{self, Asked};
use super::reply;
use crate::app::{App, Visit};
use crate::approvals;
use crate::failure::Failure;

/// Tells what a consent permits.
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<String>, request: Parts) -> Response {
    match find(&app, &id, &request, "grant_management_query").await {
        Ok((_, _, consent)) => reply::json(StatusCode::OK, shown(&app, &consent)),
        Err(refused) => *refused,
    }
}

/// Ends a consent and everything derived from it.
pub async fn delete(State(app): State<Arc<App>>, Path(id): Path<String>, request: Parts) -> Response {
    let (visit, token, consent) = match find(&app, &id, &request, "grant_management_revoke").await {
        Ok(found) => found,
        Err(refused) => return *refused,
    };
    let mut event = AuditEvent::new(Action::ConsentEnd, Outcome::Granted, visit.now);
    event.client = Some(token.client.clone());
    match approvals::end(&app, &visit, &consent, event).await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(failure) => reply::failure(&app, &visit, failure, false),
    }
}

async fn find(
    app: &App,
    id: &str,
    request: &Parts,
    scope: &str,
) -> Result<(Visit, Arc<Token>, Arc<Consent>), Box<Response>> {
    let visit = protected::visit(&request.extensions)?;
    let url = app.url(&format!("{GRANTS}/{id}"));
    let (headers, method) = (&request.headers, &request.method);
    let token = protected::open(app, &Asked { visit: &visit, headers, method, url: &url, scope }).await?;
    let nowhere = || Box::new(reply::json(StatusCode::NOT_FOUND, json!({ "error": "invalid_grant_id" })));
    let id: ConsentId = id.parse().map_err(|_| nowhere())?;
    let found = app.store.find_consent(&id).await;
    let found = found.map_err(|error| Box::new(reply::failure(app, &visit, Failure::from(error), false)))?;
    // Whose consent it is, is nobody else's business: another client's is as one that is not there.
    let own = |consent: &Arc<Consent>| consent.client == token.client && token.subject.user().is_none();
    let consent = found.filter(own).ok_or_else(nowhere)?;
    if consent.is_live(visit.now) { Ok((visit, token, consent)) } else { Err(nowhere()) }
}

fn shown(app: &App, consent: &Consent) -> Value {
    let own = |resource: &&protocol::audience::ResourceIndicator| **resource != app.itself;
    let resources: Vec<&str> = consent.authority.resources.iter().filter(own).map(|r| r.as_str()).collect();
    let mut scopes = json!({ "scope": consent.authority.scope });
    if !resources.is_empty() {
        scopes["resource"] = resources.into();
    }
    let mut answer = json!({ "scopes": [scopes], "expires_at": consent.authority.until.to_rfc3339() });
    if !consent.claims.is_empty() {
        answer["claims"] = json!(consent.claims);
    }
    if let Some(details) = consent.authority.details.to_claim() {
        answer["authorization_details"] = details;
    }
    answer
}

//! `POST /global-token-revocation` (Global Token Revocation): whoever is entitled says that nothing of a user's is to go
//! on. An upstream shows a JWT that it signed and speaks of its own users; a program of the operator shows a token for
//! the admin API.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use protocol::admin_api::AdminScope;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::credentials::Credentials;
use protocol::federation::revocation::{self, Subject};
use protocol::metadata::GLOBAL_TOKEN_REVOCATION;
use protocol::refusal::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::admin_api::{Call, split};
use super::sent::Headers;
use super::{protected, reply};
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::federation::{Entitled, Revoked, prove, revoke};
use crate::jose;

/// Ends everything of the subject: 204; 404 and 422 only to those who are entitled to know.
pub async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = match split(&app, request).await {
        Ok(split) => split,
        Err(response) => return *response,
    };
    let visit = match protected::visit(&parts.extensions) {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let Some(jwt) = signed_by_upstream(&parts) else {
        let call = match Call::open(&app, &parts, AdminScope::Endings).await {
            Ok(call) => call,
            Err(response) => return *response,
        };
        return answer(&app, &visit, &Entitled::Program(&call.client, &call.token), &body).await;
    };
    match prove(&app, &visit, &jwt, &app.url(GLOBAL_TOKEN_REVOCATION)).await {
        Ok((connection, shown)) => {
            answer(&app, &visit, &Entitled::Upstream(connection.upstream(), shown), &body).await
        }
        Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::TemporarilyUnavailable => {
            reply::unavailable()
        }
        Err(Failure::Refused(refusal)) => {
            let mut event = AuditEvent::new(Action::UserRevoke, Outcome::Refused, visit.now);
            event.request = Some(visit.id.clone());
            match app.tell_of_stranger(&visit, event.refused(&refusal)).await {
                Ok(()) => unauthorized(&refusal),
                Err(failure) => reply::failure(&app, &visit, failure, false),
            }
        }
        Err(failure) => reply::failure(&app, &visit, failure, false),
    }
}

/// The JWT of an upstream, if that is what was sent: any other token is for somebody else to judge.
fn signed_by_upstream(parts: &Parts) -> Option<String> {
    let headers = Headers::read(&parts.headers, &parts.method).ok()?;
    let Credentials::Bearer(token) = Credentials::parse(headers.authorization.as_deref()?).ok()? else {
        return None;
    };
    let text = token.reveal();
    let unverified = jose::decode(text).ok()?;
    let typ = unverified.header.get("typ").and_then(Value::as_str);
    revocation::is_typ(typ).then(|| text.to_owned())
}

async fn answer(app: &App, visit: &Visit, by: &Entitled<'_>, body: &[u8]) -> Response {
    let subject = match Subject::parse(body) {
        Ok(subject) => subject,
        Err(reason) => return reply::failure(app, visit, Refusal::from(reason).into(), false),
    };
    let refused = |status: StatusCode, description: &str| {
        reply::json(status, json!({ "error": "invalid_request", "error_description": description }))
    };
    match revoke(app, visit, by, &subject).await {
        Ok(Revoked::Done) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            reply::forbid_keeping(&mut response);
            response
        }
        Ok(Revoked::Nobody) => refused(StatusCode::NOT_FOUND, "there is no such user"),
        Ok(Revoked::NotTheirs) => {
            let body = json!({ "error": "access_denied", "error_description": "an upstream speaks of its own users" });
            reply::json(StatusCode::FORBIDDEN, body)
        }
        Ok(Revoked::Several) => {
            refused(StatusCode::UNPROCESSABLE_ENTITY, "several users have this address; name one by iss_sub")
        }
        Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::InvalidToken => unauthorized(&refusal),
        Err(failure) => reply::failure(app, visit, failure, false),
    }
}

fn unauthorized(refusal: &Refusal) -> Response {
    let mut response = reply::json(StatusCode::UNAUTHORIZED, reply::error_body(refusal));
    let challenge = HeaderValue::from_static("Bearer realm=\"procura\", error=\"invalid_token\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

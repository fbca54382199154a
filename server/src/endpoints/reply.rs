//! Answers for programs: the one place where a refusal becomes a status, and nothing of ours leaks.

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use protocol::refusal::{ErrorCode, Refusal};
use serde_json::{Value, json};

use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::grants::{Deferred, Reply};
use crate::jose::NoncePurpose;
use crate::store::StoreError;

/// In how many seconds to come again (RFC 9110 §10.2.3).
const COME_AGAIN: HeaderValue = HeaderValue::from_static("5");

/// RFC 9449 §8.
pub const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// A challenge for the proof of a client attestation (OAuth 2.0 Attestation-Based Client Authentication).
pub const ATTESTATION_CHALLENGE: HeaderName = HeaderName::from_static("oauth-client-attestation-challenge");

/// A JSON answer that nobody may keep (RFC 6749 §5.1, RFC 7662 §4).
#[must_use]
pub fn json(status: StatusCode, body: Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    forbid_keeping(&mut response);
    response
}

/// A JWT of this media type that nobody may keep.
#[must_use]
pub fn jwt(media_type: &'static str, jwt: String) -> Response {
    let mut response = ([(header::CONTENT_TYPE, media_type)], jwt).into_response();
    forbid_keeping(&mut response);
    response
}

/// Nobody may keep this answer.
pub fn forbid_keeping(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}

/// The successful token response (RFC 6749 §5.1, RFC 8693 §2.2.1, RFC 9396 §7).
#[must_use]
pub fn token(app: &App, visit: &Visit, reply: &Reply) -> Response {
    let mut response = json(StatusCode::OK, Value::Object(reply.body(visit.now)));
    if reply.token.cnf.as_ref().is_some_and(|cnf| cnf.jkt().is_some()) {
        hand_out_nonce(app, visit, NoncePurpose::AuthorizationServer, &mut response);
    }
    response
}

/// That a person has to approve first (Deferred Token Response §5.4). `proven` says that a DPoP proof was sent.
#[must_use]
pub fn deferred(app: &App, visit: &Visit, deferred: &Deferred, proven: bool) -> Response {
    let mut response = json(StatusCode::BAD_REQUEST, Value::Object(deferred.body()));
    if proven {
        hand_out_nonce(app, visit, NoncePurpose::AuthorizationServer, &mut response);
    }
    response
}

/// Whatever went wrong, for whoever asked. `basic` says that the `Authorization` header was tried.
#[must_use]
pub fn failure(app: &App, visit: &Visit, failure: Failure, basic: bool) -> Response {
    match failure {
        Failure::Refused(reason) => refusal(app, visit, &reason, basic),
        Failure::Broken(reason) => broken(reason),
    }
}

/// A refusal (RFC 6749 §5.2).
#[must_use]
pub fn refusal(app: &App, visit: &Visit, refusal: &Refusal, basic: bool) -> Response {
    let status = match refusal.code {
        ErrorCode::InvalidClient => StatusCode::UNAUTHORIZED,
        // No code of RFC 6749 §5.2, which knows nothing that passes: the status says so (RFC 9110 §15.6.4).
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = json(status, error_body(refusal));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, COME_AGAIN);
    }
    if status == StatusCode::UNAUTHORIZED || basic {
        let challenge = HeaderValue::from_static("Basic realm=\"procura\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    if matches!(refusal.code, ErrorCode::UseDpopNonce | ErrorCode::InvalidDpopProof) {
        hand_out_nonce(app, visit, NoncePurpose::AuthorizationServer, &mut response);
    }
    if refusal.code == ErrorCode::UseAttestationChallenge {
        let challenge = app.nonces.issue(visit.now, NoncePurpose::Attestation, app.entropy.as_ref());
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(ATTESTATION_CHALLENGE, challenge);
        }
    }
    response
}

/// The body of an error; where a login was not enough, with what would be (Identity Assertion JWT Authorization Grant
/// §4.3).
#[must_use]
pub fn error_body(refusal: &Refusal) -> Value {
    let mut body = json!({ "error": refusal.code.as_str(), "error_description": refusal.description });
    if let (Some(login), Some(members)) = (&refusal.login, body.as_object_mut()) {
        members.extend(login.members());
    }
    body
}

/// Something of ours is broken: the operator reads what, the client that it is not its fault.
#[must_use]
pub fn broken(reason: Broken) -> Response {
    tracing::error!(%reason, "a request could not be answered");
    if matches!(reason, Broken::Store(StoreError::Unavailable(_))) {
        return unavailable();
    }
    let body = json!({ "error": "server_error", "error_description": "the server could not answer; try again later" });
    json(StatusCode::INTERNAL_SERVER_ERROR, body)
}

/// The database is away: never a token, and come again (RFC 9110 §15.6.4).
#[must_use]
pub fn unavailable() -> Response {
    let body = json!({ "error": "temporarily_unavailable", "error_description": "try again in a moment" });
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, body);
    response.headers_mut().insert(header::RETRY_AFTER, COME_AGAIN);
    response
}

/// A body that is too large or did not arrive.
#[must_use]
pub fn unreadable_body(rejection: BytesRejection) -> Response {
    let status = rejection.status();
    let body = json!({ "error": "invalid_request", "error_description": "the request body is too large or incomplete" });
    json(status, body)
}

/// Adds a fresh nonce (RFC 9449 §8.2); never a second one.
pub fn hand_out_nonce(app: &App, visit: &Visit, purpose: NoncePurpose, response: &mut Response) {
    if app.settings.dpop.nonce == crate::config::DpopNonce::Off {
        return;
    }
    let nonce = app.nonces.issue(visit.now, purpose, app.entropy.as_ref());
    if let Ok(nonce) = HeaderValue::from_str(&nonce) {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
}

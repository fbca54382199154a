//! `/register`: clients register themselves (RFC 7591) and manage their registration (RFC 7592).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use protocol::credentials::Credentials;
use protocol::metadata::REGISTER;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::registration::echo;
use serde_json::{Value, json};

use super::reply;
use super::sent::visit_of;
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::registration::{self, Given, NotGiven};
use crate::secret::Secret;
use crate::store::RegisteredBy;

/// `POST /register`.
pub async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let (asked, body) = match read_json(&app, request).await {
        Ok(read) => read,
        Err(refused) => return *refused,
    };
    let bearer = asked.bearer.as_ref().map(Secret::reveal);
    match registration::register(&app, &asked.visit, bearer, &body).await {
        Ok(given) => reply::json(StatusCode::CREATED, told(&app, &given)),
        Err(refused) => refuse(&app, &asked.visit, refused),
    }
}

/// `GET /register/{client_id}`.
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<String>, request: Request) -> Response {
    let asked = match Asked::of(&request) {
        Ok(asked) => asked,
        Err(broken) => return *broken,
    };
    let bearer = asked.bearer.as_ref().map(Secret::reveal);
    match registration::read(&app, &asked.visit, &id, bearer).await {
        Ok(given) => reply::json(StatusCode::OK, told(&app, &given)),
        Err(refused) => refuse(&app, &asked.visit, refused),
    }
}

/// `PUT /register/{client_id}`.
pub async fn put(State(app): State<Arc<App>>, Path(id): Path<String>, request: Request) -> Response {
    let (asked, body) = match read_json(&app, request).await {
        Ok(read) => read,
        Err(refused) => return *refused,
    };
    let bearer = asked.bearer.as_ref().map(Secret::reveal);
    match registration::update(&app, &asked.visit, &id, bearer, &body).await {
        Ok(given) => reply::json(StatusCode::OK, told(&app, &given)),
        Err(refused) => refuse(&app, &asked.visit, refused),
    }
}

/// `DELETE /register/{client_id}`.
pub async fn delete(State(app): State<Arc<App>>, Path(id): Path<String>, request: Request) -> Response {
    let asked = match Asked::of(&request) {
        Ok(asked) => asked,
        Err(broken) => return *broken,
    };
    let bearer = asked.bearer.as_ref().map(Secret::reveal);
    match registration::delete(&app, &asked.visit, &id, bearer).await {
        Ok(()) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(refused) => refuse(&app, &asked.visit, refused),
    }
}

/// Who asks.
struct Asked {
    visit: Visit,
    bearer: Option<Secret>,
}

impl Asked {
    fn of(request: &Request) -> Result<Self, Box<Response>> {
        let visit = visit_of(request).map_err(|reason| Box::new(reply::broken(reason)))?;
        Ok(Self { visit, bearer: bearer(request.headers()) })
    }
}

/// The bearer token (RFC 6750 §2.1). What is no bearer token is a token that nobody gave out.
fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let header = headers.get(header::AUTHORIZATION)?;
    let read = header.to_str().ok().and_then(|text| Credentials::parse(text).ok());
    let text = match &read {
        Some(Credentials::Bearer(token)) => token.reveal(),
        _ => "",
    };
    Some(Secret::from_text(text.to_owned()))
}

/// A request with a body of JSON (RFC 7591 §3.1).
async fn read_json(app: &Arc<App>, request: Request) -> Result<(Asked, Bytes), Box<Response>> {
    let asked = Asked::of(&request)?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let refusal = Refusal::new(ErrorCode::InvalidClientMetadata, "send the metadata as application/json");
        let refused = reply::json(StatusCode::UNSUPPORTED_MEDIA_TYPE, reply::error_body(&refusal));
        return Err(Box::new(refused));
    }
    let body = Bytes::from_request(request, app).await;
    let body = body.map_err(|rejection| Box::new(reply::unreadable_body(rejection)))?;
    Ok((asked, body))
}

/// The client information response (RFC 7591 §3.2.1, RFC 7592 §3).
fn told(app: &App, given: &Given) -> Value {
    let mut body = echo(&given.client);
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    put("client_id_issued_at", given.registered.at.0.into());
    if let Some(secret) = &given.secret {
        put("client_secret", secret.reveal().into());
        // It never does (RFC 7591 §3.2.1).
        put("client_secret_expires_at", 0.into());
    }
    if let RegisteredBy::Itself(_) = given.registered.by {
        put("registration_access_token", given.token.reveal().into());
        put("registration_client_uri", format!("{}/{}", app.url(REGISTER), given.client.id).into());
    }
    if let Some(statement) = &given.registered.software_statement {
        put("software_statement", statement.as_str().into());
    }
    Value::Object(body)
}

fn refuse(app: &App, visit: &Visit, refused: NotGiven) -> Response {
    let later = |status: StatusCode, why: &'static str, seconds: &'static str| {
        let refusal = Refusal::new(ErrorCode::TemporarilyUnavailable, why);
        let mut response = reply::json(status, reply::error_body(&refusal));
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        response
    };
    let forbidden = |why: &'static str| {
        let refusal = Refusal::new(ErrorCode::AccessDenied, why);
        reply::json(StatusCode::FORBIDDEN, reply::error_body(&refusal))
    };
    match refused {
        NotGiven::Closed => forbidden("this server does not register clients"),
        NotGiven::Forbidden => forbidden("this client may not act now"),
        NotGiven::TooOften => {
            later(StatusCode::TOO_MANY_REQUESTS, "too many registrations from here; wait a minute", "60")
        }
        NotGiven::Full => {
            later(StatusCode::SERVICE_UNAVAILABLE, "there are as many clients as there may be", "3600")
        }
        NotGiven::Unauthorized(refusal) => unauthorized(refusal.as_ref()),
        NotGiven::Failure(Failure::Refused(refusal)) => reply::refusal(app, visit, &refusal, false),
        NotGiven::Failure(Failure::Broken(reason)) => reply::broken(reason),
    }
}

/// 401 with the challenge (RFC 6750 §3); without an error where no token was sent at all.
fn unauthorized(refusal: Option<&Refusal>) -> Response {
    let body = refusal.map_or_else(|| json!({}), reply::error_body);
    let mut response = reply::json(StatusCode::UNAUTHORIZED, body);
    let error = refusal.map_or_else(String::new, |refusal| {
        format!(", error=\"{}\", error_description=\"{}\"", refusal.code, refusal.description)
    });
    if let Ok(challenge) = HeaderValue::from_str(&format!("Bearer realm=\"procura\"{error}")) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

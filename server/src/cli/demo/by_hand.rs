//! The Shop Assistant as whoever tries the demo by hand meets it: a page that asks, and one that takes the answer. It has
//! no house of its own, so both stand beside the orders API.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use openidconnect::{PkceCodeChallenge, PkceCodeVerifier};
use serde_json::json;

use super::house::{APPLICATION, ORDERS};
use super::party::Endpoints;
use super::story;
use super::wire::{Exchange, Wire, encoded};
use crate::jose;

/// Where users begin.
pub const START: &str = "/start";
/// Where they come back to.
pub const CALLBACK: &str = "/callback";

/// The application's pages.
pub struct ByHand {
    /// Its wire.
    pub wire: Wire,
    /// The house it asks.
    pub at: Endpoints,
    /// Where its pages are.
    pub url: String,
    /// The agent that it asks for.
    pub agent: &'static str,
    /// `code_verifier`, the same for each request: nobody but whoever tries it is there.
    pub verifier: String,
}

/// Its routes.
pub fn routes(pages: ByHand) -> Router {
    Router::new().route(START, get(start)).route(CALLBACK, get(callback)).with_state(Arc::new(pages))
}

/// Pushes `request` for the application.
///
/// # Errors
/// Where no answer comes.
pub async fn push(
    wire: &Wire,
    at: &str,
    request: &[(impl AsRef<str>, impl AsRef<str>)],
) -> anyhow::Result<Exchange> {
    let request = http::Request::post(at)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(encoded(request))?;
    Ok(wire.send(request).await?)
}

/// Where a user goes with a request that was pushed (RFC 9126 §4); none where it was refused.
#[must_use]
pub fn way(issuer: &str, pushed: &Exchange) -> Option<String> {
    let answer = pushed.json();
    let params = [("client_id", APPLICATION), ("request_uri", answer["request_uri"].as_str()?)];
    let url = url::Url::parse_with_params(&format!("{issuer}/authorize"), params).ok()?;
    Some(url.into())
}

/// `GET /start`: a task is pushed, and whoever is here sent to the house with its reference.
async fn start(State(pages): State<Arc<ByHand>>) -> Response {
    let verifier = PkceCodeVerifier::new(pages.verifier.clone());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    let details = story::one(&story::task(&["read", "refund"], 50));
    let callback = format!("{}{CALLBACK}", pages.url);
    let request = [
        ("response_type", "code"),
        ("client_id", APPLICATION),
        ("redirect_uri", &callback),
        ("scope", "openid orders:read orders:write"),
        ("resource", ORDERS),
        ("requested_actor", pages.agent),
        ("authorization_details", &details),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("state", "by-hand"),
    ];
    let issuer = &pages.at.issuer;
    let at = format!("{issuer}{}", protocol::metadata::PAR);
    let Ok(pushed) = push(&pages.wire, &at, &request).await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    match way(issuer, &pushed) {
        Some(way) => Redirect::to(&way).into_response(),
        None => Json(json!({ "the authorization server said": pushed.json() })).into_response(),
    }
}

/// One value of a query.
fn one(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// `GET /callback`: the code is redeemed, and shown what it was good for.
async fn callback(State(pages): State<Arc<ByHand>>, RawQuery(query): RawQuery) -> Response {
    let Some(code) = one(query.as_deref(), "code") else {
        return Json(json!({ "the authorization server said": query })).into_response();
    };
    let callback = format!("{}{CALLBACK}", pages.url);
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("client_id", APPLICATION),
        ("code_verifier", &pages.verifier),
        ("redirect_uri", &callback),
    ];
    let request = http::Request::post(&pages.at.token)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(encoded(&form));
    let Ok(request) = request else { return StatusCode::BAD_REQUEST.into_response() };
    let Ok(redeemed) = pages.wire.send(request).await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let redeemed = redeemed.json();
    let token = redeemed["access_token"].as_str().and_then(|token| jose::decode(token).ok());
    let shown = match token {
        Some(token) => json!({ "Shop Assistant got a token that says": token.claims }),
        None => json!({ "the authorization server said": redeemed }),
    };
    let text = serde_json::to_string_pretty(&shown).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

//! `POST /federation/{upstream}/backchannel-logout` (OpenID Connect Back-Channel Logout 1.0 §2.5): what an upstream
//! OpenID Provider calls when somebody signed out there.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use protocol::refusal::{ErrorCode, Refusal};
use serde_json::json;

use super::reply;
use super::sent::Sent;
use crate::app::App;
use crate::failure::Failure;
use crate::federation;

/// Ends the sessions that the logout token speaks of: 200, or 400 where it is none (§2.8).
pub async fn post(State(app): State<Arc<App>>, Path(upstream): Path<String>, sent: Sent) -> Response {
    match answer(&app, &upstream, &sent).await {
        Ok(Some(())) => reply::json(StatusCode::OK, json!({})),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::TemporarilyUnavailable => {
            reply::unavailable()
        }
        Err(failure) => reply::failure(&app, &sent.visit, failure, false),
    }
}

async fn answer(app: &App, upstream: &str, sent: &Sent) -> Result<Option<()>, Failure> {
    let Some(connection) = app.upstreams.find(upstream) else { return Ok(None) };
    let token = sent.params.once("logout_token")?;
    let token = token.ok_or_else(|| Refusal::new(ErrorCode::InvalidRequest, "logout_token is required"))?;
    federation::log_out(app, &sent.visit, connection, token).await.map(Some)
}

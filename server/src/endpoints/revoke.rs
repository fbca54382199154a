//! `POST /revoke` (RFC 7009).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::metadata::REVOKE;
use protocol::refusal::{ErrorCode, Refusal};
use serde_json::json;

use super::reply;
use super::sent::Sent;
use crate::app::App;
use crate::failure::Failure;
use crate::{caller, grants, tokens};

/// Ends a token, or gives up a token request that waits for a person (`deferral_code`). For one that is unknown, over or ended before, that is a success too.
pub async fn post(State(app): State<Arc<App>>, sent: Sent) -> Response {
    match answer(&app, &sent).await {
        Ok(()) => reply::json(StatusCode::OK, json!({})),
        Err(failure) => reply::failure(&app, &sent.visit, failure, false),
    }
}

async fn answer(app: &App, sent: &Sent) -> Result<(), Failure> {
    let url = app.url(REVOKE);
    let caller = caller::identify(app, &sent.visit, &sent.headers.presentation(&url), &sent.params).await?;
    let token = sent.params.once("token")?;
    let token = token.ok_or_else(|| Refusal::new(ErrorCode::InvalidRequest, "token is required"))?;
    // `token_type_hint` only says where to look first (RFC 7009 §2.1), and no token looks like a deferral_code.
    if grants::looks_like_deferral_code(token) {
        return grants::cancel(app, &sent.visit, &caller, token).await;
    }
    tokens::revoke(app, &sent.visit, &caller, token).await
}

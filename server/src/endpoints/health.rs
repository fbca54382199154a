//! Whether the process lives, and whether it can answer.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::reply;
use crate::app::App;

/// `GET /healthz`: the process is there.
pub async fn live() -> Response {
    reply::json(StatusCode::OK, json!({ "status": "ok" }))
}

/// `GET /readyz`: so is the database.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.store.ping().await {
        Ok(()) => reply::json(StatusCode::OK, json!({ "status": "ready" })),
        Err(_) => reply::unavailable(),
    }
}

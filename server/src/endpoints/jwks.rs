//! `GET /jwks` (RFC 7517 §5).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::app::App;

/// The public keys that tokens are signed with.
pub async fn get(State(app): State<Arc<App>>) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(app.keys.jwks())).into_response()
}

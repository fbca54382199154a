//! `GET /jwks` (RFC 7517 §5).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::config::JWKS_MAX_AGE;

/// The public keys that tokens are signed with. A key is published for longer than this is kept before it signs.
pub async fn get(State(app): State<Arc<App>>) -> Response {
    let cached = format!("public, max-age={}", JWKS_MAX_AGE.0);
    ([(header::CACHE_CONTROL, cached)], Json(app.keys.jwks())).into_response()
}

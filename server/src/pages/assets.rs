//! The stylesheet, the script for passkeys and the mark, embedded in the program.

use axum::http::header;
use axum::response::IntoResponse;

use super::views::{CSS, LOGO, PASSKEYS};

/// `GET /assets/procura.css`.
pub async fn css() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=300")], CSS)
}

/// `GET /assets/logo.svg`.
pub async fn logo() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=300")], LOGO)
}

/// `GET /assets/passkeys.js`.
pub async fn passkeys() -> impl IntoResponse {
    let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    ([kind, (header::CACHE_CONTROL, "public, max-age=300")], PASSKEYS)
}

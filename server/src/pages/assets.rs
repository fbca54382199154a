//! The stylesheet, the mark and the scripts, embedded in the program.

use axum::http::header;
use axum::response::IntoResponse;

use super::views::{CSS, FORM_POST, LOGO};

/// `GET /assets/procura.css`.
pub async fn css() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=300")], CSS)
}

/// `GET /assets/logo.svg`.
pub async fn logo() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=300")], LOGO)
}

/// `GET /assets/form_post.js`.
pub async fn form_post() -> impl IntoResponse {
    (
        [
            (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
            (header::CACHE_CONTROL, "public, max-age=300"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ],
        FORM_POST,
    )
}

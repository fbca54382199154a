//! The stylesheet, the mark and the scripts, embedded in the program.

use axum::http::header;
use axum::response::IntoResponse;

use super::views::{CHECK_SESSION_JS, CSS, FORM_POST, LOGO, PASSKEYS_JS, SIGNED_OUT_JS};

/// `GET /assets/procura.css`.
pub async fn css() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=300")], CSS)
}

/// `GET /assets/logo.svg`.
pub async fn logo() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=300")], LOGO)
}

/// `GET /assets/signed-out.js`.
pub async fn signed_out() -> impl IntoResponse {
    script(SIGNED_OUT_JS)
}

/// `GET /assets/passkeys.js`.
pub async fn passkeys() -> impl IntoResponse {
    script(PASSKEYS_JS)
}

/// `GET /assets/check-session.js`.
pub async fn check_session() -> impl IntoResponse {
    script(CHECK_SESSION_JS)
}

/// `GET /assets/form_post.js`.
pub async fn form_post() -> impl IntoResponse {
    script(FORM_POST)
}

fn script(text: &'static str) -> impl IntoResponse {
    let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    (
        [kind, (header::CACHE_CONTROL, "public, max-age=300"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")],
        text,
    )
}

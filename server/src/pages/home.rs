//! `/`, and whatever is not there.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::page::{Browser, render};
use super::views::{HomePage, WhatHappened};
use crate::app::App;

/// `GET /`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser) -> Response {
    render(StatusCode::OK, &HomePage { page: browser.page(), issuer: app.issuer().to_owned() }, None)
}

/// Every other path.
pub async fn not_found(browser: Browser) -> Response {
    browser.error(WhatHappened::NotFound, None)
}

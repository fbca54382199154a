//! `/account/security/recovery-codes`: new codes, shown this once.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::user::User;

use super::super::page::{Browser, Form, render};
use super::super::views::RecoveryCodesPage;
use super::changes;
use crate::app::App;
use crate::sign_in::{self, InSession};

/// `POST /account/security/recovery-codes`.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    match changes(&browser, &form).await {
        Ok(who) => make(&app, &browser, who).await,
        Err(response) => *response,
    }
}

/// The page with new codes. It is the answer itself: nothing keeps them that could show them again.
pub(super) async fn make(app: &App, browser: &Browser, (who, user): (InSession<'_>, &User)) -> Response {
    match sign_in::new_recovery_codes(app, &browser.visit, who).await {
        Ok(codes) => {
            let codes = codes.iter().map(|code| code.reveal().to_owned()).collect();
            let issuer = format!("{} · {}", app.issuer(), user.username);
            render(StatusCode::OK, &RecoveryCodesPage { page: browser.page(), issuer, codes }, None)
        }
        Err(failure) => browser.failure(&failure),
    }
}

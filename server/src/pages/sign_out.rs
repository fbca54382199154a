//! `/logout`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::audit::{Action, AuditEvent, Outcome};

use super::page::{Browser, Form, one, render, see_other, session_broken};
use super::views::{Page, SignOutPage, SignedOutPage, WhatHappened};
use crate::app::App;
use crate::failure::Broken;
use crate::store::{Change, CommitError, Ending};

/// `GET /logout`: asks first.
pub async fn get(State(app): State<Arc<App>>, browser: Browser) -> Response {
    if browser.signed_in.is_none() {
        return signed_out(&browser);
    }
    match browser.csrf(&app).await {
        Ok(csrf) => {
            let view = SignOutPage { page: browser.page(), csrf, client_name: None, carried: Vec::new() };
            render(StatusCode::OK, &view, None)
        }
        Err(reason) => browser.broken(&reason),
    }
}

/// `POST /logout`: ends the session and the tokens that hang on it, not what was approved for the user's absence.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return browser.error(WhatHappened::FormRefused, None),
        Err(reason) => return browser.broken(&reason),
    }
    if one(&form, "decision") == "cancel" {
        return see_other("/account");
    }
    match end(&app, &browser).await {
        Ok(()) => signed_out(&browser),
        Err(reason) => browser.broken(&reason),
    }
}

async fn end(app: &App, browser: &Browser) -> Result<(), Broken> {
    if let Some(signed_in) = browser.login() {
        let mut event = AuditEvent::new(Action::UserSignOut, Outcome::Granted, browser.visit.now);
        event.request = Some(browser.visit.id.clone());
        event.user = Some(signed_in.user.clone());
        let change = Change::new(event).end(Ending::Session(signed_in.session.clone()));
        match app.store.commit(change).await {
            Ok(_) | Err(CommitError::Conflict(_)) => {}
            Err(CommitError::Broken(error)) => return Err(error.into()),
        }
    }
    browser.session.flush().await.map_err(session_broken)
}

fn signed_out(browser: &Browser) -> Response {
    let view = SignedOutPage { page: Page::new(browser.language), continue_to: None, client_name: None };
    render(StatusCode::OK, &view, None)
}

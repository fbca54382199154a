//! `/account/security/passkey`: adding, naming and removing passkeys.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::super::page::{Browser, Form, one, render_with_script, session_broken};
use super::super::sign_in::{again, first, is_fresh};
use super::super::views::{AddPasskeyPage, PasskeyRefused, Said, WhatHappened};
use super::{changes, done_if, with_codes};
use crate::app::App;
use crate::failure::Failure;
use crate::sign_in::{self, Ceremony, NotAdded};

/// The session's key for a question to a device.
pub const ADDING: &str = "passkey_adding";
/// Where a passkey is added.
const HERE: &str = "/account/security/passkey";

/// `GET /account/security/passkey`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser) -> Response {
    if browser.signed_in.is_none() {
        return first(&browser);
    }
    if !is_fresh(&browser) {
        return again(HERE);
    }
    show(&app, &browser, None).await
}

async fn show(app: &App, browser: &Browser, refused: Option<PasskeyRefused>) -> Response {
    match view(app, browser, refused).await {
        Ok(Some(view)) => {
            let status = if refused.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            render_with_script(status, &view, None)
        }
        Ok(None) => browser.error(WhatHappened::NotFound, None),
        Err(failure) => browser.failure(&failure),
    }
}

async fn view(
    app: &App,
    browser: &Browser,
    refused: Option<PasskeyRefused>,
) -> Result<Option<AddPasskeyPage>, Failure> {
    let Some((_, user)) = &browser.signed_in else { return Ok(None) };
    let asked = sign_in::ask_for_new_passkey(app, &browser.visit, user).await?;
    let Some(ceremony) = asked else { return Ok(None) };
    browser.session.insert(ADDING, &ceremony).await.map_err(session_broken)?;
    let options = ceremony.options.to_string();
    Ok(Some(AddPasskeyPage { page: browser.page(), csrf: browser.csrf(app).await?, options, refused }))
}

/// `POST /account/security/passkey`.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let (who, user) = match changes(&browser, &form).await {
        Ok(who) => who,
        Err(response) => return *response,
    };
    let ceremony = match browser.session.remove::<Ceremony>(ADDING).await {
        Ok(Some(ceremony)) => ceremony,
        Ok(None) => return show(&app, &browser, Some(PasskeyRefused::FormTooOld)).await,
        Err(error) => return browser.broken(&session_broken(error)),
    };
    let (answer, name) = (one(&form, "credential"), one(&form, "name"));
    match sign_in::add_passkey(&app, &browser.visit, who, &ceremony, answer, name).await {
        Ok(()) => with_codes(&app, &browser, (who, user), Said::PasskeyAdded).await,
        Err(NotAdded::Wrong) => show(&app, &browser, Some(PasskeyRefused::Refused)).await,
        Err(NotAdded::TooMany) => show(&app, &browser, Some(PasskeyRefused::TooMany)).await,
        Err(NotAdded::Broken(reason)) => browser.broken(&reason),
    }
}

/// `POST /account/security/passkey/rename`.
pub async fn rename(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let (who, _) = match changes(&browser, &form).await {
        Ok(who) => who,
        Err(response) => return *response,
    };
    let (id, name) = (one(&form, "passkey"), one(&form, "name"));
    let renamed = sign_in::rename_passkey(&app, &browser.visit, who, id, name).await;
    done_if(&browser, renamed, Said::PasskeyRenamed).await
}

/// `POST /account/security/passkey/remove`.
pub async fn remove(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let (who, _) = match changes(&browser, &form).await {
        Ok(who) => who,
        Err(response) => return *response,
    };
    let removed = sign_in::remove_passkey(&app, &browser.visit, who, one(&form, "passkey")).await;
    done_if(&browser, removed, Said::PasskeyRemoved).await
}

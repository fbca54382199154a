//! `/account/security/totp`: setting up an authenticator app, and removing it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::user::User;

use super::super::page::{Browser, Form, one, render, session_broken};
use super::super::sign_in::{again, first, is_fresh};
use super::super::views::{AddTotpPage, Said, Square, TotpRefused};
use super::{changes, done_if, with_codes};
use crate::app::App;
use crate::failure::{Broken, Failure};
use crate::sign_in::{self, NotAdded};

/// The session's key for a secret that no code has confirmed yet, sealed.
pub const ADDING: &str = "totp_adding";
/// Where an app is set up.
const HERE: &str = "/account/security/totp";

/// `GET /account/security/totp`: a new secret each time.
pub async fn get(State(app): State<Arc<App>>, browser: Browser) -> Response {
    let Some((_, user)) = &browser.signed_in else { return first(&browser) };
    if !is_fresh(&browser) {
        return again(HERE);
    }
    show(&app, &browser, user, None, None).await
}

async fn show(
    app: &App,
    browser: &Browser,
    user: &User,
    known: Option<&str>,
    refused: Option<TotpRefused>,
) -> Response {
    match view(app, browser, user, known, refused).await {
        Ok(view) => {
            let status = if refused.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            render(status, &view, None)
        }
        Err(failure) => browser.failure(&failure),
    }
}

async fn view(
    app: &App,
    browser: &Browser,
    user: &User,
    known: Option<&str>,
    refused: Option<TotpRefused>,
) -> Result<AddTotpPage, Failure> {
    let made = sign_in::new_app_secret(app, user, known)?;
    let secret = made.secret.reveal().to_owned();
    browser.session.insert(ADDING, made.sealed.reveal()).await.map_err(session_broken)?;
    let square = Square::of(made.url.reveal()).ok_or(Broken::Other("a name is too long for a square"))?;
    Ok(AddTotpPage { page: browser.page(), csrf: browser.csrf(app).await?, secret, square, refused })
}

/// `POST /account/security/totp`.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let (who, user) = match changes(&browser, &form).await {
        Ok(who) => who,
        Err(response) => return *response,
    };
    let secret = match browser.session.get::<String>(ADDING).await {
        Ok(Some(secret)) => secret,
        Ok(None) => return show(&app, &browser, user, None, Some(TotpRefused::FormTooOld)).await,
        Err(error) => return browser.broken(&session_broken(error)),
    };
    match sign_in::add_totp(&app, &browser.visit, who, &secret, one(&form, "code")).await {
        Ok(()) => match browser.session.remove_value(ADDING).await {
            Ok(_) => with_codes(&app, &browser, (who, user), Said::TotpAdded).await,
            Err(error) => browser.broken(&session_broken(error)),
        },
        Err(NotAdded::Wrong | NotAdded::TooMany) => {
            show(&app, &browser, user, Some(&secret), Some(TotpRefused::WrongCode)).await
        }
        Err(NotAdded::Broken(reason)) => browser.broken(&reason),
    }
}

/// `POST /account/security/totp/remove`.
pub async fn remove(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let (who, _) = match changes(&browser, &form).await {
        Ok(who) => who,
        Err(response) => return *response,
    };
    let removed = sign_in::remove_totp(&app, &browser.visit, who).await;
    done_if(&browser, removed, Said::TotpRemoved).await
}

//! `/account/security/password`: another password, for whoever knows the one until now.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::presented_secret::PresentedSecret;
use protocol::user::User;

use super::super::page::{Browser, Form, keep_mark, one, render};
use super::super::set_password::{refused, shortest};
use super::super::sign_in::{again, first};
use super::super::views::{ChangePasswordPage, ChangeRefused, PasswordRefused, Said};
use super::{HERE, done};
use crate::app::App;
use crate::sign_in::{self, NotSignedIn};

/// `GET /account/security/password`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser) -> Response {
    match &browser.signed_in {
        Some((_, user)) => show(&app, &browser, user, None).await,
        None => first(&browser),
    }
}

async fn show(app: &App, browser: &Browser, user: &User, refused: Option<ChangeRefused>) -> Response {
    let csrf = match browser.csrf(app).await {
        Ok(csrf) => csrf,
        Err(reason) => return browser.broken(&reason),
    };
    let view = ChangePasswordPage {
        page: browser.page(),
        csrf,
        username: user.username.clone(),
        shortest: shortest(app),
        refused,
    };
    let status = match refused {
        None => StatusCode::OK,
        Some(ChangeRefused::TooManyAttempts) => StatusCode::TOO_MANY_REQUESTS,
        Some(_) => StatusCode::BAD_REQUEST,
    };
    render(status, &view, None)
}

/// `POST /account/security/password`. The old password is proof enough that it is them, however long ago they signed in.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let Some((signed_in, user)) = &browser.signed_in else { return again(HERE) };
    let wrong = match browser.sent_by_our_form(&form).await {
        Ok(true) => refused(&app, user, &form),
        Ok(false) => Some(PasswordRefused::FormTooOld),
        Err(reason) => return browser.broken(&reason),
    };
    if let Some(wrong) = wrong {
        return show(&app, &browser, user, Some(ChangeRefused::New(wrong))).await;
    }
    let secret = |name| PresentedSecret::from(one(&form, name));
    let (old, new) = (secret("old_password"), secret("password"));
    let (session, mark) = (&signed_in.session, browser.mark.as_deref());
    match sign_in::change_password(&app, &browser.visit, user, session, old, new, mark).await {
        Ok(()) => finish(&app, &browser, user).await,
        Err(NotSignedIn::Wrong) => show(&app, &browser, user, Some(ChangeRefused::Old)).await,
        Err(NotSignedIn::TooMany) => show(&app, &browser, user, Some(ChangeRefused::TooManyAttempts)).await,
        Err(NotSignedIn::Broken(reason)) => browser.broken(&reason),
    }
}

async fn finish(app: &App, browser: &Browser, user: &User) -> Response {
    let mut response = done(browser, Said::PasswordChanged).await;
    match sign_in::remember_browser(app, &browser.visit, &user.id, browser.mark.as_deref()).await {
        Ok(mark) => {
            keep_mark(&mut response, &mark);
            response
        }
        Err(failure) => browser.failure(&failure),
    }
}

//! `/set-password`: where a one-time link leads.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::identifier::UserId;
use protocol::params::Params;
use protocol::presented_secret::PresentedSecret;
use protocol::user::User;

use super::page::{Browser, Form, one, render};
use super::sign_in::{Way, first_factor};
use super::views::{PasswordRefused, SetPasswordPage, WhatHappened};
use crate::app::App;
use crate::failure::Failure;
use crate::sign_in;

/// `GET /set-password`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser, RawQuery(query): RawQuery) -> Response {
    let query = Params::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let link = one(&query, "link");
    match sign_in::link_user(&app, &browser.visit, link).await {
        Ok(Some(user)) => show(&app, &browser, link, &user, None).await,
        Ok(None) => browser.error(WhatHappened::LinkUsed, None),
        Err(failure) => browser.failure(&failure),
    }
}

/// `POST /set-password`.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let link = one(&form, "link");
    let user = match sign_in::link_user(&app, &browser.visit, link).await {
        Ok(Some(user)) => user,
        Ok(None) => return browser.error(WhatHappened::LinkUsed, None),
        Err(failure) => return browser.failure(&failure),
    };
    let refused = match browser.sent_by_our_form(&form).await {
        Ok(true) => refused(&app, &user, &form),
        Ok(false) => Some(PasswordRefused::FormTooOld),
        Err(reason) => return browser.broken(&reason),
    };
    if refused.is_some() {
        return show(&app, &browser, link, &user, refused).await;
    }
    let password = PresentedSecret::from(one(&form, "password"));
    match sign_in::set_password(&app, &browser.visit, link, password).await {
        Ok(user) => done(&app, &browser, &user.id).await,
        Err(Failure::Refused(_)) => browser.error(WhatHappened::LinkUsed, None),
        Err(failure) => browser.failure(&failure),
    }
}

/// Whoever had the link and has the new password is not asked for it again: they go on to their account, by the second
/// step if they have one. The browser is known once they are in, and not before: a known one may try more codes.
async fn done(app: &App, browser: &Browser, user: &UserId) -> Response {
    // As they are now, with the password that was just set.
    let user = match app.store.find_user_now(user).await {
        Ok(Some(user)) => user,
        Ok(None) => return browser.error(WhatHappened::LinkUsed, None),
        Err(error) => return browser.broken(&error.into()),
    };
    first_factor(app, browser, &Way::default(), &user).await
}

/// Why the two fields of a new password are not taken.
pub(super) fn refused(app: &App, user: &User, form: &Params) -> Option<PasswordRefused> {
    let password = one(form, "password");
    if let Err(reason) = sign_in::fits(app, user, password) {
        return Some(reason.into());
    }
    (password != one(form, "password_again")).then_some(PasswordRefused::NotTheSame)
}

/// The fewest characters of a password, as pages say it.
pub(super) fn shortest(app: &App) -> i64 {
    i64::try_from(app.settings.passwords.min_length).unwrap_or(i64::MAX)
}

async fn show(
    app: &App,
    browser: &Browser,
    link: &str,
    user: &User,
    refused: Option<PasswordRefused>,
) -> Response {
    let csrf = match browser.csrf(app).await {
        Ok(csrf) => csrf,
        Err(reason) => return browser.broken(&reason),
    };
    let view = SetPasswordPage {
        page: browser.page(),
        csrf,
        link: link.to_owned(),
        username: user.username.clone(),
        shortest: shortest(app),
        refused,
    };
    render(if refused.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK }, &view, None)
}

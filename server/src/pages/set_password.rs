//! `/set-password`: where a one-time link leads.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::params::Params;
use protocol::presented_secret::PresentedSecret;
use protocol::user::User;

use super::page::{Browser, Form, one, render, see_other};
use super::views::{PasswordRefused, SHORTEST_PASSWORD, SetPasswordPage, WhatHappened};
use crate::app::App;
use crate::failure::Failure;
use crate::sign_in::{self, LONGEST_PASSWORD};

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
        Ok(true) => refused(&form),
        Ok(false) => Some(PasswordRefused::FormTooOld),
        Err(reason) => return browser.broken(&reason),
    };
    if refused.is_some() {
        return show(&app, &browser, link, &user, refused).await;
    }
    let password = PresentedSecret::from(one(&form, "password"));
    match sign_in::set_password(&app, &browser.visit, link, password).await {
        Ok(()) => see_other("/sign-in"),
        Err(Failure::Refused(_)) => browser.error(WhatHappened::LinkUsed, None),
        Err(failure) => browser.failure(&failure),
    }
}

fn refused(form: &Params) -> Option<PasswordRefused> {
    let password = one(form, "password");
    if password.chars().count() < usize::from(SHORTEST_PASSWORD) {
        return Some(PasswordRefused::TooShort);
    }
    if password.len() > LONGEST_PASSWORD {
        return Some(PasswordRefused::TooLong);
    }
    (password != one(form, "password_again")).then_some(PasswordRefused::NotTheSame)
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
        refused,
    };
    render(if refused.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK }, &view, None)
}

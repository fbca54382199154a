//! `/forgot-password`: a link by mail, where mail is sent at all. Every address is answered alike.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::page::{Browser, Form, one, render};
use super::views::{ForgotPasswordPage, WhatHappened, forgot_mail};
use crate::app::App;
use crate::sign_in;

/// `GET /forgot-password`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser) -> Response {
    show(&app, &browser, false, false).await
}

/// `POST /forgot-password`.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return show(&app, &browser, false, true).await,
        Err(reason) => return browser.broken(&reason),
    }
    if app.mailer.is_some() {
        let language = browser.language;
        let letter: sign_in::Letter =
            Box::new(move |user, link| forgot_mail(language, &user.name, &user.username, link));
        sign_in::forgot(&app, &browser.visit, one(&form, "email"), letter);
    }
    show(&app, &browser, true, false).await
}

async fn show(app: &App, browser: &Browser, sent: bool, too_old: bool) -> Response {
    if app.mailer.is_none() {
        return browser.error(WhatHappened::NotFound, None);
    }
    match browser.csrf(app).await {
        Ok(csrf) => {
            let view = ForgotPasswordPage { page: browser.page(), csrf, sent, too_old };
            render(if too_old { StatusCode::FORBIDDEN } else { StatusCode::OK }, &view, None)
        }
        Err(reason) => browser.broken(&reason),
    }
}

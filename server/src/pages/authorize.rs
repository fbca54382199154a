//! `/authorize` (RFC 6749 §3.1): takes the request in and leads to the page that comes next.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use protocol::metadata::AUTHORIZE;
use protocol::params::Params;
use protocol::prompt::Next;
use protocol::refusal::Refusal;

use super::page::{ACCOUNT_CHOSEN, Browser, Form, see_other};
use super::views::WhatHappened;
use crate::app::App;
use crate::authorization::{self, Begun, Present, SignedIn, Waiting};

/// `GET /authorize`.
pub async fn get(
    State(app): State<Arc<App>>,
    method: Method,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Response {
    if method == Method::HEAD {
        // To look is not to ask: no code is given for it.
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match Params::parse(query.unwrap_or_default().as_bytes()) {
        Ok(params) => begin(&app, &browser, &params).await,
        Err(reason) => browser.error(WhatHappened::RequestRefused, Some(&Refusal::from(reason))),
    }
}

/// `POST /authorize` (OpenID Connect Core §3.1.2.1): comes back as a `GET`. From another site it came without the
/// session's cookie, and must not replace it by a new one.
pub async fn post(Form(params): Form) -> Response {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(Vec::<(String, String)>::from(params));
    see_other(&format!("{AUTHORIZE}?{}", query.finish()))
}

async fn begin(app: &App, browser: &Browser, params: &Params) -> Response {
    let binding = match browser.binding(app).await {
        Ok(binding) => binding,
        Err(reason) => return browser.broken(&reason),
    };
    match authorization::begin(app, &browser.visit, params, &binding).await {
        Ok(Begun { interaction, waiting }) => {
            if let Err(reason) = browser.speak(waiting.request.ui_locales.as_deref()).await {
                return browser.broken(&reason);
            }
            go_on(app, browser, &interaction, &waiting, browser.login()).await
        }
        Err(stop) => browser.stop(stop),
    }
}

/// A waiting request in this browser, as it is now.
pub async fn present<'a>(
    browser: &Browser,
    interaction: &'a str,
    waiting: &'a Waiting,
    signed_in: Option<&'a SignedIn>,
) -> Present<'a> {
    let chosen = browser.session.get::<String>(ACCOUNT_CHOSEN).await.ok().flatten();
    Present { interaction, waiting, signed_in, account_chosen: chosen.as_deref() == Some(interaction) }
}

/// Leads a waiting request to what comes next: sign-in, the choice of an account, consent, or back to the client.
pub async fn go_on(
    app: &App,
    browser: &Browser,
    interaction: &str,
    waiting: &Waiting,
    signed_in: Option<&SignedIn>,
) -> Response {
    let here = present(browser, interaction, waiting, signed_in).await;
    let next = match authorization::next(app, &browser.visit, &here).await {
        Ok((next, _)) => next,
        Err(stop) => return browser.stop(stop),
    };
    match (next, signed_in) {
        (Next::Proceed, Some(signed_in)) => {
            match authorization::proceed(app, &browser.visit, &here, signed_in).await {
                Ok(answer) => browser.answer(answer, None),
                Err(stop) => browser.stop(stop),
            }
        }
        (Next::Consent, _) => see_other(&format!("/consent?interaction={interaction}")),
        (Next::SelectAccount, _) => see_other(&format!("/select-account?interaction={interaction}")),
        _ => see_other(&format!("/sign-in?interaction={interaction}")),
    }
}

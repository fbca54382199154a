//! `/select-account`: who is signed in, and whether to go on as them (`prompt=select_account`, OpenID Connect Core
//! §3.1.2.1). A browser holds one session at a time: another account is signed in to in its place.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::params::Params;
use protocol::prompt::Next;

use super::authorize::{go_on, present};
use super::page::{ACCOUNT_CHOSEN, Browser, Form, one, render, see_other, session_broken};
use super::views::{SelectAccountPage, WhatHappened};
use crate::app::App;
use crate::authorization::{self, Waiting};

/// `GET /select-account`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser, RawQuery(query): RawQuery) -> Response {
    let query = Params::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let interaction = one(&query, "interaction");
    let waiting = match browser.waiting(&app, interaction).await {
        Ok(waiting) => waiting,
        Err(gone) => return *gone,
    };
    let here = present(&browser, interaction, &waiting, browser.login()).await;
    match authorization::next(&app, &browser.visit, &here).await {
        Ok((Next::SelectAccount, _)) => show(&app, &browser, interaction, &waiting, false).await,
        Ok(_) => go_on(&app, &browser, interaction, &waiting, browser.login()).await,
        Err(stop) => browser.stop(stop),
    }
}

async fn show(
    app: &App,
    browser: &Browser,
    interaction: &str,
    waiting: &Waiting,
    form_too_old: bool,
) -> Response {
    let csrf = match browser.csrf(app).await {
        Ok(csrf) => csrf,
        Err(reason) => return browser.broken(&reason),
    };
    let Some((_, user)) = &browser.signed_in else {
        return browser.error(WhatHappened::NoLongerWaiting, None);
    };
    let client = app.store.find_client(&waiting.client).await.ok().flatten();
    let view = SelectAccountPage {
        page: browser.page(),
        csrf,
        interaction: interaction.to_owned(),
        client_name: client.map(|client| client.name.clone()).unwrap_or_default(),
        user_name: user.name.clone(),
        username: user.username.clone(),
        form_too_old,
    };
    let status = if form_too_old { StatusCode::FORBIDDEN } else { StatusCode::OK };
    render(status, &view, Some(&waiting.return_address))
}

/// `POST /select-account`.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let interaction = one(&form, "interaction");
    let waiting = match browser.waiting(&app, interaction).await {
        Ok(waiting) => waiting,
        Err(gone) => return *gone,
    };
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return show(&app, &browser, interaction, &waiting, true).await,
        Err(reason) => return browser.broken(&reason),
    }
    match one(&form, "decision") {
        "continue" => {
            if let Err(error) = browser.session.insert(ACCOUNT_CHOSEN, interaction).await {
                return browser.broken(&session_broken(error));
            }
            go_on(&app, &browser, interaction, &waiting, browser.login()).await
        }
        "other" => see_other(&format!("/sign-in?interaction={interaction}")),
        _ => match authorization::deny(&app, &browser.visit, interaction, &waiting, browser.login()).await {
            Ok(answer) => browser.answer(answer, Some(interaction)),
            Err(stop) => browser.stop(stop),
        },
    }
}

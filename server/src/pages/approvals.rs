//! `/approvals`: what waits for the user's word although whoever asks is elsewhere (CIBA, Deferred Token Response), and
//! the answer to it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::deferred::Way;
use protocol::presented_secret::PresentedSecret;

use super::account::name_of;
use super::afar::{Leads, Question};
use super::deferral;
use super::page::{Browser, Form, one, render, see_other, session_broken};
use super::sign_in;
use super::views::{Afar, Answered, ApprovalsPage, UserCodeTold, WaitingEntry, WhatHappened};
use crate::app::App;
use crate::approvals;
use crate::authorization::SignedIn;
use crate::failure::Failure;

/// Where the list is.
const APPROVALS: &str = "/approvals";
/// The session's key for what was just answered.
const JUST_ANSWERED: &str = "approvals_answered";
/// The session's key for what became of the form for the user's code.
const USER_CODE_TOLD: &str = "user_code_told";

/// `GET /approvals`.
pub async fn list(State(app): State<Arc<App>>, browser: Browser) -> Response {
    let Some(signed_in) = browser.login() else { return sign_in::first(&browser) };
    match view(&app, &browser, signed_in).await {
        Ok(view) => render(StatusCode::OK, &view, None),
        Err(failure) => browser.failure(&failure),
    }
}

async fn view(app: &App, browser: &Browser, signed_in: &SignedIn) -> Result<ApprovalsPage, Failure> {
    let mut waiting = Vec::new();
    for request in app.store.waiting_for_user(&signed_in.user, browser.visit.now).await? {
        let Way::Backchannel { binding_message, .. } = request.request.way else { continue };
        let (client_name, kind) = name_of(app, &request.request.client).await?;
        waiting.push(WaitingEntry {
            id: request.id,
            client_name,
            kind,
            binding_message,
            asked_at: request.request.asked_at,
            until: request.polling.expires_at,
        });
    }
    waiting.extend(deferral::waiting(app, browser, signed_in).await?);
    waiting.sort_by_key(|entry| std::cmp::Reverse(entry.asked_at));
    Ok(ApprovalsPage {
        page: browser.page(),
        csrf: browser.csrf(app).await?,
        answered: browser.session.remove::<Answered>(JUST_ANSWERED).await.ok().flatten(),
        waiting,
        has_user_code: app.store.user_code_hash(&signed_in.user).await?.is_some(),
        user_code_told: browser.session.remove::<UserCodeTold>(USER_CODE_TOLD).await.ok().flatten(),
    })
}

/// `GET /approvals/{id}`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser, Path(id): Path<String>) -> Response {
    let Some(signed_in) = browser.login() else { return sign_in::first(&browser) };
    if deferral::is_one(&id) {
        return deferral::show(&app, &browser, signed_in, &id).await;
    }
    match find(&app, &browser, signed_in, &id).await {
        Ok(question) => match question.ready(&browser, signed_in, &path(&question)).await {
            Ok(too_weak) => question.show(&app, &browser, afar(&question), too_weak).await,
            Err(response) => *response,
        },
        Err(response) => *response,
    }
}

/// `POST /approvals/{id}`: the answer.
pub async fn post(
    State(app): State<Arc<App>>,
    browser: Browser,
    Path(id): Path<String>,
    Form(form): Form,
) -> Response {
    let Some(signed_in) = browser.login() else { return sign_in::first(&browser) };
    if deferral::is_one(&id) {
        let leads = (APPROVALS, JUST_ANSWERED);
        return deferral::answer(&app, &browser, signed_in, &id, &form, leads).await;
    }
    let question = match find(&app, &browser, signed_in, &id).await {
        Ok(question) => question,
        Err(response) => return *response,
    };
    let leads = Leads { back: APPROVALS, here: &path(&question), told: JUST_ANSWERED };
    match question.answer(&app, &browser, &form, signed_in, &leads).await {
        Ok(response) => response,
        Err(refused) => question.show(&app, &browser, afar(&question), Some(refused)).await,
    }
}

fn path(question: &Question) -> String {
    format!("{APPROVALS}/{}", question.waiting.id)
}

/// The request of this id that waits for this user, with what it asks for. Somebody else's is as one that is not there.
async fn find(
    app: &App,
    browser: &Browser,
    signed_in: &SignedIn,
    id: &str,
) -> Result<Question, Box<Response>> {
    let found = app.store.find_deferred_of_user(&signed_in.user, id).await;
    let found = found.map_err(|error| Box::new(browser.broken(&error.into())))?;
    let waiting = found
        .filter(|found| found.waits(browser.visit.now))
        .ok_or_else(|| Box::new(browser.error(WhatHappened::NoLongerWaiting, None)))?;
    Question::of(app, browser, waiting, signed_in).await
}

fn afar(question: &Question) -> Afar {
    let request = &question.waiting.request;
    let binding_message = match &request.way {
        Way::Backchannel { binding_message, .. } => binding_message.clone(),
        Way::Device { .. } => None,
    };
    Afar::Backchannel { id: question.waiting.id.clone(), binding_message, asked_at: request.asked_at }
}

/// `POST /approvals/user-code`: sets the code without which nobody asks, or takes it away.
pub async fn set_user_code(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let Some(signed_in) = browser.login() else { return sign_in::first(&browser) };
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return browser.error(WhatHappened::FormRefused, None),
        Err(reason) => return browser.broken(&reason),
    }
    let code = match one(&form, "decision") {
        "remove" => None,
        _ => Some(PresentedSecret::from(one(&form, "user_code"))),
    };
    let done = if code.is_some() { UserCodeTold::Set } else { UserCodeTold::Removed };
    let told = match approvals::set_user_code(&app, &browser.visit, &signed_in.user, code).await {
        Ok(()) => done,
        Err(Failure::Refused(_)) => UserCodeTold::Refused,
        Err(failure) => return browser.failure(&failure),
    };
    match browser.session.insert(USER_CODE_TOLD, told).await {
        Ok(()) => see_other(APPROVALS),
        Err(error) => browser.broken(&session_broken(error)),
    }
}

//! Stopping an agent or an account, and ending a consent, a task or everything of somebody's: a page that says what
//! will end, and one that says what did.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::client::Client;
use protocol::ending::{AccountOperation, Operation, Order};
use protocol::identifier::{ClientId, ConsentId, TaskId, UserId};
use protocol::task;

use super::client_marks::in_path;
use super::page::{Browser, Form, render};
use super::sign_in;
use super::views::{AdminEndedPage, AdminEndingPage, EndedInNumbers, EndingInWords, WhatHappened};
use crate::app::App;
use crate::authorization::SignedIn;
use crate::endings::{self, Admin};
use crate::failure::Broken;
use crate::store::{Ended, StoreError};

/// What is to be ended, and the words for it.
struct Wanted {
    order: Order,
    what: EndingInWords,
    /// Whom or what it is done to.
    name: String,
    id: String,
    /// Where the page is that asks.
    path: String,
    back: String,
}

/// `GET /admin/clients/{client_id}/{operation}`.
pub async fn ask_of_agent(
    State(app): State<Arc<App>>,
    browser: Browser,
    Path((id, operation)): Path<(String, String)>,
) -> Response {
    ask(&app, &browser, agent(&app, &id, &operation).await).await
}

/// `POST /admin/clients/{client_id}/{operation}`.
pub async fn end_agent(
    State(app): State<Arc<App>>,
    browser: Browser,
    Path((id, operation)): Path<(String, String)>,
    form: Form,
) -> Response {
    end(&app, &browser, agent(&app, &id, &operation).await, form).await
}

/// `GET /admin/users/{user_id}/{ending}`.
pub async fn ask_of_user(
    State(app): State<Arc<App>>,
    browser: Browser,
    Path((id, ending)): Path<(String, String)>,
) -> Response {
    ask(&app, &browser, user(&app, &browser, &id, &ending).await).await
}

/// `POST /admin/users/{user_id}/{ending}`.
pub async fn end_user(
    State(app): State<Arc<App>>,
    browser: Browser,
    Path((id, ending)): Path<(String, String)>,
    form: Form,
) -> Response {
    end(&app, &browser, user(&app, &browser, &id, &ending).await, form).await
}

/// `GET /admin/consents/{id}/end`.
pub async fn ask_of_consent(
    State(app): State<Arc<App>>,
    browser: Browser,
    Path(id): Path<String>,
) -> Response {
    ask(&app, &browser, consent(&app, &browser, &id).await).await
}

/// `POST /admin/consents/{id}/end`.
pub async fn end_consent(
    State(app): State<Arc<App>>,
    browser: Browser,
    Path(id): Path<String>,
    form: Form,
) -> Response {
    end(&app, &browser, consent(&app, &browser, &id).await, form).await
}

/// `GET /admin/tasks/{id}/end`.
pub async fn ask_of_task(State(app): State<Arc<App>>, browser: Browser, Path(id): Path<String>) -> Response {
    ask(&app, &browser, task(&app, &browser, &id).await).await
}

/// `POST /admin/tasks/{id}/end`.
pub async fn end_task(
    State(app): State<Arc<App>>,
    browser: Browser,
    Path(id): Path<String>,
    form: Form,
) -> Response {
    end(&app, &browser, task(&app, &browser, &id).await, form).await
}

/// The agent of this id, if that can be done to it now.
async fn agent(app: &App, id: &str, operation: &str) -> Result<Option<Wanted>, StoreError> {
    let (Ok(id), Ok(operation)) = (id.parse(), operation.parse::<Operation>()) else { return Ok(None) };
    let Some(client) = app.store.find_client(&id).await?.filter(|client| client.agent().is_some()) else {
        return Ok(None);
    };
    let halt = app.store.find_halt(&id).await?.map(|halted| halted.halt);
    Ok(operation.is_possible(halt).then(|| Wanted {
        what: in_words(operation),
        name: client.name.clone(),
        id: id.to_string(),
        path: path_of(&client, operation),
        back: format!("/admin/clients/{}", in_path(&client.id)),
        order: Order::Agent(id, operation),
    }))
}

/// The user of this id, if that can be done to them now. Nobody disables their own account.
async fn user(app: &App, browser: &Browser, id: &str, ending: &str) -> Result<Option<Wanted>, StoreError> {
    let Ok(id) = id.parse::<UserId>() else { return Ok(None) };
    let Some(user) = app.store.find_user(&id).await? else { return Ok(None) };
    let halted = app.store.find_account_halt(&id).await?.is_some();
    let own = admin(browser).is_some_and(|admin| admin.user == id);
    let possible = [
        (EndingInWords::User, true, Order::User(id.clone())),
        (EndingInWords::Owner, true, Order::Owner(id.clone())),
        (EndingInWords::Disable, !halted && !own, Order::Account(id.clone(), AccountOperation::Disable)),
        (EndingInWords::Enable, halted, Order::Account(id.clone(), AccountOperation::Enable)),
    ];
    let found = possible.into_iter().find(|(what, can, _)| *can && what.word() == ending);
    Ok(found.map(|(what, _, order)| Wanted {
        order,
        what,
        name: user.name.clone(),
        id: user.username.clone(),
        path: format!("/admin/users/{id}/{}", what.word()),
        back: "/admin".to_owned(),
    }))
}

/// The consent of this id, if it stands.
async fn consent(app: &App, browser: &Browser, id: &str) -> Result<Option<Wanted>, StoreError> {
    let Ok(id) = id.parse::<ConsentId>() else { return Ok(None) };
    let found = app.store.find_consent(&id).await?.filter(|consent| consent.is_live(browser.visit.now));
    let Some(consent) = found else { return Ok(None) };
    Ok(Some(Wanted {
        what: EndingInWords::Consent,
        name: name_of_client(app, &consent.actor).await?,
        path: format!("/admin/consents/{id}/end"),
        back: "/admin".to_owned(),
        id: id.to_string(),
        order: Order::Consent(id),
    }))
}

/// The task of this id, if it is not over.
async fn task(app: &App, browser: &Browser, id: &str) -> Result<Option<Wanted>, StoreError> {
    let Ok(id) = id.parse::<TaskId>() else { return Ok(None) };
    let found = app.store.find_task(&id).await?;
    let Some(task) = found.filter(|task| !task.own_status(browser.visit.now).is_final()) else {
        return Ok(None);
    };
    Ok(Some(Wanted {
        what: EndingInWords::Task,
        name: name_of_client(app, &task.actor).await?,
        path: format!("/admin/tasks/{id}/end"),
        back: "/admin".to_owned(),
        id: id.to_string(),
        order: Order::Task(id, task::Operation::Revoke),
    }))
}

async fn name_of_client(app: &App, id: &ClientId) -> Result<String, StoreError> {
    let client = app.store.find_client(id).await?;
    Ok(client.map_or_else(|| id.to_string(), |client| client.name.clone()))
}

/// The admin who asks, if it is one.
fn admin(browser: &Browser) -> Option<&SignedIn> {
    browser.signed_in.as_ref().filter(|(_, user)| user.admin).map(|(signed_in, _)| signed_in)
}

async fn ask(app: &App, browser: &Browser, wanted: Result<Option<Wanted>, StoreError>) -> Response {
    if admin(browser).is_none() {
        return sign_in::first(browser);
    }
    let wanted = match wanted {
        Ok(Some(wanted)) => wanted,
        Ok(None) => return browser.error(WhatHappened::NotFound, None),
        Err(error) => return browser.broken(&error.into()),
    };
    if !sign_in::is_fresh(browser) {
        return sign_in::again(&wanted.path);
    }
    match question(app, browser, &wanted).await {
        Ok(view) => render(StatusCode::OK, &view, None),
        Err(reason) => browser.broken(&reason),
    }
}

async fn question(app: &App, browser: &Browser, wanted: &Wanted) -> Result<AdminEndingPage, Broken> {
    let agents = match &wanted.order {
        Order::Owner(owner) => agents_of(&app.store.clients().await?, owner),
        _ => Vec::new(),
    };
    Ok(AdminEndingPage {
        page: browser.page(),
        csrf: browser.csrf(app).await?,
        what: wanted.what,
        name: wanted.name.clone(),
        id: wanted.id.clone(),
        agents,
        action: wanted.path.clone(),
        back: wanted.back.clone(),
    })
}

/// The names of the agents that `owner` answers for.
fn agents_of(clients: &[Client], owner: &UserId) -> Vec<String> {
    let owned = |client: &&Client| client.agent().is_some_and(|agent| agent.owner == *owner);
    clients.iter().filter(owned).map(|client| client.name.clone()).collect()
}

async fn end(
    app: &App,
    browser: &Browser,
    wanted: Result<Option<Wanted>, StoreError>,
    Form(form): Form,
) -> Response {
    let Some(signed_in) = admin(browser) else { return sign_in::first(browser) };
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return browser.error(WhatHappened::FormRefused, None),
        Err(reason) => return browser.broken(&reason),
    }
    let wanted = match wanted {
        Ok(Some(wanted)) => wanted,
        Ok(None) => return browser.error(WhatHappened::NotFound, None),
        Err(error) => return browser.broken(&error.into()),
    };
    if !sign_in::is_fresh(browser) {
        return sign_in::again(&wanted.path);
    }
    let admin = Admin::Person { id: &signed_in.user, session: &signed_in.session };
    match endings::carry_out(app, &browser.visit, admin, &wanted.order).await {
        Ok(Some(ended)) => {
            let Wanted { what, name, back, .. } = wanted;
            let view = AdminEndedPage { page: browser.page(), what, name, ended: in_numbers(&ended), back };
            render(StatusCode::OK, &view, None)
        }
        Ok(None) => browser.error(WhatHappened::NotFound, None),
        Err(failure) => browser.failure(&failure),
    }
}

/// Where the page is that asks whether to do this to an agent.
pub(super) fn path_of(agent: &Client, operation: Operation) -> String {
    format!("/admin/clients/{}/{}", in_path(&agent.id), operation.as_str())
}

/// An operation for the pages.
pub(super) const fn in_words(operation: Operation) -> EndingInWords {
    match operation {
        Operation::Suspend => EndingInWords::Suspend,
        Operation::Resume => EndingInWords::Resume,
        Operation::Retire => EndingInWords::Retire,
    }
}

fn in_numbers(ended: &Ended) -> EndedInNumbers {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    EndedInNumbers {
        agents: number(ended.agents),
        sessions: number(ended.sessions),
        consents: number(ended.consents),
        tasks: number(ended.tasks),
        tokens: number(ended.tokens),
        pending: number(ended.pending),
    }
}

//! Stopping an agent, and ending everything of somebody's: a page that says what will end, and one that says what did.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::client::Client;
use protocol::ending::Operation;
use protocol::user::User;

use super::client_marks::in_path;
use super::page::{Browser, Form, render};
use super::sign_in;
use super::views::{AdminEndedPage, AdminEndingPage, EndedInNumbers, EndingInWords, WhatHappened};
use crate::app::App;
use crate::authorization::SignedIn;
use crate::endings::{self, Admin};
use crate::failure::{Broken, Failure};
use crate::store::{Ended, StoreError};

/// What is to be ended.
enum Wanted {
    Agent(Arc<Client>, Operation),
    User(Arc<User>),
    Owner(Arc<User>),
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
    ask(&app, &browser, user(&app, &id, &ending).await).await
}

/// `POST /admin/users/{user_id}/{ending}`.
pub async fn end_user(
    State(app): State<Arc<App>>,
    browser: Browser,
    Path((id, ending)): Path<(String, String)>,
    form: Form,
) -> Response {
    end(&app, &browser, user(&app, &id, &ending).await, form).await
}

/// The agent of this id, if that can be done to it now.
async fn agent(app: &App, id: &str, operation: &str) -> Result<Option<Wanted>, StoreError> {
    let (Ok(id), Ok(operation)) = (id.parse(), operation.parse::<Operation>()) else { return Ok(None) };
    let Some(client) = app.store.find_client(&id).await?.filter(|client| client.agent().is_some()) else {
        return Ok(None);
    };
    let halt = app.store.find_halt(&id).await?.map(|halted| halted.halt);
    Ok(operation.is_possible(halt).then_some(Wanted::Agent(client, operation)))
}

async fn user(app: &App, id: &str, ending: &str) -> Result<Option<Wanted>, StoreError> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let Some(user) = app.store.find_user(&id).await? else { return Ok(None) };
    Ok(match ending {
        _ if ending == EndingInWords::User.word() => Some(Wanted::User(user)),
        _ if ending == EndingInWords::Owner.word() => Some(Wanted::Owner(user)),
        _ => None,
    })
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
        return sign_in::again(&wanted.path());
    }
    match question(app, browser, &wanted).await {
        Ok(view) => render(StatusCode::OK, &view, None),
        Err(reason) => browser.broken(&reason),
    }
}

async fn question(app: &App, browser: &Browser, wanted: &Wanted) -> Result<AdminEndingPage, Broken> {
    let agents = match wanted {
        Wanted::Owner(owner) => agents_of(&app.store.clients().await?, owner),
        Wanted::Agent(..) | Wanted::User(_) => Vec::new(),
    };
    Ok(AdminEndingPage {
        page: browser.page(),
        csrf: browser.csrf(app).await?,
        what: wanted.in_words(),
        name: wanted.name().to_owned(),
        id: wanted.id().to_owned(),
        agents,
        action: wanted.path(),
        back: wanted.back(),
    })
}

/// The names of the agents that `owner` answers for.
fn agents_of(clients: &[Client], owner: &User) -> Vec<String> {
    let owned = |client: &&Client| client.agent().is_some_and(|agent| agent.owner == owner.id);
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
        return sign_in::again(&wanted.path());
    }
    let admin = Admin { id: &signed_in.user, session: &signed_in.session };
    match carry_out(app, browser, admin, &wanted).await {
        Ok(ended) => {
            let (page, what, name) = (browser.page(), wanted.in_words(), wanted.name().to_owned());
            let view = AdminEndedPage { page, what, name, ended: in_numbers(ended), back: wanted.back() };
            render(StatusCode::OK, &view, None)
        }
        Err(failure) => browser.failure(&failure),
    }
}

async fn carry_out(
    app: &App,
    browser: &Browser,
    admin: Admin<'_>,
    wanted: &Wanted,
) -> Result<Ended, Failure> {
    match wanted {
        Wanted::Agent(client, operation) => {
            endings::operate(app, &browser.visit, admin, client, *operation).await
        }
        Wanted::User(user) => endings::end_user(app, &browser.visit, admin, &user.id).await,
        Wanted::Owner(owner) => endings::end_owner(app, &browser.visit, admin, &owner.id).await,
    }
}

impl Wanted {
    const fn in_words(&self) -> EndingInWords {
        match self {
            Self::Agent(_, operation) => in_words(*operation),
            Self::User(_) => EndingInWords::User,
            Self::Owner(_) => EndingInWords::Owner,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Agent(client, _) => &client.name,
            Self::User(user) | Self::Owner(user) => &user.name,
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Agent(client, _) => client.id.as_str(),
            Self::User(user) | Self::Owner(user) => &user.username,
        }
    }

    fn path(&self) -> String {
        match self {
            Self::Agent(client, operation) => path_of(client, *operation),
            Self::User(user) | Self::Owner(user) => {
                format!("/admin/users/{}/{}", user.id, self.in_words().word())
            }
        }
    }

    fn back(&self) -> String {
        match self {
            Self::Agent(client, _) => format!("/admin/clients/{}", in_path(&client.id)),
            Self::User(_) | Self::Owner(_) => "/admin".to_owned(),
        }
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

fn in_numbers(ended: Ended) -> EndedInNumbers {
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

//! Ending at every level, by an admin's hand: a page that says what will end, and one that says what did. Agents, accounts
//! and tasks are stopped, and let go on, in the same way.

mod wanted;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::client::Client;
use protocol::ending::Order;
use protocol::identifier::UserId;

pub use wanted::Named;
pub(super) use wanted::{in_words, path_of, path_of_instance};

use self::wanted::{Wanted, wanted};
use super::page::{Browser, Form, render};
use super::sign_in;
use super::views::{AdminEndedPage, AdminEndingPage, WhatHappened};
use super::what_ended;
use crate::app::App;
use crate::endings::{self, Admin};
use crate::failure::Broken;

/// Asks whether to end what the path names.
pub async fn ask(State(app): State<Arc<App>>, browser: Browser, Path(named): Path<Named>) -> Response {
    if browser.admin().is_none() {
        return sign_in::first(&browser);
    }
    let wanted = match find(&app, &browser, &named).await {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    match question(&app, &browser, wanted).await {
        Ok(view) => render(StatusCode::OK, &view, None),
        Err(reason) => browser.broken(&reason),
    }
}

/// What the path names, for an admin who has just signed in.
async fn find(app: &App, browser: &Browser, named: &Named) -> Result<Wanted, Box<Response>> {
    match wanted(app, browser, named).await {
        Ok(Some(wanted)) if sign_in::is_fresh(browser) => Ok(wanted),
        Ok(Some(wanted)) => Err(Box::new(sign_in::again(&wanted.path))),
        Ok(None) => Err(Box::new(browser.error(WhatHappened::NotFound, None))),
        Err(error) => Err(Box::new(browser.broken(&error.into()))),
    }
}

async fn question(app: &App, browser: &Browser, wanted: Wanted) -> Result<AdminEndingPage, Broken> {
    let agents = match &wanted.order {
        Order::Owner(owner) => agents_of(&app.store.clients().await?, owner),
        _ => Vec::new(),
    };
    Ok(AdminEndingPage {
        page: browser.page(),
        csrf: browser.csrf(app).await?,
        what: wanted.what,
        name: wanted.name,
        id: wanted.id,
        agents,
        action: wanted.path,
        back: wanted.back,
    })
}

/// The names of the agents that `owner` answers for.
fn agents_of(clients: &[Client], owner: &UserId) -> Vec<String> {
    let owned = |client: &&Client| client.agent().is_some_and(|agent| agent.owner == *owner);
    clients.iter().filter(owned).map(|client| client.name.clone()).collect()
}

/// Ends it.
pub async fn end(
    State(app): State<Arc<App>>,
    browser: Browser,
    Path(named): Path<Named>,
    Form(form): Form,
) -> Response {
    let begun = Instant::now();
    let Some(signed_in) = browser.admin() else { return sign_in::first(&browser) };
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return browser.error(WhatHappened::FormRefused, None),
        Err(reason) => return browser.broken(&reason),
    }
    let wanted = match find(&app, &browser, &named).await {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    let admin = Admin::Person { id: &signed_in.user, session: &signed_in.session };
    match endings::carry_out(&app, &browser.visit, admin, &wanted.order).await {
        Ok(Some(ended)) => {
            let Wanted { what, name, back, .. } = wanted;
            let ended = what_ended::told(&app, &ended, begun).await;
            render(StatusCode::OK, &AdminEndedPage { page: browser.page(), what, name, ended, back }, None)
        }
        Ok(None) => browser.error(WhatHappened::NotFound, None),
        Err(failure) => browser.failure(&failure),
    }
}

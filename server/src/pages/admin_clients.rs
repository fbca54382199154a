//! `/admin/clients`: every client, and on one page what it may and must do.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::client::{Client, ClientKind};
use protocol::client_rules;
use protocol::ending::Operation;
use protocol::identifier::ClientId;

use super::admin_endings;
use super::client_marks::in_path;
use super::page::{Browser, render};
use super::sign_in;
use super::views::{
    AdminClientPage, AdminClientsPage, ClientRow, EndingLink, Kind, VouchedFor, WhatHappened,
};
use crate::app::App;
use crate::failure::Broken;
use crate::registration::{self, Vouched};

/// `GET /admin/clients`.
pub async fn list(State(app): State<Arc<App>>, browser: Browser) -> Response {
    if !is_admin(&browser) {
        return sign_in::first(&browser);
    }
    match rows(&app).await {
        Ok(clients) => render(StatusCode::OK, &AdminClientsPage { page: browser.page(), clients }, None),
        Err(reason) => browser.broken(&reason),
    }
}

/// `GET /admin/clients/{client_id}`.
pub async fn one(State(app): State<Arc<App>>, browser: Browser, Path(id): Path<String>) -> Response {
    if !is_admin(&browser) {
        return sign_in::first(&browser);
    }
    match view(&app, &browser, &id).await {
        Ok(Some(view)) => render(StatusCode::OK, &view, None),
        Ok(None) => browser.error(WhatHappened::NotFound, None),
        Err(reason) => browser.broken(&reason),
    }
}

fn is_admin(browser: &Browser) -> bool {
    browser.signed_in.as_ref().is_some_and(|(_, user)| user.admin)
}

async fn rows(app: &App) -> Result<Vec<ClientRow>, Broken> {
    let mut rows = Vec::new();
    for client in app.store.clients().await? {
        rows.push(row(app, &client).await?);
    }
    Ok(rows)
}

async fn view(app: &App, browser: &Browser, id: &str) -> Result<Option<AdminClientPage>, Broken> {
    let Ok(id) = id.parse::<ClientId>() else { return Ok(None) };
    let Some(client) = app.store.find_client(&id).await? else { return Ok(None) };
    let lines = client_rules::lines(&client, app.settings.code_life);
    let halted = app.store.find_halt(&id).await?;
    let halt = halted.map(|halted| halted.halt);
    let possible = |operation: &Operation| client.agent().is_some() && operation.is_possible(halt);
    let link = |operation| EndingLink {
        what: admin_endings::in_words(operation),
        path: admin_endings::path_of(&client, operation),
    };
    let endings = Operation::ALL.into_iter().filter(possible).map(link).collect();
    let halted_at = halted.map(|halted| halted.at);
    let client = row(app, &client).await?;
    Ok(Some(AdminClientPage { page: browser.page(), client, halted_at, endings, lines }))
}

async fn row(app: &App, client: &Client) -> Result<ClientRow, Broken> {
    Ok(ClientRow {
        id: client.id.to_string(),
        path: format!("/admin/clients/{}", in_path(&client.id)),
        name: client.name.clone(),
        kind: match client.kind {
            ClientKind::Application => Kind::Application,
            ClientKind::Service => Kind::Service,
            ClientKind::Agent(_) => Kind::Agent,
        },
        profile: client.profile.as_str(),
        vouched: match registration::vouched(app, client).await? {
            Vouched::ByOperator => VouchedFor::Operator,
            Vouched::Nobody => VouchedFor::Nobody,
            Vouched::ItsDocument { .. } => VouchedFor::Document,
        },
        status: client.status,
    })
}

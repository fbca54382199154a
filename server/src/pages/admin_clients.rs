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
use super::admin_held::{MOST, held};
use super::client_marks::in_path;
use super::page::{Browser, render};
use super::sign_in;
use super::views::{AdminClientPage, AdminClientsPage, ClientRow, EndingLink, InstanceRow, Kind, VouchedFor};
use crate::app::App;
use crate::failure::{Broken, Failure};
use crate::registration::{self, Vouched};
use crate::store::{SeenInstance, Under};

/// `GET /admin/clients`.
pub async fn list(State(app): State<Arc<App>>, browser: Browser) -> Response {
    if browser.admin().is_none() {
        return sign_in::first(&browser);
    }
    match rows(&app).await {
        Ok(clients) => render(StatusCode::OK, &AdminClientsPage { page: browser.page(), clients }, None),
        Err(reason) => browser.broken(&reason),
    }
}

/// `GET /admin/clients/{client_id}`.
pub async fn one(State(app): State<Arc<App>>, browser: Browser, Path(id): Path<String>) -> Response {
    if browser.admin().is_none() {
        return sign_in::first(&browser);
    }
    browser.found(view(&app, &browser, &id).await)
}

/// Where the page of a client is.
pub(super) fn page_of(id: &ClientId) -> String {
    format!("/admin/clients/{}", in_path(id.as_str()))
}

async fn rows(app: &App) -> Result<Vec<ClientRow>, Broken> {
    let mut rows = Vec::new();
    for client in app.store.clients().await? {
        rows.push(row(app, &client).await?);
    }
    Ok(rows)
}

async fn view(app: &App, browser: &Browser, id: &str) -> Result<Option<AdminClientPage>, Failure> {
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
    let seen = app.store.instances_of(&id, browser.visit.now, MOST as u64 + 1).await?;
    Ok(Some(AdminClientPage {
        page: browser.page(),
        client: row(app, &client).await?,
        halted_at,
        endings,
        more_instances: seen.len() > MOST,
        instances: seen.into_iter().take(MOST).map(|seen| instance_row(&id, seen)).collect(),
        held: held(app, browser, &Under::Client(id)).await?,
        lines,
    }))
}

fn instance_row(client: &ClientId, seen: SeenInstance) -> InstanceRow {
    InstanceRow {
        end: admin_endings::path_of_instance(client, &seen.id),
        id: seen.id.to_string(),
        first: seen.first,
        last: seen.last,
        tokens: i64::try_from(seen.tokens).unwrap_or(i64::MAX),
        ended_at: seen.ended_at,
    }
}

async fn row(app: &App, client: &Client) -> Result<ClientRow, Broken> {
    Ok(ClientRow {
        id: client.id.to_string(),
        path: page_of(&client.id),
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

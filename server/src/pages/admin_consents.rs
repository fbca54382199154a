//! `/admin/consents/{consent_id}`: what one user allowed one actor, what is done under it, and what is alive under it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use protocol::consent::{Consent, ConsentState};
use protocol::identifier::{ClientId, ConsentId, UserId};
use protocol::task::Intent;

use super::account::name_of;
use super::admin_clients::page_of;
use super::admin_held::{MOST, held};
use super::allowed::allowed;
use super::page::Browser;
use super::sign_in;
use super::task_tree::{Reader, tree};
use super::views::{AdminConsentPage, ClientLink, ConsentEnd};
use crate::app::App;
use crate::failure::Failure;
use crate::store::Under;

/// `GET /admin/consents/{consent_id}`.
pub async fn one(State(app): State<Arc<App>>, browser: Browser, Path(id): Path<String>) -> Response {
    if browser.admin().is_none() {
        return sign_in::first(&browser);
    }
    browser.found(view(&app, &browser, &id).await)
}

async fn view(app: &App, browser: &Browser, id: &str) -> Result<Option<AdminConsentPage>, Failure> {
    let Ok(id) = id.parse::<ConsentId>() else { return Ok(None) };
    let Some(consent) = app.store.find_consent_now(&id).await? else { return Ok(None) };
    let registry = app.registry_of(Some(&consent)).await?;
    let authority = &consent.authority;
    let lines = app.store.tasks_of_consent(&id).await?;
    let mut tasks = tree(app, browser, lines, Reader::Admin).await?;
    let more_tasks = tasks.len() > MOST;
    tasks.truncate(MOST);
    Ok(Some(AdminConsentPage {
        page: browser.page(),
        id: id.to_string(),
        user_name: name_of_user(app, &consent.user).await?,
        actor: client_link(app, &consent.actor).await?,
        client: match consent.client == consent.actor {
            true => None,
            false => Some(client_link(app, &consent.client).await?),
        },
        end: end(&consent, browser),
        allowed: allowed(&registry, authority, &Intent::default(), browser.language.code()),
        claims: consent.claims.iter().cloned().collect(),
        passing_on_max: consent.passing_on.further(),
        offline_access: consent.offline_access,
        since: consent.created_at,
        until: authority.until,
        tasks,
        more_tasks,
        held: held(app, browser, &Under::Consent(id)).await?,
        brought_by: consent.brought_by,
    }))
}

fn end(consent: &Consent, browser: &Browser) -> Option<ConsentEnd> {
    match consent.state {
        ConsentState::Revoked => Some(ConsentEnd::Revoked),
        ConsentState::Active if consent.is_live(browser.visit.now) => None,
        ConsentState::Active => Some(ConsentEnd::TimeOver),
    }
}

/// How pages address a user; the id where there is no such user any more.
pub(super) async fn name_of_user(app: &App, id: &UserId) -> Result<String, Failure> {
    let user = app.store.find_user(id).await?;
    Ok(user.map_or_else(|| id.to_string(), |user| user.name.clone()))
}

/// A client by its name, with the way to its page.
pub(super) async fn client_link(app: &App, id: &ClientId) -> Result<ClientLink, Failure> {
    let (name, kind) = name_of(app, id).await?;
    Ok(ClientLink { name, kind, path: page_of(id) })
}

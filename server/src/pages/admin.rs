//! `/admin`: agents, live consents and the last decisions, for admins to look at; links for users who forgot their
//! password, and the ways to end what somebody has.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::audit::LoggedEvent;
use protocol::client::Client;
use protocol::consent::Consent;
use protocol::task::{Intent, Task};
use protocol::user::User;

use super::account::name_of;
use super::admin_clients::page_of;
use super::allowed::what;
use super::page::{Browser, Form, one, render};
use super::sign_in;
use super::views::{
    AdminPage, AgentRow, AuditRow, ConsentRow, ResetLinkPage, TaskRow, UserRow, WhatHappened,
};
use crate::app::App;
use crate::failure::Failure;
use crate::sign_in::InSession;
use crate::store::UserFilter;

/// How many events and consents are shown.
const MOST_ROWS: u64 = 50;

/// How many users are shown.
const MOST_USERS: u64 = 1000;

/// `GET /admin`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser) -> Response {
    if browser.admin().is_none() {
        return sign_in::first(&browser);
    }
    match view(&app, &browser).await {
        Ok(view) => render(StatusCode::OK, &view, None),
        Err(failure) => browser.failure(&failure),
    }
}

async fn view(app: &App, browser: &Browser) -> Result<AdminPage, Failure> {
    let mut agents = Vec::new();
    let mut owners = BTreeSet::new();
    for client in app.store.clients().await? {
        owners.extend(client.agent().map(|agent| agent.owner.to_string()));
        agents.extend(agent_row(app, browser, &client).await?);
    }
    let mut consents = Vec::new();
    let recent = app.store.recent_consents(MOST_ROWS).await?;
    for consent in recent.iter().filter(|consent| consent.is_live(browser.visit.now)) {
        consents.push(consent_row(app, browser, consent).await?);
    }
    let mut events = app.store.audit_tail(MOST_ROWS).await?;
    events.sort_by_key(|logged| std::cmp::Reverse(logged.seq));
    let events = events.into_iter().map(audit_row).collect();
    let mut all = app.store.users_after(None, &UserFilter::default(), MOST_USERS).await?;
    all.sort_by(|a, b| a.username.cmp(&b.username));
    let mut users = Vec::with_capacity(all.len());
    for user in all {
        // Few are disabled; of these it is asked who did it.
        let halted = !user.enabled && app.store.find_account_halt(&user.id).await?.is_some();
        users.push(user_row(user, &owners, halted));
    }
    let mut tasks = Vec::new();
    for task in app.store.recent_open_tasks(MOST_ROWS, browser.visit.now).await? {
        tasks.push(task_row(app, &task).await?);
    }
    let csrf = browser.csrf(app).await?;
    Ok(AdminPage { page: browser.page(), csrf, users, agents, consents, tasks, events })
}

fn user_row(user: User, owners: &BTreeSet<String>, halted: bool) -> UserRow {
    UserRow {
        id: user.id.to_string(),
        email: user.email().map(str::to_owned),
        has_password: user.password_hash.is_some(),
        has_agents: owners.contains(user.id.as_str()),
        enabled: user.enabled,
        halted,
        path: format!("/admin/users/{}", user.id),
        username: user.username,
        name: user.name,
    }
}

/// `POST /admin/users/reset-link`: a link for a new password, shown this once.
pub async fn reset_link(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let Some(signed_in) = browser.admin() else { return sign_in::first(&browser) };
    let admin = InSession { user: &signed_in.user, session: &signed_in.session };
    match browser.sent_by_our_form(&form).await {
        Ok(true) if sign_in::is_fresh(&browser) => {}
        Ok(true) => return sign_in::again("/admin"),
        Ok(false) => return browser.error(WhatHappened::FormRefused, None),
        Err(reason) => return browser.broken(&reason),
    }
    let found = match one(&form, "user").parse() {
        Ok(id) => app.store.find_user(&id).await,
        Err(_) => Ok(None),
    };
    let user = match found {
        Ok(Some(user)) if user.enabled => user,
        Ok(_) => return browser.error(WhatHappened::NotFound, None),
        Err(error) => return browser.failure(&error.into()),
    };
    match crate::sign_in::link_for(&app, &browser.visit, &user, admin).await {
        Ok(link) => {
            let (username, link) = (user.username.clone(), link.reveal().to_owned());
            render(StatusCode::OK, &ResetLinkPage { page: browser.page(), username, link }, None)
        }
        Err(failure) => browser.failure(&failure),
    }
}

async fn agent_row(app: &App, browser: &Browser, client: &Client) -> Result<Option<AgentRow>, Failure> {
    let Some(agent) = client.agent() else { return Ok(None) };
    let owner = app.store.find_user(&agent.owner).await?;
    Ok(Some(AgentRow {
        id: client.id.to_string(),
        path: page_of(&client.id),
        name: client.name.clone(),
        owner_name: owner.map_or_else(|| agent.owner.to_string(), |owner| owner.name.clone()),
        purpose: agent.purpose.clone(),
        expires_at: agent.expires_at,
        expired: agent.expires_at.is_over(browser.visit.now),
        status: client.status,
    }))
}

async fn consent_row(app: &App, browser: &Browser, consent: &Consent) -> Result<ConsentRow, Failure> {
    let registry = app.registry_of(Some(consent)).await?;
    let user = app.store.find_user(&consent.user).await?;
    Ok(ConsentRow {
        id: consent.id.to_string(),
        user_name: user.map_or_else(|| consent.user.to_string(), |user| user.name.clone()),
        actor_name: name_of(app, &consent.actor).await?.0,
        client_name: name_of(app, &consent.client).await?.0,
        what: what(&registry, &consent.authority, &Intent::default(), browser.language.code()),
        since: consent.created_at,
        until: consent.authority.until,
    })
}

async fn task_row(app: &App, task: &Task) -> Result<TaskRow, Failure> {
    let user = app.store.find_user(&task.user).await?;
    Ok(TaskRow {
        id: task.id.to_string(),
        user_name: user.map_or_else(|| task.user.to_string(), |user| user.name.clone()),
        actor_name: name_of(app, &task.actor).await?.0,
        purpose: task.intent.purpose.clone(),
        deadline: task.deadline,
    })
}

fn audit_row(logged: LoggedEvent) -> AuditRow {
    let LoggedEvent { seq, event } = logged;
    let action = serde_json::to_value(event.action).ok().and_then(|word| word.as_str().map(str::to_owned));
    AuditRow {
        seq,
        time: event.time,
        action: action.unwrap_or_default(),
        outcome: event.outcome,
        client: event.client.map(|client| client.to_string()),
        chain: event.chain.actors().iter().map(|actor| actor.sub.to_string()).collect(),
        reason: event.reason,
    }
}

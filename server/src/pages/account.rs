//! `/account`: what the user allowed, to whom, and the button that ends it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::consent::{Consent, ConsentState};
use protocol::identifier::{ClientId, ConsentId};
use protocol::numeric_date::NumericDate;
use protocol::task::{Intent, Task};
use protocol::third_party_login;

use super::allowed::what;
use super::page::{Browser, Form, one, render, see_other};
use super::sign_in;
use super::task_tree::{Reader, tree};
use super::views::{
    AccountPage, ConsentEnd, ConsentSummary, EndedConsent, JustDone, Kind, LiveTokens, WhatHappened,
};
use super::what_ended;
use crate::app::App;
use crate::approvals;
use crate::failure::Failure;
use crate::store::Ended;

/// The session's key for what was just done.
const JUST_DONE: &str = "account_just_done";

/// `GET /account`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser) -> Response {
    if browser.signed_in.is_none() {
        return sign_in::first(&browser);
    }
    match view(&app, &browser).await {
        Ok(view) => render(StatusCode::OK, &view, None),
        Err(failure) => browser.failure(&failure),
    }
}

async fn view(app: &App, browser: &Browser) -> Result<AccountPage, Failure> {
    let user = browser.login().map(|signed_in| signed_in.user.clone());
    let all = match &user {
        Some(user) => app.store.consents_of_user(user).await?,
        None => Vec::new(),
    };
    let mut consents = Vec::new();
    let mut ended = Vec::new();
    for consent in &all {
        if consent.is_live(browser.visit.now) {
            consents.push(live(app, browser, consent).await?);
        } else {
            ended.push(over(app, browser, consent).await?);
        }
    }
    let just_done = browser.session.remove::<JustDone>(JUST_DONE).await.ok().flatten();
    let waiting = match &user {
        Some(user) => {
            let now = browser.visit.now;
            app.store.count_waiting_for_user(user, now).await?
                + app.store.count_deferrals_for(user, now).await?
        }
        None => 0,
    };
    let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
    let csrf = browser.csrf(app).await?;
    let connections = app.upstreams.iter().next().is_some();
    let page = browser.page();
    Ok(AccountPage { page, csrf, just_done, waiting, connections, consents, ended })
}

async fn live(app: &App, browser: &Browser, consent: &Consent) -> Result<ConsentSummary, Failure> {
    let registry = app.registry_of(Some(consent)).await?;
    let (actor_name, kind) = name_of(app, &consent.actor).await?;
    let client_name = match consent.client == consent.actor {
        true => None,
        false => Some(name_of(app, &consent.client).await?.0),
    };
    let tasks = app.store.tasks_of_consent(&consent.id).await?;
    // A task stands there with its purpose and its reference, and need not say them twice.
    let Intent { purpose, reference, .. } = Intent::of(&consent.authority.details);
    let said_there = |task: &Task| task.intent.purpose == purpose && task.intent.reference == reference;
    let stands = tasks.iter().filter_map(|line| line.first()).any(said_there);
    let said = if stands { Intent { purpose, reference, ..Intent::default() } } else { Intent::default() };
    Ok(ConsentSummary {
        id: consent.id.to_string(),
        actor_name,
        kind,
        client_name,
        open: open_link(app, consent).await?,
        since: consent.created_at,
        until: consent.authority.until,
        what: what(&registry, &consent.authority, &said, browser.language.code()),
        passing_on_max: consent.passing_on.further(),
        offline_access: consent.offline_access,
        tasks: tree(app, browser, tasks, Reader::User).await?,
        tokens: live_tokens(app, consent, browser.visit.now).await?,
    })
}

/// The link that opens the application (OpenID Connect Core §4). The user name goes along only where the application
/// may know it anyway.
async fn open_link(app: &App, consent: &Consent) -> Result<Option<String>, Failure> {
    if consent.client != consent.actor {
        return Ok(None);
    }
    let Some(client) = app.store.find_client(&consent.client).await? else { return Ok(None) };
    let Some(to) = &client.metadata.initiate_login_uri else { return Ok(None) };
    let user = app.store.find_user(&consent.user).await?;
    let knows = consent.authority.scope.contains("profile");
    let login_hint = user.as_ref().filter(|_| knows).map(|user| user.username.as_str());
    let target = client.metadata.client_uri.as_ref();
    Ok(Some(third_party_login::url(to, app.issuer(), login_hint, target).into()))
}

async fn over(app: &App, browser: &Browser, consent: &Consent) -> Result<EndedConsent, Failure> {
    let registry = app.registry_of(Some(consent)).await?;
    let (actor_name, kind) = name_of(app, &consent.actor).await?;
    Ok(EndedConsent {
        actor_name,
        kind,
        since: consent.created_at,
        what: what(&registry, &consent.authority, &Intent::default(), browser.language.code()),
        end: match consent.state {
            ConsentState::Revoked => ConsentEnd::Revoked,
            ConsentState::Active => ConsentEnd::TimeOver,
        },
    })
}

/// How many tokens live, by who acts with them.
async fn live_tokens(app: &App, consent: &Consent, now: NumericDate) -> Result<Vec<LiveTokens>, Failure> {
    let mut by_chain: BTreeMap<Vec<String>, u32> = BTreeMap::new();
    for token in app.store.tokens_of_consent(&consent.id, now).await? {
        let mut chain = Vec::new();
        for actor in token.chain.actors() {
            chain.push(name_of(app, &actor.sub).await?.0);
        }
        if chain.is_empty() {
            chain.push(name_of(app, &token.client).await?.0);
        }
        *by_chain.entry(chain).or_default() += 1;
    }
    Ok(by_chain.into_iter().map(|(chain, count)| LiveTokens { chain, count }).collect())
}

/// A client's name and kind; its id where it is not there any more.
pub(super) async fn name_of(app: &App, id: &ClientId) -> Result<(String, Kind), Failure> {
    let found = app.store.find_client(id).await?;
    Ok(found.map_or_else(
        || (id.to_string(), Kind::Application),
        |client| (client.name.clone(), Kind::from(&client.kind)),
    ))
}

/// `POST /account/consents/end`.
pub async fn end(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let begun = Instant::now();
    let Some(signed_in) = browser.login() else { return sign_in::first(&browser) };
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return browser.error(WhatHappened::FormRefused, None),
        Err(reason) => return browser.broken(&reason),
    }
    let id: Option<ConsentId> = one(&form, "consent").parse().ok();
    let found = match id {
        Some(id) => app.store.find_consent(&id).await,
        None => Ok(None),
    };
    let consent = match found {
        Ok(Some(consent)) if consent.user == signed_in.user => consent,
        Ok(_) => return browser.error(WhatHappened::NotFound, None),
        Err(error) => return browser.failure(&error.into()),
    };
    let event = AuditEvent::new(Action::ConsentEnd, Outcome::Granted, browser.visit.now);
    match approvals::end(&app, &browser.visit, &consent, event).await {
        Ok(ended) => {
            let done = (JustDone::CONSENT_ENDED, &consent.actor, Some(&ended));
            show_next(&app, &browser, done, begun).await
        }
        Err(failure) => browser.failure(&failure),
    }
}

/// The account page, which says what was just done, to whom, and what ended by it. It was done: where that cannot be
/// told, the page says nothing of it.
pub(super) async fn show_next(
    app: &App,
    browser: &Browser,
    (done, actor, ended): (&str, &ClientId, Option<&Ended>),
    begun: Instant,
) -> Response {
    let ended = match ended {
        Some(ended) => Some(what_ended::told(app, ended, begun).await),
        None => None,
    };
    if let Ok((name, _)) = name_of(app, actor).await {
        let done = JustDone { done: done.to_owned(), name, ended };
        let _ = browser.session.insert(JUST_DONE, done).await;
    }
    see_other("/account")
}

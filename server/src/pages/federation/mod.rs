//! Signing in at an upstream OpenID Provider: the way there, the way back, and the page that says why it did not work.

pub mod connections;

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use protocol::federation::account::AccountRefused;
use protocol::federation::demand::Demand;
use protocol::params::Params;
use url::Url;

use super::page::{Browser, one, render, session_broken};
use super::sign_in::{self, Way};
use super::views::{LeavingPage, UpstreamButton, UpstreamTrouble, UpstreamTroublePage, WhatHappened};
use crate::app::App;
use crate::failure::{Broken, Failure};
use crate::federation::{self, Attempt, Proven, Purpose, Trouble};
use crate::upstreams::Connection;

pub use crate::federation::Until as Ends;

/// The session's key for the ways to upstreams that somebody began.
const ATTEMPTS: &str = "upstream_attempts";
/// The session's key for its latest end.
pub const UNTIL: &str = "upstream_until";
/// The most ways that one browser may have begun at once.
const MOST_ATTEMPTS: usize = 5;

/// The buttons of the sign-in page.
#[must_use]
pub fn buttons(app: &App, browser: &Browser) -> Vec<UpstreamButton> {
    let shown = app.upstreams.iter().filter(|connection| connection.declared.button);
    let button = |connection: &Arc<Connection>| UpstreamButton {
        id: connection.upstream().id.to_string(),
        name: connection.upstream().name_in(browser.language.code()).to_owned(),
    };
    shown.map(button).collect()
}

/// Leads somebody who sent the sign-in form to the upstream whose button they pressed, or that speaks for the domain of
/// the address they typed; nowhere, where there is none. A password that they typed is not even looked at.
pub async fn from_sign_in(app: &App, browser: &Browser, form: &Params, way: &Way) -> Option<Response> {
    let typed = one(form, "username");
    let connection = match one(form, "upstream") {
        "" => app.upstreams.of_address(typed)?,
        id => app.upstreams.find(id)?,
    };
    let purpose = Purpose::SignIn { interaction: way.interaction.clone(), then: way.next.clone() };
    let request = way.waiting.as_ref().map(|waiting| &waiting.request);
    let client = match &way.waiting {
        Some(waiting) => match app.store.find_client(&waiting.client).await {
            Ok(client) => client,
            Err(error) => return Some(browser.broken(&error.into())),
        },
        None => None,
    };
    let demand = match request.zip(client) {
        // What the client registered counts where its request says nothing (OpenID Connect Registration §2).
        Some((request, client)) => {
            let acr = request.acr_for(&client, false);
            Demand::of(request.prompt, request.max_age_for(&client), acr.values)
        }
        // Whoever is signed in already and comes here without anything waiting wants to prove that it is them.
        None if browser.signed_in.is_some() => Demand::again(),
        None => Demand::default(),
    };
    let asked_hint = request.and_then(|request| request.login_hint.as_deref()).unwrap_or_default();
    let hint = if connection.upstream().speaks_for(typed) { typed } else { asked_hint };
    let locales = request.and_then(|request| request.ui_locales.as_deref());
    let hints = [("login_hint", hint), ("ui_locales", locales.unwrap_or(browser.language.code()))];
    Some(leave(app, browser, connection, purpose, demand, &hints).await)
}

/// Remembers the way and sends the browser on it. The page in between is there because browsers hold whatever a form
/// redirects to against the page's policy (CSP 3 §6.4.1), and where an upstream redirects to is not ours to know.
pub(super) async fn leave(
    app: &App,
    browser: &Browser,
    connection: &Connection,
    purpose: Purpose,
    demand: Demand,
    hints: &[(&'static str, &str)],
) -> Response {
    let begun = federation::begin(app, &browser.visit, connection, purpose.clone(), demand, hints).await;
    let (attempt, url) = match begun {
        Ok(begun) => begun,
        Err(trouble) => return in_trouble(app, browser, connection, &purpose, trouble).await,
    };
    match keep(browser, attempt).await {
        Ok(()) => leaving(browser, connection, &url),
        Err(reason) => browser.broken(&reason),
    }
}

fn leaving(browser: &Browser, connection: &Connection, url: &Url) -> Response {
    let mut page = browser.page();
    page.user_name = None;
    let name = connection.upstream().name_in(browser.language.code()).to_owned();
    render(StatusCode::OK, &LeavingPage { page, upstream_name: name, url: url.to_string() }, None)
}

async fn attempts(browser: &Browser) -> Result<Vec<Attempt>, Broken> {
    let kept = browser.session.get::<Vec<Attempt>>(ATTEMPTS).await.map_err(session_broken)?;
    let mut kept = kept.unwrap_or_default();
    kept.retain(|attempt| !attempt.is_over(browser.visit.now));
    Ok(kept)
}

async fn keep(browser: &Browser, attempt: Attempt) -> Result<(), Broken> {
    let mut kept = attempts(browser).await?;
    kept.push(attempt);
    let first = kept.len().saturating_sub(MOST_ATTEMPTS);
    browser.session.insert(ATTEMPTS, &kept[first..]).await.map_err(session_broken)
}

/// The attempt that this answer belongs to, taken out of the session.
async fn take(browser: &Browser, upstream: &str, state: &str) -> Result<Option<Attempt>, Broken> {
    let mut kept = attempts(browser).await?;
    let is_it =
        |attempt: &Attempt| attempt.upstream.as_str() == upstream && crate::app::same(&attempt.state, state);
    let Some(index) = kept.iter().position(is_it) else { return Ok(None) };
    let attempt = kept.swap_remove(index);
    browser.session.insert(ATTEMPTS, &kept).await.map_err(session_broken)?;
    Ok(Some(attempt))
}

/// `GET /federation/{upstream}/callback` (RFC 6749 §4.1.2): somebody comes back.
pub async fn callback(
    State(app): State<Arc<App>>,
    Path(upstream): Path<String>,
    method: Method,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Response {
    if method == Method::HEAD {
        // To look is not to come back: the answer is not used up by it.
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let Some(connection) = app.upstreams.find(&upstream) else {
        return browser.error(WhatHappened::NotFound, None);
    };
    let nowhere = Purpose::SignIn { interaction: String::new(), then: None };
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let state = params.as_ref().map_or("", |params| one(params, "state"));
    let attempt = match take(&browser, &upstream, state).await {
        Ok(attempt) => attempt,
        Err(reason) => return browser.broken(&reason),
    };
    let (Ok(params), Some(attempt)) = (&params, attempt) else {
        return in_trouble(&app, &browser, connection, &nowhere, Trouble::NotAsked).await;
    };
    let proven = match federation::finish(&app, &browser.visit, connection, &attempt, params).await {
        Ok(proven) => proven,
        Err(trouble) => return in_trouble(&app, &browser, connection, &attempt.purpose, trouble).await,
    };
    let arrived = match &attempt.purpose {
        Purpose::SignIn { interaction, then } => {
            let way = Way { interaction: interaction.clone(), waiting: None, next: then.clone() };
            sign_in(&app, &browser, connection, &proven, way).await
        }
        Purpose::Link { user } => connections::link(&app, &browser, connection, &proven, user).await,
    };
    match arrived {
        Ok(response) => response,
        Err(trouble) => in_trouble(&app, &browser, connection, &attempt.purpose, trouble).await,
    }
}

/// Somebody is signed in: their session begins, and what they came for goes on.
async fn sign_in(
    app: &App,
    browser: &Browser,
    connection: &Connection,
    proven: &Proven,
    mut way: Way,
) -> Result<Response, Trouble> {
    if !way.interaction.is_empty() {
        way.waiting = match browser.waiting(app, &way.interaction).await {
            Ok(waiting) => Some(waiting),
            Err(gone) => return Ok(*gone),
        };
    }
    let user = federation::enter(app, &browser.visit, connection, proven, None).await?;
    let login = proven.login.clone();
    let signed_in = sign_in::remember(app, browser, &way.interaction, &user, login).await?;
    let until = Ends::of(&browser.visit, connection);
    let session = &browser.session;
    session.insert(UNTIL, until).await.map_err(|error| Trouble::Broken(session_broken(error)))?;
    session.save().await.map_err(|error| Trouble::Broken(session_broken(error)))?;
    federation::remember(app, &browser.visit, connection, proven, &signed_in.session, &user.id).await?;
    Ok(sign_in::lead_on(app, browser, &way, &user, &signed_in).await)
}

/// The page that says what went wrong at the upstream, and offers to try again or to sign in otherwise.
async fn in_trouble(
    app: &App,
    browser: &Browser,
    connection: &Connection,
    purpose: &Purpose,
    trouble: Trouble,
) -> Response {
    if let Trouble::Broken(reason) = &trouble {
        return browser.broken(reason);
    }
    if let Err(Failure::Broken(reason)) =
        federation::tell(app, &browser.visit, connection.upstream(), &trouble).await
    {
        return browser.broken(&reason);
    }
    let (what, status) = in_words(&trouble);
    let (interaction, next, linking) = match purpose {
        Purpose::SignIn { interaction, then } => {
            (interaction.clone(), then.as_ref().map(ToString::to_string).unwrap_or_default(), false)
        }
        Purpose::Link { .. } => (String::new(), String::new(), true),
    };
    let csrf = match browser.csrf(app).await {
        Ok(csrf) => csrf,
        Err(reason) => return browser.broken(&reason),
    };
    let mut page = browser.page();
    if !linking {
        page.user_name = None;
    }
    let view = UpstreamTroublePage {
        page,
        csrf,
        interaction,
        next,
        linking,
        upstream: connection.upstream().id.to_string(),
        upstream_name: connection.upstream().name_in(browser.language.code()).to_owned(),
        what,
        request_id: browser.visit.id.to_string(),
    };
    render(status, &view, None)
}

const fn in_words(trouble: &Trouble) -> (UpstreamTrouble, StatusCode) {
    match trouble {
        Trouble::Unreachable | Trouble::Broken(_) => {
            (UpstreamTrouble::Unreachable, StatusCode::SERVICE_UNAVAILABLE)
        }
        Trouble::SaidNo => (UpstreamTrouble::SaidNo, StatusCode::FORBIDDEN),
        Trouble::NotAsked => (UpstreamTrouble::NotAsked, StatusCode::BAD_REQUEST),
        Trouble::NotProven => (UpstreamTrouble::NotProven, StatusCode::BAD_GATEWAY),
        Trouble::Login(_) => (UpstreamTrouble::NotFresh, StatusCode::FORBIDDEN),
        Trouble::Account(AccountRefused::OfSomebodyElse) => {
            (UpstreamTrouble::OfAnother, StatusCode::FORBIDDEN)
        }
        Trouble::Account(_) | Trouble::Disabled => (UpstreamTrouble::NoAccount, StatusCode::FORBIDDEN),
    }
}

//! `/account/security/sessions`: where somebody is signed in, and ending that.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use protocol::device::Device;
use protocol::identifier::SessionId;

use super::super::page::{Browser, Form, SIGNED_IN, one};
use super::super::sign_in::{PRESENCE, Presence, again};
use super::super::views::{Said, SessionRow, WhatHappened};
use super::{HERE, done_if};
use crate::app::App;
use crate::authorization::SignedIn;
use crate::failure::Failure;
use crate::sign_in;
use crate::store::BrowserSession;

/// Every session of a user, the one of this browser first, then the youngest.
pub(super) async fn rows(app: &App, browser: &Browser, this: &SignedIn) -> Result<Vec<SessionRow>, Failure> {
    let sessions = app.store.sessions_of_user(&this.user, browser.visit.now).await?;
    let mut rows: Vec<SessionRow> = sessions.into_iter().filter_map(|session| row(session, this)).collect();
    rows.sort_by_key(|row| (!row.current, std::cmp::Reverse(row.since)));
    Ok(rows)
}

fn row(session: BrowserSession, this: &SignedIn) -> Option<SessionRow> {
    let read = |key: &str| session.document.get(key).cloned();
    let signed_in: SignedIn = serde_json::from_value(read(SIGNED_IN)?).ok()?;
    let presence = read(PRESENCE).and_then(|value| serde_json::from_value::<Presence>(value).ok());
    let since = presence.as_ref().map_or(signed_in.login.auth_time, |presence| presence.since);
    let Device { browser, system, network } = presence.map(|presence| presence.device).unwrap_or_default();
    let current = session.session == this.session;
    Some(SessionRow { id: session.session.to_string(), browser, system, network, since, current })
}

/// `POST /account/security/sessions/end`. To end a session needs no fresh sign-in: whoever could misuse it could as well
/// sign out.
pub async fn end(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let Some(this) = browser.login() else { return again(HERE) };
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return browser.error(WhatHappened::FormRefused, None),
        Err(reason) => return browser.broken(&reason),
    }
    let wanted: Option<SessionId> = one(&form, "session").parse().ok();
    let sessions = match app.store.sessions_of_user(&this.user, browser.visit.now).await {
        Ok(sessions) => sessions,
        Err(error) => return browser.failure(&error.into()),
    };
    let found = sessions.into_iter().find(|session| Some(&session.session) == wanted.as_ref());
    let Some(found) = found else { return browser.error(WhatHappened::NotFound, None) };
    let ended = sign_in::end_session(&app, &browser.visit, &this.user, &found.session).await;
    done_if(&browser, ended, Said::SessionEnded).await
}

/// `POST /account/security/sessions/end-others`.
pub async fn end_others(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let Some(this) = browser.login() else { return again(HERE) };
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return browser.error(WhatHappened::FormRefused, None),
        Err(reason) => return browser.broken(&reason),
    }
    let ended = sign_in::end_other_sessions(&app, &browser.visit, &this.user, &this.session).await;
    done_if(&browser, ended, Said::SessionsEnded).await
}

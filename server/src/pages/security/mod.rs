//! `/account/security`: how somebody signs in, and where they are signed in.
//!
//! Whoever changes what they sign in with has signed in just now; otherwise they are asked to, once more.

pub mod passkeys;
pub mod password;
pub mod recovery_codes;
pub mod sessions;
pub mod totp;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::params::Params;
use protocol::user::User;

use super::page::{Browser, render, see_other, session_broken};
use super::sign_in::{self as pages_sign_in, again, is_fresh};
use super::views::{PasskeyRow, Said, SecurityPage, WhatHappened};
use crate::app::App;
use crate::authorization::SignedIn;
use crate::failure::Failure;
use crate::sign_in::{self, InSession};

/// Where all of this is.
const HERE: &str = "/account/security";
/// The session's key for what was done just now.
const SAID: &str = "said";

/// `GET /account/security`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser) -> Response {
    let Some((signed_in, user)) = &browser.signed_in else { return pages_sign_in::first(&browser) };
    match view(&app, &browser, signed_in, user).await {
        Ok(view) => render(StatusCode::OK, &view, None),
        Err(failure) => browser.failure(&failure),
    }
}

async fn view(
    app: &App,
    browser: &Browser,
    signed_in: &SignedIn,
    user: &User,
) -> Result<SecurityPage, Failure> {
    let factors = sign_in::factors(app, &user.id).await?;
    let recovers = factors.ask_for_more() || factors.recovery_codes > 0;
    let left = i64::try_from(factors.recovery_codes).unwrap_or(i64::MAX);
    let offered = sign_in::has_passkeys(app) || !factors.passkeys.is_empty();
    let rows = factors.passkeys.into_iter().map(|passkey| PasskeyRow {
        id: passkey.id,
        name: passkey.name,
        added: passkey.created_at,
        used: passkey.used_at,
    });
    Ok(SecurityPage {
        page: browser.page(),
        csrf: browser.csrf(app).await?,
        said: browser.session.remove::<Said>(SAID).await.map_err(session_broken)?,
        has_password: user.password_hash.is_some(),
        passkeys: offered.then(|| rows.collect()),
        totp: factors.totp,
        recovery_codes: recovers.then_some(left),
        connections: app.upstreams.iter().next().is_some(),
        sessions: sessions::rows(app, browser, signed_in).await?,
    })
}

/// Who changes something here: signed in just now, by a form of ours.
async fn changes<'a>(
    browser: &'a Browser,
    form: &Params,
) -> Result<(InSession<'a>, &'a User), Box<Response>> {
    let Some((signed_in, user)) = &browser.signed_in else {
        return Err(Box::new(again(HERE)));
    };
    match browser.sent_by_our_form(form).await {
        Ok(true) if is_fresh(browser) => {
            Ok((InSession { user: &user.id, session: &signed_in.session }, user))
        }
        Ok(true) => Err(Box::new(again(HERE))),
        Ok(false) => Err(Box::new(browser.error(WhatHappened::FormRefused, None))),
        Err(reason) => Err(Box::new(browser.broken(&reason))),
    }
}

/// Back to the page, which says what was done.
async fn done(browser: &Browser, said: Said) -> Response {
    match browser.session.insert(SAID, said).await {
        Ok(()) => see_other(HERE),
        Err(error) => browser.broken(&session_broken(error)),
    }
}

/// The same for a change that may have failed.
async fn done_if(browser: &Browser, change: Result<(), Failure>, said: Said) -> Response {
    match change {
        Ok(()) => done(browser, said).await,
        Err(failure) => browser.failure(&failure),
    }
}

/// The first second factor needs a spare: whoever has no recovery codes gets some at once.
async fn with_codes(
    app: &App,
    browser: &Browser,
    (who, user): (InSession<'_>, &User),
    said: Said,
) -> Response {
    match app.store.count_recovery_codes(&user.id).await {
        Ok(0) => recovery_codes::make(app, browser, (who, user)).await,
        Ok(_) => done(browser, said).await,
        Err(error) => browser.failure(&error.into()),
    }
}

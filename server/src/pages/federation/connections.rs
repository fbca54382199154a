//! `/account/connections`: the upstream OpenID Providers that somebody signs in at, the way to add one, and the way to
//! take one away.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::federation::account::is_fresh;
use protocol::federation::demand::Demand;
use protocol::identifier::UserId;

use super::super::page::{Browser, Form, one, render, see_other, session_broken};
use super::super::sign_in;
use super::super::views::{ConnectionsPage, LinkedUpstream, UpstreamButton, WhatHappened};
use super::leave;
use crate::app::App;
use crate::failure::Failure;
use crate::federation::{self, Proven, Purpose, Trouble};
use crate::upstreams::Connection;

/// The path.
pub const CONNECTIONS: &str = "/account/connections";
/// The session's key for the name of what was just linked.
const JUST_LINKED: &str = "just_linked";
/// The session's key for the name of what was just taken away.
const JUST_UNLINKED: &str = "just_unlinked";

/// `GET /account/connections`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser) -> Response {
    match &browser.signed_in {
        None => sign_in::first(&browser),
        Some((signed_in, _)) => match view(&app, &browser, &signed_in.user).await {
            Ok(view) => render(StatusCode::OK, &view, None),
            Err(failure) => browser.failure(&failure),
        },
    }
}

async fn view(app: &App, browser: &Browser, user: &UserId) -> Result<ConnectionsPage, Failure> {
    let name = |connection: &Connection| connection.upstream().name_in(browser.language.code()).to_owned();
    let links = federation::linked(app, user).await?;
    let mut linked = Vec::new();
    for link in &links {
        let connection = app.upstreams.of_issuer(&link.kept.identity.issuer);
        linked.push(LinkedUpstream {
            upstream: connection.map(|connection| connection.upstream().id.to_string()),
            name: connection.map_or_else(|| link.kept.identity.issuer.clone(), |known| name(known)),
            since: link.kept.linked_at,
            may_go: link.may_go,
        });
    }
    let is_linked = |connection: &Connection| {
        links.iter().any(|link| link.kept.identity.issuer == connection.upstream().issuer)
    };
    let others = app.upstreams.iter().filter(|connection| !is_linked(connection));
    let others = others.map(|connection| UpstreamButton {
        id: connection.upstream().id.to_string(),
        name: name(connection),
    });
    Ok(ConnectionsPage {
        page: browser.page(),
        csrf: browser.csrf(app).await?,
        fresh: fresh(browser),
        just_linked: browser.session.remove(JUST_LINKED).await.ok().flatten(),
        just_unlinked: browser.session.remove(JUST_UNLINKED).await.ok().flatten(),
        linked,
        others: others.collect(),
    })
}

/// Whether they signed in a moment ago, so that it is surely them.
fn fresh(browser: &Browser) -> bool {
    browser.login().is_some_and(|signed_in| is_fresh(signed_in.login.auth_time, browser.visit.now))
}

/// `POST /account/connections`: `link` or `unlink` names the upstream.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let Some(signed_in) = browser.login() else { return sign_in::first(&browser) };
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return browser.error(WhatHappened::FormRefused, None),
        Err(reason) => return browser.broken(&reason),
    }
    if !fresh(&browser) {
        return sign_in::again(CONNECTIONS);
    }
    if let Some(connection) = app.upstreams.find(one(&form, "link")) {
        let purpose = Purpose::Link { user: signed_in.user.clone() };
        let hints = [("ui_locales", browser.language.code())];
        return leave(&app, &browser, connection, purpose, Demand::default(), &hints).await;
    }
    let Some(connection) = app.upstreams.find(one(&form, "unlink")) else {
        return browser.error(WhatHappened::NotFound, None);
    };
    let (auth_time, session) = (signed_in.login.auth_time, &signed_in.session);
    let issuer = &connection.upstream().issuer;
    let gone = federation::unlink(&app, &browser.visit, &signed_in.user, issuer, auth_time, session).await;
    if let Err(failure) = gone {
        return browser.failure(&failure);
    }
    let name = connection.upstream().name_in(browser.language.code());
    let _ = browser.session.insert(JUST_UNLINKED, name).await;
    see_other(CONNECTIONS)
}

/// Somebody comes back from an upstream that they want to link to their account: the one that they were signed in to
/// when they left, and still are.
pub(super) async fn link(
    app: &App,
    browser: &Browser,
    connection: &Connection,
    proven: &Proven,
    user: &UserId,
) -> Result<Response, Trouble> {
    if browser.login().is_none_or(|signed_in| signed_in.user != *user) {
        return Err(Trouble::NotAsked);
    }
    federation::enter(app, &browser.visit, connection, proven, Some(user)).await?;
    let name = connection.upstream().name_in(browser.language.code());
    let noted = browser.session.insert(JUST_LINKED, name).await;
    noted.map_err(|error| Trouble::Broken(session_broken(error)))?;
    Ok(see_other(CONNECTIONS))
}

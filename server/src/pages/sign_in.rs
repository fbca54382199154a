//! `/sign-in`.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::params::Params;
use protocol::presented_secret::PresentedSecret;
use protocol::token::Login;
use protocol::user::User;

use super::authorize::go_on;
use super::federation;
use super::page::{Browser, Form, SIGNED_IN, one, render, see_other, see_other_for_good, session_broken};
use super::views::{SignInPage, SignInRefused, WhatHappened};
use crate::app::App;
use crate::authorization::{self, SignedIn, Waiting};
use crate::failure::Broken;
use crate::secret::random_id;
use crate::sign_in::{self, NotSignedIn};

/// `GET /sign-in`: for a waiting authorization request, or just so.
pub async fn get(State(app): State<Arc<App>>, browser: Browser, RawQuery(query): RawQuery) -> Response {
    let query = Params::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let interaction = one(&query, "interaction");
    if interaction.is_empty() {
        return show(&app, &browser, "", None, "", None).await;
    }
    match browser.waiting(&app, interaction).await {
        Ok(waiting) => {
            let hint = waiting.request.login_hint.clone().unwrap_or_default();
            show(&app, &browser, interaction, Some(&waiting), &hint, None).await
        }
        Err(gone) => *gone,
    }
}

async fn show(
    app: &App,
    browser: &Browser,
    interaction: &str,
    waiting: Option<&Waiting>,
    username: &str,
    refused: Option<SignInRefused>,
) -> Response {
    let csrf = match browser.csrf(app).await {
        Ok(csrf) => csrf,
        Err(reason) => return browser.broken(&reason),
    };
    let client = match waiting {
        Some(waiting) => app.store.find_client(&waiting.client).await.ok().flatten(),
        None => None,
    };
    let mut page = browser.page();
    page.user_name = None;
    let view = SignInPage {
        page,
        csrf,
        interaction: interaction.to_owned(),
        client_name: client.map(|client| client.name.clone()),
        username: username.to_owned(),
        upstreams: federation::buttons(app, browser),
        home_realms: app.upstreams.have_domains(),
        refused,
    };
    let status = match refused {
        None => StatusCode::OK,
        Some(SignInRefused::TooManyAttempts) => StatusCode::TOO_MANY_REQUESTS,
        Some(SignInRefused::FormTooOld) => StatusCode::FORBIDDEN,
        Some(SignInRefused::WrongUsernameOrPassword) => StatusCode::UNAUTHORIZED,
    };
    render(status, &view, waiting.map(|waiting| waiting.return_address.as_str()))
}

/// `POST /sign-in`.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let interaction = one(&form, "interaction");
    let waiting = match interaction.is_empty() {
        true => None,
        false => match browser.waiting(&app, interaction).await {
            Ok(waiting) => Some(waiting),
            Err(gone) => return *gone,
        },
    };
    let username = one(&form, "username");
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => {
            let refused = Some(SignInRefused::FormTooOld);
            return show(&app, &browser, interaction, waiting.as_ref(), username, refused).await;
        }
        Err(reason) => return browser.broken(&reason),
    }
    if one(&form, "decision") == "cancel" {
        return cancel(&app, &browser, interaction, waiting.as_ref()).await;
    }
    if let Some(leaving) = federation::from_sign_in(&app, &browser, &form, waiting.as_ref()).await {
        return leaving;
    }
    let password = PresentedSecret::from(one(&form, "password"));
    match sign_in::with_password(&app, &browser.visit, username, password).await {
        Ok((user, login)) => enter(&app, &browser, interaction, waiting.as_ref(), &user, login).await,
        Err(NotSignedIn::Broken(reason)) => browser.broken(&reason),
        Err(NotSignedIn::Wrong) => {
            let refused = Some(SignInRefused::WrongUsernameOrPassword);
            show(&app, &browser, interaction, waiting.as_ref(), username, refused).await
        }
        Err(NotSignedIn::TooMany) => {
            let refused = Some(SignInRefused::TooManyAttempts);
            show(&app, &browser, interaction, waiting.as_ref(), username, refused).await
        }
    }
}

async fn cancel(app: &App, browser: &Browser, interaction: &str, waiting: Option<&Waiting>) -> Response {
    let Some(waiting) = waiting else { return see_other("/") };
    match authorization::deny(app, &browser.visit, interaction, waiting, browser.login()).await {
        Ok(url) => see_other_for_good(&url, interaction),
        Err(stop) => browser.stop(stop),
    }
}

/// Somebody is signed in: the cookie gets a new value, so that nobody who knew the old one comes along.
async fn enter(
    app: &App,
    browser: &Browser,
    interaction: &str,
    waiting: Option<&Waiting>,
    user: &User,
    login: Login,
) -> Response {
    let signed_in = match remember(app, browser, interaction, user, login).await {
        Ok(signed_in) => signed_in,
        Err(reason) => return browser.broken(&reason),
    };
    match waiting {
        Some(waiting) => go_on(app, browser, interaction, waiting, Some(&signed_in)).await,
        None => see_other("/account"),
    }
}

pub(super) async fn remember(
    app: &App,
    browser: &Browser,
    interaction: &str,
    user: &User,
    login: Login,
) -> Result<SignedIn, Broken> {
    // Whoever signs in again goes on in their session; somebody else begins one of their own.
    let same_user = browser.login().filter(|before| before.user == user.id);
    let session = match same_user {
        Some(before) => before.session.clone(),
        None => random_id(app.entropy.as_ref(), "ses_")
            .parse()
            .map_err(|_| Broken::Other("a random id is no identifier"))?,
    };
    let for_interaction = (!interaction.is_empty()).then(|| interaction.to_owned());
    let signed_in = SignedIn { user: user.id.clone(), session, login, for_interaction };
    // Who vouches for them now says how long this lasts.
    browser.session.remove::<federation::Ends>(federation::UNTIL).await.map_err(session_broken)?;
    browser.session.cycle_id().await.map_err(session_broken)?;
    browser.session.insert(SIGNED_IN, &signed_in).await.map_err(session_broken)?;
    // What comes next may write a code that hangs on this session: it has to be there first.
    browser.session.save().await.map_err(session_broken)?;
    Ok(signed_in)
}

/// The way to sign in for a page that needs somebody.
#[must_use]
pub fn first(browser: &Browser) -> Response {
    if browser.signed_in.is_none() {
        see_other("/sign-in")
    } else {
        browser.error(WhatHappened::NotAllowed, None)
    }
}

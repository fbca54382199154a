//! `/sign-in`, and the steps after it.

mod entering;
pub mod passkey;
pub mod second_factor;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::params::Params;
use protocol::presented_secret::PresentedSecret;

use super::page::{Browser, Form, one, render_with_script, see_other, session_broken};
use super::views::{ClientMarks, SignInPage, SignInRefused};
use super::{client_marks, federation};
use crate::app::App;
use crate::authorization;
use crate::failure::Failure;
use crate::sign_in::{self, Ceremony, NotSignedIn};

pub use entering::{
    PASSWORD, PRESENCE, Presence, Way, again, enter, first, first_factor, is_fresh, lead_on, remember,
};

use entering::CEREMONY;

/// `GET /sign-in`: for a waiting authorization request, for a page of ours, or just so.
pub async fn get(State(app): State<Arc<App>>, browser: Browser, RawQuery(query): RawQuery) -> Response {
    let query = Params::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    match Way::read(&app, &browser, &query).await {
        // Whoever is signed in and wants nothing that needs it once more, is where they want to be.
        Ok(way) if browser.signed_in.is_some() && way.interaction.is_empty() && way.next.is_none() => {
            see_other("/account")
        }
        Ok(way) => {
            let hint = way.waiting.as_ref().and_then(|waiting| waiting.request.login_hint.clone());
            let known = || browser.signed_in.as_ref().filter(|_| way.interaction.is_empty());
            let username = hint.or_else(|| known().map(|(_, user)| user.username.clone()));
            show(&app, &browser, &way, &username.unwrap_or_default(), None).await
        }
        Err(gone) => *gone,
    }
}

async fn show(
    app: &App,
    browser: &Browser,
    way: &Way,
    username: &str,
    refused: Option<SignInRefused>,
) -> Response {
    match view(app, browser, way, username, refused).await {
        Ok(view) => {
            let status = match refused {
                None => StatusCode::OK,
                Some(SignInRefused::TooManyAttempts) => StatusCode::TOO_MANY_REQUESTS,
                Some(SignInRefused::FormTooOld) => StatusCode::FORBIDDEN,
                Some(SignInRefused::WrongUsernameOrPassword | SignInRefused::Passkey) => {
                    StatusCode::UNAUTHORIZED
                }
            };
            render_with_script(status, &view, way.leads_to())
        }
        Err(failure) => browser.failure(&failure),
    }
}

async fn view(
    app: &App,
    browser: &Browser,
    way: &Way,
    username: &str,
    refused: Option<SignInRefused>,
) -> Result<SignInPage, Failure> {
    let client = match &way.waiting {
        Some(waiting) => app.store.find_client(&waiting.client).await?,
        None => None,
    };
    let language = browser.language.code();
    let marks = match &client {
        Some(client) => client_marks::find(app, client, language).await?,
        None => ClientMarks::default(),
    };
    let asked = sign_in::ask_for_passkey(app, &browser.visit, &[])?;
    let passkey = keep_ceremony(browser, asked).await?;
    let mut page = browser.page();
    page.user_name = None;
    Ok(SignInPage {
        page,
        csrf: browser.csrf(app).await?,
        interaction: way.interaction.clone(),
        next: way.next_text(),
        again: browser.signed_in.is_some() && way.interaction.is_empty(),
        passkey,
        forgot: app.mailer.is_some(),
        client_name: client.map(|client| client.name_in(language).to_owned()),
        marks,
        username: username.to_owned(),
        upstreams: federation::buttons(app, browser),
        home_realms: app.upstreams.have_domains(),
        refused,
    })
}

/// Remembers a question for a passkey, and gives what the page asks the browser.
async fn keep_ceremony(browser: &Browser, asked: Option<Ceremony>) -> Result<Option<String>, Failure> {
    let Some(ceremony) = asked else { return Ok(None) };
    browser.session.insert(CEREMONY, &ceremony).await.map_err(session_broken)?;
    Ok(Some(ceremony.options.to_string()))
}

/// `POST /sign-in`.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let way = match Way::read(&app, &browser, &form).await {
        Ok(way) => way,
        Err(gone) => return *gone,
    };
    let username = one(&form, "username");
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return show(&app, &browser, &way, username, Some(SignInRefused::FormTooOld)).await,
        Err(reason) => return browser.broken(&reason),
    }
    if one(&form, "decision") == "cancel" {
        return cancel(&app, &browser, &way).await;
    }
    if let Some(leaving) = federation::from_sign_in(&app, &browser, &form, &way).await {
        return leaving;
    }
    let password = PresentedSecret::from(one(&form, "password"));
    let mark = browser.mark.as_deref();
    match sign_in::with_password(&app, &browser.visit, username, password, mark).await {
        Ok(user) => first_factor(&app, &browser, &way, &user).await,
        Err(NotSignedIn::Broken(reason)) => browser.broken(&reason),
        Err(NotSignedIn::Wrong) => {
            show(&app, &browser, &way, username, Some(SignInRefused::WrongUsernameOrPassword)).await
        }
        Err(NotSignedIn::TooMany) => {
            show(&app, &browser, &way, username, Some(SignInRefused::TooManyAttempts)).await
        }
    }
}

async fn cancel(app: &App, browser: &Browser, way: &Way) -> Response {
    let Some(waiting) = &way.waiting else {
        return see_other(if browser.signed_in.is_some() { "/account" } else { "/" });
    };
    match authorization::deny(app, &browser.visit, &way.interaction, waiting, browser.login()).await {
        Ok(answer) => browser.answer(answer, Some(&way.interaction)),
        Err(stop) => browser.stop(stop),
    }
}

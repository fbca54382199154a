//! `/sign-in/second-factor`: after the password, for those who have something more.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::params::Params;

use super::super::page::{Browser, Form, one, render_with_script, see_other, session_broken};
use super::super::views::{SecondFactorPage, SecondFactorRefused};
use super::entering::{HALFWAY, Way, enter};
use super::keep_ceremony;
use crate::app::App;
use crate::failure::{Broken, Failure};
use crate::sign_in::{self, Halfway, NotSignedIn};

/// Who is halfway in, if there is still time.
pub(super) async fn halfway(browser: &Browser) -> Result<Option<Halfway>, Broken> {
    let found = browser.session.get::<Halfway>(HALFWAY).await.map_err(session_broken)?;
    Ok(found.filter(|halfway| halfway.is_live(browser.visit.now)))
}

/// `GET /sign-in/second-factor`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser, RawQuery(query): RawQuery) -> Response {
    let query = Params::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    match Way::read(&app, &browser, &query).await {
        Ok(way) => show(&app, &browser, &way, None).await,
        Err(gone) => *gone,
    }
}

/// The page; or the first step, for whoever has not done that or took too long.
pub(super) async fn show(
    app: &App,
    browser: &Browser,
    way: &Way,
    refused: Option<SecondFactorRefused>,
) -> Response {
    let view = match view(app, browser, way, refused).await {
        Ok(Some(view)) => view,
        Ok(None) => return see_other(&way.step("/sign-in")),
        Err(failure) => return browser.failure(&failure),
    };
    let status = match refused {
        None => StatusCode::OK,
        Some(SecondFactorRefused::TooManyAttempts) => StatusCode::TOO_MANY_REQUESTS,
        Some(SecondFactorRefused::FormTooOld) => StatusCode::FORBIDDEN,
        Some(_) => StatusCode::UNAUTHORIZED,
    };
    render_with_script(status, &view, way.leads_to())
}

async fn view(
    app: &App,
    browser: &Browser,
    way: &Way,
    refused: Option<SecondFactorRefused>,
) -> Result<Option<SecondFactorPage>, Failure> {
    let Some(halfway) = halfway(browser).await? else { return Ok(None) };
    let Some(user) = app.store.find_user(&halfway.user).await? else { return Ok(None) };
    let factors = sign_in::factors(app, &user.id).await?;
    let asked = match factors.passkeys.is_empty() {
        true => None,
        false => sign_in::ask_for_passkey(app, &browser.visit, &factors.passkeys)?,
    };
    let mut page = browser.page();
    page.user_name = None;
    Ok(Some(SecondFactorPage {
        page,
        csrf: browser.csrf(app).await?,
        interaction: way.interaction.clone(),
        next: way.next_text(),
        username: user.username.clone(),
        passkey: keep_ceremony(browser, asked).await?,
        code: factors.totp.is_some(),
        refused,
    }))
}

/// `POST /sign-in/second-factor`: a code of the authenticator app.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    prove(&app, &browser, &form, SecondFactorRefused::WrongCode).await
}

/// `POST /sign-in/recovery-code`.
pub async fn recovery_code(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    prove(&app, &browser, &form, SecondFactorRefused::WrongRecoveryCode).await
}

async fn prove(app: &App, browser: &Browser, form: &Params, wrong: SecondFactorRefused) -> Response {
    let way = match Way::read(app, browser, form).await {
        Ok(way) => way,
        Err(gone) => return *gone,
    };
    match browser.sent_by_our_form(form).await {
        Ok(true) => {}
        Ok(false) => return show(app, browser, &way, Some(SecondFactorRefused::FormTooOld)).await,
        Err(reason) => return browser.broken(&reason),
    }
    let halfway = match halfway(browser).await {
        Ok(Some(halfway)) => halfway,
        Ok(None) => return see_other(&way.step("/sign-in")),
        Err(reason) => return browser.broken(&reason),
    };
    let (visit, code, mark) = (&browser.visit, one(form, "code"), browser.mark.as_deref());
    let proven = match wrong {
        SecondFactorRefused::WrongRecoveryCode => {
            sign_in::with_recovery_code(app, visit, &halfway, code, mark).await
        }
        _ => sign_in::with_code(app, visit, &halfway, code, mark).await,
    };
    match proven {
        Ok((user, login)) => enter(app, browser, &way, &user, login).await,
        Err(NotSignedIn::Broken(reason)) => browser.broken(&reason),
        Err(NotSignedIn::Wrong) => show(app, browser, &way, Some(wrong)).await,
        Err(NotSignedIn::TooMany) => {
            show(app, browser, &way, Some(SecondFactorRefused::TooManyAttempts)).await
        }
    }
}

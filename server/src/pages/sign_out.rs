//! `/logout` (OpenID Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use protocol::identifier::SessionId;
use protocol::logout::{LogoutRequest, Next};
use protocol::metadata::LOGOUT;
use protocol::params::Params;
use protocol::refusal::Refusal;
use protocol::user::User;
use url::Url;

use super::page::{Browser, Form, also_permit, one, render, see_other, session_broken, source_of};
use super::views::{SignOutPage, SignedOutPage, WhatHappened, language_of};
use crate::app::App;
use crate::failure::Failure;
use crate::logout::{self, Ends, Judged};

/// How long the signed-out page waits for its frames, where no script tells it that they are there.
const FRAMES_LIFE: u32 = 5;

/// `GET /logout`: ends the session where the request proves that it comes from one of its clients, and asks first
/// where it does not (§2, §6).
pub async fn get(
    State(app): State<Arc<App>>,
    method: Method,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Response {
    if method == Method::HEAD {
        // To look is not to ask: nothing ends for it.
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let read = Params::parse(query.unwrap_or_default().as_bytes()).map_err(Refusal::from);
    let request = read.and_then(|params| LogoutRequest::parse(&params).map_err(Refusal::from));
    match request {
        Ok(request) => answer(&app, browser, &request, false).await,
        Err(refusal) => refuse(&app, &browser, Failure::Refused(refusal)).await,
    }
}

/// `POST /logout` (§2): comes back as a `GET`. From another site it came without the session's cookie.
pub async fn post(Form(params): Form) -> Response {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(Vec::<(String, String)>::from(params));
    see_other(&format!("{LOGOUT}?{}", query.finish()))
}

/// `POST /logout/confirm`: the user's answer to our question.
pub async fn confirm(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return browser.error(WhatHappened::FormRefused, None),
        Err(reason) => return browser.broken(&reason),
    }
    if one(&form, "decision") == "cancel" {
        return see_other("/account");
    }
    match LogoutRequest::parse(&form) {
        Ok(request) => answer(&app, browser, &request, true).await,
        Err(reason) => refuse(&app, &browser, reason.into()).await,
    }
}

async fn answer(app: &Arc<App>, mut browser: Browser, request: &LogoutRequest, confirmed: bool) -> Response {
    if let Some(locales) = &request.ui_locales {
        // Language tags by preference, divided by spaces: a header of the same meaning has commas.
        browser.language = language_of(Some(&locales.replace(' ', ",")));
    }
    let judged = match logout::judge(app, &browser.visit, request, session_of(&browser)).await {
        Ok(judged) => judged,
        Err(failure) => return refuse(app, &browser, failure).await,
    };
    match judged.verdict.next {
        Next::Ask if !confirmed => ask(app, &browser, request, &judged).await,
        Next::NothingToEnd => leave(&browser, request, &judged, confirmed, &[]),
        Next::Ask | Next::End => match end(app, &mut browser).await {
            Ok(frames) => leave(&browser, request, &judged, confirmed, &frames),
            Err(failure) => browser.failure(&failure),
        },
    }
}

fn session_of(browser: &Browser) -> Option<(&SessionId, &User)> {
    browser.signed_in.as_ref().map(|(signed_in, user)| (&signed_in.session, user.as_ref()))
}

async fn refuse(app: &App, browser: &Browser, failure: Failure) -> Response {
    if let Failure::Refused(refusal) = &failure
        && let Err(broken) = logout::tell_refused(app, &browser.visit, refusal).await
    {
        return browser.failure(&broken);
    }
    browser.failure(&failure)
}

async fn ask(app: &App, browser: &Browser, request: &LogoutRequest, judged: &Judged) -> Response {
    let csrf = match browser.csrf(app).await {
        Ok(csrf) => csrf,
        Err(reason) => return browser.broken(&reason),
    };
    let carried = request.to_params().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let view = SignOutPage {
        page: browser.page(),
        csrf,
        client_name: judged.client.as_ref().map(|client| client.name.clone()),
        carried: carried.collect(),
    };
    let leads_to = judged.verdict.return_to.as_ref().map(|address| address.as_str());
    render(StatusCode::OK, &view, leads_to)
}

/// Ends the session here and everywhere; gives what the browser is to load in frames.
async fn end(app: &Arc<App>, browser: &mut Browser) -> Result<Vec<Url>, Failure> {
    let Some((signed_in, _)) = browser.signed_in.take() else { return Ok(Vec::new()) };
    let session = &signed_in.session;
    let frames = logout::front_channel(app, &browser.visit, session).await?;
    logout::end(app, &browser.visit, &Ends { session, user: &signed_in.user, reason: None }).await?;
    browser.session.flush().await.map_err(session_broken)?;
    logout::tell_clients_of(app, session).await;
    Ok(frames)
}

/// Where the browser goes, or the page that says that it is over. Unasked it goes only where a hint of ours or the
/// user's own word leads (§3).
fn leave(
    browser: &Browser,
    request: &LogoutRequest,
    judged: &Judged,
    confirmed: bool,
    frames: &[Url],
) -> Response {
    let state: Vec<_> = request.state.iter().map(|state| ("state", state.as_str())).collect();
    let return_to = judged.verdict.return_to.as_ref().map(|address| address.redirect(&state));
    let goes_on = judged.verdict.proven || confirmed;
    if let Some(url) = return_to.as_deref().filter(|_| goes_on && frames.is_empty()) {
        return see_other(url);
    }
    let goes_on = goes_on && return_to.is_some();
    let view = SignedOutPage {
        page: browser.page(),
        client_name: judged.client.as_ref().filter(|_| return_to.is_some()).map(|client| client.name.clone()),
        continue_to: return_to,
        frames: frames.iter().map(Url::to_string).collect(),
        goes_on,
    };
    let mut response = render(StatusCode::OK, &view, None);
    if !frames.is_empty() {
        also_permit(&mut response, &format!("frame-src {}", sources(frames)));
    }
    if let Some(link) = view.link().filter(|_| goes_on) {
        also_permit(&mut response, "script-src 'self'");
        if let Ok(refresh) = HeaderValue::from_str(&format!("{FRAMES_LIFE}; url={link}")) {
            response.headers_mut().insert(header::REFRESH, refresh);
        }
    }
    response
}

/// The origins of the frames, each once.
fn sources(frames: &[Url]) -> String {
    let mut sources: Vec<String> = frames.iter().filter_map(|url| source_of(url.as_str())).collect();
    sources.sort_unstable();
    sources.dedup();
    sources.join(" ")
}

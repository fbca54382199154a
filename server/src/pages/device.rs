//! `/device` (RFC 8628 §3.3): where the code of a device is entered, and answered.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::deferred::Way;
use protocol::metadata::DEVICE;
use protocol::params::Params;
use protocol::refusal::ErrorCode;

use super::consent;
use super::page::{Browser, Form, one, render, see_other_for_good, session_broken};
use super::sign_in;
use super::views::{Afar, Answered, ConsentPage, ConsentRefused, DevicePage, UserCodeRefused, WhatHappened};
use crate::app::App;
use crate::approvals::{self, Answerer, NotEntered};
use crate::authorization::{Offer, SignedIn};
use crate::failure::Failure;
use crate::store::DeferredRequest;

/// The session's key for what was just answered.
const JUST_ANSWERED: &str = "device_answered";

/// `GET /device`: the form for the code; with a code, what its device asks. Codes are looked up for those only who are
/// signed in: nobody else may guess.
pub async fn get(State(app): State<Arc<App>>, browser: Browser, RawQuery(query): RawQuery) -> Response {
    let query = Params::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let written = one(&query, "user_code");
    let Some(signed_in) = browser.login() else { return sign_in::first(&browser) };
    if written.is_empty() {
        let answered = browser.session.remove::<Answered>(JUST_ANSWERED).await.ok().flatten();
        let page = browser.page();
        let view = DevicePage { page, user_code: String::new(), refused: None, answered };
        return render(StatusCode::OK, &view, None);
    }
    match entered(&app, &browser, signed_in, written).await {
        Ok((waiting, offer)) => show(&app, &browser, written, &waiting, &offer, None).await,
        Err(response) => *response,
    }
}

/// `POST /device`: the answer.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let Some(signed_in) = browser.login() else { return sign_in::first(&browser) };
    let written = one(&form, "user_code");
    let (waiting, offer) = match entered(&app, &browser, signed_in, written).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let ours = match browser.sent_by_our_form(&form).await {
        Ok(ours) => ours,
        Err(reason) => return browser.broken(&reason),
    };
    // A form of ours may have been open for too long; one without any token is not ours.
    if one(&form, "csrf").is_empty() {
        return browser.error(WhatHappened::FormRefused, None);
    }
    if !ours || !consent::is_as_shown(&browser, &waiting.id, &offer).await {
        let refused = Some(ConsentRefused::FormTooOld);
        return show(&app, &browser, written, &waiting, &offer, refused).await;
    }
    let allowed = one(&form, "decision") == "approve";
    let answered = if allowed {
        let answerer = answerer(signed_in);
        let decision = consent::decision(&browser, &form, &offer);
        approvals::approve(&app, &browser.visit, &waiting, &answerer, &offer, &decision).await
    } else {
        approvals::deny(&app, &browser.visit, &waiting, &signed_in.user, &offer).await
    };
    match answered {
        Ok(()) => {
            consent::forget_shown(&browser, &waiting.id).await;
            let told = Answered { allowed, client_name: offer.client.name.clone() };
            match browser.session.insert(JUST_ANSWERED, told).await {
                Ok(()) => see_other_for_good(DEVICE, &waiting.id),
                Err(error) => browser.broken(&session_broken(error)),
            }
        }
        Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::AccessDenied => {
            show(&app, &browser, written, &waiting, &offer, Some(ConsentRefused::NothingLeft)).await
        }
        Err(failure) => gone(&browser, &failure),
    }
}

/// Somebody who is signed in, as the one who answers.
pub(super) fn answerer(signed_in: &SignedIn) -> Answerer {
    Answerer {
        user: signed_in.user.clone(),
        login: signed_in.login.clone(),
        session: Some(signed_in.session.clone()),
    }
}

/// What cannot be answered any more waits no longer.
pub(super) fn gone(browser: &Browser, failure: &Failure) -> Response {
    match failure {
        Failure::Refused(refusal) => browser.error(WhatHappened::NoLongerWaiting, Some(refusal)),
        Failure::Broken(reason) => browser.broken(reason),
    }
}

/// The request of a code that was entered, with what it asks for.
async fn entered(
    app: &App,
    browser: &Browser,
    signed_in: &SignedIn,
    written: &str,
) -> Result<(DeferredRequest, Offer), Box<Response>> {
    let again = |refused: UserCodeRefused, status: StatusCode| {
        let user_code = written.chars().take(64).collect();
        let view = DevicePage { page: browser.page(), user_code, refused: Some(refused), answered: None };
        Box::new(render(status, &view, None))
    };
    let found = approvals::enter_user_code(app, &browser.visit, &signed_in.user, written).await;
    let waiting = found.map_err(|reason| match reason {
        NotEntered::Wrong => again(UserCodeRefused::Wrong, StatusCode::BAD_REQUEST),
        NotEntered::TooMany => again(UserCodeRefused::TooMany, StatusCode::TOO_MANY_REQUESTS),
        NotEntered::Broken(reason) => Box::new(browser.broken(&reason)),
    })?;
    match approvals::offer_for(app, &browser.visit, &waiting, &signed_in.user).await {
        Ok(offer) => Ok((waiting, offer)),
        Err(failure) => Err(Box::new(gone(browser, &failure))),
    }
}

async fn show(
    app: &App,
    browser: &Browser,
    written: &str,
    waiting: &DeferredRequest,
    offer: &Offer,
    refused: Option<ConsentRefused>,
) -> Response {
    let here = browser.visit.from.map(|ip| ip.to_string());
    let from = match &waiting.request.way {
        Way::Device { from } => from.clone(),
        Way::Backchannel { .. } => None,
    };
    let afar = Afar::Device {
        user_code: protocol::user_code::UserCode::parse(written)
            .map_or_else(|| written.to_owned(), |code| code.to_string()),
        from_here: from == here,
        from,
        asked_at: waiting.request.asked_at,
    };
    match consent::question(app, browser, &waiting.id, offer, None, refused).await {
        Ok(view) => {
            let status = if refused.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            render(status, &ConsentPage { afar: Some(afar), ..view }, None)
        }
        Err(reason) => browser.broken(&reason),
    }
}

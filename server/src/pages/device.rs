//! `/device` (RFC 8628 §3.3): where the code of a device is entered, and answered.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::deferred::Way;
use protocol::metadata::DEVICE;
use protocol::params::Params;
use protocol::user_code::UserCode;

use super::afar::{Leads, Question};
use super::page::{Browser, Form, one, render};
use super::sign_in;
use super::views::{Afar, Answered, DevicePage, UserCodeRefused};
use crate::app::App;
use crate::approvals::{self, NotEntered};
use crate::authorization::SignedIn;

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
        Ok(question) => match question.ready(&browser, signed_in, &path(written)).await {
            Ok(too_weak) => {
                let afar = afar(&browser, written, &question);
                question.show(&app, &browser, afar, too_weak).await
            }
            Err(response) => *response,
        },
        Err(response) => *response,
    }
}

/// `POST /device`: the answer.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let Some(signed_in) = browser.login() else { return sign_in::first(&browser) };
    let written = one(&form, "user_code");
    let question = match entered(&app, &browser, signed_in, written).await {
        Ok(question) => question,
        Err(response) => return *response,
    };
    let leads = Leads { back: DEVICE, here: &path(written), told: JUST_ANSWERED };
    match question.answer(&app, &browser, &form, signed_in, &leads).await {
        Ok(response) => response,
        Err(refused) => {
            let afar = afar(&browser, written, &question);
            question.show(&app, &browser, afar, Some(refused)).await
        }
    }
}

/// Where the question of this code is.
fn path(written: &str) -> String {
    format!("{DEVICE}?user_code={}", shown_code(written))
}

/// The request of a code that was entered, with what it asks for.
async fn entered(
    app: &App,
    browser: &Browser,
    signed_in: &SignedIn,
    written: &str,
) -> Result<Question, Box<Response>> {
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
    Question::of(app, browser, waiting, signed_in).await
}

/// A code as devices show it.
fn shown_code(written: &str) -> String {
    UserCode::parse(written).map_or_else(|| written.to_owned(), |code| code.to_string())
}

fn afar(browser: &Browser, written: &str, question: &Question) -> Afar {
    let request = &question.waiting.request;
    let here = browser.visit.from.map(|ip| ip.to_string());
    let from = match &request.way {
        Way::Device { from } => from.clone(),
        Way::Backchannel { .. } => None,
    };
    Afar::Device { user_code: shown_code(written), from_here: from == here, from, asked_at: request.asked_at }
}

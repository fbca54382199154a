//! `/sign-in/passkey`: alone, or as the second step.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::super::page::{Browser, Form, one, see_other, session_broken};
use super::super::views::{SecondFactorRefused, SignInRefused};
use super::entering::{CEREMONY, Way, enter};
use super::{second_factor, show};
use crate::app::App;
use crate::sign_in::{self, Ceremony, NotSignedIn};

/// `POST /sign-in/passkey`.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let way = match Way::read(&app, &browser, &form).await {
        Ok(way) => way,
        Err(gone) => return *gone,
    };
    let second = one(&form, "step") == "second";
    let refuse = async |first: SignInRefused, then: SecondFactorRefused| match second {
        true => second_factor::show(&app, &browser, &way, Some(then)).await,
        false => show(&app, &browser, &way, "", Some(first)).await,
    };
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return refuse(SignInRefused::FormTooOld, SecondFactorRefused::FormTooOld).await,
        Err(reason) => return browser.broken(&reason),
    }
    let halfway = match second {
        true => match second_factor::halfway(&browser).await {
            Ok(Some(halfway)) => Some(halfway),
            Ok(None) => return see_other(&way.step("/sign-in")),
            Err(reason) => return browser.broken(&reason),
        },
        false => None,
    };
    // Taken out, so that no answer is held against it a second time.
    let ceremony = match browser.session.remove::<Ceremony>(CEREMONY).await {
        Ok(Some(ceremony)) => ceremony,
        Ok(None) => return refuse(SignInRefused::FormTooOld, SecondFactorRefused::FormTooOld).await,
        Err(error) => return browser.broken(&session_broken(error)),
    };
    let answer = one(&form, "credential");
    match sign_in::with_passkey(&app, &browser.visit, halfway.as_ref(), &ceremony, answer).await {
        Ok((user, login)) => enter(&app, &browser, &way, &user, login).await,
        Err(NotSignedIn::Broken(reason)) => browser.broken(&reason),
        Err(NotSignedIn::Wrong) => refuse(SignInRefused::Passkey, SecondFactorRefused::Passkey).await,
        Err(NotSignedIn::TooMany) => {
            refuse(SignInRefused::TooManyAttempts, SecondFactorRefused::TooManyAttempts).await
        }
    }
}

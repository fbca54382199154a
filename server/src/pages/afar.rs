//! What the pages of questions from elsewhere have in common: the question is judged anew each time, answered once, and
//! by somebody who signed in as it asks.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use protocol::authorization_details::RiskLevel;
use protocol::deferred::Readiness;
use protocol::numeric_date::NumericDate;
use protocol::params::Params;
use protocol::refusal::ErrorCode;

use super::consent;
use super::page::{Browser, one, render, see_other_for_good, session_broken};
use super::sign_in;
use super::views::{Afar, Answered, ConsentPage, ConsentRefused, WhatHappened};
use crate::app::App;
use crate::approvals::{self, Answerer};
use crate::authorization::{Offer, SignedIn};
use crate::failure::Failure;
use crate::store::DeferredRequest;

/// The session's key for when somebody was sent to sign in for a question.
fn sent_key(id: &str) -> String {
    format!("sent_to_sign_in {id}")
}

/// Whether somebody signed in since they were sent to for the question of this id.
pub(super) async fn has_tried(browser: &Browser, signed_in: &SignedIn, id: &str) -> bool {
    let sent = browser.session.get::<NumericDate>(&sent_key(id)).await.ok().flatten();
    sent.is_some_and(|sent| signed_in.login.auth_time >= sent)
}

/// Sends somebody to sign in for the question of this id, and notes that. It leads back to `here`.
pub(super) async fn send_to_sign_in(browser: &Browser, id: &str, here: &str) -> Response {
    match browser.session.insert(&sent_key(id), browser.visit.now).await {
        Ok(()) => sign_in::again(here),
        Err(error) => browser.broken(&session_broken(error)),
    }
}

/// What waits, and what it asks for.
pub(super) struct Question {
    pub(super) waiting: DeferredRequest,
    pub(super) offer: Offer,
}

/// Where an answer leads.
pub(super) struct Leads<'a> {
    /// The page that says what became of it.
    pub(super) back: &'a str,
    /// The page of the question itself.
    pub(super) here: &'a str,
    /// The session's key for what that page says.
    pub(super) told: &'a str,
}

impl Question {
    /// What this request asks for.
    pub(super) async fn of(
        app: &App,
        browser: &Browser,
        waiting: DeferredRequest,
        signed_in: &SignedIn,
    ) -> Result<Self, Box<Response>> {
        match approvals::offer_for(app, &browser.visit, &waiting, &signed_in.user).await {
            Ok(offer) => Ok(Self { waiting, offer }),
            Err(failure) => Err(Box::new(gone(browser, &failure))),
        }
    }

    /// Whether whoever is signed in may say yes: what to tell them on the page where they may not; or the way to sign
    /// in once more, back to `here`, where that may be enough. What could do harm takes a sign-in of just now, as it does
    /// on every page of such questions.
    pub(super) async fn ready(
        &self,
        browser: &Browser,
        signed_in: &SignedIn,
        here: &str,
    ) -> Result<Option<ConsentRefused>, Box<Response>> {
        let tried = has_tried(browser, signed_in, &self.waiting.id).await;
        match approvals::readiness(&self.waiting, &self.offer, &signed_in.login, tried) {
            Readiness::Ready if self.offer.risk() == RiskLevel::High && !sign_in::is_fresh(browser) => {
                Err(Box::new(sign_in::again(here)))
            }
            Readiness::Ready => Ok(None),
            Readiness::TooWeak => Ok(Some(ConsentRefused::TooWeak)),
            Readiness::SignInAgain => Err(Box::new(send_to_sign_in(browser, &self.waiting.id, here).await)),
        }
    }

    /// Shows it.
    pub(super) async fn show(
        &self,
        app: &App,
        browser: &Browser,
        afar: Afar,
        refused: Option<ConsentRefused>,
    ) -> Response {
        match consent::question(app, browser, &self.waiting.id, &self.offer, None, refused).await {
            Ok(view) => {
                let status = match refused {
                    None => StatusCode::OK,
                    Some(ConsentRefused::TooWeak) => StatusCode::FORBIDDEN,
                    Some(_) => StatusCode::BAD_REQUEST,
                };
                render(status, &ConsentPage { afar: Some(afar), ..view }, None)
            }
            Err(reason) => browser.broken(&reason),
        }
    }

    /// Takes the answer in a form.
    ///
    /// # Errors
    /// Why it is not taken, to be shown above the question once more; what cannot be answered at all is a response.
    pub(super) async fn answer(
        &self,
        app: &Arc<App>,
        browser: &Browser,
        form: &Params,
        signed_in: &SignedIn,
        leads: &Leads<'_>,
    ) -> Result<Response, ConsentRefused> {
        let Self { waiting, offer } = self;
        let ours = match browser.sent_by_our_form(form).await {
            Ok(ours) => ours,
            Err(reason) => return Ok(browser.broken(&reason)),
        };
        // A form of ours may have been open for too long; one without any token is not ours.
        if one(form, "csrf").is_empty() {
            return Ok(browser.error(WhatHappened::FormRefused, None));
        }
        if !ours {
            return Err(ConsentRefused::FormTooOld);
        }
        if !consent::is_as_shown(browser, &waiting.id, offer).await {
            return Err(ConsentRefused::Changed);
        }
        let allowed = one(form, "decision") == "approve";
        if allowed {
            match self.ready(browser, signed_in, leads.here).await {
                Ok(None) => {}
                Ok(Some(refused)) => return Err(refused),
                Err(response) => return Ok(*response),
            }
        }
        let answered = if allowed {
            let decision = consent::decision(browser, form, offer);
            approvals::approve(app, &browser.visit, waiting, &answerer(signed_in), offer, &decision).await
        } else {
            approvals::deny(app, &browser.visit, waiting, &signed_in.user, offer).await
        };
        match answered {
            Ok(()) => {
                consent::forget_shown(browser, &waiting.id).await;
                let told = Answered { allowed, client_name: offer.client.name.clone() };
                Ok(match browser.session.insert(leads.told, told).await {
                    Ok(()) => see_other_for_good(leads.back, &waiting.id),
                    Err(error) => browser.broken(&session_broken(error)),
                })
            }
            Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::AccessDenied => {
                Err(ConsentRefused::NothingLeft)
            }
            Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::InvalidTarget => {
                Err(ConsentRefused::Inseparable)
            }
            Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::UnmetAuthenticationRequirements => {
                Err(ConsentRefused::TooWeak)
            }
            Err(failure) => Ok(gone(browser, &failure)),
        }
    }
}

/// Somebody who is signed in, as the one who answers.
fn answerer(signed_in: &SignedIn) -> Answerer {
    Answerer {
        user: signed_in.user.clone(),
        login: signed_in.login.clone(),
        session: Some(signed_in.session.clone()),
    }
}

/// What cannot be answered any more waits no longer.
fn gone(browser: &Browser, failure: &Failure) -> Response {
    match failure {
        Failure::Refused(refusal) => browser.error(WhatHappened::NoLongerWaiting, Some(refusal)),
        Failure::Broken(reason) => browser.broken(reason),
    }
}

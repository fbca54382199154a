//! `/approvals/{id}` of a token request that waits for a person: the task, the exact action, who asks for whom, and the
//! answer to it.

use axum::http::StatusCode;
use axum::response::Response;
use protocol::authorization_details::RiskLevel;
use protocol::deferred::Readiness;
use protocol::params::Params;
use protocol::prompt::AskedAcr;
use protocol::task::Intent;
use protocol::token::Subject;

use super::account::name_of;
use super::afar;
use super::allowed::allowed;
use super::page::{Browser, one, render, see_other_for_good, session_broken};
use super::sign_in;
use super::views::{
    Answered, ApprovalPage, ConsentRefused, DestinationInWords, TaskInWords, WaitingEntry, WhatHappened,
};
use crate::app::{App, same};
use crate::approvals::{self, Approving, Word};
use crate::authorization::SignedIn;
use crate::failure::Failure;
use crate::secret::SecretDigest;
use crate::store::Deferral;

/// What the ids of such requests begin with.
const PREFIX: &str = "ask_";

/// Whether this is the id of such a request.
pub(super) fn is_one(id: &str) -> bool {
    id.starts_with(PREFIX)
}

/// What waits for `signed_in`, for the list.
pub(super) async fn waiting(
    app: &App,
    browser: &Browser,
    signed_in: &SignedIn,
) -> Result<Vec<WaitingEntry>, Failure> {
    let mut waiting = Vec::new();
    for deferral in app.store.deferrals_for(&signed_in.user, browser.visit.now).await? {
        let (client_name, kind) = name_of(app, &deferral.asked.question.wanted.client).await?;
        waiting.push(WaitingEntry {
            id: deferral.id,
            client_name,
            kind,
            binding_message: None,
            asked_at: deferral.asked.asked_at,
            until: deferral.polling.expires_at,
        });
    }
    Ok(waiting)
}

/// Shows the question of this id to its approver. Somebody else's is as one that is not there.
pub(super) async fn show(app: &App, browser: &Browser, signed_in: &SignedIn, id: &str) -> Response {
    let deferral = match find(app, browser, signed_in, id).await {
        Ok(deferral) => deferral,
        Err(response) => return *response,
    };
    let view = match view(app, browser, signed_in, &deferral).await {
        Ok(view) => view,
        Err(failure) => return browser.failure(&failure),
    };
    match ready(browser, signed_in, &deferral, view.page.risk).await {
        Ok(refused) => shown(view, refused),
        Err(response) => *response,
    }
}

/// The page, with why an answer was not taken.
fn shown(view: View, refused: Option<ConsentRefused>) -> Response {
    let status = match refused {
        None => StatusCode::OK,
        Some(ConsentRefused::TooWeak) => StatusCode::FORBIDDEN,
        Some(_) => StatusCode::BAD_REQUEST,
    };
    render(status, &ApprovalPage { refused, ..view.page }, None)
}

/// Takes the answer in a form.
pub(super) async fn answer(
    app: &App,
    browser: &Browser,
    signed_in: &SignedIn,
    id: &str,
    form: &Params,
    (back, told): (&str, &str),
) -> Response {
    let deferral = match find(app, browser, signed_in, id).await {
        Ok(deferral) => deferral,
        Err(response) => return *response,
    };
    match browser.sent_by_our_form(form).await {
        Ok(true) => {}
        Ok(false) if one(form, "csrf").is_empty() => return browser.error(WhatHappened::FormRefused, None),
        // A form of ours may have been open for too long.
        Ok(false) => {
            return match view(app, browser, signed_in, &deferral).await {
                Ok(view) => shown(view, Some(ConsentRefused::FormTooOld)),
                Err(failure) => browser.failure(&failure),
            };
        }
        Err(reason) => return browser.broken(&reason),
    }
    let allowed = one(form, "decision") == "approve";
    let word = match allowed {
        true => match yes(app, browser, signed_in, &deferral, one(form, "shown")).await {
            Ok(word) => word,
            Err(response) => return *response,
        },
        false => Word::No,
    };
    let SignedIn { user, session, login, .. } = signed_in;
    let approving = Approving { user, session, login };
    let decided = approvals::decide(app, &browser.visit, &deferral, approving, word).await;
    match decided {
        Ok(()) => {
            let client_name = match name_of(app, &deferral.asked.question.wanted.client).await {
                Ok((name, _)) => name,
                Err(failure) => return browser.failure(&failure),
            };
            match browser.session.insert(told, Answered { allowed, client_name }).await {
                Ok(()) => see_other_for_good(back, id),
                Err(error) => browser.broken(&session_broken(error)),
            }
        }
        Err(Failure::Refused(refusal)) => browser.error(WhatHappened::NoLongerWaiting, Some(&refusal)),
        Err(Failure::Broken(reason)) => browser.broken(&reason),
    }
}

/// The yes of a form that `shown` is in: to what it would be now, if that is what the form showed, word by word. Where it
/// is not, or whoever is signed in may not say yes, the page that says so.
async fn yes(
    app: &App,
    browser: &Browser,
    signed_in: &SignedIn,
    deferral: &Deferral,
    shown_there: &str,
) -> Result<Word, Box<Response>> {
    let view = view(app, browser, signed_in, deferral).await;
    let view = view.map_err(|failure| Box::new(browser.failure(&failure)))?;
    if !same(shown_there, &view.page.shown) {
        return Err(Box::new(shown(view, Some(ConsentRefused::Changed))));
    }
    match ready(browser, signed_in, deferral, view.page.risk).await? {
        None => Ok(Word::Yes(view.hash)),
        refused => Err(Box::new(shown(view, refused))),
    }
}

/// Whether whoever is signed in may say yes: what to tell them on the page where they may not; or the way to sign in
/// once more, back to here. A rule may demand a stronger sign-in; and what could do harm takes one of just now, so that
/// whoever found an open browser does none.
async fn ready(
    browser: &Browser,
    signed_in: &SignedIn,
    deferral: &Deferral,
    risk: RiskLevel,
) -> Result<Option<ConsentRefused>, Box<Response>> {
    let values = deferral.asked.question.acr.iter().map(ToString::to_string).collect();
    let asked = AskedAcr { values, necessary: true };
    let tried = afar::has_tried(browser, signed_in, &deferral.id).await;
    match Readiness::of(&asked, &signed_in.login, tried) {
        Readiness::SignInAgain => {
            Err(Box::new(afar::send_to_sign_in(browser, &deferral.id, &path(&deferral.id)).await))
        }
        Readiness::TooWeak => Ok(Some(ConsentRefused::TooWeak)),
        Readiness::Ready if risk == RiskLevel::High && !sign_in::is_fresh(browser) => {
            Err(Box::new(sign_in::again(&path(&deferral.id))))
        }
        Readiness::Ready => Ok(None),
    }
}

fn path(id: &str) -> String {
    format!("/approvals/{id}")
}

async fn find(
    app: &App,
    browser: &Browser,
    signed_in: &SignedIn,
    id: &str,
) -> Result<Deferral, Box<Response>> {
    let found = app.store.find_deferral_for(&signed_in.user, id).await;
    let found = found.map_err(|error| Box::new(browser.broken(&error.into())))?;
    found
        .filter(|found| found.waits(browser.visit.now))
        .ok_or_else(|| Box::new(browser.error(WhatHappened::NoLongerWaiting, None)))
}

/// What a question comes down to now.
struct View {
    page: ApprovalPage,
    /// The hash of what a yes would be to.
    hash: String,
}

async fn view(
    app: &App,
    browser: &Browser,
    signed_in: &SignedIn,
    deferral: &Deferral,
) -> Result<View, Failure> {
    let question = &deferral.asked.question;
    let registry = approvals::registry_of(app, question).await?;
    let wanted = question.wanted.read_by(&registry.types);
    let (asker_name, kind) = name_of(app, &wanted.client).await?;
    let task = match &wanted.task {
        Some(id) => app.store.find_task(id).await?,
        None => None,
    };
    let intent = task.map(|task| task.intent.clone()).unwrap_or_default();
    let language = browser.language.code();
    let authority = wanted.authority();
    let allowed = allowed(&registry, &authority, &intent, language);
    let mut chain = Vec::new();
    for actor in wanted.chain.actors() {
        chain.push(name_of(app, &actor.sub).await?.0);
    }
    if chain.is_empty() {
        chain.push(asker_name.clone());
    }
    let subject_name = match &wanted.subject {
        Subject::User(user) if *user != signed_in.user => {
            app.store.find_user(user).await?.map(|user| user.name.clone())
        }
        _ => None,
    };
    let is_own = matches!(&wanted.subject, Subject::Client { .. });
    // The user, and then each actor: the way that the authority goes.
    let user_name = browser.page().user_name.unwrap_or_default();
    let mut way: Vec<String> = Vec::new();
    if !is_own {
        way.push(subject_name.clone().unwrap_or(user_name));
    }
    way.extend(chain.into_iter().rev());
    let page = ApprovalPage {
        page: browser.page(),
        csrf: browser.csrf(app).await?,
        id: deferral.id.clone(),
        shown: String::new(),
        refused: None,
        asker_name,
        kind,
        subject_name,
        is_own,
        asked_as: question.asked_as.clone(),
        way,
        risk: allowed.details.iter().map(|detail| detail.risk).max().unwrap_or(RiskLevel::Medium),
        task: in_words(intent),
        allowed,
        destination: DestinationInWords::of(&wanted.destination, browser.language),
        asked_at: deferral.asked.asked_at,
        until: deferral.polling.expires_at,
        approval_minutes: app.settings.approvals.approval_life.0.saturating_add(59) / 60,
    };
    let hash = wanted.hash();
    Ok(View { page: ApprovalPage { shown: fingerprint(&page, &hash), ..page }, hash })
}

/// All that the page says, in its words, and the hash of what they speak of.
fn fingerprint(page: &ApprovalPage, hash: &str) -> String {
    let ApprovalPage {
        id, asker_name, kind, subject_name, is_own, asked_as, way, risk, task, allowed, ..
    } = page;
    let who = (id, asker_name, kind, subject_name, is_own, asked_as, way);
    let what = (risk, task, allowed, &page.destination, page.until, page.approval_minutes);
    SecretDigest::of(&format!("{:?}", (hash, who, what))).to_text()
}

/// The task, if it says anything.
pub(super) fn in_words(intent: Intent) -> Option<TaskInWords> {
    let says = intent != Intent::default();
    says.then_some(TaskInWords {
        purpose: intent.purpose,
        reference: intent.reference,
        success_criteria: intent.success_criteria,
        limits: intent.limits,
    })
}

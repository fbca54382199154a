//! `/account/tasks/{task_id}/{operation}`: the user lets a task that is done for them rest, go on, or end.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::identifier::TaskId;
use protocol::task::Hand;

use super::account::{name_of, show_next};
use super::page::{Browser, Form, render};
use super::sign_in;
use super::task_tree::may;
use super::views::{AccountTaskPage, TaskStep, WhatHappened};
use crate::app::App;
use crate::failure::Failure;
use crate::tasks::{self, By, Seen};

/// `GET /account/tasks/{task_id}/{operation}`.
pub async fn get(
    State(app): State<Arc<App>>,
    browser: Browser,
    Path((id, operation)): Path<(String, String)>,
) -> Response {
    if browser.signed_in.is_none() {
        return sign_in::first(&browser);
    }
    match question(&app, &browser, &id, &operation).await {
        Ok(Some(view)) => render(StatusCode::OK, &view, None),
        Ok(None) => browser.error(WhatHappened::NotFound, None),
        Err(failure) => browser.failure(&failure),
    }
}

/// `POST /account/tasks/{task_id}/{operation}`.
pub async fn post(
    State(app): State<Arc<App>>,
    browser: Browser,
    Path((id, operation)): Path<(String, String)>,
    Form(form): Form,
) -> Response {
    let begun = Instant::now();
    let Some(signed_in) = browser.login() else { return sign_in::first(&browser) };
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => return browser.error(WhatHappened::FormRefused, None),
        Err(reason) => return browser.broken(&reason),
    }
    let (Ok(id), Some(step)) = (id.parse::<TaskId>(), step(&operation)) else {
        return browser.error(WhatHappened::NotFound, None);
    };
    let by = By::User(&signed_in.user);
    match tasks::operate(&app, &browser.visit, by, &id, step.operation(), None).await {
        Ok(Some(stepped)) => {
            let ended = (step == TaskStep::Revoke).then_some(&stepped.ended);
            show_next(&app, &browser, (step.done(), &stepped.seen.task.actor, ended), begun).await
        }
        Ok(None) | Err(Failure::Refused(_)) => browser.error(WhatHappened::NotFound, None),
        Err(failure) => browser.failure(&failure),
    }
}

fn step(operation: &str) -> Option<TaskStep> {
    TaskStep::ALL.into_iter().find(|step| step.operation().as_str() == operation)
}

/// The question, if this user may do that to this task now.
async fn question(
    app: &App,
    browser: &Browser,
    id: &str,
    operation: &str,
) -> Result<Option<AccountTaskPage>, Failure> {
    let (Ok(id), Some(step), Some(signed_in)) = (id.parse::<TaskId>(), step(operation), browser.login())
    else {
        return Ok(None);
    };
    let Some(Seen { task, .. }) = tasks::see(app, &browser.visit, By::User(&signed_in.user), &id).await?
    else {
        return Ok(None);
    };
    if !may(&task, step, Hand::User, browser.visit.now) {
        return Ok(None);
    }
    let mut parts = Vec::new();
    for line in app.store.tasks_of_consent(&task.consent).await? {
        if let Some((part, above)) = line.split_first()
            && above.iter().any(|above| above.id == task.id)
        {
            parts.push((name_of(app, &part.actor).await?.0, part.intent.purpose.clone()));
        }
    }
    Ok(Some(AccountTaskPage {
        page: browser.page(),
        csrf: browser.csrf(app).await?,
        step,
        actor_name: name_of(app, &task.actor).await?.0,
        purpose: task.intent.purpose,
        reference: task.intent.reference,
        parts,
        action: format!("/account/tasks/{id}/{operation}"),
    }))
}

//! `/account/tasks/{task_id}/{operation}`: the user lets a task that is done for them rest, go on, or end.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::identifier::{ConsentId, TaskId};
use protocol::task::{self, Hand, Task, TaskStatus};

use super::account::{JUST_STEPPED, name_of};
use super::page::{Browser, Form, render, see_other};
use super::sign_in;
use super::views::{AccountTaskPage, TaskStep, TaskSummary, WhatHappened};
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
            if let Ok((name, _)) = name_of(&app, &stepped.seen.task.actor).await {
                let _ = browser.session.insert(JUST_STEPPED, (step.done(), name)).await;
            }
            see_other("/account")
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
    if !may(&task, step, browser) {
        return Ok(None);
    }
    let all = of_consent(app, &task.consent).await?;
    let mut parts = Vec::new();
    for part in all.iter().filter(|part| line(part, &all).iter().skip(1).any(|above| above.id == task.id)) {
        parts.push((name_of(app, &part.actor).await?.0, part.intent.purpose.clone()));
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

/// The tasks under a consent, the newest first.
pub(super) async fn of_consent(app: &App, consent: &ConsentId) -> Result<Vec<Task>, Failure> {
    let lines = app.store.tasks_of_consent(consent).await?;
    Ok(lines.into_iter().filter_map(|line| line.into_iter().next()).collect())
}

/// Whether the user's hand can do this, and it would change something.
fn may(task: &Task, step: TaskStep, browser: &Browser) -> bool {
    let own = task.own_status(browser.visit.now);
    let after = task.after(step.operation(), Hand::User, browser.visit.now);
    after.is_ok_and(|(status, by)| status != own || by != task.suspended_by)
}

/// The task and those above it, as far as they are among `all`.
fn line<'a>(task: &'a Task, all: &'a [Task]) -> Vec<&'a Task> {
    let above = |task: &&'a Task| all.iter().find(|above| Some(&above.id) == task.parent.as_ref());
    std::iter::successors(Some(task), above).take(all.len()).collect()
}

/// The tasks of a consent as a tree, each part behind the task that it is a part of; the newest root last.
pub(super) async fn tree(
    app: &App,
    browser: &Browser,
    mut all: Vec<Task>,
) -> Result<Vec<TaskSummary>, Failure> {
    all.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    let mut shown = Vec::with_capacity(all.len());
    let mut next: Vec<(usize, &Task)> = Vec::new();
    let known = |task: &Task| all.iter().any(|above| Some(&above.id) == task.parent.as_ref());
    next.extend(all.iter().rev().filter(|task| !known(task)).map(|task| (0, task)));
    while let Some((depth, task)) = next.pop() {
        let parts = all.iter().rev().filter(|part| part.parent.as_ref() == Some(&task.id));
        next.extend(parts.map(|part| (depth + 1, part)));
        let line = line(task, &all);
        let status = task::effective(line.iter().copied(), browser.visit.now);
        // What is over because of what it is a part of is not brought back or ended alone.
        let steps = TaskStep::ALL.into_iter().filter(|step| !status.is_final() && may(task, *step, browser));
        let part_of = line.get(1).map(|above| above.intent.purpose.clone());
        shown.push(TaskSummary {
            id: task.id.to_string(),
            purpose: task.intent.purpose.clone(),
            reference: task.intent.reference.clone(),
            success_criteria: task.intent.success_criteria.clone(),
            limits: task.intent.limits.clone(),
            status,
            deadline: task.deadline,
            depth: u32::try_from(depth).unwrap_or(u32::MAX),
            actor_name: match depth {
                0 => None,
                _ => Some(name_of(app, &task.actor).await?.0),
            },
            part_of,
            rests_above: status == TaskStatus::Suspended
                && task.own_status(browser.visit.now) != TaskStatus::Suspended,
            steps: steps.collect(),
        });
    }
    Ok(shown)
}

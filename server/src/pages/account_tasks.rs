//! `/account/tasks/{task_id}/{operation}`: the user lets a task that is done for them rest, go on, or end.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::identifier::TaskId;
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

/// Whether the user's hand can do this, and it would change something.
fn may(task: &Task, step: TaskStep, browser: &Browser) -> bool {
    let own = task.own_status(browser.visit.now);
    let after = task.after(step.operation(), Hand::User, browser.visit.now);
    after.is_ok_and(|(status, by)| status != own || by != task.suspended_by)
}

/// The tasks of a consent as a tree, each part behind the task that it is a part of. `lines` are the tasks, each with
/// those above it.
pub(super) async fn tree(
    app: &App,
    browser: &Browser,
    lines: Vec<Vec<Task>>,
) -> Result<Vec<TaskSummary>, Failure> {
    let known: Vec<(&Task, &[Task])> = lines.iter().filter_map(|line| line.split_first()).collect();
    let is_shown = |task: &Task| known.iter().any(|(above, _)| Some(&above.id) == task.parent.as_ref());
    let mut shown = Vec::with_capacity(known.len());
    let mut next: Vec<_> =
        known.iter().rev().filter(|(task, _)| !is_shown(task)).map(|one| (0_u32, one)).collect();
    while let Some((depth, (task, above))) = next.pop() {
        let parts = known.iter().rev().filter(|(part, _)| part.parent.as_ref() == Some(&task.id));
        next.extend(parts.map(|part| (depth.saturating_add(1), part)));
        let status = task::effective(std::iter::once(*task).chain(*above), browser.visit.now);
        // What is over because of what it is a part of is not brought back or ended alone.
        let steps = TaskStep::ALL.into_iter().filter(|step| !status.is_final() && may(task, *step, browser));
        shown.push(TaskSummary {
            id: task.id.to_string(),
            purpose: task.intent.purpose.clone(),
            reference: task.intent.reference.clone(),
            success_criteria: task.intent.success_criteria.clone(),
            limits: task.intent.limits.clone(),
            status,
            deadline: task.deadline,
            depth,
            actor_name: match above.is_empty() {
                true => None,
                false => Some(name_of(app, &task.actor).await?.0),
            },
            part_of: above.first().map(|above| above.intent.purpose.clone()),
            rests_above: status == TaskStatus::Suspended
                && task.own_status(browser.visit.now) != TaskStatus::Suspended,
            steps: steps.collect(),
        });
    }
    Ok(shown)
}

//! `/admin/tasks/{task_id}`: what a task is for, what may be done for it, its parts, and what is alive under them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use protocol::identifier::TaskId;
use protocol::task::{self, TaskStatus};

use super::admin_consents::{client_link, name_of_user};
use super::admin_held::{MOST, held};
use super::allowed::allowed;
use super::deferral::in_words;
use super::page::Browser;
use super::sign_in;
use super::task_tree::{Reader, steps, tree};
use super::views::AdminTaskPage;
use crate::app::App;
use crate::failure::{Broken, Failure};
use crate::store::Under;

/// `GET /admin/tasks/{task_id}`.
pub async fn one(State(app): State<Arc<App>>, browser: Browser, Path(id): Path<String>) -> Response {
    if browser.admin().is_none() {
        return sign_in::first(&browser);
    }
    browser.found(view(&app, &browser, &id).await)
}

async fn view(app: &App, browser: &Browser, id: &str) -> Result<Option<AdminTaskPage>, Failure> {
    let Ok(id) = id.parse::<TaskId>() else { return Ok(None) };
    let line = app.store.line_of_task(&id).await?;
    let Some(task) = line.first() else { return Ok(None) };
    let consent = app.store.find_consent(&task.consent).await?;
    let consent = consent.ok_or(Broken::Inconsistent("a task of a consent that is not there"))?;
    let registry = app.registry_of(Some(&consent)).await?;
    let now = browser.visit.now;
    let status = task::effective(&line, now);
    let mut parts = app.store.tasks_of_consent(&task.consent).await?;
    parts.retain(|line| line.iter().skip(1).any(|above| above.id == id));
    let mut tasks = tree(app, browser, parts, Reader::Admin).await?;
    let more_tasks = tasks.len() > MOST;
    tasks.truncate(MOST);
    Ok(Some(AdminTaskPage {
        page: browser.page(),
        id: id.to_string(),
        user_name: name_of_user(app, &task.user).await?,
        actor: client_link(app, &task.actor).await?,
        status,
        rests_above: status == TaskStatus::Suspended && task.own_status(now) != TaskStatus::Suspended,
        suspended_by: task.suspended_by.filter(|_| status == TaskStatus::Suspended),
        task: in_words(task.intent.clone()).unwrap_or_default(),
        allowed: allowed(&registry, &task.authority(&consent), &task.intent, browser.language.code()),
        since: task.created_at,
        deadline: task.deadline,
        derivations: task.max_derivations.map(|most| (task.derivations, most)),
        consent: task.consent.to_string(),
        part_of: task.parent.as_ref().map(ToString::to_string),
        steps: steps(task, status, Reader::Admin, now),
        tasks,
        more_tasks,
        held: held(app, browser, &Under::Task(id)).await?,
    }))
}

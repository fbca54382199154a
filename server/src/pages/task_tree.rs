//! The tasks under a consent as a tree, with what the reader of the page may do with each.

use protocol::numeric_date::NumericDate;
use protocol::task::{self, Hand, Task, TaskStatus};

use super::account::name_of;
use super::page::Browser;
use super::views::{TaskStep, TaskSummary};
use crate::app::App;
use crate::failure::Failure;

/// On whose page the tree stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reader {
    /// The user's, for whom the tasks are done.
    User,
    /// An admin's.
    Admin,
}

impl Reader {
    const fn hand(self) -> Hand {
        match self {
            Self::User => Hand::User,
            Self::Admin => Hand::Admin,
        }
    }

    /// The page of one task.
    fn page(self, task: &Task) -> Option<String> {
        (self == Self::Admin).then(|| format!("/admin/tasks/{}", task.id))
    }

    /// The page that asks whether to do this.
    fn path(self, task: &Task, step: TaskStep) -> String {
        match (self, step) {
            (Self::User, _) => format!("/account/tasks/{}/{}", task.id, step.operation().as_str()),
            (Self::Admin, TaskStep::Revoke) => format!("/admin/tasks/{}/end", task.id),
            (Self::Admin, _) => format!("/admin/tasks/{}/{}", task.id, step.operation().as_str()),
        }
    }
}

/// Whether this hand can do this, and it would change something.
pub(super) fn may(task: &Task, step: TaskStep, hand: Hand, now: NumericDate) -> bool {
    let own = task.own_status(now);
    let after = task.after(step.operation(), hand, now);
    after.is_ok_and(|(status, by)| status != own || by != task.suspended_by)
}

/// What the reader may do with a task that stands so, each with the page that asks whether to.
pub(super) fn steps(
    task: &Task,
    status: TaskStatus,
    reader: Reader,
    now: NumericDate,
) -> Vec<(TaskStep, String)> {
    // What is over because of what it is a part of is not brought back or ended alone.
    let steps =
        TaskStep::ALL.into_iter().filter(|step| !status.is_final() && may(task, *step, reader.hand(), now));
    steps.map(|step| (step, reader.path(task, step))).collect()
}

/// The tasks as a tree, each part behind the task that it is a part of. `lines` are the tasks, each with those above it.
pub(super) async fn tree(
    app: &App,
    browser: &Browser,
    lines: Vec<Vec<Task>>,
    reader: Reader,
) -> Result<Vec<TaskSummary>, Failure> {
    let now = browser.visit.now;
    let known: Vec<(&Task, &[Task])> = lines.iter().filter_map(|line| line.split_first()).collect();
    let is_shown = |task: &Task| known.iter().any(|(above, _)| Some(&above.id) == task.parent.as_ref());
    let mut shown = Vec::with_capacity(known.len());
    let mut next: Vec<_> =
        known.iter().rev().filter(|(task, _)| !is_shown(task)).map(|one| (0_u32, one)).collect();
    while let Some((depth, (task, above))) = next.pop() {
        let parts = known.iter().rev().filter(|(part, _)| part.parent.as_ref() == Some(&task.id));
        next.extend(parts.map(|part| (depth.saturating_add(1), part)));
        let status = task::effective(std::iter::once(*task).chain(*above), now);
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
            rests_above: status == TaskStatus::Suspended && task.own_status(now) != TaskStatus::Suspended,
            path: reader.page(task),
            steps: steps(task, status, reader, now),
        });
    }
    Ok(shown)
}

//! The account page, and what leads on from it.

use askama::Template as _;
use protocol::numeric_date::Seconds;
use protocol::task::TaskStatus;

use super::super::*;
use super::admin_endings::what_ended;
use super::{NOW, Samples, Theirs};

pub(super) fn permitted(t: Theirs) -> Vec<Permitted> {
    let lines = vec![t.s("Only at https://api.shop.example/orders"), t.s("At most 50"), t.s("In EUR")];
    vec![
        Permitted { sentence: t.s("Do this: refund"), lines },
        Permitted { sentence: t.s("See your orders"), lines: vec![] },
    ]
}

/// What a user may do with a task, each with its page.
fn steps(steps: &[TaskStep]) -> Vec<(TaskStep, String)> {
    steps.iter().map(|step| (*step, format!("/account/tasks/t_1/{}", step.operation().as_str()))).collect()
}

/// Tasks in every state, and parts of parts.
pub(super) fn tasks(t: Theirs) -> Vec<TaskSummary> {
    let task = |purpose, status, deadline| TaskSummary {
        id: "t_1".into(),
        purpose,
        reference: t.some("TICKET-2081"),
        status,
        deadline: NOW.plus(deadline),
        success_criteria: vec![t.s("The customer has the money")],
        limits: vec![t.s("Write to nobody else")],
        depth: 0,
        actor_name: None,
        part_of: None,
        rests_above: false,
        path: None,
        steps: steps(&[TaskStep::Suspend, TaskStep::Revoke]),
    };
    let whole =
        task(t.some("Refund order 4711, which arrived broken"), TaskStatus::Active, Seconds::minutes(60));
    let part = TaskSummary {
        id: "t_2".into(),
        depth: 1,
        actor_name: t.some("Mail Agent"),
        part_of: Some(whole.purpose.clone()),
        rests_above: true,
        steps: steps(&[TaskStep::Resume, TaskStep::Revoke]),
        ..task(t.some("Find the address"), TaskStatus::Suspended, Seconds::minutes(30))
    };
    let over = |status: TaskStatus| TaskSummary {
        id: status.as_str().into(),
        steps: vec![],
        ..task(None, status, Seconds::minutes(30))
    };
    vec![
        whole.clone(),
        part.clone(),
        TaskSummary { id: "t_3".into(), depth: 2, part_of: Some(None), actor_name: None, ..part.clone() },
        TaskSummary { id: "t_4".into(), depth: 3, ..part },
        over(TaskStatus::Completed),
        over(TaskStatus::Revoked),
        over(TaskStatus::Expired),
    ]
}

fn account(language: Language, t: Theirs) -> AccountPage {
    let what = permitted(t);
    let first = ConsentSummary {
        id: t.s("c_1"),
        actor_name: t.s("Refund Agent"),
        kind: Kind::Agent,
        client_name: t.some("Shop Assistant"),
        open: None,
        since: NOW,
        until: NOW.plus(Seconds::days(1)),
        what: what.clone(),
        passing_on_max: 2,
        offline_access: true,
        tasks: tasks(t),
        tokens: vec![
            LiveTokens { chain: vec![t.s("Refund Agent")], count: 1 },
            LiveTokens { chain: vec![t.s("Mail Agent"), t.s("Refund Agent")], count: 2 },
        ],
    };
    let second = ConsentSummary {
        id: "c_2".into(),
        actor_name: t.s("Order Book"),
        kind: Kind::Application,
        client_name: None,
        open: t.some("https://books.example/sign-in?iss=https%3A%2F%2Fas.example"),
        what: permitted(t)[1..].to_vec(),
        passing_on_max: 0,
        offline_access: false,
        tasks: vec![],
        tokens: vec![],
        ..first.clone()
    };
    let ended =
        |kind, end| EndedConsent { actor_name: t.s("Old Agent"), kind, since: NOW, what: what.clone(), end };
    AccountPage {
        page: Page::for_user(language, t.s("Alice Example"), true),
        csrf: t.s("csrf-1"),
        just_done: Some(JustDone {
            done: JustDone::CONSENT_ENDED.to_owned(),
            name: t.s("Travel Agent"),
            ended: Some(what_ended(t, 4)),
        }),
        waiting: 2,
        connections: true,
        consents: vec![first, second],
        ended: vec![ended(Kind::Agent, ConsentEnd::Revoked), ended(Kind::Service, ConsentEnd::TimeOver)],
    }
}

/// The account page, and the questions about a task.
pub(super) fn samples(language: Language, t: Theirs) -> Samples {
    let mut samples = vec![("account", account(language, t).render())];
    samples.push((
        "account-empty",
        AccountPage { consents: vec![], ended: vec![], just_done: None, waiting: 0, ..account(language, t) }
            .render(),
    ));
    let done = TaskStep::Suspend.done().to_owned();
    let just_done = Some(JustDone { done, name: t.s("Travel Agent"), ended: None });
    samples.push(("account-stepped", AccountPage { just_done, ..account(language, t) }.render()));
    for step in TaskStep::ALL {
        let page = AccountTaskPage {
            page: Page::for_user(language, t.s("Alice Example"), true),
            csrf: t.s("csrf-1"),
            step,
            actor_name: t.s("Refund Agent"),
            purpose: t.some("Refund order 4711, which arrived broken"),
            reference: t.some("TICKET-2081"),
            parts: match step {
                TaskStep::Resume => vec![],
                _ => vec![(t.s("Mail Agent"), t.some("Find the address")), (t.s("Mail Agent"), None)],
            },
            action: "/account/tasks/t_1/suspend".into(),
        };
        samples.push((step.question(), page.render()));
        samples.push((step.done(), AccountTaskPage { purpose: None, reference: None, ..page }.render()));
    }
    samples
}

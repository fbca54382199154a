//! A consent and a task as admins see them, and what is alive under them.

use askama::Template as _;
use protocol::numeric_date::Seconds;
use protocol::task::{Hand, TaskStatus};
use protocol::token::TokenKind;

use super::super::*;
use super::account::{permitted, tasks};
use super::consent::details;
use super::{NOW, Samples, Theirs};

/// A family, and a token of every kind, bound in every way.
pub(super) fn held(t: Theirs) -> Held {
    let row = |id: &str, kind, bound, way: &[&str]| HeldRow {
        id: t.s(id),
        holder_name: t.s("Refund Agent"),
        instance: (bound == Bound::Key).then(|| t.s("repo:acme/app:run:8412")),
        kind,
        way: way.iter().map(|name| t.s(name)).collect(),
        bound,
        since: NOW,
        until: NOW.plus(Seconds::minutes(10)),
        end: "/admin/tokens/tok_1/end".into(),
    };
    let long = ["Alice Example", "Shop Assistant", "Refund Agent", "Mail Agent"];
    Held {
        families: vec![row("fam_8Qh2LrT0vXk4", TokenKind::Refresh, Bound::Client, &long[..2])],
        tokens: vec![
            row("tok_V1StGXR8Z5jdHi6B", TokenKind::Access, Bound::Key, &long),
            row("tok_3kTMd9pQ0yXz1wUe", TokenKind::Refresh, Bound::Client, &long[..2]),
            row("tok_Zr4uT8wYbQ2sLp0x", TokenKind::Id, Bound::Client, &long[..2]),
            row("tok_9aBcDeFgHiJkLmNo", TokenKind::Foreign, Bound::Nothing, &long[..1]),
            row("tok_PqRsTuVwXyZ01234", TokenKind::Assertion, Bound::Certificate, &long[..3]),
            row("tok_56789abcdefghijk", TokenKind::Transaction, Bound::Nothing, &long[2..3]),
        ],
        more: true,
    }
}

fn allowed(t: Theirs) -> Allowed {
    Allowed {
        details: details(t),
        scopes: permitted(t)[1..].to_vec(),
        resources: vec![ResourceInWords {
            name: t.s("Shop API"),
            identifier: t.s("https://api.shop.example"),
        }],
    }
}

fn client(t: Theirs, name: &str, kind: Kind) -> ClientLink {
    ClientLink { name: t.s(name), kind, path: "/admin/clients/refund-agent".into() }
}

fn with_pages(t: Theirs) -> Vec<TaskSummary> {
    let with = |task: TaskSummary| TaskSummary { path: Some(format!("/admin/tasks/{}", task.id)), ..task };
    tasks(t).into_iter().map(with).collect()
}

/// Each with everything, and over.
pub(super) fn samples(language: Language, t: Theirs) -> Samples {
    let page = Page::for_user(language, t.s("Olga Owner"), true);
    let consent = AdminConsentPage {
        page: page.clone(),
        id: t.s("con_9Xk2QvB7"),
        user_name: t.s("Alice Example"),
        actor: client(t, "Refund Agent", Kind::Agent),
        client: Some(client(t, "Shop Assistant", Kind::Application)),
        brought_by: t.some("https://login.company.example"),
        end: None,
        allowed: allowed(t),
        claims: vec![t.s("email"), t.s("birthdate")],
        passing_on_max: 2,
        offline_access: true,
        since: NOW,
        until: NOW.plus(Seconds::days(1)),
        tasks: with_pages(t),
        more_tasks: true,
        held: held(t),
    };
    let over = AdminConsentPage {
        end: Some(ConsentEnd::Revoked),
        client: None,
        brought_by: None,
        claims: vec![],
        passing_on_max: 0,
        offline_access: false,
        tasks: vec![],
        more_tasks: false,
        held: Held::default(),
        ..consent.clone()
    };
    let step = |step: TaskStep| (step, format!("/admin/tasks/task_7Qa1/{}", step.operation().as_str()));
    let task = AdminTaskPage {
        page,
        id: t.s("task_7Qa1"),
        user_name: t.s("Alice Example"),
        actor: client(t, "Mail Agent", Kind::Agent),
        status: TaskStatus::Suspended,
        rests_above: false,
        suspended_by: Some(Hand::User),
        task: TaskInWords {
            purpose: t.some("Refund order 4711, which arrived broken"),
            reference: t.some("TICKET-2081"),
            success_criteria: vec![t.s("The customer has the money back")],
            limits: vec![t.s("No letters to the customer")],
        },
        allowed: allowed(t),
        since: NOW,
        deadline: NOW.plus(Seconds::days(1)),
        derivations: Some((3, 20)),
        consent: t.s("con_9Xk2QvB7"),
        part_of: t.some("task_5Tz0"),
        steps: TaskStep::ALL.map(step).into(),
        tasks: with_pages(t),
        more_tasks: true,
        held: held(t),
    };
    let mut samples = vec![("admin-consent", consent.render()), ("admin-consent-over", over.render())];
    for (name, hand) in [
        ("admin-task", Hand::User),
        ("admin-task-by-agent", Hand::Actor),
        ("admin-task-by-giver", Hand::Giver),
        ("admin-task-by-admin", Hand::Admin),
    ] {
        samples.push((name, AdminTaskPage { suspended_by: Some(hand), ..task.clone() }.render()));
    }
    let part = AdminTaskPage {
        rests_above: true,
        suspended_by: None,
        derivations: None,
        task: TaskInWords::default(),
        steps: vec![],
        tasks: vec![],
        more_tasks: false,
        held: Held::default(),
        ..task
    };
    samples.push(("admin-task-quiet", part.render()));
    samples
}

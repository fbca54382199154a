//! The admin page.

use askama::Template as _;
use protocol::audit::Outcome;
use protocol::client::ClientStatus;
use protocol::numeric_date::Seconds;

use super::super::*;
use super::account::permitted;
use super::{NOW, Samples, Theirs};

fn admin(language: Language, t: Theirs) -> AdminPage {
    let agent = |id: &str, expired, status| AgentRow {
        id: t.s(id),
        path: format!("/admin/clients/{id}"),
        name: t.s("Refund Agent"),
        owner_name: t.s("Olga Owner"),
        purpose: t.s("Answers customers and refunds what they are owed"),
        expires_at: NOW,
        expired,
        status,
    };
    let event = |seq, action: &str, outcome, chain: &[&str], reason| AuditRow {
        seq,
        time: NOW,
        action: t.s(action),
        outcome,
        client: t.some("refund-agent"),
        chain: chain.iter().map(|name| t.s(name)).collect(),
        reason,
    };
    AdminPage {
        page: Page::for_user(language, t.s("Olga Owner"), true),
        csrf: t.s("csrf-1"),
        users: vec![
            UserRow {
                id: t.s("usr_1"),
                username: t.s("alice"),
                name: t.s("Alice Example"),
                email: t.some("alice@shop.example"),
                has_password: true,
                has_agents: true,
                enabled: true,
                halted: false,
                path: "/admin/users/usr_1".into(),
            },
            UserRow {
                id: t.s("usr_2"),
                username: t.s("carol"),
                name: t.s("Carol Example"),
                email: None,
                has_password: false,
                has_agents: false,
                enabled: false,
                halted: true,
                path: "/admin/users/usr_2".into(),
            },
        ],
        tasks: vec![TaskRow {
            id: t.s("task_7Qa1"),
            user_name: t.s("Alice Example"),
            actor_name: t.s("Refund Agent"),
            purpose: t.some("Answer ticket 4711"),
            deadline: NOW.plus(Seconds::days(1)),
        }],
        agents: vec![
            agent("refund-agent", false, ClientStatus::Active),
            agent("mail-agent", false, ClientStatus::Suspended),
            agent("old-agent", true, ClientStatus::Active),
            agent("first-agent", true, ClientStatus::Retired),
        ],
        consents: vec![ConsentRow {
            id: t.s("c_9Xk2"),
            user_name: t.s("Alice Example"),
            actor_name: t.s("Refund Agent"),
            client_name: t.s("Shop Assistant"),
            what: permitted(t),
            since: NOW,
            until: NOW.plus(Seconds::days(1)),
        }],
        events: vec![
            event(128, "token.exchange", Outcome::Granted, &["mail-agent", "refund-agent"], None),
            event(
                127,
                "token.exchange",
                Outcome::Refused,
                &["refund-agent"],
                t.some("the scope orders.delete is not in the subject token"),
            ),
            event(126, "consent.decide", Outcome::Granted, &[], None),
        ],
    }
}

/// The admin page, full and empty.
pub(super) fn samples(language: Language, t: Theirs) -> Samples {
    let whole = admin(language, t);
    let empty = AdminPage {
        agents: vec![],
        users: vec![],
        consents: vec![],
        tasks: vec![],
        events: vec![],
        ..whole.clone()
    };
    vec![("admin", whole.render()), ("admin-empty", empty.render())]
}

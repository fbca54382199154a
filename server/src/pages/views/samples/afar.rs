//! Questions that come from elsewhere.

use askama::Template as _;
use protocol::authorization_details::RiskLevel;
use protocol::numeric_date::Seconds;
use protocol::rule::Approver;

use super::super::*;
use super::{NOW, Samples, Theirs};

fn device(language: Language, t: Theirs) -> DevicePage {
    DevicePage {
        page: Page::for_user(language, t.s("Alice Example"), false),
        user_code: t.s("WDJB-MJHT"),
        refused: Some(UserCodeRefused::Wrong),
        answered: None,
    }
}

fn approvals(language: Language, t: Theirs) -> ApprovalsPage {
    let entry = |id: &str, kind, binding_message| WaitingEntry {
        id: id.into(),
        client_name: t.s("Refund Agent"),
        kind,
        binding_message,
        asked_at: NOW,
        until: NOW.plus(Seconds::minutes(5)),
    };
    ApprovalsPage {
        page: Page::for_user(language, t.s("Alice Example"), false),
        csrf: t.s("csrf-1"),
        answered: Some(Answered { allowed: true, client_name: t.s("Order Book") }),
        waiting: vec![
            entry("req_1", Kind::Agent, t.some("W4SCT")),
            entry("req_2", Kind::Service, None),
            entry("req_3", Kind::Application, None),
        ],
        has_user_code: true,
        user_code_told: Some(UserCodeTold::Set),
    }
}

fn approval(language: Language, t: Theirs) -> ApprovalPage {
    ApprovalPage {
        page: Page::for_user(language, t.s("Olga Owner"), false),
        csrf: t.s("csrf-1"),
        id: "ask_1".into(),
        shown: "hash".into(),
        refused: None,
        asker_name: t.s("Refund Agent"),
        kind: Kind::Agent,
        subject_name: t.some("Alice Example"),
        is_own: false,
        asked_as: Approver::Manager,
        way: vec![t.s("Alice Example"), t.s("Refund Agent"), t.s("Lookup Agent")],
        risk: RiskLevel::High,
        task: Some(TaskInWords {
            purpose: t.some("Refund order 4711, which arrived broken"),
            reference: t.some("TICKET-2081"),
            success_criteria: vec![t.s("The customer has the money back")],
            limits: vec![t.s("No letters")],
        }),
        allowed: Allowed {
            details: vec![DetailEntry {
                mark: None,
                index: 0,
                type_name: t.s("A task"),
                sentence: t.s("Do this: refund"),
                lines: vec![t.s("At most 50")],
                risk: RiskLevel::High,
            }],
            scopes: vec![Permitted { sentence: t.s("Change your orders"), lines: Vec::new() }],
            resources: vec![ResourceInWords {
                name: t.s("The orders"),
                identifier: t.s("https://orders.example"),
            }],
        },
        destination: None,
        asked_at: NOW,
        until: NOW.plus(Seconds::minutes(60)),
        approval_minutes: 10,
    }
}

/// The pages of questions from elsewhere, in every state.
pub(super) fn samples(language: Language, t: Theirs) -> Samples {
    let answered = |allowed| Some(Answered { allowed, client_name: t.s("TV") });
    let (device, approvals) = (device(language, t), approvals(language, t));
    let approval = approval(language, t);
    vec![
        ("approval", approval.render()),
        (
            "approval-own",
            ApprovalPage {
                subject_name: None,
                asked_as: Approver::Subject,
                task: None,
                risk: RiskLevel::Low,
                ..approval.clone()
            }
            .render(),
        ),
        (
            "approval-itself",
            ApprovalPage {
                is_own: true,
                asked_as: Approver::Owner,
                subject_name: None,
                refused: Some(ConsentRefused::Changed),
                risk: RiskLevel::Medium,
                ..approval.clone()
            }
            .render(),
        ),
        (
            "approval-leaving",
            ApprovalPage {
                refused: Some(ConsentRefused::TooWeak),
                destination: Some(DestinationInWords {
                    sentence: language.sentence("approval-trust-domain", &[("name", &t.s("trust.example"))]),
                    token_type: "urn:ietf:params:oauth:token-type:txn_token",
                    details: vec![t.s("order: 7")],
                }),
                ..approval
            }
            .render(),
        ),
        ("device", DevicePage { refused: None, ..device.clone() }.render()),
        ("device-wrong", device.render()),
        (
            "device-too-many",
            DevicePage { refused: Some(UserCodeRefused::TooMany), ..device.clone() }.render(),
        ),
        ("device-allowed", DevicePage { answered: answered(true), ..device.clone() }.render()),
        ("device-denied", DevicePage { answered: answered(false), ..device }.render()),
        ("approvals", approvals.render()),
        (
            "approvals-empty",
            ApprovalsPage { waiting: vec![], answered: None, has_user_code: false, ..approvals.clone() }
                .render(),
        ),
        (
            "approvals-code-refused",
            ApprovalsPage {
                answered: answered(false),
                user_code_told: Some(UserCodeTold::Refused),
                ..approvals.clone()
            }
            .render(),
        ),
        (
            "approvals-code-removed",
            ApprovalsPage { user_code_told: Some(UserCodeTold::Removed), ..approvals }.render(),
        ),
    ]
}

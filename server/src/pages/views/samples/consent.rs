//! The consent page.

use askama::Template as _;
use protocol::authorization_details::RiskLevel;
use protocol::numeric_date::Seconds;
use protocol::task::Intent;

use super::super::*;
use super::{NOW, Samples, Theirs};

fn agent(t: Theirs) -> ActorInWords {
    ActorInWords {
        name: t.s("Refund Agent"),
        is_agent: true,
        owner_name: t.some("Olga Owner"),
        purpose: t.some("Answers customers and refunds what they are owed"),
        expires_at: Some(NOW.plus(Seconds::days(90))),
    }
}

fn task(t: Theirs) -> Intent {
    Intent {
        purpose: t.some("Refund order 4711, which arrived broken"),
        reference: t.some("TICKET-2081"),
        success_criteria: vec![t.s("The customer has the money back")],
        limits: vec![t.s("Never more than the order cost"), t.s("No letters to the customer")],
    }
}

/// Details of every risk.
pub fn details(t: Theirs) -> Vec<DetailEntry> {
    let entry = |index, type_name: &str, sentence: &str, lines: &[&str], risk| DetailEntry {
        index,
        type_name: t.s(type_name),
        sentence: t.s(sentence),
        lines: lines.iter().map(|line| t.s(line)).collect(),
        risk,
        mark: None,
    };
    vec![
        entry(
            0,
            "A task",
            "Do this: refund",
            &["Only at https://api.shop.example/orders", "At most 50", "In EUR"],
            RiskLevel::High,
        ),
        entry(
            1,
            "Tools of an MCP server",
            "Use find_order, add_note on https://mcp.shop.example",
            &["At most 20 calls"],
            RiskLevel::Medium,
        ),
        entry(2, "Secrets in Vault", "In Vault, at shop/orders/*: read, list", &[], RiskLevel::Low),
    ]
}

/// Scopes, one of them fixed.
pub fn scopes(t: Theirs) -> Vec<ScopeEntry> {
    let entry = |value: &str, words: &str, resource: Option<&str>, required| ScopeEntry {
        value: t.s(value),
        words: t.s(words),
        resource_name: resource.map(|name| t.s(name)),
        required,
        mark: None,
    };
    vec![
        entry("openid", "Know who you are", None, true),
        entry("orders.read", "See your orders", Some("Shop API"), false),
        entry("orders.refund", "Refund your orders", Some("Shop API"), false),
    ]
}

/// The question with everything in it.
pub fn consent(language: Language, t: Theirs) -> ConsentPage {
    ConsentPage {
        page: Page::for_user(language, t.s("Alice Example"), false),
        csrf: t.s("csrf-1"),
        interaction: t.s("i_1"),
        asked: Asked::ForActor { client_name: t.s("Shop Assistant"), actor: agent(t) },
        marks: marks(t),
        introduced: None,
        return_host: t.some("shop.example"),
        task: Some(task(t)),
        resources: vec![ResourceInWords {
            name: t.s("Shop API"),
            identifier: t.s("https://api.shop.example"),
        }],
        scopes: scopes(t),
        claims: vec![],
        details: details(t),
        durations: OfferedDuration::up_to(Seconds::days(1), language),
        passing_on_max: 2,
        offline_access: true,
        standing: None,
        refused: None,
        afar: None,
    }
}

/// The question in every shape.
fn questions(language: Language, t: Theirs) -> Vec<(&'static str, ConsentPage)> {
    let whole = consent(language, t);
    let client_name = t.s("Order Book");
    let plain = ConsentPage {
        asked: Asked::Application { client_name },
        claims: ["email", "birthdate"].into_iter().filter_map(claim_key).collect(),
        task: None,
        details: vec![],
        passing_on_max: 0,
        offline_access: false,
        refused: Some(ConsentRefused::NothingLeft),
        ..whole.clone()
    };
    let itself = ConsentPage {
        asked: Asked::Actor(agent(t)),
        scopes: vec![],
        passing_on_max: 1,
        offline_access: false,
        ..whole.clone()
    };
    let service =
        ActorInWords { is_agent: false, owner_name: None, purpose: None, expires_at: None, ..agent(t) };
    let by_service = ConsentPage {
        asked: Asked::Actor(service.clone()),
        scopes: vec![],
        details: vec![],
        task: Some(Intent::default()),
        refused: Some(ConsentRefused::FormTooOld),
        ..whole.clone()
    };
    let for_service = ConsentPage {
        asked: Asked::ForActor { client_name: t.s("Order Book"), actor: service },
        ..whole.clone()
    };
    let from_device = Afar::Device {
        user_code: t.s("WDJB-MJHT"),
        from: t.some("203.0.113.7"),
        from_here: false,
        asked_at: NOW,
    };
    let on_device = ConsentPage { afar: Some(from_device), return_host: None, ..whole.clone() };
    let binding_message = t.some("W4SCT");
    let from_afar = Afar::Backchannel { id: "req_1".into(), binding_message, asked_at: NOW };
    let from_afar = ConsentPage { afar: Some(from_afar), return_host: None, ..itself.clone() };
    let introduced = |document_host, is_here| {
        let client_name = t.s("Somebody's Agent");
        let introduced = Introduced { document_host, return_host: t.some("shop.example"), is_here };
        ConsentPage {
            asked: Asked::Application { client_name },
            introduced: Some(introduced),
            ..whole.clone()
        }
    };
    let standing = |replaced: bool| {
        let entry = |sentence: &str, lines: &[&str], stays| StandingEntry {
            what: Permitted { sentence: t.s(sentence), lines: lines.iter().map(|line| t.s(line)).collect() },
            stays,
        };
        let entries = vec![
            entry("In Vault, at shop/orders/*: read, list", &[], true),
            entry("Do this: refund", &["At most 20", "In EUR"], !replaced),
            entry("See your orders", &[], true),
        ];
        let mut page = ConsentPage { task: None, ..whole.clone() };
        page.standing = Some(Standing { replaced, until: NOW, entries });
        page.details.iter_mut().for_each(|entry| entry.mark = Some(Mark::New));
        page.scopes.iter_mut().for_each(|entry| entry.mark = Some(Mark::Already));
        page.refused = (!replaced).then_some(ConsentRefused::Inseparable);
        page
    };
    vec![
        ("consent-merge", standing(false)),
        ("consent-replace", standing(true)),
        ("consent-registered-itself", introduced(None, false)),
        ("consent-by-document", introduced(t.some("agents.example"), true)),
        ("consent-device", on_device),
        ("consent-ciba", from_afar),
        ("consent", whole),
        ("consent-application", plain),
        ("consent-agent", itself),
        ("consent-service", by_service),
        ("consent-for-service", for_service),
    ]
}

pub(super) fn marks(t: Theirs) -> ClientMarks {
    ClientMarks {
        logo: t.some("/clients/shop/logo"),
        policy: t.some("https://shop.example/privacy"),
        tos: t.some("https://shop.example/terms"),
    }
}

/// The consent page in every shape.
pub(super) fn samples(language: Language, t: Theirs) -> Samples {
    questions(language, t).into_iter().map(|(name, page)| (name, page.render())).collect()
}

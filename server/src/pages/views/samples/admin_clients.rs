//! The admin pages of clients.

use askama::Template as _;
use protocol::client::ClientStatus;
use protocol::client_rules::{self, Line, Source, Topic, Words};
use protocol::numeric_date::{NumericDate, Seconds};

use super::super::*;
use super::admin_under::held;
use super::{NOW, Samples, Theirs};

/// The list, a client with everything, and one of which nothing is alive.
pub(super) fn samples(language: Language, t: Theirs) -> Samples {
    let page = Page::for_user(language, t.s("Olga Owner"), true);
    let row = |id: &str, kind, vouched, status| ClientRow {
        id: t.s(id),
        path: format!("/admin/clients/{id}"),
        name: t.s("Shop Assistant"),
        kind,
        profile: "oauth2.1",
        vouched,
        status,
    };
    let clients = vec![
        row("shop", Kind::Application, VouchedFor::Operator, ClientStatus::Active),
        row("dyn_1", Kind::Service, VouchedFor::Nobody, ClientStatus::Suspended),
        row("refund-agent", Kind::Agent, VouchedFor::Document, ClientStatus::Retired),
    ];
    let said = [
        client_rules::Said::Words(Words::Required),
        client_rules::Said::Values(vec![t.s("ES256"), t.s("https://shop.example/cb")]),
        client_rules::Said::Values(vec![]),
        client_rules::Said::Lasts(Seconds::minutes(1)),
    ];
    let said = said.into_iter().cycle();
    let sources = [Source::Everybody, Source::Profile, Source::Registration].into_iter().cycle();
    let mut lines: Vec<Line> = AdminClientPage::TOPICS
        .into_iter()
        .zip(said.zip(sources))
        .map(|(topic, (said, source))| Line { topic, said, source })
        .collect();
    lines.extend(AdminClientPage::WORDS.into_iter().map(|words| Line {
        topic: Topic::Keys,
        said: client_rules::Said::Words(words),
        source: Source::Profile,
    }));
    let endings = EndingInWords::ALL[..3]
        .iter()
        .map(|what| EndingLink { what: *what, path: format!("/admin/clients/refund-agent/{}", what.word()) });
    let one = AdminClientPage {
        page: page.clone(),
        client: clients[2].clone(),
        halted_at: Some(NOW),
        endings: endings.collect(),
        instances: instances(t),
        more_instances: true,
        held: held(t),
        lines,
    };
    let quiet = AdminClientPage {
        client: clients[0].clone(),
        halted_at: None,
        endings: vec![],
        instances: vec![],
        more_instances: false,
        held: Held::default(),
        ..one.clone()
    };
    vec![
        ("admin-clients", AdminClientsPage { page: page.clone(), clients }.render()),
        ("admin-clients-empty", AdminClientsPage { page, clients: vec![] }.render()),
        ("admin-client", one.render()),
        ("admin-client-quiet", quiet.render()),
    ]
}

fn instances(t: Theirs) -> Vec<InstanceRow> {
    let row = |id: &str, first, ended_at: Option<NumericDate>| InstanceRow {
        id: t.s(id),
        first,
        last: first.map(|first: NumericDate| first.plus(Seconds::minutes(90))),
        tokens: if ended_at.is_none() { 3 } else { 0 },
        ended_at,
        end: "/admin/clients/refund-agent/instances/run-1/end".into(),
    };
    vec![
        row("repo:acme/app:run:8412", Some(NOW), None),
        row("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", Some(NOW), Some(NOW)),
        row("spiffe://shop.example/agents/refund/7", None, Some(NOW)),
    ]
}

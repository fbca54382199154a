//! The pages around an upstream.

use askama::Template as _;

use super::super::*;
use super::{NOW, Samples, Theirs};

pub(super) fn upstream(t: Theirs) -> UpstreamButton {
    UpstreamButton { id: "company".into(), name: t.s("The Company") }
}

/// The pages around an upstream.
pub(super) fn samples(language: Language, t: Theirs) -> Samples {
    let page = Page::new(language);
    let alice = Page::for_user(language, t.s("Alice Example"), false);
    let leaving = LeavingPage {
        page: page.clone(),
        upstream_name: t.s("The Company"),
        url: t.s("https://login.company.example/authorize?client_id=procura"),
    };
    let trouble = |what, linking| UpstreamTroublePage {
        page: page.clone(),
        csrf: t.s("csrf-1"),
        interaction: t.s("i_1"),
        next: t.s("/admin"),
        linking,
        upstream: "company".into(),
        upstream_name: t.s("The Company"),
        what,
        request_id: t.s("r_3"),
    };
    let connections = ConnectionsPage {
        page: alice.clone(),
        csrf: t.s("csrf-1"),
        fresh: true,
        just_linked: t.some("The Company"),
        just_unlinked: t.some("The Partner"),
        linked: [true, false]
            .map(|may_go| LinkedUpstream {
                upstream: Some("company".into()),
                name: t.s("The Company"),
                since: NOW,
                may_go,
            })
            .into(),
        others: vec![UpstreamButton { id: "partner".into(), name: t.s("The Partner") }],
    };
    let old = ConnectionsPage { fresh: false, just_linked: None, just_unlinked: None, ..connections.clone() };
    let none = ConnectionsPage { linked: Vec::new(), others: Vec::new(), ..old.clone() };
    let mut samples = vec![
        ("leaving", leaving.render()),
        ("connections", connections.render()),
        ("connections-old", old.render()),
        ("connections-none", none.render()),
        ("upstream-linking", trouble(UpstreamTrouble::OfAnother, true).render()),
    ];
    samples.extend(UpstreamTrouble::ALL.map(|what| (what.key(), trouble(what, false).render())));
    samples
}

//! Ending: the questions, and what came of them.

use askama::Template as _;

use super::super::*;
use super::{Samples, Theirs};

/// The questions before an ending, and what came of it.
pub(super) fn samples(language: Language, t: Theirs) -> Samples {
    let page = Page::for_user(language, t.s("Olga Owner"), true);
    let mut samples = Vec::new();
    for what in EndingInWords::ALL {
        let asked = AdminEndingPage {
            page: page.clone(),
            csrf: t.s("csrf-1"),
            what,
            name: t.s("Refund Agent"),
            id: t.s("refund-agent"),
            agents: match what {
                EndingInWords::Owner => vec![t.s("Refund Agent"), t.s("Mail Agent")],
                _ => vec![],
            },
            action: "/admin/clients/refund-agent/suspend".into(),
            back: "/admin".into(),
        };
        samples.push((what.question(), asked.render()));
        let ended = match what {
            EndingInWords::Resume => EndedInNumbers::default(),
            _ => EndedInNumbers { agents: 1, sessions: 2, consents: 3, tasks: 1, tokens: 20, pending: 2 },
        };
        let (page, name, back) = (page.clone(), t.s("Refund Agent"), "/admin".into());
        let took = i64::try_from(samples.len()).unwrap();
        let under_way = matches!(what, EndingInWords::Owner | EndingInWords::Suspend);
        samples
            .push((what.done(), AdminEndedPage { page, what, name, ended, under_way, took, back }.render()));
    }
    samples
}

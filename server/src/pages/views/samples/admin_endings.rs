//! Ending: the questions, and what came of them.

use askama::Template as _;

use super::super::*;
use super::{Samples, Theirs};

/// What came of an ending, with more agents than are named.
pub(super) fn what_ended(t: Theirs, took: i64) -> WhatEnded {
    let agent_names = vec![t.s("Refund Agent"), t.s("Mail Agent")];
    let (agents, sessions, consents, tasks, tokens, pending) = (3, 2, 3, 1, 20, 2);
    WhatEnded { agents, agent_names, sessions, consents, tasks, tokens, pending, under_way: false, took }
}

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
        let took = i64::try_from(samples.len()).unwrap();
        let ended = match what {
            EndingInWords::Resume => WhatEnded { took, ..WhatEnded::default() },
            EndingInWords::Owner | EndingInWords::Suspend => {
                WhatEnded { under_way: true, ..what_ended(t, took) }
            }
            _ => what_ended(t, took),
        };
        let (page, name, back) = (page.clone(), t.s("Refund Agent"), "/admin".into());
        samples.push((what.done(), AdminEndedPage { page, what, name, ended, back }.render()));
    }
    samples
}

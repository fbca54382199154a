//! What came of an ending, put so that a page can show it.

use std::time::Instant;

use super::account::name_of;
use super::views::WhatEnded;
use crate::app::App;
use crate::store::Ended;

/// What was `ended` by an order that came in at `begun`.
/// It was ended, whatever else goes wrong: where a name cannot be read, its id stands there.
pub(super) async fn told(app: &App, ended: &Ended, begun: Instant) -> WhatEnded {
    let took = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
    let mut agent_names = Vec::new();
    for id in &ended.named.agents {
        agent_names.push(match id.parse() {
            Ok(agent) => name_of(app, &agent).await.map_or_else(|_| id.clone(), |(name, _)| name),
            Err(_) => id.clone(),
        });
    }
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    WhatEnded {
        agents: number(ended.agents),
        agent_names,
        sessions: number(ended.sessions),
        consents: number(ended.consents),
        tasks: number(ended.tasks),
        tokens: number(ended.tokens),
        pending: number(ended.pending),
        under_way: !ended.under_way.is_empty(),
        took,
    }
}

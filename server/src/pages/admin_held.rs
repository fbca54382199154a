//! What is alive under a consent or a task, or of a client without a consent, for admins to end.

use std::collections::BTreeSet;

use protocol::confirmation::Confirmation;
use protocol::token::{Subject, Token, TokenKind};

use super::account::name_of;
use super::page::Browser;
use super::views::{Bound, Held, HeldRow};
use crate::app::App;
use crate::failure::Failure;
use crate::store::Under;

/// How many of one kind are shown.
pub(super) const MOST: usize = 100;

/// What is alive there, the newest first.
pub(super) async fn held(app: &App, browser: &Browser, under: &Under) -> Result<Held, Failure> {
    let found = app.store.tokens_under(under, browser.visit.now).await?;
    let mut held = Held { more: found.len() > MOST, ..Held::default() };
    let mut known = BTreeSet::new();
    for token in found.iter().filter(|token| token.kind == TokenKind::Refresh) {
        let Some(family) = token.family.as_ref().filter(|family| known.insert(family.to_string())) else {
            continue;
        };
        if held.families.len() < MOST {
            let end = format!("/admin/families/{family}/end");
            held.families.push(HeldRow { id: family.to_string(), ..row(app, token, end).await? });
        }
    }
    for token in found.iter().take(MOST) {
        held.tokens.push(row(app, token, format!("/admin/tokens/{}/end", token.id)).await?);
    }
    Ok(held)
}

async fn row(app: &App, token: &Token, end: String) -> Result<HeldRow, Failure> {
    let client = app.store.find_client(&token.client).await?;
    let authenticates = client.as_ref().is_some_and(|client| !client.is_public());
    Ok(HeldRow {
        id: token.id.to_string(),
        holder_name: name_of(app, &token.client).await?.0,
        instance: token.instance.as_ref().map(ToString::to_string),
        kind: token.kind,
        way: way(app, token).await?,
        bound: match &token.cnf {
            Some(Confirmation::Jkt(_)) => Bound::Key,
            Some(Confirmation::X5tS256(_)) => Bound::Certificate,
            None if authenticates && token.kind.is_its_clients_alone() => Bound::Client,
            None => Bound::Nothing,
        },
        since: token.issued_at,
        until: token.expires_at(),
        end,
    })
}

/// Whose authority it is, and then each who acts, to the one who does now.
async fn way(app: &App, token: &Token) -> Result<Vec<String>, Failure> {
    let mut way = vec![match &token.subject {
        Subject::User(id) => {
            let user = app.store.find_user(id).await?;
            user.map_or_else(|| id.to_string(), |user| user.name.clone())
        }
        Subject::Client { id, .. } => name_of(app, id).await?.0,
    }];
    let mut acting: Vec<_> = token.chain.actors().iter().rev().map(|actor| &actor.sub).collect();
    if acting.is_empty() {
        acting.push(&token.client);
    }
    // Who acts for itself stands there already.
    for actor in acting.into_iter().skip_while(|actor| actor.as_str() == token.subject.as_str()) {
        way.push(name_of(app, actor).await?.0);
    }
    Ok(way)
}

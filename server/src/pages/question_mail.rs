//! The mail about a question that waits at `/approvals`.

use std::sync::Arc;

use protocol::task::Intent;
use serde_json::Value;

use super::account::what;
use super::views::{Kind, Language, question_mail};
use crate::approvals::{Letter, News};

/// How such a mail is written: in the user's own language, as far as they told it (`locale`, OpenID Connect Core §5.1).
#[must_use]
pub fn letter() -> Letter {
    Arc::new(write)
}

fn write(news: &News) -> (String, String) {
    let News { user, offer, binding_message, link } = news;
    let locale = user.claims.get("locale").and_then(Value::as_str).unwrap_or_default();
    let language = Language::first_of(locale).unwrap_or_default();
    let permitted = what(&offer.registry, &offer.authority, &Intent::default(), language.code());
    let about = question_mail::About {
        name: &user.name,
        asker: offer.actor.name_in(language.code()),
        kind: Kind::from(&offer.actor.kind),
        permitted: &permitted,
        binding_message: binding_message.as_deref(),
        link,
    };
    about.write(language)
}

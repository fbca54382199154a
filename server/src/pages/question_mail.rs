//! The mails about what waits at `/approvals`.

use std::sync::Arc;

use protocol::destination::Destination;
use protocol::task::Intent;
use protocol::user::User;
use serde_json::Value;

use super::allowed::what;
use super::views::{Kind, Language, question_mail};
use crate::approvals::{ApprovalLetter, ApprovalNews, Letter, News};

/// How such a mail is written: in the user's own language, as far as they told it (`locale`, OpenID Connect Core §5.1).
#[must_use]
pub fn letter() -> Letter {
    Arc::new(write)
}

fn write(news: &News) -> (String, String) {
    let News { user, offer, binding_message, link } = news;
    let language = language_of(user);
    let permitted = what(&offer.registry, &offer.authority, &Intent::default(), language.code());
    let about = question_mail::About {
        name: &user.name,
        asker: offer.actor.name_in(language.code()),
        kind: Kind::from(&offer.actor.kind),
        permitted: &permitted,
        binding_message: binding_message.as_deref(),
        for_whom: None,
        leaves: None,
        one_action: false,
        link,
    };
    about.write(language)
}

/// How a mail about a token request is written that its reader has to approve.
#[must_use]
pub fn approval_letter() -> ApprovalLetter {
    Arc::new(write_approval)
}

fn write_approval(news: &ApprovalNews) -> (String, String) {
    let ApprovalNews { approver, asker, question, registry, link, subject_name } = news;
    let language = language_of(approver);
    let wanted = &question.wanted;
    let authority = wanted.authority();
    let permitted = what(registry, &authority, &Intent::default(), language.code());
    let leaves = match &wanted.destination {
        Destination::Here => None,
        Destination::IdJag { audience } | Destination::Jwt { audience } => {
            Some(("approval-mail-other-domain", audience.as_str()))
        }
        Destination::Transaction { audience, .. } => Some(("approval-mail-trust-domain", audience.as_str())),
    };
    let about = question_mail::About {
        name: &approver.name,
        asker: asker.name_in(language.code()),
        kind: Kind::from(&asker.kind),
        permitted: &permitted,
        binding_message: None,
        for_whom: subject_name.as_deref(),
        leaves,
        one_action: true,
        link,
    };
    about.write(language)
}

/// The language that somebody told us they speak.
fn language_of(user: &User) -> Language {
    let locale = user.claims.get("locale").and_then(Value::as_str).unwrap_or_default();
    Language::first_of(locale).unwrap_or_default()
}

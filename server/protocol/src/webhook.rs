//! What webhooks are told: security event tokens (RFC 8417), delivered by push (RFC 8935). They name people and clients
//! by their ids, and say nothing else of them.

use serde_json::{Map, Value, json};

use crate::approval::Question;
use crate::numeric_date::NumericDate;
use crate::token::Subject;

/// `typ` of a security event token (RFC 8417 §2.3).
pub const TYP: &str = "secevent+jwt";
/// How it is sent (RFC 8935 §2.1).
pub const MEDIA_TYPE: &str = "application/secevent+jwt";
/// Something waits for somebody's approval.
pub const APPROVAL_REQUESTED: &str = "urn:procura:event:approval-requested";
/// It was answered.
pub const APPROVAL_ANSWERED: &str = "urn:procura:event:approval-answered";

/// An event and what it says.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Its URI.
    pub uri: &'static str,
    /// Its members.
    pub members: Map<String, Value>,
}

impl Event {
    /// The question of this id waits at `link` until `expires_at`.
    #[must_use]
    pub fn requested(id: &str, question: &Question, link: &str, expires_at: NumericDate) -> Self {
        let mut members = about(id, question);
        members.insert("link".to_owned(), link.into());
        members.insert("expires_at".to_owned(), expires_at.0.into());
        Self { uri: APPROVAL_REQUESTED, members }
    }

    /// The question of this id was answered.
    #[must_use]
    pub fn answered(id: &str, question: &Question, approved: bool) -> Self {
        let mut members = about(id, question);
        members.insert("decision".to_owned(), if approved { "approved" } else { "denied" }.into());
        Self { uri: APPROVAL_ANSWERED, members }
    }

    /// The claims of its token, without the moment at which it is sent (RFC 8417 §2.2).
    #[must_use]
    pub fn claims(&self, issuer: &str, audience: &str, jti: &str) -> Map<String, Value> {
        let events: Map<String, Value> =
            [(self.uri.to_owned(), Value::Object(self.members.clone()))].into_iter().collect();
        let claims = [
            ("iss", json!(issuer)),
            ("aud", json!(audience)),
            ("jti", json!(jti)),
            ("events", json!(events)),
        ];
        claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn about(id: &str, question: &Question) -> Map<String, Value> {
    let wanted = &question.wanted;
    let subject = match &wanted.subject {
        Subject::User(user) => user.as_str(),
        Subject::Client { id, .. } => id.as_str(),
    };
    let mut members: Map<String, Value> = [
        ("approval", id),
        ("approver", question.approver.as_str()),
        ("client", wanted.client.as_str()),
        ("subject", subject),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.into()))
    .collect();
    let token_type = wanted.destination.token_type().as_str();
    members.insert("requested_token_type".to_owned(), token_type.into());
    if let Some(audience) = wanted.destination.audience() {
        members.insert("audience".to_owned(), audience.into());
    }
    if let Some(task) = &wanted.task {
        members.insert("task".to_owned(), task.as_str().into());
    }
    members
}

/// Whether a receiver has taken it (RFC 8935 §2.2).
#[must_use]
pub const fn is_acknowledged(status: u16) -> bool {
    matches!(status, 200..=299)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_ids_and_nothing_that_is_asked_for() {
        let question: Question = serde_json::from_value(json!({
            "wanted": {
                "client": "agent", "subject": {"user": "usr_1"}, "chain": [], "audience": "resources",
                "destination": {
                    "requested_token_type": "urn:ietf:params:oauth:token-type:txn_token",
                    "audience": "trust.example", "request_details": {"note": "hush"}
                },
                "scope": "orders:write", "authorization_details": [{"type": "t", "purpose": "hush"}],
                "resources": ["https://r.example"], "task": "tsk_1", "consent": null, "parent": null
            },
            "reason": {"rule": "r"}, "approver": "usr_2", "end": 9
        }))
        .unwrap();
        let event =
            Event::requested("ask_1", &question, "https://as.example/approvals/ask_1", NumericDate(7));
        let claims = event.claims("https://as.example", "https://hook.example", "jti");
        assert_eq!(
            Value::Object(claims),
            json!({
                "iss": "https://as.example", "aud": "https://hook.example", "jti": "jti",
                "events": {APPROVAL_REQUESTED: {
                    "approval": "ask_1", "approver": "usr_2", "client": "agent", "subject": "usr_1", "task": "tsk_1",
                    "requested_token_type": "urn:ietf:params:oauth:token-type:txn_token",
                    "audience": "trust.example",
                    "link": "https://as.example/approvals/ask_1", "expires_at": 7
                }}
            })
        );
        let answered = Event::answered("ask_1", &question, false);
        assert_eq!(answered.members["decision"], "denied");
        assert!(!format!("{event:?}{answered:?}").contains("hush"));
    }
}

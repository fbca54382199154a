//! What webhooks are told: security event tokens (RFC 8417), delivered by push (RFC 8935). They name people and clients
//! by their ids, and say nothing else of them.

use serde_json::{Map, Value, json};

use crate::approval::Question;
use crate::destination::Destination;
use crate::identifier::{ClientId, TaskId, UserId};
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

/// What an event is about: a question that somebody answers.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Its id on pages.
    pub approval: &'a str,
    /// Who answers it.
    pub approver: &'a UserId,
    /// Who asks.
    pub client: &'a ClientId,
    /// Whose authority it is about.
    pub subject: &'a str,
    /// What is to be issued, and where it goes.
    pub destination: &'a Destination,
    /// The task that it is of.
    pub task: Option<&'a TaskId>,
}

impl<'a> About<'a> {
    /// A token request that waits for somebody's approval.
    #[must_use]
    pub fn question(approval: &'a str, question: &'a Question) -> Self {
        let wanted = &question.wanted;
        let subject = match &wanted.subject {
            Subject::User(user) => user.as_str(),
            Subject::Client { id, .. } => id.as_str(),
        };
        Self {
            approval,
            approver: &question.approver,
            client: &wanted.client,
            subject,
            destination: &wanted.destination,
            task: wanted.task.as_ref(),
        }
    }

    /// A backchannel authentication request: its user is asked, for themselves (Client-Initiated Backchannel
    /// Authentication §7.1).
    #[must_use]
    pub fn backchannel(approval: &'a str, client: &'a ClientId, user: &'a UserId) -> Self {
        Self {
            approval,
            approver: user,
            client,
            subject: user.as_str(),
            destination: &Destination::Here,
            task: None,
        }
    }

    fn members(self) -> Map<String, Value> {
        let token_type = self.destination.token_type().as_str();
        let always = [
            ("approval", self.approval),
            ("approver", self.approver.as_str()),
            ("client", self.client.as_str()),
            ("subject", self.subject),
            ("requested_token_type", token_type),
        ];
        let audience = self.destination.audience().map(|audience| ("audience", audience));
        let task = self.task.map(|task| ("task", task.as_str()));
        let all = always.into_iter().chain(audience).chain(task);
        all.map(|(name, value)| (name.to_owned(), value.into())).collect()
    }
}

impl Event {
    /// It waits at `link` until `expires_at`.
    #[must_use]
    pub fn requested(about: About<'_>, link: &str, expires_at: NumericDate) -> Self {
        let mut members = about.members();
        members.insert("link".to_owned(), link.into());
        members.insert("expires_at".to_owned(), expires_at.0.into());
        Self { uri: APPROVAL_REQUESTED, members }
    }

    /// It was answered.
    #[must_use]
    pub fn answered(about: About<'_>, approved: bool) -> Self {
        let mut members = about.members();
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
        let about = About::question("ask_1", &question);
        let event = Event::requested(about, "https://as.example/approvals/ask_1", NumericDate(7));
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
        let answered = Event::answered(about, false);
        assert_eq!(answered.members["decision"], "denied");
        assert!(!format!("{event:?}{answered:?}").contains("hush"));
    }

    #[test]
    fn of_a_question_from_afar_it_names_its_user_who_is_asked_for_themselves() {
        let (client, user) = ("till".parse().unwrap(), "usr_1".parse().unwrap());
        let event = Event::answered(About::backchannel("req_1", &client, &user), true);
        assert_eq!(
            Value::Object(event.members),
            json!({
                "approval": "req_1", "approver": "usr_1", "client": "till", "subject": "usr_1",
                "requested_token_type": "urn:ietf:params:oauth:token-type:access_token", "decision": "approved"
            })
        );
    }
}

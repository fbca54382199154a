//! A task: one piece of work under a consent. Its shape follows the mission-bound-authorization draft: an intent
//! and an authority, each with a hash, a state, and a version counter.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::authorization_details::AuthorizationDetails;
use crate::identifier::{ClientId, ConsentId, TaskId, UserId};
use crate::numeric_date::NumericDate;

/// A task.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Task {
    /// `task.id` in tokens.
    pub id: TaskId,
    /// The task at the top of its tree, `txn` in tokens; its own id for a root.
    pub root: TaskId,
    /// The task it is a part of.
    pub parent: Option<TaskId>,
    /// The consent it is done under.
    pub consent: ConsentId,
    /// For whom.
    pub user: UserId,
    /// Who does it.
    pub actor: ClientId,
    /// What is to be done.
    pub intent: Intent,
    /// The hash of `intent`.
    pub intent_hash: String,
    /// What may be done for it, in detail.
    pub details: AuthorizationDetails,
    /// The hash of the authority.
    pub authority_hash: String,
    /// When it ends at the latest.
    pub deadline: NumericDate,
    /// Where it stands.
    pub status: TaskStatus,
    /// Grows by one with every change.
    pub version: u32,
    /// When it was opened.
    pub created_at: NumericDate,
}

/// What is to be done, in words. Words never widen an authority.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Intent {
    /// Purpose in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// A ticket, a run id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// How to see that it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_criteria: Vec<String>,
    /// What must not happen, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<String>,
}

/// Where a task stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Tokens may be derived.
    Active,
    /// None may now; this can be undone.
    Suspended,
    /// Done.
    Completed,
    /// Ended by somebody.
    Revoked,
    /// Its deadline passed.
    Expired,
}

impl Task {
    /// Whether tokens may be derived from it, its ancestors aside.
    #[must_use]
    pub fn is_live(&self, now: NumericDate) -> bool {
        self.status == TaskStatus::Active && !self.deadline.is_over(now)
    }
}

impl Intent {
    /// The intent that an `agent_task` detail carries; empty where there is none.
    #[must_use]
    pub fn of(details: &AuthorizationDetails) -> Self {
        let Some(task) = details.iter().find(|d| d.type_name().as_str() == "agent_task") else {
            return Self::default();
        };
        let list = |member: &str| -> Vec<String> {
            let items = task.members().get(member).and_then(Value::as_array);
            items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            purpose: task.text("purpose").map(str::to_owned),
            reference: task.text("reference").map(str::to_owned),
            success_criteria: list("success_criteria"),
            limits: list("limits"),
        }
    }

    /// `intent_hash`: over the issuer, the type `mission-intent` and the intent.
    #[must_use]
    pub fn hash(&self, issuer: &str) -> String {
        typed_hash(issuer, "mission-intent", &serde_json::to_value(self).unwrap_or(Value::Null))
    }
}

/// `authority_hash`: over the issuer, the type `mission-authority-set` and the list of details.
#[must_use]
pub fn authority_hash(issuer: &str, details: &AuthorizationDetails) -> String {
    typed_hash(
        issuer,
        "mission-authority-set",
        &details.to_claim().unwrap_or_else(|| Value::Array(Vec::new())),
    )
}

/// The earliest `deadline` among the details, if one names any.
#[must_use]
pub fn deadline(details: &AuthorizationDetails) -> Option<NumericDate> {
    details.iter().filter_map(|d| d.text("deadline")).filter_map(NumericDate::parse_rfc3339).min()
}

/// `"sha-256:"` and the base64url SHA-256 of the canonical JSON (RFC 8785) of `{iss, typ, value}`.
fn typed_hash(issuer: &str, typ: &str, value: &Value) -> String {
    let envelope: Map<String, Value> =
        [("iss", issuer.into()), ("typ", typ.into()), ("value", value.clone())]
            .map(|(k, v): (_, Value)| (k.to_owned(), v))
            .into_iter()
            .collect();
    let canonical = serde_json_canonicalizer::to_vec(&envelope)
        .unwrap_or_else(|_| json!(envelope).to_string().into_bytes());
    format!("sha-256:{}", URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_match_the_vectors_of_the_mission_draft() {
        let issuer = "https://as.example.com";
        let intent = json!({
            "goal": "Reconcile Q3 invoices",
            "resources": ["https://erp.example.com"],
            "expires_at": "2026-12-31T23:59:59Z"
        });
        assert_eq!(
            typed_hash(issuer, "mission-intent", &intent),
            "sha-256:6mIFoCz79uCHNzKLfBpBwqFjoFXdpmpuc65486IqimQ"
        );
        let authority = json!([
            {"type": "mission_resource_access", "resource": "https://erp.example.com", "actions": ["invoices.read"]},
            {"type": "mission_resource_access", "resource": "https://erp.example.com", "actions": ["journal-entries.write"],
             "constraints": {"max_amount": {"amount": "500.00", "currency": "USD"}}}
        ]);
        let details = AuthorizationDetails::parse(&authority.to_string()).unwrap();
        assert_eq!(authority_hash(issuer, &details), "sha-256:vUCCfjGulit9u0qJ0Z6pQSNerZtXMqRlfJNCr4PzLro");
    }

    #[test]
    fn the_earliest_deadline_counts() {
        let details = AuthorizationDetails::parse(
            r#"[{"type":"a","deadline":"2026-01-02T00:00:00Z"},{"type":"a","deadline":"2026-01-01T00:00:00Z"},{"type":"a"}]"#,
        );
        assert_eq!(deadline(&details.unwrap()), NumericDate::parse_rfc3339("2026-01-01T00:00:00Z"));
    }
}

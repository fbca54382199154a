//! What is to be done, in words. Words never widen an authority.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::hash;
use crate::audience::Resources;
use crate::authorization_details::AuthorizationDetails;
use crate::numeric_date::NumericDate;

/// What is to be done, in words.
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

/// What bounds a task beside its words, as its intent states it.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    /// Where.
    pub resources: &'a Resources,
    /// Until when.
    pub deadline: NumericDate,
    /// How many tokens.
    pub max_derivations: Option<u32>,
}

impl Intent {
    /// The intent that an `agent_task` detail carries; empty where there is none.
    #[must_use]
    pub fn of(details: &AuthorizationDetails) -> Self {
        let Some(task) = details.iter().find(|detail| detail.is_task()) else {
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

    /// `intent_hash`: over the issuer, the type `mission-intent` and [`Intent::as_mission`].
    #[must_use]
    pub fn hash(&self, issuer: &str, bounds: Bounds<'_>) -> String {
        hash::typed(issuer, "mission-intent", &Value::Object(self.as_mission(bounds)))
    }

    /// The intent with the members of the draft: our purpose is its `goal`, our limits are its `constraints`, our
    /// reference, for which it has no member, stands among its `controls`. What was not said is not there.
    #[must_use]
    pub fn as_mission(&self, bounds: Bounds<'_>) -> Map<String, Value> {
        let mut intent = Map::new();
        let mut put = |name: &str, value: Value| {
            intent.insert(name.to_owned(), value);
        };
        if let Some(purpose) = &self.purpose {
            put("goal", purpose.as_str().into());
        }
        let resources: Vec<&str> = bounds.resources.iter().map(|resource| resource.as_str()).collect();
        put("resources", resources.into());
        if !self.limits.is_empty() {
            put("constraints", self.limits.clone().into());
        }
        if !self.success_criteria.is_empty() {
            put("success_criteria", self.success_criteria.clone().into());
        }
        put("expires_at", bounds.deadline.to_rfc3339().into());
        let mut controls = Map::new();
        if let Some(most) = bounds.max_derivations {
            controls.insert("max_derivations".to_owned(), most.into());
        }
        if let Some(reference) = &self.reference {
            controls.insert("reference".to_owned(), reference.as_str().into());
        }
        if !controls.is_empty() {
            put("controls", json!(controls));
        }
        intent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://as.example.com";

    fn hash(intent: &Intent, max_derivations: Option<u32>) -> String {
        let resources = Resources::from(["https://erp.example.com".parse().unwrap()]);
        let deadline = NumericDate::parse_rfc3339("2026-12-31T23:59:59Z").unwrap();
        intent.hash(ISSUER, Bounds { resources: &resources, deadline, max_derivations })
    }

    fn purpose() -> Intent {
        Intent { purpose: Some("Reconcile Q3 invoices".into()), ..Intent::default() }
    }

    #[test]
    fn the_intent_hash_is_that_of_the_mission_draft() {
        assert_eq!(hash(&purpose(), None), "sha-256:6mIFoCz79uCHNzKLfBpBwqFjoFXdpmpuc65486IqimQ");
    }

    #[test]
    fn every_word_of_an_intent_changes_its_hash() {
        let text = || vec!["x".to_owned()];
        let others = [
            Intent { purpose: Some("Reconcile Q4 invoices".into()), ..purpose() },
            Intent { reference: Some("x".into()), ..purpose() },
            Intent { success_criteria: text(), ..purpose() },
            Intent { limits: text(), ..purpose() },
            Intent::default(),
        ];
        let mut hashes: Vec<String> = others.iter().map(|intent| hash(intent, None)).collect();
        hashes.extend([hash(&purpose(), None), hash(&purpose(), Some(3)), hash(&purpose(), Some(4))]);
        let number = hashes.len();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), number);
    }

    #[test]
    fn the_words_are_those_of_the_agent_task_detail() {
        let details = AuthorizationDetails::parse(
            r#"[{"type":"other","purpose":"no"},{"type":"agent_task","purpose":"p","reference":"r","success_criteria":["s"],"limits":["l",1]}]"#,
        )
        .unwrap();
        let intent = Intent::of(&details);
        assert_eq!((intent.purpose.as_deref(), intent.reference.as_deref()), (Some("p"), Some("r")));
        assert_eq!((intent.success_criteria, intent.limits), (vec!["s".to_owned()], vec!["l".to_owned()]));
    }
}

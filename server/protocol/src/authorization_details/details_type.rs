//! A details type: what an authorization detail of one `type` may hold, how it narrows, and how a person reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::narrowing::Narrowing;
use super::schema::{closed, compile};
use super::words::Words;
use crate::identifier::DetailsTypeName;
use crate::numeric_date::Seconds;

/// A details type as it is written in the configuration.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetailsTypeDocument {
    /// The `type` of its details (RFC 9396 §2).
    pub name: DetailsTypeName,
    /// JSON Schema of one detail. `type` itself need not be mentioned, and members that it does not name are
    /// refused unless it sets `additionalProperties` (RFC 9396 §5: unknown fields are an error).
    pub schema: Value,
    /// How each field narrows.
    #[serde(default)]
    pub narrowing: Narrowing,
    /// How a person reads it, by language (BCP 47); `en` is required.
    pub words: BTreeMap<String, Words>,
    /// How risky what a detail permits is.
    #[serde(default)]
    pub risk: Risk,
    /// The longest life of a token that carries such a detail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_life: Option<Seconds>,
    /// Whether an agent may pass such a detail on to another.
    #[serde(default)]
    pub may_be_passed_on: bool,
    /// Whether a person must approve each use.
    #[serde(default)]
    pub approval_needed: ApprovalNeeded,
}

/// Whether a person must approve each use of a detail in somebody else's hands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ApprovalNeeded {
    /// Always, or never.
    Each(bool),
    /// Where it permits one of these actions, the values of the field that `risk` names.
    Actions(BTreeSet<String>),
}

impl Default for ApprovalNeeded {
    fn default() -> Self {
        Self::Each(false)
    }
}

impl ApprovalNeeded {
    /// Wherever either says so.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Each(true), _) | (_, Self::Each(true)) => Self::Each(true),
            (Self::Each(false), other) | (other, Self::Each(false)) => other.clone(),
            (Self::Actions(a), Self::Actions(b)) => Self::Actions(a.union(b).cloned().collect()),
        }
    }
}

impl DetailsTypeDocument {
    /// Whether a person must approve each use of `detail`.
    #[must_use]
    pub fn is_approval_needed(&self, detail: &Map<String, Value>) -> bool {
        match &self.approval_needed {
            ApprovalNeeded::Each(each) => *each,
            ApprovalNeeded::Actions(actions) => !actions.is_empty() && self.risk.permits_any(detail, actions),
        }
    }
}

/// How risky the values of one field are.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// The field whose values name what may be done, such as `actions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The level of each value.
    #[serde(default)]
    pub levels: BTreeMap<String, RiskLevel>,
    /// The level of values without one of their own, and of details without the field.
    #[serde(default)]
    pub default: RiskLevel,
}

/// How much harm a mistake could do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    /// It only looks.
    Low,
    /// It changes something that can be changed back; where nobody said anything, this is assumed.
    #[default]
    Medium,
    /// It destroys, pays or publishes.
    High,
}

impl Risk {
    /// Whether `detail` permits one of these actions. One that does not name its actions may permit any.
    #[must_use]
    pub fn permits_any(&self, detail: &Map<String, Value>, actions: &BTreeSet<String>) -> bool {
        let is_one = |value: &Value| value.as_str().is_none_or(|value| actions.contains(value));
        match self.field.as_ref().and_then(|field| detail.get(field)) {
            Some(Value::Array(values)) => values.iter().any(is_one),
            Some(value) => is_one(value),
            None => true,
        }
    }

    /// The highest level among what `detail` permits.
    #[must_use]
    pub fn of(&self, detail: &Map<String, Value>) -> RiskLevel {
        let level =
            |value: &Value| value.as_str().and_then(|v| self.levels.get(v)).copied().unwrap_or(self.default);
        match self.field.as_ref().and_then(|field| detail.get(field)) {
            Some(Value::Array(values)) => values.iter().map(level).max().unwrap_or(self.default),
            Some(value) => level(value),
            None => self.default,
        }
    }
}

/// Why a details type cannot be registered.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidDetailsType {
    /// The schema is none.
    #[error("schema: {0}")]
    Schema(String),
    /// No words in English.
    #[error("words: `en` is missing")]
    NoWords,
    /// A sentence names a placeholder that the schema does not know.
    #[error("words: the placeholder {{{0}}} is no property of the schema")]
    UnknownPlaceholder(String),
    /// `max_life` is not positive.
    #[error("max_life: must be a positive number of seconds")]
    MaxLife,
    /// `approval_needed` names actions, and nothing says where a detail names its own.
    #[error("approval_needed: names actions, so risk.field must say which field holds them")]
    ApprovalNeeded,
}

/// A registered details type with its compiled schema.
#[derive(Clone)]
pub struct DetailsType {
    document: DetailsTypeDocument,
    version: u32,
    schema: Arc<jsonschema::Validator>,
}

impl DetailsType {
    /// Compiles the schema and checks that the words speak of fields that exist. What is declared must be free of
    /// [`DetailsTypeDocument::faults`] besides.
    ///
    /// # Errors
    /// [`InvalidDetailsType`] names what is wrong with the document.
    pub fn new(document: DetailsTypeDocument) -> Result<Self, InvalidDetailsType> {
        Self::of_version(document, 1)
    }

    /// The same of a later version.
    ///
    /// # Errors
    /// [`InvalidDetailsType`] names what is wrong with the document.
    pub fn of_version(document: DetailsTypeDocument, version: u32) -> Result<Self, InvalidDetailsType> {
        let schema = closed(document.schema.clone());
        let validator = compile(&schema).map_err(InvalidDetailsType::Schema)?;
        if !document.words.contains_key("en") {
            return Err(InvalidDetailsType::NoWords);
        }
        if document.max_life.is_some_and(|life| life.0 <= 0) {
            return Err(InvalidDetailsType::MaxLife);
        }
        if matches!(document.approval_needed, ApprovalNeeded::Actions(_)) && document.risk.field.is_none() {
            return Err(InvalidDetailsType::ApprovalNeeded);
        }
        let known = |field: &str| schema.pointer(&format!("/properties/{field}")).is_some();
        let unknown = document.words.values().flat_map(Words::placeholders).find(|field| !known(field));
        match unknown {
            Some(field) => Err(InvalidDetailsType::UnknownPlaceholder(field)),
            None => Ok(Self { document, version, schema: Arc::new(validator) }),
        }
    }

    /// What was registered.
    #[must_use]
    pub const fn document(&self) -> &DetailsTypeDocument {
        &self.document
    }

    /// Which of its versions this is: 1 for the first.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// This version as it counts now: what it says of fields and in words stands, but nothing lives longer than `current`
    /// allows too, nothing is passed on that it does not let pass, and a person is asked where it says so.
    #[must_use]
    pub fn beside(&self, current: &Self) -> Self {
        let lives = [self.document.max_life, current.document.max_life];
        let document = DetailsTypeDocument {
            max_life: lives.into_iter().flatten().min(),
            may_be_passed_on: self.document.may_be_passed_on && current.document.may_be_passed_on,
            approval_needed: self.document.approval_needed.or(&current.document.approval_needed),
            ..self.document.clone()
        };
        Self { document, ..self.clone() }
    }

    /// Checks a detail against the schema (RFC 9396 §5).
    ///
    /// # Errors
    /// What is wrong, by the path of the member: for the client's developer, without quoting any value.
    pub fn check(&self, detail: &Map<String, Value>) -> Result<(), String> {
        let instance = Value::Object(detail.clone());
        match self.schema.iter_errors(&instance).next() {
            None => Ok(()),
            Some(error) => {
                let place = error.instance_path().to_string();
                let keyword = error.schema_path().to_string();
                Err(format!("{} does not satisfy {keyword}", if place.is_empty() { "/" } else { &place }))
            }
        }
    }
}

impl fmt::Debug for DetailsType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetailsType").field("document", &self.document).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document(schema: Value) -> DetailsTypeDocument {
        serde_json::from_value(json!({
            "name": "t", "schema": schema, "words": {"en": {"name": "T", "sentence": "Do {actions}"}}
        }))
        .unwrap()
    }

    fn detail(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_field_the_schema_does_not_name_is_refused() {
        let t = DetailsType::new(document(json!({"properties": {"actions": {"type": "array"}}}))).unwrap();
        assert!(t.check(&detail(json!({"type": "t", "actions": []}))).is_ok());
        assert!(t.check(&detail(json!({"type": "t", "zz": 1}))).is_err());
    }

    #[test]
    fn a_person_is_asked_wherever_one_of_two_versions_says_so() {
        let actions =
            |names: &[&str]| ApprovalNeeded::Actions(names.iter().map(|name| (*name).to_owned()).collect());
        let (never, always) = (ApprovalNeeded::Each(false), ApprovalNeeded::Each(true));
        for (a, b, both) in [
            (&never, &never, never.clone()),
            (&never, &always, always.clone()),
            (&actions(&["pay"]), &always, always.clone()),
            (&actions(&["pay"]), &never, actions(&["pay"])),
            (&actions(&["pay"]), &actions(&["send"]), actions(&["pay", "send"])),
        ] {
            assert_eq!((a.or(b), b.or(a)), (both.clone(), both));
        }
    }

    #[test]
    fn an_older_version_keeps_its_fields_and_words_and_is_bounded_by_the_one_of_today() {
        let of = |life: Option<i64>, may_be_passed_on, version| {
            let written = DetailsTypeDocument {
                max_life: life.map(Seconds),
                may_be_passed_on,
                ..document(json!({"properties": {"actions": {}, "old": {"const": version}}}))
            };
            DetailsType::of_version(written, version).unwrap()
        };
        let counts = |old: DetailsType, now: DetailsType| {
            let counts = old.beside(&now);
            assert_eq!((counts.version(), &counts.document().schema), (1, &old.document().schema));
            assert!(counts.check(&detail(json!({"type": "t", "old": 1}))).is_ok());
            (counts.document().max_life.map(|life| life.0), counts.document().may_be_passed_on)
        };
        assert_eq!(counts(of(None, true, 1), of(Some(9), true, 2)), (Some(9), true));
        assert_eq!(counts(of(Some(5), true, 1), of(Some(9), false, 2)), (Some(5), false));
        assert_eq!(counts(of(Some(5), false, 1), of(None, true, 2)), (Some(5), false));
    }

    #[test]
    fn the_error_says_where_and_quotes_no_value() {
        let t = DetailsType::new(document(json!({"properties": {"actions": {"items": {"enum": ["read"]}}}})))
            .unwrap();
        let error = t.check(&detail(json!({"type": "t", "actions": ["secret-value"]}))).unwrap_err();
        assert!(error.contains("/actions/0") && !error.contains("secret-value"), "{error}");
    }

    #[test]
    fn words_about_a_field_that_does_not_exist_are_refused() {
        let refused = DetailsType::new(document(json!({"properties": {"tools": {}}})));
        assert_eq!(refused.unwrap_err(), InvalidDetailsType::UnknownPlaceholder("actions".into()));
    }

    #[test]
    fn what_was_allowed_under_a_type_that_is_retired_is_bounded_as_before() {
        let of = |max_life, may_be_passed_on, approval_needed: bool, version| {
            let written = DetailsTypeDocument {
                max_life: Some(Seconds(max_life)),
                may_be_passed_on,
                approval_needed: ApprovalNeeded::Each(approval_needed),
                ..document(json!({"properties": {"actions": {}}}))
            };
            Arc::new(DetailsType::of_version(written, version).unwrap())
        };
        let (first, last) = (of(110, true, false, 1), of(5, false, true, 2));
        let alive = super::super::DetailsTypes::of([Arc::clone(&last)]);
        let gone = super::super::DetailsTypes::default().with_retired([last]);
        let name = first.document().name.clone();
        assert!(gone.find(&name).is_none(), "nothing of it is asked for any more");
        for then in [alive.as_of([Arc::clone(&first)]), gone.as_of([first])] {
            let counts = then.find(&name).unwrap().document();
            assert_eq!(counts.max_life, Some(Seconds(5)));
            assert!(!counts.may_be_passed_on && counts.approval_needed == ApprovalNeeded::Each(true));
        }
    }

    #[test]
    fn actions_that_need_approval_need_a_field_that_names_them() {
        let mut document = document(json!({"properties": {"actions": {}}}));
        document.approval_needed = ApprovalNeeded::Actions(["pay".to_owned()].into());
        assert_eq!(DetailsType::new(document.clone()).unwrap_err(), InvalidDetailsType::ApprovalNeeded);
        document.risk.field = Some("actions".into());
        assert!(DetailsType::new(document).is_ok());
    }

    #[test]
    fn risk_is_the_highest_of_what_is_permitted_and_medium_where_unknown() {
        let risk: Risk =
            serde_json::from_value(json!({"field": "actions", "levels": {"read": "low", "delete": "high"}}))
                .unwrap();
        assert_eq!(risk.of(&detail(json!({"actions": ["read"]}))), RiskLevel::Low);
        assert_eq!(risk.of(&detail(json!({"actions": ["read", "delete"]}))), RiskLevel::High);
        assert_eq!(risk.of(&detail(json!({"actions": ["read", "fly"]}))), RiskLevel::Medium);
        assert_eq!(risk.of(&detail(json!({}))), RiskLevel::Medium);
    }
}

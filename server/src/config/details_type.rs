//! `[[details_types]]`: further ones, and other versions of those that ship with Procura.

use std::collections::BTreeMap;

use protocol::authorization_details::{
    ApprovalNeeded, DetailsType, DetailsTypeDocument, DetailsTypes, Narrowing, Risk, Words, built_in,
};
use protocol::identifier::DetailsTypeName;
use protocol::numeric_date::Seconds;
use protocol::strict_json;
use serde::Deserialize;
use serde_json::Value;

use super::problem::{Entry, Problems};
use super::written::{Json, some_duration};

/// How deep a schema may nest.
const DEEPEST_SCHEMA: usize = 64;

/// A details type as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenDetailsType {
    name: DetailsTypeName,
    #[serde(default)]
    schema: Option<Json>,
    #[serde(default)]
    schema_json: Option<String>,
    #[serde(default)]
    narrowing: Narrowing,
    words: BTreeMap<String, Words>,
    #[serde(default)]
    risk: Risk,
    #[serde(default, deserialize_with = "some_duration")]
    max_life: Option<Seconds>,
    #[serde(default)]
    may_be_passed_on: bool,
    #[serde(default)]
    approval_needed: ApprovalNeeded,
}

impl WrittenDetailsType {
    pub(super) fn check(self, mut entry: Entry<'_>) -> Option<DetailsTypeDocument> {
        let schema = match (self.schema, self.schema_json) {
            (Some(Json(schema)), None) => schema,
            (None, Some(text)) => match strict_json::parse(&text, DEEPEST_SCHEMA) {
                Ok(schema) => schema,
                Err(error) => {
                    entry.no(
                        "schema_json",
                        format_args!("is not JSON in which each member stands once: {error}"),
                    );
                    return None;
                }
            },
            _ => {
                entry.no("schema", "write either schema, a table, or schema_json, a text");
                return None;
            }
        };
        let document = DetailsTypeDocument {
            name: self.name,
            schema: only_object(schema, &mut entry)?,
            narrowing: self.narrowing,
            words: self.words,
            risk: self.risk,
            max_life: self.max_life,
            may_be_passed_on: self.may_be_passed_on,
            approval_needed: self.approval_needed,
        };
        for (key, why) in document.faults() {
            entry.no(key, why);
        }
        if let Err(reason) = DetailsType::new(document.clone()) {
            // The reason begins with the key it speaks of.
            let reason = reason.to_string();
            let (key, reason) = reason.split_once(": ").unwrap_or(("schema", &reason));
            entry.no(key, reason);
        }
        Some(document)
    }
}

fn only_object(schema: Value, entry: &mut Entry<'_>) -> Option<Value> {
    entry.check(schema.is_object(), "schema", "must be a table");
    schema.is_object().then_some(schema)
}

/// The declared details types and those built-in ones that none of them replaces.
pub(super) fn all(declared: Vec<DetailsTypeDocument>, problems: &mut Problems) -> DetailsTypes {
    let replaced = |name: &DetailsTypeName| declared.iter().any(|document| document.name == *name);
    let mut documents: Vec<_> = built_in().into_iter().filter(|document| !replaced(&document.name)).collect();
    documents.extend(declared);
    DetailsTypes::new(documents).unwrap_or_else(|(name, reason)| {
        if problems.found.is_empty() {
            problems.add("details_types", format_args!("{name}: {reason}"));
        }
        DetailsTypes::default()
    })
}

//! What a declaration of a details type must be free of. All of it would pass in silence otherwise, and mean something
//! else than what was meant: a misspelt name would ask nobody and call nothing risky, a rule would never hold.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::details_type::{ApprovalNeeded, DetailsTypeDocument};
use super::schema::{Fields, closed, compile, unknown_format};
use super::words::Words;
use crate::language_tag::is_language_tag;
use crate::visible_text::says_what_it_shows;

const NO_PROPERTY: &str = "is no property of the schema";

/// A key of the declaration, and what is wrong with it.
type Fault = (String, String);

impl DetailsTypeDocument {
    /// Everything that is wrong with a declaration beyond what keeps it from being registered at all
    /// ([`InvalidDetailsType`](super::InvalidDetailsType)), by the key that says so. It is asked of what is declared now, and
    /// never of what was declared before: that stays as it was.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = self.faults_of_schema();
        faults.extend(self.faults_of_risk());
        for (language, words) in &self.words {
            faults.extend(self.faults_of_words(language, words));
        }
        faults
    }

    /// Those of `actions` that no detail can permit: the schema lists the values of the field that `risk` names, and they
    /// are none of these. None where it lists none.
    pub fn unlisted<'a>(
        &self,
        actions: impl IntoIterator<Item = &'a String>,
    ) -> impl Iterator<Item = &'a String> {
        let listed = self.listed();
        actions
            .into_iter()
            .filter(move |action| listed.as_ref().is_some_and(|listed| !listed.contains(*action)))
    }

    /// The values that the schema lists for the field that `risk` names.
    fn listed(&self) -> Option<BTreeSet<String>> {
        let property = self.schema.get("properties")?.get(self.risk.field.as_ref()?)?;
        let values = property.get("enum").or_else(|| property.get("items")?.get("enum"))?.as_array()?;
        Some(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    const fn fields(&self) -> Fields<'_> {
        Fields(&self.schema)
    }

    /// Of a schema that is one: what it can never let pass, what it says that nobody would check, and the rules that do not
    /// go with it.
    fn faults_of_schema(&self) -> Vec<Fault> {
        let closed = closed(self.schema.clone());
        let Ok(judge) = compile(&closed) else { return Vec::new() };
        let mut faults = Vec::new();
        let mut no = |key: String, why: &str| faults.push((key, why.to_owned()));
        if !self.fields().is_object() {
            no("schema".to_owned(), "describes no object, and every authorization detail is one");
        } else if judge
            .iter_errors(&json!({ "type": self.name }))
            .any(|e| e.instance_path().as_str() == "/type")
        {
            no("schema".to_owned(), "does not let the name of the type pass as the member type of a detail");
        }
        if let Some(place) = unknown_format(&closed) {
            no(
                "schema".to_owned(),
                &format!("{place} names a format that is not known here, so nobody would check it"),
            );
        }
        for (path, rule) in &self.narrowing.0 {
            if let Some(why) = self.fields().against_rule(path, rule.rule) {
                no(format!("narrowing.{path}"), why);
            }
        }
        faults
    }

    fn faults_of_risk(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.risk.field.as_ref().is_some_and(|field| !self.fields().names(field)) {
            faults.push(("risk.field".to_owned(), NO_PROPERTY.to_owned()));
        }
        for value in self.unlisted(self.risk.levels.keys()) {
            faults.push((format!("risk.levels.{value}"), "is no value that the schema lists".to_owned()));
        }
        if let ApprovalNeeded::Actions(actions) = &self.approval_needed {
            for action in self.unlisted(actions) {
                let why = format!("the schema lists no value {action:?} of what risk.field names");
                faults.push(("approval_needed".to_owned(), why));
            }
        }
        faults
    }

    fn faults_of_words(&self, language: &str, words: &Words) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut no = |key: String, why: &str| faults.push((format!("words.{language}{key}"), why.to_owned()));
        if !is_language_tag(language) {
            no(String::new(), "is no language tag (BCP 47), such as en or de-AT");
        }
        for (key, text) in [(".name", &words.name), (".sentence", &words.sentence)] {
            if let Some(why) = unfit_to_read(text) {
                no(key.to_owned(), why);
            }
        }
        for (field, line) in &words.fields {
            if !self.fields().names(field) {
                no(format!(".fields.{field}"), NO_PROPERTY);
            }
            if let Some(why) = unfit_to_read(line) {
                no(format!(".fields.{field}"), why);
            }
            if self.fields().names(field) && Words::placeholders_in(line).any(|named| named != field) {
                no(format!(".fields.{field}"), "may hold its own field in braces, and no other one");
            }
        }
        faults
    }
}

/// Why people would not read `text` as it was written, or nothing at all.
fn unfit_to_read(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("must not be empty");
    }
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return Some("holds control characters");
    }
    (!says_what_it_shows(text))
        .then_some("holds invisible characters, or such as change the direction of text")
}

#[cfg(test)]
mod tests {
    use super::super::details_type::RiskLevel;
    use super::*;

    fn document(schema: Value) -> DetailsTypeDocument {
        serde_json::from_value(json!({
            "name": "t", "schema": schema, "words": {"en": {"name": "T", "sentence": "Do {actions}"}}
        }))
        .unwrap()
    }

    fn keys(document: &DetailsTypeDocument) -> Vec<String> {
        document.faults().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn what_ships_with_the_server_is_free_of_faults() {
        for document in super::super::built_in() {
            assert_eq!(document.faults(), [], "{}", document.name);
        }
    }

    #[test]
    fn a_name_that_the_schema_does_not_know_is_a_fault_wherever_it_stands() {
        let schema = json!({"properties": {"actions": {"items": {"enum": ["read", "pay"]}}, "most": {}}});
        let stray = |change: &dyn Fn(&mut DetailsTypeDocument)| {
            let mut document = document(schema.clone());
            document.risk.field = Some("actions".into());
            change(&mut document);
            keys(&document)
        };
        let pay = |name: &str| ApprovalNeeded::Actions([name.to_owned()].into());
        assert!(stray(&|d| d.approval_needed = pay("pay")).is_empty());
        assert_eq!(stray(&|d| d.approval_needed = pay("payy")), ["approval_needed"]);
        assert_eq!(stray(&|d| d.risk.field = Some("actionz".into())), ["risk.field"]);
        let level =
            |d: &mut DetailsTypeDocument, of: &str| d.risk.levels = [(of.into(), RiskLevel::High)].into();
        assert!(stray(&|d| level(d, "pay")).is_empty());
        assert_eq!(stray(&|d| level(d, "pya")), ["risk.levels.pya"]);
        let words = |d: &mut DetailsTypeDocument, field: &str| {
            d.words.get_mut("en").unwrap().fields.insert(field.into(), "x".into());
        };
        assert!(stray(&|d| words(d, "most")).is_empty());
        assert_eq!(stray(&|d| words(d, "msot")), ["words.en.fields.msot"]);
        let rule = |d: &mut DetailsTypeDocument, path: &str| {
            d.narrowing.0.insert(path.into(), serde_json::from_value(json!("equal")).unwrap());
        };
        assert!(stray(&|d| rule(d, "most.of")).is_empty());
        assert_eq!(stray(&|d| rule(d, "msot")), ["narrowing.msot"]);
        // Where the schema lists no values, any may be meant.
        let free = |d: &mut DetailsTypeDocument| {
            d.schema = json!({"properties": {"actions": {"type": "array"}}});
            d.approval_needed = pay("anything");
        };
        assert!(stray(&free).is_empty());
    }

    #[test]
    fn a_schema_that_no_detail_fits_or_that_says_what_nobody_checks_is_a_fault() {
        let of = |schema: Value| document(schema).faults();
        assert_eq!(of(json!({"properties": {"actions": {}}})), []);
        assert_eq!(of(json!({"properties": {"actions": {}, "type": {"const": "t"}}})), []);
        for (schema, why) in [
            (json!({"type": "array"}), "describes no object"),
            (json!({"properties": {"type": {"const": "other"}}}), "the name of the type"),
            (json!({"properties": {"day": {"format": "dat"}}}), "/properties/day/format"),
        ] {
            let faults = of(schema);
            assert!(
                matches!(&faults[..], [(key, reason)] if key == "schema" && reason.contains(why)),
                "{faults:?}"
            );
        }
        assert_eq!(of(json!({"type": 5})), [], "it is not registered at all");
    }

    #[test]
    fn words_that_people_would_not_read_as_they_stand_are_a_fault() {
        let with = |key: &str, value: Value| {
            let mut words =
                json!({"name": "T", "sentence": "Do {actions}", "fields": {"most": "Most {most}"}});
            match key.split_once('.') {
                Some((_, field)) => words["fields"][field] = value,
                None => words[key] = value,
            }
            let mut document = document(json!({"properties": {"actions": {}, "most": {}}}));
            document.words.insert("de".to_owned(), serde_json::from_value(words).unwrap());
            keys(&document)
        };
        assert!(with("name", json!("Geld zurück 🧀")).is_empty());
        assert!(with("sentence", json!("Tu dies:\n{actions}")).is_empty());
        assert!(with("fields.actions", json!("nothing")).is_empty());
        for bad in ["", "  ", "\n", "a\u{202e}b", "a\u{200b}b", "\u{2066}x", "a\u{7}b", "a\0b"] {
            for key in ["name", "sentence", "fields.most"] {
                assert_eq!(with(key, json!(bad)), [format!("words.de.{key}")], "{bad:?}");
            }
        }
        assert_eq!(with("fields.most", json!("At most {actions}")), ["words.de.fields.most"]);
    }

    #[test]
    fn words_are_in_a_language() {
        let in_language = |tag: &str| {
            let mut document = document(json!({"properties": {"actions": {}}}));
            document.words.insert(tag.to_owned(), document.words["en"].clone());
            keys(&document)
        };
        assert!(in_language("de-AT").is_empty());
        for bad in ["", "d", "de_DE", "1", "de AT", "d\u{202e}e"] {
            assert_eq!(in_language(bad), [format!("words.{bad}")]);
        }
    }
}

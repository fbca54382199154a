//! The schema of a details type: compiled, and read for what it says of its fields before there is any detail.

use std::collections::BTreeSet;

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use super::narrowing::{EVERY_MEMBER, Rule};

/// How many references are followed to find a field.
const MOST_REFERENCES: usize = 8;
/// How many schemas are looked at to know what a field can be. Beyond, it can be anything.
const MOST_LOOKED_AT: usize = 200;

/// Compiles what judges details. A `format` is part of it: a text that is none of it is refused. One that is not known here
/// says nothing; what is declared must be free of these ([`unknown_format`]), and what was declared when they passed still
/// counts.
pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    build(schema, true).map_err(|(_, why)| why)
}

/// Where the schema names a `format` that nobody would check.
pub(super) fn unknown_format(schema: &Value) -> Option<String> {
    let known_formats_alone = build(schema, false);
    known_formats_alone.err().filter(|_| build(schema, true).is_ok()).map(|(place, _)| place)
}

/// Or where the schema is none, and why.
fn build(schema: &Value, unknown_formats_pass: bool) -> Result<Validator, (String, String)> {
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .should_ignore_unknown_formats(unknown_formats_pass)
        .build(schema)
        .map_err(|error| (error.schema_path().to_string(), error.to_string()))
}

/// An object schema that knows `type` and, unless it says otherwise, refuses members it does not name.
pub(super) fn closed(mut schema: Value) -> Value {
    if let Some(root) = schema.as_object_mut() {
        root.entry("type").or_insert_with(|| "object".into());
        root.entry("additionalProperties").or_insert(Value::Bool(false));
        let properties = root.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        if let Some(properties) = properties.as_object_mut() {
            properties.entry("type").or_insert_with(|| serde_json::json!({"type": "string"}));
        }
    }
    schema
}

/// What kind of thing a value is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Null,
    Boolean,
    Number,
    Text,
    List,
    Object,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Null, Self::Boolean, Self::Number, Self::Text, Self::List, Self::Object];

    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::Text,
            Value::Array(_) => Self::List,
            Value::Object(_) => Self::Object,
        }
    }

    /// As `type` names it.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "number" | "integer" => Self::Number,
            "string" => Self::Text,
            "array" => Self::List,
            "object" => Self::Object,
            _ => return None,
        })
    }
}

/// What a schema says of a field.
enum Said<'a> {
    /// Nothing: there may be one, and of any kind.
    Nothing,
    /// There is none.
    NoSuchField,
    /// This.
    Of(&'a Value),
}

/// The whole schema of a type, read for its fields. Where it says something in ways that are not read here, it counts as
/// having said nothing.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Value);

impl<'a> Fields<'a> {
    /// Whether a detail can be an object, as it must be.
    pub(super) fn is_object(self) -> bool {
        self.0.is_object() && self.may_be(self.0, Kind::Object)
    }

    /// Whether the schema names this field of a detail. `type` need not be mentioned.
    pub(super) fn names(self, field: &str) -> bool {
        field == "type" || self.0.get("properties").is_some_and(|known| known.get(field).is_some())
    }

    /// What is wrong with a rule at this path, the steps divided by dots: that it leads nowhere, or that what is there can
    /// never be what the rule is about.
    pub(super) fn against_rule(self, path: &str, rule: Option<Rule>) -> Option<&'static str> {
        if path.contains('.') && self.names(path) {
            return Some(
                "is a name that holds a dot, so no path leads to it; it narrows as a field without a rule",
            );
        }
        match self.at(path) {
            Said::Nothing => None,
            Said::NoSuchField => Some("is no property of the schema"),
            Said::Of(field) => self.against(rule?, field),
        }
    }

    fn at(self, path: &str) -> Said<'a> {
        let mut steps = path.split('.').peekable();
        let first = steps.next().unwrap_or_default();
        if first.is_empty() || first == EVERY_MEMBER || !self.names(first) {
            return Said::NoSuchField;
        }
        let mut here = match self.0.get("properties").and_then(|known| known.get(first)) {
            Some(field) => Said::Of(field),
            None => Said::Nothing,
        };
        while let Some(step) = steps.next() {
            if step.is_empty() || (step == EVERY_MEMBER && steps.peek().is_some()) {
                return Said::NoSuchField;
            }
            here = match here {
                Said::Nothing => Said::Nothing,
                Said::NoSuchField => return Said::NoSuchField,
                Said::Of(field) if step == EVERY_MEMBER => self.every_member(field),
                Said::Of(field) => self.member(field, step, MOST_REFERENCES),
            };
        }
        here
    }

    /// What is said of a member of an object. Where members are listed and no others are allowed for, it is one of them.
    fn member(self, object: &'a Value, name: &str, references: usize) -> Said<'a> {
        const ELSEWHERE: [&str; 10] = [
            "$dynamicRef",
            "allOf",
            "anyOf",
            "oneOf",
            "if",
            "then",
            "else",
            "dependentSchemas",
            "patternProperties",
            "unevaluatedProperties",
        ];
        let Some(said) = object.as_object() else { return Said::Nothing };
        if let Some(member) = said.get("properties").and_then(|known| known.get(name)) {
            return Said::Of(member);
        }
        if !self.may_be(object, Kind::Object) {
            return Said::NoSuchField;
        }
        if ELSEWHERE.iter().any(|keyword| said.contains_key(*keyword)) {
            return Said::Nothing;
        }
        let referred = self.referred(object).filter(|_| references > 0);
        match (said.get("additionalProperties"), referred) {
            (Some(Value::Bool(false)), _) => Said::NoSuchField,
            (Some(others @ Value::Object(_)), _) => Said::Of(others),
            (Some(_), _) => Said::Nothing,
            (None, Some(referred)) => self.member(referred, name, references.saturating_sub(1)),
            (None, None) if said.contains_key("$ref") => Said::Nothing,
            (None, None) => match said.get("properties").and_then(Value::as_object) {
                Some(listed) if !listed.is_empty() => Said::NoSuchField,
                _ => Said::Nothing,
            },
        }
    }

    /// What is said of all members of an object that have no rule of their own.
    fn every_member(self, object: &'a Value) -> Said<'a> {
        match object.get("additionalProperties") {
            _ if !self.may_be(object, Kind::Object) => Said::NoSuchField,
            Some(others @ Value::Object(_)) if object.get("properties").is_none() => Said::Of(others),
            _ => Said::Nothing,
        }
    }

    fn against(self, rule: Rule, field: &Value) -> Option<&'static str> {
        let may_be = |kind| self.may_be(field, kind);
        let items = || field.get("items").is_none_or(|items| self.may_be(items, Kind::Text));
        match rule {
            Rule::Max | Rule::Min if !may_be(Kind::Number) => {
                Some("the rule is for numbers, and the schema allows none here")
            }
            Rule::Before if !may_be(Kind::Text) => {
                Some("the rule is for date-times, and the schema allows no text here")
            }
            Rule::Before if field.get("format").is_some_and(|format| format != "date-time") => {
                Some("the rule is for date-times, and the schema wants another format here")
            }
            Rule::Prefix | Rule::Glob if !(may_be(Kind::Text) || may_be(Kind::List) && items()) => {
                Some("the rule is for texts and lists of texts, and the schema allows neither here")
            }
            Rule::Subset if !may_be(Kind::List) => {
                Some("the rule is for lists, and the schema allows none here")
            }
            _ => None,
        }
    }

    fn may_be(self, schema: &Value, kind: Kind) -> bool {
        let mut looks = MOST_LOOKED_AT;
        self.kinds(schema, &mut looks).contains(&kind)
    }

    /// What a value of `schema` can be at most.
    fn kinds(self, schema: &Value, looks: &mut usize) -> BTreeSet<Kind> {
        let all = BTreeSet::from(Kind::ALL);
        let (Some(said), Some(fewer)) = (schema.as_object(), looks.checked_sub(1)) else {
            return if schema == &Value::Bool(false) { BTreeSet::new() } else { all };
        };
        *looks = fewer;
        let lists = |keyword: &str| said.get(keyword).and_then(Value::as_array);
        let mut bounds = Vec::new();
        match said.get("type") {
            Some(Value::String(name)) => bounds.push(Kind::named(name).into_iter().collect()),
            Some(Value::Array(names)) => {
                bounds.push(names.iter().filter_map(Value::as_str).filter_map(Kind::named).collect());
            }
            _ => {}
        }
        bounds.extend(lists("enum").map(|values| values.iter().map(Kind::of).collect()));
        bounds.extend(said.get("const").map(|value| BTreeSet::from([Kind::of(value)])));
        bounds.extend(self.referred(schema).map(|referred| self.kinds(referred, looks)));
        bounds.extend(lists("allOf").into_iter().flatten().map(|each| self.kinds(each, looks)));
        for either in ["anyOf", "oneOf"].into_iter().filter_map(lists) {
            bounds.push(either.iter().flat_map(|one| self.kinds(one, looks)).collect());
        }
        all.into_iter().filter(|kind| bounds.iter().all(|bound| bound.contains(kind))).collect()
    }

    /// What a `$ref` within the same schema leads to.
    fn referred(self, schema: &Value) -> Option<&'a Value> {
        self.0.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn against(schema: &Value, path: &str, rule: Rule) -> bool {
        Fields(schema).against_rule(path, Some(rule)).is_some()
    }

    #[test]
    fn a_format_is_enforced_and_an_unknown_one_is_found() {
        let with =
            |format: &str| closed(json!({"properties": {"until": {"type": "string", "format": format}}}));
        for (format, good, bad) in [
            ("date-time", "2030-01-01T00:00:00Z", "banana"),
            ("date-time", "2030-01-01T00:00:00.5+01:00", "2030-02-30T00:00:00Z"),
            ("date", "2030-01-01", "2030-13-01"),
            ("time", "12:00:00Z", "noon"),
            ("duration", "P1D", "a day"),
            ("email", "alice@example.com", "alice"),
            ("hostname", "a.example", "a b"),
            ("ipv4", "192.0.2.1", "192.0.2.256"),
            ("ipv6", "2001:db8::1", "192.0.2.1"),
            ("uri", "https://a.example/b", "b"),
            ("uri-reference", "/b", "a b"),
            ("iri", "https://ä.example", "b"),
            ("iri-reference", "/ä", "a b"),
            ("uri-template", "/orders/{id}", "/orders/{id"),
            ("uuid", "f308a72c-fa84-11eb-9a03-0242ac130003", "f308a72c"),
            ("json-pointer", "/a/b", "a"),
            ("relative-json-pointer", "1/a", "/a"),
            ("regex", "^a+$", "(a"),
        ] {
            let schema = with(format);
            assert_eq!(unknown_format(&schema), None, "{format}");
            let judge = compile(&schema).unwrap();
            assert!(judge.is_valid(&json!({"until": good})), "{format} {good}");
            assert!(!judge.is_valid(&json!({"until": bad})), "{format} {bad}");
        }
        for format in ["datetime", "iso8601", "idn-email", "DATE"] {
            let schema = with(format);
            assert_eq!(unknown_format(&schema).as_deref(), Some("/properties/until/format"));
            assert!(compile(&schema).unwrap().is_valid(&json!({"until": "banana"})), "it was accepted once");
        }
        let nested = closed(json!({"properties": {"a": {"items": {"anyOf": [{"format": "zip"}]}}}}));
        assert_eq!(unknown_format(&nested).as_deref(), Some("/properties/a/items/anyOf/0/format"));
        assert_eq!(unknown_format(&json!({"type": 5})), None, "that it is no schema is told elsewhere");
    }

    #[test]
    fn a_rule_fits_what_the_field_can_be_and_all_that_nothing_is_said_of() {
        let schema = json!({
            "$defs": {"amount": {"type": "integer"}, "loop": {"$ref": "#/$defs/loop"}},
            "properties": {
                "text": {"type": "string"}, "number": {"type": "number"}, "integer": {"type": "integer"},
                "list": {"type": "array"}, "texts": {"type": "array", "items": {"type": "string"}},
                "numbers": {"type": "array", "items": {"type": "number"}}, "flag": {"type": "boolean"},
                "either": {"type": ["string", "number"]}, "free": {}, "one_of": {"enum": ["a", "b"]},
                "fixed": {"const": 3}, "referred": {"$ref": "#/$defs/amount"}, "loop": {"$ref": "#/$defs/loop"},
                "any_of": {"anyOf": [{"type": "string"}, {"type": "boolean"}]},
                "all_of": {"allOf": [{"type": ["string", "number"]}, {"type": ["number", "array"]}]},
                "day": {"type": "string", "format": "date"}, "until": {"type": "string", "format": "date-time"},
                "never": false
            }
        });
        let fits = |rule| {
            let names = schema["properties"].as_object().unwrap().keys();
            names.filter(|name| !against(&schema, name, rule)).map(String::as_str).collect::<BTreeSet<_>>()
        };
        let numbers = ["number", "integer", "either", "free", "fixed", "referred", "loop", "all_of"];
        assert_eq!(fits(Rule::Max), numbers.into());
        assert_eq!(fits(Rule::Min), numbers.into());
        assert_eq!(
            fits(Rule::Before),
            ["text", "either", "free", "one_of", "loop", "any_of", "until"].into()
        );
        let texts = ["text", "list", "texts", "either", "free", "one_of", "loop", "any_of", "day", "until"];
        assert_eq!(fits(Rule::Prefix), texts.into());
        assert_eq!(fits(Rule::Glob), texts.into());
        assert_eq!(fits(Rule::Subset), ["list", "texts", "numbers", "free", "loop"].into());
        assert_eq!(fits(Rule::Equal).len(), 18);
        assert_eq!(fits(Rule::Any).len(), 18);
    }

    #[test]
    fn a_path_leads_to_a_field_as_far_as_the_schema_can_tell() {
        let schema = json!({
            "$defs": {"place": {"properties": {"city": {"type": "string"}}}},
            "properties": {
                "listed": {"type": "object", "properties": {"amount": {"type": "number"}, "deep": {"properties": {"x": {}}}}},
                "closed": {"additionalProperties": false}, "open": {"properties": {"a": {}}, "additionalProperties": true},
                "named": {"additionalProperties": {"type": "array"}}, "free": {}, "list": {"type": "array"},
                "place": {"$ref": "#/$defs/place"}, "pattern": {"properties": {"a": {}}, "patternProperties": {"^x": {}}},
                "a.b": {}
            }
        });
        for path in [
            "listed",
            "listed.amount",
            "listed.deep.x",
            "listed.*",
            "open.b",
            "open.b.c",
            "named.any",
            "named.*",
            "free.x.y",
            "place.city",
            "pattern.xy",
            "type",
        ] {
            assert!(!against(&schema, path, Rule::Equal), "{path}");
        }
        for path in [
            "typo",
            "listed.typo",
            "listed.amount.x",
            "listed.deep.y",
            "closed.x",
            "list.x",
            "list.*",
            "place.town",
            "a.b",
            "*",
            "",
            ".",
            "listed.",
            "listed..amount",
            "listed.*.x",
            "a",
            "named.any.x",
        ] {
            assert!(against(&schema, path, Rule::Equal), "{path}");
        }
        assert!(
            against(&schema, "listed.amount", Rule::Prefix) && !against(&schema, "listed.amount", Rule::Max)
        );
        assert!(against(&schema, "named.any", Rule::Max) && against(&schema, "named.*", Rule::Max));
        assert!(!against(&schema, "named.*", Rule::Subset));
    }

    #[test]
    fn a_schema_of_many_references_is_looked_at_for_a_while_and_no_longer() {
        let many = |to: &str| json!({"allOf": vec![json!({"$ref": to}); 50]});
        let mut definitions: Map<String, Value> =
            (0..20).map(|n| (n.to_string(), many(&format!("#/$defs/{}", n + 1)))).collect();
        definitions.insert("20".to_owned(), json!({"type": "string"}));
        let schema = json!({"$defs": definitions, "properties": {"deep": {"$ref": "#/$defs/0"}}});
        assert!(against(&schema, "deep", Rule::Max), "the first way down is seen to its end");
        let endless = json!({"properties": {"a": {"$ref": "#/properties/a"}}});
        assert!(!against(&endless, "a", Rule::Max) && !against(&endless, "a.b.c", Rule::Max));
    }

    #[test]
    fn what_can_be_no_object_is_no_schema_of_a_detail() {
        for good in
            [json!({}), json!({"type": "object"}), json!({"type": ["object", "null"]}), json!({"type": 5})]
        {
            assert!(Fields(&good).is_object(), "{good}");
        }
        for bad in
            [json!({"type": "array"}), json!({"const": 1}), json!({"enum": ["a"]}), json!(true), json!([])]
        {
            assert!(!Fields(&bad).is_object(), "{bad}");
        }
    }
}

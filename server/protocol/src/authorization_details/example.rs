//! An example of a details type: what its schema gives as one, or else one made up from its properties. It is for people
//! who want to see how a detail reads, and for nothing else.

use serde_json::{Map, Value, json};

use super::DetailsType;

/// The deepest that is looked into a schema.
const DEEPEST: usize = 6;

impl DetailsType {
    /// A detail that the type's schema lets pass: the first of the schema's own `examples` that does, or one with every
    /// property, or one with those that are required. None where none of these passes, as where a property must have a
    /// pattern.
    #[must_use]
    pub fn example(&self) -> Option<Map<String, Value>> {
        let schema = &self.document().schema;
        let written = schema.get("examples").and_then(Value::as_array).into_iter().flatten();
        let written = written.filter_map(Value::as_object).cloned();
        let made_up = [true, false].map(|all| object(schema, all, DEEPEST));
        let mut examples = written.chain(made_up);
        examples.find_map(|mut example| {
            example.insert("type".to_owned(), self.document().name.as_str().into());
            self.check(&example).is_ok().then_some(example)
        })
    }
}

/// An object of this schema, with all of its properties or with those that are required.
fn object(schema: &Value, all: bool, deeper: usize) -> Map<String, Value> {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let mut made: Map<String, Value> = properties
        .filter(|(name, _)| all || is_required(name))
        .map(|(name, schema)| (name.clone(), value(name, schema, all, deeper)))
        .collect();
    // Members that may have any name get one, so that it is seen how they read.
    if let (true, Some(others @ Value::Object(_))) = (made.is_empty(), schema.get("additionalProperties")) {
        made.insert("name".to_owned(), value("name", others, all, deeper));
    }
    made
}

fn value(name: &str, schema: &Value, all: bool, deeper: usize) -> Value {
    let first =
        |keyword: &str| schema.get(keyword).and_then(Value::as_array).and_then(|values| values.first());
    let given = first("examples").or_else(|| schema.get("default")).or_else(|| schema.get("const"));
    if let Some(given) = given.or_else(|| first("enum")) {
        return given.clone();
    }
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str).unwrap_or("string"),
        _ => "string",
    };
    match kind {
        _ if deeper == 0 => Value::Null,
        "object" => Value::Object(object(schema, all, deeper.saturating_sub(1))),
        "array" => array(name, schema, all, deeper.saturating_sub(1)),
        "number" | "integer" => number(schema),
        "boolean" => true.into(),
        _ => text(name, schema),
    }
}

/// Two values where there may be two, since a list reads otherwise than a word.
fn array(name: &str, schema: &Value, all: bool, deeper: usize) -> Value {
    let items = schema.get("items").cloned().unwrap_or_else(|| json!({}));
    let several = items.get("enum").and_then(Value::as_array);
    let most = schema.get("maxItems").and_then(Value::as_u64).unwrap_or(2).min(2);
    match several {
        Some(values) => values.iter().take(usize::try_from(most).unwrap_or(1)).cloned().collect(),
        None => vec![value(name, &items, all, deeper)].into(),
    }
}

fn number(schema: &Value) -> Value {
    let bound = |keyword: &str| schema.get(keyword).cloned().filter(Value::is_number);
    bound("maximum").or_else(|| bound("minimum")).unwrap_or_else(|| 10.into())
}

fn text(name: &str, schema: &Value) -> Value {
    match schema.get("format").and_then(Value::as_str) {
        Some("uri") => "https://api.example.com".into(),
        Some("date-time") => "2030-01-01T12:00:00Z".into(),
        Some("date") => "2030-01-01".into(),
        Some("email") => "alice@example.com".into(),
        _ => name.replace('_', " ").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DetailsTypes, built_in};
    use super::*;

    fn example(schema: Value) -> Option<Value> {
        let document = serde_json::from_value(json!({
            "name": "t", "schema": schema, "words": {"en": {"name": "T", "sentence": "T"}}
        }));
        DetailsType::new(document.unwrap()).unwrap().example().map(Value::Object)
    }

    #[test]
    fn every_type_that_ships_has_an_example_that_its_schema_lets_pass() {
        let types = DetailsTypes::new(built_in()).unwrap();
        for name in types.names() {
            let known = types.find(name).unwrap();
            let example = known.example().unwrap_or_else(|| panic!("{name}"));
            assert!(known.check(&example).is_ok() && example["type"] == name.as_str(), "{name}");
        }
    }

    #[test]
    fn the_schemas_own_example_counts_if_it_passes() {
        let properties = json!({"amount": {"type": "number", "maximum": 5}});
        let with = |examples: Value| example(json!({"properties": properties, "examples": examples}));
        assert_eq!(with(json!([{"amount": 3}])), Some(json!({"type": "t", "amount": 3})));
        assert_eq!(with(json!([{"amount": 9}, 1])), Some(json!({"type": "t", "amount": 5})));
    }

    #[test]
    fn properties_are_made_up_by_what_they_may_be() {
        let properties = json!({
            "actions": {"type": "array", "items": {"enum": ["read", "write", "delete"]}},
            "only": {"type": "array", "maxItems": 1, "items": {"enum": ["a", "b"]}},
            "place": {"type": "string", "format": "uri"}, "until": {"type": "string", "format": "date-time"},
            "rows": {"type": ["integer", "null"], "minimum": 7}, "dry_run": {"type": "boolean"},
            "fixed": {"const": 1}, "cost_centre": {}, "more": {"additionalProperties": {"type": "number"}, "type": "object"},
        });
        let made = example(json!({"properties": properties})).unwrap();
        let expected = json!({
            "type": "t", "actions": ["read", "write"], "only": ["a"], "place": "https://api.example.com",
            "until": "2030-01-01T12:00:00Z", "rows": 7, "dry_run": true, "fixed": 1, "cost_centre": "cost centre",
            "more": {"name": 10}
        });
        assert_eq!(made, expected);
    }

    #[test]
    fn what_cannot_be_made_up_is_left_out_or_there_is_no_example() {
        let odd = json!({"code": {"type": "string", "pattern": "^[0-9]+$"}, "a": {"const": 1}});
        let optional = example(json!({"properties": odd, "required": ["a"]}));
        assert_eq!(optional, Some(json!({"type": "t", "a": 1})));
        assert_eq!(example(json!({"properties": odd, "required": ["code"]})), None);
    }
}

//! How a person reads an authorization detail: the type's own sentence, and a line for every field that the
//! sentence does not speak of. Nothing that a detail holds stays hidden.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The words of a details type in one language.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// What the type is, in a few words, such as "Read and write secrets".
    pub name: String,
    /// A sentence with `{field}` placeholders, such as `Read {locations}`.
    pub sentence: String,
    /// Lines for further fields, by field, each with its placeholder; without one, `field: value` is shown.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// An authorization detail in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct InWords {
    /// The sentence.
    pub sentence: String,
    /// What else the detail says, a line each.
    pub lines: Vec<String>,
}

impl Words {
    /// Every field that the words speak of.
    pub fn placeholders(&self) -> impl Iterator<Item = String> {
        let texts = std::iter::once(&self.sentence).chain(self.fields.values());
        texts.flat_map(|text| Self::placeholders_in(text)).map(str::to_owned)
    }

    /// Every field that one of its texts speaks of.
    pub(super) fn placeholders_in(text: &str) -> impl Iterator<Item = &str> {
        pieces(text).filter_map(|piece| match piece {
            Piece::Field(field) => Some(field),
            Piece::Text(_) => None,
        })
    }

    /// The detail in these words. Every member but `type` appears, in the sentence or on a line of its own.
    #[must_use]
    pub fn render(&self, detail: &Map<String, Value>) -> InWords {
        let mut spoken_of = vec!["type"];
        let mut sentence = String::new();
        for piece in pieces(&self.sentence) {
            match piece {
                Piece::Text(text) => sentence.push_str(text),
                Piece::Field(field) => {
                    spoken_of.push(field);
                    sentence.push_str(&detail.get(field).map_or_else(|| "…".to_owned(), in_text));
                }
            }
        }
        let others = detail.iter().filter(|(field, _)| !spoken_of.contains(&field.as_str()));
        InWords { sentence, lines: others.map(|(field, value)| self.line(field, value)).collect() }
    }

    fn line(&self, field: &str, value: &Value) -> String {
        let Some(template) = self.fields.get(field) else {
            return format!("{}: {}", field.replace('_', " "), in_text(value));
        };
        let speaks = |piece: &Piece<'_>| matches!(piece, Piece::Field(f) if *f == field);
        let mut line = String::new();
        for piece in pieces(template) {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Field(f) if f == field => line.push_str(&in_text(value)),
                Piece::Field(_) => {}
            }
        }
        if !pieces(template).any(|piece| speaks(&piece)) {
            line.push_str(": ");
            line.push_str(&in_text(value));
        }
        line
    }
}

enum Piece<'a> {
    Text(&'a str),
    Field(&'a str),
}

/// Splits `Read {locations} now` into text and fields; a brace without its partner is text.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        if let Some((field, after)) = field {
            rest = after;
            return Some(Piece::Field(field));
        }
        let skip = usize::from(rest.starts_with('{'));
        let end = rest[skip..].find('{').map_or(rest.len(), |at| at + skip);
        let (before, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Text(before))
    })
}

/// A value as a person reads it: lists with commas, objects as `name: value`.
fn in_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(in_text).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{name}: {}", in_text(value)))
            .collect::<Vec<_>>()
            .join("; "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words() -> Words {
        let fields = [("limit".to_owned(), "at most {limit} rows".to_owned())].into();
        Words { name: "Orders".into(), sentence: "{actions} in {locations}".into(), fields }
    }

    #[test]
    fn the_sentence_is_filled_and_every_other_field_has_a_line() {
        let detail = json!({"type": "t", "actions": ["read", "list"], "locations": ["EU"], "limit": 5, "x_y": {"a": [1]}});
        let read = words().render(detail.as_object().unwrap());
        assert_eq!(read.sentence, "read, list in EU");
        assert_eq!(read.lines, ["at most 5 rows", "x y: a: 1"]);
    }

    #[test]
    fn a_missing_field_leaves_a_mark_and_odd_braces_are_text() {
        let odd = Words { sentence: "a { b {actions".into(), ..words() };
        assert_eq!(odd.render(&Map::new()).sentence, "a { b {actions");
        assert_eq!(words().render(&Map::new()).sentence, "… in …");
    }
}

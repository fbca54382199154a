//! The words of a task and its deadline, as somebody asks for them: one law, whether they come in the body of
//! `POST /tasks` or in an `agent_task` detail.

use serde_json::{Map, Value};

use super::Intent;
use crate::numeric_date::NumericDate;
use crate::visible_text::says_what_it_shows;

/// The longest purpose, in characters.
pub(super) const LONGEST_PURPOSE: usize = 1000;
/// The longest reference, in characters.
pub(super) const LONGEST_REFERENCE: usize = 200;
/// The most success criteria, and the most limits.
pub(super) const MOST_SENTENCES: usize = 10;
/// The longest of them, in characters.
pub(super) const LONGEST_SENTENCE: usize = 500;

/// A member that is not what it must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unfit(pub &'static str);

/// The words among `members`.
///
/// # Errors
/// The first member that is of the wrong kind, empty, too long, or more than one reads.
pub fn intent(members: &Map<String, Value>) -> Result<Intent, Unfit> {
    Ok(Intent {
        purpose: sentence(members, "purpose", LONGEST_PURPOSE)?,
        reference: sentence(members, "reference", LONGEST_REFERENCE)?,
        success_criteria: sentences(members, "success_criteria")?,
        limits: sentences(members, "limits")?,
    })
}

/// The `deadline` among `members`: a moment that the calendar has, with its offset (RFC 3339).
///
/// # Errors
/// Where it is anything else.
pub fn deadline(members: &Map<String, Value>) -> Result<Option<NumericDate>, Unfit> {
    let moment = |value: &Value| value.as_str().and_then(NumericDate::parse_rfc3339);
    members.get("deadline").map(|value| moment(value).ok_or(Unfit("deadline"))).transpose()
}

fn sentence(
    members: &Map<String, Value>,
    name: &'static str,
    longest: usize,
) -> Result<Option<String>, Unfit> {
    let read = |value: &Value| read(value, longest).ok_or(Unfit(name));
    members.get(name).map(read).transpose()
}

fn sentences(members: &Map<String, Value>, name: &'static str) -> Result<Vec<String>, Unfit> {
    let items = match members.get(name) {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) if items.len() <= MOST_SENTENCES => items,
        Some(_) => return Err(Unfit(name)),
    };
    items.iter().map(|item| read(item, LONGEST_SENTENCE)).collect::<Option<_>>().ok_or(Unfit(name))
}

/// A text for people: not empty, and without control characters other than those between lines and columns.
fn read(value: &Value, longest: usize) -> Option<String> {
    let text = value.as_str()?;
    let fine = !text.trim().is_empty()
        && text.chars().count() <= longest
        && says_what_it_shows(text)
        && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    fine.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn words_are_read_as_they_stand_and_others_are_nobodys() {
        let members = of(json!({
            "purpose": "p\n\tq", "reference": "r", "success_criteria": ["s"], "limits": [], "actions": [1]
        }));
        let expected = Intent {
            purpose: Some("p\n\tq".into()),
            reference: Some("r".into()),
            success_criteria: vec!["s".into()],
            limits: Vec::new(),
        };
        assert_eq!(intent(&members), Ok(expected));
        assert_eq!(intent(&Map::new()), Ok(Intent::default()));
    }

    #[test]
    fn what_nobody_could_read_is_refused_by_its_name() {
        for (name, value) in [
            ("purpose", json!(" ")),
            ("purpose", json!("a\u{1b}[31mb")),
            ("purpose", json!("a\rb")),
            ("purpose", json!("/repos/\u{202e}enim")),
            ("purpose", json!("x".repeat(LONGEST_PURPOSE + 1))),
            ("purpose", json!({"en": "p"})),
            ("purpose", json!(null)),
            ("reference", json!("")),
            ("reference", json!("x".repeat(LONGEST_REFERENCE + 1))),
            ("success_criteria", json!([""])),
            ("success_criteria", json!("s")),
            ("limits", json!(["l", 1])),
            ("limits", json!(vec!["l"; MOST_SENTENCES + 1])),
            ("limits", json!(["x".repeat(LONGEST_SENTENCE + 1)])),
        ] {
            assert_eq!(intent(&of(json!({ name: value }))), Err(Unfit(name)), "{value}");
        }
    }

    #[test]
    fn a_deadline_is_a_moment_that_there_is() {
        let at = |value: Value| deadline(&of(json!({ "deadline": value })));
        assert_eq!(deadline(&Map::new()), Ok(None));
        let moment = NumericDate::parse_rfc3339("2026-02-28T00:00:00Z");
        assert_eq!(at(json!("2026-02-28T01:00:00+01:00")), Ok(moment));
        for wrong in [
            json!("2026-02-30T00:00:00Z"),
            json!("2026-02-28T00:00:00"),
            json!("tomorrow"),
            json!(1_800_000_000),
            json!(null),
        ] {
            assert_eq!(at(wrong.clone()), Err(Unfit("deadline")), "{wrong}");
        }
    }
}

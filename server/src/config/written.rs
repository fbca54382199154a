//! How values are written: lengths of time, moments, and JSON within TOML.

use std::fmt;

use protocol::numeric_date::{NumericDate, Seconds};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::{Map, Value};

/// A length of time: whole seconds, or a number and one of `s`, `m`, `h`, `d`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Seconds> {
    let (number, unit) = match text.char_indices().next_back()? {
        (end, 's') => (&text[..end], 1),
        (end, 'm') => (&text[..end], 60),
        (end, 'h') => (&text[..end], 3_600),
        (end, 'd') => (&text[..end], 86_400),
        _ => (text, 1),
    };
    let digits_only = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let seconds = number.parse::<i64>().ok().filter(|_| digits_only)?.checked_mul(unit)?;
    Some(Seconds(seconds))
}

struct Duration;

impl Visitor<'_> for Duration {
    type Value = Seconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whole seconds, or a text such as \"90s\", \"5m\", \"8h\" or \"30d\"")
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Seconds, E> {
        Ok(Seconds(seconds))
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Seconds, E> {
        i64::try_from(seconds)
            .map(Seconds)
            .map_err(|_| E::invalid_value(de::Unexpected::Other("number"), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Seconds, E> {
        parse_duration(text).ok_or_else(|| E::invalid_value(de::Unexpected::Other("text"), &self))
    }
}

/// Reads a length of time.
///
/// # Errors
/// When it is none.
pub fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Seconds, D::Error> {
    from.deserialize_any(Duration)
}

/// Reads a length of time that need not be there.
///
/// # Errors
/// When it is none.
pub fn some_duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Seconds>, D::Error> {
    duration(from).map(Some)
}

/// Reads an RFC 3339 date-time, quoted or as TOML's own.
///
/// # Errors
/// When it is none.
pub fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<NumericDate, D::Error> {
    let Json(written) = Json::deserialize(from)?;
    let parsed = written.as_str().and_then(NumericDate::parse_rfc3339);
    parsed.ok_or_else(|| de::Error::custom("must be an RFC 3339 date-time such as 2027-06-30T00:00:00Z"))
}

/// JSON written as TOML. TOML's own date-times become texts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Json(pub Value);

/// The member by which TOML's date-times come through serde.
const TOML_DATETIME: &str = "$__toml_private_datetime";

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Value::deserialize(from).map(|value| Self(with_dates_as_text(value)))
    }
}

fn with_dates_as_text(value: Value) -> Value {
    match value {
        Value::Object(mut members) => match members.remove(TOML_DATETIME) {
            Some(date) => date,
            None => Value::Object(
                members.into_iter().map(|(k, v)| (k, with_dates_as_text(v))).collect::<Map<_, _>>(),
            ),
        },
        Value::Array(items) => Value::Array(items.into_iter().map(with_dates_as_text).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_seconds_or_a_number_with_its_unit() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("5m", 300), ("8h", 28_800), ("30d", 2_592_000)] {
            assert_eq!(parse_duration(text), Some(Seconds(seconds)), "{text}");
        }
        for bad in ["", "s", "5x", "5 m", "-5m", "+5", "1.5h", "5mm", "9999999999999999999d", "ä"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}

//! Reading JOSE headers and claims that nobody has vouched for: a member is there and of its JSON type, or the
//! whole is refused.

use serde_json::{Map, Value};

use crate::numeric_date::{NumericDate, Seconds};

/// How far ahead of ours the clock of somebody who signs proofs and assertions may be. FAPI 2.0 (§5.3.2.1) wants
/// 10 seconds accepted and more than 60 refused.
pub const FURTHEST_AHEAD: Seconds = Seconds(60);
/// The longest `jti`, in bytes: replay memory must stay bounded (RFC 9449 §11.1).
pub const LONGEST_JTI: usize = 256;

/// A member is there, but not of the JSON type its specification demands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrongType;

/// A member that is a string, if it is there.
pub fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, WrongType> {
    members.get(name).map(|value| value.as_str().ok_or(WrongType)).transpose()
}

/// A member that is a NumericDate (RFC 7519 §2), if it is there; a fraction of a second is dropped.
pub fn date(members: &Map<String, Value>, name: &str) -> Result<Option<NumericDate>, WrongType> {
    let read = |value: &Value| {
        let whole = value.as_i64().or_else(|| value.as_f64().and_then(whole_seconds));
        whole.map(NumericDate).ok_or(WrongType)
    };
    members.get(name).map(read).transpose()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked, and the fraction is to be dropped"
)]
/// Drops the fraction; numbers that no clock will ever show are none.
fn whole_seconds(seconds: f64) -> Option<i64> {
    (seconds.abs() < 1e15).then(|| seconds.floor() as i64)
}

/// A `jti` of 1 to [`LONGEST_JTI`] bytes.
pub fn jti_fits(jti: &str) -> bool {
    (1..=LONGEST_JTI).contains(&jti.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_date_is_a_number_and_nothing_else() {
        let read = claims(json!({"a": 7, "b": 7.9, "c": "7", "d": null, "e": 1e300, "f": [7]}));
        assert_eq!(date(&read, "a"), Ok(Some(NumericDate(7))));
        assert_eq!(date(&read, "b"), Ok(Some(NumericDate(7))));
        assert_eq!(date(&read, "z"), Ok(None));
        for name in ["c", "d", "e", "f"] {
            assert_eq!(date(&read, name), Err(WrongType), "{name}");
        }
    }

    #[test]
    fn a_text_is_a_string_and_nothing_else() {
        let read = claims(json!({"a": "x", "b": ["x"], "c": null}));
        assert_eq!(text(&read, "a"), Ok(Some("x")));
        assert_eq!(text(&read, "z"), Ok(None));
        assert_eq!((text(&read, "b"), text(&read, "c")), (Err(WrongType), Err(WrongType)));
    }
}

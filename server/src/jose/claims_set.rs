//! Headers and claims sets: JSON objects whose names are distinct (RFC 7515 §4, RFC 7519 §4), and so are those of every
//! object in them: who reads the first of two would read something else than who reads the last.

use protocol::strict_json;
use serde_json::{Map, Value};

use super::JoseError;

/// The deepest nesting; more than any claim has a use for.
const DEEPEST: usize = 64;

/// Parses `json` as an object, refusing a name that stands twice in it or in anything that it holds.
pub(super) fn parse(json: &[u8]) -> Result<Map<String, Value>, JoseError> {
    let text = std::str::from_utf8(json).map_err(|_| JoseError::NotAnObject)?;
    match strict_json::parse(text, DEEPEST) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(JoseError::NotAnObject),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_with_distinct_names_is_a_claims_set() {
        assert_eq!(parse(br#"{"a":1,"b":[{}]}"#).unwrap().len(), 2);
        for bad in [r#"{"sub":"a","sub":"b"}"#, r#"{"a":[{"b":1,"b":2}]}"#, "[]", "1", "", "{}x", r#"{"a":1"#]
        {
            assert_eq!(parse(bad.as_bytes()), Err(JoseError::NotAnObject), "{bad}");
        }
    }
}

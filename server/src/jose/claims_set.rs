//! Headers and claims sets: JSON objects whose names are distinct (RFC 7515 §4, RFC 7519 §4).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::JoseError;

/// Parses `json` as an object, refusing a name that stands in it twice.
pub(super) fn parse(json: &[u8]) -> Result<Map<String, Value>, JoseError> {
    serde_json::from_slice(json).map(|Distinct(members)| members).map_err(|_| JoseError::NotAnObject)
}

struct Distinct(Map<String, Value>);

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members).map(Self)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_with_distinct_names_is_a_claims_set() {
        assert_eq!(parse(br#"{"a":1,"b":[{}]}"#).unwrap().len(), 2);
        for bad in [r#"{"sub":"a","sub":"b"}"#, "[]", "1", "", "{}x", r#"{"a":1"#] {
            assert_eq!(parse(bad.as_bytes()), Err(JoseError::NotAnObject), "{bad}");
        }
    }
}

//! JSON in which no object names a member twice, nothing nests too deep, and no text holds a NUL.
//!
//! `serde_json` keeps the last of two equal names. Whoever reads the first one would then read something else
//! than what was consented to, so such text is no authorization detail at all, nor anything else that is believed
//! (RFC 7519 §4, RFC 8259 §4).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Parses `text`, refusing repeated names, nesting beyond `depth`, and NULs, at which some readers stop.
///
/// # Errors
/// What is wrong, and where.
pub fn parse(text: &str, depth: usize) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { depth }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        without_nul(value).map(Value::from)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            without_nul(&name)?;
            let value = access.next_value_seed(inner)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is named twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

fn without_nul<E: serde::de::Error>(text: &str) -> Result<&str, E> {
    if text.contains('\0') { Err(E::custom("text holds a NUL")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_named_twice_is_refused_at_any_depth() {
        assert!(parse(r#"{"a":1,"a":2}"#, 8).is_err());
        assert!(parse(r#"[{"a":{"b":1,"b":1}}]"#, 8).is_err());
        assert!(parse(r#"[{"a":{"b":1,"c":[null,true,-1,1.5,"x"]}}]"#, 8).is_ok());
    }

    #[test]
    fn no_name_and_no_value_holds_a_nul() {
        assert!(parse(r#"[{"a":"b\u0000c"}]"#, 8).is_err());
        assert!(parse(r#"[{"a\u0000":1}]"#, 8).is_err());
        assert!(parse(r#"[{"a":"b\u0001c"}]"#, 8).is_ok());
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(parse(&("[".repeat(8) + &"]".repeat(8)), 8).is_ok());
        assert!(parse(&("[".repeat(9) + &"]".repeat(9)), 8).is_err());
    }
}

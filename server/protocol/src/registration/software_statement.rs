//! Software statements (RFC 7591 §2.3): metadata that somebody trusted has signed.

use serde_json::{Map, Value};

use super::RegistrationRefused;
use crate::numeric_date::NumericDate;

/// Claims of the statement itself (RFC 7519 §4.1), which say nothing of the client.
const OF_ITSELF: [&str; 8] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "software_statement"];

/// Who says that he issued a statement, before anybody proved it: good for finding the key.
///
/// # Errors
/// [`RegistrationRefused::InvalidStatement`].
pub fn unverified_issuer(claims: &Map<String, Value>) -> Result<&str, RegistrationRefused> {
    claims.get("iss").and_then(Value::as_str).ok_or(RegistrationRefused::InvalidStatement)
}

/// Lays the verified claims of a statement over the members that the client sent: they win (RFC 7591 §3.1.1).
///
/// # Errors
/// [`RegistrationRefused::InvalidStatement`] where it is over or not yet begun.
pub fn lay_over(
    document: &mut Map<String, Value>,
    claims: Map<String, Value>,
    now: NumericDate,
) -> Result<(), RegistrationRefused> {
    let date = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_i64().map(NumericDate).map(Some).ok_or(RegistrationRefused::InvalidStatement),
    };
    if date("exp")?.is_some_and(|end| end.is_over(now)) || date("nbf")?.is_some_and(|begin| begin > now) {
        return Err(RegistrationRefused::InvalidStatement);
    }
    document.extend(claims.into_iter().filter(|(name, _)| !OF_ITSELF.contains(&name.as_str())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_a_statement_says_wins_over_what_the_client_says() {
        let mut document = object(json!({"client_name": "mine", "client_uri": "https://c.example"}));
        let claims = object(json!({"iss": "x", "client_name": "theirs", "exp": 10, "nbf": 5}));
        lay_over(&mut document, claims, NumericDate(5)).unwrap();
        assert_eq!(
            Value::Object(document),
            json!({"client_name": "theirs", "client_uri": "https://c.example"})
        );
    }

    #[test]
    fn a_statement_has_its_time() {
        for (claims, now) in [
            (json!({"exp": 10}), 10),
            (json!({"nbf": 11}), 10),
            (json!({"exp": "x"}), 0),
            (json!({"nbf": null}), 0),
        ] {
            let refused = lay_over(&mut Map::new(), object(claims), NumericDate(now));
            assert_eq!(refused, Err(RegistrationRefused::InvalidStatement));
        }
    }
}

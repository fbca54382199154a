//! What a verified `id_token_hint` says. Its signature was checked elsewhere; that it is over is no matter
//! (RP-Initiated Logout §2).

use serde_json::{Map, Value};

use crate::identifier::ClientId;

/// An ID token of ours, as a hint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hint {
    /// `aud`: the client that it was made for.
    pub client: ClientId,
    /// `sub`, as that client knows the user.
    pub sub: String,
    /// `sid`, as that client knows the session.
    pub sid: Option<String>,
}

impl Hint {
    /// Reads the claims of a token that this server signed. `None` where it is no ID token: without `sub`, of another
    /// issuer, or for anybody but one client.
    #[must_use]
    pub fn of(claims: &Map<String, Value>, issuer: &str) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(issuer) {
            return None;
        }
        let client = match claims.get("aud")? {
            Value::String(one) => one.as_str(),
            Value::Array(list) => match list.as_slice() {
                [one] => one.as_str()?,
                _ => return None,
            },
            _ => return None,
        };
        Some(Self {
            client: client.parse().ok()?,
            sub: text("sub")?.to_owned(),
            sid: text("sid").map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://as.example";

    fn read(claims: Value) -> Option<Hint> {
        Hint::of(claims.as_object().unwrap(), ISSUER)
    }

    #[test]
    fn an_id_token_that_is_over_is_a_hint() {
        let hint = Hint { client: "web".parse().unwrap(), sub: "u".into(), sid: Some("s".into()) };
        let claims = json!({"iss": ISSUER, "aud": "web", "sub": "u", "sid": "s", "exp": 1});
        assert_eq!(read(claims), Some(hint.clone()));
        let without_sid = json!({"iss": ISSUER, "aud": ["web"], "sub": "u"});
        assert_eq!(read(without_sid), Some(Hint { sid: None, ..hint }));
    }

    #[test]
    fn what_is_no_id_token_of_this_issuer_for_one_client_is_no_hint() {
        for claims in [
            json!({"iss": "https://other.example", "aud": "web", "sub": "u"}),
            json!({"aud": "web", "sub": "u"}),
            json!({"iss": ISSUER, "sub": "u"}),
            json!({"iss": ISSUER, "aud": ["web", "app"], "sub": "u"}),
            json!({"iss": ISSUER, "aud": [], "sub": "u"}),
            json!({"iss": ISSUER, "aud": "", "sub": "u"}),
            json!({"iss": ISSUER, "aud": 1, "sub": "u"}),
            json!({"iss": ISSUER, "aud": "web"}),
            json!({"iss": ISSUER, "aud": "web", "sub": 5}),
        ] {
            assert_eq!(read(claims.clone()), None, "{claims}");
        }
    }
}

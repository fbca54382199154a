//! What userinfo tells about a user (OpenID Connect Core §5.3, §5.4): `sub`, and the claims of the scopes granted.

use serde_json::{Map, Value};

use crate::scope::Scope;
use crate::user::User;

/// The scopes that OpenID Connect defines (OpenID Connect Core §3.1.2.1, §5.4, §11), for discovery.
pub const OPENID_SCOPES: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// The claims that each scope asks for (OpenID Connect Core §5.4).
pub const CLAIMS_BY_SCOPE: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// The claims of `user` that `scope` lets out. Claims that are null or empty are left out, and so is whatever the
/// account holds beyond the claims of OpenID Connect.
#[must_use]
pub fn userinfo(user: &User, scope: &Scope) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), user.id.as_str().into());
    let granted = CLAIMS_BY_SCOPE.into_iter().filter(|(word, _)| scope.contains(word));
    for name in granted.flat_map(|(_, names)| names) {
        if let Some(value) = claim(user, name).filter(says_something) {
            claims.insert((*name).to_owned(), value);
        }
    }
    claims
}

/// A claim of the account; its name and username stand in where the claims do not say it.
fn claim(user: &User, name: &str) -> Option<Value> {
    let of_account = || match name {
        "name" => Some(user.name.as_str().into()),
        "preferred_username" => Some(user.username.as_str().into()),
        _ => None,
    };
    user.claims.get(name).cloned().or_else(of_account)
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(claims: Value, scope: &str) -> Value {
        let user = json!({"id": "u", "username": "alice", "name": "Alice", "password_hash": "hush", "claims": claims});
        Value::Object(userinfo(&serde_json::from_value(user).unwrap(), &scope.parse().unwrap()))
    }

    #[test]
    fn without_a_scope_for_claims_there_is_only_sub() {
        assert_eq!(told(json!({"email": "a@example.com"}), "openid orders:read"), json!({"sub": "u"}));
    }

    #[test]
    fn each_scope_lets_out_its_own_claims() {
        let claims = json!({
            "email": "a@example.com", "email_verified": false, "phone_number": "+1", "address": {"country": "IT"},
            "given_name": "A", "salary": 1
        });
        assert_eq!(
            told(claims.clone(), "openid email"),
            json!({"sub": "u", "email": "a@example.com", "email_verified": false})
        );
        assert_eq!(told(claims.clone(), "phone"), json!({"sub": "u", "phone_number": "+1"}));
        assert_eq!(told(claims.clone(), "address"), json!({"sub": "u", "address": {"country": "IT"}}));
        assert_eq!(
            told(claims, "profile"),
            json!({"sub": "u", "name": "Alice", "given_name": "A", "preferred_username": "alice"})
        );
    }

    #[test]
    fn null_and_empty_claims_are_left_out() {
        let claims = json!({"email": "", "phone_number": null, "address": {}, "website": []});
        assert_eq!(told(claims, "email phone address"), json!({"sub": "u"}));
    }

    #[test]
    fn no_claim_of_the_account_can_stand_for_sub() {
        assert_eq!(told(json!({"sub": "other"}), "profile")["sub"], "u");
    }
}

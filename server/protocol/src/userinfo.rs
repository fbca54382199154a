//! What is told about a user (OpenID Connect Core §5.3, §5.4, §5.5): the claims of the scopes granted at userinfo,
//! and single claims where they were asked for by name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::claims_request::Wanted;
use crate::identifier::ClientId;
use crate::scope::Scope;
use crate::standard_claims::{self, BY_SCOPE};
use crate::user::User;

/// The scopes that OpenID Connect defines (OpenID Connect Core §3.1.2.1, §5.4, §11), for discovery.
pub const OPENID_SCOPES: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// The answer of userinfo: `sub` as the client knows the user, the claims of `user` that `scope` lets out, and those
/// that were `asked` for by name. Claims that are null, empty or not of their type are left out, and so is whatever
/// the account holds beyond the claims of OpenID Connect.
#[must_use]
pub fn userinfo(
    user: &User,
    subject: &str,
    scope: &Scope,
    asked: &BTreeMap<String, Wanted>,
) -> Map<String, Value> {
    let granted = BY_SCOPE.into_iter().filter(|(word, _)| scope.contains(word));
    let mut claims: Map<String, Value> = granted
        .flat_map(|(_, names)| names)
        .filter_map(|name| Some(((*name).to_owned(), claim(user, name)?)))
        .collect();
    claims.extend(by_name(user, asked));
    claims.insert("sub".to_owned(), subject.into());
    claims
}

/// The claims of `user` that were `asked` for by name, where their values are among those the client takes.
#[must_use]
pub fn by_name(user: &User, asked: &BTreeMap<String, Wanted>) -> Map<String, Value> {
    let told = asked.iter().filter_map(|(name, wanted)| {
        let value = claim(user, name).filter(|value| wanted.takes(value))?;
        Some((name.clone(), value))
    });
    told.collect()
}

/// The claims of a userinfo response that is signed: it says who speaks, and to whom (OpenID Connect Core §5.3.2).
#[must_use]
pub fn signed(mut claims: Map<String, Value>, issuer: &str, client: &ClientId) -> Map<String, Value> {
    claims.insert("iss".to_owned(), issuer.into());
    claims.insert("aud".to_owned(), client.as_str().into());
    claims
}

/// A claim of the account; its name and username stand in where the claims do not say it.
fn claim(user: &User, name: &str) -> Option<Value> {
    let of_account = || match name {
        "name" => standard_claims::told(name, &user.name.as_str().into()),
        "preferred_username" => standard_claims::told(name, &user.username.as_str().into()),
        _ => None,
    };
    user.claims.get(name).and_then(|value| standard_claims::told(name, value)).or_else(of_account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims_request::ClaimsRequest;
    use serde_json::json;

    fn user(claims: Value) -> User {
        let user = json!({"id": "u", "username": "alice", "name": "Alice", "password_hash": "hush", "claims": claims});
        serde_json::from_value(user).unwrap()
    }

    fn told_asked(claims: Value, scope: &str, asked: &Value) -> Value {
        let asked = ClaimsRequest::parse(&asked.to_string()).unwrap();
        Value::Object(userinfo(&user(claims), "the subject", &scope.parse().unwrap(), &asked.userinfo))
    }

    fn told(claims: Value, scope: &str) -> Value {
        told_asked(claims, scope, &json!({}))
    }

    #[test]
    fn without_a_scope_for_claims_there_is_only_sub() {
        assert_eq!(
            told(json!({"email": "a@example.com"}), "openid orders:read"),
            json!({"sub": "the subject"})
        );
    }

    #[test]
    fn each_scope_lets_out_its_own_claims() {
        let claims = json!({
            "email": "a@example.com", "email_verified": false, "phone_number": "+1", "address": {"country": "IT"},
            "given_name": "A", "salary": 1
        });
        let sub = "the subject";
        assert_eq!(
            told(claims.clone(), "openid email"),
            json!({"sub": sub, "email": "a@example.com", "email_verified": false})
        );
        assert_eq!(told(claims.clone(), "phone"), json!({"sub": sub, "phone_number": "+1"}));
        assert_eq!(told(claims.clone(), "address"), json!({"sub": sub, "address": {"country": "IT"}}));
        assert_eq!(
            told(claims, "profile"),
            json!({"sub": sub, "name": "Alice", "given_name": "A", "preferred_username": "alice"})
        );
    }

    #[test]
    fn null_and_empty_claims_are_left_out() {
        let claims = json!({"email": "", "phone_number": null, "address": {}, "website": []});
        assert_eq!(told(claims, "email phone address profile")["sub"], "the subject");
        assert_eq!(told(json!({"email": "", "address": {}}), "email address"), json!({"sub": "the subject"}));
    }

    #[test]
    fn no_claim_of_the_account_can_stand_for_sub() {
        let asked = json!({"userinfo": {"sub": null}});
        assert_eq!(told_asked(json!({"sub": "other"}), "profile", &asked)["sub"], "the subject");
    }

    #[test]
    fn a_claim_asked_for_by_name_is_told_if_its_value_is_taken() {
        let claims =
            json!({"email": "a@example.com", "locale": "de", "name#de": "Alice auf Deutsch", "salary": 1});
        let asked = json!({"userinfo": {
            "email": {"value": "a@example.com"}, "locale": {"values": ["en", "fr"]}, "name#de": null,
            "name#fr": null, "salary": null
        }});
        assert_eq!(
            told_asked(claims, "openid", &asked),
            json!({"sub": "the subject", "email": "a@example.com", "name#de": "Alice auf Deutsch"})
        );
    }

    #[test]
    fn a_signed_answer_says_who_speaks_and_to_whom() {
        let told = signed(Map::new(), "https://as.example", &"c".parse().unwrap());
        assert_eq!(Value::Object(told), json!({"iss": "https://as.example", "aud": "c"}));
    }
}

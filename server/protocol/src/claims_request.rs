//! The `claims` parameter (OpenID Connect Core §5.5): single claims, asked for by name, for userinfo or for the ID
//! token.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::refusal::{ErrorCode, Refuse};
use crate::scope::Scope;
use crate::standard_claims;
use crate::strict_json;

/// The most claims that are asked for in one place.
const MOST_CLAIMS: usize = 64;
/// The most values of one claim.
const MOST_VALUES: usize = 16;
/// The longest name of a claim, in bytes.
const LONGEST_NAME: usize = 100;
/// The longest parameter, in bytes.
const LONGEST: usize = 8192;
/// How deep the JSON may nest.
const DEEPEST: usize = 8;

/// Which claims are asked for, and where.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// At userinfo.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, Wanted>,
    /// In the ID token.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, Wanted>,
}

/// How a claim is asked for (OpenID Connect Core §5.5.1).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// Whether the client cannot do without.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// What it must be one of, in the order they are liked; none where anything will do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

/// The parameter is no such JSON, or too much of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("claims must be a JSON object as in OpenID Connect Core 5.5, of at most 8 KiB")]
pub struct InvalidClaims;

impl Refuse for InvalidClaims {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

impl Wanted {
    /// Whether `value` is one that the client takes.
    #[must_use]
    pub fn takes(&self, value: &Value) -> bool {
        self.values.is_empty() || self.values.contains(value)
    }

    /// The values that are texts.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

impl ClaimsRequest {
    /// Reads the parameter. Members that are not understood are passed over, at the top and within a claim.
    ///
    /// # Errors
    /// [`InvalidClaims`].
    pub fn parse(text: &str) -> Result<Self, InvalidClaims> {
        if text.len() > LONGEST {
            return Err(InvalidClaims);
        }
        let parsed = strict_json::parse(text, DEEPEST).map_err(|_| InvalidClaims)?;
        let members = parsed.as_object().ok_or(InvalidClaims)?;
        Ok(Self { userinfo: place(members, "userinfo")?, id_token: place(members, "id_token")? })
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// Who the user must be, where the client says so (OpenID Connect Core §5.5.1): the values of `sub`, in either
    /// place.
    pub fn subjects(&self) -> impl Iterator<Item = &Wanted> {
        [&self.id_token, &self.userinfo].into_iter().filter_map(|place| place.get("sub"))
    }

    /// How `acr` is asked for (OpenID Connect Core §5.5.1.1).
    #[must_use]
    pub fn acr(&self) -> Option<&Wanted> {
        self.id_token.get("acr").or_else(|| self.userinfo.get("acr"))
    }

    /// What of this a client with this registered scope may ask about a user: the claims of its scope words.
    #[must_use]
    pub fn about_user(&self, registered: &Scope) -> Self {
        self.only(|name| standard_claims::scope_of(name).is_some_and(|word| registered.contains(word)))
    }

    /// The claims with a name that `fits`; language tags play no part in it.
    #[must_use]
    pub fn only(&self, fits: impl Fn(&str) -> bool) -> Self {
        let only = |place: &BTreeMap<String, Wanted>| {
            let fitting = place.iter().filter(|(name, _)| fits(standard_claims::without_language(name)));
            fitting.map(|(name, wanted)| (name.clone(), wanted.clone())).collect()
        };
        Self { userinfo: only(&self.userinfo), id_token: only(&self.id_token) }
    }

    /// The names of the claims, in both places, without their language tags.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        let all = self.userinfo.keys().chain(self.id_token.keys());
        all.map(|name| standard_claims::without_language(name).to_owned()).collect()
    }
}

fn place(members: &Map<String, Value>, name: &str) -> Result<BTreeMap<String, Wanted>, InvalidClaims> {
    let asked = match members.get(name) {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(asked)) => asked,
        Some(_) => return Err(InvalidClaims),
    };
    if asked.len() > MOST_CLAIMS || asked.keys().any(|name| name.len() > LONGEST_NAME) {
        return Err(InvalidClaims);
    }
    asked.iter().map(|(name, how)| Ok((name.clone(), wanted(how)?))).collect()
}

fn wanted(how: &Value) -> Result<Wanted, InvalidClaims> {
    let members = match how {
        Value::Null => return Ok(Wanted::default()),
        Value::Object(members) => members,
        _ => return Err(InvalidClaims),
    };
    let essential = match members.get("essential") {
        None | Some(Value::Null) => false,
        Some(flag) => flag.as_bool().ok_or(InvalidClaims)?,
    };
    let mut values: Vec<Value> = members.get("value").cloned().into_iter().collect();
    match members.get("values") {
        None | Some(Value::Null) => {}
        Some(Value::Array(more)) => values.extend(more.iter().cloned()),
        Some(_) => return Err(InvalidClaims),
    }
    values.retain(|value| !value.is_null());
    if values.len() > MOST_VALUES { Err(InvalidClaims) } else { Ok(Wanted { essential, values }) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> ClaimsRequest {
        ClaimsRequest::parse(&value.to_string()).unwrap()
    }

    #[test]
    fn claims_are_asked_for_by_name_in_two_places() {
        let read = parse(&json!({
            "userinfo": {"given_name": {"essential": true}, "nickname": null, "name": {"zz": 1}},
            "id_token": {"auth_time": {"essential": true}, "acr": {"values": ["a", "b"]}, "sub": {"value": "u"}},
            "zz": {"x": 1}
        }));
        assert!(read.userinfo["given_name"].essential);
        assert_eq!(read.userinfo["nickname"], Wanted::default());
        assert_eq!(read.userinfo["name"], Wanted::default());
        assert_eq!(read.acr().unwrap().texts(), ["a", "b"]);
        assert_eq!(read.subjects().map(|wanted| wanted.texts()).collect::<Vec<_>>(), [["u"]]);
        let stored = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<ClaimsRequest>(&stored).unwrap(), read);
        assert_eq!(serde_json::from_str::<ClaimsRequest>("{}").unwrap(), ClaimsRequest::default());
    }

    #[test]
    fn what_is_no_such_json_is_refused() {
        let many: Map<_, _> = (0..=MOST_CLAIMS).map(|i| (i.to_string(), Value::Null)).collect();
        for bad in [
            "x".to_owned(),
            "[]".into(),
            "1".into(),
            r#"{"userinfo":[]}"#.into(),
            r#"{"id_token":{"a":1}}"#.into(),
            r#"{"id_token":{"a":{"essential":"yes"}}}"#.into(),
            r#"{"id_token":{"a":{"values":"x"}}}"#.into(),
            r#"{"id_token":{"a":null,"a":null}}"#.into(),
            json!({"userinfo": many}).to_string(),
            json!({"userinfo": {"a": {"values": vec![0; MOST_VALUES + 1]}}}).to_string(),
            json!({"userinfo": {"a".repeat(LONGEST_NAME + 1): null}}).to_string(),
            json!({"zz": "x".repeat(LONGEST)}).to_string(),
        ] {
            assert_eq!(ClaimsRequest::parse(&bad), Err(InvalidClaims), "{bad}");
        }
    }

    #[test]
    fn a_value_is_taken_if_it_is_one_of_those_asked_for_or_none_was() {
        let any = Wanted::default();
        let one = Wanted { essential: false, values: vec![json!("a"), json!(true)] };
        assert!(any.takes(&json!("x")));
        assert!(one.takes(&json!("a")) && one.takes(&json!(true)));
        assert!(!one.takes(&json!("b")) && !one.takes(&json!(false)));
    }

    #[test]
    fn a_client_asks_only_for_what_its_registered_scope_holds() {
        let asked = parse(&json!({
            "userinfo": {"email": null, "phone_number": null, "name#de": null, "salary": null},
            "id_token": {"name": null, "acr": null}
        }));
        let permitted = asked.about_user(&"openid profile email".parse().unwrap());
        assert_eq!(permitted.userinfo.keys().collect::<Vec<_>>(), ["email", "name#de"]);
        assert_eq!(permitted.names(), ["email", "name"].map(str::to_owned).into());
        assert!(asked.about_user(&"openid".parse().unwrap()).is_empty());
    }
}

//! The authorization response (RFC 6749 §4.1.2, §4.1.2.1): its parameters, and the JWT that they travel in (JARM).

use serde_json::{Map, Value};

use crate::identifier::ClientId;
use crate::numeric_date::{NumericDate, Seconds};
use crate::refusal::Refusal;

/// How long a signed response counts (JARM §2.1 recommends ten minutes at most).
pub const LIFE: Seconds = Seconds::minutes(5);

/// The parameters of a response, without `iss`, which each mode tells in its own way. One of them may be a code, so
/// they do not print.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationResponse(Vec<(&'static str, String)>);

impl AuthorizationResponse {
    /// The answer that says yes.
    #[must_use]
    pub fn granted(code: &str, state: Option<&str>) -> Self {
        Self(vec![("code", code.to_owned())]).with_state(state)
    }

    /// The answer that says no.
    #[must_use]
    pub fn refused(refusal: &Refusal, state: Option<&str>) -> Self {
        let error = ("error", refusal.code.as_str().to_owned());
        Self(vec![error, ("error_description", refusal.description.clone().into_owned())]).with_state(state)
    }

    /// With one more parameter, such as `session_state` (OpenID Connect Session Management §2).
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    fn with_state(self, state: Option<&str>) -> Self {
        match state {
            Some(state) => self.with("state", state),
            None => self,
        }
    }

    /// As plain parameters, with `iss` (RFC 9207 §2).
    #[must_use]
    pub fn plain<'a>(&'a self, issuer: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut plain: Vec<_> = self.0.iter().map(|(name, value)| (*name, value.as_str())).collect();
        plain.push(("iss", issuer));
        plain
    }

    /// As the claims of a JWT for `client` (JARM §2.1). `iss` stands in there and nowhere else (RFC 9207 §2.4).
    #[must_use]
    pub fn claims(&self, issuer: &str, client: &ClientId, now: NumericDate) -> Map<String, Value> {
        let mut claims: Map<String, Value> =
            self.0.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        claims.insert("iss".to_owned(), issuer.into());
        claims.insert("aud".to_owned(), client.as_str().into());
        claims.insert("exp".to_owned(), now.plus(LIFE).0.into());
        claims
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::refusal::ErrorCode;

    const ISSUER: &str = "https://as.example";

    fn claims(response: &AuthorizationResponse) -> Value {
        Value::Object(response.claims(ISSUER, &"c".parse().unwrap(), NumericDate(1000)))
    }

    #[test]
    fn a_plain_response_names_the_issuer_and_a_signed_one_says_for_whom_and_until_when() {
        let granted = AuthorizationResponse::granted("the code", Some("s"));
        let plain = [("code", "the code"), ("state", "s"), ("iss", ISSUER)];
        assert_eq!(granted.plain(ISSUER), plain);
        assert_eq!(
            claims(&granted),
            json!({"code": "the code", "state": "s", "iss": ISSUER, "aud": "c", "exp": 1300})
        );
    }

    #[test]
    fn an_error_is_told_like_a_code_and_without_a_state_there_is_none() {
        let refused =
            AuthorizationResponse::refused(&Refusal::new(ErrorCode::AccessDenied, "the user said no"), None);
        let told = [("error", "access_denied"), ("error_description", "the user said no"), ("iss", ISSUER)];
        assert_eq!(refused.plain(ISSUER), told);
        assert_eq!(
            claims(&refused),
            json!({
                "error": "access_denied", "error_description": "the user said no",
                "iss": ISSUER, "aud": "c", "exp": 1300
            })
        );
    }
}

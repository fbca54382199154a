//! A signed backchannel authentication request (Client-Initiated Backchannel Authentication §7.1.1): the parameters as
//! claims of a JWT, in `request`, and nothing else beside it.

use serde_json::{Map, Value};

use crate::identifier::ClientId;
use crate::numeric_date::{NumericDate, Seconds};
use crate::params::Params;
use crate::presented::CREDENTIAL_PARAMETERS;
use crate::refusal::{ErrorCode, Refuse};
use crate::unverified_claims::{FURTHEST_AHEAD, WrongType, date, jti_fits, text};

/// How long after its `exp` a request still counts, because clocks differ.
const SKEW: Seconds = Seconds(10);
/// The claims that say who speaks to whom and when, and are no parameters.
const FRAME: [&str; 7] = ["iss", "aud", "exp", "iat", "nbf", "jti", "sub"];

/// The parameters of a signed request. They count once its signature is found to be the client's, and its `jti` never
/// seen before. Only [`SignedRequest::check`] makes one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedRequest {
    /// The parameters.
    pub params: Params,
    /// `jti`, to be remembered for this client.
    pub jti: String,
    /// Until when the `jti` must be remembered.
    pub expires_at: NumericDate,
}

/// What the caller knows.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The authenticated client.
    pub client: &'a ClientId,
    /// Our issuer identifier.
    pub issuer: &'a str,
    /// The longest a request may live, and the oldest it may be.
    pub life: Seconds,
    /// Now.
    pub now: NumericDate,
}

/// Why a signed request was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignedRequestRefused {
    /// A parameter beside `request`.
    #[error("with request, send no other parameters than those that authenticate the client")]
    NotAlone,
    /// A `typ` that says it is something else.
    #[error("typ of request must be oauth-authz-req+jwt, JWT or absent")]
    Type,
    /// Not the client that authenticated.
    #[error("iss of request must be the client_id")]
    Issuer,
    /// Not for us.
    #[error("aud of request must be or contain the issuer identifier")]
    Audience,
    /// One of the claims that are REQUIRED (CIBA §7.1.1).
    #[error("request needs {0}")]
    Missing(&'static str),
    /// `exp` has passed.
    #[error("request has expired")]
    Expired,
    /// From `nbf` to `exp` it is too long.
    #[error("request lives too long: exp may lie at most an hour after nbf")]
    LivesTooLong,
    /// `nbf` lies too far back.
    #[error("request is too old: nbf may lie at most an hour back")]
    TooOld,
    /// `iat` or `nbf` lies in the future.
    #[error("iat or nbf of request lies in the future; check the clock")]
    FromTheFuture,
    /// A claim is of a JSON type that its parameter does not have.
    #[error("a claim of request has the wrong JSON type")]
    Claims,
}

impl Refuse for SignedRequestRefused {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

impl From<WrongType> for SignedRequestRefused {
    fn from(_: WrongType) -> Self {
        Self::Claims
    }
}

/// Checks that beside `request` there is nothing but what says who is calling (CIBA §7.1.1): an unsigned parameter
/// must not pass for a signed one.
///
/// # Errors
/// [`SignedRequestRefused::NotAlone`].
pub fn check_alone(params: &Params) -> Result<(), SignedRequestRefused> {
    let beside = params.without(&CREDENTIAL_PARAMETERS).without(&["request", "client_id"]);
    let beside: Vec<(String, String)> = beside.into();
    let known = |name: &str| {
        const PARAMETERS: [&str; 14] = [
            "scope",
            "client_notification_token",
            "acr_values",
            "login_hint_token",
            "id_token_hint",
            "login_hint",
            "binding_message",
            "user_code",
            "requested_expiry",
            "authorization_details",
            "resource",
            "requested_actor",
            "request_uri",
            "request_context",
        ];
        PARAMETERS.contains(&name)
    };
    if beside.iter().any(|(name, _)| known(name)) { Err(SignedRequestRefused::NotAlone) } else { Ok(()) }
}

impl SignedRequest {
    /// Checks header and claims: what it is, who speaks, to whom, and when.
    ///
    /// # Errors
    /// [`SignedRequestRefused`] with the first question that it fails.
    pub fn check(
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
        expected: Expected<'_>,
    ) -> Result<Self, SignedRequestRefused> {
        check_type(header)?;
        if text(claims, "iss")?.ok_or(SignedRequestRefused::Missing("iss"))? != expected.client.as_str() {
            return Err(SignedRequestRefused::Issuer);
        }
        check_audience(claims, expected.issuer)?;
        let expires_at = check_times(claims, expected)?;
        let jti = text(claims, "jti")?.filter(|jti| jti_fits(jti));
        let jti = jti.ok_or(SignedRequestRefused::Missing("a jti of 1 to 256 bytes"))?;
        Ok(Self { params: params(claims)?, jti: jti.to_owned(), expires_at: expires_at.plus(SKEW) })
    }
}

/// A client assertion, a proof or a token is no request (RFC 8725 §3.11).
fn check_type(header: &Map<String, Value>) -> Result<(), SignedRequestRefused> {
    let known =
        |typ: &str| typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("oauth-authz-req+jwt");
    match text(header, "typ") {
        Ok(None) => Ok(()),
        Ok(Some(typ)) if known(typ) => Ok(()),
        _ => Err(SignedRequestRefused::Type),
    }
}

fn check_audience(claims: &Map<String, Value>, issuer: &str) -> Result<(), SignedRequestRefused> {
    let fits = match claims.get("aud").ok_or(SignedRequestRefused::Missing("aud"))? {
        Value::String(aud) => aud == issuer,
        Value::Array(all) => all.iter().any(|aud| aud.as_str() == Some(issuer)),
        _ => false,
    };
    if fits { Ok(()) } else { Err(SignedRequestRefused::Audience) }
}

fn check_times(
    claims: &Map<String, Value>,
    expected: Expected<'_>,
) -> Result<NumericDate, SignedRequestRefused> {
    let required = |name: &'static str| date(claims, name)?.ok_or(SignedRequestRefused::Missing(name));
    let (exp, iat, nbf) = (required("exp")?, required("iat")?, required("nbf")?);
    let Expected { now, life, .. } = expected;
    if exp.plus(SKEW).is_over(now) {
        return Err(SignedRequestRefused::Expired);
    }
    if iat.since(now) > FURTHEST_AHEAD || nbf.since(now) > FURTHEST_AHEAD {
        return Err(SignedRequestRefused::FromTheFuture);
    }
    if exp.since(nbf) > life {
        return Err(SignedRequestRefused::LivesTooLong);
    }
    if now.since(nbf) > life {
        return Err(SignedRequestRefused::TooOld);
    }
    Ok(exp)
}

/// The claims as parameters. Numbers stand for their digits, and what is JSON anyway for its text (RFC 9396 §3).
fn params(claims: &Map<String, Value>) -> Result<Params, SignedRequestRefused> {
    let mut pairs = Vec::new();
    for (name, value) in claims.iter().filter(|(name, _)| !FRAME.contains(&name.as_str())) {
        let mut put = |text: String| pairs.push((name.clone(), text));
        match (name.as_str(), value) {
            (_, Value::String(text)) => put(text.clone()),
            (_, Value::Number(number)) => put(number.to_string()),
            ("authorization_details", Value::Array(_)) => put(value.to_string()),
            ("resource", Value::Array(all)) => {
                for one in all {
                    put(one.as_str().ok_or(SignedRequestRefused::Claims)?.to_owned());
                }
            }
            // FAPI-CIBA §5.2.4: what the client knows of the circumstances; nothing is decided by it.
            ("request_context", Value::Object(_)) => {}
            _ => return Err(SignedRequestRefused::Claims),
        }
    }
    // A NUL is no text for us, nor is it in a form.
    let clean = pairs.iter().all(|(name, value)| !name.contains('\0') && !value.contains('\0'));
    clean.then(|| Params::try_from(pairs).ok()).flatten().ok_or(SignedRequestRefused::Claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_000_000;
    const ISSUER: &str = "https://as.example";

    fn checked(change: impl FnOnce(&mut Map<String, Value>)) -> Result<SignedRequest, SignedRequestRefused> {
        let mut claims =
            json!({"iss": "c", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "nbf": NOW, "jti": "1",
            "scope": "openid", "login_hint": "alice"})
            .as_object()
            .cloned()
            .unwrap();
        change(&mut claims);
        let client = "c".parse().unwrap();
        let now = NumericDate(NOW);
        let expected = Expected { client: &client, issuer: ISSUER, life: Seconds::minutes(60), now };
        SignedRequest::check(&Map::new(), &claims, expected)
    }

    fn with(name: &str, value: Value) -> Result<SignedRequest, SignedRequestRefused> {
        checked(|claims| drop(claims.insert(name.into(), value)))
    }

    #[test]
    fn each_claim_of_the_frame_is_required() {
        assert!(checked(|_| {}).is_ok());
        for name in ["iss", "aud", "exp", "iat", "nbf", "jti"] {
            let refused = checked(|claims| drop(claims.remove(name))).unwrap_err();
            assert!(matches!(refused, SignedRequestRefused::Missing(_)), "{name}: {refused}");
            assert_eq!(refused.code(), ErrorCode::InvalidRequest);
        }
    }

    #[test]
    fn it_is_from_the_client_and_for_us() {
        assert_eq!(with("iss", json!("d")).unwrap_err(), SignedRequestRefused::Issuer);
        for fine in [json!(ISSUER), json!(["x", ISSUER])] {
            assert!(with("aud", fine).is_ok());
        }
        for bad in [json!("https://other.example"), json!([]), json!({"a": ISSUER}), json!([[ISSUER]])] {
            assert_eq!(with("aud", bad).unwrap_err(), SignedRequestRefused::Audience);
        }
    }

    #[test]
    fn it_lives_at_most_an_hour_and_is_at_most_an_hour_old() {
        let window = |nbf: i64, exp: i64| {
            let set = |claims: &mut Map<String, Value>| {
                claims.insert("nbf".into(), json!(NOW + nbf));
                claims.insert("exp".into(), json!(NOW + exp));
            };
            checked(set).map(|_| ())
        };
        assert_eq!(window(0, 3600), Ok(()));
        assert_eq!(window(-3600, 0), Ok(()));
        assert_eq!(window(0, 3601), Err(SignedRequestRefused::LivesTooLong));
        assert_eq!(window(-3602, -9), Err(SignedRequestRefused::TooOld));
        assert_eq!(window(-4000, 60), Err(SignedRequestRefused::LivesTooLong));
        assert_eq!(window(-60, -10), Err(SignedRequestRefused::Expired));
        assert_eq!(window(61, 70), Err(SignedRequestRefused::FromTheFuture));
        assert_eq!(with("iat", json!(NOW + 61)).unwrap_err(), SignedRequestRefused::FromTheFuture);
        assert_eq!(with("exp", json!("1")).unwrap_err(), SignedRequestRefused::Claims);
    }

    #[test]
    fn numbers_and_lists_become_the_parameters_they_stand_for() {
        let one = |name: &'static str, value: Value| {
            let read = with(name, value).unwrap().params;
            read.every(name).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(one("requested_expiry", json!(30)), ["30"]);
        assert_eq!(one("requested_expiry", json!("30")), ["30"]);
        assert_eq!(one("resource", json!(["urn:a", "urn:b"])), ["urn:a", "urn:b"]);
        assert_eq!(one("authorization_details", json!([{"type": "x"}])), [r#"[{"type":"x"}]"#]);
        assert!(one("request_context", json!({"a": 1})).is_empty());
        for bad in [json!(true), json!({}), json!(["a"]), json!(null)] {
            assert_eq!(with("scope", bad).unwrap_err(), SignedRequestRefused::Claims);
        }
        assert_eq!(with("login_hint", json!("a\0")).unwrap_err(), SignedRequestRefused::Claims);
    }

    #[test]
    fn what_frames_the_request_is_no_parameter_of_it() {
        let params = checked(|_| {}).unwrap().params;
        for name in FRAME {
            assert_eq!(params.every(name).count(), 0, "{name}");
        }
        assert_eq!(params.once("login_hint"), Ok(Some("alice")));
    }

    #[test]
    fn nothing_that_is_asked_stands_beside_a_signed_request() {
        let beside = |form: &str| check_alone(&Params::parse(form.as_bytes()).unwrap());
        assert_eq!(beside("request=a.b.c&client_id=c&client_assertion=x&client_assertion_type=y"), Ok(()));
        for form in ["request=x&scope=openid", "request=x&login_hint=a", "request=x&binding_message=b"] {
            assert_eq!(beside(form), Err(SignedRequestRefused::NotAlone), "{form}");
        }
    }

    #[test]
    fn a_jwt_of_another_kind_is_no_request() {
        let typ = |typ: &str| check_type(json!({ "typ": typ }).as_object().unwrap());
        assert_eq!(typ("oauth-authz-req+jwt"), Ok(()));
        for bad in ["dpop+jwt", "at+jwt", "client-authentication+jwt", ""] {
            assert_eq!(typ(bad), Err(SignedRequestRefused::Type), "{bad}");
        }
    }
}

//! A JWT with which a client proves who it is: `private_key_jwt` (RFC 7523 §2.2, §3, OpenID Connect Core §9), with
//! the audience as its revision demands it.
//!
//! Nothing here depends on which clients exist. So the claims are checked before the client is looked up, and what
//! is refused here tells nobody whether there is such a client.

use serde_json::{Map, Value};

use crate::identifier::ClientId;
use crate::numeric_date::{NumericDate, Seconds};
use crate::refusal::{ErrorCode, Refuse};
use crate::unverified_claims::{FURTHEST_AHEAD, WrongType, date, jti_fits, text};

/// `client_assertion_type` (RFC 7523 §2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long after its `exp` an assertion still counts, because clocks differ.
const SKEW: Seconds = Seconds(10);
/// The furthest `exp` from now, by the clock of a client that is as far ahead as one may be.
const LONGEST_LIFE: Seconds = Seconds(3600);

/// What the caller knows.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Our issuer identifier.
    pub issuer: &'a str,
    /// The URLs of our endpoints that are an audience too, where the client's profile has it so. With none, the
    /// issuer identifier as a string is the only audience there is.
    pub endpoints: &'a [&'a str],
    /// Now.
    pub now: NumericDate,
}

/// What the claims of an assertion say. They are in order; the client is proven once the signature is found to be
/// of one of its keys, and the `jti` never seen before. Only [`check`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Assertion {
    /// `iss` and `sub`.
    pub client: ClientId,
    /// `jti`, to be remembered for this client.
    pub jti: String,
    /// Until when the `jti` must be remembered.
    pub expires_at: NumericDate,
}

/// Why an assertion was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AssertionRefused {
    /// A `typ` that says it is something else.
    #[error("typ of client_assertion must be client-authentication+jwt, JWT or absent")]
    Type,
    /// `iss` or `sub` missing, different, or not an identifier.
    #[error(
        "iss and sub of client_assertion must both be the client_id; the token of a platform needs client_id beside it"
    )]
    Client,
    /// Not what the client's profile has as audience.
    #[error("aud of client_assertion must be the issuer identifier, as one string")]
    Audience,
    /// `exp` is missing.
    #[error("client_assertion needs exp")]
    NoExpiry,
    /// `exp` has passed.
    #[error("client_assertion has expired")]
    Expired,
    /// `exp` lies too far ahead.
    #[error("exp of client_assertion must lie at most one hour ahead")]
    LivesTooLong,
    /// `iat` or `nbf` lies in the future.
    #[error("iat or nbf of client_assertion lies in the future; check the clock")]
    FromTheFuture,
    /// `jti` is missing, empty or too long.
    #[error("client_assertion needs a jti of 1 to 256 bytes")]
    Jti,
    /// A claim is of the wrong JSON type.
    #[error("a claim of client_assertion has the wrong JSON type")]
    Claims,
}

impl Refuse for AssertionRefused {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidClient
    }
}

impl From<WrongType> for AssertionRefused {
    fn from(_: WrongType) -> Self {
        Self::Claims
    }
}

/// Whom an assertion claims to be from, so that the right keys can be tried: `iss` and `sub`, which are the same.
///
/// # Errors
/// [`AssertionRefused::Client`] where they are not.
pub fn unverified_client(claims: &Map<String, Value>) -> Result<ClientId, AssertionRefused> {
    let sub = text(claims, "sub")?.ok_or(AssertionRefused::Client)?;
    if text(claims, "iss")? != Some(sub) {
        return Err(AssertionRefused::Client);
    }
    sub.parse().map_err(|_| AssertionRefused::Client)
}

/// Checks header and claims (RFC 7523 §3): what it is, who speaks, to whom, and when.
///
/// # Errors
/// [`AssertionRefused`] with the first question that it fails.
pub fn check(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    expected: Expected<'_>,
) -> Result<Assertion, AssertionRefused> {
    check_type(header)?;
    let client = unverified_client(claims)?;
    check_audience(claims.get("aud"), expected)?;
    let expires_at = check_times(claims, expected.now)?;
    let jti = text(claims, "jti")?.filter(|jti| jti_fits(jti)).ok_or(AssertionRefused::Jti)?;
    Ok(Assertion { client, jti: jti.to_owned(), expires_at: expires_at.plus(SKEW) })
}

/// The issuer identifier as a string. Where endpoints are an audience too, one of them or a list, but of nobody else:
/// an assertion for several servers could be used by each of them at the others.
fn check_audience(aud: Option<&Value>, expected: Expected<'_>) -> Result<(), AssertionRefused> {
    let ours = |aud: &Value| {
        aud.as_str().is_some_and(|aud| aud == expected.issuer || expected.endpoints.contains(&aud))
    };
    let fits = match aud {
        Some(Value::Array(all)) => !expected.endpoints.is_empty() && !all.is_empty() && all.iter().all(ours),
        Some(one) => ours(one),
        None => false,
    };
    if fits { Ok(()) } else { Err(AssertionRefused::Audience) }
}

/// No `typ`, or one for this use; a proof, a token or a request object is no credential (RFC 8725 §3.11).
fn check_type(header: &Map<String, Value>) -> Result<(), AssertionRefused> {
    let known =
        |typ: &str| typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("client-authentication+jwt");
    match text(header, "typ") {
        Ok(None) => Ok(()),
        Ok(Some(typ)) if known(typ) => Ok(()),
        _ => Err(AssertionRefused::Type),
    }
}

fn check_times(claims: &Map<String, Value>, now: NumericDate) -> Result<NumericDate, AssertionRefused> {
    let expires_at = date(claims, "exp")?.ok_or(AssertionRefused::NoExpiry)?;
    if expires_at.plus(SKEW).is_over(now) {
        return Err(AssertionRefused::Expired);
    }
    if expires_at.since(now.plus(FURTHEST_AHEAD)) > LONGEST_LIFE {
        return Err(AssertionRefused::LivesTooLong);
    }
    for name in ["iat", "nbf"] {
        if date(claims, name)?.is_some_and(|moment| moment.since(now) > FURTHEST_AHEAD) {
            return Err(AssertionRefused::FromTheFuture);
        }
    }
    Ok(expires_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_000_000;
    const ISSUER: &str = "https://as.example";

    fn with(name: &str, value: Value) -> Result<Assertion, AssertionRefused> {
        let mut claims =
            json!({"iss": "c", "sub": "c", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "1", "x": {}});
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
        check(
            &Map::new(),
            claims.as_object().unwrap(),
            Expected { issuer: ISSUER, endpoints: &[], now: NumericDate(NOW) },
        )
    }

    #[test]
    fn an_assertion_in_order_names_client_and_jti() {
        let assertion = with("y", json!(1)).unwrap();
        assert_eq!((assertion.client.as_str(), assertion.jti.as_str()), ("c", "1"));
        assert_eq!(assertion.expires_at, NumericDate(NOW + 70));
    }

    #[test]
    fn iss_and_sub_are_both_the_client() {
        for name in ["iss", "sub"] {
            for bad in [json!(null), json!("d"), json!("")] {
                assert_eq!(with(name, bad), Err(AssertionRefused::Client), "{name}");
            }
            assert_eq!(with(name, json!(["c"])), Err(AssertionRefused::Claims), "{name}");
        }
    }

    #[test]
    fn the_audience_is_the_issuer_alone_as_a_string() {
        for bad in [
            json!(null),
            json!([ISSUER]),
            json!([ISSUER, "https://other.example"]),
            json!("https://as.example/"),
            json!("https://as.example/token"),
            json!("https://as.example/par"),
            json!("HTTPS://as.example"),
        ] {
            assert_eq!(with("aud", bad.clone()), Err(AssertionRefused::Audience), "{bad}");
        }
    }

    #[test]
    fn where_endpoints_are_an_audience_a_list_of_ours_is_and_a_list_with_others_is_not() {
        let with = |aud: Value| {
            let claims = json!({"iss": "c", "sub": "c", "aud": aud, "exp": NOW + 60, "jti": "1"});
            let endpoints = &["https://as.example/token", "https://as.example/par"];
            let expected = Expected { issuer: ISSUER, endpoints, now: NumericDate(NOW) };
            check(&Map::new(), claims.as_object().unwrap(), expected).map(|_| ())
        };
        for fine in [
            json!(ISSUER),
            json!("https://as.example/token"),
            json!("https://as.example/par"),
            json!(["https://as.example/token"]),
            json!([ISSUER, "https://as.example/token"]),
        ] {
            assert_eq!(with(fine.clone()), Ok(()), "{fine}");
        }
        for bad in [
            json!(null),
            json!([]),
            json!("https://as.example/"),
            json!("https://as.example/revoke"),
            json!([ISSUER, "https://other.example"]),
            json!([ISSUER, 1]),
            json!([[ISSUER]]),
        ] {
            assert_eq!(with(bad.clone()), Err(AssertionRefused::Audience), "{bad}");
        }
    }

    #[test]
    fn an_assertion_lives_at_most_an_hour_by_the_clients_clock_and_ten_seconds_beyond_its_end() {
        let at = |seconds: i64| with("exp", json!(NOW + seconds)).map(|_| ());
        for fine in [-9, 0, 60, 3600, 3660] {
            assert_eq!(at(fine), Ok(()), "{fine}");
        }
        assert_eq!(at(-10), Err(AssertionRefused::Expired));
        assert_eq!(at(3661), Err(AssertionRefused::LivesTooLong));
        assert_eq!(with("exp", json!(null)), Err(AssertionRefused::NoExpiry));
        assert_eq!(with("exp", json!("1")), Err(AssertionRefused::Claims));
    }

    #[test]
    fn iat_and_nbf_may_lie_a_minute_ahead() {
        for name in ["iat", "nbf"] {
            assert!(with(name, json!(null)).is_ok(), "{name}");
            for fine in [-5000, 10, 60] {
                assert!(with(name, json!(NOW + fine)).is_ok(), "{name} {fine}");
            }
            assert_eq!(with(name, json!(NOW + 61)), Err(AssertionRefused::FromTheFuture), "{name}");
        }
    }

    #[test]
    fn a_jti_is_required_and_bounded() {
        assert!(with("jti", "x".repeat(256).into()).is_ok());
        for bad in [json!(null), json!(""), json!("x".repeat(257))] {
            assert_eq!(with("jti", bad), Err(AssertionRefused::Jti));
        }
    }

    #[test]
    fn a_jwt_of_another_kind_is_no_assertion() {
        let claims = json!({"iss": "c", "sub": "c", "aud": ISSUER, "exp": NOW + 60, "jti": "1"});
        let expected = Expected { issuer: ISSUER, endpoints: &[], now: NumericDate(NOW) };
        let typ = |typ: Value| {
            let header = json!({ "typ": typ });
            check(header.as_object().unwrap(), claims.as_object().unwrap(), expected).map(|_| ())
        };
        for fine in ["JWT", "jwt", "client-authentication+jwt"] {
            assert_eq!(typ(fine.into()), Ok(()), "{fine}");
        }
        for bad in [json!("dpop+jwt"), json!("at+jwt"), json!("oauth-authz-req+jwt"), json!(""), json!(1)] {
            assert_eq!(typ(bad.clone()), Err(AssertionRefused::Type), "{bad}");
        }
    }
}

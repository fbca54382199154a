//! The questions that a JWT of somebody whom the operator trusts is asked, one by one.

use serde_json::{Map, Value};

use super::{AUTHORIZATION_GRANT, Expected, GrantRefused, ID_JAG, SKEW};
use crate::audience::Resources;
use crate::authorization_details::AuthorizationDetails;
use crate::confirmation::{Confirmation, Held};
use crate::numeric_date::NumericDate;
use crate::token::Login;
use crate::trusted_issuer::{Purpose, Said, TrustedIssuer};
use crate::unverified_claims::{FURTHEST_AHEAD, date, jti_fits, text};

/// The longest name of a subject, in bytes.
const LONGEST_SUBJECT: usize = 256;
/// The longest `acr` and word of `amr`, in bytes.
const LONGEST_WORD: usize = 255;
/// The most words of `amr`.
const MOST_METHODS: usize = 20;

/// `auth_time`, `acr` and `amr` (OpenID Connect Core §2), as far as it speaks of them.
pub(super) fn login(claims: &Map<String, Value>, now: NumericDate) -> Result<Option<Login>, GrantRefused> {
    let auth_time = date(claims, "auth_time")?;
    if auth_time.is_some_and(|moment| moment.since(now) > FURTHEST_AHEAD) {
        return Err(GrantRefused::FromTheFuture);
    }
    let fits = |word: &&str| (1..=LONGEST_WORD).contains(&word.len());
    let word = |value: &Value| value.as_str().filter(fits).map(str::to_owned).ok_or(GrantRefused::Claims);
    let acr = claims.get("acr").map(word).transpose()?;
    let amr = match claims.get("amr") {
        None => Vec::new(),
        Some(Value::Array(all)) if all.len() <= MOST_METHODS => {
            all.iter().map(word).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(GrantRefused::Claims),
    };
    let said = auth_time.is_some() || acr.is_some() || !amr.is_empty();
    Ok(said.then(|| Login { auth_time: auth_time.unwrap_or(NumericDate(0)), acr, amr }))
}

/// An identity assertion says so; for the others there is no `typ`, or one for this use. Any other kind of JWT is none
/// of them (RFC 8725 §3.11).
pub(super) fn check_type(header: &Map<String, Value>, purpose: Purpose) -> Result<(), GrantRefused> {
    let known: &[&str] = match purpose {
        Purpose::IdentityAssertions => &[ID_JAG],
        Purpose::AuthorizationGrants => &["JWT", AUTHORIZATION_GRANT],
        Purpose::SubjectTokens => &["JWT", "at+jwt"],
    };
    match text(header, "typ") {
        Ok(None) if purpose != Purpose::IdentityAssertions => Ok(()),
        Ok(Some(typ)) if known.iter().any(|known| typ.eq_ignore_ascii_case(known)) => Ok(()),
        _ => Err(GrantRefused::Type),
    }
}

/// Where it comes once, or is a grant, it has a name to be known by.
pub(super) fn jti<'a>(
    claims: &'a Map<String, Value>,
    trusted: &TrustedIssuer,
    purpose: Purpose,
) -> Result<Option<&'a str>, GrantRefused> {
    let named = text(claims, "jti")?.filter(|jti| jti_fits(jti));
    match (named, trusted.single_use) {
        (Some(_), false) => Ok(None),
        (None, false) if purpose == Purpose::SubjectTokens && !claims.contains_key("jti") => Ok(None),
        (Some(jti), true) => Ok(Some(jti)),
        (None, _) => Err(GrantRefused::Jti),
    }
}

/// An identity assertion names its client; what another one says of it must be true.
pub(super) fn check_client(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), GrantRefused> {
    match (text(claims, "client_id")?, expected.purpose) {
        // The client of a token from elsewhere is a name there.
        (_, Purpose::SubjectTokens) | (None, Purpose::AuthorizationGrants) => Ok(()),
        (Some(named), _) if named == expected.client.as_str() => Ok(()),
        _ => Err(GrantRefused::Client),
    }
}

pub(super) fn said(claims: &Map<String, Value>) -> Result<Said, GrantRefused> {
    let scope = text(claims, "scope")?.map(|scope| scope.parse().map_err(|_| GrantRefused::Claims));
    let details = claims
        .get("authorization_details")
        .map(|details| AuthorizationDetails::parse(&details.to_string()).map_err(|_| GrantRefused::Claims));
    let one = |value: &Value| value.as_str().and_then(|uri| uri.parse().ok()).ok_or(GrantRefused::Claims);
    let resources = match claims.get("resource") {
        None => None,
        Some(Value::Array(all)) => Some(all.iter().map(one).collect::<Result<Resources, _>>()?),
        Some(uri) => Some(Resources::from([one(uri)?])),
    };
    Ok(Said { scope: scope.transpose()?, details: details.transpose()?, resources })
}

/// What it is bound to, by a key or a certificate; there is no other binding that could be proven here.
pub(super) fn cnf(claims: &Map<String, Value>, held: &Held) -> Result<Option<Confirmation>, GrantRefused> {
    let Some(cnf) = claims.get("cnf") else { return Ok(None) };
    let cnf: Confirmation = serde_json::from_value(cnf.clone()).map_err(|_| GrantRefused::KeyNotProven)?;
    if held.proves(&cnf) { Ok(Some(cnf)) } else { Err(GrantRefused::KeyNotProven) }
}

/// Us, and nobody beside us: an assertion for several servers could be carried from one to the other. A grant may name
/// us by our token endpoint (rfc7523bis §4), and a subject token may be addressed to whoever is written down.
pub(super) fn check_audience(
    claims: &Map<String, Value>,
    trusted: &TrustedIssuer,
    expected: &Expected<'_>,
) -> Result<(), GrantRefused> {
    let fits = |aud: &str| match expected.purpose {
        Purpose::IdentityAssertions => aud == expected.issuer,
        Purpose::SubjectTokens if !trusted.audiences.is_empty() => trusted.audiences.contains(aud),
        Purpose::AuthorizationGrants | Purpose::SubjectTokens => {
            aud == expected.issuer || aud == expected.token_endpoint
        }
    };
    let aud = match claims.get("aud") {
        Some(Value::String(aud)) => Some(aud.as_str()),
        Some(Value::Array(all)) if all.len() == 1 => all[0].as_str(),
        _ => None,
    };
    match expected.purpose {
        _ if aud.is_some_and(fits) => Ok(()),
        Purpose::IdentityAssertions => Err(GrantRefused::AudienceOfIdentityAssertion),
        Purpose::AuthorizationGrants | Purpose::SubjectTokens => Err(GrantRefused::Audience),
    }
}

pub(super) fn check_times(
    claims: &Map<String, Value>,
    trusted: &TrustedIssuer,
    expected: &Expected<'_>,
) -> Result<NumericDate, GrantRefused> {
    let now = expected.now;
    let expires_at = date(claims, "exp")?.ok_or(GrantRefused::NoExpiry)?;
    if expires_at.plus(SKEW).is_over(now) {
        return Err(GrantRefused::Expired);
    }
    if expires_at.since(now) > trusted.max_life {
        return Err(GrantRefused::LivesTooLong);
    }
    let (issued_at, not_before) = (date(claims, "iat")?, date(claims, "nbf")?);
    if issued_at.is_none() && expected.purpose == Purpose::IdentityAssertions {
        return Err(GrantRefused::NoIssuance);
    }
    if [issued_at, not_before].into_iter().flatten().any(|moment| moment.since(now) > FURTHEST_AHEAD) {
        return Err(GrantRefused::FromTheFuture);
    }
    if issued_at.is_some_and(|issued_at| expires_at.since(issued_at) > trusted.max_life) {
        return Err(GrantRefused::LivesTooLong);
    }
    Ok(expires_at)
}

pub(super) fn subject<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, GrantRefused> {
    let named = text(claims, name)?.filter(|named| (1..=LONGEST_SUBJECT).contains(&named.len()));
    named.ok_or(GrantRefused::Subject)
}

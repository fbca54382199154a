//! A JWT of somebody whom the operator trusts: as an authorization grant (RFC 7521 §4.1, RFC 7523 §2.1, §3), as an
//! identity assertion (Identity Assertion JWT Authorization Grant §4.4), or as a subject token (RFC 8693 §2.1).
//!
//! What it says is checked once its signature is; what it may bring is the least of what it says, of what is trusted to
//! its issuer and of what the client is registered for.

mod questions;

use serde_json::{Map, Value};

use questions::{check_audience, check_client, check_times, check_type, cnf, jti, login, said, subject};

use crate::actor::{self, Chain};
use crate::confirmation::{Confirmation, Held};
use crate::identifier::ClientId;
use crate::numeric_date::{NumericDate, Seconds};
use crate::refusal::{ErrorCode, Refuse};
use crate::token::Login;
use crate::trusted_issuer::{LocalName, Purpose, Said, SubjectRule, TrustedIssuer};
use crate::unverified_claims::{WrongType, text};

/// The `typ` of an Identity Assertion JWT Authorization Grant.
pub const ID_JAG: &str = "oauth-id-jag+jwt";
/// The `typ` of a JWT authorization grant (rfc7523bis §4).
pub const AUTHORIZATION_GRANT: &str = "authorization-grant+jwt";
/// How long after its `exp` an assertion still counts, because clocks differ.
const SKEW: Seconds = Seconds(10);

/// What the caller knows.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// What it is presented as.
    pub purpose: Purpose,
    /// Our issuer identifier.
    pub issuer: &'a str,
    /// The URL of the token endpoint: the other way to name us.
    pub token_endpoint: &'a str,
    /// Who presents it.
    pub client: &'a ClientId,
    /// What they proved to hold.
    pub held: &'a Held,
    /// Now.
    pub now: NumericDate,
}

/// What an assertion says. Only [`check`] makes one.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Grant {
    /// The user it speaks of, if the rule makes one of ours of it.
    pub user: Option<LocalName>,
    /// `jti`, to be remembered for this issuer; none where it may come again.
    pub jti: Option<String>,
    /// Until when the `jti` must be remembered.
    pub remember_until: NumericDate,
    /// `exp`.
    pub expires_at: NumericDate,
    /// How much it says is allowed.
    pub said: Said,
    /// `cnf`, which was proven.
    pub cnf: Option<Confirmation>,
    /// `act`: who acts there.
    pub brought: Chain,
    /// What a grant says of the login there; where it does not say when that was, it was long ago.
    pub login: Option<Login>,
}

/// Why an assertion is no grant (RFC 7523 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GrantRefused {
    /// Not a JWT of a trusted issuer for this client, or not of its key, or of nobody here: one answer for all of it.
    #[error("the assertion is not one that this server accepts from this client")]
    NotAccepted,
    /// A `typ` that says it is something else.
    #[error("typ of the assertion must be authorization-grant+jwt, JWT or absent")]
    Type,
    /// Not this server, or not this server alone.
    #[error(
        "aud of the assertion must be this server's issuer identifier, or its token endpoint, and nothing else"
    )]
    Audience,
    /// Not this server's issuer identifier, or not that alone (Identity Assertion JWT Authorization Grant §4.4).
    #[error("aud of the identity assertion must be this server's issuer identifier and nothing else")]
    AudienceOfIdentityAssertion,
    /// The claim that names the subject is missing, empty or too long.
    #[error("the assertion needs a subject of 1 to 256 bytes")]
    Subject,
    /// An e-mail address that nobody vouches for.
    #[error("the assertion names its subject by an e-mail address that it does not say to be verified")]
    UnverifiedEmail,
    /// `exp` is missing.
    #[error("the assertion needs exp")]
    NoExpiry,
    /// `iat` of an identity assertion is missing.
    #[error("the assertion needs iat")]
    NoIssuance,
    /// `exp` has passed.
    #[error("the assertion has expired")]
    Expired,
    /// It lives longer than this issuer's may.
    #[error("the assertion lives longer than is accepted of its issuer")]
    LivesTooLong,
    /// `iat`, `nbf` or `auth_time` lies in the future.
    #[error("iat, nbf or auth_time of the assertion lies in the future; check the clock")]
    FromTheFuture,
    /// `jti` is missing, empty or too long.
    #[error("the assertion needs a jti of 1 to 256 bytes")]
    Jti,
    /// It was presented before.
    #[error("the assertion was used before; get a new one for each request")]
    Replayed,
    /// It was made for another client.
    #[error("client_id of the assertion must be the authenticated client")]
    Client,
    /// It says nothing of what is allowed, which does not mean everything.
    #[error("the assertion needs scope or authorization_details")]
    NothingAllowed,
    /// It is bound to something that the client did not prove to hold.
    #[error("the assertion is bound to a key or a certificate; prove that you hold it")]
    KeyNotProven,
    /// Its `act` is malformed, or names actors that its issuer cannot speak for.
    #[error("act of the assertion is not one that its issuer can speak of")]
    Actor,
    /// A claim is of the wrong JSON type.
    #[error("a claim of the assertion is malformed or has the wrong JSON type")]
    Claims,
}

impl Refuse for GrantRefused {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidGrant
    }
}

impl From<WrongType> for GrantRefused {
    fn from(_: WrongType) -> Self {
        Self::Claims
    }
}

/// Whom an assertion claims to be from, so that the right keys can be tried.
///
/// # Errors
/// [`GrantRefused::NotAccepted`] where it does not say.
pub fn unverified_issuer(claims: &Map<String, Value>) -> Result<&str, GrantRefused> {
    text(claims, "iss")?.ok_or(GrantRefused::NotAccepted)
}

/// What a JWT with this header claims to be, where it is presented as `assertion`.
#[must_use]
pub fn unverified_purpose(header: &Map<String, Value>) -> Purpose {
    let typ = header.get("typ").and_then(Value::as_str).unwrap_or_default();
    if typ.eq_ignore_ascii_case(ID_JAG) { Purpose::IdentityAssertions } else { Purpose::AuthorizationGrants }
}

/// Checks header and claims of an assertion that `trusted` signed (RFC 7523 §3): what it is, to whom, when, of whom it
/// speaks, and for whom.
///
/// # Errors
/// [`GrantRefused`] with the first question that it fails.
pub fn check(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    trusted: &TrustedIssuer,
    expected: &Expected<'_>,
) -> Result<Grant, GrantRefused> {
    check_type(header, expected.purpose)?;
    if text(claims, "iss")? != Some(trusted.issuer.as_str()) || trusted.issuer == expected.issuer {
        return Err(GrantRefused::NotAccepted);
    }
    check_audience(claims, trusted, expected)?;
    let expires_at = check_times(claims, trusted, expected)?;
    let jti = jti(claims, trusted, expected.purpose)?;
    // RFC 7523 §3: there is always a `sub`, also where another claim names the user.
    subject(claims, "sub")?;
    let named = subject(claims, &trusted.subject_claim)?;
    let by_address = trusted.subject_claim == "email" || trusted.subjects == SubjectRule::Email;
    if by_address && claims.get("email_verified") != Some(&Value::Bool(true)) {
        return Err(GrantRefused::UnverifiedEmail);
    }
    // Its names are unique within a tenant only: one that has tenants is believed for those that are written down.
    if !trusted.conditions_hold(claims)
        || (claims.contains_key("tenant") && !trusted.conditions.contains_key("tenant"))
    {
        return Err(GrantRefused::NotAccepted);
    }
    check_client(claims, expected)?;
    let said = said(claims)?;
    if expected.purpose == Purpose::IdentityAssertions && !said.names_something() {
        return Err(GrantRefused::NothingAllowed);
    }
    let brought = match claims.get("act") {
        Some(act) => actor::brought(act, &trusted.issuer, expected.issuer).ok_or(GrantRefused::Actor)?,
        None => Chain::none(),
    };
    Ok(Grant {
        user: trusted.local_name(named),
        jti: jti.map(str::to_owned),
        remember_until: expires_at.plus(SKEW),
        expires_at,
        said,
        cnf: cnf(claims, expected.held)?,
        brought,
        login: match expected.purpose {
            Purpose::IdentityAssertions | Purpose::AuthorizationGrants => login(claims, expected.now)?,
            // One from elsewhere may mean anything by it.
            Purpose::SubjectTokens => None,
        },
    })
}

#[cfg(test)]
mod tests;

//! Workload identity: a platform says which of its workloads a program is, and a client or agent is declared to be
//! whatever workload fits its conditions. So it needs no secret of its own (RFC 7521 §4.2, RFC 7523 §2.2).
//!
//! An issuer that is trusted here speaks for workloads and for nobody else: never for a user.

pub mod attestation;
pub mod condition;
mod overlap;
pub mod spiffe;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::SigningAlg;
use crate::identifier::InstanceId;
use crate::numeric_date::{NumericDate, Seconds};
use crate::unverified_claims::{FURTHEST_AHEAD, WrongType, date, jti_fits, text};

pub use condition::{Condition, Glob, NotAGlob};

/// How long after its `exp` a token still counts, because clocks differ.
const SKEW: Seconds = Seconds(10);

/// A platform whose word about workloads is taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkloadIssuer {
    /// `iss`, compared as a string.
    pub issuer: String,
    /// The algorithms it signs with.
    pub signing_algs: BTreeSet<SigningAlg>,
    /// The oldest its tokens may be, by their `iat`.
    pub max_age: Seconds,
    /// Whether each of its tokens is taken once, by its `jti`.
    pub single_use: bool,
    /// The claim that tells the instances of one workload apart, where there is one.
    pub instance_claim: Option<String>,
}

/// Which workload a client is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WorkloadIdentity {
    /// The platform's `iss`.
    pub issuer: String,
    /// What `aud` must be, if it is not our issuer identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// What its claims must be: all of it.
    pub claims: BTreeMap<String, Condition>,
    /// The claim that tells instances apart, where it is another than the platform's usual one; empty, where they are
    /// not told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_claim: Option<String>,
}

/// What the caller knows.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Our issuer identifier.
    pub issuer: &'a str,
    /// Now.
    pub now: NumericDate,
}

/// What a workload proved. Only the checks of this room make one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Workload {
    /// Which instance of the client it is, where the platform tells them apart.
    pub instance: Option<InstanceId>,
    /// The `jti` to be remembered, where a token is taken once.
    pub jti: Option<String>,
    /// When the proof is over.
    pub expires_at: NumericDate,
}

impl Workload {
    /// Until when a `jti` must be remembered: as long as the token counts.
    #[must_use]
    pub const fn remember_until(&self) -> NumericDate {
        self.expires_at.plus(SKEW)
    }
}

/// Why a token is not taken as proof of a workload. Whoever sent it learns nothing of it, since anybody can be a workload
/// of a public platform and ask about clients that are not theirs; the operator reads it in the audit log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WorkloadRefused {
    /// A `typ` that says it is something else.
    #[error("typ of the workload token says that it is something else")]
    Type,
    /// Another issuer than the client's, or one that is not trusted.
    #[error("the workload token is of another issuer than this client's")]
    Issuer,
    /// An algorithm that its issuer does not sign with.
    #[error("the workload token is signed with an algorithm that is not accepted of its issuer")]
    Alg,
    /// No key of the issuer made the signature.
    #[error("the signature of the workload token is of no key of its issuer")]
    Signature,
    /// The keys of the issuer cannot be had, so that nobody knows.
    #[error("the keys of the workload token's issuer cannot be had now")]
    KeysAway,
    /// Not what is expected, or not that alone.
    #[error("aud of the workload token is not the expected audience alone")]
    Audience,
    /// `exp` is missing.
    #[error("the workload token has no exp")]
    NoExpiry,
    /// `exp` has passed.
    #[error("the workload token has expired")]
    Expired,
    /// `iat` is missing.
    #[error("the workload token has no iat")]
    NoIssuedAt,
    /// Older than is accepted of its issuer.
    #[error("the workload token is older than is accepted of its issuer")]
    TooOld,
    /// `iat` or `nbf` lies in the future.
    #[error("iat or nbf of the workload token lies in the future")]
    FromTheFuture,
    /// `jti` is missing, empty or too long.
    #[error("the workload token has no jti of 1 to 256 bytes, and its issuer's are taken once")]
    Jti,
    /// It carries `act`: somebody acts through it, and it speaks not for the workload alone.
    #[error("the workload token carries act")]
    Acts,
    /// A condition does not hold.
    #[error("a claim of the workload token is not what is declared of this client")]
    Condition,
    /// The claim that tells instances apart is missing or no identifier.
    #[error("the claim of the workload token that names its instance is missing, or no identifier")]
    Instance,
    /// No SPIFFE ID, or not one of this client's.
    #[error("the SPIFFE ID is none, or none of this client's")]
    SpiffeId,
    /// The certificate is none that a workload may show.
    #[error("the certificate is no X509-SVID of a workload")]
    Certificate,
    /// A claim is of the wrong JSON type.
    #[error("a claim of the workload token has the wrong JSON type")]
    Claims,
}

impl From<WrongType> for WorkloadRefused {
    fn from(_: WrongType) -> Self {
        Self::Claims
    }
}

impl WorkloadIdentity {
    /// Whether these claims are a workload that the client is. One without conditions would be everybody, and is nobody.
    #[must_use]
    pub fn is(&self, claims: &Map<String, Value>) -> bool {
        let holds = |(name, condition): (&String, &Condition)| condition.fits(condition::find(claims, name));
        !self.claims.is_empty() && self.claims.iter().all(holds)
    }
}

/// Whether a token that claims to be of `claims`' issuer, signed with `alg`, may be one for this client: asked before its
/// issuer's keys are looked for.
///
/// # Errors
/// [`WorkloadRefused`].
pub fn check_issuer(
    claims: &Map<String, Value>,
    alg: SigningAlg,
    trusted: &WorkloadIssuer,
    identity: &WorkloadIdentity,
) -> Result<(), WorkloadRefused> {
    if text(claims, "iss")? != Some(identity.issuer.as_str()) || trusted.issuer != identity.issuer {
        return Err(WorkloadRefused::Issuer);
    }
    if trusted.signing_algs.contains(&alg) { Ok(()) } else { Err(WorkloadRefused::Alg) }
}

/// Checks header and claims, once the signature is: of whom, to whom, when, and whether it is this client.
///
/// # Errors
/// [`WorkloadRefused`] with the first question that it fails.
pub fn check(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    trusted: &WorkloadIssuer,
    identity: &WorkloadIdentity,
    expected: Expected<'_>,
) -> Result<Workload, WorkloadRefused> {
    check_type(header, &["JWT"])?;
    if text(claims, "iss")? != Some(trusted.issuer.as_str()) || trusted.issuer != identity.issuer {
        return Err(WorkloadRefused::Issuer);
    }
    check_audience(claims.get("aud"), identity.audience.as_deref().unwrap_or(expected.issuer))?;
    let expires_at = check_times(claims, expected.now)?;
    let issued_at = date(claims, "iat")?.ok_or(WorkloadRefused::NoIssuedAt)?;
    if expected.now.since(issued_at) > trusted.max_age {
        return Err(WorkloadRefused::TooOld);
    }
    if claims.contains_key("act") {
        return Err(WorkloadRefused::Acts);
    }
    let jti = match trusted.single_use {
        true => {
            Some(text(claims, "jti")?.filter(|jti| jti_fits(jti)).ok_or(WorkloadRefused::Jti)?.to_owned())
        }
        false => None,
    };
    if !identity.is(claims) {
        return Err(WorkloadRefused::Condition);
    }
    let instance = identity.instance_claim.as_ref().or(trusted.instance_claim.as_ref());
    let instance = instance.filter(|name| !name.is_empty());
    let instance = instance.map(|name| instance_in(claims, name)).transpose()?;
    Ok(Workload { instance, jti, expires_at })
}

/// The instance that a claim names: a text, or a whole number as it is written.
fn instance_in(claims: &Map<String, Value>, name: &str) -> Result<InstanceId, WorkloadRefused> {
    let named = match condition::find(claims, name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        _ => return Err(WorkloadRefused::Instance),
    };
    named.parse().map_err(|_| WorkloadRefused::Instance)
}

/// No `typ`, or one that says nothing else (RFC 8725 §3.11).
fn check_type(header: &Map<String, Value>, known: &[&str]) -> Result<(), WorkloadRefused> {
    match text(header, "typ") {
        Ok(None) => Ok(()),
        Ok(Some(typ)) if known.iter().any(|known| typ.eq_ignore_ascii_case(known)) => Ok(()),
        _ => Err(WorkloadRefused::Type),
    }
}

/// The one audience, as a string or as a list of it alone: what is for others too, each of them could use here.
fn check_audience(aud: Option<&Value>, expected: &str) -> Result<(), WorkloadRefused> {
    let fits = match aud {
        Some(Value::Array(all)) => matches!(all.as_slice(), [one] if one == expected),
        Some(one) => one == expected,
        None => false,
    };
    if fits { Ok(()) } else { Err(WorkloadRefused::Audience) }
}

fn check_times(claims: &Map<String, Value>, now: NumericDate) -> Result<NumericDate, WorkloadRefused> {
    let expires_at = date(claims, "exp")?.ok_or(WorkloadRefused::NoExpiry)?;
    if expires_at.plus(SKEW).is_over(now) {
        return Err(WorkloadRefused::Expired);
    }
    for name in ["iat", "nbf"] {
        if date(claims, name)?.is_some_and(|moment| moment.since(now) > FURTHEST_AHEAD) {
            return Err(WorkloadRefused::FromTheFuture);
        }
    }
    Ok(expires_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_000_000;
    const US: &str = "https://as.example";
    const THEM: &str = "https://platform.example";

    fn trusted() -> WorkloadIssuer {
        WorkloadIssuer {
            issuer: THEM.into(),
            signing_algs: [SigningAlg::Es256].into(),
            max_age: Seconds(600),
            single_use: true,
            instance_claim: Some("run_id".into()),
        }
    }

    fn identity() -> WorkloadIdentity {
        let claims = [("repository".to_owned(), Condition::Equal(json!("acme/app")))];
        WorkloadIdentity { issuer: THEM.into(), audience: None, claims: claims.into(), instance_claim: None }
    }

    fn claims() -> Value {
        json!({"iss": THEM, "sub": "x", "aud": US, "exp": NOW + 60, "iat": NOW, "jti": "1",
               "repository": "acme/app", "run_id": 17})
    }

    fn judge(claims: &Value) -> Result<Workload, WorkloadRefused> {
        let expected = Expected { issuer: US, now: NumericDate(NOW) };
        check(&Map::new(), claims.as_object().unwrap(), &trusted(), &identity(), expected)
    }

    fn with(name: &str, value: Value) -> Result<Workload, WorkloadRefused> {
        let mut all = claims();
        if value.is_null() {
            all.as_object_mut().unwrap().remove(name);
        } else {
            all[name] = value;
        }
        judge(&all)
    }

    #[test]
    fn a_token_in_order_is_the_workload_and_names_its_instance() {
        let workload = judge(&claims()).unwrap();
        assert_eq!(workload.instance.as_ref().unwrap().as_str(), "17");
        assert_eq!((workload.jti.as_deref(), workload.expires_at), (Some("1"), NumericDate(NOW + 60)));
        assert_eq!(workload.remember_until(), NumericDate(NOW + 70));
        assert_eq!(with("aud", json!([US])), Ok(workload));
    }

    #[test]
    fn whatever_is_wrong_with_it_is_refused_for_that() {
        for (name, value, reason) in [
            ("iss", json!("https://platform.example/"), WorkloadRefused::Issuer),
            ("iss", json!(null), WorkloadRefused::Issuer),
            ("aud", json!(null), WorkloadRefused::Audience),
            ("aud", json!([US, "https://other.example"]), WorkloadRefused::Audience),
            ("aud", json!([]), WorkloadRefused::Audience),
            ("aud", json!("https://as.example/"), WorkloadRefused::Audience),
            ("exp", json!(null), WorkloadRefused::NoExpiry),
            ("exp", json!(NOW - 10), WorkloadRefused::Expired),
            ("exp", json!("soon"), WorkloadRefused::Claims),
            ("iat", json!(null), WorkloadRefused::NoIssuedAt),
            ("iat", json!(NOW - 601), WorkloadRefused::TooOld),
            ("iat", json!(NOW + 61), WorkloadRefused::FromTheFuture),
            ("nbf", json!(NOW + 61), WorkloadRefused::FromTheFuture),
            ("act", json!({"sub": "x"}), WorkloadRefused::Acts),
            ("jti", json!(null), WorkloadRefused::Jti),
            ("jti", json!("x".repeat(257)), WorkloadRefused::Jti),
            ("repository", json!("acme/other"), WorkloadRefused::Condition),
            ("repository", json!(null), WorkloadRefused::Condition),
            ("repository", json!(["acme/app"]), WorkloadRefused::Condition),
            ("run_id", json!(null), WorkloadRefused::Instance),
            ("run_id", json!("1 7"), WorkloadRefused::Instance),
            ("run_id", json!(-1), WorkloadRefused::Instance),
        ] {
            assert_eq!(with(name, value.clone()), Err(reason), "{name} {value}");
        }
        assert!(with("exp", json!(NOW - 9)).is_ok() && with("iat", json!(NOW - 600)).is_ok());
    }

    #[test]
    fn a_client_may_have_its_instances_told_apart_by_another_claim_or_not_at_all() {
        let (mut all, expected) = (claims(), Expected { issuer: US, now: NumericDate(NOW) });
        all["job"] = "j".into();
        let instance = |name: &str| {
            let identity = WorkloadIdentity { instance_claim: Some(name.into()), ..identity() };
            check(&Map::new(), all.as_object().unwrap(), &trusted(), &identity, expected).map(|w| w.instance)
        };
        assert_eq!(instance("job"), Ok(Some("j".parse().unwrap())));
        assert_eq!((instance(""), instance("none")), (Ok(None), Err(WorkloadRefused::Instance)));
    }

    #[test]
    fn a_client_without_conditions_is_nobody() {
        let all = claims();
        let mut identity = identity();
        assert!(identity.is(all.as_object().unwrap()));
        identity.claims.clear();
        assert!(!identity.is(all.as_object().unwrap()));
    }

    #[test]
    fn a_jwt_of_another_kind_is_no_workload_token() {
        let (all, expected) = (claims(), Expected { issuer: US, now: NumericDate(NOW) });
        let typ = |typ: &str| {
            let header = json!({ "typ": typ });
            let header = header.as_object().unwrap();
            check(header, all.as_object().unwrap(), &trusted(), &identity(), expected).map(|_| ())
        };
        assert_eq!((typ("JWT"), typ("jwt")), (Ok(()), Ok(())));
        for bad in ["at+jwt", "dpop+jwt", "wit+jwt", "oauth-client-attestation+jwt", ""] {
            assert_eq!(typ(bad), Err(WorkloadRefused::Type), "{bad}");
        }
    }

    #[test]
    fn issuer_and_algorithm_are_asked_before_any_key() {
        let all = claims();
        let ask = |alg, identity: &WorkloadIdentity| {
            check_issuer(all.as_object().unwrap(), alg, &trusted(), identity)
        };
        assert_eq!(ask(SigningAlg::Es256, &identity()), Ok(()));
        assert_eq!(ask(SigningAlg::Rs256, &identity()), Err(WorkloadRefused::Alg));
        let elsewhere = WorkloadIdentity { issuer: "https://other.example".into(), ..identity() };
        assert_eq!(ask(SigningAlg::Es256, &elsewhere), Err(WorkloadRefused::Issuer));
    }
}

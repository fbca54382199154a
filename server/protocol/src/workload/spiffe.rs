//! SPIFFE: the names of workloads, and the two documents that prove one, a JWT-SVID and an X509-SVID (SPIFFE-ID,
//! JWT-SVID and X509-SVID specifications; OAuth SPIFFE Client Authentication).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Expected, Workload, WorkloadRefused, check_audience, check_times, check_type};
use crate::identifier::InstanceId;
use crate::numeric_date::{NumericDate, Seconds};
use crate::unverified_claims::text;

/// `client_assertion_type` of a JWT-SVID.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";
/// The longest SPIFFE ID, in bytes (SPIFFE-ID §2.3).
const LONGEST_ID: usize = 2048;
/// The longest trust domain name, in bytes (SPIFFE-ID §2.3).
const LONGEST_TRUST_DOMAIN: usize = 255;

/// The name of a trust domain (SPIFFE-ID §2.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrustDomain(Box<str>);

/// The name of a workload: `spiffe://`, a trust domain, and a path (SPIFFE-ID §2).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SpiffeId {
    trust_domain: TrustDomain,
    /// Without the slash in front; empty, where it names the domain itself.
    path: Box<str>,
}

/// A text that names no workload.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotASpiffeId {
    /// Not `spiffe://` and a trust domain.
    #[error(
        "must begin with spiffe:// and a trust domain of small letters, digits, dots, hyphens and underscores"
    )]
    TrustDomain,
    /// A path with a part that is empty, a dot, two dots, or of other characters.
    #[error(
        "the path of a SPIFFE ID has parts of letters, digits, dots, hyphens and underscores, none of them empty"
    )]
    Path,
    /// Too long.
    #[error("a SPIFFE ID has at most 2048 bytes")]
    Length,
    /// A trust domain alone, which is no workload.
    #[error("names a trust domain and no workload in it")]
    NoPath,
}

impl TrustDomain {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TrustDomain {
    type Err = NotASpiffeId;

    fn from_str(name: &str) -> Result<Self, NotASpiffeId> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        if name.is_empty() || name.len() > LONGEST_TRUST_DOMAIN || !name.bytes().all(fits) {
            return Err(NotASpiffeId::TrustDomain);
        }
        Ok(Self(name.into()))
    }
}

impl TryFrom<String> for TrustDomain {
    type Error = NotASpiffeId;

    fn try_from(name: String) -> Result<Self, NotASpiffeId> {
        name.parse()
    }
}

impl From<TrustDomain> for String {
    fn from(name: TrustDomain) -> Self {
        name.0.into()
    }
}

impl SpiffeId {
    /// Whose workload it is.
    #[must_use]
    pub const fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }
}

impl FromStr for SpiffeId {
    type Err = NotASpiffeId;

    fn from_str(text: &str) -> Result<Self, NotASpiffeId> {
        if text.len() > LONGEST_ID {
            return Err(NotASpiffeId::Length);
        }
        let rest = text.strip_prefix("spiffe://").ok_or(NotASpiffeId::TrustDomain)?;
        let (domain, path) = rest.split_once('/').map_or((rest, None), |(domain, path)| (domain, Some(path)));
        let trust_domain = domain.parse()?;
        let Some(path) = path else { return Err(NotASpiffeId::NoPath) };
        if !path.split('/').all(is_segment) {
            return Err(NotASpiffeId::Path);
        }
        Ok(Self { trust_domain, path: path.into() })
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spiffe://{}/{}", self.trust_domain.as_str(), self.path)
    }
}

fn is_segment(segment: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(fits)
}

/// The workloads that a client is (`spiffe_id`): one SPIFFE ID, or with a trailing `/*` every one below it, by whole
/// segments of the path. Each of those is an instance of its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpiffePattern {
    id: SpiffeId,
    below: bool,
}

impl FromStr for SpiffePattern {
    type Err = NotASpiffeId;

    fn from_str(text: &str) -> Result<Self, NotASpiffeId> {
        match text.strip_suffix("/*") {
            Some(above) => Ok(Self { id: above.parse()?, below: true }),
            None => Ok(Self { id: text.parse()?, below: false }),
        }
    }
}

impl TryFrom<String> for SpiffePattern {
    type Error = NotASpiffeId;

    fn try_from(text: String) -> Result<Self, NotASpiffeId> {
        text.parse()
    }
}

impl From<SpiffePattern> for String {
    fn from(pattern: SpiffePattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for SpiffePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.id, if self.below { "/*" } else { "" })
    }
}

impl SpiffePattern {
    /// The one trust domain that its workloads are of.
    #[must_use]
    pub const fn trust_domain(&self) -> &TrustDomain {
        &self.id.trust_domain
    }

    /// Whether the workload is this client.
    #[must_use]
    pub fn fits(&self, id: &SpiffeId) -> bool {
        let same_domain = self.id.trust_domain == id.trust_domain;
        let path = match self.below {
            false => id.path == self.id.path,
            true => id
                .path
                .strip_prefix(&*self.id.path)
                .is_some_and(|rest| rest.len() > 1 && rest.starts_with('/')),
        };
        same_domain && path
    }

    /// Whether what `other` names, or everything below it, lies below this one.
    pub(super) fn reaches(&self, other: &Self) -> bool {
        self.below && (self.fits(&other.id) || (other.below && self.id == other.id))
    }

    /// Which instance of the client the workload is, where there may be several.
    fn instance(&self, id: &SpiffeId) -> Result<Option<InstanceId>, WorkloadRefused> {
        if !self.below {
            return Ok(None);
        }
        id.to_string().parse().map(Some).map_err(|_| WorkloadRefused::Instance)
    }
}

/// Checks header and claims of a JWT-SVID, once its signature is (JWT-SVID §3, §5): for us alone, not over, and this
/// client's. It may be used as long as it lives.
///
/// # Errors
/// [`WorkloadRefused`] with the first question that it fails.
pub fn check_jwt_svid(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    client: &SpiffePattern,
    expected: Expected<'_>,
) -> Result<Workload, WorkloadRefused> {
    check_type(header, &["JWT", "JOSE"])?;
    let id = check_subject(claims, client)?;
    check_audience(claims.get("aud"), expected.issuer)?;
    let expires_at = check_times(claims, expected.now)?;
    if claims.contains_key("act") {
        return Err(WorkloadRefused::Acts);
    }
    Ok(Workload { instance: client.instance(&id)?, jti: None, expires_at })
}

/// The SPIFFE ID in `sub`, if it is this client's: asked before its trust domain's keys are looked for.
///
/// # Errors
/// [`WorkloadRefused::SpiffeId`].
pub fn check_subject(
    claims: &Map<String, Value>,
    client: &SpiffePattern,
) -> Result<SpiffeId, WorkloadRefused> {
    let id = text(claims, "sub")?.and_then(|sub| sub.parse().ok());
    id.filter(|id| client.fits(id)).ok_or(WorkloadRefused::SpiffeId)
}

/// What of a certificate says whose it is and what it may be used for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Svid {
    /// Every `uniformResourceIdentifier` of the subject alternative name.
    pub uris: Vec<String>,
    /// Whether it says that it is an authority (RFC 5280 §4.2.1.9).
    pub is_authority: bool,
    /// Whether it may sign certificates or revocation lists (RFC 5280 §4.2.1.3).
    pub may_issue: bool,
    /// Whether it may sign what is sent (`digitalSignature`).
    pub may_sign: bool,
    /// When it is over.
    pub expires_at: NumericDate,
}

/// Checks a certificate that an authority of the trust domain vouches for (X509-SVID §4, §5): a leaf that may sign and
/// issue nothing, with exactly one URI, a SPIFFE ID of this client's.
///
/// # Errors
/// [`WorkloadRefused`].
pub fn check_x509_svid(svid: &Svid, client: &SpiffePattern) -> Result<Workload, WorkloadRefused> {
    if svid.is_authority || svid.may_issue || !svid.may_sign {
        return Err(WorkloadRefused::Certificate);
    }
    let [uri] = svid.uris.as_slice() else { return Err(WorkloadRefused::Certificate) };
    let id = uri.parse().ok().filter(|id| client.fits(id)).ok_or(WorkloadRefused::SpiffeId)?;
    Ok(Workload { instance: client.instance(&id)?, jti: None, expires_at: svid.expires_at })
}

/// The keys of a trust bundle that sign JWT-SVIDs, as a JWK Set of their own (SPIFFE Trust Domain and Bundle §4.2.1). What
/// is for anything else, or has no name, is left out.
#[must_use]
pub fn jwt_keys(bundle: &Value) -> Value {
    let keys = bundle.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let fit = |key: &&Value| {
        key.get("use").is_some_and(|purpose| purpose == "jwt-svid")
            && key.get("kid").is_some_and(Value::is_string)
    };
    let plain = |key: &Value| {
        let mut key = key.clone();
        if let Some(members) = key.as_object_mut() {
            members.remove("use");
        }
        key
    };
    json!({ "keys": keys.iter().filter(fit).map(plain).collect::<Vec<_>>() })
}

/// How often whoever publishes a trust bundle wants it fetched anew (SPIFFE Trust Domain and Bundle §4.1.2), if that is
/// said and means something.
#[must_use]
pub fn refresh_hint(bundle: &Value) -> Option<Seconds> {
    bundle.get("spiffe_refresh_hint").and_then(Value::as_i64).filter(|hint| *hint > 0).map(Seconds)
}

/// The certificates of the authorities in a trust bundle, as DER (SPIFFE Trust Domain and Bundle §4.2.1, X509-SVID §6).
#[must_use]
pub fn authorities(bundle: &Value) -> Vec<Vec<u8>> {
    let keys = bundle.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let fit = |key: &&Value| key.get("use").is_some_and(|purpose| purpose == "x509-svid");
    let certificate = |key: &Value| {
        let first = key.get("x5c")?.as_array()?.first()?.as_str()?;
        STANDARD.decode(first).ok().filter(|der| !der.is_empty())
    };
    keys.iter().filter(fit).filter_map(certificate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> SpiffePattern {
        text.parse().unwrap()
    }

    fn id(text: &str) -> SpiffeId {
        text.parse().unwrap()
    }

    const NOW: NumericDate = NumericDate(1_000_000);
    const US: &str = "https://as.example";

    #[test]
    fn a_spiffe_id_is_a_trust_domain_and_a_path() {
        for fine in ["spiffe://acme.example/ns/agents/sa/triage", "spiffe://a_b-c.1/A.b-_9"] {
            assert_eq!(id(fine).to_string(), fine);
        }
        for bad in [
            "",
            "spiffe://",
            "spiffe:///a",
            "spiffe://acme.example",
            "spiffe://acme.example/",
            "spiffe://Acme/a",
            "spiffe://acme:8443/a",
            "spiffe://u@acme/a",
            "spiffe://acme/a?b",
            "spiffe://acme/a#b",
            "spiffe://acme//a",
            "spiffe://acme/a/",
            "spiffe://acme/./a",
            "spiffe://acme/a/..",
            "spiffe://acme/a%2fb",
            "SPIFFE://acme/a",
            "https://acme/a",
            "spiffe://acme/*",
        ] {
            assert!(bad.parse::<SpiffeId>().is_err(), "{bad}");
        }
        assert!(format!("spiffe://acme/{}", "x".repeat(2048)).parse::<SpiffeId>().is_err());
        assert!(format!("spiffe://{}/a", "x".repeat(256)).parse::<SpiffeId>().is_err());
    }

    #[test]
    fn a_pattern_fits_by_whole_segments() {
        let below = pattern("spiffe://acme/agent/triage/*");
        assert!(
            below.fits(&id("spiffe://acme/agent/triage/1"))
                && below.fits(&id("spiffe://acme/agent/triage/a/b"))
        );
        for not in
            ["spiffe://acme/agent/triage", "spiffe://acme/agent/triage2/1", "spiffe://acme2/agent/triage/1"]
        {
            assert!(!below.fits(&id(not)), "{not}");
        }
        let one = pattern("spiffe://acme/agent/triage");
        assert!(
            one.fits(&id("spiffe://acme/agent/triage")) && !one.fits(&id("spiffe://acme/agent/triage/1"))
        );
        for bad in ["spiffe://acme/*", "spiffe://acme/a*", "spiffe://*/a", "spiffe://acme/*/a", "*"] {
            assert!(bad.parse::<SpiffePattern>().is_err(), "{bad}");
        }
        assert_eq!(String::from(below), "spiffe://acme/agent/triage/*");
    }

    #[test]
    fn a_jwt_svid_is_for_us_alone_and_of_this_client() {
        let client = pattern("spiffe://acme/agent/*");
        let judge = |name: &str, value: Value| {
            let mut claims = json!({"sub": "spiffe://acme/agent/7", "aud": [US], "exp": NOW.0 + 60});
            claims[name] = value;
            let expected = Expected { issuer: US, now: NOW };
            check_jwt_svid(&Map::new(), claims.as_object().unwrap(), &client, expected)
        };
        let workload = judge("x", json!(1)).unwrap();
        assert_eq!(workload.instance.unwrap().as_str(), "spiffe://acme/agent/7");
        assert_eq!(workload.jti, None);
        for (name, value, reason) in [
            ("sub", json!("spiffe://other/agent/7"), WorkloadRefused::SpiffeId),
            ("sub", json!("spiffe://acme/agent"), WorkloadRefused::SpiffeId),
            ("sub", json!(7), WorkloadRefused::Claims),
            ("aud", json!([US, "x"]), WorkloadRefused::Audience),
            ("exp", json!(NOW.0 - 60), WorkloadRefused::Expired),
            ("exp", json!(null), WorkloadRefused::Claims),
            ("act", json!({}), WorkloadRefused::Acts),
            ("nbf", json!(NOW.0 + 100), WorkloadRefused::FromTheFuture),
        ] {
            assert_eq!(judge(name, value.clone()), Err(reason), "{name} {value}");
        }
    }

    #[test]
    fn an_x509_svid_is_a_leaf_with_one_name() {
        let client = pattern("spiffe://acme/agent");
        let svid = Svid {
            uris: vec!["spiffe://acme/agent".into()],
            is_authority: false,
            may_issue: false,
            may_sign: true,
            expires_at: NOW,
        };
        assert_eq!(check_x509_svid(&svid, &client).unwrap().instance, None);
        let uris =
            |uris: &[&str]| Svid { uris: uris.iter().map(|u| (*u).to_owned()).collect(), ..svid.clone() };
        for (wrong, reason) in [
            (Svid { is_authority: true, ..svid.clone() }, WorkloadRefused::Certificate),
            (Svid { may_issue: true, ..svid.clone() }, WorkloadRefused::Certificate),
            (Svid { may_sign: false, ..svid.clone() }, WorkloadRefused::Certificate),
            (uris(&[]), WorkloadRefused::Certificate),
            (uris(&["spiffe://acme/agent", "https://acme"]), WorkloadRefused::Certificate),
            (uris(&["spiffe://acme/other"]), WorkloadRefused::SpiffeId),
            (uris(&["https://acme/agent"]), WorkloadRefused::SpiffeId),
        ] {
            assert_eq!(check_x509_svid(&wrong, &client), Err(reason), "{wrong:?}");
        }
    }

    #[test]
    fn a_bundle_may_say_how_often_it_is_to_be_fetched() {
        let hint = |hint: Value| refresh_hint(&json!({ "keys": [], "spiffe_refresh_hint": hint }));
        assert_eq!(hint(json!(60)), Some(Seconds(60)));
        for nonsense in [json!(0), json!(-5), json!("60"), json!(null)] {
            assert_eq!(hint(nonsense.clone()), None, "{nonsense}");
        }
        assert_eq!(refresh_hint(&json!({ "keys": [] })), None);
    }

    #[test]
    fn of_a_bundle_each_key_serves_what_it_is_for() {
        let bundle = json!({"spiffe_sequence": 1, "keys": [
            {"use": "jwt-svid", "kid": "a", "kty": "EC"}, {"use": "jwt-svid", "kty": "EC"}, {"use": "sig", "kid": "b"},
            {"use": "x509-svid", "x5c": ["AQI=", "Aw=="]}, {"use": "x509-svid"}, {"use": "jwt-svid", "kid": "c", "x5c": ["AQ=="]}
        ]});
        let kids: Vec<_> =
            jwt_keys(&bundle)["keys"].as_array().unwrap().iter().map(|k| k["kid"].clone()).collect();
        assert_eq!(kids, [json!("a"), json!("c")]);
        assert!(jwt_keys(&bundle)["keys"][0].get("use").is_none());
        assert_eq!(authorities(&bundle), [vec![1, 2]]);
        assert_eq!(jwt_keys(&json!([]))["keys"], json!([]));
    }
}

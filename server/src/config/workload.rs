//! `[[workload_issuers]]`, `[[trust_domains]]` and `[[client_attesters]]`: those whose word about workloads and instances
//! is taken; and what a client says of the workload that it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use protocol::client::{AuthMethod, ClientAuthentication, KeySource, SigningAlg};
use protocol::numeric_date::Seconds;
use protocol::registration::redirect_uris::is_loopback;
use protocol::workload::condition::is_scalar;
use protocol::workload::spiffe::{self, SpiffePattern, TrustDomain};
use protocol::workload::{Condition, WorkloadIdentity, WorkloadIssuer};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::credentials::{WrittenKeys, keys, read_json};
use super::known::Known;
use super::problem::Entry;
use super::written::{Json, some_duration};

/// The most conditions of one client.
const MOST_CONDITIONS: usize = 32;
/// The longest name of a claim.
const LONGEST_NAME: usize = 255;

/// Everybody who vouches for workloads.
#[derive(Clone, Debug, Default)]
pub struct DeclaredPlatforms {
    /// Those who issue tokens to their workloads; without keys, those are found by discovery.
    pub issuers: Vec<(WorkloadIssuer, KeySource)>,
    /// Trust domains, with where their bundles are.
    pub trust_domains: Vec<(TrustDomain, KeySource)>,
    /// Attesters, by their names, with their keys.
    pub attesters: Vec<(String, KeySource)>,
}

/// A platform as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenWorkloadIssuer {
    #[serde(default)]
    preset: Preset,
    #[serde(default)]
    issuer: Option<String>,
    #[serde(default)]
    jwks: Option<Json>,
    #[serde(default)]
    jwks_file: Option<String>,
    #[serde(default)]
    jwks_uri: Option<Url>,
    #[serde(default = "every_alg")]
    signing_algs: BTreeSet<SigningAlg>,
    #[serde(default, deserialize_with = "some_duration")]
    max_age: Option<Seconds>,
    #[serde(default)]
    single_use: Option<bool>,
    #[serde(default)]
    instance_claim: Option<String>,
}

/// What is usual for a kind of platform.
#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Preset {
    #[default]
    Generic,
    Kubernetes,
    GithubActions,
}

/// A trust domain as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTrustDomain {
    name: String,
    #[serde(default)]
    bundle: Option<Json>,
    #[serde(default)]
    bundle_file: Option<String>,
    #[serde(default)]
    bundle_endpoint: Option<Url>,
}

/// An attester as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenAttester {
    name: String,
    #[serde(default)]
    jwks: Option<Json>,
    #[serde(default)]
    jwks_file: Option<String>,
    #[serde(default)]
    jwks_uri: Option<Url>,
}

/// What a client says of the workload that it is, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenWorkload {
    issuer: String,
    #[serde(default)]
    audience: Option<String>,
    claims: BTreeMap<String, Json>,
    #[serde(default)]
    instance_claim: Option<String>,
}

/// What of a client is about the platform that vouches for it.
pub(super) struct WrittenPlatform {
    pub(super) workload: Option<WrittenWorkload>,
    pub(super) spiffe_id: Option<String>,
    pub(super) attester: Option<String>,
}

fn every_alg() -> BTreeSet<SigningAlg> {
    SigningAlg::ALL.into()
}

/// The issuer that a preset of this name speaks of, where there is only one.
pub(super) fn usual_issuer(preset: &str) -> Option<&'static str> {
    (preset == "github_actions").then(|| Preset::GithubActions.issuer())?
}

impl Preset {
    const fn issuer(self) -> Option<&'static str> {
        match self {
            Self::GithubActions => Some("https://token.actions.githubusercontent.com"),
            Self::Generic | Self::Kubernetes => None,
        }
    }

    /// A kubelet renews a token after four fifths of its life, which is an hour unless somebody asked for more; others
    /// issue one when it is needed.
    const fn max_age(self) -> Seconds {
        match self {
            Self::Kubernetes => Seconds::minutes(60),
            Self::Generic | Self::GithubActions => Seconds::minutes(10),
        }
    }

    /// A pod has its token in a file, and shows it as often as it comes.
    const fn single_use(self) -> bool {
        !matches!(self, Self::Kubernetes)
    }

    const fn instance_claim(self) -> Option<&'static str> {
        match self {
            Self::Kubernetes => Some("/kubernetes.io/pod/uid"),
            Self::GithubActions => Some("run_id"),
            Self::Generic => None,
        }
    }
}

impl WrittenWorkloadIssuer {
    pub(super) fn check(self, folder: &Path, mut entry: Entry<'_>) -> Option<(WorkloadIssuer, KeySource)> {
        let issuer = self.issuer.or_else(|| self.preset.issuer().map(str::to_owned)).unwrap_or_default();
        entry.check((1..=500).contains(&issuer.len()), "issuer", "must be 1 to 500 characters");
        entry.check(!self.signing_algs.is_empty(), "signing_algs", "must name an algorithm, or be left out");
        let max_age = self.max_age.unwrap_or_else(|| self.preset.max_age());
        entry.check((1..=86_400).contains(&max_age.0), "max_age", "must be from 1 second to 1 day");
        check_name(self.instance_claim.as_deref(), "instance_claim", &mut entry);
        let written = WrittenKeys { jwks: self.jwks, file: self.jwks_file, uri: self.jwks_uri };
        let (source, _) = keys(written, false, folder, &mut entry)?;
        if source == KeySource::None && !is_place(&issuer) {
            entry.no(
                "issuer",
                "is no https URL, at which its keys could be found: write jwks, jwks_file or jwks_uri",
            );
            return None;
        }
        let rule = WorkloadIssuer {
            issuer,
            signing_algs: self.signing_algs,
            max_age,
            single_use: self.single_use.unwrap_or_else(|| self.preset.single_use()),
            instance_claim: self.instance_claim.or_else(|| self.preset.instance_claim().map(str::to_owned)),
        };
        Some((rule, source))
    }
}

/// Whether there can be a discovery document below it.
fn is_place(issuer: &str) -> bool {
    let url = issuer.parse::<Url>().ok();
    url.is_some_and(|url| {
        (url.scheme() == "https" || is_loopback(&url)) && url.query().is_none() && url.fragment().is_none()
    })
}

fn check_name(name: Option<&str>, key: &str, entry: &mut Entry<'_>) {
    let fits = name.is_none_or(|name| !name.is_empty() && name.len() <= LONGEST_NAME);
    entry.check(fits, key, "must name a claim, or be left out");
}

impl WrittenTrustDomain {
    pub(super) fn check(self, folder: &Path, mut entry: Entry<'_>) -> Option<(TrustDomain, KeySource)> {
        let name = match self.name.parse::<TrustDomain>() {
            Ok(name) => name,
            Err(_) => {
                entry.no(
                    "name",
                    "must be small letters, digits, dots, hyphens and underscores, without spiffe://",
                );
                return None;
            }
        };
        let (key, bundle) = match (self.bundle, self.bundle_file, self.bundle_endpoint) {
            (Some(Json(bundle)), None, None) => ("bundle", bundle),
            (None, Some(file), None) => match read_json(&folder.join(file)) {
                Ok(bundle) => ("bundle_file", bundle),
                Err(reason) => {
                    entry.no("bundle_file", reason);
                    return None;
                }
            },
            (None, None, Some(uri)) => {
                let fit = uri.scheme() == "https" || is_loopback(&uri);
                entry.check(fit, "bundle_endpoint", "must be https");
                return fit.then_some((name, KeySource::JwksUri(uri)));
            }
            _ => {
                entry.no("bundle", "write one of bundle, bundle_file and bundle_endpoint");
                return None;
            }
        };
        let jwt_keys = spiffe::jwt_keys(&bundle);
        let empty = jwt_keys.get("keys").and_then(Value::as_array).is_none_or(Vec::is_empty);
        if empty && spiffe::authorities(&bundle).is_empty() {
            entry.no(
                key,
                "holds no key of the use jwt-svid with a kid, and no certificate of the use x509-svid",
            );
            return None;
        }
        Some((name, KeySource::Jwks(bundle)))
    }
}

impl WrittenAttester {
    pub(super) fn check(self, folder: &Path, mut entry: Entry<'_>) -> Option<(String, KeySource)> {
        entry.check((1..=100).contains(&self.name.len()), "name", "must be 1 to 100 characters");
        let written = WrittenKeys { jwks: self.jwks, file: self.jwks_file, uri: self.jwks_uri };
        let (source, found) = keys(written, false, folder, &mut entry)?;
        let some = matches!(source, KeySource::JwksUri(_)) || !found.is_empty();
        let missing = "is missing or empty: the attester's public keys, as jwks, jwks_file or jwks_uri";
        entry.check(some, "jwks", missing);
        some.then_some((self.name, source))
    }
}

impl WrittenPlatform {
    /// How a client authenticates for which a platform vouches; none where that is unfit, which is told, or it uses
    /// another method.
    pub(super) fn check(
        self,
        method: AuthMethod,
        known: &Known,
        entry: &mut Entry<'_>,
    ) -> Option<ClientAuthentication> {
        let by_svid = matches!(method, AuthMethod::SpiffeJwt | AuthMethod::SpiffeX509);
        let word = method.as_str();
        if self.workload.is_some() && method != AuthMethod::WorkloadJwt {
            entry.no("workload", format_args!("authentication is {word}; this goes with workload_jwt"));
        }
        if self.spiffe_id.is_some() && !by_svid {
            entry.no(
                "spiffe_id",
                format_args!("authentication is {word}; this goes with spiffe_jwt and spiffe_x509"),
            );
        }
        if self.attester.is_some() && !method.is_attested() {
            entry.no(
                "attester",
                format_args!("authentication is {word}; this goes with attest_jwt_client_auth and attest_jwt_client_auth_dpop"),
            );
        }
        match method {
            AuthMethod::AttestJwtClientAuth => attester(self.attester, known, entry)
                .map(|attester| ClientAuthentication::AttestJwtClientAuth { attester }),
            AuthMethod::AttestJwtClientAuthDpop => attester(self.attester, known, entry)
                .map(|attester| ClientAuthentication::AttestJwtClientAuthDpop { attester }),
            AuthMethod::WorkloadJwt => match self.workload {
                Some(workload) => workload.check(known, entry).map(ClientAuthentication::WorkloadJwt),
                None => {
                    entry.no("workload", "is missing: which workload the client is");
                    None
                }
            },
            AuthMethod::SpiffeJwt => spiffe_id(self.spiffe_id, known, entry)
                .map(|spiffe_id| ClientAuthentication::SpiffeJwt { spiffe_id }),
            AuthMethod::SpiffeX509 => spiffe_id(self.spiffe_id, known, entry)
                .map(|spiffe_id| ClientAuthentication::SpiffeX509 { spiffe_id }),
            _ => None,
        }
    }
}

fn attester(written: Option<String>, known: &Known, entry: &mut Entry<'_>) -> Option<String> {
    match &written {
        None => entry.no("attester", "is missing: who vouches for the instances of the client"),
        Some(name) => {
            let declared = known.client_attesters.contains(name);
            entry.check(declared, "attester", format_args!("no client attester is named {name:?}"));
        }
    }
    written
}

fn spiffe_id(written: Option<String>, known: &Known, entry: &mut Entry<'_>) -> Option<SpiffePattern> {
    let Some(written) = written else {
        entry.no("spiffe_id", "is missing: which workload the client is");
        return None;
    };
    match written.parse::<SpiffePattern>() {
        Err(why) => {
            entry.no("spiffe_id", why);
            None
        }
        Ok(pattern) => {
            let domain = pattern.trust_domain().as_str();
            let declared = known.trust_domains.contains(domain);
            entry.check(declared, "spiffe_id", format_args!("no trust domain is named {domain:?}"));
            Some(pattern)
        }
    }
}

impl WrittenWorkload {
    fn check(self, known: &Known, entry: &mut Entry<'_>) -> Option<WorkloadIdentity> {
        let declared = known.workload_issuers.contains(&self.issuer);
        entry.check(declared, "workload.issuer", format_args!("no workload issuer is {:?}", self.issuer));
        let audience = self.audience.as_ref().is_none_or(|audience| (1..=500).contains(&audience.len()));
        entry.check(audience, "workload.audience", "must be 1 to 500 characters, or left out");
        // Empty, it says that instances are not told apart.
        let instance_claim = self.instance_claim.as_deref().filter(|name| !name.is_empty());
        check_name(instance_claim, "workload.instance_claim", entry);
        let some = (1..=MOST_CONDITIONS).contains(&self.claims.len());
        entry.check(some, "workload.claims", "must name what makes a workload this client: 1 to 32 claims");
        let mut claims = BTreeMap::new();
        for (name, Json(written)) in self.claims {
            let key = format!("workload.claims.{name}");
            check_name(Some(&name), &key, entry);
            match condition(written) {
                Ok(condition) => {
                    claims.insert(name, condition);
                }
                Err(why) => entry.no(key, why),
            }
        }
        Some(WorkloadIdentity {
            issuer: self.issuer,
            audience: self.audience,
            claims,
            instance_claim: self.instance_claim,
        })
    }
}

/// A value that the claim equals, `{ one_of = […] }`, or `{ glob = "…" }`.
fn condition(written: Value) -> Result<Condition, String> {
    let form = "must be a text, a number or a truth value, or { one_of = […] } of them, or { glob = \"…\" }";
    match written {
        scalar if is_scalar(&scalar) => Ok(Condition::Equal(scalar)),
        Value::Object(members) => match members.iter().next() {
            Some((word, Value::Array(values))) if word == "one_of" && members.len() == 1 => {
                let fits = !values.is_empty() && values.len() <= 100 && values.iter().all(is_scalar);
                fits.then(|| Condition::OneOf(values.clone())).ok_or_else(|| form.to_owned())
            }
            Some((word, Value::String(pattern))) if word == "glob" && members.len() == 1 => pattern
                .parse()
                .map(Condition::Glob)
                .map_err(|why: protocol::workload::NotAGlob| why.to_string()),
            _ => Err(form.to_owned()),
        },
        _ => Err(form.to_owned()),
    }
}

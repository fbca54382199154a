//! `[[upstreams]]`: OpenID Providers that people may sign in at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use protocol::client::SigningAlg;
use protocol::federation::profile::ClaimNames;
use protocol::federation::rights::{GroupRights, Rights};
use protocol::federation::{Accounts, Upstream};
use protocol::identifier::UpstreamId;
use protocol::numeric_date::Seconds;
use protocol::scope::Scope;
use serde::Deserialize;

use super::hidden::Hidden;
use super::problem::Entry;
use super::user::is_short;
use super::written::duration;
use protocol::registration::redirect_uris::is_loopback;

/// An upstream as declared.
#[derive(Clone, PartialEq, Debug)]
pub struct DeclaredUpstream {
    /// What the law needs to know of it.
    pub upstream: Upstream,
    /// How this server proves there who it is.
    pub credential: UpstreamCredential,
    /// What is asked for there.
    pub scope: Scope,
    /// Whether claims are asked for at its userinfo endpoint, if it has one.
    pub userinfo: bool,
    /// Whether the sign-in page has a button for it.
    pub button: bool,
}

/// How this server proves to an upstream who it is (OpenID Connect Core §9).
#[derive(Clone, PartialEq, Debug)]
pub enum UpstreamCredential {
    /// Not at all: PKCE alone protects the code.
    None,
    /// `client_secret_basic`.
    Basic(Hidden),
    /// `client_secret_post`.
    Post(Hidden),
    /// `private_key_jwt`, with a key of this server's own key set.
    PrivateKeyJwt {
        /// The algorithm that it signs with.
        alg: SigningAlg,
        /// For whom the assertion is.
        audience: AssertionAudience,
    },
}

/// For whom a client assertion is made out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssertionAudience {
    /// The upstream's issuer identifier (FAPI 2.0, RFC 7523bis).
    Issuer,
    /// Its token endpoint (RFC 7523 §3), where it takes nothing else.
    TokenEndpoint,
}

/// An upstream as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenUpstream {
    id: UpstreamId,
    issuer: String,
    client_id: String,
    name: WrittenName,
    #[serde(default)]
    authentication: Authentication,
    #[serde(default)]
    client_secret: Option<Hidden>,
    #[serde(default)]
    client_secret_file: Option<String>,
    #[serde(default)]
    client_secret_env: Option<String>,
    #[serde(default = "es256")]
    signing_alg: SigningAlg,
    #[serde(default = "issuer")]
    assertion_audience: AssertionAudience,
    #[serde(default = "usual_scope")]
    scope: Scope,
    #[serde(default = "yes")]
    userinfo: bool,
    #[serde(default = "yes")]
    button: bool,
    #[serde(default)]
    email_domains: BTreeSet<String>,
    #[serde(default)]
    claims: WrittenClaims,
    #[serde(default = "create")]
    accounts: Accounts,
    #[serde(default)]
    link_by_email: bool,
    #[serde(default)]
    links: BTreeMap<String, String>,
    #[serde(default)]
    required_groups: BTreeSet<String>,
    #[serde(default)]
    groups: Vec<WrittenGroup>,
    #[serde(default)]
    acr: BTreeMap<String, String>,
    #[serde(default = "yes")]
    pass_acr: bool,
    #[serde(default = "twelve_hours", deserialize_with = "duration")]
    session_life: Seconds,
}

/// One name for all languages, or one for each.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenName {
    One(String),
    Each(BTreeMap<String, String>),
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct WrittenClaims {
    username: Option<String>,
    name: Option<String>,
    email: Option<String>,
    groups: Option<String>,
    manager: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGroup {
    group: String,
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    groups: BTreeSet<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum Authentication {
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
    None,
}

const fn yes() -> bool {
    true
}

const fn es256() -> SigningAlg {
    SigningAlg::Es256
}

const fn issuer() -> AssertionAudience {
    AssertionAudience::Issuer
}

const fn create() -> Accounts {
    Accounts::Create
}

const fn twelve_hours() -> Seconds {
    Seconds::minutes(12 * 60)
}

fn usual_scope() -> Scope {
    "openid profile email".parse().unwrap_or_default()
}

const LONGEST_ID: usize = 40;
const LONGEST_SESSION: Seconds = Seconds::days(30);

impl WrittenUpstream {
    pub(super) fn check(
        self,
        usernames: &BTreeSet<String>,
        folder: &Path,
        mut entry: Entry<'_>,
    ) -> Option<DeclaredUpstream> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let id = self.id.as_str();
        entry.check(
            id.len() <= LONGEST_ID && id.chars().all(plain),
            "id",
            "must be at most 40 small letters, digits and hyphens: it stands in paths",
        );
        entry.check(
            issuer_is_fit(&self.issuer),
            "issuer",
            "must be an https URL without query and fragment, exactly as the provider itself writes it",
        );
        entry.check(is_short(&self.client_id), "client_id", "must be 1 to 200 characters");
        entry.check(self.scope.contains("openid"), "scope", "must hold openid");
        entry.check(
            (60..=LONGEST_SESSION.0).contains(&self.session_life.0),
            "session_life",
            "must be from 60 to 2592000 seconds",
        );
        entry.check(
            !self.link_by_email || !self.email_domains.is_empty(),
            "link_by_email",
            "needs email_domains: an upstream is believed for the domains that it speaks for",
        );
        for username in self.links.values().filter(|username| !usernames.contains(*username)) {
            entry.no("links", format_args!("there is no [[users]] entry {username:?}"));
        }
        let names = names(self.name, &mut entry);
        let email_domains = domains(self.email_domains, &mut entry);
        let secret = Secrets {
            written: self.client_secret,
            file: self.client_secret_file,
            variable: self.client_secret_env,
        };
        let secret = secret.find(folder, self.authentication, &mut entry);
        let credential = match (self.authentication, secret) {
            (Authentication::ClientSecretBasic, Some(secret)) => UpstreamCredential::Basic(secret),
            (Authentication::ClientSecretPost, Some(secret)) => UpstreamCredential::Post(secret),
            (Authentication::PrivateKeyJwt, _) => {
                UpstreamCredential::PrivateKeyJwt { alg: self.signing_alg, audience: self.assertion_audience }
            }
            (Authentication::None, _) => UpstreamCredential::None,
            (Authentication::ClientSecretBasic | Authentication::ClientSecretPost, None) => return None,
        };
        let usual = ClaimNames::default();
        let groups = self.groups.into_iter().map(|row| GroupRights {
            group: row.group,
            rights: Rights { admin: row.admin, groups: row.groups },
        });
        let upstream = Upstream {
            id: self.id,
            issuer: self.issuer,
            client_id: self.client_id,
            names,
            email_domains,
            claims: ClaimNames {
                username: self.claims.username.unwrap_or(usual.username),
                name: self.claims.name.unwrap_or(usual.name),
                email: self.claims.email.unwrap_or(usual.email),
                groups: self.claims.groups.unwrap_or(usual.groups),
                manager: self.claims.manager,
            },
            groups: groups.collect(),
            required_groups: self.required_groups,
            accounts: self.accounts,
            link_by_email: self.link_by_email,
            links: self.links,
            acr: self.acr,
            pass_acr: self.pass_acr,
            session_life: self.session_life,
        };
        Some(DeclaredUpstream {
            upstream,
            credential,
            scope: self.scope,
            userinfo: self.userinfo,
            button: self.button,
        })
    }
}

/// RFC 8414 §2 and OpenID Connect Discovery §3, without being strict about how others write a URL: it is compared as
/// it stands.
fn issuer_is_fit(issuer: &str) -> bool {
    let Ok(url) = url::Url::parse(issuer) else { return false };
    let reached = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    reached && url.username().is_empty() && url.password().is_none() && !issuer.contains(['?', '#'])
}

fn names(written: WrittenName, entry: &mut Entry<'_>) -> BTreeMap<String, String> {
    let names = match written {
        WrittenName::One(name) => BTreeMap::from([("en".to_owned(), name)]),
        WrittenName::Each(names) => names,
    };
    let fit = names.contains_key("en") && names.values().all(|name| is_short(name));
    entry.check(fit, "name", "must be 1 to 200 characters; with several languages, en must be one of them");
    names
}

/// Domains in the form in which typed ones are compared.
fn domains(written: BTreeSet<String>, entry: &mut Entry<'_>) -> BTreeSet<String> {
    let mut fit = BTreeSet::new();
    for domain in written {
        match protocol::federation::home_realm::domain_of(&format!("x@{domain}")) {
            Some(plain) => {
                fit.insert(plain);
            }
            None => entry.no("email_domains", format_args!("{domain:?} is no domain")),
        }
    }
    fit
}

struct Secrets {
    written: Option<Hidden>,
    file: Option<String>,
    variable: Option<String>,
}

impl Secrets {
    /// The secret, from the one place that names it.
    fn find(self, folder: &Path, authentication: Authentication, entry: &mut Entry<'_>) -> Option<Hidden> {
        let wants =
            matches!(authentication, Authentication::ClientSecretBasic | Authentication::ClientSecretPost);
        let named = usize::from(self.written.is_some())
            + usize::from(self.file.is_some())
            + usize::from(self.variable.is_some());
        if !wants {
            entry.check(named == 0, "client_secret", "there is none with this authentication");
            return None;
        }
        if named != 1 {
            let reason = "exactly one of client_secret, client_secret_file and client_secret_env is needed";
            entry.no("client_secret", reason);
            return None;
        }
        let (field, text) = match (self.written, self.file, self.variable) {
            (Some(secret), ..) => ("client_secret", Ok(secret.reveal().to_owned())),
            (_, Some(file), _) => ("client_secret_file", read(&folder.join(file))),
            (.., Some(name)) => ("client_secret_env", std::env::var(name).map_err(|_| "is not set".into())),
            (None, None, None) => return None,
        };
        match text {
            Ok(text) if !text.trim().is_empty() => Some(Hidden::from(text.trim())),
            Ok(_) => {
                entry.no(field, "is empty");
                None
            }
            Err(reason) => {
                entry.no(field, reason);
                None
            }
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))
}

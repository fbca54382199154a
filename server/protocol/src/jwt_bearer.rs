//! A JWT as an authorization grant (RFC 7521 §4.1, RFC 7523 §2.1, §3): somebody whom the operator trusts says for
//! which user a client asks.
//!
//! What the assertion says is checked once its signature is; what it may bring is the least of what is trusted to its
//! issuer and what the client is registered for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::audience::Resources;
use crate::client::{Client, SigningAlg};
use crate::identifier::ClientId;
use crate::numeric_date::{NumericDate, Seconds};
use crate::refusal::{ErrorCode, Refuse};
use crate::scope::Scope;
use crate::unverified_claims::{FURTHEST_AHEAD, WrongType, date, jti_fits, text};

/// How long after its `exp` an assertion still counts, because clocks differ.
const SKEW: Seconds = Seconds(10);
/// The longest name of a subject, in bytes.
const LONGEST_SUBJECT: usize = 256;
/// The words that no assertion can bring: there is nobody to be absent.
const NEVER: &str = crate::authorization::OFFLINE_ACCESS;

/// Somebody whose assertions are believed, and how far.
#[derive(Clone, PartialEq, Debug)]
pub struct TrustedIssuer {
    /// `iss`, compared as a string.
    pub issuer: String,
    /// The algorithms it signs with.
    pub signing_algs: BTreeSet<SigningAlg>,
    /// The claim that names the user.
    pub subject_claim: String,
    /// How what it says becomes one of our users.
    pub subjects: SubjectRule,
    /// The clients that may present its assertions.
    pub clients: BTreeSet<ClientId>,
    /// The most that its assertions bring.
    pub scope: Scope,
    /// Where its tokens are good; empty means wherever the client's are.
    pub resources: Resources,
    /// The longest an assertion may live.
    pub max_life: Seconds,
    /// The longest life of a token for it, if less than the server's.
    pub token_life: Option<Seconds>,
}

/// How the value of the subject's claim becomes one of our users.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubjectRule {
    /// It is their username.
    Username,
    /// It is their id here.
    UserId,
    /// It is written down: the value, and the username.
    Listed(BTreeMap<String, String>),
}

/// Which of our users an assertion speaks of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LocalName {
    /// Known by username.
    Username(String),
    /// Known by id.
    UserId(String),
}

/// What the caller knows.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Our issuer identifier.
    pub issuer: &'a str,
    /// The URL of the token endpoint: the other way to name us.
    pub token_endpoint: &'a str,
    /// Now.
    pub now: NumericDate,
}

/// What an assertion says. Only [`check`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Grant {
    /// The user it speaks of, if the rule makes one of ours of it.
    pub user: Option<LocalName>,
    /// `jti`, to be remembered for this issuer.
    pub jti: String,
    /// Until when the `jti` must be remembered.
    pub remember_until: NumericDate,
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
    /// The claim that names the subject is missing, empty or too long.
    #[error("the assertion needs a subject of 1 to 256 bytes")]
    Subject,
    /// An e-mail address that nobody vouches for.
    #[error("the assertion names its subject by an e-mail address that it does not say to be verified")]
    UnverifiedEmail,
    /// `exp` is missing.
    #[error("the assertion needs exp")]
    NoExpiry,
    /// `exp` has passed.
    #[error("the assertion has expired")]
    Expired,
    /// It lives longer than this issuer's may.
    #[error("the assertion lives longer than is accepted of its issuer")]
    LivesTooLong,
    /// `iat` or `nbf` lies in the future.
    #[error("iat or nbf of the assertion lies in the future; check the clock")]
    FromTheFuture,
    /// `jti` is missing, empty or too long.
    #[error("the assertion needs a jti of 1 to 256 bytes")]
    Jti,
    /// It was presented before.
    #[error("the assertion was used before; get a new one for each request")]
    Replayed,
    /// A claim is of the wrong JSON type.
    #[error("a claim of the assertion has the wrong JSON type")]
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

/// Whether this client may bring an assertion of this issuer, signed with this algorithm.
///
/// # Errors
/// [`GrantRefused::NotAccepted`].
pub fn check_trust(trusted: &TrustedIssuer, client: &ClientId, alg: SigningAlg) -> Result<(), GrantRefused> {
    let accepted = trusted.clients.contains(client) && trusted.signing_algs.contains(&alg);
    if accepted { Ok(()) } else { Err(GrantRefused::NotAccepted) }
}

/// Checks header and claims of an assertion that `trusted` signed (RFC 7523 §3): what it is, to whom, when, and of
/// whom it speaks.
///
/// # Errors
/// [`GrantRefused`] with the first question that it fails.
pub fn check(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    trusted: &TrustedIssuer,
    expected: &Expected<'_>,
) -> Result<Grant, GrantRefused> {
    check_type(header)?;
    if text(claims, "iss")? != Some(trusted.issuer.as_str()) {
        return Err(GrantRefused::NotAccepted);
    }
    check_audience(claims, expected)?;
    let expires_at = check_times(claims, trusted, expected.now)?;
    let jti = text(claims, "jti")?.filter(|jti| jti_fits(jti)).ok_or(GrantRefused::Jti)?;
    // RFC 7523 §3: there is always a `sub`, also where another claim names the user.
    subject(claims, "sub")?;
    let named = subject(claims, &trusted.subject_claim)?;
    if trusted.subject_claim == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
        return Err(GrantRefused::UnverifiedEmail);
    }
    let user = trusted.subjects.local_name(named);
    Ok(Grant { user, jti: jti.to_owned(), remember_until: expires_at.plus(SKEW) })
}

/// No `typ`, or one for this use; any other kind of JWT is no grant (RFC 8725 §3.11).
fn check_type(header: &Map<String, Value>) -> Result<(), GrantRefused> {
    let known =
        |typ: &str| ["JWT", "authorization-grant+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known));
    match text(header, "typ") {
        Ok(None) => Ok(()),
        Ok(Some(typ)) if known(typ) => Ok(()),
        _ => Err(GrantRefused::Type),
    }
}

/// Us, by either name, and nobody beside us: an assertion for several servers could be carried from one to the other.
fn check_audience(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), GrantRefused> {
    let aud = match claims.get("aud") {
        Some(Value::String(aud)) => Some(aud.as_str()),
        Some(Value::Array(all)) if all.len() == 1 => all[0].as_str(),
        _ => None,
    };
    let is_us = aud.is_some_and(|aud| aud == expected.issuer || aud == expected.token_endpoint);
    if is_us { Ok(()) } else { Err(GrantRefused::Audience) }
}

fn check_times(
    claims: &Map<String, Value>,
    trusted: &TrustedIssuer,
    now: NumericDate,
) -> Result<NumericDate, GrantRefused> {
    let expires_at = date(claims, "exp")?.ok_or(GrantRefused::NoExpiry)?;
    if expires_at.plus(SKEW).is_over(now) {
        return Err(GrantRefused::Expired);
    }
    if expires_at.since(now) > trusted.max_life {
        return Err(GrantRefused::LivesTooLong);
    }
    let (issued_at, not_before) = (date(claims, "iat")?, date(claims, "nbf")?);
    if [issued_at, not_before].into_iter().flatten().any(|moment| moment.since(now) > FURTHEST_AHEAD) {
        return Err(GrantRefused::FromTheFuture);
    }
    if issued_at.is_some_and(|issued_at| expires_at.since(issued_at) > trusted.max_life) {
        return Err(GrantRefused::LivesTooLong);
    }
    Ok(expires_at)
}

fn subject<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, GrantRefused> {
    let named = text(claims, name)?.filter(|named| (1..=LONGEST_SUBJECT).contains(&named.len()));
    named.ok_or(GrantRefused::Subject)
}

impl SubjectRule {
    /// Which of our users this is; `None` where nobody is written down for it.
    #[must_use]
    pub fn local_name(&self, named: &str) -> Option<LocalName> {
        match self {
            Self::Username => Some(LocalName::Username(named.to_owned())),
            Self::UserId => Some(LocalName::UserId(named.to_owned())),
            Self::Listed(users) => users.get(named).cloned().map(LocalName::Username),
        }
    }
}

impl TrustedIssuer {
    /// The most that `client` may be granted by an assertion of this issuer: scope and resources within both, and
    /// never for the user's absence.
    #[must_use]
    pub fn most_for(&self, client: &Client) -> (Scope, Resources) {
        let scope =
            self.scope.common(&client.scope).iter().filter(|word| word.as_str() != NEVER).cloned().collect();
        let resources = match self.resources.is_empty() {
            true => client.resources.clone(),
            false => self.resources.intersection(&client.resources).cloned().collect(),
        };
        (scope, resources)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_000_000;
    const US: &str = "https://as.example";
    const TOKEN: &str = "https://as.example/token";
    const THEM: &str = "https://idp.example";

    fn trusted() -> TrustedIssuer {
        TrustedIssuer {
            issuer: THEM.into(),
            signing_algs: BTreeSet::from([SigningAlg::Es256]),
            subject_claim: "sub".into(),
            subjects: SubjectRule::Username,
            clients: BTreeSet::from(["client".parse().unwrap()]),
            scope: "a:read b:read offline_access".parse().unwrap(),
            resources: Resources::new(),
            max_life: Seconds(300),
            token_life: None,
        }
    }

    fn ask(trusted: &TrustedIssuer, change: impl FnOnce(&mut Value)) -> Result<Grant, GrantRefused> {
        let mut claims = json!({
            "iss": THEM, "sub": "alice", "aud": US, "exp": NOW + 60, "iat": NOW, "nbf": NOW, "jti": "1",
            "email": "alice@example.com", "unknown": {}
        });
        change(&mut claims);
        let claims: Map<String, Value> =
            claims.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
        let expected = Expected { issuer: US, token_endpoint: TOKEN, now: NumericDate(NOW) };
        check(&Map::new(), &claims, trusted, &expected)
    }

    fn with(name: &str, value: Value) -> Result<Grant, GrantRefused> {
        ask(&trusted(), |claims| claims[name] = value)
    }

    #[test]
    fn an_assertion_in_order_names_a_user_and_is_remembered_beyond_its_end() {
        let grant = with("y", json!(1)).unwrap();
        assert_eq!(grant.user, Some(LocalName::Username("alice".into())));
        assert_eq!((grant.jti.as_str(), grant.remember_until), ("1", NumericDate(NOW + 70)));
    }

    #[test]
    fn it_is_for_this_server_alone_by_its_issuer_or_its_token_endpoint() {
        for good in [json!(US), json!(TOKEN), json!([US]), json!([TOKEN])] {
            assert!(with("aud", good.clone()).is_ok(), "{good}");
        }
        let slash = format!("{US}/");
        for bad in
            [json!(null), json!([]), json!([US, TOKEN]), json!([US, "x"]), json!("x"), json!(slash), json!(1)]
        {
            assert_eq!(with("aud", bad.clone()), Err(GrantRefused::Audience), "{bad}");
        }
    }

    #[test]
    fn it_is_of_its_time() {
        for (name, value, expected) in [
            ("exp", json!(null), Some(GrantRefused::NoExpiry)),
            ("exp", json!("soon"), Some(GrantRefused::Claims)),
            ("exp", json!(NOW - 10), Some(GrantRefused::Expired)),
            ("exp", json!(NOW - 9), None),
            ("exp", json!(NOW + 300), None),
            ("exp", json!(NOW + 301), Some(GrantRefused::LivesTooLong)),
            ("iat", json!(NOW - 240), None),
            ("iat", json!(NOW - 241), Some(GrantRefused::LivesTooLong)),
            ("iat", json!(NOW + 60), None),
            ("iat", json!(NOW + 61), Some(GrantRefused::FromTheFuture)),
            ("iat", json!(null), None),
            ("nbf", json!(NOW + 60), None),
            ("nbf", json!(NOW + 61), Some(GrantRefused::FromTheFuture)),
            ("nbf", json!("x"), Some(GrantRefused::Claims)),
        ] {
            assert_eq!(with(name, value.clone()).err(), expected, "{name} {value}");
        }
    }

    #[test]
    fn it_has_a_subject_and_a_jti_of_bounded_length() {
        for name in ["sub", "jti"] {
            let refused = if name == "sub" { GrantRefused::Subject } else { GrantRefused::Jti };
            for bad in [json!(null), json!(""), json!("x".repeat(257))] {
                assert_eq!(with(name, bad), Err(refused), "{name}");
            }
            assert!(with(name, json!("x".repeat(256))).is_ok());
            assert_eq!(with(name, json!(7)), Err(GrantRefused::Claims));
        }
    }

    #[test]
    fn another_issuer_than_the_one_whose_key_signed_is_not_accepted() {
        for bad in [json!("https://idp.example/"), json!(null), json!("https://IDP.example")] {
            assert_eq!(with("iss", bad), Err(GrantRefused::NotAccepted));
        }
    }

    #[test]
    fn only_what_says_to_be_a_grant_or_nothing_is_one() {
        let typ = |typ: Value| check_type(json!({ "typ": typ }).as_object().unwrap());
        for good in ["JWT", "jwt", "authorization-grant+jwt"] {
            assert_eq!(typ(json!(good)), Ok(()));
        }
        for bad in
            ["at+jwt", "dpop+jwt", "client-authentication+jwt", "oauth-authz-req+jwt", "logout+jwt", ""]
        {
            assert_eq!(typ(json!(bad)), Err(GrantRefused::Type), "{bad}");
        }
        assert_eq!(typ(json!(1)), Err(GrantRefused::Type));
        assert_eq!(check_type(&Map::new()), Ok(()));
    }

    #[test]
    fn an_assertion_is_accepted_of_the_clients_and_algorithms_that_are_written_down() {
        let client = |id: &str| id.parse::<ClientId>().unwrap();
        assert_eq!(check_trust(&trusted(), &client("client"), SigningAlg::Es256), Ok(()));
        for (id, alg) in [("other", SigningAlg::Es256), ("client", SigningAlg::Rs256)] {
            assert_eq!(check_trust(&trusted(), &client(id), alg), Err(GrantRefused::NotAccepted));
        }
    }

    #[test]
    fn users_are_found_by_name_by_id_or_in_a_list_and_nobody_else_is_one() {
        let listed = BTreeMap::from([("ext-1".to_owned(), "alice".to_owned())]);
        for (rule, named, expected) in [
            (SubjectRule::Username, "alice", Some(LocalName::Username("alice".into()))),
            (SubjectRule::UserId, "usr_1", Some(LocalName::UserId("usr_1".into()))),
            (SubjectRule::Listed(listed.clone()), "ext-1", Some(LocalName::Username("alice".into()))),
            (SubjectRule::Listed(listed), "alice", None),
        ] {
            assert_eq!(rule.local_name(named), expected, "{rule:?}");
        }
    }

    #[test]
    fn another_claim_may_name_the_user_and_an_address_only_where_it_is_verified() {
        let by_email = TrustedIssuer { subject_claim: "email".into(), ..trusted() };
        let named = ask(&by_email, |claims| claims["email_verified"] = true.into()).unwrap().user;
        assert_eq!(named, Some(LocalName::Username("alice@example.com".into())));
        for unverified in [json!(null), json!(false), json!("true")] {
            let refused = ask(&by_email, |claims| claims["email_verified"] = unverified);
            assert_eq!(refused, Err(GrantRefused::UnverifiedEmail));
        }
        let missing = ask(&by_email, |claims| claims["email"] = Value::Null);
        assert_eq!(missing, Err(GrantRefused::Subject));
        let no_sub = ask(&by_email, |claims| claims["sub"] = Value::Null);
        assert_eq!(no_sub, Err(GrantRefused::Subject));
    }

    #[test]
    fn what_it_brings_is_within_what_is_trusted_to_the_issuer_and_what_the_client_is_registered_for() {
        let client: Client = serde_json::from_value(json!({
            "id": "client", "name": "C", "kind": "service", "authentication": "none", "grant_types": [],
            "scope": "a:read c:read offline_access", "resources": ["urn:a", "urn:c"],
            "id_token_signed_response_alg": "ES256", "status": "active"
        }))
        .unwrap();
        let (scope, resources) = trusted().most_for(&client);
        assert_eq!((scope, resources), ("a:read".parse().unwrap(), client.resources.clone()));
        let narrow: Resources = ["urn:a", "urn:b"].iter().map(|r| r.parse().unwrap()).collect();
        let (_, resources) = TrustedIssuer { resources: narrow, ..trusted() }.most_for(&client);
        assert_eq!(resources, Resources::from(["urn:a".parse().unwrap()]));
    }
}

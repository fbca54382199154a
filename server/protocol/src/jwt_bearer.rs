//! A JWT of somebody whom the operator trusts: as an authorization grant (RFC 7521 §4.1, RFC 7523 §2.1, §3), as an
//! identity assertion (Identity Assertion JWT Authorization Grant §4.4), or as a subject token (RFC 8693 §2.1).
//!
//! What it says is checked once its signature is; what it may bring is the least of what it says, of what is trusted to
//! its issuer and of what the client is registered for.

use serde_json::{Map, Value};

use crate::actor::{self, Chain};
use crate::audience::Resources;
use crate::authorization_details::AuthorizationDetails;
use crate::confirmation::{Confirmation, Held};
use crate::identifier::ClientId;
use crate::numeric_date::{NumericDate, Seconds};
use crate::refusal::{ErrorCode, Refuse};
use crate::token::Login;
use crate::trusted_issuer::{LocalName, Purpose, Said, SubjectRule, TrustedIssuer};
use crate::unverified_claims::{FURTHEST_AHEAD, WrongType, date, jti_fits, text};

/// The `typ` of an Identity Assertion JWT Authorization Grant.
pub const ID_JAG: &str = "oauth-id-jag+jwt";
/// The `typ` of a JWT authorization grant (rfc7523bis §4).
pub const AUTHORIZATION_GRANT: &str = "authorization-grant+jwt";
/// How long after its `exp` an assertion still counts, because clocks differ.
const SKEW: Seconds = Seconds(10);
/// The longest name of a subject, in bytes.
const LONGEST_SUBJECT: usize = 256;

/// The longest `acr` and word of `amr`, in bytes.
const LONGEST_WORD: usize = 255;
/// The most words of `amr`.
const MOST_METHODS: usize = 20;

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
    /// What an identity assertion says of the login there; where it does not say when that was, it was long ago.
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
    /// `iat` or `nbf` lies in the future.
    #[error("iat or nbf of the assertion lies in the future; check the clock")]
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
            Purpose::IdentityAssertions => login(claims, expected.now)?,
            Purpose::AuthorizationGrants | Purpose::SubjectTokens => None,
        },
    })
}

/// `auth_time`, `acr` and `amr` (OpenID Connect Core §2), as far as it speaks of them.
fn login(claims: &Map<String, Value>, now: NumericDate) -> Result<Option<Login>, GrantRefused> {
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
fn check_type(header: &Map<String, Value>, purpose: Purpose) -> Result<(), GrantRefused> {
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
fn jti<'a>(
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
fn check_client(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), GrantRefused> {
    match (text(claims, "client_id")?, expected.purpose) {
        // The client of a token from elsewhere is a name there.
        (_, Purpose::SubjectTokens) | (None, Purpose::AuthorizationGrants) => Ok(()),
        (Some(named), _) if named == expected.client.as_str() => Ok(()),
        _ => Err(GrantRefused::Client),
    }
}

fn said(claims: &Map<String, Value>) -> Result<Said, GrantRefused> {
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
fn cnf(claims: &Map<String, Value>, held: &Held) -> Result<Option<Confirmation>, GrantRefused> {
    let Some(cnf) = claims.get("cnf") else { return Ok(None) };
    let cnf: Confirmation = serde_json::from_value(cnf.clone()).map_err(|_| GrantRefused::KeyNotProven)?;
    if held.proves(&cnf) { Ok(Some(cnf)) } else { Err(GrantRefused::KeyNotProven) }
}

/// Us, and nobody beside us: an assertion for several servers could be carried from one to the other. A grant may name
/// us by our token endpoint (rfc7523bis §4), and a subject token may be addressed to whoever is written down.
fn check_audience(
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
    if aud.is_some_and(fits) { Ok(()) } else { Err(GrantRefused::Audience) }
}

fn check_times(
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

fn subject<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, GrantRefused> {
    let named = text(claims, name)?.filter(|named| (1..=LONGEST_SUBJECT).contains(&named.len()));
    named.ok_or(GrantRefused::Subject)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::trusted_issuer::tests::trusted;

    const NOW: i64 = 1_000_000;
    const US: &str = "https://as.example";
    const TOKEN: &str = "https://as.example/token";
    const THEM: &str = "https://idp.example";

    fn ask(trusted: &TrustedIssuer, change: impl FnOnce(&mut Value)) -> Result<Grant, GrantRefused> {
        ask_as(Purpose::AuthorizationGrants, &Held::default(), trusted, change)
    }

    fn ask_as(
        purpose: Purpose,
        held: &Held,
        trusted: &TrustedIssuer,
        change: impl FnOnce(&mut Value),
    ) -> Result<Grant, GrantRefused> {
        let mut claims = json!({
            "iss": THEM, "sub": "alice", "aud": US, "exp": NOW + 60, "iat": NOW, "nbf": NOW, "jti": "1",
            "email": "alice@example.com", "unknown": {}
        });
        change(&mut claims);
        let claims: Map<String, Value> =
            claims.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
        let client = "client".parse().unwrap();
        let expected = Expected {
            purpose,
            issuer: US,
            token_endpoint: TOKEN,
            client: &client,
            held,
            now: NumericDate(NOW),
        };
        let mut header = Map::new();
        if purpose == Purpose::IdentityAssertions {
            header.insert("typ".into(), ID_JAG.into());
        }
        check(&header, &claims, trusted, &expected)
    }

    fn with(name: &str, value: Value) -> Result<Grant, GrantRefused> {
        ask(&trusted(), |claims| claims[name] = value)
    }

    #[test]
    fn an_assertion_in_order_names_a_user_and_is_remembered_beyond_its_end() {
        let grant = with("y", json!(1)).unwrap();
        assert_eq!(grant.user, Some(LocalName::Username("alice".into())));
        assert_eq!((grant.jti.as_deref(), grant.remember_until), (Some("1"), NumericDate(NOW + 70)));
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
    fn only_what_says_to_be_one_is_an_identity_assertion_and_nothing_else_is_taken_for_another_thing() {
        use Purpose::{AuthorizationGrants, IdentityAssertions, SubjectTokens};
        for (typ, fits) in [
            (json!("JWT"), vec![AuthorizationGrants, SubjectTokens]),
            (json!("jwt"), vec![AuthorizationGrants, SubjectTokens]),
            (json!("authorization-grant+jwt"), vec![AuthorizationGrants]),
            (json!("oauth-id-jag+jwt"), vec![IdentityAssertions]),
            (json!("at+jwt"), vec![SubjectTokens]),
            (json!("dpop+jwt"), vec![]),
            (json!("txntoken+jwt"), vec![]),
            (json!("client-authentication+jwt"), vec![]),
            (json!("oauth-authz-req+jwt"), vec![]),
            (json!("logout+jwt"), vec![]),
            (json!(""), vec![]),
            (json!(1), vec![]),
        ] {
            let header = json!({ "typ": typ });
            for purpose in [AuthorizationGrants, IdentityAssertions, SubjectTokens] {
                let expected = if fits.contains(&purpose) { Ok(()) } else { Err(GrantRefused::Type) };
                assert_eq!(
                    check_type(header.as_object().unwrap(), purpose),
                    expected,
                    "{header} {purpose:?}"
                );
            }
            let is = unverified_purpose(header.as_object().unwrap());
            assert_eq!(is == IdentityAssertions, typ == "oauth-id-jag+jwt");
        }
        assert_eq!(check_type(&Map::new(), AuthorizationGrants), Ok(()));
        assert_eq!(check_type(&Map::new(), SubjectTokens), Ok(()));
        assert_eq!(check_type(&Map::new(), IdentityAssertions), Err(GrantRefused::Type));
    }

    /// Claims of an identity assertion, changed.
    fn id_jag(change: impl FnOnce(&mut Value)) -> Result<Grant, GrantRefused> {
        ask_as(Purpose::IdentityAssertions, &Held::default(), &trusted(), |claims| {
            claims["client_id"] = "client".into();
            claims["scope"] = "a:read".into();
            change(claims);
        })
    }

    #[test]
    fn an_identity_assertion_is_for_this_server_by_its_issuer_and_for_this_client() {
        assert_eq!(id_jag(|_| {}).unwrap().said.scope, "a:read".parse().ok());
        assert!(id_jag(|claims| claims["aud"] = json!([US])).is_ok());
        for aud in [json!(TOKEN), json!([US, "https://other.example"]), json!([US, US]), json!([])] {
            assert_eq!(id_jag(|claims| claims["aud"] = aud.clone()), Err(GrantRefused::Audience), "{aud}");
        }
        for client in [json!(null), json!("other"), json!("")] {
            assert_eq!(id_jag(|claims| claims["client_id"] = client), Err(GrantRefused::Client));
        }
        assert_eq!(id_jag(|claims| claims["iat"] = Value::Null), Err(GrantRefused::NoIssuance));
        assert_eq!(with("client_id", json!("other")), Err(GrantRefused::Client));
    }

    #[test]
    fn an_identity_assertion_that_allows_nothing_does_not_allow_everything() {
        assert_eq!(id_jag(|claims| claims["scope"] = Value::Null), Err(GrantRefused::NothingAllowed));
        let details = id_jag(|claims| {
            claims["scope"] = Value::Null;
            claims["authorization_details"] = json!([{"type": "x"}]);
            claims["resource"] = json!(["urn:a", "urn:b"]);
        });
        let said = details.unwrap().said;
        assert_eq!((said.details.unwrap().iter().count(), said.resources.unwrap().len()), (1, 2));
        for (name, bad) in [
            ("scope", json!(["a"])),
            ("authorization_details", json!("x")),
            ("authorization_details", json!([{}])),
            ("resource", json!("relative")),
            ("resource", json!([1])),
        ] {
            assert_eq!(
                id_jag(|claims| claims[name] = bad.clone()),
                Err(GrantRefused::Claims),
                "{name} {bad}"
            );
        }
    }

    #[test]
    fn a_bound_assertion_needs_the_proof_of_that_very_key() {
        let held = |key: &str| Held::key(key.parse().unwrap());
        let bound = |held: &Held, cnf: Value| {
            ask_as(Purpose::IdentityAssertions, held, &trusted(), |claims| {
                claims["client_id"] = "client".into();
                claims["scope"] = "a:read".into();
                claims["cnf"] = cnf;
            })
        };
        let grant = bound(&held("k"), json!({"jkt": "k"})).unwrap();
        assert_eq!(grant.cnf, Some(Confirmation::Jkt("k".parse().unwrap())));
        assert_eq!(bound(&held("k"), Value::Null).unwrap().cnf, None);
        for (held, cnf) in [
            (held("other"), json!({"jkt": "k"})),
            (Held::default(), json!({"jkt": "k"})),
            (held("k"), json!({"kid": "k"})),
            (held("k"), json!({"jkt": "k", "kid": "k"})),
            (held("k"), json!("k")),
        ] {
            assert_eq!(bound(&held, cnf.clone()), Err(GrantRefused::KeyNotProven), "{cnf}");
        }
    }

    #[test]
    fn who_acts_there_is_kept_or_the_whole_is_refused() {
        let act = |act: Value| id_jag(|claims| claims["act"] = act);
        let grant = act(json!({"sub": "bot", "sub_profile": "ai_agent"})).unwrap();
        assert_eq!(grant.brought.current().unwrap().sub.as_str(), "bot");
        for bad in [json!("bot"), json!({"sub": "bot", "iss": US}), json!({"sub": "bot", "iss": "urn:x"})] {
            assert_eq!(act(bad), Err(GrantRefused::Actor));
        }
    }

    #[test]
    fn a_tenant_is_believed_only_where_it_is_written_down() {
        let tenant = |claims: &mut Value| claims["tenant"] = "acme".into();
        assert_eq!(ask(&trusted(), tenant), Err(GrantRefused::NotAccepted));
        let named = |names: &[&str]| TrustedIssuer {
            conditions: [("tenant".into(), names.iter().map(|n| (*n).into()).collect())].into(),
            ..trusted()
        };
        assert!(ask(&named(&["acme"]), tenant).is_ok());
        assert_eq!(ask(&named(&["other"]), tenant), Err(GrantRefused::NotAccepted));
    }

    #[test]
    fn what_this_server_says_itself_is_nobody_elses_word() {
        let ourselves = TrustedIssuer { issuer: US.into(), ..trusted() };
        assert_eq!(ask(&ourselves, |claims| claims["iss"] = US.into()), Err(GrantRefused::NotAccepted));
    }

    #[test]
    fn a_subject_token_is_addressed_as_is_written_down_and_has_a_name_where_it_comes_once() {
        let read = |trusted: &TrustedIssuer, name: &str, value: Value| {
            ask_as(Purpose::SubjectTokens, &Held::default(), trusted, |claims| claims[name] = value)
        };
        assert!(read(&trusted(), "client_id", json!("theirs")).is_ok());
        let addressed = TrustedIssuer { audiences: ["api".to_owned()].into(), ..trusted() };
        assert!(read(&addressed, "aud", json!("api")).is_ok());
        for (rule, aud) in [(trusted(), "api"), (addressed, US)] {
            assert_eq!(read(&rule, "aud", json!(aud)), Err(GrantRefused::Audience));
        }
        let again = TrustedIssuer { single_use: false, ..trusted() };
        assert_eq!(read(&again, "jti", Value::Null).unwrap().jti, None);
        assert_eq!(read(&again, "jti", json!("1")).unwrap().jti, None);
        assert_eq!(read(&trusted(), "jti", Value::Null), Err(GrantRefused::Jti));
        assert_eq!(read(&trusted(), "jti", json!("1")).unwrap().jti.as_deref(), Some("1"));
        assert_eq!(ask(&again, |claims| claims["jti"] = Value::Null), Err(GrantRefused::Jti));
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
}

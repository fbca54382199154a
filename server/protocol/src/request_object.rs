//! Request objects (RFC 9101; OpenID Connect Core §6): a request as a signed JWT, by value or by reference.
//!
//! What stands in a request object is the whole request: a parameter beside it does not count, whatever it says
//! (RFC 9101 §6.3). Its signature is verified elsewhere; here it is asked what it is, whose, for whom and when.

use serde_json::{Map, Value};
use url::Url;

use crate::client::Client;
use crate::numeric_date::{NumericDate, Seconds};
use crate::params::{Params, RepeatedParameter};
use crate::refusal::{ErrorCode, Refuse};
use crate::unverified_claims::{FURTHEST_AHEAD, WrongType, date, text};

/// How our own `request_uri`s begin (RFC 9126 §2.2).
pub const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";
/// The longest `request_uri` (RFC 9101 §5.2).
pub const LONGEST_REQUEST_URI: usize = 512;
/// The media types of a request object (RFC 9101 §9.2); plain text is what servers of files say of a `.jwt`.
pub const MEDIA_TYPES: [&str; 3] = ["application/oauth-authz-req+jwt", "application/jwt", "text/plain"];
/// How long after its `exp` an object still counts, because clocks differ.
const SKEW: Seconds = Seconds(10);

/// How a request comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form<'a> {
    /// As parameters.
    Plain,
    /// As a request object, in `request`.
    Value(&'a str),
    /// As a reference that this server gave out for a pushed request (RFC 9126).
    Pushed(&'a str),
    /// As a reference to a request object somewhere else (RFC 9101 §5.2).
    Reference(&'a str),
}

/// Why a request object, or a reference to one, was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RequestObjectRefused {
    /// `request` or `request_uri` more than once.
    #[error(transparent)]
    Repeated(#[from] RepeatedParameter),
    /// `request` beside `request_uri` (RFC 9101 §5).
    #[error("request and request_uri must not be sent together")]
    Both,
    /// A plain request where it must be a signed one (RFC 9101 §10.5).
    #[error("this client must sign its requests: send them as a request object (RFC 9101)")]
    NotSigned,
    /// `alg` is `none` (RFC 9101 §5, §10.1).
    #[error("request objects must be signed; alg none is not supported")]
    Unsigned,
    /// An algorithm that is not known, not the registered one, or not permitted by the profile.
    #[error("the request object is signed with an algorithm that is not permitted for this client")]
    WrongAlg,
    /// Not a JWT that a key of the client signed.
    #[error("the request object is no JWT that a registered key of this client signed")]
    NotVerified,
    /// A `typ` of something else (RFC 9101 §10.8).
    #[error("typ of a request object must be oauth-authz-req+jwt, JWT or absent")]
    WrongType,
    /// `client_id` inside is not the one outside (RFC 9101 §6.3).
    #[error("client_id in the request object must be there, and the same as outside")]
    Client,
    /// `iss` is somebody else.
    #[error("iss of a request object must be the client_id")]
    Issuer,
    /// A `sub`: this is a credential and no request (RFC 9101 §10.8).
    #[error("a request object must not have the client_id as sub")]
    Subject,
    /// `aud` does not name this server.
    #[error("aud of the request object must hold the issuer identifier")]
    Audience,
    /// `exp` is missing where it must be there, or has passed.
    #[error("the request object has expired, or lacks exp")]
    Expired,
    /// `nbf` is missing where it must be there, or lies too long ago.
    #[error("nbf of the request object is missing, or lies too long ago")]
    TooOld,
    /// From `nbf` to `exp` it is too long.
    #[error("the request object lives too long from nbf to exp")]
    LivesTooLong,
    /// `nbf` or `iat` lies in the future.
    #[error("nbf or iat of the request object lies in the future; check the clock")]
    FromTheFuture,
    /// `request` or `request_uri` inside (RFC 9101 §4).
    #[error("a request object must not hold request or request_uri")]
    Nested,
    /// A claim of the wrong JSON type, or too many or too long ones.
    #[error("a claim of the request object has the wrong JSON type, or is too long")]
    Claims,
    /// A reference to a place that is not registered, or not a URL.
    #[error("request_uri must be one that this server gave out, or one that this client registered")]
    NotRegistered,
    /// Nothing, or nothing that is a request object, was found there.
    #[error("no request object was found at request_uri")]
    NotFound,
}

impl Refuse for RequestObjectRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Repeated(_) | Self::Both | Self::NotSigned => ErrorCode::InvalidRequest,
            Self::Unsigned => ErrorCode::RequestNotSupported,
            Self::NotRegistered | Self::NotFound => ErrorCode::InvalidRequestUri,
            _ => ErrorCode::InvalidRequestObject,
        }
    }
}

impl From<WrongType> for RequestObjectRefused {
    fn from(_: WrongType) -> Self {
        Self::Claims
    }
}

impl<'a> Form<'a> {
    /// How this request comes.
    ///
    /// # Errors
    /// [`RequestObjectRefused`] where it comes in two ways at once.
    pub fn of(params: &'a Params) -> Result<Self, RequestObjectRefused> {
        match (params.once("request")?, params.once("request_uri")?) {
            (None, None) => Ok(Self::Plain),
            (Some(object), None) => Ok(Self::Value(object)),
            (None, Some(uri)) if uri.starts_with(PUSHED) => Ok(Self::Pushed(uri)),
            (None, Some(uri)) => Ok(Self::Reference(uri)),
            (Some(_), Some(_)) => Err(RequestObjectRefused::Both),
        }
    }
}

/// Checks that a request of `client` may come unsigned.
///
/// # Errors
/// [`RequestObjectRefused::NotSigned`] where it may not.
pub fn check_signed(client: &Client, signed: bool) -> Result<(), RequestObjectRefused> {
    if client.needs_signed_requests() && !signed { Err(RequestObjectRefused::NotSigned) } else { Ok(()) }
}

/// The place of the request object that `uri` refers to: one that the client registered. A fragment, which may hold
/// the hash of what is there (OpenID Connect Core §6.2), can differ.
///
/// # Errors
/// [`RequestObjectRefused::NotRegistered`] for every other place: nobody makes this server ask there.
pub fn find_place(client: &Client, uri: &str) -> Result<Url, RequestObjectRefused> {
    let refused = RequestObjectRefused::NotRegistered;
    if uri.len() > LONGEST_REQUEST_URI {
        return Err(refused);
    }
    let without_fragment = |mut url: Url| {
        url.set_fragment(None);
        url
    };
    let place = without_fragment(Url::parse(uri).map_err(|_| refused)?);
    let mut registered = client.metadata.request_uris.iter().cloned().map(without_fragment);
    registered.find(|one| *one == place).ok_or(refused)
}

/// What is known where a request object comes in.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Whose request it is said to be: by `client_id` beside it, or by client authentication (RFC 9126 §3).
    pub client: &'a Client,
    /// Our issuer identifier.
    pub issuer: &'a str,
    /// Now.
    pub now: NumericDate,
}

/// Checks the header before any key is tried (RFC 9101 §6.2, §10.8).
///
/// # Errors
/// [`RequestObjectRefused`], `request_not_supported` where it is not signed at all.
pub fn check_header(header: &Map<String, Value>, client: &Client) -> Result<(), RequestObjectRefused> {
    let alg = text(header, "alg").ok().flatten().unwrap_or_default();
    if alg == "none" {
        return Err(RequestObjectRefused::Unsigned);
    }
    let alg = crate::client::SigningAlg::find(alg).ok_or(RequestObjectRefused::WrongAlg)?;
    let registered = client.metadata.request_object_signing_alg.is_none_or(|registered| registered == alg);
    if !registered || !client.profile.rules().signing_algs.contains(&alg) {
        return Err(RequestObjectRefused::WrongAlg);
    }
    let Ok(typ) = text(header, "typ") else { return Err(RequestObjectRefused::WrongType) };
    let known = |typ: &str| {
        let bare = match typ.get(..12) {
            Some(prefix) if prefix.eq_ignore_ascii_case("application/") => &typ[12..],
            _ => typ,
        };
        bare.eq_ignore_ascii_case("oauth-authz-req+jwt") || bare.eq_ignore_ascii_case("JWT")
    };
    if typ.is_none_or(known) { Ok(()) } else { Err(RequestObjectRefused::WrongType) }
}

/// Reads the request out of the claims of an object whose signature was verified. The parameters that come back are
/// those of the object, and no others.
///
/// # Errors
/// [`RequestObjectRefused`] with the first question that it fails.
pub fn parameters(
    claims: &Map<String, Value>,
    expected: Expected<'_>,
) -> Result<Params, RequestObjectRefused> {
    let Expected { client, issuer, now } = expected;
    if text(claims, "client_id")? != Some(client.id.as_str()) {
        return Err(RequestObjectRefused::Client);
    }
    if text(claims, "iss")?.is_some_and(|iss| iss != client.id.as_str()) {
        return Err(RequestObjectRefused::Issuer);
    }
    if claims.get("sub").is_some_and(|sub| sub == client.id.as_str()) {
        return Err(RequestObjectRefused::Subject);
    }
    let life = client.profile.rules().request_object_life;
    check_audience(claims, issuer, life.is_some())?;
    check_times(claims, life, now)?;
    if claims.contains_key("request") || claims.contains_key("request_uri") {
        return Err(RequestObjectRefused::Nested);
    }
    let mut pairs = Vec::new();
    for (name, value) in claims.iter().filter(|(name, _)| !OF_THE_JWT.contains(&name.as_str())) {
        read(name, value, &mut pairs)?;
    }
    if pairs.iter().any(|(name, value): &(String, String)| name.contains('\0') || value.contains('\0')) {
        return Err(RequestObjectRefused::Claims);
    }
    Params::try_from(pairs).map_err(|_| RequestObjectRefused::Claims)
}

/// Where the client may be told that its object, the signature of which was verified, was refused: what stands in it
/// of the way back. None where it is not this client's request at all.
#[must_use]
pub fn way_back(claims: &Map<String, Value>, client: &Client) -> Option<Params> {
    let says = |name: &str| claims.get(name).and_then(Value::as_str);
    if says("client_id") != Some(client.id.as_str()) || says("sub") == Some(client.id.as_str()) {
        return None;
    }
    let named = ["redirect_uri", "state", "response_mode"].into_iter();
    let pairs = named.filter_map(|name| Some((name.to_owned(), says(name)?.to_owned())));
    let pairs: Vec<_> = pairs.filter(|(_, value)| !value.contains('\0')).collect();
    Params::try_from(pairs).ok()
}

/// Claims of the JWT itself, which are no parameters (RFC 7519 §4.1).
const OF_THE_JWT: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

fn check_audience(
    claims: &Map<String, Value>,
    issuer: &str,
    needed: bool,
) -> Result<(), RequestObjectRefused> {
    let fits = match claims.get("aud") {
        None => !needed,
        Some(Value::String(aud)) => aud == issuer,
        Some(Value::Array(all)) => all.iter().any(|aud| aud == issuer),
        Some(_) => false,
    };
    if fits { Ok(()) } else { Err(RequestObjectRefused::Audience) }
}

/// `exp`, `nbf` and `iat` hold where they stand; with a longest `life` the first two must (FAPI 2.0 Message Signing
/// §5.3.1).
fn check_times(
    claims: &Map<String, Value>,
    life: Option<Seconds>,
    now: NumericDate,
) -> Result<(), RequestObjectRefused> {
    let (exp, nbf) = (date(claims, "exp")?, date(claims, "nbf")?);
    let ahead = |moment: NumericDate| moment.since(now) > FURTHEST_AHEAD;
    if nbf.is_some_and(ahead) || date(claims, "iat")?.is_some_and(ahead) {
        return Err(RequestObjectRefused::FromTheFuture);
    }
    if exp.is_some_and(|exp| exp.plus(SKEW).is_over(now)) {
        return Err(RequestObjectRefused::Expired);
    }
    let Some(life) = life else { return Ok(()) };
    let exp = exp.ok_or(RequestObjectRefused::Expired)?;
    let nbf = nbf.filter(|nbf| now.since(*nbf) <= life).ok_or(RequestObjectRefused::TooOld)?;
    if exp.since(nbf) > life { Err(RequestObjectRefused::LivesTooLong) } else { Ok(()) }
}

/// A claim as parameters (RFC 9101 §4): a text as it is, a number of seconds as its digits, JSON as JSON, and every
/// `resource` by itself. What no parameter can be is refused for the parameters that are known, and passed over for
/// the others.
fn read(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) -> Result<(), RequestObjectRefused> {
    let mut put = |text: String| pairs.push((name.to_owned(), text));
    match (name, value) {
        (_, Value::String(text)) => put(text.clone()),
        ("max_age", Value::Number(seconds)) => put(seconds.to_string()),
        ("claims" | "registration", Value::Object(_)) | ("authorization_details", Value::Array(_)) => {
            put(value.to_string());
        }
        ("resource", Value::Array(all)) => {
            for one in all {
                put(one.as_str().ok_or(RequestObjectRefused::Claims)?.to_owned());
            }
        }
        (name, _) if TEXTS.contains(&name) => return Err(RequestObjectRefused::Claims),
        _ => {}
    }
    Ok(())
}

/// The parameters that are known here: each must be what it is.
const TEXTS: [&str; 23] = [
    "client_id",
    "response_type",
    "redirect_uri",
    "scope",
    "state",
    "response_mode",
    "nonce",
    "prompt",
    "display",
    "max_age",
    "ui_locales",
    "claims_locales",
    "id_token_hint",
    "login_hint",
    "acr_values",
    "code_challenge",
    "code_challenge_method",
    "dpop_jkt",
    "requested_actor",
    "claims",
    "authorization_details",
    "resource",
    "registration",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::RequestObjectRefused as No;
    use super::*;

    const ISSUER: &str = "https://as.example";
    const NOW: NumericDate = NumericDate(1_000_000);

    fn client(more: Value) -> Client {
        let mut client = json!({
            "id": "c", "name": "C", "kind": "application", "grant_types": [], "scope": "", "status": "active",
            "authentication": "private_key_jwt", "id_token_signed_response_alg": "ES256",
        });
        client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(client).unwrap()
    }

    fn strict() -> Client {
        client(json!({"profile": "fapi2-message-signing"}))
    }

    fn good() -> Value {
        json!({
            "iss": "c", "aud": ISSUER, "exp": NOW.0 + 300, "nbf": NOW.0, "iat": NOW.0, "jti": "j",
            "client_id": "c", "response_type": "code", "state": "s",
        })
    }

    fn read_as(client: &Client, name: &str, value: Value) -> Result<Params, No> {
        let mut claims = good();
        claims[name] = value;
        let claims: Map<_, _> =
            claims.as_object().unwrap().clone().into_iter().filter(|(_, v)| !v.is_null()).collect();
        parameters(&claims, Expected { client, issuer: ISSUER, now: NOW })
    }

    fn no(client: &Client, name: &str, value: Value) -> No {
        read_as(client, name, value).unwrap_err()
    }

    #[test]
    fn a_request_comes_in_one_way() {
        let params = |form: &str| Params::parse(form.as_bytes()).unwrap();
        assert_eq!(Form::of(&params("scope=a")), Ok(Form::Plain));
        assert_eq!(Form::of(&params("request=x")), Ok(Form::Value("x")));
        let pushed = format!("request_uri={PUSHED}x");
        assert!(matches!(Form::of(&params(&pushed)), Ok(Form::Pushed(_))));
        assert!(matches!(Form::of(&params("request_uri=https://c.example/r")), Ok(Form::Reference(_))));
        assert_eq!(Form::of(&params("request=x&request_uri=y")), Err(No::Both));
        assert!(matches!(Form::of(&params("request=x&request=x")), Err(No::Repeated(_))));
        assert_eq!(No::Both.code(), ErrorCode::InvalidRequest);
    }

    #[test]
    fn a_client_that_must_sign_may_not_ask_plainly() {
        let plain = client(json!({}));
        let registered = client(json!({"metadata": {"require_signed_request_object": true}}));
        assert_eq!(check_signed(&plain, false), Ok(()));
        for client in [registered, strict()] {
            assert_eq!(check_signed(&client, false), Err(No::NotSigned));
            assert_eq!(check_signed(&client, true), Ok(()));
        }
        assert_eq!(No::NotSigned.code(), ErrorCode::InvalidRequest);
    }

    #[test]
    fn only_registered_places_are_asked() {
        let client = client(
            json!({"metadata": {"request_uris": ["https://c.example/r.jwt#hash", "https://c.example/s"]}}),
        );
        for known in ["https://c.example/r.jwt", "https://c.example/r.jwt#hash", "https://c.example/s#other"]
        {
            assert!(find_place(&client, known).is_ok(), "{known}");
        }
        let long = format!("https://c.example/{}", "x".repeat(600));
        for unknown in
            ["https://c.example/r.jwt?x", "http://c.example/s", "https://evil.example/s", "x", &long]
        {
            assert_eq!(find_place(&client, unknown), Err(No::NotRegistered), "{unknown}");
        }
        assert_eq!(No::NotRegistered.code(), ErrorCode::InvalidRequestUri);
    }

    #[test]
    fn only_a_registered_algorithm_signs_and_none_never() {
        let header = |alg: &str| json!({"alg": alg}).as_object().unwrap().clone();
        let free = client(json!({}));
        let registered = client(json!({"metadata": {"request_object_signing_alg": "PS256"}}));
        assert_eq!(check_header(&header("RS256"), &free), Ok(()));
        assert_eq!(check_header(&header("PS256"), &registered), Ok(()));
        assert_eq!(check_header(&header("ES256"), &registered), Err(No::WrongAlg));
        assert_eq!(check_header(&header("RS256"), &strict()), Err(No::WrongAlg));
        for alg in ["HS256", "None", ""] {
            assert_eq!(check_header(&header(alg), &free), Err(No::WrongAlg), "{alg}");
        }
        assert_eq!(check_header(&header("none"), &free), Err(No::Unsigned));
        assert_eq!(No::Unsigned.code(), ErrorCode::RequestNotSupported);
    }

    #[test]
    fn only_the_type_of_a_request_is_one() {
        let with = |typ: Value| {
            let header = json!({"alg": "ES256", "typ": typ});
            check_header(header.as_object().unwrap(), &client(json!({})))
        };
        for typ in ["oauth-authz-req+jwt", "application/oauth-authz-req+jwt", "JWT", "jwt"] {
            assert_eq!(with(typ.into()), Ok(()), "{typ}");
        }
        for typ in ["dpop+jwt", "at+jwt", "client-authentication+jwt", "", "é", "application/"] {
            assert_eq!(with(typ.into()), Err(No::WrongType), "{typ}");
        }
        assert_eq!(with(json!(1)), Err(No::WrongType));
    }

    #[test]
    fn client_issuer_and_audience_are_who_they_must_be() {
        let plain = client(json!({}));
        for (name, wrong, reason) in [
            ("client_id", json!("other"), No::Client),
            ("client_id", Value::Null, No::Client),
            ("iss", json!("other"), No::Issuer),
            ("sub", json!("c"), No::Subject),
            ("aud", json!("https://other.example"), No::Audience),
            ("aud", json!(["https://other.example"]), No::Audience),
            ("aud", json!({}), No::Audience),
        ] {
            assert_eq!(no(&plain, name, wrong), reason, "{name}");
            assert_eq!(reason.code(), ErrorCode::InvalidRequestObject);
        }
        for (name, right) in [("iss", Value::Null), ("aud", Value::Null), ("aud", json!([ISSUER, "x"]))] {
            assert!(read_as(&plain, name, right.clone()).is_ok(), "{name}: {right}");
        }
        assert_eq!(no(&strict(), "aud", Value::Null), No::Audience);
        assert!(read_as(&strict(), "aud", json!(["x", ISSUER])).is_ok());
    }

    #[test]
    fn times_hold_where_they_stand() {
        let plain = client(json!({}));
        for (name, at, expected) in [
            ("exp", -9, None),
            ("exp", -10, Some(No::Expired)),
            ("exp", 1_000_000, None),
            ("nbf", 60, None),
            ("nbf", 61, Some(No::FromTheFuture)),
            ("iat", 61, Some(No::FromTheFuture)),
            ("nbf", -1_000_000, None),
        ] {
            assert_eq!(read_as(&plain, name, json!(NOW.0 + at)).err(), expected, "{name} {at}");
        }
        for name in ["exp", "nbf", "iat"] {
            assert!(read_as(&plain, name, Value::Null).is_ok());
            assert_eq!(no(&plain, name, json!("soon")), No::Claims);
        }
    }

    #[test]
    fn with_a_longest_life_both_ends_must_be_there_and_near() {
        let strict = strict();
        for (name, value, expected) in [
            ("exp", Value::Null, Some(No::Expired)),
            ("nbf", Value::Null, Some(No::TooOld)),
            ("exp", json!(NOW.0 + 3600), None),
            ("exp", json!(NOW.0 + 3601), Some(No::LivesTooLong)),
            ("nbf", json!(NOW.0 - 3300), None),
            ("nbf", json!(NOW.0 - 3301), Some(No::LivesTooLong)),
            ("nbf", json!(NOW.0 - 3601), Some(No::TooOld)),
            ("nbf", json!(NOW.0 + 8), None),
        ] {
            assert_eq!(read_as(&strict, name, value.clone()).err(), expected, "{name} {value}");
        }
    }

    #[test]
    fn the_way_back_stands_in_the_object_and_only_a_request_of_the_client_has_one() {
        let client = client(json!({}));
        let way = |claims: Value| way_back(claims.as_object().unwrap(), &client).map(Vec::from);
        let mut claims = good();
        claims["redirect_uri"] = "https://c.example/cb".into();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = vec![pair("redirect_uri", "https://c.example/cb"), pair("state", "s")];
        assert_eq!(way(claims.clone()), Some(expected));
        for (name, other) in [("client_id", "d"), ("sub", "c")] {
            let mut claims = claims.clone();
            claims[name] = other.into();
            assert_eq!(way(claims), None, "{name}");
        }
    }

    #[test]
    fn an_object_within_an_object_is_refused() {
        for name in ["request", "request_uri"] {
            assert_eq!(no(&client(json!({})), name, json!("x")), No::Nested);
        }
    }

    #[test]
    fn json_stays_json_and_a_number_of_seconds_is_a_number() {
        let plain = client(json!({}));
        let read = |name: &'static str, value: Value| {
            let params = read_as(&plain, name, value).unwrap();
            params.every(name).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(read("max_age", json!(10)), ["10"]);
        assert_eq!(read("claims", json!({"userinfo": {"name": null}})), [r#"{"userinfo":{"name":null}}"#]);
        assert_eq!(read("authorization_details", json!([{"type": "t"}])), [r#"[{"type":"t"}]"#]);
        assert_eq!(read("resource", json!(["urn:a", "urn:b"])), ["urn:a", "urn:b"]);
        assert_eq!(read("extra", json!(5)), Vec::<String>::new());
        for (name, value) in [
            ("state", json!(5)),
            ("scope", json!(["a"])),
            ("redirect_uri", json!({})),
            ("resource", json!([1])),
            ("claims", json!(true)),
            ("state", json!("a\u{0}")),
            ("state", json!("x".repeat(20_001))),
        ] {
            assert_eq!(no(&plain, name, value), No::Claims, "{name}");
        }
    }

    #[test]
    fn what_belongs_to_the_jwt_is_no_parameter() {
        let params = read_as(&client(json!({})), "state", json!("s")).unwrap();
        assert_eq!(params.once("state"), Ok(Some("s")));
        for name in OF_THE_JWT {
            assert_eq!(params.every(name).count(), 0, "{name}");
        }
    }
}

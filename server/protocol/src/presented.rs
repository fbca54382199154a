//! What a caller presents to say which client it is (RFC 6749 §2.3, RFC 7521 §4.2). Nothing of it is proven here;
//! it is only made sure that it is one thing and not two.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::AuthMethod;
use crate::client_assertion::ASSERTION_TYPE;
use crate::credentials::is_token68;
use crate::identifier::ClientId;
use crate::params::{self, Params, RepeatedParameter};
use crate::presented_secret::PresentedSecret;
use crate::refusal::{ErrorCode, Refuse};
use crate::workload::spiffe;

/// The parameters that say who is calling; they are no part of what is asked for and are not kept with it.
pub const CREDENTIAL_PARAMETERS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// What was presented.
#[derive(Clone, Debug)]
pub enum Presented {
    /// `client_secret_basic` (RFC 6749 §2.3.1).
    Basic {
        /// The user name of the Basic scheme.
        client_id: ClientId,
        /// Its password.
        secret: PresentedSecret,
    },
    /// `client_secret_post` (RFC 6749 §2.3.1).
    Post {
        /// `client_id`.
        client_id: ClientId,
        /// `client_secret`.
        secret: PresentedSecret,
    },
    /// A JWT: the client's own (RFC 7523 §2.2), or one of the platform that it runs on.
    Assertion {
        /// What `client_assertion_type` says it is.
        kind: AssertionKind,
        /// `client_assertion`.
        assertion: PresentedSecret,
        /// `client_id`, which then must name the client of the assertion; see [`check_same`].
        client_id: Option<ClientId>,
    },
    /// A `client_id` alone: no authentication, enough for a public client.
    PublicId(ClientId),
    /// Nothing at all.
    Nothing,
}

/// What a client assertion is (`client_assertion_type`, RFC 7521 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AssertionKind {
    /// `jwt-bearer` (RFC 7523 §2.2).
    JwtBearer,
    /// `jwt-spiffe`: a JWT-SVID (OAuth SPIFFE Client Authentication §3.1).
    JwtSpiffe,
}

/// Why what was presented is refused before anything is looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PresentedRefused {
    /// A parameter came more than once.
    #[error(transparent)]
    Repeated(#[from] RepeatedParameter),
    /// More than one way to authenticate (RFC 6749 §2.3).
    #[error("use one client authentication method per request, not several")]
    SeveralMethods,
    /// An `Authorization` header that is not Basic.
    #[error("the Authorization scheme is not supported for client authentication")]
    Scheme,
    /// Basic credentials that do not decode.
    #[error("the Basic credentials must be base64 of the form-urlencoded client_id, a colon and the secret")]
    MalformedBasic,
    /// `client_secret` without `client_id`.
    #[error("client_id is required beside client_secret")]
    ClientIdMissing,
    /// A `client_id` that can be none.
    #[error("client authentication failed")]
    NotAClientId,
    /// `client_id` names another client than the credentials.
    #[error("client_id is not the client of the credentials")]
    OtherClientId,
    /// `client_assertion_type` is none that there is (RFC 7521 §4.2).
    #[error(
        "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer, or jwt-spiffe"
    )]
    AssertionType,
    /// One of `client_assertion` and `client_assertion_type` without the other.
    #[error("client_assertion and client_assertion_type must come together")]
    HalfAnAssertion,
}

impl Refuse for PresentedRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Repeated(_) | Self::SeveralMethods | Self::ClientIdMissing | Self::HalfAnAssertion => {
                ErrorCode::InvalidRequest
            }
            Self::Scheme
            | Self::MalformedBasic
            | Self::NotAClientId
            | Self::OtherClientId
            | Self::AssertionType => ErrorCode::InvalidClient,
        }
    }
}

impl Presented {
    /// Reads the `Authorization` header, if there is one, and the parameters of a request.
    ///
    /// # Errors
    /// [`PresentedRefused`] where it is more than one thing, or none that can be read.
    pub fn read(authorization: Option<&str>, params: &Params) -> Result<Self, PresentedRefused> {
        let client_id = params.once("client_id")?.map(client_id).transpose()?;
        let secret = params.once("client_secret")?.map(PresentedSecret::from);
        match (authorization, secret, assertion(params)?) {
            (Some(header), None, None) => {
                let (name, secret) = basic(header)?;
                check_same(client_id.as_ref(), &name)?;
                Ok(Self::Basic { client_id: name, secret })
            }
            (None, Some(secret), None) => {
                let client_id = client_id.ok_or(PresentedRefused::ClientIdMissing)?;
                Ok(Self::Post { client_id, secret })
            }
            (None, None, Some((kind, assertion))) => Ok(Self::Assertion { kind, assertion, client_id }),
            (None, None, None) => Ok(client_id.map_or(Self::Nothing, Self::PublicId)),
            _ => Err(PresentedRefused::SeveralMethods),
        }
    }

    /// Whether this is how a client authenticates that registered this method. A `client_id` alone is enough for a public
    /// client, and for one that proves itself beside the parameters: with a certificate.
    #[must_use]
    pub fn is(&self, registered: AuthMethod) -> bool {
        match self {
            Self::Basic { .. } => registered == AuthMethod::ClientSecretBasic,
            Self::Post { .. } => registered == AuthMethod::ClientSecretPost,
            Self::Assertion { kind: AssertionKind::JwtBearer, .. } => {
                matches!(registered, AuthMethod::PrivateKeyJwt | AuthMethod::WorkloadJwt)
            }
            Self::Assertion { kind: AssertionKind::JwtSpiffe, .. } => registered == AuthMethod::SpiffeJwt,
            Self::PublicId(_) => registered == AuthMethod::None || registered.needs_certificate(),
            Self::Nothing => false,
        }
    }
}

/// Checks that a `client_id` parameter, if sent, names the client that the credentials name (RFC 7521 §4.2).
///
/// # Errors
/// [`PresentedRefused::OtherClientId`] where it names another.
pub fn check_same(parameter: Option<&ClientId>, client: &ClientId) -> Result<(), PresentedRefused> {
    if parameter.is_none_or(|named| named == client) { Ok(()) } else { Err(PresentedRefused::OtherClientId) }
}

fn client_id(text: &str) -> Result<ClientId, PresentedRefused> {
    text.parse().map_err(|_| PresentedRefused::NotAClientId)
}

fn assertion(params: &Params) -> Result<Option<(AssertionKind, PresentedSecret)>, PresentedRefused> {
    let kind = match params.once("client_assertion_type")? {
        None => None,
        Some(ASSERTION_TYPE) => Some(AssertionKind::JwtBearer),
        Some(spiffe::ASSERTION_TYPE) => Some(AssertionKind::JwtSpiffe),
        Some(_) => return Err(PresentedRefused::AssertionType),
    };
    match (params.once("client_assertion")?, kind) {
        (None, None) => Ok(None),
        (Some(assertion), Some(kind)) => Ok(Some((kind, assertion.into()))),
        _ => Err(PresentedRefused::HalfAnAssertion),
    }
}

/// `Basic` and the base64 of id and secret, each form-urlencoded before they were joined (RFC 6749 §2.3.1).
fn basic(header: &str) -> Result<(ClientId, PresentedSecret), PresentedRefused> {
    let (scheme, encoded) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(PresentedRefused::Scheme);
    }
    let joined = Some(encoded).filter(|e| is_token68(e)).and_then(|e| STANDARD.decode(e).ok());
    let joined = joined.ok_or(PresentedRefused::MalformedBasic)?;
    let colon = joined.iter().position(|b| *b == b':').ok_or(PresentedRefused::MalformedBasic)?;
    let half = |bytes| params::decode(bytes).map_err(|_| PresentedRefused::MalformedBasic);
    let secret = half(&joined[colon + 1..])?;
    if secret.is_empty() {
        return Err(PresentedRefused::MalformedBasic);
    }
    Ok((client_id(&half(&joined[..colon])?)?, secret.as_str().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSERTION: &str = "client_assertion=a.b.c&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

    fn read(header: Option<&str>, form: &str) -> Result<Presented, PresentedRefused> {
        Presented::read(header, &Params::parse(form.as_bytes()).unwrap())
    }

    fn header(joined: &str) -> String {
        format!("Basic {}", STANDARD.encode(joined))
    }

    #[test]
    fn basic_credentials_are_form_decoded_after_base64() {
        let sent = header("a%3Ab:a%3Ab%25%2Bc+%C3%A9");
        let Presented::Basic { client_id, secret } = read(Some(&sent), "").unwrap() else { panic!() };
        assert_eq!((client_id.as_str(), secret.reveal()), ("a:b", "a:b%+c é"));
    }

    #[test]
    fn the_first_colon_divides_id_and_secret() {
        let sent = header("a:b:c").replace("Basic", "bAsIc");
        let Presented::Basic { client_id, secret } = read(Some(&sent), "client_id=a").unwrap() else {
            panic!()
        };
        assert_eq!((client_id.as_str(), secret.reveal()), ("a", "b:c"));
    }

    #[test]
    fn a_secret_in_the_body_needs_a_client_id() {
        assert!(matches!(read(None, "client_id=a&client_secret=b"), Ok(Presented::Post { .. })));
        assert_eq!(read(None, "client_secret=b").err(), Some(PresentedRefused::ClientIdMissing));
    }

    #[test]
    fn an_assertion_comes_with_its_type() {
        let sent = format!("{ASSERTION}&client_id=a");
        let Presented::Assertion { kind, assertion, client_id } = read(None, &sent).unwrap() else {
            panic!()
        };
        assert_eq!(kind, AssertionKind::JwtBearer);
        assert_eq!((assertion.reveal(), client_id.unwrap().as_str()), ("a.b.c", "a"));
        assert_eq!(read(None, "client_assertion=a.b.c").err(), Some(PresentedRefused::HalfAnAssertion));
        let type_alone = ASSERTION.replace("client_assertion=a.b.c&", "");
        assert_eq!(read(None, &type_alone).err(), Some(PresentedRefused::HalfAnAssertion));
        let other = ASSERTION.replace("jwt-bearer", "saml2-bearer");
        let refused = read(None, &other).err().unwrap();
        assert_eq!((refused, refused.code()), (PresentedRefused::AssertionType, ErrorCode::InvalidClient));
    }

    #[test]
    fn an_assertion_is_of_the_kind_that_its_type_says() {
        let own = read(None, ASSERTION).unwrap();
        let svid = read(None, &ASSERTION.replace("jwt-bearer", "jwt-spiffe")).unwrap();
        for (method, of_own, of_svid) in [
            (AuthMethod::PrivateKeyJwt, true, false),
            (AuthMethod::WorkloadJwt, true, false),
            (AuthMethod::SpiffeJwt, false, true),
            (AuthMethod::SpiffeX509, false, false),
            (AuthMethod::None, false, false),
        ] {
            assert_eq!((own.is(method), svid.is(method)), (of_own, of_svid), "{method:?}");
        }
    }

    #[test]
    fn two_methods_at_once_are_refused() {
        let basic = header("a:b");
        for (header, form) in [
            (Some(basic.as_str()), "client_id=a&client_secret=b"),
            (Some(basic.as_str()), ASSERTION),
            (Some("Bearer x"), "client_id=a&client_secret=b"),
            (None, &format!("{ASSERTION}&client_id=a&client_secret=b")),
        ] {
            let refused = read(header, form).err().unwrap();
            assert_eq!(
                (refused, refused.code()),
                (PresentedRefused::SeveralMethods, ErrorCode::InvalidRequest)
            );
        }
    }

    #[test]
    fn a_client_id_alone_authenticates_nobody() {
        let named = read(None, "client_id=a").unwrap();
        assert!(named.is(AuthMethod::None) && named.is(AuthMethod::TlsClientAuth));
        for method in AuthMethod::ALL {
            let alone = method == AuthMethod::None || method.needs_certificate();
            assert_eq!(named.is(method), alone, "{method:?}");
            assert!(!read(None, "").unwrap().is(method));
        }
        assert_eq!(read(None, "client_id=a+b").err(), Some(PresentedRefused::NotAClientId));
    }

    #[test]
    fn another_client_id_than_that_of_the_credentials_is_refused() {
        assert_eq!(read(Some(&header("a:b")), "client_id=c").err(), Some(PresentedRefused::OtherClientId));
        let [a, b]: [ClientId; 2] = ["a", "b"].map(|id| id.parse().unwrap());
        assert_eq!(check_same(Some(&a), &b), Err(PresentedRefused::OtherClientId));
        assert_eq!((check_same(Some(&a), &a), check_same(None, &a)), (Ok(()), Ok(())));
    }

    #[test]
    fn what_is_not_basic_is_refused() {
        for bad in [
            "Basic",
            "Basic !",
            "Basic  YTpi",
            &header("ab"),
            &header("a:"),
            &header("a:%zz"),
            &header("a:\u{0}"),
        ] {
            assert_eq!(read(Some(bad), "").err(), Some(PresentedRefused::MalformedBasic), "{bad}");
        }
        assert_eq!(read(Some("Bearer x"), "").err(), Some(PresentedRefused::Scheme));
    }

    #[test]
    fn secrets_do_not_print() {
        for (header, form) in [(Some(header("a:hush")), ""), (None, "client_id=a&client_secret=hush")] {
            assert!(!format!("{:?}", read(header.as_deref(), form).unwrap()).contains("hush"));
        }
        let assertion = ASSERTION.replace("a.b.c", "hush");
        assert!(!format!("{:?}", read(None, &assertion).unwrap()).contains("hush"));
    }
}

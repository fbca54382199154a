//! Why a registration is refused (RFC 7591 §3.2.2).

use super::redirect_uris::UnfitRedirectUri;
use crate::logout::UnfitUri;
use crate::profile::NotPermitted;
use crate::public_jwk::InvalidJwk;
use crate::refusal::{ErrorCode, Refuse};

/// Why a registration is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RegistrationRefused {
    /// Not a JSON object, or one that names a member twice or nests too deep.
    #[error("send one JSON object in which no member stands twice")]
    NotAnObject,
    /// A text or a list that is too long.
    #[error("{0} is too long")]
    TooLong(Box<str>),
    /// A member that is not of its type, or has a value that this server does not support.
    #[error("{0} is malformed, or a value that this server does not support")]
    Member(&'static str),
    /// A redirect URI that must not be registered.
    #[error("{member} {why}")]
    RedirectUri {
        /// `redirect_uris` or `post_logout_redirect_uris`.
        member: &'static str,
        /// Why not.
        why: UnfitRedirectUri,
    },
    /// None, where responses would be sent to one (RFC 7591 §5).
    #[error("redirect_uris is empty; name one, or set grant_types without authorization_code")]
    NoRedirectUri,
    /// A native application with an `https` redirect URI (OpenID Connect Registration §2).
    #[error("redirect_uris of a native application have a scheme of its own, or are http to the loopback")]
    NativeHttps,
    /// `response_types` and `grant_types` do not fit (RFC 7591 §2.1).
    #[error("response_types and grant_types contradict each other: code goes with authorization_code")]
    ResponseTypes,
    /// No grant type is left that the client may have.
    #[error("grant_types names none that is permitted to this client")]
    GrantTypes,
    /// `jwks` and `jwks_uri` (RFC 7591 §2).
    #[error("send jwks or jwks_uri, not both")]
    TwoKeySources,
    /// A key that is none.
    #[error("jwks: {0}")]
    Key(#[from] InvalidJwk),
    /// Not a JWK Set of one to ten keys.
    #[error("jwks must be a JWK Set of one to ten keys")]
    NotAKeySet,
    /// Something needs keys, and there are none.
    #[error("{0} needs public keys: send jwks or jwks_uri")]
    NoKeys(&'static str),
    /// A URL that is not https.
    #[error("{0} must be an https URL without user name and fragment")]
    NotHttps(&'static str),
    /// `…_enc` without `…_alg` (OpenID Connect Registration §2).
    #[error("{0} needs the member that ends in _alg beside it")]
    EncWithoutAlg(&'static str),
    /// An address for logout or for sign-in that is unfit (OpenID Connect Front-Channel Logout §2 and others).
    #[error("{member} {why}")]
    LogoutUri {
        /// The member.
        member: &'static str,
        /// Why not.
        why: UnfitUri,
    },
    /// Names of a certificate, without `tls_client_auth` or not exactly one with it.
    #[error(
        "with tls_client_auth, send one of the members tls_client_auth_subject_dn and tls_client_auth_san_*"
    )]
    CertificateName,
    /// No address for notifications (CIBA §4).
    #[error("backchannel_client_notification_endpoint is missing: it is needed to ping and to push")]
    NoNotificationEndpoint,
    /// Pairwise subjects for redirect URIs of several hosts (OpenID Connect Core §8.1).
    #[error("redirect_uris have several hosts: with pairwise subjects, send sector_identifier_uri")]
    NoSector,
    /// The document at `sector_identifier_uri` does not say that the redirect URIs are one sector.
    #[error("sector_identifier_uri must give a JSON array that holds every redirect URI")]
    Sector,
    /// The profile for clients that register themselves is stricter.
    #[error("{}: {}", .0.member, .0.why)]
    NotPermitted(NotPermitted),
    /// A software statement that cannot be read, proven or believed any more.
    #[error("the software statement is malformed, over, or not signed by whom it names")]
    InvalidStatement,
    /// A software statement of somebody whom this server does not trust.
    #[error("the software statement is of an issuer that is not trusted here")]
    UnapprovedStatement,
    /// The client says something of itself that only this server does (RFC 7592 §2.2).
    #[error("{0} must not be sent")]
    NotTheirs(&'static str),
    /// `client_id` of an update is missing or another's (RFC 7592 §2.2).
    #[error("client_id must be that of the client whose registration this is")]
    OtherClient,
    /// `client_secret` of an update is not the current one (RFC 7592 §2.2).
    #[error("client_secret must be the current one, or left out")]
    OtherSecret,
}

impl Refuse for RegistrationRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::RedirectUri { member: "redirect_uris", .. } | Self::NoRedirectUri | Self::NativeHttps => {
                ErrorCode::InvalidRedirectUri
            }
            Self::InvalidStatement => ErrorCode::InvalidSoftwareStatement,
            Self::UnapprovedStatement => ErrorCode::UnapprovedSoftwareStatement,
            Self::NotPermitted(NotPermitted { member: "redirect_uris", .. }) => ErrorCode::InvalidRedirectUri,
            _ => ErrorCode::InvalidClientMetadata,
        }
    }
}

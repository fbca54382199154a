//! How a client proves who it is (RFC 6749 §2.3, RFC 7591 §2).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

/// How a client authenticates (RFC 7591 §2, `token_endpoint_auth_method`). One method per client: no other is tried.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// `none`: a public client (RFC 6749 §2.1).
    None,
    /// `client_secret_basic`; the SHA-256 of the secret, base64url.
    ClientSecretBasic {
        /// SHA-256 of the secret, base64url without padding.
        secret_sha256: String,
    },
    /// `client_secret_post`; likewise.
    ClientSecretPost {
        /// SHA-256 of the secret, base64url without padding.
        secret_sha256: String,
    },
    /// `private_key_jwt` (RFC 7523 §2.2, OpenID Connect Core §9), with the keys of [`Client::keys`](super::Client).
    PrivateKeyJwt,
    /// `tls_client_auth` (RFC 8705 §2.1): a certificate that an authority vouches for, with the one name that
    /// [`ClientMetadata`](super::ClientMetadata) holds.
    TlsClientAuth,
    /// `self_signed_tls_client_auth` (RFC 8705 §2.2): a certificate in `x5c` of one of [`Client::keys`](super::Client).
    SelfSignedTlsClientAuth,
}

/// `token_endpoint_auth_method` values, for discovery and error messages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// RFC 7591 §2.
    None,
    /// RFC 6749 §2.3.1.
    ClientSecretBasic,
    /// RFC 6749 §2.3.1.
    ClientSecretPost,
    /// OpenID Connect Core §9.
    PrivateKeyJwt,
    /// RFC 8705 §2.1.
    TlsClientAuth,
    /// RFC 8705 §2.2.
    SelfSignedTlsClientAuth,
}

impl AuthMethod {
    /// Every method, in the order discovery lists them.
    pub const ALL: [Self; 6] = [
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::None,
    ];

    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
        }
    }

    /// The methods that can be used where client certificates can be shown, or not, and where there are authorities
    /// that vouch for them, or not (RFC 8705 §2.1, §2.2).
    pub fn offered(certificates: bool, authorities: bool) -> impl Iterator<Item = Self> + Clone {
        Self::ALL.into_iter().filter(move |method| match method {
            Self::TlsClientAuth => certificates && authorities,
            Self::SelfSignedTlsClientAuth => certificates,
            _ => true,
        })
    }

    /// Whether the client proves itself with a certificate in the TLS handshake (RFC 8705 §2).
    #[must_use]
    pub const fn needs_certificate(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth)
    }
}

impl ClientAuthentication {
    /// The one method this client uses.
    #[must_use]
    pub const fn method(&self) -> AuthMethod {
        match self {
            Self::None => AuthMethod::None,
            Self::ClientSecretBasic { .. } => AuthMethod::ClientSecretBasic,
            Self::ClientSecretPost { .. } => AuthMethod::ClientSecretPost,
            Self::PrivateKeyJwt => AuthMethod::PrivateKeyJwt,
            Self::TlsClientAuth => AuthMethod::TlsClientAuth,
            Self::SelfSignedTlsClientAuth => AuthMethod::SelfSignedTlsClientAuth,
        }
    }
}

/// Where a client's public keys are (RFC 7591 §2): one place, never two.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// It has none.
    #[default]
    None,
    /// `jwks`: the JWK Set itself (RFC 7517 §5).
    Jwks(Value),
    /// `jwks_uri`: where the client publishes it.
    JwksUri(Url),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_wire_are_the_names_in_storage() {
        for method in AuthMethod::ALL {
            assert_eq!(serde_json::to_value(method).unwrap(), method.as_str());
        }
    }

    #[test]
    fn certificates_are_offered_only_where_they_can_be_shown_and_vouched_for() {
        for (certificates, authorities, offered) in [
            (false, false, &[][..]),
            (false, true, &[]),
            (true, false, &[AuthMethod::SelfSignedTlsClientAuth]),
            (true, true, &[AuthMethod::TlsClientAuth, AuthMethod::SelfSignedTlsClientAuth]),
        ] {
            let all = AuthMethod::offered(certificates, authorities);
            assert!(all.clone().filter(|method| method.needs_certificate()).eq(offered.iter().copied()));
            assert_eq!(all.count(), AuthMethod::ALL.len() - 2 + offered.len());
        }
    }
}

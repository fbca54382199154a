//! How a client proves who it is (RFC 6749 §2.3, RFC 7591 §2).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::workload::WorkloadIdentity;
use crate::workload::spiffe::SpiffePattern;

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
    /// `workload_jwt`: the token that the platform it runs on gave it, as client assertion (RFC 7523 §2.2).
    WorkloadJwt(WorkloadIdentity),
    /// `spiffe_jwt`: a JWT-SVID (OAuth SPIFFE Client Authentication §3.1).
    SpiffeJwt {
        /// Which workloads it is.
        spiffe_id: SpiffePattern,
    },
    /// `spiffe_x509`: an X509-SVID (OAuth SPIFFE Client Authentication §3.2).
    SpiffeX509 {
        /// Which workloads it is.
        spiffe_id: SpiffePattern,
    },
    /// `attest_jwt_client_auth`: whoever starts its instances vouches for the key of each, and the instance proves it
    /// (OAuth 2.0 Attestation-Based Client Authentication).
    AttestJwtClientAuth {
        /// The name of who vouches.
        attester: String,
    },
    /// `attest_jwt_client_auth_dpop`: likewise, and the proof is the DPoP proof of the same key.
    AttestJwtClientAuthDpop {
        /// The name of who vouches.
        attester: String,
    },
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
    /// The token of a platform, as client assertion (RFC 7523 §2.2).
    WorkloadJwt,
    /// OAuth SPIFFE Client Authentication §3.1.
    SpiffeJwt,
    /// OAuth SPIFFE Client Authentication §3.2.
    SpiffeX509,
    /// OAuth 2.0 Attestation-Based Client Authentication, with a proof of its own.
    AttestJwtClientAuth,
    /// OAuth 2.0 Attestation-Based Client Authentication, combined with DPoP.
    AttestJwtClientAuthDpop,
}

impl AuthMethod {
    /// Every method, in the order discovery lists them.
    pub const ALL: [Self; 11] = [
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
        Self::WorkloadJwt,
        Self::SpiffeJwt,
        Self::SpiffeX509,
        Self::AttestJwtClientAuth,
        Self::AttestJwtClientAuthDpop,
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
            Self::WorkloadJwt => "workload_jwt",
            Self::SpiffeJwt => "spiffe_jwt",
            Self::SpiffeX509 => "spiffe_x509",
            Self::AttestJwtClientAuth => "attest_jwt_client_auth",
            Self::AttestJwtClientAuthDpop => "attest_jwt_client_auth_dpop",
        }
    }

    /// The methods that any client can register for where client certificates can be shown, or not, and where there are
    /// authorities that vouch for them, or not (RFC 8705 §2.1, §2.2). Who runs on a platform is for the operator to say.
    pub fn offered(certificates: bool, authorities: bool) -> impl Iterator<Item = Self> + Clone {
        Self::ALL.into_iter().filter(move |method| match method {
            Self::TlsClientAuth => certificates && authorities,
            Self::SelfSignedTlsClientAuth => certificates,
            method => !method.is_of_platform(),
        })
    }

    /// Whether a platform or an attester vouches for the client, so that only the operator can say which client it vouches for.
    #[must_use]
    pub const fn is_of_platform(self) -> bool {
        matches!(self, Self::WorkloadJwt | Self::SpiffeJwt | Self::SpiffeX509) || self.is_attested()
    }

    /// Whether somebody vouches for the keys of the client's instances, one by one.
    #[must_use]
    pub const fn is_attested(self) -> bool {
        matches!(self, Self::AttestJwtClientAuth | Self::AttestJwtClientAuthDpop)
    }

    /// Whether the client proves itself with a certificate in the TLS handshake (RFC 8705 §2).
    #[must_use]
    pub const fn needs_certificate(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth | Self::SpiffeX509)
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
            Self::WorkloadJwt(_) => AuthMethod::WorkloadJwt,
            Self::SpiffeJwt { .. } => AuthMethod::SpiffeJwt,
            Self::SpiffeX509 { .. } => AuthMethod::SpiffeX509,
            Self::AttestJwtClientAuth { .. } => AuthMethod::AttestJwtClientAuth,
            Self::AttestJwtClientAuthDpop { .. } => AuthMethod::AttestJwtClientAuthDpop,
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
            assert_eq!(all.clone().count(), 4 + offered.len());
            assert!(!all.clone().any(AuthMethod::is_of_platform));
        }
    }
}

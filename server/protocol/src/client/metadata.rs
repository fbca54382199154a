//! Client metadata that is not needed on the way of every request, under its registered names (RFC 7591 §2, OpenID
//! Connect Registration §2 and the specifications that add to them).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{ContentEncryptionAlg, KeyManagementAlg, SigningAlg};
use crate::certificate::{InvalidRegisteredName, RegisteredName, WrittenNames};
use crate::numeric_date::Seconds;
use crate::response_mode::ResponseMode;

/// What a client registered, each member with the default of its specification.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientMetadata {
    // For people (RFC 7591 §2).
    /// Its home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<Url>,
    /// Its logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<Url>,
    /// How it treats people's data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<Url>,
    /// Its terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<Url>,
    /// How to reach those who run it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// The software that it is an instance of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// The software's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// What of these is said in several languages: members such as `client_name#de` (RFC 7591 §2.2).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub in_languages: BTreeMap<String, String>,

    // OpenID Connect (OpenID Connect Registration §2).
    /// On the web or on people's own machines.
    pub application_type: ApplicationType,
    /// Where a sign-in can be begun by somebody else (OpenID Connect Core §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<Url>,
    /// What `sub` it sees.
    pub subject_type: SubjectType,
    /// Whose redirect URIs are one sector (OpenID Connect Core §8.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<Url>,
    /// `max_age` where a request has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<Seconds>,
    /// Whether `auth_time` is always in its ID tokens.
    #[serde(skip_serializing_if = "is_false")]
    pub require_auth_time: bool,
    /// `acr_values` where a request has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    /// The one algorithm of its client assertions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<SigningAlg>,

    // Request objects (RFC 9101 §10.5, OpenID Connect Registration §2).
    /// The one algorithm of its request objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<SigningAlg>,
    /// Whether its requests must be signed.
    #[serde(skip_serializing_if = "is_false")]
    pub require_signed_request_object: bool,
    /// Where its request objects may be fetched from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<Url>,

    // How it gets what it asked for.
    /// The response modes it may ask for; none means all of them (FAPI 2.0 Message Signing §5.3.3).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_modes: Vec<ResponseMode>,
    /// JARM: how authorization responses are signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_signed_response_alg: Option<SigningAlg>,
    /// JARM: how their keys are encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_alg: Option<KeyManagementAlg>,
    /// JARM: how their content is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_enc: Option<ContentEncryptionAlg>,
    /// How the keys of its ID tokens are encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<KeyManagementAlg>,
    /// How its ID tokens are encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<ContentEncryptionAlg>,
    /// How its userinfo responses are signed, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SigningAlg>,
    /// How their keys are encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<KeyManagementAlg>,
    /// How their content is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<ContentEncryptionAlg>,
    /// How its introspection responses are signed (RFC 9701 §6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<SigningAlg>,
    /// How their keys are encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_alg: Option<KeyManagementAlg>,
    /// How their content is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_enc: Option<ContentEncryptionAlg>,
    /// Whether its access tokens are bound to its certificate (RFC 8705 §3.4).
    #[serde(skip_serializing_if = "is_false")]
    pub tls_client_certificate_bound_access_tokens: bool,

    // Its certificate (RFC 8705 §2.1.2): exactly one of these with `tls_client_auth`.
    /// Its subject, as RFC 4514 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_subject_dn: Option<String>,
    /// A host among its alternative names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_dns: Option<String>,
    /// A URI among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_uri: Option<String>,
    /// An IP address among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_ip: Option<String>,
    /// A mailbox among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_email: Option<String>,

    // Logout (OpenID Connect Back-Channel Logout §2.2, Front-Channel Logout §2).
    /// Where it is told that a session ended, server to server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<Url>,
    /// Whether it needs `sid` there.
    #[serde(skip_serializing_if = "is_false")]
    pub backchannel_logout_session_required: bool,
    /// What the browser loads when a session ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<Url>,
    /// Whether it needs `iss` and `sid` there.
    #[serde(skip_serializing_if = "is_false")]
    pub frontchannel_logout_session_required: bool,

    // CIBA (OpenID Connect Client-Initiated Backchannel Authentication §4).
    /// How it learns of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_token_delivery_mode: Option<DeliveryMode>,
    /// Where it is told, in ping and push mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_client_notification_endpoint: Option<Url>,
    /// The algorithm of its signed requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_authentication_request_signing_alg: Option<SigningAlg>,
    /// Whether it sends a user code.
    #[serde(skip_serializing_if = "is_false")]
    pub backchannel_user_code_parameter: bool,

    // Deferred Token Response (§6.2).
    /// Where it is told that what it waits for is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deferred_client_notification_endpoint: Option<Url>,
}

/// Where an application runs (OpenID Connect Registration §2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// On a web server.
    #[default]
    Web,
    /// On people's own machines.
    Native,
}

/// What `sub` a client sees (OpenID Connect Core §8).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// The same as everybody.
    #[default]
    Public,
    /// One of its sector's own.
    Pairwise,
}

impl SubjectType {
    /// Every type, in the order discovery lists them.
    pub const ALL: [Self; 2] = [Self::Public, Self::Pairwise];

    /// As it stands in metadata.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Pairwise => "pairwise",
        }
    }
}

/// How a client learns of the answer to a backchannel authentication request (CIBA §5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// It asks at the token endpoint.
    Poll,
    /// It is told that it may ask.
    Ping,
    /// It is told the answer itself.
    Push,
}

impl DeliveryMode {
    /// Every mode, in the order discovery lists them.
    pub const ALL: [Self; 3] = [Self::Poll, Self::Ping, Self::Push];

    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Ping => "ping",
            Self::Push => "push",
        }
    }
}

/// How something is encrypted to a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encryption {
    /// How its key is managed.
    pub alg: KeyManagementAlg,
    /// How its content is encrypted.
    pub enc: ContentEncryptionAlg,
}

impl ClientMetadata {
    /// The name that its certificate bears, for `tls_client_auth` (RFC 8705 §2.1.2).
    ///
    /// # Errors
    /// [`InvalidRegisteredName`], where there is not exactly one that can be read.
    pub fn certificate_name(&self) -> Result<RegisteredName, InvalidRegisteredName> {
        RegisteredName::parse(WrittenNames {
            subject_dn: self.tls_client_auth_subject_dn.as_deref(),
            san_dns: self.tls_client_auth_san_dns.as_deref(),
            san_uri: self.tls_client_auth_san_uri.as_deref(),
            san_ip: self.tls_client_auth_san_ip.as_deref(),
            san_email: self.tls_client_auth_san_email.as_deref(),
        })
    }

    /// Whether it registered any name of a certificate.
    #[must_use]
    pub const fn has_certificate_name(&self) -> bool {
        self.tls_client_auth_subject_dn.is_some()
            || self.tls_client_auth_san_dns.is_some()
            || self.tls_client_auth_san_uri.is_some()
            || self.tls_client_auth_san_ip.is_some()
            || self.tls_client_auth_san_email.is_some()
    }

    /// How its ID tokens are encrypted, if they are.
    #[must_use]
    pub fn id_token_encryption(&self) -> Option<Encryption> {
        encryption(self.id_token_encrypted_response_alg, self.id_token_encrypted_response_enc)
    }

    /// How its userinfo responses are encrypted, if they are.
    #[must_use]
    pub fn userinfo_encryption(&self) -> Option<Encryption> {
        encryption(self.userinfo_encrypted_response_alg, self.userinfo_encrypted_response_enc)
    }

    /// How its authorization responses are encrypted, if they are (JARM §3).
    #[must_use]
    pub fn authorization_encryption(&self) -> Option<Encryption> {
        encryption(self.authorization_encrypted_response_alg, self.authorization_encrypted_response_enc)
    }

    /// How its introspection responses are encrypted, if they are (RFC 9701 §6).
    #[must_use]
    pub fn introspection_encryption(&self) -> Option<Encryption> {
        encryption(self.introspection_encrypted_response_alg, self.introspection_encrypted_response_enc)
    }
}

/// With `alg` alone, `enc` has its default.
fn encryption(alg: Option<KeyManagementAlg>, enc: Option<ContentEncryptionAlg>) -> Option<Encryption> {
    alg.map(|alg| Encryption { alg, enc: enc.unwrap_or_default() })
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_registered_is_the_default_of_every_specification() {
        let none: ClientMetadata = serde_json::from_value(json!({})).unwrap();
        assert_eq!(none, ClientMetadata::default());
        let written = serde_json::to_value(&none).unwrap();
        assert_eq!(written, json!({"application_type": "web", "subject_type": "public"}));
    }

    #[test]
    fn content_encryption_has_its_default_only_beside_an_algorithm_for_the_key() {
        let mut metadata = ClientMetadata {
            id_token_encrypted_response_enc: Some(ContentEncryptionAlg::A256Gcm),
            ..ClientMetadata::default()
        };
        assert_eq!(metadata.id_token_encryption(), None);
        metadata.id_token_encrypted_response_enc = None;
        metadata.id_token_encrypted_response_alg = Some(KeyManagementAlg::EcdhEs);
        let usual = Encryption { alg: KeyManagementAlg::EcdhEs, enc: ContentEncryptionAlg::A128CbcHs256 };
        assert_eq!(metadata.id_token_encryption(), Some(usual));
    }
}

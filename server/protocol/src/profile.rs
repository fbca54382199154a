//! Security profiles: what a client may do and must do beyond what holds for everybody, as named rules.
//!
//! The specifications that clients are built for contradict each other: what FAPI 2.0 demands, an OpenID Connect
//! client of 2014 cannot do. So the rules hang on the client. Code asks for a rule by its name and never for the
//! profile, and this file is the whole table.

use serde::{Deserialize, Serialize};

use crate::client::{AuthMethod, SigningAlg};
use crate::numeric_date::Seconds;

/// A set of rules, by the specification it comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub enum SecurityProfile {
    /// OAuth 2.1 with the current best practice (RFC 9700).
    #[default]
    #[serde(rename = "oauth2.1")]
    OAuth21,
    /// OpenID Connect Core 1.0, for clients that know nothing newer.
    #[serde(rename = "oidc")]
    Oidc,
    /// FAPI 2.0 Security Profile.
    #[serde(rename = "fapi2")]
    Fapi2,
    /// FAPI 2.0 Message Signing: the former, with signed requests.
    #[serde(rename = "fapi2-message-signing")]
    Fapi2MessageSigning,
    /// FAPI: Client-Initiated Backchannel Authentication.
    #[serde(rename = "fapi-ciba")]
    FapiCiba,
}

/// The rules of a profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProfileRules {
    /// Who needs a `code_challenge` (RFC 7636).
    pub code_challenge: CodeChallengeRule,
    /// Whether authorization requests must be pushed (RFC 9126 §6).
    pub pushed_requests: bool,
    /// Whether requests must be signed request objects (RFC 9101).
    pub signed_requests: bool,
    /// Whether a client that registered how its authorization responses are signed gets no others (JARM).
    pub signed_responses: bool,
    /// The longest a request object may live, from `nbf` to `exp`; both are then required.
    pub request_object_life: Option<Seconds>,
    /// The methods of client authentication that are permitted.
    pub auth_methods: &'static [AuthMethod],
    /// What `aud` of a client assertion may be.
    pub assertion_audience: AssertionAudience,
    /// The algorithms that the client may sign with, and that may sign for it.
    pub signing_algs: &'static [SigningAlg],
    /// Whether access tokens must be bound to a key.
    pub sender_constraint: SenderConstraint,
    /// Whether the use of a refresh token that is bound to nothing, neither to a key nor to a client that
    /// authenticates, replaces it (RFC 9700 §2.2.2). Others are never replaced.
    pub refresh_rotation: bool,
    /// The longest life of an authorization code, if shorter than the setting's.
    pub code_life: Option<Seconds>,
    /// Whether each authorization request must name its `redirect_uri`, even where just one is registered.
    pub redirect_uri_required: bool,
    /// The longest life of a pushed request, if shorter than the setting's.
    pub pushed_request_life: Option<Seconds>,
    /// Whether tokens may be pushed to the client (CIBA), rather than fetched by it.
    pub pushed_tokens: bool,
}

/// Who needs a `code_challenge`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeChallengeRule {
    /// Every request.
    Always,
    /// All but OpenID Connect requests of confidential clients, which a `nonce` can protect (RFC 9700 §2.1.1).
    UnlessOpenId,
    /// Public clients and agents only.
    PublicOnly,
}

/// What `aud` of a client assertion may be (RFC 7523 §3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AssertionAudience {
    /// The issuer identifier, as a string: one server, and no other can use it.
    IssuerAlone,
    /// The issuer identifier or the URL of the endpoint, alone or in a list.
    IssuerOrEndpoint,
}

/// Whether access tokens must be bound to a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SenderConstraint {
    /// Where the client is registered so, or is an agent.
    AsRegistered,
    /// Always: by DPoP (RFC 9449) or by certificate (RFC 8705).
    Required,
    /// Always by certificate (RFC 8705).
    Certificate,
}

/// No RSA with PKCS #1 v1.5 padding (FAPI 2.0 Security Profile §5.4.1).
const FAPI_ALGS: &[SigningAlg] = &[SigningAlg::Es256, SigningAlg::EdDsa, SigningAlg::Ps256];
/// FAPI 2.0 Security Profile §5.3.2.1.
const FAPI_METHODS: &[AuthMethod] =
    &[AuthMethod::PrivateKeyJwt, AuthMethod::TlsClientAuth, AuthMethod::SelfSignedTlsClientAuth];

impl SecurityProfile {
    /// Every profile, the default first.
    pub const ALL: [Self; 5] =
        [Self::OAuth21, Self::Oidc, Self::Fapi2, Self::Fapi2MessageSigning, Self::FapiCiba];

    /// As it stands in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OAuth21 => "oauth2.1",
            Self::Oidc => "oidc",
            Self::Fapi2 => "fapi2",
            Self::Fapi2MessageSigning => "fapi2-message-signing",
            Self::FapiCiba => "fapi-ciba",
        }
    }

    /// What it demands and permits.
    #[must_use]
    pub const fn rules(self) -> ProfileRules {
        const OAUTH21: ProfileRules = ProfileRules {
            code_challenge: CodeChallengeRule::UnlessOpenId,
            pushed_requests: false,
            signed_requests: false,
            signed_responses: false,
            request_object_life: None,
            auth_methods: &AuthMethod::ALL,
            assertion_audience: AssertionAudience::IssuerAlone,
            signing_algs: &SigningAlg::ALL,
            sender_constraint: SenderConstraint::AsRegistered,
            refresh_rotation: true,
            code_life: None,
            redirect_uri_required: false,
            pushed_request_life: None,
            pushed_tokens: true,
        };
        const FAPI2: ProfileRules = ProfileRules {
            code_challenge: CodeChallengeRule::Always,
            pushed_requests: true,
            auth_methods: FAPI_METHODS,
            signing_algs: FAPI_ALGS,
            sender_constraint: SenderConstraint::Required,
            // §5.3.2.1 (9): a rotated token lost on its way would lock the client out.
            refresh_rotation: false,
            code_life: Some(Seconds::minutes(1)),
            // §5.3.2.2 (6).
            redirect_uri_required: true,
            // §5.3.2.2 (12): less than ten minutes.
            pushed_request_life: Some(Seconds(599)),
            ..OAUTH21
        };
        match self {
            Self::OAuth21 => OAUTH21,
            Self::Oidc => ProfileRules {
                code_challenge: CodeChallengeRule::PublicOnly,
                assertion_audience: AssertionAudience::IssuerOrEndpoint,
                ..OAUTH21
            },
            Self::Fapi2 => FAPI2,
            // Message Signing §5.3: from 60 minutes on it is too old, or made too long in advance.
            Self::Fapi2MessageSigning => ProfileRules {
                signed_requests: true,
                signed_responses: true,
                request_object_life: Some(Seconds::minutes(60)),
                ..FAPI2
            },
            Self::FapiCiba => ProfileRules {
                assertion_audience: AssertionAudience::IssuerOrEndpoint,
                signed_requests: true,
                request_object_life: Some(Seconds::minutes(60)),
                sender_constraint: SenderConstraint::Certificate,
                pushed_requests: false,
                // FAPI-CIBA §5.2.2: nobody would prove a key for what is pushed.
                pushed_tokens: false,
                ..FAPI2
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_configuration_are_the_names_in_storage() {
        for profile in SecurityProfile::ALL {
            assert_eq!(serde_json::to_value(profile).unwrap(), profile.as_str());
        }
    }

    #[test]
    fn fapi_knows_neither_shared_secrets_nor_public_clients_nor_rs256() {
        for profile in
            [SecurityProfile::Fapi2, SecurityProfile::Fapi2MessageSigning, SecurityProfile::FapiCiba]
        {
            let rules = profile.rules();
            let weak = [AuthMethod::None, AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost];
            assert!(weak.iter().all(|method| !rules.auth_methods.contains(method)), "{profile:?}");
            assert!(!rules.signing_algs.contains(&SigningAlg::Rs256), "{profile:?}");
            assert_ne!(rules.sender_constraint, SenderConstraint::AsRegistered, "{profile:?}");
            assert!(!rules.refresh_rotation, "{profile:?}");
        }
    }
}

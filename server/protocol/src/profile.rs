//! Security profiles: what a client may do and must do beyond what holds for everybody, as named rules.
//!
//! The specifications that clients are built for contradict each other: what FAPI 2.0 demands, an OpenID Connect
//! client of 2014 cannot do. So the rules hang on the client. Code asks for a rule by its name and never for the
//! profile, and this file is the whole table.

use serde::{Deserialize, Serialize};

use crate::client::{ApplicationType, AuthMethod, ClientMetadata, DeliveryMode, SigningAlg};
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
    /// Whether redirect URIs of plain http, to this very machine, are for native applications alone.
    pub loopback_is_native: bool,
    /// How a client may learn of the answer to a backchannel authentication request (CIBA §5).
    pub delivery_modes: &'static [DeliveryMode],
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
    /// All but OpenID Connect requests of confidential clients, which a `nonce` can protect (RFC 9700 §2.1.1) but need
    /// not have.
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

const ALL_MODES: &[DeliveryMode] = &[DeliveryMode::Poll, DeliveryMode::Ping, DeliveryMode::Push];
/// FAPI-CIBA §5.2.2: what is pushed cannot be bound to the client's key.
const NO_PUSH: &[DeliveryMode] = &[DeliveryMode::Poll, DeliveryMode::Ping];

/// Something that a client registered and its profile does not permit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotPermitted {
    /// The member of its metadata.
    pub member: &'static str,
    /// Why not.
    pub why: String,
}

/// What of a client its profile judges.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// How it authenticates.
    pub method: AuthMethod,
    /// Where it gets its answers.
    pub redirect_uris: &'a [String],
    /// How its ID tokens are signed.
    pub id_token_signed_response_alg: SigningAlg,
    /// What else it registered.
    pub metadata: &'a ClientMetadata,
}

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
            loopback_is_native: false,
            delivery_modes: ALL_MODES,
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
            // §5.3.2.2 (6) and (8).
            redirect_uri_required: true,
            loopback_is_native: true,
            delivery_modes: NO_PUSH,
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

    /// Everything of a client that this profile does not permit. A client that has any of it is not registered.
    #[must_use]
    pub fn judge(self, client: &Judged<'_>) -> Vec<NotPermitted> {
        let rules = self.rules();
        let mut found = Vec::new();
        let mut no = |member, what: &str| {
            let why = format!("the profile {} does not permit {what}", self.as_str());
            found.push(NotPermitted { member, why });
        };
        if !rules.auth_methods.contains(&client.method) {
            no("token_endpoint_auth_method", client.method.as_str());
        }
        let metadata = client.metadata;
        for (member, alg) in [
            ("id_token_signed_response_alg", Some(client.id_token_signed_response_alg)),
            ("token_endpoint_auth_signing_alg", metadata.token_endpoint_auth_signing_alg),
            ("request_object_signing_alg", metadata.request_object_signing_alg),
            ("authorization_signed_response_alg", metadata.authorization_signed_response_alg),
            ("userinfo_signed_response_alg", metadata.userinfo_signed_response_alg),
            ("introspection_signed_response_alg", metadata.introspection_signed_response_alg),
            (
                "backchannel_authentication_request_signing_alg",
                metadata.backchannel_authentication_request_signing_alg,
            ),
        ] {
            if let Some(alg) = alg.filter(|alg| !rules.signing_algs.contains(alg)) {
                no(member, alg.as_str());
            }
        }
        if let Some(mode) = metadata.backchannel_token_delivery_mode
            && !rules.delivery_modes.contains(&mode)
        {
            no("backchannel_token_delivery_mode", mode.as_str());
        }
        let plain = client.redirect_uris.iter().any(|uri| uri.starts_with("http:"));
        if rules.loopback_is_native && plain && metadata.application_type == ApplicationType::Web {
            no("redirect_uris", "plain http, but for native applications");
        }
        found
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

    const FAPI: [SecurityProfile; 3] =
        [SecurityProfile::Fapi2, SecurityProfile::Fapi2MessageSigning, SecurityProfile::FapiCiba];
    const OTHERS: [SecurityProfile; 2] = [SecurityProfile::OAuth21, SecurityProfile::Oidc];

    /// The profiles for which `rule` holds.
    fn where_it_holds(rule: impl Fn(ProfileRules) -> bool) -> Vec<SecurityProfile> {
        SecurityProfile::ALL.into_iter().filter(|profile| rule(profile.rules())).collect()
    }

    #[test]
    fn only_fapi_demands_a_code_challenge_of_everybody_and_only_oidc_of_public_clients_alone() {
        assert_eq!(where_it_holds(|rules| rules.code_challenge == CodeChallengeRule::Always), FAPI);
        let oidc = where_it_holds(|rules| rules.code_challenge == CodeChallengeRule::PublicOnly);
        assert_eq!(oidc, [SecurityProfile::Oidc]);
    }

    #[test]
    fn fapi2_demands_pushed_requests_and_message_signing_and_ciba_demand_signed_ones() {
        use SecurityProfile::{Fapi2, Fapi2MessageSigning, FapiCiba};
        assert_eq!(where_it_holds(|rules| rules.pushed_requests), [Fapi2, Fapi2MessageSigning]);
        assert_eq!(where_it_holds(|rules| rules.signed_requests), [Fapi2MessageSigning, FapiCiba]);
        let hour = |rules: ProfileRules| rules.request_object_life == Some(Seconds::minutes(60));
        assert_eq!(where_it_holds(hour), [Fapi2MessageSigning, FapiCiba]);
    }

    #[test]
    fn an_assertion_may_be_for_the_endpoint_only_where_older_specifications_say_so() {
        use SecurityProfile::{FapiCiba, Oidc};
        let endpoint = |rules: ProfileRules| rules.assertion_audience == AssertionAudience::IssuerOrEndpoint;
        assert_eq!(where_it_holds(endpoint), [Oidc, FapiCiba]);
    }

    #[test]
    fn every_fapi_token_is_bound_and_that_of_ciba_to_a_certificate() {
        assert_eq!(where_it_holds(|rules| rules.sender_constraint == SenderConstraint::AsRegistered), OTHERS);
        let by_certificate = |rules: ProfileRules| rules.sender_constraint == SenderConstraint::Certificate;
        assert_eq!(where_it_holds(by_certificate), [SecurityProfile::FapiCiba]);
    }

    #[test]
    fn refresh_tokens_rotate_and_codes_may_live_longer_than_a_minute_outside_of_fapi_alone() {
        assert_eq!(where_it_holds(|rules| rules.refresh_rotation), OTHERS);
        assert_eq!(where_it_holds(|rules| rules.code_life == Some(Seconds(60))), FAPI);
        assert_eq!(where_it_holds(|rules| rules.code_life.is_none()), OTHERS);
    }

    #[test]
    fn fapi_wants_the_redirect_uri_said_and_loopback_for_native_applications_alone() {
        assert_eq!(where_it_holds(|rules| rules.redirect_uri_required), FAPI);
        assert_eq!(where_it_holds(|rules| rules.loopback_is_native), FAPI);
    }

    #[test]
    fn fapi_pushes_no_tokens() {
        assert_eq!(where_it_holds(|rules| rules.delivery_modes.contains(&DeliveryMode::Push)), OTHERS);
        assert_eq!(where_it_holds(|rules| rules.delivery_modes.contains(&DeliveryMode::Ping)).len(), 5);
    }

    #[test]
    fn what_a_profile_does_not_permit_is_named_member_by_member() {
        let rs256 = Some(SigningAlg::Rs256);
        let metadata = ClientMetadata {
            token_endpoint_auth_signing_alg: rs256,
            request_object_signing_alg: rs256,
            authorization_signed_response_alg: rs256,
            userinfo_signed_response_alg: rs256,
            introspection_signed_response_alg: rs256,
            backchannel_authentication_request_signing_alg: rs256,
            backchannel_token_delivery_mode: Some(DeliveryMode::Push),
            ..ClientMetadata::default()
        };
        let uris = ["http://127.0.0.1/cb".to_owned()];
        let worst = Judged {
            method: AuthMethod::ClientSecretBasic,
            redirect_uris: &uris,
            id_token_signed_response_alg: SigningAlg::Rs256,
            metadata: &metadata,
        };
        let members: Vec<_> = SecurityProfile::Fapi2.judge(&worst).iter().map(|no| no.member).collect();
        assert_eq!(
            members,
            [
                "token_endpoint_auth_method",
                "id_token_signed_response_alg",
                "token_endpoint_auth_signing_alg",
                "request_object_signing_alg",
                "authorization_signed_response_alg",
                "userinfo_signed_response_alg",
                "introspection_signed_response_alg",
                "backchannel_authentication_request_signing_alg",
                "backchannel_token_delivery_mode",
                "redirect_uris",
            ]
        );
        for lenient in OTHERS {
            assert_eq!(lenient.judge(&worst), []);
        }
        let native =
            ClientMetadata { application_type: ApplicationType::Native, ..ClientMetadata::default() };
        let fit = Judged {
            method: AuthMethod::PrivateKeyJwt,
            id_token_signed_response_alg: SigningAlg::Es256,
            metadata: &native,
            ..worst
        };
        for profile in SecurityProfile::ALL {
            assert_eq!(profile.judge(&fit), [], "{profile:?}");
        }
    }
}

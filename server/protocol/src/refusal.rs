//! How the law says no.
//!
//! Each rule has a small error enum of its own. It implements [`Refuse`], so that it maps to exactly one OAuth
//! error code, and becomes a [`Refusal`] on its way to the client's developer.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::step_up::Demand;

/// The error codes Procura answers with, each named by the specification that registers it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// RFC 6749 §4.1.2.1, §5.2.
    InvalidRequest,
    /// RFC 6749 §5.2.
    InvalidClient,
    /// RFC 6749 §5.2.
    InvalidGrant,
    /// RFC 6749 §5.2.
    UnauthorizedClient,
    /// RFC 6749 §5.2.
    UnsupportedGrantType,
    /// RFC 6749 §4.1.2.1.
    UnsupportedResponseType,
    /// RFC 6749 §5.2.
    InvalidScope,
    /// RFC 6749 §4.1.2.1.
    AccessDenied,
    /// RFC 6749 §4.1.2.1: the only code a fault of ours ever shows.
    ServerError,
    /// RFC 6749 §4.1.2.1.
    TemporarilyUnavailable,
    /// RFC 8707 §2, RFC 8693 §2.2.2.
    InvalidTarget,
    /// RFC 9396 §5.
    InvalidAuthorizationDetails,
    /// RFC 9449 §5.
    InvalidDpopProof,
    /// RFC 9449 §8.
    UseDpopNonce,
    /// RFC 6750 §3.1.
    InvalidToken,
    /// RFC 6750 §3.1.
    InsufficientScope,
    /// OpenID Connect Core §3.1.2.6.
    LoginRequired,
    /// OpenID Connect Core §3.1.2.6.
    ConsentRequired,
    /// OpenID Connect Core §3.1.2.6.
    InteractionRequired,
    /// OpenID Connect Core §3.1.2.6.
    AccountSelectionRequired,
    /// OpenID Connect Core §3.1.2.6.
    InvalidRequestUri,
    /// OpenID Connect Core §3.1.2.6, RFC 9101 §7.
    InvalidRequestObject,
    /// OpenID Connect Core §3.1.2.6.
    RequestNotSupported,
    /// OpenID Connect Core §3.1.2.6.
    RequestUriNotSupported,
    /// OpenID Connect Core §3.1.2.6.
    RegistrationNotSupported,
    /// OpenID Connect Core Error Code unmet_authentication_requirements §2, RFC 9470 §5.
    UnmetAuthenticationRequirements,
    /// RFC 9470 §3.
    InsufficientUserAuthentication,
    /// RFC 7009 §2.2.1.
    UnsupportedTokenType,
    /// RFC 8628 §3.5.
    AuthorizationPending,
    /// RFC 8628 §3.5.
    SlowDown,
    /// RFC 8628 §3.5.
    ExpiredToken,
    /// Client-Initiated Backchannel Authentication §13.
    ExpiredLoginHintToken,
    /// Client-Initiated Backchannel Authentication §13.
    UnknownUserId,
    /// Client-Initiated Backchannel Authentication §13.
    MissingUserCode,
    /// Client-Initiated Backchannel Authentication §13.
    InvalidUserCode,
    /// Client-Initiated Backchannel Authentication §13.
    InvalidBindingMessage,
    /// Client-Initiated Backchannel Authentication §12.
    TransactionFailed,
    /// RFC 7591 §3.2.2.
    InvalidRedirectUri,
    /// RFC 7591 §3.2.2.
    InvalidClientMetadata,
    /// RFC 7591 §3.2.2.
    InvalidSoftwareStatement,
    /// RFC 7591 §3.2.2.
    UnapprovedSoftwareStatement,
    /// Grant Management for OAuth 2.0.
    InvalidGrantId,
    /// OAuth 2.0 Attestation-Based Client Authentication.
    UseAttestationChallenge,
    /// OAuth 2.0 Attestation-Based Client Authentication.
    UseFreshAttestation,
    /// OAuth 2.0 Attestation-Based Client Authentication.
    InvalidClientAttestation,
}

impl ErrorCode {
    /// The code as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseAttestationChallenge => "use_attestation_challenge",
            Self::UseFreshAttestation => "use_fresh_attestation",
            Self::InvalidClientAttestation => "invalid_client_attestation",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::ExpiredLoginHintToken => "expired_login_hint_token",
            Self::UnknownUserId => "unknown_user_id",
            Self::MissingUserCode => "missing_user_code",
            Self::InvalidUserCode => "invalid_user_code",
            Self::InvalidBindingMessage => "invalid_binding_message",
            Self::TransactionFailed => "transaction_failed",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidSoftwareStatement => "invalid_software_statement",
            Self::UnapprovedSoftwareStatement => "unapproved_software_statement",
            Self::InvalidGrantId => "invalid_grant_id",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A reason of one rule to refuse. Its `Display` is the sentence for the client's developer.
pub trait Refuse: fmt::Display {
    /// The one OAuth error this reason maps to.
    fn code(&self) -> ErrorCode;
}

/// What the client's developer reads: a code, and a sentence that says what to change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The `error` member (RFC 6749 §5.2).
    pub code: ErrorCode,
    /// The `error_description` member, reduced to the characters RFC 6749 §5.2 allows.
    pub description: Cow<'static, str>,
    /// Which login would be enough, where one was not (RFC 9470 §3).
    pub login: Option<Box<Demand>>,
}

impl Refusal {
    /// A refusal with a description that is kept to the characters of RFC 6749 §5.2.
    #[must_use]
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: allowed_text(description.into()), login: None }
    }
}

impl<R: Refuse> From<R> for Refusal {
    fn from(reason: R) -> Self {
        Self::new(reason.code(), reason.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.description)
    }
}

/// The longest description sent; it may quote input, which is bounded elsewhere, but never at length.
const LONGEST_DESCRIPTION: usize = 400;

/// Keeps to %x20-21 / %x23-5B / %x5D-7E (RFC 6749 §5.2); everything else becomes `'` or `?`.
fn allowed_text(text: Cow<'static, str>) -> Cow<'static, str> {
    let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    if text.len() <= LONGEST_DESCRIPTION && text.chars().all(allowed) {
        return text;
    }
    let replace = |c: char| match c {
        c if allowed(c) => c,
        '"' => '\'',
        '\\' => '/',
        _ => '?',
    };
    Cow::Owned(text.chars().take(LONGEST_DESCRIPTION).map(replace).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_never_carries_quotes_newlines_or_other_scripts() {
        let refusal = Refusal::new(ErrorCode::InvalidScope, "scope \"a\\b\"\r\nü");
        assert_eq!(refusal.description, "scope 'a/b'???");
    }

    #[test]
    fn a_code_prints_as_it_serializes() {
        for code in
            [ErrorCode::InvalidRequest, ErrorCode::UseDpopNonce, ErrorCode::InvalidAuthorizationDetails]
        {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}

//! Token type identifiers (RFC 8693 §3, and those of the drafts that add to it), as they stand in
//! `subject_token_type`, `requested_token_type` and `issued_token_type`.

use serde::{Deserialize, Serialize};

use crate::token::TokenKind;

/// A token type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum TokenType {
    /// An access token issued by this server.
    #[serde(rename = "urn:ietf:params:oauth:token-type:access_token")]
    AccessToken,
    /// A refresh token issued by this server.
    #[serde(rename = "urn:ietf:params:oauth:token-type:refresh_token")]
    RefreshToken,
    /// An OpenID Connect ID token.
    #[serde(rename = "urn:ietf:params:oauth:token-type:id_token")]
    IdToken,
    /// Any JWT (RFC 7519 §9): foreign tokens are named by their syntax.
    #[serde(rename = "urn:ietf:params:oauth:token-type:jwt")]
    Jwt,
    /// A SAML 1.1 assertion.
    #[serde(rename = "urn:ietf:params:oauth:token-type:saml1")]
    Saml1,
    /// A SAML 2.0 assertion.
    #[serde(rename = "urn:ietf:params:oauth:token-type:saml2")]
    Saml2,
    /// An Identity Assertion JWT Authorization Grant.
    #[serde(rename = "urn:ietf:params:oauth:token-type:id-jag")]
    IdJag,
    /// A transaction token.
    #[serde(rename = "urn:ietf:params:oauth:token-type:txn_token")]
    TxnToken,
}

impl TokenType {
    /// Every type that has a name here.
    pub const ALL: [Self; 8] = [
        Self::AccessToken,
        Self::RefreshToken,
        Self::IdToken,
        Self::Jwt,
        Self::Saml1,
        Self::Saml2,
        Self::IdJag,
        Self::TxnToken,
    ];

    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::RefreshToken => "urn:ietf:params:oauth:token-type:refresh_token",
            Self::IdToken => "urn:ietf:params:oauth:token-type:id_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
            Self::Saml1 => "urn:ietf:params:oauth:token-type:saml1",
            Self::Saml2 => "urn:ietf:params:oauth:token-type:saml2",
            Self::IdJag => "urn:ietf:params:oauth:token-type:id-jag",
            Self::TxnToken => "urn:ietf:params:oauth:token-type:txn_token",
        }
    }

    /// Whether a token of this kind may be declared so. What is ours is named by what it is, what is foreign by its
    /// syntax (RFC 8693 §3).
    #[must_use]
    pub const fn fits(self, kind: TokenKind) -> bool {
        matches!(
            (self, kind),
            (Self::AccessToken, TokenKind::Access)
                | (Self::RefreshToken, TokenKind::Refresh)
                | (Self::IdToken, TokenKind::Id)
                | (Self::Jwt, TokenKind::Foreign)
                | (Self::TxnToken, TokenKind::Transaction)
        )
    }

    /// The type of this name, if it is one of them.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|token_type| token_type.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_by_the_name_it_has_on_the_wire_and_in_storage() {
        for token_type in TokenType::ALL {
            assert_eq!(TokenType::find(token_type.as_str()), Some(token_type));
            assert_eq!(serde_json::to_value(token_type).unwrap(), token_type.as_str());
        }
        for other in ["access_token", "urn:ietf:params:oauth:token-type:self_signed", ""] {
            assert_eq!(TokenType::find(other), None, "{other}");
        }
    }

    #[test]
    fn a_token_is_declared_as_what_it_is_and_as_nothing_else() {
        let pairs = [
            (TokenKind::Access, Some(TokenType::AccessToken)),
            (TokenKind::Refresh, Some(TokenType::RefreshToken)),
            (TokenKind::Id, Some(TokenType::IdToken)),
            (TokenKind::Foreign, Some(TokenType::Jwt)),
            (TokenKind::Transaction, Some(TokenType::TxnToken)),
            (TokenKind::Assertion, None),
        ];
        for (kind, declared) in pairs {
            for token_type in TokenType::ALL {
                assert_eq!(token_type.fits(kind), declared == Some(token_type), "{kind:?} {token_type:?}");
            }
        }
    }
}

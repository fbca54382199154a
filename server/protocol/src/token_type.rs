//! Token type identifiers (RFC 8693 §3), as they stand in `subject_token_type` and `issued_token_type`.

use serde::{Deserialize, Serialize};

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
}

impl TokenType {
    /// Every type of RFC 8693 §3.
    pub const ALL: [Self; 6] =
        [Self::AccessToken, Self::RefreshToken, Self::IdToken, Self::Jwt, Self::Saml1, Self::Saml2];

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
        }
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
        for other in ["access_token", "urn:ietf:params:oauth:token-type:txn_token", ""] {
            assert_eq!(TokenType::find(other), None, "{other}");
        }
    }
}

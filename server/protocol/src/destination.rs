//! What a token request asks for and where that is to go (`requested_token_type` and `audience`, RFC 8693 §2.1): an access
//! token for resource servers here, or something that leaves.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::resource_authorization_server::GrantKind;
use crate::token::TokenKind;
use crate::token_type::TokenType;

/// Where it is to go.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(tag = "requested_token_type")]
pub enum Destination {
    /// An access token for resource servers that trust this server.
    #[default]
    #[serde(rename = "urn:ietf:params:oauth:token-type:access_token")]
    Here,
    /// A grant for the authorization server of another domain that says who the user is (Identity Assertion JWT
    /// Authorization Grant §4.3).
    #[serde(rename = "urn:ietf:params:oauth:token-type:id-jag")]
    IdJag {
        /// The issuer identifier of that server.
        audience: String,
    },
    /// A grant for the authorization server of another domain (Identity Chaining §2.3).
    #[serde(rename = "urn:ietf:params:oauth:token-type:jwt")]
    Jwt {
        /// The issuer identifier of that server.
        audience: String,
    },
    /// A transaction token for the services of a trust domain (Transaction Tokens §7).
    #[serde(rename = "urn:ietf:params:oauth:token-type:txn_token")]
    Transaction {
        /// The trust domain.
        audience: String,
        /// What of the transaction the token says that none of them may change (`request_details`, §7.1).
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        request_details: Map<String, Value>,
    },
}

impl Destination {
    /// The server of another domain, with this kind of grant.
    #[must_use]
    pub fn other_domain(grant: GrantKind, issuer: &str) -> Self {
        let audience = issuer.to_owned();
        match grant {
            GrantKind::IdJag => Self::IdJag { audience },
            GrantKind::Jwt => Self::Jwt { audience },
        }
    }

    /// Whether nothing leaves.
    #[must_use]
    pub const fn is_here(&self) -> bool {
        matches!(self, Self::Here)
    }

    /// `audience`, where it leaves.
    #[must_use]
    pub fn audience(&self) -> Option<&str> {
        match self {
            Self::Here => None,
            Self::IdJag { audience } | Self::Jwt { audience } | Self::Transaction { audience, .. } => {
                Some(audience)
            }
        }
    }

    /// `requested_token_type`, and `issued_token_type` once it is issued.
    #[must_use]
    pub const fn token_type(&self) -> TokenType {
        match self {
            Self::Here => TokenType::AccessToken,
            Self::IdJag { .. } => TokenType::IdJag,
            Self::Jwt { .. } => TokenType::Jwt,
            Self::Transaction { .. } => TokenType::TxnToken,
        }
    }

    /// What kind of token it is in the lineage.
    #[must_use]
    pub const fn token_kind(&self) -> TokenKind {
        match self {
            Self::Here => TokenKind::Access,
            Self::IdJag { .. } | Self::Jwt { .. } => TokenKind::Assertion,
            Self::Transaction { .. } => TokenKind::Transaction,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_is_written_under_the_type_that_is_asked_for_and_read_back() {
        let request_details = json!({ "order": 7 }).as_object().unwrap().clone();
        let audience = "https://saas.example".to_owned();
        for destination in [
            Destination::Here,
            Destination::other_domain(GrantKind::IdJag, &audience),
            Destination::other_domain(GrantKind::Jwt, &audience),
            Destination::Transaction { audience: audience.clone(), request_details },
        ] {
            let written = serde_json::to_value(&destination).unwrap();
            assert_eq!(written["requested_token_type"], destination.token_type().as_str());
            assert_eq!(written.get("audience").and_then(Value::as_str), destination.audience());
            assert_eq!(destination.audience().is_none(), destination.is_here());
            assert_eq!(destination.token_kind() == TokenKind::Access, destination.is_here());
            assert_eq!(serde_json::from_value::<Destination>(written).unwrap(), destination);
        }
    }
}

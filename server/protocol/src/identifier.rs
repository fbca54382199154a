//! Identifiers: bounded texts, each a type of its own, so that one cannot stand where another belongs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Why a text is not an identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an identifier is 1 to 255 visible ASCII characters")]
pub struct NotAnIdentifier;

/// The longest identifier: `sub` may have 255 ASCII characters (OpenID Connect Core §2), the others follow suit.
pub const LONGEST: usize = 255;

/// Visible ASCII (`%x21-7E`), 1 to [`LONGEST`] characters. Compared code point by code point.
pub fn check(text: &str) -> Result<(), NotAnIdentifier> {
    let visible = text.bytes().all(|b| (0x21..=0x7e).contains(&b));
    if text.is_empty() || text.len() > LONGEST || !visible { Err(NotAnIdentifier) } else { Ok(()) }
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnIdentifier;

            fn from_str(text: &str) -> Result<Self, NotAnIdentifier> {
                check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnIdentifier;

            fn try_from(text: String) -> Result<Self, NotAnIdentifier> {
                check(&text)?;
                Ok(Self(text.into()))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

identifiers! {
    /// The `client_id` (RFC 6749 §2.2). An agent's client id is the agent's id.
    ClientId;
    /// A user's `sub` (OpenID Connect Core §2): never reassigned, says nothing about the person.
    UserId;
    /// A consent's id: the `grant_id` of Grant Management for OAuth 2.0.
    ConsentId;
    /// A task's id, `task.id` in tokens; the root's is `txn` in the whole tree.
    TaskId;
    /// A token's id: the `jti` of a JWT (RFC 7519 §4.1.7), and the lineage's name for every token.
    TokenId;
    /// The refresh family: all refresh tokens that one authorization produced by rotation.
    FamilyId;
    /// A browser session's id, as the lineage and the audit log name it. The cookie carries another secret.
    SessionId;
    /// The base64url SHA-256 thumbprint of a public key (RFC 7638), `cnf.jkt` in tokens (RFC 9449 §6.1).
    Jkt;
    /// The base64url SHA-256 thumbprint of a certificate, `cnf.x5t#S256` in tokens (RFC 8705 §3.1).
    X5tS256;
    /// One running copy of a client, as its platform or its key tells it from others: `instance` beside `sub` in `act`.
    InstanceId;
    /// One HTTP request, for finding it again in logs and in the audit log.
    RequestId;
    /// The name of a registered details type, the `type` of an authorization detail (RFC 9396 §2).
    DetailsTypeName;
    /// The name of an admin rule in the configuration.
    RuleId;
    /// The name of an upstream OpenID Provider in the configuration, which stands in its paths here.
    UpstreamId;
}

impl X5tS256 {
    /// The thumbprint with this SHA-256.
    #[must_use]
    pub fn of_digest(digest: &[u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_visible_ascii_of_bounded_length() {
        assert!("cal-agent".parse::<ClientId>().is_ok());
        for bad in ["", "a b", "a\n", "ä", &"x".repeat(256)] {
            assert!(bad.parse::<ClientId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_identifier_reads_back_from_json_only_if_it_is_one() {
        let id: ClientId = serde_json::from_str("\"a\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"a\"");
        assert!(serde_json::from_str::<ClientId>("\"\"").is_err());
    }
}

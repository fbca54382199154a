//! The successful token response (RFC 6749 §5.1).

use protocol::identifier::ConsentId;
use protocol::numeric_date::NumericDate;
use protocol::scope::Scope;
use protocol::token::{Token, TokenKind};
use protocol::token_type::TokenType;
use serde_json::{Map, Value};

use crate::secret::Secret;
use crate::tokens::Written;

/// What the client gets (RFC 6749 §5.1).
pub struct Reply {
    /// The access token's record: what it is, until when, how bound.
    pub token: Token,
    /// The access token.
    pub access_token: Secret,
    /// The refresh token.
    pub refresh_token: Option<Secret>,
    /// The ID token (OpenID Connect Core §3.1.3.3).
    pub id_token: Option<Secret>,
    /// `issued_token_type`, where it is told (RFC 8693 §2.2.1).
    pub issued: Option<TokenType>,
    /// What was asked, where it is known: `scope` is told when it differs.
    pub asked_scope: Option<Scope>,
    /// The consent, as `grant_id`.
    pub consent: Option<ConsentId>,
}

impl Reply {
    /// The successful token response (RFC 6749 §5.1, RFC 8693 §2.2.1, RFC 9396 §7).
    #[must_use]
    pub fn body(&self, now: NumericDate) -> Map<String, Value> {
        let token = &self.token;
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| {
            body.insert(name.to_owned(), value);
        };
        put("access_token", self.access_token.reveal().into());
        // What is no access token is not used as one (RFC 8693 §2.2.1).
        let token_type = if token.kind == TokenKind::Access { token.token_type() } else { "N_A" };
        put("token_type", token_type.into());
        put("expires_in", token.expires_at().since(now).0.into());
        if let Some(issued) = self.issued {
            put("issued_token_type", issued.as_str().into());
        }
        if self.asked_scope.as_ref() != Some(&token.authority.scope) && !token.authority.scope.is_empty() {
            put("scope", token.authority.scope.to_string().into());
        }
        if let Some(details) = token.authority.details.to_claim() {
            put("authorization_details", details);
        }
        if let Some(refresh_token) = &self.refresh_token {
            put("refresh_token", refresh_token.reveal().into());
        }
        if let Some(id_token) = &self.id_token {
            put("id_token", id_token.reveal().into());
        }
        if let Some(consent) = &self.consent {
            put("grant_id", consent.as_str().into());
        }
        body
    }
}

/// The reply with one access token.
pub(super) fn reply(written: Written, asked_scope: Option<Scope>) -> Reply {
    let (token, access_token) = written.into_parts();
    Reply {
        consent: token.consent.clone(),
        token,
        access_token,
        refresh_token: None,
        id_token: None,
        issued: None,
        asked_scope,
    }
}

//! What is alive under a consent or a task, or of a client: each refresh family and each token, with the way to end it.

use protocol::numeric_date::NumericDate;
use protocol::token::TokenKind;

/// What is alive, the newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Held {
    /// The refresh families.
    pub families: Vec<HeldRow>,
    /// The tokens.
    pub tokens: Vec<HeldRow>,
    /// Whether there are more tokens than are shown.
    pub more: bool,
}

/// A live token, or a live refresh family as its refresh token shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldRow {
    /// The id that logs and programs know it by, never the token itself.
    pub id: String,
    /// Who has it.
    pub holder_name: String,
    /// Which instance of that client, where they are told apart.
    pub instance: Option<String>,
    /// What kind of token.
    pub kind: TokenKind,
    /// The way that the authority went: whose it is, and then who acts.
    pub way: Vec<String>,
    /// What else is needed to use it.
    pub bound: Bound,
    /// When it was issued.
    pub since: NumericDate,
    /// When it is over.
    pub until: NumericDate,
    /// The page that asks whether to end it.
    pub end: String,
}

/// What a token is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// A key that its holder proves to have (RFC 9449).
    Key,
    /// A certificate that its holder connects with (RFC 8705).
    Certificate,
    /// The client that it was issued to, which authenticates.
    Client,
    /// Nothing: whoever has it can use it.
    Nothing,
}

impl HeldRow {
    /// The words for its kind.
    #[must_use]
    pub const fn kind_key(&self) -> &'static str {
        match self.kind {
            TokenKind::Access => "token-kind-access",
            TokenKind::Refresh => "token-kind-refresh",
            TokenKind::Id => "token-kind-id",
            TokenKind::Foreign => "token-kind-foreign",
            TokenKind::Assertion => "token-kind-assertion",
            TokenKind::Transaction => "token-kind-transaction",
        }
    }

    /// The words for what it is bound to.
    #[must_use]
    pub const fn bound_key(&self) -> &'static str {
        match self.bound {
            Bound::Key => "bound-key",
            Bound::Certificate => "bound-certificate",
            Bound::Client => "bound-client",
            Bound::Nothing => "bound-nothing",
        }
    }
}

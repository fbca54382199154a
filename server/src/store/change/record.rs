//! What a change writes.

use protocol::authorization_details::DetailsTypeDocument;
use protocol::client::Client;
use protocol::code::Code;
use protocol::consent::Consent;
use protocol::delegation::Issuable;
use protocol::identifier::{ClientId, UserId};
use protocol::instance::Instance;
use protocol::numeric_date::NumericDate;
use protocol::resource_server::ResourceServer;
use protocol::task::Task;
#[cfg(test)]
use protocol::token::Token;
use protocol::token::TokenKind;
use protocol::user::User;
use serde_json::Value;

use crate::secret::SecretDigest;
use crate::store::{
    ActorReceipt, AnswerDelivery, BrowserSession, Deferral, DeferredRequest, FederatedIdentity,
    FederatedSession, InitialAccessToken, OneTimeLink, PairwiseSubject, Passkey, Registered, SessionClient,
    SigningKey, Totp, WebhookDelivery,
};

/// Who declared something. What an admin declared, the configuration does not touch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The configuration.
    Config,
    /// An admin.
    Admin,
    /// The client itself (RFC 7591).
    Registered,
    /// The document that its id points to.
    Document,
}

impl Origin {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Admin => "admin",
            Self::Registered => "registered",
            Self::Document => "document",
        }
    }

    /// The one that is written so.
    pub(in crate::store) fn of(text: &str) -> Option<Self> {
        [Self::Config, Self::Admin, Self::Registered, Self::Document].into_iter().find(|o| o.as_str() == text)
    }
}

impl Record {
    /// Whether it is a token that somebody else issued.
    #[must_use]
    pub fn is_foreign_token(&self) -> bool {
        matches!(self, Self::Token { token, .. } if token.token().kind == TokenKind::Foreign)
    }
}

/// Something that is written.
#[expect(clippy::large_enum_variant, reason = "each is made once, moved once and written")]
pub enum Record {
    /// An issued token.
    Token {
        /// What it is.
        token: Issuable,
        /// The digest of what was issued.
        digest: SecretDigest,
    },
    /// A token that nobody issued, as tests of the store want it.
    #[cfg(test)]
    Unissued {
        /// The token.
        token: Token,
        /// Of its text.
        digest: SecretDigest,
    },
    /// An authorization code.
    Code {
        /// The digest of the code.
        digest: SecretDigest,
        /// What it stands for.
        code: Code,
        /// When it is over.
        expires_at: NumericDate,
    },
    /// A pushed authorization request.
    PushedRequest {
        /// The digest of the reference.
        digest: SecretDigest,
        /// Who pushed it.
        client: ClientId,
        /// Which instance of it.
        instance: Option<Instance>,
        /// The request.
        document: Value,
        /// When it is over.
        expires_at: NumericDate,
    },
    /// An authorization request that waits for its user.
    Interaction {
        /// Its id.
        id: String,
        /// The request.
        document: Value,
        /// When it is over.
        expires_at: NumericDate,
    },
    /// A consent.
    Consent(Consent),
    /// A task.
    Task(Task),
    /// A task that must not be opened twice.
    OpenedTask {
        /// The task.
        task: Task,
        /// The digest of the key it was opened with.
        opening: SecretDigest,
        /// The digest of the request that came with the key.
        request: SecretDigest,
    },
    /// A list for the statuses of tokens.
    StatusList {
        /// Its id.
        id: String,
        /// How many places it has.
        size: u32,
        /// When all tokens in it are over.
        expires_at: NumericDate,
    },
    /// A link that works once.
    OneTimeLink(OneTimeLink),
    /// A signing key; one of the same `kid` is replaced.
    SigningKey(SigningKey),
    /// A setting; one of the same name is replaced.
    Setting {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A client; one of the same id is replaced.
    Client {
        /// The client.
        client: Client,
        /// Who declared it.
        origin: Origin,
    },
    /// A user; one of the same id is replaced.
    User {
        /// The user.
        user: User,
        /// Who declared it.
        origin: Origin,
    },
    /// A resource server; one of the same identifier is replaced.
    ResourceServer {
        /// The resource server.
        resource_server: ResourceServer,
        /// Who declared it.
        origin: Origin,
    },
    /// A details type; one of the same name is replaced.
    DetailsType {
        /// The details type.
        details_type: DetailsTypeDocument,
        /// Which version this is; what is declared as a version is that for ever.
        version: u32,
        /// Since when nothing of it can be asked for, if so.
        retired_at: Option<NumericDate>,
        /// Who declared it.
        origin: Origin,
    },
    /// A browser session; one of the same id is replaced, but one that was ended stays so.
    BrowserSession(BrowserSession),
    /// An identity at an upstream and its account; one of the same identity is replaced.
    FederatedIdentity(FederatedIdentity),
    /// A session that began at an upstream.
    FederatedSession(FederatedSession),
    /// A new passkey.
    Passkey(Passkey),
    /// Another name for a passkey.
    PasskeyName {
        /// Which.
        id: String,
        /// Whose; nobody else's is touched.
        user: UserId,
        /// The name.
        name: String,
    },
    /// The authenticator app of a user; one of before is replaced.
    Totp(Totp),
    /// The recovery codes of a user, each as the digest of code and owner; those of before are void.
    RecoveryCodes {
        /// Whose.
        user: UserId,
        /// The digests.
        digests: Vec<SecretDigest>,
    },
    /// A browser in which a user signed in.
    KnownBrowser {
        /// The digest of its mark and of the user.
        mark: SecretDigest,
        /// The user.
        user: UserId,
        /// When it is forgotten.
        expires_at: NumericDate,
    },
    /// How a client registered; of the same client it is replaced, but for when that was and whether it was used.
    Registered(Registered),
    /// A token that lets somebody register clients.
    InitialAccessToken(InitialAccessToken),
    /// A client that takes part in a session; where it did before, only the time is new.
    SessionClient(SessionClient),
    /// A request whose user is elsewhere.
    Deferred(DeferredRequest),
    /// A token request that waits for a person's approval.
    Deferral(Deferral),
    /// An event that a webhook is to be told.
    WebhookDelivery(WebhookDelivery),
    /// A client that is to be told that its user has answered.
    AnswerDelivery(AnswerDelivery),
    /// A receipt of who joined a chain; one of the same hop that is there already stays.
    ActorReceipt(ActorReceipt),
    /// A user by the name that a client sees; one of the same name is the same.
    PairwiseSubject(PairwiseSubject),
    /// The hash of the code without which a user is not asked from afar, or none; a former one is replaced.
    UserCode {
        /// Whose.
        user: UserId,
        /// The hash.
        hash: Option<String>,
    },
}

//! Single use: what one change takes, and nobody after it.

use protocol::identifier::{ClientId, TaskId, TokenId};
use protocol::task::{Hand, TaskStatus};
use serde_json::Value;

use crate::secret::SecretDigest;
use crate::store::{Step, Stopped};

/// Something that can be used once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Take {
    /// An authorization code (RFC 6749 §4.1.2).
    Code {
        /// The digest of the code.
        digest: SecretDigest,
        /// The access token it is redeemed for, which ends should the code come again.
        token: Option<TokenId>,
    },
    /// A refresh token that is rotated: it ends, what was derived from it lives.
    Refresh(TokenId),
    /// A pushed request (RFC 9126 §4).
    PushedRequest(SecretDigest),
    /// A waiting authorization request.
    Interaction(String),
    /// A one-time link.
    OneTimeLink(SecretDigest),
    /// A recovery code, by the digest of the code and its owner.
    RecoveryCode(SecretDigest),
    /// The next signature of a passkey: only if it is there still and its counter went on.
    Passkey {
        /// Which.
        id: String,
        /// The counter that it signed.
        counter: u32,
        /// What is known of it now.
        document: Value,
    },
    /// The answer to a request whose user is elsewhere: it is given once.
    Answer(SecretDigest),
    /// One of the uses of an initial access token (RFC 7591 §3).
    InitialAccessToken(SecretDigest),
    /// A registration of a client that was never used.
    UnusedRegistration(ClientId),
    /// A task at this version: whoever takes it says where it stands from now on, and then it has the next one.
    Task {
        /// Which.
        id: TaskId,
        /// Its version until now.
        version: u32,
        /// Where it stands.
        status: TaskStatus,
        /// By whose hand it is suspended, while it is.
        suspended_by: Option<Hand>,
    },
    /// A step of a token request that waits for a person's approval.
    Deferral {
        /// The digest of its `deferral_code`.
        digest: SecretDigest,
        /// Which.
        step: Step,
    },
    /// The ring of signing keys as it is at this version: whoever takes it changes it, and then it has the next one.
    SigningKeys(i64),
    /// The rest of an ending that is under way.
    UnderWay(Stopped),
}

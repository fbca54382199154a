//! What must hold when a change is written, and why one is not.

use std::fmt;

use protocol::identifier::{ClientId, ConsentId, FamilyId, SessionId, TaskId, TokenId, UserId};
use protocol::instance::Instance;
use protocol::numeric_date::NumericDate;

use crate::secret::SecretDigest;

/// What may be seen once: a digest over its purpose, its owner, its target and its `jti`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ReplayKey(pub(in crate::store) SecretDigest);

impl ReplayKey {
    /// The key of `parts` for `purpose`. Each part counts with its length, so that no two lists of parts are one.
    #[must_use]
    pub fn new(purpose: &str, parts: &[&str]) -> Self {
        let mut text = String::new();
        for part in std::iter::once(&purpose).chain(parts) {
            text.push_str(&part.len().to_string());
            text.push(':');
            text.push_str(part);
        }
        Self(SecretDigest::of(&text))
    }
}

/// Something that must be alive for a change to be written.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Anchor {
    /// Active and not over, and so are its client and its actor.
    Consent(ConsentId),
    /// Active and within its deadline, and so are all its ancestors.
    Task(TaskId),
    /// Not ended and not over.
    Token(TokenId),
    /// Not ended by the reuse of a rotated token.
    Family(FamilyId),
    /// Active and, an agent, not at its end.
    Client(ClientId),
    /// Not ended.
    Instance(Instance),
    /// Enabled.
    User(UserId),
    /// Not ended and not over.
    Session(SessionId),
}

impl Anchor {
    pub(in crate::store) fn id(&self) -> &str {
        match self {
            Self::Consent(id) => id.as_str(),
            Self::Task(id) => id.as_str(),
            Self::Token(id) => id.as_str(),
            Self::Family(id) => id.as_str(),
            Self::Client(id) => id.as_str(),
            Self::Instance(instance) => instance.key(),
            Self::User(id) => id.as_str(),
            Self::Session(id) => id.as_str(),
        }
    }
}

/// A sign-in without which nothing comes back that was ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SignedIn {
    /// Here, since everything of the user's was ended until they sign in anew ([`AccountOperation::Revoke`]).
    Here(UserId),
    /// At an issuer whose assertions bring consents, since one of them that was for this client ended, whoever ended it.
    At {
        /// The issuer.
        issuer: String,
        /// The user.
        user: UserId,
        /// The client.
        client: ClientId,
        /// When they signed in there, as far as it says so.
        auth_time: Option<NumericDate>,
    },
}

/// Where one more of something is to go.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Room {
    /// Among the root tasks under a consent that are neither over nor ended.
    Tasks {
        /// The consent.
        consent: ConsentId,
        /// The most.
        most: u64,
    },
    /// Among all tasks that are kept under a consent, whatever became of them.
    Kept {
        /// The consent.
        consent: ConsentId,
        /// The most.
        most: u64,
    },
    /// Among the parts of a task, whatever became of them.
    Parts {
        /// The task.
        parent: TaskId,
        /// The most.
        most: u64,
    },
    /// Among the token requests of a client that wait for somebody's approval. The client has to be required too.
    DeferralsOf {
        /// The client.
        client: ClientId,
        /// The most.
        most: u64,
    },
    /// Among the token requests that wait for the approval of this user, who has to be required too.
    DeferralsFor {
        /// The user.
        approver: UserId,
        /// The most.
        most: u64,
    },
}

impl Room {
    /// The most that there may be.
    pub(in crate::store) const fn most(&self) -> u64 {
        match self {
            Self::Tasks { most, .. }
            | Self::Kept { most, .. }
            | Self::Parts { most, .. }
            | Self::DeferralsOf { most, .. }
            | Self::DeferralsFor { most, .. } => *most,
        }
    }

    /// Whose room it is: whoever looks whether there is some holds this alone.
    pub(in crate::store) fn anchor(&self) -> Anchor {
        match self {
            Self::Tasks { consent, .. } | Self::Kept { consent, .. } => Anchor::Consent(consent.clone()),
            Self::Parts { parent, .. } => Anchor::Task(parent.clone()),
            Self::DeferralsOf { client, .. } => Anchor::Client(client.clone()),
            Self::DeferralsFor { approver, .. } => Anchor::User(approver.clone()),
        }
    }
}

/// Why a change cannot be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Conflict {
    /// This was seen before.
    Replayed(ReplayKey),
    /// This is not alive.
    NotAlive(Anchor),
    /// Its user has to sign in first: what was theirs was ended.
    NotSignedIn,
    /// What was to be taken is gone.
    AlreadyTaken,
    /// Somebody else changed it meanwhile.
    Changed,
    /// No more tokens may be derived from the task, or from one that it is a part of.
    Exhausted,
    /// There are as many already as there may be.
    NoRoom,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replayed(_) => "it was seen before",
            Self::NotAlive(_) => "what it depends on is not alive",
            Self::NotSignedIn => "its user has not signed in since it was ended",
            Self::AlreadyTaken => "it was taken before",
            Self::Changed => "it was changed meanwhile",
            Self::Exhausted => "no more may be derived from it",
            Self::NoRoom => "there are as many as there may be",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_read_alike_when_joined_are_different_keys() {
        assert_ne!(ReplayKey::new("dpop", &["ab", "c"]), ReplayKey::new("dpop", &["a", "bc"]));
        assert_ne!(ReplayKey::new("dpop", &["a"]), ReplayKey::new("assertion", &["a"]));
        assert_eq!(ReplayKey::new("dpop", &["a", "b"]), ReplayKey::new("dpop", &["a", "b"]));
    }
}

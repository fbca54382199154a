//! What waits for somebody to come back once: pushed requests, interactions, one-time links.

use entity::{interaction, one_time_link, pushed_request};
use protocol::identifier::{ClientId, UserId};
use protocol::numeric_date::NumericDate;
use sea_orm::EntityTrait as _;
use serde_json::Value;

use super::{Store, StoreError, corrupt, read};
use crate::secret::SecretDigest;

/// A pushed authorization request (RFC 9126).
#[derive(Clone, PartialEq, Debug)]
pub struct PushedRequest {
    /// Who pushed it.
    pub client: ClientId,
    /// The request.
    pub document: Value,
    /// When it is over.
    pub expires_at: NumericDate,
}

/// An authorization request that waits for its user.
#[derive(Clone, PartialEq, Debug)]
pub struct Interaction {
    /// Its id.
    pub id: String,
    /// The request.
    pub document: Value,
    /// When it is over.
    pub expires_at: NumericDate,
}

/// A link that works once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OneTimeLink {
    /// The digest of its secret part.
    pub digest: SecretDigest,
    /// Whom it is for.
    pub user: UserId,
    /// What it is good for.
    pub purpose: String,
    /// When it is over.
    pub expires_at: NumericDate,
}

/// Whether something can still be taken at `now`.
fn waits(taken_at: Option<i64>, expires_at: i64, now: NumericDate) -> bool {
    taken_at.is_none() && !NumericDate(expires_at).is_over(now)
}

impl Store {
    /// The pushed request of this digest, if it can still be taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_pushed_request(
        &self,
        digest: &SecretDigest,
        now: NumericDate,
    ) -> Result<Option<PushedRequest>, StoreError> {
        let found = pushed_request::Entity::find_by_id(digest.to_text()).one(self.reader()).await?;
        let stored = |row: pushed_request::Model| {
            Ok(PushedRequest {
                document: read("pushed_request", &row.digest, &row.document)?,
                expires_at: NumericDate(row.expires_at),
                client: row.client_id.parse().map_err(|_| corrupt("pushed_request", &row.digest))?,
            })
        };
        found.filter(|row| waits(row.taken_at, row.expires_at, now)).map(stored).transpose()
    }

    /// The interaction of this id, if it can still be taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_interaction(
        &self,
        id: &str,
        now: NumericDate,
    ) -> Result<Option<Interaction>, StoreError> {
        let found = interaction::Entity::find_by_id(id).one(self.reader()).await?;
        let stored = |row: interaction::Model| {
            Ok(Interaction {
                document: read("interaction", &row.id, &row.document)?,
                expires_at: NumericDate(row.expires_at),
                id: row.id,
            })
        };
        found.filter(|row| waits(row.taken_at, row.expires_at, now)).map(stored).transpose()
    }

    /// The one-time link of this digest, if it can still be taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_one_time_link(
        &self,
        digest: &SecretDigest,
        now: NumericDate,
    ) -> Result<Option<OneTimeLink>, StoreError> {
        let found = one_time_link::Entity::find_by_id(digest.to_text()).one(self.reader()).await?;
        let stored = |row: one_time_link::Model| {
            Ok(OneTimeLink {
                digest: *digest,
                user: row.user_id.parse().map_err(|_| corrupt("one_time_link", &row.digest))?,
                purpose: row.purpose,
                expires_at: NumericDate(row.expires_at),
            })
        };
        found.filter(|row| waits(row.taken_at, row.expires_at, now)).map(stored).transpose()
    }
}

//! Signing keys and settings: what all processes of the house share.

use std::fmt;

use entity::{key_ring, setting, signing_key};
use protocol::key_rotation::KeyFacts;
use protocol::numeric_date::{NumericDate, Seconds};
use sea_orm::{EntityTrait as _, QueryOrder as _};
use serde_json::Value;

use super::{Store, StoreError, corrupt, read, read_word};

/// A signing key as it is kept.
#[derive(Clone, PartialEq)]
pub struct SigningKey {
    /// What it is, and where it stands in its life.
    pub facts: KeyFacts,
    /// When it was made.
    pub created_at: NumericDate,
    /// The key. What is in it, the room that signs knows.
    pub document: Value,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// All signing keys, as they were when the ring was at `version` or later.
#[derive(Clone, PartialEq, Debug)]
pub struct SigningKeys {
    /// How often the ring had been changed: what [`super::Take::SigningKeys`] asks for.
    pub version: i64,
    /// The keys, the oldest first.
    pub keys: Vec<SigningKey>,
}

impl Store {
    /// All signing keys.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn signing_keys(&self) -> Result<SigningKeys, StoreError> {
        use signing_key::Column;
        // The number first: should the keys change in between, it is the old number that wins nothing.
        let version = self.signing_keys_version().await?;
        let find = signing_key::Entity::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Kid);
        let stored = |row: signing_key::Model| {
            Ok(SigningKey {
                document: read("signing_key", &row.kid, &row.document)?,
                facts: KeyFacts {
                    alg: read_word("signing_key", &row.kid, &row.alg)?,
                    state: read_word("signing_key", &row.kid, &row.state)?,
                    kid: row.kid,
                    since: NumericDate(row.since),
                    longest_life: Seconds(row.longest_life),
                },
                created_at: NumericDate(row.created_at),
            })
        };
        let keys =
            find.all(self.reader()).await?.into_iter().map(stored).collect::<Result<_, StoreError>>()?;
        Ok(SigningKeys { version, keys })
    }

    /// How often the ring of signing keys was changed. Asked all the time and by nobody's request, so it does not
    /// count as a read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn signing_keys_version(&self) -> Result<i64, StoreError> {
        let ring = key_ring::Entity::find_by_id(1).one(&self.0.core.reader).await?;
        ring.map(|ring| ring.version).ok_or_else(|| corrupt("key_ring", "1"))
    }

    /// The setting of this name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let found = setting::Entity::find_by_id(name).one(self.reader()).await?;
        Ok(found.map(|row| row.value))
    }
}

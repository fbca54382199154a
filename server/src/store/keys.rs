//! Signing keys and settings: what all processes of the house share.

use std::fmt;

use entity::{setting, signing_key};
use protocol::numeric_date::NumericDate;
use sea_orm::{EntityTrait as _, QueryOrder as _};
use serde_json::Value;

use super::{Store, StoreError, read};

/// A signing key as it is kept. What its words mean, the room that signs knows.
#[derive(Clone, PartialEq)]
pub struct SigningKey {
    /// Its `kid`.
    pub kid: String,
    /// What it signs with.
    pub alg: String,
    /// Where it stands in its life.
    pub state: String,
    /// When it was made.
    pub created_at: NumericDate,
    /// The key, private part and all.
    pub document: Value,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("alg", &self.alg)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// All signing keys, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        use signing_key::Column;
        let find = signing_key::Entity::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Kid);
        let stored = |row: signing_key::Model| {
            Ok(SigningKey {
                document: read("signing_key", &row.kid, &row.document)?,
                kid: row.kid,
                alg: row.alg,
                state: row.state,
                created_at: NumericDate(row.created_at),
            })
        };
        find.all(self.reader()).await?.into_iter().map(stored).collect()
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

//! Authorization codes.

use entity::authorization_code;
use protocol::code::Code;
use protocol::numeric_date::NumericDate;
use sea_orm::EntityTrait as _;

use super::{Store, StoreError, corrupt, read};
use crate::secret::SecretDigest;

/// A code as it is kept, whether or not it can still be redeemed.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredCode {
    /// What it stands for.
    pub code: Code,
    /// When it is over.
    pub expires_at: NumericDate,
    /// Whether it was redeemed, or made void because its consent ended.
    pub redeemed: bool,
    /// How often somebody tried it in vain.
    pub attempts: u32,
}

impl Store {
    /// The code of this digest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_code(&self, digest: &SecretDigest) -> Result<Option<StoredCode>, StoreError> {
        let found = authorization_code::Entity::find_by_id(digest.to_text()).one(self.reader()).await?;
        let stored = |row: authorization_code::Model| {
            Ok(StoredCode {
                code: read("authorization_code", &row.digest, &row.document)?,
                expires_at: NumericDate(row.expires_at),
                redeemed: row.redeemed_at.is_some(),
                attempts: u32::try_from(row.attempts)
                    .map_err(|_| corrupt("authorization_code", &row.digest))?,
            })
        };
        found.map(stored).transpose()
    }
}

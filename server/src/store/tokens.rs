//! Tokens: what they are. Whether they are alive is asked with [`Store::is_alive`] or [`super::Change::requires`].

use std::sync::Arc;

use entity::token;
use entity::token::Column;
use protocol::identifier::{ConsentId, FamilyId, TokenId};
use protocol::numeric_date::NumericDate;
use protocol::token::Token;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::{Store, StoreError, read};
use crate::secret::SecretDigest;

/// The most tokens in one list.
const MOST: u64 = 1000;

fn token(row: &token::Model) -> Result<Token, StoreError> {
    read("token", &row.id, &row.document)
}

impl Store {
    /// The token of this digest, dead or alive.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_token(&self, digest: &SecretDigest) -> Result<Option<Arc<Token>>, StoreError> {
        if let Some(known) = self.caches().token(digest) {
            return Ok(Some(known));
        }
        let find = token::Entity::find().filter(Column::Digest.eq(digest.to_text()));
        let Some(row) = find.one(self.reader()).await? else { return Ok(None) };
        let found = Arc::new(token(&row)?);
        self.caches().remember_token(Some(*digest), &found, &row.document);
        Ok(Some(found))
    }

    /// The token of this id (`jti`), dead or alive.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_token_by_id(&self, id: &TokenId) -> Result<Option<Arc<Token>>, StoreError> {
        if let Some(known) = self.caches().token_by_id(id) {
            return Ok(Some(known));
        }
        let Some(row) = token::Entity::find_by_id(id.as_str()).one(self.reader()).await? else {
            return Ok(None);
        };
        let found = Arc::new(token(&row)?);
        self.caches().remember_token(None, &found, &row.document);
        Ok(Some(found))
    }

    /// A token of a refresh family, dead or alive, if there is any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_token_of_family(&self, family: &FamilyId) -> Result<Option<Token>, StoreError> {
        let find = token::Entity::find().filter(Column::FamilyId.eq(family.as_str())).limit(1);
        find.one(self.reader()).await?.as_ref().map(token).transpose()
    }

    /// The tokens under a consent that are to be used and live at `now`, those that live longest first, at most a thousand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tokens_of_consent(
        &self,
        consent: &ConsentId,
        now: NumericDate,
    ) -> Result<Vec<Token>, StoreError> {
        let find = token::Entity::find()
            .filter(Column::ConsentId.eq(consent.as_str()))
            .filter(Column::EndedAt.is_null())
            .filter(Column::Kind.is_in(["access", "refresh"]))
            .filter(Column::ExpiresAt.gt(now.0))
            .order_by_desc(Column::ExpiresAt)
            .limit(MOST);
        find.all(self.reader()).await?.iter().map(token).collect()
    }
}

//! Consents.

use std::sync::Arc;

use entity::consent;
use entity::consent::Column;
use protocol::consent::Consent;
use protocol::identifier::{ClientId, ConsentId, UserId};
use protocol::numeric_date::NumericDate;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};

use super::{Store, StoreError, corrupt, read, read_word};

/// The most consents in one list.
const MOST: u64 = 1000;

pub(super) fn consent(row: &consent::Model) -> Result<Consent, StoreError> {
    let written: Consent = read("consent", &row.id, &row.document)?;
    let version = u32::try_from(row.version).map_err(|_| corrupt("consent", &row.id))?;
    Ok(Consent { state: read_word("consent", &row.id, &row.state)?, version, ..written })
}

fn newest_first() -> Select<consent::Entity> {
    consent::Entity::find().order_by_desc(Column::CreatedAt).order_by_desc(Column::Id)
}

impl Store {
    /// The consent of this id, as it was at most a second ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_consent(&self, id: &ConsentId) -> Result<Option<Arc<Consent>>, StoreError> {
        if let Some(known) = self.caches().consents.get(id) {
            return Ok(Some(known));
        }
        let Some(row) = consent::Entity::find_by_id(id.as_str()).one(self.reader()).await? else {
            return Ok(None);
        };
        let found = Arc::new(consent(&row)?);
        self.caches().consents.insert(id.clone(), Arc::clone(&found));
        Ok(Some(found))
    }

    /// The consent of this id as it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_consent_now(&self, id: &ConsentId) -> Result<Option<Consent>, StoreError> {
        let found = consent::Entity::find_by_id(id.as_str()).one(self.reader()).await?;
        found.as_ref().map(consent).transpose()
    }

    /// Everything `user` ever allowed, the newest first, at most a thousand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consents_of_user(&self, user: &UserId) -> Result<Vec<Consent>, StoreError> {
        let find = newest_first().filter(Column::UserId.eq(user.as_str())).limit(MOST);
        find.all(self.reader()).await?.iter().map(consent).collect()
    }

    /// What `user` allowed `actor` (through `client`, if named) and still stands at `now`, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consents_for(
        &self,
        user: &UserId,
        actor: &ClientId,
        client: Option<&ClientId>,
        now: NumericDate,
    ) -> Result<Vec<Consent>, StoreError> {
        let mut find = newest_first()
            .filter(Column::UserId.eq(user.as_str()))
            .filter(Column::ActorId.eq(actor.as_str()))
            .filter(Column::State.eq("active"))
            .filter(Column::ExpiresAt.gt(now.0))
            .limit(MOST);
        if let Some(client) = client {
            find = find.filter(Column::ClientId.eq(client.as_str()));
        }
        find.all(self.reader()).await?.iter().map(consent).collect()
    }

    /// The last consents of everybody, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recent_consents(&self, limit: u64) -> Result<Vec<Consent>, StoreError> {
        newest_first().limit(limit.min(MOST)).all(self.reader()).await?.iter().map(consent).collect()
    }
}

//! Clients.

use std::sync::Arc;

use entity::client;
use protocol::client::Client;
use protocol::identifier::ClientId;
use sea_orm::{EntityTrait as _, QueryOrder as _, QuerySelect as _};

use super::{Store, StoreError, read, read_word};

/// The most clients in one list.
const MOST: u64 = 1000;

pub(super) fn client(row: &client::Model) -> Result<Client, StoreError> {
    let written: Client = read("client", &row.id, &row.document)?;
    Ok(Client { status: read_word("client", &row.id, &row.status)?, ..written })
}

impl Store {
    /// The client of this id, as it was at most a second ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        if let Some(known) = self.caches().clients.get(id) {
            return Ok(Some(known));
        }
        let Some(row) = client::Entity::find_by_id(id.as_str()).one(self.reader()).await? else {
            return Ok(None);
        };
        let found = Arc::new(client(&row)?);
        self.caches().clients.insert(id.clone(), Arc::clone(&found));
        Ok(Some(found))
    }

    /// The client of this id as it was declared last, whatever an admin did to it since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_declaration(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        let row = client::Entity::find_by_id(id.as_str()).one(self.reader()).await?;
        row.map(|row| read("client", &row.id, &row.document)).transpose()
    }

    /// All clients by id, at most a thousand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        let find = client::Entity::find().order_by_asc(client::Column::Id).limit(MOST);
        find.all(self.reader()).await?.iter().map(client).collect()
    }
}

//! Resource servers and details types: few, asked for all the time, and all at once.

use std::sync::Arc;

use entity::{details_type, resource_server};
use protocol::resource_server::ResourceServer;
use sea_orm::{EntityTrait as _, QueryOrder as _};

use super::caches::Declared;
use super::details_types::{self, KeptDetailsType};
use super::{Store, StoreError, read};

impl Store {
    /// All resource servers, as they were at most a second ago. While none changes, each call returns the same
    /// allocation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn resource_servers(&self) -> Result<Arc<Vec<ResourceServer>>, StoreError> {
        Ok(Arc::clone(&self.declared().await?.resource_servers))
    }

    /// All details types, those that are retired among them, as they were at most a second ago. While none changes, each call returns the same
    /// allocation, so that what was compiled from them can be kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn details_types(&self) -> Result<Arc<Vec<KeptDetailsType>>, StoreError> {
        Ok(Arc::clone(&self.declared().await?.details_types))
    }

    async fn declared(&self) -> Result<Arc<Declared>, StoreError> {
        if let Some(known) = self.caches().declared() {
            return Ok(known);
        }
        let servers = resource_server::Entity::find().order_by_asc(resource_server::Column::Identifier);
        let servers = servers.all(self.reader()).await?;
        let servers = servers.iter().map(|row| read("resource_server", &row.identifier, &row.document));
        let types = details_type::Entity::find().order_by_asc(details_type::Column::Name);
        let types = types.all(self.reader()).await?;
        let types = types.iter().map(details_types::kept);
        Ok(self.caches().remember_declared(Declared {
            resource_servers: Arc::new(servers.collect::<Result<_, _>>()?),
            details_types: Arc::new(types.collect::<Result<_, _>>()?),
        }))
    }
}

//! What exactly a yes was given to.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text_null;

/// A column.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m4_approvals2"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !manager.has_column("deferral", "approved_hash").await? {
            let add = Table::alter().table("deferral").add_column(text_null("approved_hash")).take();
            manager.alter_table(add).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("this column is never taken away".to_owned()))
    }
}

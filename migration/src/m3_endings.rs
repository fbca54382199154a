//! What an admin stopped stays so, whatever the configuration declares: that is noted beside the client.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, text_null};

/// How and since when a client is stopped.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m3_endings"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, column) in [("halt", text_null("halt")), ("halted_at", big_integer_null("halted_at"))] {
            if !manager.has_column("client", name).await? {
                manager.alter_table(Table::alter().table("client").add_column(column).take()).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("these columns are never taken away".to_owned()))
    }
}

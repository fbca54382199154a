//! Receipts of who joined which chain, once somebody asked for them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text};

/// Actor receipts.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m4_story"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let receipts = Table::create()
            .table("actor_receipt")
            .if_not_exists()
            .col(text("hop").primary_key().take())
            .col(text("compact"))
            .col(big_integer("expires_at"))
            .take();
        manager.create_table(receipts).await?;
        let mut index = Index::create();
        index.name("actor_receipt_expires_at").table("actor_receipt").col("expires_at").if_not_exists();
        manager.create_index(index).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("this table is never taken away".to_owned()))
    }
}

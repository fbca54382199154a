//! Who still has to be told that their user has answered, and which user a pairwise subject names.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, text};

/// Deliveries of answers, and pairwise subjects.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m3_wire"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let deliveries = Table::create()
            .table("backchannel_delivery")
            .if_not_exists()
            .col(text("digest").primary_key().take())
            .col(big_integer("due_at"))
            .col(integer("attempts"))
            .col(big_integer("expires_at"))
            .take();
        manager.create_table(deliveries).await?;
        let subjects = Table::create()
            .table("pairwise_subject")
            .if_not_exists()
            .col(text("subject").primary_key().take())
            .col(text("user_id"))
            .take();
        manager.create_table(subjects).await?;
        for column in ["due_at", "expires_at"] {
            let mut index = Index::create();
            index
                .name(format!("backchannel_delivery_{column}"))
                .table("backchannel_delivery")
                .col(column)
                .if_not_exists();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("these tables are never taken away".to_owned()))
    }
}

//! Instances of clients: which tokens and requests are whose, and which were ended.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text, text_null};

/// A table, a few columns, and the ways to what hangs on an instance.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m4_workload"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ended = Table::create()
            .table("ended_instance")
            .if_not_exists()
            .col(text("instance").primary_key())
            .col(big_integer("ended_at"))
            .col(big_integer("expires_at"))
            .take();
        manager.create_table(ended).await?;
        for (table, column) in [
            ("token", "instance"),
            ("token", "actor_instance"),
            ("pushed_request", "instance"),
            ("deferred_request", "instance"),
            ("deferral", "instance"),
        ] {
            if !manager.has_column(table, column).await? {
                manager.alter_table(Table::alter().table(table).add_column(text_null(column)).take()).await?;
            }
            // Most are of no instance.
            let index = Index::create()
                .name(format!("{table}_by_{column}"))
                .table(table)
                .col(column)
                .if_not_exists()
                .and_where(Expr::cust(format!("{column} IS NOT NULL")))
                .take();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("instances are never taken away".to_owned()))
    }
}

//! Endings that are under way: whose holdings are still to be marked as ended.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text;

/// One table, nearly always empty.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m4_under_way"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("ending_under_way")
            .if_not_exists()
            .col(text("stopped").primary_key())
            .take();
        manager.create_table(table).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("what is to be ended is never forgotten".to_owned()))
    }
}

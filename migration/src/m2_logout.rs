//! Who has to be told when a session ends, and who still has to be told of one that did.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, text};

/// The tables of logout.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m2_logout"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let of_session = || [text("session_id"), text("client_id"), text("user_id")];
        for (name, further) in [
            ("session_client", vec![big_integer("expires_at")]),
            ("logout_delivery", vec![big_integer("due_at"), integer("attempts")]),
        ] {
            let mut table = Table::create();
            table.table(name).if_not_exists().col(text("id").primary_key().take());
            for column in of_session().into_iter().chain(further) {
                table.col(column);
            }
            manager.create_table(table).await?;
        }
        for (table, column) in [
            ("session_client", "session_id"),
            ("session_client", "expires_at"),
            ("logout_delivery", "due_at"),
            ("logout_delivery", "session_id"),
        ] {
            let mut index = Index::create();
            index.name(format!("{table}_{column}")).table(table).col(column).if_not_exists();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the tables of logout are never taken away".to_owned()))
    }
}

//! Identities at upstream OpenID Providers, and the sessions that began there.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text, text_null};

/// Federated identities and sessions.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m2_federation"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for (table, column) in [
            ("federated_identity", "user_id"),
            ("federated_session", "subject"),
            ("federated_session", "sid"),
            ("federated_session", "expires_at"),
        ] {
            let mut index = Index::create();
            index.name(format!("{table}_{column}")).table(table).col(column).if_not_exists();
            manager.create_index(index.take()).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("whose account is whose is never taken away".to_owned()))
    }
}

fn tables() -> Vec<TableCreateStatement> {
    let key = || text("id").primary_key().take();
    vec![
        Table::create()
            .table("federated_identity")
            .if_not_exists()
            .col(key())
            .col(text("issuer"))
            .col(text("subject"))
            .col(text_null("user_id"))
            .col(text("linked_by"))
            .col(big_integer("linked_at"))
            .col(text("granted"))
            .take(),
        Table::create()
            .table("federated_session")
            .if_not_exists()
            .col(key())
            .col(text("session_id"))
            .col(text("issuer"))
            .col(text("subject"))
            .col(text_null("sid"))
            .col(big_integer("expires_at"))
            .take(),
    ]
}

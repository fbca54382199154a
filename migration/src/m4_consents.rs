//! Consents that are added to or replaced, and details types of which every version is kept.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text};

/// Two tables and three columns.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m4_consents"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ("consent", "version", big_integer("version").default(1).take()),
            ("details_type", "version", big_integer("version").default(1).take()),
            ("details_type", "retired_at", big_integer_null("retired_at")),
        ];
        for (table, name, column) in columns {
            if !manager.has_column(table, name).await? {
                manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
            }
        }
        let versions = Table::create()
            .table("details_type_version")
            .if_not_exists()
            .col(text("name"))
            .col(big_integer("version"))
            .col(big_integer("created_at"))
            .col(text("document"))
            .primary_key(Index::create().col("name").col("version"))
            .take();
        manager.create_table(versions).await?;
        // What was declared until now is the first version, under which all consents were given.
        let first = "INSERT INTO details_type_version (name, version, created_at, document) \
                     SELECT name, 1, 0, document FROM details_type WHERE 1 = 1 ON CONFLICT DO NOTHING";
        manager.get_connection().execute_unprepared(first).await?;
        let held = Table::create()
            .table("consent_details_type")
            .if_not_exists()
            .col(text("id").primary_key())
            .col(text("consent_id"))
            .col(text("name"))
            .col(big_integer("version"))
            .col(big_integer("expires_at"))
            .take();
        manager.create_table(held).await?;
        for (name, column) in [
            ("consent_details_type_by_consent", "consent_id"),
            ("consent_details_type_by_name", "name"),
            ("consent_details_type_by_expiry", "expires_at"),
        ] {
            let index =
                Index::create().name(name).table("consent_details_type").col(column).if_not_exists().take();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("consents are never taken away".to_owned()))
    }
}

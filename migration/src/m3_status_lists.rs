//! Status lists, and the places of tokens in them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null};

/// A table, two columns, and the ways to what was ended or rests.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m3_status_lists"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let list = Table::create()
            .table("status_list")
            .if_not_exists()
            .col(text("id").primary_key())
            .col(big_integer("size"))
            .col(big_integer("expires_at"))
            .take();
        manager.create_table(list).await?;
        let columns =
            [("status_list", text_null("status_list")), ("status_index", big_integer_null("status_index"))];
        for (name, column) in columns {
            if !manager.has_column("token", name).await? {
                manager.alter_table(Table::alter().table("token").add_column(column).take()).await?;
            }
        }
        // Neither costs anything when a token of a consent is written.
        let ended = Index::create()
            .name("token_ended_in_list")
            .table("token")
            .col("status_list")
            .if_not_exists()
            .and_where(Expr::cust("ended_at IS NOT NULL"))
            .take();
        let own = Index::create()
            .name("token_of_client_itself")
            .table("token")
            .col("client_id")
            .if_not_exists()
            .and_where(Expr::cust("consent_id IS NULL"))
            .take();
        manager.create_index(ended).await?;
        manager.create_index(own).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("status lists are never taken away".to_owned()))
    }
}

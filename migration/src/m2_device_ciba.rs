//! Requests whose user is elsewhere, and the codes without which users are not asked from afar.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null};

/// Requests whose user is elsewhere, and the codes without which users are not asked from afar.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m2_device_ciba"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let requests = Table::create()
            .table("deferred_request")
            .if_not_exists()
            .col(text("digest").primary_key().take())
            .col(text("id"))
            .col(text("client_id"))
            .col(text_null("user_id"))
            .col(text_null("user_code"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("taken_at"))
            .col(big_integer("poll_interval"))
            .col(big_integer_null("polled_at"))
            .col(text_null("delivery"))
            .col(text("document"))
            .take();
        manager.create_table(requests).await?;
        let user_codes = Table::create()
            .table("backchannel_user_code")
            .if_not_exists()
            .col(text("user_id").primary_key().take())
            .col(text_null("hash"))
            .take();
        manager.create_table(user_codes).await?;
        let index = |column: &'static str| {
            let mut index = Index::create();
            index
                .name(format!("deferred_request_{column}"))
                .table("deferred_request")
                .col(column)
                .if_not_exists();
            index
        };
        let sparse = |column: &'static str| index(column).and_where(Expr::col(column).is_not_null()).take();
        for index in [
            index("id").unique().take(),
            index("expires_at"),
            sparse("user_id"),
            sparse("user_code").unique().take(),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("these tables are never taken away".to_owned()))
    }
}

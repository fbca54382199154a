//! Clients that registered themselves, and the tokens that let them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null};

/// Two tables, and the way from such a client to its tokens.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m2_registration"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let registration = Table::create()
            .table("client_registration")
            .if_not_exists()
            .col(text("client_id").primary_key())
            .col(text("kind"))
            .col(text_null("token_digest"))
            .col(big_integer("registered_at"))
            .col(big_integer_null("fresh_until"))
            .col(big_integer_null("used_at"))
            .col(text_null("software_statement"))
            .take();
        let token = Table::create()
            .table("initial_access_token")
            .if_not_exists()
            .col(text("digest").primary_key())
            .col(text("name"))
            .col(big_integer("uses_left"))
            .col(big_integer("expires_at"))
            .take();
        manager.create_table(registration).await?;
        manager.create_table(token).await?;
        // Of tokens of other clients it costs nothing.
        let tokens = Index::create()
            .name("token_of_registered_client")
            .table("token")
            .col("client_id")
            .if_not_exists()
            .and_where(Expr::cust("substr(client_id, 1, 4) IN ('dyn_', 'http')"))
            .take();
        manager.create_index(tokens).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("registrations are never taken away".to_owned()))
    }
}

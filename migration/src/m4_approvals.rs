//! Token requests that wait for a person's approval, and what is told to webhooks.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, integer, text, text_null};

/// Token requests that wait for a person's approval, and what is told to webhooks.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m4_approvals"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let deferrals = Table::create()
            .table("deferral")
            .if_not_exists()
            .col(text("digest").primary_key().take())
            .col(text("id"))
            .col(text("client_id"))
            .col(text("approver_id"))
            .col(text_null("consent_id"))
            .col(text_null("task_id"))
            .col(text_null("token_id"))
            .col(big_integer("expires_at"))
            .col(text_null("answer"))
            .col(big_integer_null("ended_at"))
            .col(big_integer_null("taken_at"))
            .col(big_integer("poll_interval"))
            .col(big_integer_null("polled_at"))
            .col(text("request"))
            .col(text("document"))
            .take();
        manager.create_table(deferrals).await?;
        let deliveries = Table::create()
            .table("webhook_delivery")
            .if_not_exists()
            .col(text("digest").primary_key().take())
            .col(text("webhook"))
            .col(big_integer("due_at"))
            .col(integer("attempts"))
            .col(big_integer("expires_at"))
            .col(text("document"))
            .take();
        manager.create_table(deliveries).await?;
        let index = |table: &'static str, column: &'static str| {
            let mut index = Index::create();
            index.name(format!("{table}_{column}")).table(table).col(column).if_not_exists();
            index
        };
        for index in [
            index("deferral", "id").unique().take(),
            index("deferral", "client_id"),
            index("deferral", "approver_id"),
            index("deferral", "expires_at"),
            index("webhook_delivery", "due_at"),
            index("webhook_delivery", "expires_at"),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("these tables are never taken away".to_owned()))
    }
}

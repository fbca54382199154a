//! Whom a token concerns beside the client that it was issued to, so that stopping an agent looks at its own tokens alone.
//! Tokens from before this are over within minutes.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text_null;

/// Two columns and the ways to them, and that from a user to their tasks.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m4_stopping"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["actor_id", "receiver_id"] {
            if !manager.has_column("token", column).await? {
                manager
                    .alter_table(Table::alter().table("token").add_column(text_null(column)).take())
                    .await?;
            }
            // Most concern nobody else.
            let index = Index::create()
                .name(format!("token_by_{column}"))
                .table("token")
                .col(column)
                .if_not_exists()
                .and_where(Expr::cust(format!("{column} IS NOT NULL")))
                .take();
            manager.create_index(index).await?;
        }
        let tasks = Index::create().name("task_by_user").table("task").col("user_id").if_not_exists().take();
        manager.create_index(tasks).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("what stops an agent is never taken away".to_owned()))
    }
}

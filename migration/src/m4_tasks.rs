//! Tasks that are listed by age and swept, and what each was opened with; tokens of a list by when they ended.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text_null};

/// Two columns, and the ways to what is asked for.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m4_tasks"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ("opened_by", text_null("opened_by")),
            ("created_at", big_integer("created_at").default(0).take()),
        ];
        for (name, column) in columns {
            if !manager.has_column("task", name).await? {
                manager.alter_table(Table::alter().table("task").add_column(column).take()).await?;
            }
        }
        let ended = Index::create()
            .name("token_in_list_by_end")
            .table("token")
            .col("status_list")
            .col("ended_at")
            .if_not_exists()
            .and_where(Expr::cust("ended_at IS NOT NULL"))
            .take();
        let deadlines =
            Index::create().name("task_by_deadline").table("task").col("deadline").if_not_exists().take();
        manager.create_index(ended).await?;
        manager.create_index(deadlines).await?;
        if manager.has_index("token", "token_ended_in_list").await? {
            let before = Index::drop().name("token_ended_in_list").table("token").to_owned();
            manager.drop_index(before).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("tasks are never taken away".to_owned()))
    }
}

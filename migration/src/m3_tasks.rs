//! Tasks that are counted, suspended by somebody's hand, and opened once for one key.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text_null};

/// Four columns and the ways to find tasks by them.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m3_tasks"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ("max_derivations", big_integer_null("max_derivations")),
            ("derivations", big_integer("derivations").default(0).take()),
            ("suspended_by", text_null("suspended_by")),
            ("opening", text_null("opening")),
        ];
        for (name, column) in columns {
            if !manager.has_column("task", name).await? {
                manager.alter_table(Table::alter().table("task").add_column(column).take()).await?;
            }
        }
        let opened = Index::create()
            .name("task_by_opening")
            .table("task")
            .col("opening")
            .unique()
            .if_not_exists()
            .and_where(Expr::cust("opening IS NOT NULL"))
            .take();
        let actors =
            Index::create().name("task_by_actor").table("task").col("actor_id").if_not_exists().take();
        manager.create_index(opened).await?;
        manager.create_index(actors).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("tasks are never taken away".to_owned()))
    }
}

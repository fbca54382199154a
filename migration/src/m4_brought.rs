//! What issuers of identity assertions brought: which consents that is, since when one is over, and that what was ended
//! does not come back by itself.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null};
use sea_orm_migration::sea_orm::DbBackend;

/// Two columns and a table.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m4_brought"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, column) in
            [("brought_by", text_null("brought_by")), ("ended_at", big_integer_null("ended_at"))]
        {
            if !manager.has_column("consent", name).await? {
                manager.alter_table(Table::alter().table("consent").add_column(column).take()).await?;
            }
        }
        for (name, column) in [("consent_brought_over", "expires_at"), ("consent_brought_ended", "ended_at")]
        {
            let index = Index::create()
                .name(name)
                .table("consent")
                .col(column)
                .and_where(Expr::col("brought_by").is_not_null())
                .if_not_exists()
                .take();
            manager.create_index(index).await?;
        }
        let beside = Index::create()
            .name("consent_brought_beside")
            .table("consent")
            .col("user_id")
            .col("client_id")
            .and_where(Expr::col("brought_by").is_not_null())
            .if_not_exists()
            .take();
        manager.create_index(beside).await?;
        let ends = Table::create()
            .table("brought_end")
            .if_not_exists()
            .col(text("id").primary_key())
            .col(big_integer("ended_at"))
            .col(big_integer("expires_at"))
            .take();
        manager.create_table(ends).await?;
        let index = Index::create()
            .name("brought_end_expires_at")
            .table("brought_end")
            .col("expires_at")
            .if_not_exists()
            .take();
        manager.create_index(index).await?;

        let db = manager.get_connection();
        let issuer = match db.get_database_backend() {
            DbBackend::Postgres => "document::json->>'brought_by'",
            _ => "json_extract(document, '$.brought_by')",
        };
        let tell = format!(
            "UPDATE consent SET brought_by = {issuer} \
             WHERE brought_by IS NULL AND document LIKE '%\"brought_by\"%'"
        );
        db.execute_unprepared(&tell).await?;
        // Since when one is over was not kept until now: whoever signed in before it began has not signed in since.
        let note = "INSERT INTO brought_end (id, ended_at, expires_at) \
                    SELECT user_id || ' ' || client_id || ' ' || brought_by, MAX(created_at), \
                    MAX(created_at) + 315360000 FROM consent WHERE brought_by IS NOT NULL AND state = 'revoked' \
                    GROUP BY user_id, client_id, brought_by ON CONFLICT DO NOTHING";
        db.execute_unprepared(note).await?;
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("what was ended is never forgotten".to_owned()))
    }
}

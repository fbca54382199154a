//! What people sign in with besides a password, and the browsers that they are known in.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null};
use sea_orm_migration::sea_orm::DbBackend;

/// Passkeys, authenticator apps, recovery codes, known browsers; users by their e-mail address.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m2_users"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        if !manager.has_column("user_account", "email_lower").await? {
            let column = text_null("email_lower");
            manager.alter_table(Table::alter().table("user_account").add_column(column).take()).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        fill_in(manager).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("what people sign in with is never taken away".to_owned()))
    }
}

fn tables() -> Vec<TableCreateStatement> {
    let key = |name: &'static str| text(name).primary_key().take();
    vec![
        Table::create()
            .table("passkey")
            .if_not_exists()
            .col(key("id"))
            .col(text("user_id"))
            .col(text("name"))
            .col(big_integer("counter"))
            .col(big_integer("created_at"))
            .col(big_integer_null("used_at"))
            .col(text("document"))
            .take(),
        Table::create()
            .table("totp")
            .if_not_exists()
            .col(key("user_id"))
            .col(big_integer("created_at"))
            .col(text("secret"))
            .take(),
        Table::create()
            .table("recovery_code")
            .if_not_exists()
            .col(key("digest"))
            .col(text("user_id"))
            .col(big_integer_null("taken_at"))
            .take(),
        Table::create()
            .table("known_browser")
            .if_not_exists()
            .col(key("digest"))
            .col(text("user_id"))
            .col(big_integer("expires_at"))
            .take(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let index = |table: &'static str, column: &'static str| {
        Index::create().name(format!("{table}_{column}")).table(table).col(column).if_not_exists().take()
    };
    let sparse = |table: &'static str, column: &'static str| {
        index(table, column).and_where(Expr::col(column).is_not_null()).take()
    };
    vec![
        index("passkey", "user_id"),
        index("recovery_code", "user_id"),
        index("known_browser", "user_id"),
        index("known_browser", "expires_at"),
        sparse("user_account", "email_lower"),
        sparse("browser_session", "user_id"),
    ]
}

/// The addresses of the users that are there already.
async fn fill_in(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let email = match manager.get_database_backend() {
        DbBackend::Postgres => "document::json -> 'claims' ->> 'email'",
        _ => "json_extract(document, '$.claims.email')",
    };
    let fill = format!("UPDATE user_account SET email_lower = lower({email}) WHERE email_lower IS NULL");
    manager.get_connection().execute_unprepared(&fill).await.map(|_| ())
}

//! Accounts that an admin disabled stay so, whatever the configuration declares; and accounts whose users have to sign
//! in anew before anything is issued for them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::big_integer_null;

/// Since when an account is disabled, and since when its user has not signed in.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m4_halt"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["halted_at", "revoked_at"] {
            if !manager.has_column("user_account", name).await? {
                let column = big_integer_null(name);
                manager.alter_table(Table::alter().table("user_account").add_column(column).take()).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("these columns are never taken away".to_owned()))
    }
}

//! The life of signing keys: since when a key stands where it stands, how long what it signed may live, and one
//! number for the whole ring, so that each change of it is made by one process only and heard of by all.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer};

/// The life of signing keys.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m2_keys"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["since", "longest_life"] {
            if !manager.has_column("signing_key", column).await? {
                let mut alter = Table::alter();
                alter.table("signing_key").add_column(big_integer(column).default(0).take());
                manager.alter_table(alter).await?;
            }
        }
        let db = manager.get_connection();
        db.execute_unprepared("UPDATE signing_key SET since = created_at WHERE since = 0").await?;
        // Of several active keys for one algorithm only the oldest ever signed.
        db.execute_unprepared(
            "UPDATE signing_key SET state = 'former' WHERE state = 'active' AND EXISTS \
             (SELECT 1 FROM signing_key AS older WHERE older.alg = signing_key.alg AND older.state = 'active' AND \
             (older.created_at < signing_key.created_at OR \
             (older.created_at = signing_key.created_at AND older.kid < signing_key.kid)))",
        )
        .await?;
        let mut ring = Table::create();
        ring.table("key_ring")
            .if_not_exists()
            .col(integer("id").primary_key())
            .col(big_integer("version"))
            .col(big_integer("changed_at"));
        manager.create_table(ring).await?;
        let first = Query::insert()
            .into_table("key_ring")
            .columns(["id", "version", "changed_at"])
            .values_panic([1.into(), 0_i64.into(), 0_i64.into()])
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .to_owned();
        manager.execute(first).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the life of keys is never taken away".to_owned()))
    }
}

//! On SQLite, the marks of what was shown once become a table that is its own index: one page less for each mark.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Remakes the table `replay` on SQLite; nothing that is remembered is forgotten.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m2_replay_without_rowid"
    }
}

const STEPS: [&str; 6] = [
    "DROP TABLE IF EXISTS replay_next",
    "CREATE TABLE replay_next (key TEXT NOT NULL PRIMARY KEY, expires_at BIGINT NOT NULL) WITHOUT ROWID",
    "INSERT INTO replay_next (key, expires_at) SELECT key, expires_at FROM replay",
    "DROP TABLE replay",
    "ALTER TABLE replay_next RENAME TO replay",
    "CREATE INDEX IF NOT EXISTS replay_expires_at ON replay (expires_at)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if manager.get_database_backend() != DbBackend::Sqlite {
            return Ok(());
        }
        for step in STEPS {
            db.execute_unprepared(step).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("what was shown once is never forgotten".to_owned()))
    }
}

//! Opening the database: connections that lose nothing that was acknowledged, and tables that are there.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use migration::{Migrator, MigratorTrait as _};
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, TransactionTrait as _,
};

use super::{Store, StoreError};

/// How many write at once on PostgreSQL.
pub(super) const WRITERS_ON_POSTGRES: usize = 3;
/// How many statements each connection keeps prepared.
const PREPARED: usize = 400;
/// How often the tables are tried to be made on SQLite, which has no lock to wait for meanwhile.
const MOST_STUMBLES: usize = 25;
/// Held while the tables are made or changed, so that processes that start together do it one after the other.
const MIGRATION_LOCK: i64 = 0x0070_726f_6375_7261;
/// Held while a process looks for what every start makes, and makes what is missing.
const FURNISHING_LOCK: i64 = MIGRATION_LOCK + 1;

/// The connections of one store.
pub(super) struct Connections {
    pub(super) writer: DatabaseConnection,
    pub(super) reader: DatabaseConnection,
    pub(super) writers: usize,
}

/// Connects to `url` and brings the tables up to date.
pub(super) async fn open(url: &str) -> Result<Connections, StoreError> {
    if url.starts_with("sqlite:") {
        open_sqlite(url).await
    } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        open_postgres(url).await
    } else {
        Err(StoreError::Unavailable("its URL is neither sqlite: nor postgres:"))
    }
}

/// The file of an SQLite database that is not there yet.
pub(super) fn missing_file(url: &str) -> Option<PathBuf> {
    let file = SqliteConnectOptions::from_str(url.starts_with("sqlite:").then_some(url)?).ok()?;
    let file = std::path::absolute(file.get_filename()).ok()?;
    let is_empty = std::fs::metadata(&file).map_or(true, |file| file.len() == 0);
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    (is_empty && !in_memory).then_some(file)
}

/// How long whoever opens the database waits for it: others may be making its tables, on a machine that is busy.
const PATIENCE_AT_START: Duration = Duration::from_secs(10);

fn quiet(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .connect_timeout(Duration::from_secs(2))
        .acquire_timeout(Duration::from_secs(2))
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    options
}

async fn open_sqlite(url: &str) -> Result<Connections, StoreError> {
    let parsed = SqliteConnectOptions::from_str(url)
        .map_err(|_| StoreError::Unavailable("its URL cannot be understood"))?;
    create_folder(parsed.get_filename())?;
    if url.contains("mode=rwc") {
        create_file(parsed.get_filename())?;
    }
    let careful = |options: SqliteConnectOptions| {
        options
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(true)
            .statement_cache_capacity(PREPARED)
    };
    let mut options = quiet(url, 1);
    options.test_before_acquire(false).idle_timeout(None).max_lifetime(None);
    options.connect_timeout(PATIENCE_AT_START).acquire_timeout(PATIENCE_AT_START);
    // Pages are written again and again; the longer the log, the fewer of them are copied for nothing.
    options.map_sqlx_sqlite_opts(move |o| {
        careful(o).journal_mode(SqliteJournalMode::Wal).pragma("wal_autocheckpoint", "4000")
    });
    let writer = Database::connect(options).await?;
    migrate_sqlite(&writer).await?;
    let mut options = quiet(url, 4);
    options.min_connections(1).test_before_acquire(false);
    options.map_sqlx_sqlite_opts(move |o| careful(o).pragma("query_only", "ON"));
    let reader = Database::connect(options).await?;
    Ok(Connections { writer, reader, writers: 1 })
}

/// As long as this is there, no other process furnishes the same database.
#[must_use = "the others wait no longer than this lives"]
pub struct Furnishing(Option<DatabaseTransaction>);

impl Furnishing {
    /// Lets the others in.
    pub async fn done(self) {
        if let Some(transaction) = self.0 {
            // It wrote nothing; and where the connection is gone, so is the lock.
            let _ = transaction.rollback().await;
        }
    }
}

impl Store {
    /// Waits until no other process furnishes this database: looks for keys, people and clients that every start
    /// makes, and makes what is missing. On SQLite there is no other process.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], also where the others take too long.
    pub async fn furnish_alone(&self) -> Result<Furnishing, StoreError> {
        let reader = self.reader();
        if reader.get_database_backend() != DbBackend::Postgres {
            return Ok(Furnishing(None));
        }
        let transaction = reader.begin().await?;
        transaction.execute_unprepared("SET LOCAL statement_timeout = '60s'").await?;
        transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({FURNISHING_LOCK})")).await?;
        Ok(Furnishing(Some(transaction)))
    }
}

/// Processes that start together stumble over each other at every table that one of them makes; who stumbled finds it
/// made when it tries again.
async fn migrate_sqlite(writer: &DatabaseConnection) -> Result<(), StoreError> {
    let mut outcome = migrate(writer).await;
    for _ in 0..MOST_STUMBLES {
        if outcome.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        outcome = migrate(writer).await;
    }
    outcome.map_err(StoreError::from)
}

/// Makes what is missing of the tables, and says so in one line.
async fn migrate(db: &DatabaseConnection) -> Result<(), DbErr> {
    let steps = Migrator::get_pending_migrations(db).await?.len();
    Migrator::up(db, None).await?;
    if steps > 0 {
        tracing::info!(steps, "the tables of the database were brought up to date");
    }
    Ok(())
}

/// Makes the folder of the database file, for its owner only.
fn create_folder(file: &Path) -> Result<(), StoreError> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|_| StoreError::Unavailable("its folder cannot be made"))
}

/// Makes the database file, for its owner only; SQLite gives the files beside it the same rights.
fn create_file(file: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop).map_err(|_| StoreError::Unavailable("its file cannot be opened"))
}

async fn open_postgres(url: &str) -> Result<Connections, StoreError> {
    migrate_postgres(url).await?;
    let writers = WRITERS_ON_POSTGRES;
    let mut options = quiet(url, u32::try_from(writers).unwrap_or(1));
    options.statement_timeout(Duration::from_secs(5));
    options.map_sqlx_postgres_opts(|o| prompt(o).application_name("procura writer"));
    let writer = Database::connect(options).await?;
    let mut options = quiet(url, 8);
    options.statement_timeout(Duration::from_secs(5));
    options.map_sqlx_postgres_opts(|o| prompt(o).application_name("procura"));
    let reader = Database::connect(options).await?;
    Ok(Connections { writer, reader, writers })
}

/// What makes statements begin at once. To compile one takes a second where all of its work takes a hundredth, and that is
/// how long a stopped agent would go on.
fn prompt(options: PgConnectOptions) -> PgConnectOptions {
    options.statement_cache_capacity(PREPARED).options([("jit", "off")])
}

async fn migrate_postgres(url: &str) -> Result<(), StoreError> {
    // One connection only: the lock belongs to it, and goes with it should this process die.
    let mut options = quiet(url, 1);
    options.idle_timeout(None).max_lifetime(None);
    options.connect_timeout(PATIENCE_AT_START).acquire_timeout(PATIENCE_AT_START);
    let db = Database::connect(options).await?;
    db.execute_unprepared(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})")).await?;
    let outcome = migrate(&db).await;
    db.close().await?;
    outcome.map_err(StoreError::from)
}

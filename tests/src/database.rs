//! Databases: a fresh one for each house, copied from one in which the tables and the keys are already made.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use server::clock::SystemClock;
use server::config::{self, ConfigFile};
use server::secret::SystemEntropy;
use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::postgres::Cluster;

/// Which database a house lives on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Database {
    /// A file in a temporary folder.
    Sqlite,
    /// A database in a throw-away cluster.
    Postgres,
}

/// A database of a house's own.
pub(crate) struct Site {
    pub(crate) url: String,
    _folder: Option<TempDir>,
}

static SKIPPED: AtomicU32 = AtomicU32::new(0);
static SITES: AtomicU32 = AtomicU32::new(0);
static SQLITE_TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
static POSTGRES_TEMPLATE: OnceCell<()> = OnceCell::const_new();
const TEMPLATE: &str = "procura_template";

impl Database {
    /// Whether PostgreSQL can be had. Where it cannot, the test that asks is skipped aloud; under `CI=true` it fails.
    pub fn postgres_is_there(test: &str) -> bool {
        match Cluster::of_this_process() {
            Ok(_) => true,
            Err(reason) => {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "no PostgreSQL: {reason}");
                let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
                eprintln!("SKIPPED: {test} (skipped so far: {count}): no PostgreSQL: {reason}");
                false
            }
        }
    }

    /// Where the house really lives: a test that is about no database in particular asks for SQLite, and is run on
    /// PostgreSQL as well where this variable says so.
    fn chosen(self) -> Self {
        let elsewhere = std::env::var("PROCURA_TEST_ON").is_ok_and(|name| name == "postgres");
        if elsewhere { Self::Postgres } else { self }
    }

    /// A new database with nothing in it.
    pub(crate) async fn build_empty(self) -> Site {
        match self.chosen() {
            Self::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                Site { url: sqlite_url(&folder.path().join("procura.db")), _folder: Some(folder) }
            }
            Self::Postgres => {
                let cluster = Cluster::of_this_process().unwrap();
                let name = format!("house_{}", SITES.fetch_add(1, Ordering::Relaxed));
                execute(cluster, format!("CREATE DATABASE {name}")).await;
                Site { url: cluster.url(&name), _folder: None }
            }
        }
    }

    /// A new database.
    pub(crate) async fn build(self) -> Site {
        match self.chosen() {
            Self::Sqlite => {
                let template = SQLITE_TEMPLATE.get_or_init(sqlite_template).await;
                let folder = tempfile::tempdir().unwrap();
                let file = folder.path().join("procura.db");
                std::fs::write(&file, template).unwrap();
                Site { url: sqlite_url(&file), _folder: Some(folder) }
            }
            Self::Postgres => {
                let cluster = Cluster::of_this_process().unwrap();
                POSTGRES_TEMPLATE.get_or_init(|| postgres_template(cluster)).await;
                let name = format!("house_{}", SITES.fetch_add(1, Ordering::Relaxed));
                execute(cluster, format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await;
                Site { url: cluster.url(&name), _folder: None }
            }
        }
    }
}

fn sqlite_url(file: &Path) -> String {
    format!("sqlite://{}?mode=rwc", file.display())
}

/// Opened once in each process: making keys takes longer than most tests.
async fn sqlite_template() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template.db");
    furnish(&sqlite_url(&file)).await;
    std::fs::read(&file).unwrap()
}

async fn postgres_template(cluster: &Cluster) {
    execute(cluster, format!("CREATE DATABASE {TEMPLATE}")).await;
    furnish(&cluster.url(TEMPLATE)).await;
}

async fn execute(cluster: &Cluster, statement: String) {
    let mut connection = sqlx::PgConnection::connect(&cluster.url("postgres")).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    connection.close().await.unwrap();
}

async fn furnish(url: &str) {
    let text = format!(
        "database_url = \"{url}\"\n[[users]]\nusername = \"admin\"\nname = \"Ada Admin\"\nadmin = true\n"
    );
    let file = ConfigFile { name: "template.toml".into(), text, folder: ".".into() };
    let config = config::read(Some(&file), []).unwrap();
    let (app, _) = server::start::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.unwrap();
    app.store.close().await;
}

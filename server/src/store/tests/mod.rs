//! The store's promises, on SQLite always and on PostgreSQL where `PROCURA_TEST_DATABASE_URL` names one in which
//! databases may be made.

use std::collections::BTreeSet;

use protocol::authority::Authority;
use protocol::authorization_details::built_in;
use protocol::client::{Agent, Client, ClientKind, ClientStatus, SigningAlg};
use protocol::consent::ConsentState;
use protocol::identifier::{ConsentId, TokenId};
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::task::TaskStatus;
use protocol::token::{TaskRef, Token};
use protocol::user::User;
use serde_json::json;

use super::*;
use crate::secret::{SystemEntropy, random_id};
use samples::*;

/// Makes of each promise one test for SQLite and one for PostgreSQL.
macro_rules! promises {
    ($($name:ident;)*) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$name(&super::super::Site::sqlite().open().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(site) = super::super::Site::postgres().await {
                    super::$name(&site.open().await).await;
                }
            }
        }
    )*};
}

mod anchors;
mod brought;
mod commits;
mod deferrals;
mod deliveries;
mod endings;
mod halts;
mod held;
mod logouts;
mod opening;
mod reads;
mod samples;
mod seeds;
mod single_use;
mod status_lists;
mod subtrees;
mod under_way;

/// A database that nobody opened yet.
struct Site {
    url: String,
    folder: Option<tempfile::TempDir>,
}

impl Site {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/deep/er/store.db?mode=rwc", folder.path().display());
        Self { url, folder: Some(folder) }
    }

    async fn postgres() -> Option<Self> {
        let base = std::env::var("PROCURA_TEST_DATABASE_URL").ok()?;
        let name = random_id(&SystemEntropy, "t").to_lowercase().replace(['-', '_'], "x");
        execute_at(&base, &[format!("CREATE DATABASE {name}")]).await;
        let url = format!("{}/{name}", base.rsplit_once('/').unwrap().0);
        Some(Self { url, folder: None })
    }

    async fn open(self) -> Place {
        let store = Store::open(&self.url).await.unwrap();
        Place { store, url: self.url, folder: self.folder }
    }
}

/// Executes statements at another database.
async fn execute_at(url: &str, statements: &[String]) {
    use sea_orm::ConnectionTrait as _;
    let db = sea_orm::Database::connect(url).await.unwrap();
    for statement in statements {
        db.execute_unprepared(statement).await.unwrap();
    }
    db.close().await.unwrap();
}

/// A store of its own, and where it lies.
struct Place {
    store: Store,
    url: String,
    folder: Option<tempfile::TempDir>,
}

impl Place {
    /// What it did, in numbers.
    async fn commit(&self, change: Change) -> Committed {
        let Committed { seq, ended } = self.store.commit(change).await.unwrap();
        Committed { seq, ended: Ended { named: Named::default(), ..ended } }
    }

    async fn keep(&self, records: Vec<Record>) {
        self.commit(records.into_iter().fold(Change::housekeeping(NOW), Change::keep)).await;
    }

    async fn lives(&self, anchor: Anchor) -> bool {
        self.store.is_alive(&[anchor], NOW).await.unwrap().is_ok()
    }

    async fn token_lives(&self, id: &str) -> bool {
        self.lives(Anchor::Token(id.parse().unwrap())).await
    }

    async fn log(&self) -> Vec<i64> {
        self.store.audit_after(0, 10_000).await.unwrap().iter().map(|event| event.seq).collect()
    }

    /// Commits what `make` makes, 50 times at once; how many went through, and what the others were told.
    async fn race(&self, make: impl Fn(usize) -> Change) -> (usize, Vec<CommitError>) {
        let commits: Vec<_> = (0..50)
            .map(|n| {
                let (store, change) = (self.store.clone(), make(n));
                tokio::spawn(async move { store.commit(change).await })
            })
            .collect();
        let (mut won, mut lost) = (0, Vec::new());
        for commit in commits {
            match commit.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => lost.push(error),
            }
        }
        (won, lost)
    }
}

//! The database, and the only room that speaks SQL.
//!
//! Reads are calls. Writes are values: a request's effects are gathered as a [`Change`] and written by
//! [`Store::commit`], together with other requests' changes in one transaction. Only digests of secrets are stored.

mod amending;
mod anchors;
mod audit;
mod batch;
mod caches;
mod change;
mod clients;
mod codes;
mod consents;
mod credentials;
mod declared;
mod deferrals;
mod deferred;
mod deliveries;
mod details_types;
mod endings;
mod error;
mod federation;
mod halts;
mod instances;
mod keeping;
mod keys;
mod lists;
mod logouts;
mod open;
mod queue;
mod receipts;
mod registrations;
mod requests;
mod sessions;
mod sign_ins;
mod sql;
mod status_lists;
mod subjects;
mod sweep;
mod takes;
mod tasks;
#[cfg(test)]
mod tests;
mod tokens;
mod under_way;
mod users;
mod webhooks;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use protocol::numeric_date::NumericDate;
use sea_orm::DatabaseConnection;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

pub use amending::Amendment;
pub use change::{
    Anchor, Change, Committed, Conflict, Ended, Ending, Named, Origin, Record, ReplayKey, Room, SignedIn,
    Take,
};
pub use codes::StoredCode;
pub use credentials::{Forget, Passkey, Totp};
pub use deferrals::{AskedOfPerson, Deferral, Standing, Step};
pub use deferred::{DeferredRequest, Note};
pub use deliveries::AnswerDelivery;
pub use details_types::{DetailsTypeVersion, KeptDetailsType};
pub use error::{CommitError, StoreError};
pub use federation::{FederatedIdentity, FederatedSession};
pub use halts::Halted;
pub use instances::SeenInstance;
pub use keys::{SigningKey, SigningKeys};
pub use lists::{AgentFilter, ConsentFilter, TaskFilter, UserFilter};
pub use logouts::{LogoutDelivery, SessionClient, Settled};
pub use open::Furnishing;
pub use receipts::ActorReceipt;
pub use registrations::{InitialAccessToken, Registered, RegisteredBy};
pub use requests::{Interaction, OneTimeLink, PushedRequest};
pub use sessions::BrowserSession;
pub use subjects::PairwiseSubject;
pub use tokens::Under;
pub use under_way::Stopped;
pub use users::password_mark;
pub use webhooks::WebhookDelivery;

use caches::Caches;
use queue::Waiting;

/// The database. Cloning it is cheap, and all clones are one store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    core: Arc<Core>,
    queue: ArcSwapOption<mpsc::Sender<Waiting>>,
    writers: Mutex<Vec<JoinHandle<()>>>,
}

/// What readers and writers share.
struct Core {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    caches: Caches,
    commits: AtomicU64,
    changes: AtomicU64,
    reads: AtomicU64,
}

/// What the store did since it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Transactions committed.
    pub commits: u64,
    /// Changes answered.
    pub changes: u64,
    /// Reads that had to ask the database, outside the commits.
    pub reads: u64,
}

impl Store {
    /// Opens `sqlite://path?mode=rwc` or `postgres://…` and brings the tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the database cannot be reached or its URL cannot be understood.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let open::Connections { writer, reader, writers } = open::open(url).await?;
        let core = Arc::new(Core {
            writer,
            reader,
            caches: Caches::new(),
            commits: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            reads: AtomicU64::new(0),
        });
        let (sender, receiver) = mpsc::channel(queue::LONGEST_QUEUE);
        let receiver = Arc::new(Mutex::new(receiver));
        let start = |_| tokio::spawn(queue::write(Arc::clone(&core), Arc::clone(&receiver)));
        let writers = Mutex::new((0..writers).map(start).collect());
        Ok(Self(Arc::new(Inner { core, queue: ArcSwapOption::from_pointee(sender), writers })))
    }

    /// The file that [`Store::open`] would make a new database in, where `url` means an SQLite database that is not there.
    #[must_use]
    pub fn missing_file(url: &str) -> Option<std::path::PathBuf> {
        open::missing_file(url)
    }

    /// Writes what still waits, then lets go of the database. Later commits and reads fail.
    pub async fn close(&self) {
        self.0.queue.store(None);
        for writer in self.0.writers.lock().await.drain(..) {
            let _ = writer.await;
        }
        let _ = self.0.core.reader.close_by_ref().await;
        let _ = self.0.core.writer.close_by_ref().await;
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.reader().ping().await.map_err(StoreError::from)
    }

    /// What it did since it was opened.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let core = &self.0.core;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Statistics { commits: count(&core.commits), changes: count(&core.changes), reads: count(&core.reads) }
    }

    fn queue(&self) -> Option<mpsc::Sender<Waiting>> {
        self.0.queue.load().as_deref().cloned()
    }

    /// The connections for reading; asking for them counts as one read.
    fn reader(&self) -> &DatabaseConnection {
        self.0.core.reads.fetch_add(1, Ordering::Relaxed);
        &self.0.core.reader
    }

    fn caches(&self) -> &Caches {
        &self.0.core.caches
    }

    /// The first of `anchors` that is not alive at `now` as `Err`, asked of the database itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_alive(
        &self,
        anchors: &[Anchor],
        now: NumericDate,
    ) -> Result<Result<(), Anchor>, StoreError> {
        let lives = anchors::Lives::read(self.reader(), anchors).await?;
        Ok(lives.first_dead(anchors, now).map_or(Ok(()), |dead| Err(dead.clone())))
    }
}

/// A stored document as its type.
fn read<T: DeserializeOwned>(table: &'static str, id: &str, document: &str) -> Result<T, StoreError> {
    serde_json::from_str(document).map_err(|_| corrupt(table, id))
}

/// A stored word as its type.
fn read_word<T: DeserializeOwned>(table: &'static str, id: &str, word: &str) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::from(word)).map_err(|_| corrupt(table, id))
}

fn corrupt(table: &'static str, id: &str) -> StoreError {
    StoreError::Corrupt { table, id: id.to_owned() }
}

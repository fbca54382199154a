//! The queue of waiting changes and the writers that empty it: many callers share one transaction and never see it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

use super::batch::{self, Failed, Prepared, Verdicts};
use super::change::{Change, Committed};
use super::error::is_collision;
use super::keeping::Rows;
use super::{CommitError, Core, Store, StoreError};

/// The most changes in one transaction.
const LARGEST_BATCH: usize = 64;
/// The most changes that wait.
pub(super) const LONGEST_QUEUE: usize = 4096;
/// How long a caller waits for its change.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one transaction may take.
const LONGEST_TRANSACTION: Duration = Duration::from_secs(8);
/// How long a caller waits, a transaction and a statement of it may take, where a great deal ends.
const LONG: (Duration, Duration, Duration) =
    (Duration::from_secs(25), Duration::from_secs(24), Duration::from_secs(20));
/// How often transactions that got in each other's way are tried.
const TRIES: usize = 4;

type Answer = Result<Committed, CommitError>;

/// A change and who waits for it.
pub(super) struct Waiting {
    prepared: Prepared,
    reply: oneshot::Sender<Answer>,
}

/// The changes that wait, for all writers.
pub(super) type Queue = Arc<Mutex<mpsc::Receiver<Waiting>>>;

impl Store {
    /// Writes `change`, all of it or nothing (but for the marks of first times). It is the only way to write.
    ///
    /// When this returns `Ok`, the change outlives a crash. A caller that goes away before its change's turn takes
    /// the change with it.
    ///
    /// Whoever it stops is stopped when it is written. What they hold is marked as ended after that, before this
    /// returns; where that cannot be done, [`super::Ended::under_way`] says so and a sweep does it.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] names the condition that did not hold. [`CommitError::Broken`] with
    /// [`StoreError::Unavailable`] leaves open whether the change was written.
    pub async fn commit(&self, change: Change) -> Answer {
        let at = change.at;
        let mut committed = self.write(change).await?;
        self.finish_what_began(&mut committed.ended, at).await;
        Ok(committed)
    }

    /// Writes `change` and nothing that comes after it.
    pub(super) async fn write(&self, mut change: Change) -> Answer {
        let patience = if change.takes_long() { LONG.0 } else { PATIENCE };
        let rows = Rows::of(std::mem::take(&mut change.keep))?;
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting { prepared: Prepared { change, rows }, reply };
        let queue = self.queue().ok_or(StoreError::Unavailable("it is closed"))?;
        let answered = timeout(patience, async move {
            queue.send(waiting).await.map_err(|_| StoreError::Unavailable("nobody writes"))?;
            drop(queue);
            answer.await.map_err(|_| StoreError::Unavailable("nobody writes"))?
        });
        answered.await.unwrap_or(Err(CommitError::Broken(StoreError::Unavailable("it took too long"))))
    }
}

/// Writes what waits until the queue is closed and empty.
pub(super) async fn write(core: Arc<Core>, queue: Queue) {
    let mut waiting = Vec::new();
    loop {
        let count = queue.lock().await.recv_many(&mut waiting, LARGEST_BATCH).await;
        if count == 0 {
            return;
        }
        waiting.retain(|one| !one.reply.is_closed());
        // Nobody waits with those who end a great deal.
        let (long, together): (Vec<_>, Vec<_>) =
            waiting.drain(..).partition(|one: &Waiting| one.prepared.change.takes_long());
        answer_all(&core, together).await;
        for one in long {
            answer_all(&core, vec![one]).await;
        }
    }
}

async fn answer_all(core: &Core, waiting: Vec<Waiting>) {
    let batch: Vec<&Prepared> = waiting.iter().map(|one| &one.prepared).collect();
    let answers = write_batch(core, &batch).await;
    core.changes.fetch_add(waiting.len() as u64, Ordering::Relaxed);
    for (one, answer) in waiting.into_iter().zip(answers) {
        // Nobody may be there any more; the change is written all the same.
        let _ = one.reply.send(answer);
    }
}

/// Writes a batch. Where it fails as a whole, each change is tried alone, so that one that the database refuses
/// does not take others with it.
async fn write_batch(core: &Core, batch: &[&Prepared]) -> Vec<Answer> {
    if batch.is_empty() {
        return Vec::new();
    }
    let error = match attempt(core, batch).await {
        Ok(verdicts) => return verdicts.into_iter().map(|v| v.map_err(CommitError::Conflict)).collect(),
        Err(error) => error,
    };
    let hopeless = matches!(error, StoreError::Unavailable(_)) || batch.len() == 1;
    if hopeless {
        return batch.iter().map(|_| Err(CommitError::Broken(error.clone()))).collect();
    }
    let mut answers = Vec::with_capacity(batch.len());
    for one in batch {
        answers.push(match attempt(core, &[one]).await {
            Ok(verdicts) => verdicts
                .into_iter()
                .next()
                .unwrap_or_else(|| Ok(Committed::default()))
                .map_err(CommitError::Conflict),
            Err(error) => Err(CommitError::Broken(error)),
        });
    }
    answers
}

/// One transaction, again where another got in its way.
async fn attempt(core: &Core, batch: &[&Prepared]) -> Result<Verdicts, StoreError> {
    let mut tries = 1;
    let (longest, statement) = match batch.iter().any(|one| one.change.takes_long()) {
        true => (LONG.1, Some(LONG.2)),
        false => (LONGEST_TRANSACTION, None),
    };
    loop {
        let done = timeout(longest, batch::run(&core.writer, batch, statement));
        match done.await.map_err(|_| StoreError::Unavailable("a transaction took too long"))? {
            Ok(verdicts) => {
                core.commits.fetch_add(1, Ordering::Relaxed);
                core.caches.after(batch, &verdicts);
                return Ok(verdicts);
            }
            Err(Failed::Unknown) => return Err(StoreError::Unavailable("the commit was not confirmed")),
            Err(Failed::Undone(error)) if is_collision(&error) && tries < TRIES => tries += 1,
            Err(Failed::Undone(error)) => return Err(error.into()),
        }
    }
}

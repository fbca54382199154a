//! Many changes in one transaction: first everything that can stand in a change's way, then the writes of those
//! that nothing stood in the way of, the audit log last.

use std::collections::HashSet;
use std::time::Duration;

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait as _,
};

use super::anchors::Lives;
use super::change::{Change, Committed, Conflict, Ended};
use super::keeping::Rows;
use super::{
    amending, audit, deferred, details_types, endings, halts, keeping, logouts, sign_ins, sql, takes,
    under_way, users,
};

/// A change with its records made into rows.
pub(super) struct Prepared {
    pub(super) change: Change,
    pub(super) rows: Rows,
}

/// What became of each change of a batch.
pub(super) type Verdicts = Vec<Result<Committed, Conflict>>;

/// Why a batch was not written.
pub(super) enum Failed {
    /// It was not, for certain.
    Undone(DbErr),
    /// The commit itself failed: nobody knows.
    Unknown,
}

impl From<DbErr> for Failed {
    fn from(error: DbErr) -> Self {
        Self::Undone(error)
    }
}

/// Writes the batch. On PostgreSQL, which bounds the time of each statement, one may take as long as `statement`.
pub(super) async fn run(
    writer: &DatabaseConnection,
    batch: &[&Prepared],
    statement: Option<Duration>,
) -> Result<Verdicts, Failed> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = writer.begin_with_options(immediate).await?;
    if let (DbBackend::Postgres, Some(longest)) = (transaction.get_database_backend(), statement) {
        let allow = format!("SET LOCAL statement_timeout = {}", longest.as_millis());
        transaction.execute_unprepared(&allow).await?;
    }
    match write(&transaction, batch).await {
        Ok(verdicts) => {
            transaction.commit().await.map_err(|_| Failed::Unknown)?;
            Ok(verdicts)
        }
        Err(error) => {
            // Where even this fails the connection is gone, and the transaction with it.
            let _ = transaction.rollback().await;
            Err(Failed::Undone(error))
        }
    }
}

async fn write(db: &DatabaseTransaction, batch: &[&Prepared]) -> Result<Verdicts, DbErr> {
    let lost = judge(db, batch).await?;
    let winners: Vec<&Prepared> =
        batch.iter().zip(&lost).filter(|(_, lost)| lost.is_none()).map(|(prepared, _)| *prepared).collect();
    keeping::write(db, &winners.iter().map(|winner| &winner.rows).collect::<Vec<_>>()).await?;
    let mut written = Vec::with_capacity(winners.len());
    for winner in &winners {
        written.push(Committed { seq: None, ended: write_the_rest(db, &winner.change).await? });
    }
    number(db, &winners, &mut written).await?;
    let mut written = written.into_iter();
    Ok(lost
        .into_iter()
        .map(|lost| lost.map_or_else(|| Ok(written.next().unwrap_or_default()), Err))
        .collect())
}

/// What stands in the way of each change.
async fn judge(db: &DatabaseTransaction, batch: &[&Prepared]) -> Result<Vec<Option<Conflict>>, DbErr> {
    let changes: Vec<&Change> = batch.iter().map(|prepared| &prepared.change).collect();
    let lives = Lives::hold(db, &changes).await?;
    let dead =
        |change: &&Change| lives.first_dead(&change.requires, change.at).cloned().map(Conflict::NotAlive);
    let mut lost: Vec<Option<Conflict>> = changes.iter().map(dead).collect();
    let (mut written, mut amended) = (HashSet::new(), HashSet::new());
    for (change, lost) in changes.iter().zip(&mut lost).filter(|(_, lost)| lost.is_none()) {
        *lost = match users::other_password(db, change).await? {
            None => match sign_ins::must_sign_in(db, change).await? {
                None => users::changed(db, change, &mut written).await?,
                other => other,
            },
            other => other,
        };
        if lost.is_none() {
            *lost = amending::changed(db, change, &mut amended).await?;
        }
    }
    takes::find_room(db, &changes, &mut lost).await?;
    takes::mark_first_times(db, &changes, &mut lost).await?;
    // Before anything is taken: what is taken for a token that may not be is gone all the same.
    let counted = takes::count_derivations(db, &changes, &mut lost).await?;
    takes::take_all(db, &changes, &mut lost).await?;
    takes::count_back(db, &changes, &counted, &lost).await?;
    for (prepared, lost) in batch.iter().zip(&mut lost).filter(|(_, lost)| lost.is_none()) {
        *lost = details_types::declare(db, &prepared.rows.details_types, prepared.change.at).await?;
    }
    // The last of all: nothing may stand in the way of a change that has stopped somebody.
    for (change, lost) in changes.iter().zip(&mut lost).filter(|(_, lost)| lost.is_none()) {
        *lost = match halts::operate(db, change).await? {
            None => halts::set_account(db, change).await?,
            other => other,
        };
    }
    Ok(lost)
}

/// Counts attempts, drops sessions, settles deliveries, forgets what is to be forgotten and ends what is to end.
async fn write_the_rest(db: &DatabaseTransaction, change: &Change) -> Result<Ended, DbErr> {
    for digest in &change.attempts {
        let bump = "UPDATE authorization_code SET attempts = attempts + 1 WHERE digest = $1";
        sql::execute(db, bump, vec![digest.to_text().into()]).await?;
    }
    for note in &change.notes {
        deferred::note(db, note, change.at).await?;
    }
    for id in &change.drop_sessions {
        let drop = "DELETE FROM browser_session WHERE id = $1";
        sql::execute(db, drop, vec![id.clone().into()]).await?;
    }
    for forget in &change.forget {
        forget.run(db).await?;
    }
    logouts::settle(db, &change.settled).await?;
    let mut all = match &change.amend {
        Some(amendment) => {
            amending::amend(db, amendment).await?;
            amending::end_before(db, amendment, change.at).await?
        }
        None => Ended::default(),
    };
    all += under_way::begin_or_finish(db, change).await?;
    for ending in &change.end {
        all += endings::end(db, ending, change.at).await?;
    }
    Ok(all)
}

/// Writes the events of the winners and notes their places.
async fn number(
    db: &DatabaseTransaction,
    winners: &[&Prepared],
    written: &mut [Committed],
) -> Result<(), DbErr> {
    let events: Vec<_> = winners.iter().flat_map(|winner| winner.change.events()).collect();
    if events.is_empty() {
        return Ok(());
    }
    let mut seq = audit::write(db, &events).await?;
    for (winner, committed) in winners.iter().zip(written) {
        // Its own event is its last.
        for _ in winner.change.events() {
            committed.seq = Some(seq);
            seq += 1;
        }
    }
    Ok(())
}

//! Sweeping out what is over, in portions that hold nobody up.

use protocol::numeric_date::{NumericDate, Seconds};
use sea_orm::{SqliteTransactionMode, TransactionOptions, TransactionTrait as _, Value};

use super::change::Ending;
use super::{Store, StoreError, endings, logouts, sql};

/// The most rows of one statement.
const PORTION: u64 = 500;
/// The most statements for one table in one sweep; the next sweep goes on.
const PORTIONS: usize = 40;
/// How long a task is kept beyond its deadline, and what an issuer brought beyond its end.
const TASK_AFTERLIFE: Seconds = Seconds::days(30);
/// How long what others may still ask about is kept beyond its end.
const AFTERLIFE: Seconds = Seconds::days(1);

/// Table, primary key, and how long a row is kept beyond `expires_at`. Codes stay a while, because one that comes
/// again ends what it produced; requests of users elsewhere, because their clients are told that they are over;
/// tokens, because people look at what just ended.
const TABLES: [(&str, &str, Seconds); 20] = [
    ("replay", "key", Seconds(0)),
    ("pushed_request", "digest", Seconds(0)),
    ("interaction", "id", Seconds(0)),
    ("session_client", "id", Seconds(0)),
    ("one_time_link", "digest", Seconds(0)),
    ("known_browser", "digest", Seconds(0)),
    ("initial_access_token", "digest", Seconds(0)),
    ("ended_family", "family_id", Seconds(0)),
    ("ended_instance", "instance", Seconds(0)),
    ("brought_end", "id", Seconds(0)),
    ("federated_session", "id", Seconds(0)),
    ("backchannel_delivery", "digest", Seconds(0)),
    ("webhook_delivery", "digest", Seconds(0)),
    ("status_list", "id", Seconds(0)),
    ("actor_receipt", "hop", Seconds(0)),
    ("consent_details_type", "id", Seconds(0)),
    ("authorization_code", "digest", AFTERLIFE),
    ("deferred_request", "digest", AFTERLIFE),
    ("deferral", "digest", AFTERLIFE),
    ("token", "id", AFTERLIFE),
];

impl Store {
    /// Deletes what is over at `now` and returns how many rows that were. What is left over, a later sweep gets.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep(&self, now: NumericDate) -> Result<u64, StoreError> {
        let mut all = self.sweep_sessions(now).await? + self.sweep_tasks(now).await?;
        all += self.sweep_brought(now).await?;
        for (table, key, afterlife) in TABLES {
            let last = now.0.saturating_sub(afterlife.0);
            let delete = format!(
                "DELETE FROM {table} WHERE {key} IN \
                 (SELECT {key} FROM {table} WHERE expires_at <= $1 LIMIT {PORTION})"
            );
            for _ in 0..PORTIONS {
                let swept = sql::execute(&self.0.core.writer, &delete, vec![Value::from(last)]).await?;
                all += swept;
                if swept < PORTION {
                    break;
                }
            }
        }
        Ok(all + self.sweep_registrations(now, AFTERLIFE).await?)
    }

    /// Deletes the tasks that were to end long ago, parts before what they are a part of.
    async fn sweep_tasks(&self, now: NumericDate) -> Result<u64, StoreError> {
        let delete = format!(
            "DELETE FROM task WHERE id IN (SELECT id FROM task t WHERE t.deadline <= $1 AND NOT EXISTS \
             (SELECT 1 FROM task part WHERE part.parent_id = t.id) LIMIT {PORTION})"
        );
        self.sweep_long_over(&delete, now).await
    }

    /// Deletes the consents that issuers brought and that are over since long: they may bring one with each assertion. What
    /// a user allowed here is kept. That one was ended is remembered elsewhere, and longer.
    async fn sweep_brought(&self, now: NumericDate) -> Result<u64, StoreError> {
        let delete = format!(
            "DELETE FROM consent WHERE id IN (SELECT id FROM consent c WHERE c.brought_by IS NOT NULL \
             AND (c.expires_at <= $1 OR c.ended_at <= $1) \
             AND NOT EXISTS (SELECT 1 FROM task t WHERE t.consent_id = c.id) \
             AND NOT EXISTS (SELECT 1 FROM token t WHERE t.consent_id = c.id) LIMIT {PORTION})"
        );
        self.sweep_long_over(&delete, now).await
    }

    /// Deletes, portion by portion, what a statement says of the moment [`TASK_AFTERLIFE`] ago.
    async fn sweep_long_over(&self, delete: &str, now: NumericDate) -> Result<u64, StoreError> {
        let last = now.0.saturating_sub(TASK_AFTERLIFE.0);
        let mut all = 0;
        for _ in 0..PORTIONS {
            let swept = sql::execute(&self.0.core.writer, delete, vec![Value::from(last)]).await?;
            all += swept;
            if swept < PORTION {
                break;
            }
        }
        Ok(all)
    }

    /// Deletes the browser sessions that are over. The clients that took part in one are queued to be told in the same
    /// transaction, as they are when somebody signs out: time ends a session too (Back-Channel Logout §2).
    async fn sweep_sessions(&self, now: NumericDate) -> Result<u64, StoreError> {
        let delete = format!(
            "DELETE FROM browser_session WHERE expires_at <= $1 AND id IN \
             (SELECT id FROM browser_session WHERE expires_at <= $1 LIMIT {PORTION}) RETURNING session_id, user_id"
        );
        // Its cookie may have changed: then it goes on in another row.
        let goes_on = "SELECT id FROM browser_session \
                       WHERE session_id = $1 AND expires_at > $2 AND ended_at IS NULL LIMIT 1";
        let mut all = 0;
        for _ in 0..PORTIONS {
            let immediate = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            let db = self.0.core.writer.begin_with_options(immediate).await?;
            let swept = sql::query(&db, &delete, vec![Value::from(now.0)]).await?;
            for row in &swept {
                let session: String = row.try_get_by_index(0)?;
                let user: Option<String> = row.try_get_by_index(1)?;
                let values = vec![Value::from(session.clone()), Value::from(now.0)];
                if user.is_some() && sql::query(&db, goes_on, values).await?.is_empty() {
                    logouts::enqueue(&db, &session, now).await?;
                    // What hangs on it is over with it, for those who validate offline too.
                    if let Ok(session) = session.parse() {
                        endings::end(&db, &Ending::Session(session), now).await?;
                    }
                }
            }
            db.commit().await?;
            all += swept.len() as u64;
            if (swept.len() as u64) < PORTION {
                break;
            }
        }
        Ok(all)
    }
}

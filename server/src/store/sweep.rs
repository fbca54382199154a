//! Sweeping out what is over, in portions that hold nobody up.

use protocol::numeric_date::{NumericDate, Seconds};
use sea_orm::Value;

use super::{Store, StoreError, sql};

/// The most rows of one statement.
const PORTION: u64 = 500;
/// The most statements for one table in one sweep; the next sweep goes on.
const PORTIONS: usize = 40;
/// How long what others may still ask about is kept beyond its end.
const AFTERLIFE: Seconds = Seconds::days(1);

/// Table, primary key, and how long a row is kept beyond `expires_at`. Codes stay a while, because one that comes
/// again ends what it produced; requests of users elsewhere, because their clients are told that they are over;
/// tokens, because people look at what just ended.
const TABLES: [(&str, &str, Seconds); 15] = [
    ("replay", "key", Seconds(0)),
    ("pushed_request", "digest", Seconds(0)),
    ("interaction", "id", Seconds(0)),
    ("browser_session", "id", Seconds(0)),
    ("session_client", "id", Seconds(0)),
    ("one_time_link", "digest", Seconds(0)),
    ("known_browser", "digest", Seconds(0)),
    ("initial_access_token", "digest", Seconds(0)),
    ("ended_family", "family_id", Seconds(0)),
    ("federated_session", "id", Seconds(0)),
    ("backchannel_delivery", "digest", Seconds(0)),
    ("status_list", "id", Seconds(0)),
    ("authorization_code", "digest", AFTERLIFE),
    ("deferred_request", "digest", AFTERLIFE),
    ("token", "id", AFTERLIFE),
];

impl Store {
    /// Deletes what is over at `now` and returns how many rows that were. What is left over, a later sweep gets.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep(&self, now: NumericDate) -> Result<u64, StoreError> {
        let mut all = 0;
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
}

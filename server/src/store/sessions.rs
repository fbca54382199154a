//! Browser sessions.

use entity::browser_session;
use protocol::identifier::{SessionId, UserId};
use protocol::numeric_date::NumericDate;
use sea_orm::EntityTrait as _;
use serde_json::Value;

use super::{Store, StoreError, corrupt, read};

/// A browser session.
#[derive(Clone, PartialEq, Debug)]
pub struct BrowserSession {
    /// The digest of the cookie's value.
    pub id: String,
    /// Its id in the lineage and the audit log; stays when the cookie changes.
    pub session: SessionId,
    /// Who is signed in.
    pub user: Option<UserId>,
    /// When it is over.
    pub expires_at: NumericDate,
    /// What it remembers.
    pub document: Value,
}

impl Store {
    /// The browser session of this cookie, if it was not ended and is not over at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_browser_session(
        &self,
        id_digest: &str,
        now: NumericDate,
    ) -> Result<Option<BrowserSession>, StoreError> {
        let found = browser_session::Entity::find_by_id(id_digest).one(self.reader()).await?;
        let lives = |row: &browser_session::Model| {
            row.ended_at.is_none() && !NumericDate(row.expires_at).is_over(now)
        };
        let stored = |row: browser_session::Model| {
            let broken = |_| corrupt("browser_session", &row.id);
            Ok(BrowserSession {
                session: row.session_id.parse().map_err(broken)?,
                user: row.user_id.as_deref().map(str::parse).transpose().map_err(broken)?,
                expires_at: NumericDate(row.expires_at),
                document: read("browser_session", &row.id, &row.document)?,
                id: row.id,
            })
        };
        found.filter(lives).map(stored).transpose()
    }
}

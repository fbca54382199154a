//! Browser sessions.

use entity::browser_session;
use protocol::identifier::{SessionId, UserId};
use protocol::numeric_date::NumericDate;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
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

/// The most sessions of one user that are looked at.
const MOST_SESSIONS: u64 = 200;

fn stored(row: browser_session::Model) -> Result<BrowserSession, StoreError> {
    let broken = |_| corrupt("browser_session", &row.id);
    Ok(BrowserSession {
        session: row.session_id.parse().map_err(broken)?,
        user: row.user_id.as_deref().map(str::parse).transpose().map_err(broken)?,
        expires_at: NumericDate(row.expires_at),
        document: read("browser_session", &row.id, &row.document)?,
        id: row.id,
    })
}

impl Store {
    /// The sessions in which a user is signed in at `now`, those that last longest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_of_user(
        &self,
        user: &UserId,
        now: NumericDate,
    ) -> Result<Vec<BrowserSession>, StoreError> {
        use browser_session::Column;
        let find = browser_session::Entity::find()
            .filter(Column::UserId.eq(user.as_str()))
            .filter(Column::EndedAt.is_null())
            .filter(Column::ExpiresAt.gt(now.0))
            .order_by_desc(Column::ExpiresAt)
            .limit(MOST_SESSIONS);
        find.all(self.reader()).await?.into_iter().map(stored).collect()
    }

    /// The browser session of this cookie, if it was not ended and is not over at `now`. Nobody is signed in whose account
    /// was disabled a moment ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_browser_session(
        &self,
        id_digest: &str,
        now: NumericDate,
    ) -> Result<Option<BrowserSession>, StoreError> {
        let open = "(user_id IS NULL OR user_id IN (SELECT id FROM user_account WHERE enabled))";
        let find = browser_session::Entity::find_by_id(id_digest).filter(Expr::cust(open));
        let found = find.one(self.reader()).await?;
        let lives = |row: &browser_session::Model| {
            row.ended_at.is_none() && !NumericDate(row.expires_at).is_over(now)
        };
        found.filter(lives).map(stored).transpose()
    }
}

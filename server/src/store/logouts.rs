//! Who is told when a session ends. Whatever ends a session moves its clients into the queue of deliveries, in the
//! same transaction: a crash loses none, and a session that ends twice tells each client once.

use entity::session_client;
use protocol::identifier::{ClientId, SessionId, UserId};
use protocol::numeric_date::{NumericDate, Seconds};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _, Value,
};

use super::{Store, StoreError, corrupt, sql};

/// How long it is remembered that a client took part in a session: longer than any session lasts that is still used.
const MEMORY: Seconds = Seconds::days(60);
/// The most clients of one session.
const MOST: u64 = 200;

/// A client that got an ID token in a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionClient {
    /// The session.
    pub session: SessionId,
    /// The client.
    pub client: ClientId,
    /// Whose session it is.
    pub user: UserId,
    /// When it took part last.
    pub at: NumericDate,
}

/// A client that has to be told that a session ended. Whoever holds it was given it alone, for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogoutDelivery {
    /// Its name in the queue.
    pub id: String,
    /// The session.
    pub session: SessionId,
    /// The client.
    pub client: ClientId,
    /// Whose session it was.
    pub user: UserId,
    /// Which attempt this is, from one.
    pub attempt: u32,
}

/// What became of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settled {
    /// It is over, one way or the other.
    Over(String),
    /// It is to be tried again.
    Later {
        /// Its name in the queue.
        id: String,
        /// Not before this moment.
        due_at: NumericDate,
    },
}

impl SessionClient {
    pub(super) fn row(self) -> session_client::Model {
        session_client::Model {
            // Identifiers hold no spaces.
            id: format!("{} {}", self.session, self.client),
            session_id: self.session.into(),
            client_id: self.client.into(),
            user_id: self.user.into(),
            expires_at: self.at.plus(MEMORY).0,
        }
    }
}

/// Moves the clients of a session that ends into the queue. Of two transactions that end it, one finds them.
pub(super) async fn enqueue<C: ConnectionTrait>(db: &C, session: &str, at: NumericDate) -> Result<(), DbErr> {
    let take = "DELETE FROM session_client WHERE session_id = $1 RETURNING id, client_id, user_id";
    for row in sql::query(db, take, vec![Value::from(session)]).await? {
        let text = |index| row.try_get_by_index::<String>(index);
        let put = "INSERT INTO logout_delivery (id, session_id, client_id, user_id, due_at, attempts) \
                   VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT DO NOTHING";
        let values = vec![text(0)?.into(), session.into(), text(1)?.into(), text(2)?.into(), at.0.into()];
        sql::execute(db, put, values).await?;
    }
    Ok(())
}

/// Notes what became of attempts.
pub(super) async fn settle<C: ConnectionTrait>(db: &C, settled: &[Settled]) -> Result<(), DbErr> {
    for one in settled {
        match one {
            Settled::Over(id) => {
                let over = "DELETE FROM logout_delivery WHERE id = $1";
                sql::execute(db, over, vec![Value::from(id.clone())]).await?;
            }
            Settled::Later { id, due_at } => {
                let later = "UPDATE logout_delivery SET due_at = $2 WHERE id = $1";
                sql::execute(db, later, vec![Value::from(id.clone()), Value::from(due_at.0)]).await?;
            }
        }
    }
    Ok(())
}

impl Store {
    /// The clients that take part in this session, at most two hundred.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clients_of_session(&self, session: &SessionId) -> Result<Vec<ClientId>, StoreError> {
        let find = session_client::Entity::find()
            .filter(session_client::Column::SessionId.eq(session.as_str()))
            .limit(MOST);
        let id = |row: session_client::Model| {
            row.client_id.parse().map_err(|_| corrupt("session_client", &row.id))
        };
        find.all(self.reader()).await?.into_iter().map(id).collect()
    }

    /// Takes up to `most` deliveries that are due at `now`, of one session or of all, and keeps them from everybody
    /// else for `lease`: whoever takes one and dies leaves it to the next.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_logouts(
        &self,
        session: Option<&SessionId>,
        now: NumericDate,
        lease: Seconds,
        most: usize,
    ) -> Result<Vec<LogoutDelivery>, StoreError> {
        // Asked once more in the update itself: of two nodes that saw the same row, the second finds it moved on.
        let of_session = if session.is_some() { "AND session_id = $3" } else { "" };
        let claim = format!(
            "UPDATE logout_delivery SET due_at = $2, attempts = attempts + 1 WHERE due_at <= $1 AND id IN \
             (SELECT id FROM logout_delivery WHERE due_at <= $1 {of_session} ORDER BY due_at LIMIT {most}) \
             RETURNING id, session_id, client_id, user_id, attempts"
        );
        let mut values = vec![Value::from(now.0), Value::from(now.plus(lease).0)];
        values.extend(session.map(|session| Value::from(session.as_str())));
        let rows = sql::query(&self.0.core.writer, &claim, values).await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let id: String = row.try_get_by_index(0)?;
            let text = |index| row.try_get_by_index::<String>(index);
            let broken = |_| corrupt("logout_delivery", &id);
            claimed.push(LogoutDelivery {
                session: text(1)?.parse().map_err(broken)?,
                client: text(2)?.parse().map_err(broken)?,
                user: text(3)?.parse().map_err(broken)?,
                attempt: u32::try_from(row.try_get_by_index::<i32>(4)?).unwrap_or(u32::MAX),
                id,
            });
        }
        Ok(claimed)
    }
}

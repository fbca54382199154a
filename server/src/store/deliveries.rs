//! Which clients still have to be told that their user has answered. The answer itself puts them into the queue, in
//! the same transaction: a crash loses none.

use entity::backchannel_delivery;
use protocol::numeric_date::{NumericDate, Seconds};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::{Store, StoreError, corrupt, sql};
use crate::secret::SecretDigest;

/// A client that is to be told of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnswerDelivery {
    /// The digest of the `auth_req_id` or the `deferral_code`.
    pub digest: SecretDigest,
    /// Not before this moment.
    pub due_at: NumericDate,
    /// When nobody needs to be told any more.
    pub expires_at: NumericDate,
}

impl AnswerDelivery {
    pub(super) fn row(&self) -> backchannel_delivery::Model {
        backchannel_delivery::Model {
            digest: self.digest.to_text(),
            due_at: self.due_at.0,
            attempts: 0,
            expires_at: self.expires_at.0,
        }
    }
}

/// Notes that a client is to be told again.
pub(super) async fn postpone<C: ConnectionTrait>(
    db: &C,
    digest: &SecretDigest,
    due_at: NumericDate,
) -> Result<u64, DbErr> {
    let later = "UPDATE backchannel_delivery SET due_at = $2 WHERE digest = $1";
    sql::execute(db, later, vec![Value::from(digest.to_text()), Value::from(due_at.0)]).await
}

/// Notes that nobody is to be told any more, and forgets what was needed for it.
pub(super) async fn done<C: ConnectionTrait>(db: &C, digest: &SecretDigest) -> Result<u64, DbErr> {
    let digest = || vec![Value::from(digest.to_text())];
    sql::execute(db, "DELETE FROM backchannel_delivery WHERE digest = $1", digest()).await?;
    sql::execute(db, "UPDATE deferral SET delivery = NULL WHERE digest = $1", digest()).await?;
    sql::execute(db, "UPDATE deferred_request SET delivery = NULL WHERE digest = $1", digest()).await
}

impl Store {
    /// Takes up to `most` deliveries that are due at `now`, the one of `digest` or any, each with the number of this
    /// attempt, and keeps them from everybody else for `lease`: whoever takes one and dies leaves it to the next.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_answers(
        &self,
        digest: Option<&SecretDigest>,
        now: NumericDate,
        lease: Seconds,
        most: usize,
    ) -> Result<Vec<(SecretDigest, u32)>, StoreError> {
        // Asked once more in the update itself: of two nodes that saw the same row, the second finds it moved on.
        let of_one = if digest.is_some() { "AND digest = $3" } else { "" };
        let claim = format!(
            "UPDATE backchannel_delivery SET due_at = $2, attempts = attempts + 1 WHERE due_at <= $1 AND digest IN \
             (SELECT digest FROM backchannel_delivery WHERE due_at <= $1 {of_one} ORDER BY due_at LIMIT {most}) \
             RETURNING digest, attempts"
        );
        let mut values = vec![Value::from(now.0), Value::from(now.plus(lease).0)];
        values.extend(digest.map(|digest| Value::from(digest.to_text())));
        let rows = sql::query(&self.0.core.writer, &claim, values).await?;
        let claimed = rows.into_iter().map(|row| {
            let text: String = row.try_get_by_index(0)?;
            let digest =
                SecretDigest::from_text(&text).ok_or_else(|| corrupt("backchannel_delivery", &text))?;
            Ok((digest, u32::try_from(row.try_get_by_index::<i32>(1)?).unwrap_or(u32::MAX)))
        });
        claimed.collect()
    }
}

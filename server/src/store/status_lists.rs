//! Status lists: which of them there are, and what stands against the tokens in one.

use entity::status_list;
use entity::status_list::Column;
use protocol::numeric_date::NumericDate;
use protocol::status_list::{Status, StatusList};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Value,
};

use super::{Store, StoreError, corrupt, sql};

/// The most lists in one answer.
const MOST: u64 = 10_000;

/// What was ended, and what rests: because its task or one above does, because the actor or the client was stopped, or
/// the user; and whatever was derived from that.
const MARKS: &str = "\
    WITH RECURSIVE \
    held(id) AS (SELECT id FROM task WHERE status = 'suspended' \
        UNION SELECT t.id FROM task t JOIN held h ON t.parent_id = h.id), \
    halted(id) AS (SELECT id FROM consent WHERE user_id IN (SELECT id FROM user_account WHERE NOT enabled) \
        OR actor_id IN (SELECT id FROM client WHERE status <> 'active') \
        OR client_id IN (SELECT id FROM client WHERE status <> 'active')), \
    resting(id) AS (SELECT id FROM token WHERE task_id IN (SELECT id FROM held) \
        UNION SELECT id FROM token WHERE consent_id IN (SELECT id FROM halted) \
        UNION SELECT id FROM token WHERE consent_id IS NULL \
            AND client_id IN (SELECT id FROM client WHERE status <> 'active') \
        UNION SELECT t.id FROM token t JOIN resting r ON t.parent_id = r.id) \
    SELECT status_index, CAST(1 AS BIGINT) FROM token WHERE status_list = $1 AND ended_at IS NOT NULL \
    UNION ALL SELECT t.status_index, CAST(2 AS BIGINT) FROM token t JOIN resting r ON r.id = t.id \
        WHERE t.status_list = $1 AND t.ended_at IS NULL";

impl Store {
    /// The ids of the lists in which there may be tokens that are not over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn status_lists(&self, now: NumericDate) -> Result<Vec<String>, StoreError> {
        let find = status_list::Entity::find()
            .filter(Column::ExpiresAt.gt(now.0))
            .order_by_asc(Column::Id)
            .limit(MOST);
        Ok(find.all(self.reader()).await?.into_iter().map(|row| row.id).collect())
    }

    /// The list of this id as it is now, if tokens in it may still live.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn status_list(&self, id: &str, now: NumericDate) -> Result<Option<StatusList>, StoreError> {
        let row = status_list::Entity::find_by_id(id).one(self.reader()).await?;
        let Some(row) = row.filter(|row| row.expires_at > now.0) else { return Ok(None) };
        let broken = || corrupt("status_list", id);
        let mut list = StatusList::new(u32::try_from(row.size).map_err(|_| broken())?);
        for mark in sql::query(self.reader(), MARKS, vec![Value::from(id.to_owned())]).await? {
            let (index, status): (i64, i64) = (mark.try_get_by_index(0)?, mark.try_get_by_index(1)?);
            let index = u32::try_from(index).map_err(|_| broken())?;
            list.set(index, if status == 1 { Status::Invalid } else { Status::Suspended });
        }
        Ok(Some(list))
    }
}

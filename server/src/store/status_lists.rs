//! Status lists: which of them there are, and what stands against the tokens in one.

use std::collections::HashMap;

use entity::status_list;
use entity::status_list::Column;
use protocol::numeric_date::NumericDate;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Value,
};

use super::{Store, StoreError, corrupt, sql};

/// The most lists in one answer.
const MOST: u64 = 10_000;

/// What rests, in all lists: because its task or one above does, because the actor or the client was stopped, or the
/// user; and whatever was derived from what was stopped. What is over is over, and nobody asks; but nothing is found by
/// its end (`+ 0` keeps that index out of it), because nearly all tokens live.
pub(super) const RESTING: &str = "\
    WITH RECURSIVE \
    stopped(id) AS (SELECT id FROM client WHERE status <> 'active' OR expires_at <= $1), \
    held(id) AS (SELECT id FROM task WHERE status = 'suspended' \
        UNION SELECT t.id FROM task t JOIN held h ON t.parent_id = h.id), \
    halted(id) AS (SELECT id FROM consent WHERE user_id IN (SELECT id FROM user_account WHERE NOT enabled) \
        OR actor_id IN (SELECT id FROM stopped) OR client_id IN (SELECT id FROM stopped)), \
    resting(id) AS (SELECT id FROM token WHERE expires_at + 0 > $1 AND consent_id IN (SELECT id FROM halted) \
        UNION SELECT id FROM token WHERE expires_at + 0 > $1 AND client_id IN (SELECT id FROM stopped) \
        UNION SELECT id FROM token WHERE expires_at + 0 > $1 AND consent_id IS NULL \
            AND user_id IN (SELECT id FROM user_account WHERE NOT enabled) \
        UNION SELECT t.id FROM token t JOIN resting r ON t.parent_id = r.id) \
    SELECT t.status_list, t.status_index FROM token t JOIN resting r ON r.id = t.id \
        WHERE t.status_list IS NOT NULL AND t.ended_at IS NULL AND t.expires_at + 0 > $1 \
    UNION ALL SELECT t.status_list, t.status_index FROM token t JOIN held h ON h.id = t.task_id \
        WHERE t.status_list IS NOT NULL AND t.ended_at IS NULL AND t.expires_at + 0 > $1";

/// What was ended in a list since a moment.
pub(super) const ENDED: &str = "SELECT status_index FROM token WHERE status_list = $1 AND ended_at >= $2";

/// A list as it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenedList {
    /// How many places it has.
    pub size: u32,
    /// When all tokens in it are over.
    pub expires_at: NumericDate,
}

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

    /// The list of this id, if tokens in it may still live.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_status_list(
        &self,
        id: &str,
        now: NumericDate,
    ) -> Result<Option<OpenedList>, StoreError> {
        let row = status_list::Entity::find_by_id(id).one(self.reader()).await?;
        let Some(row) = row.filter(|row| row.expires_at > now.0) else { return Ok(None) };
        let size = u32::try_from(row.size).map_err(|_| corrupt("status_list", id))?;
        Ok(Some(OpenedList { size, expires_at: NumericDate(row.expires_at) }))
    }

    /// The places in a list of tokens that were ended at `since` or later.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ended_in_list(&self, id: &str, since: NumericDate) -> Result<Vec<u32>, StoreError> {
        let values = vec![Value::from(id.to_owned()), Value::from(since.0)];
        let rows = sql::query(self.reader(), ENDED, values).await?;
        rows.iter().map(|row| index(row.try_get_by_index(0)?, id)).collect()
    }

    /// The places of all tokens that rest at `now`, by list.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn resting(&self, now: NumericDate) -> Result<HashMap<String, Vec<u32>>, StoreError> {
        let mut resting: HashMap<String, Vec<u32>> = HashMap::new();
        for row in sql::query(self.reader(), RESTING, vec![Value::from(now.0)]).await? {
            let list: String = row.try_get_by_index(0)?;
            let index = index(row.try_get_by_index(1)?, &list)?;
            resting.entry(list).or_default().push(index);
        }
        Ok(resting)
    }
}

fn index(index: i64, list: &str) -> Result<u32, StoreError> {
    u32::try_from(index).map_err(|_| corrupt("status_list", list))
}

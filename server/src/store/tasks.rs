//! Tasks.

use std::sync::Arc;

use entity::task;
use protocol::identifier::{ConsentId, TaskId};
use protocol::task::Task;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::{Store, StoreError, corrupt, read, read_word};

/// The most tasks in one list.
const MOST: u64 = 1000;

fn task(row: &task::Model) -> Result<Task, StoreError> {
    let written: Task = read("task", &row.id, &row.document)?;
    Ok(Task {
        status: read_word("task", &row.id, &row.status)?,
        version: u32::try_from(row.version).map_err(|_| corrupt("task", &row.id))?,
        ..written
    })
}

impl Store {
    /// The task of this id, as it was at most a second ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_task(&self, id: &TaskId) -> Result<Option<Arc<Task>>, StoreError> {
        if let Some(known) = self.caches().tasks.get(id) {
            return Ok(Some(known));
        }
        let Some(row) = task::Entity::find_by_id(id.as_str()).one(self.reader()).await? else {
            return Ok(None);
        };
        let found = Arc::new(task(&row)?);
        self.caches().tasks.insert(id.clone(), Arc::clone(&found));
        Ok(Some(found))
    }

    /// The tasks under a consent, at most a thousand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tasks_of_consent(&self, consent: &ConsentId) -> Result<Vec<Task>, StoreError> {
        let find = task::Entity::find()
            .filter(task::Column::ConsentId.eq(consent.as_str()))
            .order_by_asc(task::Column::Id)
            .limit(MOST);
        find.all(self.reader()).await?.iter().map(task).collect()
    }
}

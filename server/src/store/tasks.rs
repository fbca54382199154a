//! Tasks.

use std::sync::Arc;

use entity::task;
use entity::task::Column;
use protocol::identifier::{ClientId, ConsentId, TaskId};
use protocol::numeric_date::NumericDate;
use protocol::task::{Hand, Task, TaskStatus};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Value,
};

use super::keeping::word;
use super::{Store, StoreError, corrupt, read, read_word, sql};
use crate::secret::SecretDigest;

/// The most tasks in one list.
const MOST: u64 = 1000;
/// The longest line of tasks that is followed upwards; longer ones cannot be made.
const LONGEST_LINE: usize = 64;

pub(super) fn task(row: &task::Model) -> Result<Task, StoreError> {
    let written: Task = read("task", &row.id, &row.document)?;
    Ok(Task {
        status: read_word("task", &row.id, &row.status)?,
        version: u32::try_from(row.version).map_err(|_| corrupt("task", &row.id))?,
        derivations: u32::try_from(row.derivations).map_err(|_| corrupt("task", &row.id))?,
        suspended_by: match &row.suspended_by {
            Some(hand) => Some(read_word("task", &row.id, hand)?),
            None => None,
        },
        ..written
    })
}

/// Says where the task stands from now on, if nobody did since `version`.
pub(super) async fn step<C: ConnectionTrait>(
    db: &C,
    id: &TaskId,
    version: u32,
    status: TaskStatus,
    suspended_by: Option<Hand>,
) -> Result<bool, DbErr> {
    let statement = "UPDATE task SET status = $3, suspended_by = $4, version = version + 1 \
                     WHERE id = $1 AND version = $2";
    let values = vec![
        Value::from(id.as_str().to_owned()),
        Value::from(i64::from(version)),
        Value::from(status.as_str().to_owned()),
        Value::from(suspended_by.as_ref().map(word)),
    ];
    Ok(sql::execute(db, statement, values).await? == 1)
}

/// Counts one more token for all of `ids`, or for none, where one of them may have no more.
pub(super) async fn derive<C: ConnectionTrait>(db: &C, ids: &[TaskId]) -> Result<bool, DbErr> {
    let holes = sql::holes(1, ids.len());
    let statement = format!(
        "UPDATE task SET derivations = derivations + 1 WHERE id IN ({holes}) AND NOT EXISTS \
         (SELECT 1 FROM task t WHERE t.id IN ({holes}) AND t.derivations >= t.max_derivations)"
    );
    let values = ids.iter().map(|id| Value::from(id.as_str().to_owned())).collect();
    let counted = sql::execute(db, &statement, values).await?;
    Ok(usize::try_from(counted) == Ok(ids.len()))
}

/// Takes back one token that was counted for all of `ids`.
pub(super) async fn derive_back<C: ConnectionTrait>(db: &C, ids: &[TaskId]) -> Result<(), DbErr> {
    let holes = sql::holes(1, ids.len());
    let statement = format!("UPDATE task SET derivations = derivations - 1 WHERE id IN ({holes})");
    let values = ids.iter().map(|id| Value::from(id.as_str().to_owned())).collect();
    sql::execute(db, &statement, values).await.map(|_| ())
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

    /// The task and all its ancestors, the task itself first, as they are now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn line_of_task(&self, id: &TaskId) -> Result<Vec<Task>, StoreError> {
        let mut line: Vec<Task> = Vec::new();
        let mut next = Some(id.clone());
        while let (Some(id), true) = (next.take(), line.len() < LONGEST_LINE) {
            let Some(row) = task::Entity::find_by_id(id.as_str()).one(self.reader()).await? else { break };
            let found = task(&row)?;
            next.clone_from(&found.parent);
            line.push(found);
        }
        Ok(line)
    }

    /// The task that was opened with this, if one was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_task_by_opening(&self, opening: &SecretDigest) -> Result<Option<Task>, StoreError> {
        let find = task::Entity::find().filter(Column::Opening.eq(opening.to_text()));
        find.one(self.reader()).await?.as_ref().map(task).transpose()
    }

    /// How many parts a task has, whatever became of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_children(&self, parent: &TaskId) -> Result<u64, StoreError> {
        let find = task::Entity::find().filter(Column::ParentId.eq(parent.as_str()));
        Ok(find.count(self.reader()).await?)
    }

    /// How many tasks under a consent are neither over nor ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_open_tasks(&self, consent: &ConsentId, now: NumericDate) -> Result<u64, StoreError> {
        let find = task::Entity::find()
            .filter(Column::ConsentId.eq(consent.as_str()))
            .filter(Column::Status.is_in(["active", "suspended"]))
            .filter(Column::Deadline.gt(now.0));
        Ok(find.count(self.reader()).await?)
    }

    /// The tasks of an actor, under one consent if that is named, at most a thousand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tasks_of_actor(
        &self,
        actor: &ClientId,
        consent: Option<&ConsentId>,
    ) -> Result<Vec<Task>, StoreError> {
        let mut find = task::Entity::find()
            .filter(Column::ActorId.eq(actor.as_str()))
            .order_by_asc(Column::Id)
            .limit(MOST);
        if let Some(consent) = consent {
            find = find.filter(Column::ConsentId.eq(consent.as_str()));
        }
        find.all(self.reader()).await?.iter().map(task).collect()
    }
}

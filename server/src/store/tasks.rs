//! Tasks.

use std::collections::HashMap;
use std::sync::Arc;

use entity::task;
use entity::task::Column;
use protocol::identifier::{ClientId, ConsentId, TaskId};
use protocol::numeric_date::NumericDate;
use protocol::task::{Hand, Task, TaskStatus};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select, Statement, Value,
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

/// A task and all its parts, and theirs.
pub(super) async fn and_parts<C: ConnectionTrait>(db: &C, id: &TaskId) -> Result<Vec<TaskId>, DbErr> {
    let find = "WITH RECURSIVE line(id) AS (SELECT id FROM task WHERE id = $1 UNION SELECT t.id FROM task t \
                JOIN line l ON t.parent_id = l.id) SELECT id FROM line";
    let rows = sql::query(db, find, vec![Value::from(id.as_str().to_owned())]).await?;
    let ids = rows.iter().map(|row| row.try_get_by_index::<String>(0));
    // What is in the table was an id when it was written.
    Ok(ids.collect::<Result<Vec<_>, _>>()?.iter().filter_map(|id| id.parse().ok()).collect())
}

/// How many root tasks under a consent are neither over nor ended.
pub(super) async fn count_open<C: ConnectionTrait>(
    db: &C,
    consent: &ConsentId,
    now: NumericDate,
) -> Result<u64, DbErr> {
    let count = "SELECT COUNT(*) FROM task WHERE consent_id = $1 AND parent_id IS NULL \
                 AND status IN ('active', 'suspended') AND deadline > $2";
    one_number(db, count, vec![Value::from(consent.as_str().to_owned()), Value::from(now.0)]).await
}

/// How many tasks are kept under a consent, parts and ended ones included; no more than `most` are counted.
pub(super) async fn count_kept<C: ConnectionTrait>(
    db: &C,
    consent: &ConsentId,
    most: u64,
) -> Result<u64, DbErr> {
    let count = format!(
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM task WHERE consent_id = $1 LIMIT {most}) AS kept"
    );
    one_number(db, &count, vec![Value::from(consent.as_str().to_owned())]).await
}

/// How many parts a task has, whatever became of them.
pub(super) async fn count_parts<C: ConnectionTrait>(db: &C, parent: &TaskId) -> Result<u64, DbErr> {
    let count = "SELECT COUNT(*) FROM task WHERE parent_id = $1";
    one_number(db, count, vec![Value::from(parent.as_str().to_owned())]).await
}

async fn one_number<C: ConnectionTrait>(db: &C, count: &str, values: Vec<Value>) -> Result<u64, DbErr> {
    let rows = sql::query(db, count, values).await?;
    let number = rows.first().map(|row| row.try_get_by_index::<i64>(0)).transpose()?;
    Ok(number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default())
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

    /// The tasks under a consent, each with its ancestors after it, the newest first, at most a thousand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tasks_of_consent(&self, consent: &ConsentId) -> Result<Vec<Vec<Task>>, StoreError> {
        self.lines(newest_first().filter(Column::ConsentId.eq(consent.as_str()))).await
    }

    /// The task and all its ancestors, the task itself first, as they are now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn line_of_task(&self, id: &TaskId) -> Result<Vec<Task>, StoreError> {
        let mut known = self.with_ancestors(&[id]).await?;
        let Some(own) = known.remove(id) else { return Ok(Vec::new()) };
        Ok(line(own, &known))
    }

    /// These tasks and all their ancestors, read by one statement: as they stood together at one moment.
    async fn with_ancestors(&self, ids: &[&TaskId]) -> Result<HashMap<TaskId, Task>, StoreError> {
        let holes = sql::holes(1, ids.len());
        let find = format!(
            "WITH RECURSIVE line(id, parent_id) AS (SELECT id, parent_id FROM task WHERE id IN ({holes}) \
             UNION SELECT t.id, t.parent_id FROM task t JOIN line l ON t.id = l.parent_id) \
             SELECT task.* FROM task WHERE id IN (SELECT id FROM line)"
        );
        let values: Vec<Value> = ids.iter().map(|id| Value::from(id.as_str().to_owned())).collect();
        let reader = self.reader();
        let find = Statement::from_sql_and_values(reader.get_database_backend(), find, values);
        let rows = task::Entity::find().from_raw_sql(find).all(reader).await?;
        let known = rows.iter().map(|row| task(row).map(|task| (task.id.clone(), task)));
        known.collect()
    }

    /// The task that was opened with this key, if one was, and the digest of the request that came with it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_task_by_opening(
        &self,
        opening: &SecretDigest,
    ) -> Result<Option<(Task, Option<String>)>, StoreError> {
        let find = task::Entity::find().filter(Column::Opening.eq(opening.to_text()));
        let Some(row) = find.one(self.reader()).await? else { return Ok(None) };
        Ok(Some((task(&row)?, row.opened_by)))
    }

    /// How many parts a task has, whatever became of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_children(&self, parent: &TaskId) -> Result<u64, StoreError> {
        Ok(count_parts(self.reader(), parent).await?)
    }

    /// The tasks of an actor, under one consent if that is named, each with its ancestors after it, the newest first,
    /// at most a thousand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tasks_of_actor(
        &self,
        actor: &ClientId,
        consent: Option<&ConsentId>,
    ) -> Result<Vec<Vec<Task>>, StoreError> {
        let find = newest_first().filter(Column::ActorId.eq(actor.as_str()));
        let find = consent.iter().fold(find, |find, id| find.filter(Column::ConsentId.eq(id.as_str())));
        self.lines(find).await
    }

    /// What is found, each with its ancestors after it.
    async fn lines(&self, find: Select<task::Entity>) -> Result<Vec<Vec<Task>>, StoreError> {
        let rows = find.limit(MOST).all(self.reader()).await?;
        let found: Vec<Task> = rows.iter().map(task).collect::<Result<_, _>>()?;
        if found.iter().all(|task| task.parent.is_none()) {
            return Ok(found.into_iter().map(|root| vec![root]).collect());
        }
        let ids: Vec<&TaskId> = found.iter().map(|task| &task.id).collect();
        // What was read first only says which tasks these are.
        let known = self.with_ancestors(&ids).await?;
        Ok(ids.into_iter().filter_map(|id| Some(line(known.get(id)?.clone(), &known))).collect())
    }
}

/// A task with its ancestors after it.
fn line(task: Task, known: &HashMap<TaskId, Task>) -> Vec<Task> {
    let mut line = vec![task];
    while let Some(above) = line.last().and_then(|task| task.parent.as_ref())
        && let Some(above) = known.get(above)
        && line.len() < LONGEST_LINE
    {
        line.push(above.clone());
    }
    line
}

fn newest_first() -> Select<task::Entity> {
    task::Entity::find().order_by_desc(Column::CreatedAt).order_by_desc(Column::Id)
}

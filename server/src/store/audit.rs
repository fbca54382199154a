//! The audit log: numbered without gaps, written last, read as it was written.

use entity::audit_event;
use protocol::audit::{AuditEvent, LoggedEvent};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
};
use sea_orm::{QuerySelect as _, Value};

use super::keeping::{insert, word};
use super::{Store, StoreError, sql};

/// Writes `events` and returns the place of the first.
///
/// The head of the log is one row that stays locked until the transaction ends: places are given in the order of
/// commits, and a transaction that fails gives its places back.
pub(super) async fn write<C: ConnectionTrait>(db: &C, events: &[&AuditEvent]) -> Result<i64, DbErr> {
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let statement = "UPDATE audit_head SET seq = seq + $1 WHERE id = 1 RETURNING seq";
    let rows = sql::query(db, statement, vec![Value::from(count)]).await?;
    let head: i64 = match rows.first() {
        Some(row) => row.try_get_by_index(0)?,
        None => return Err(DbErr::Custom("the audit log has no head".to_owned())),
    };
    let first = head - count + 1;
    let mut lines = Vec::with_capacity(events.len());
    for (seq, event) in (first..).zip(events) {
        lines.push(line(seq, event)?);
    }
    insert(db, lines).await?;
    Ok(first)
}

fn line(seq: i64, event: &AuditEvent) -> Result<audit_event::Model, DbErr> {
    let logged = LoggedEvent { seq, event: event.clone() };
    let document =
        logged.canonical().map_err(|_| DbErr::Custom("an event has no canonical form".to_owned()))?;
    Ok(audit_event::Model {
        seq,
        time: event.time.0,
        action: word(&event.action),
        outcome: word(&event.outcome),
        client_id: event.client.as_ref().map(|id| id.as_str().to_owned()),
        user_id: event.user.as_ref().map(|id| id.as_str().to_owned()),
        consent_id: event.consent.as_ref().map(|id| id.as_str().to_owned()),
        txn: event.txn.as_ref().map(|id| id.as_str().to_owned()),
        document,
    })
}

fn event(row: audit_event::Model) -> Result<LoggedEvent, StoreError> {
    serde_json::from_str(&row.document)
        .map_err(|_| StoreError::Corrupt { table: "audit_event", id: row.seq.to_string() })
}

impl Store {
    /// The last events, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_tail(&self, limit: u64) -> Result<Vec<LoggedEvent>, StoreError> {
        let find = audit_event::Entity::find().order_by_desc(audit_event::Column::Seq).limit(limit);
        find.all(self.reader()).await?.into_iter().map(event).collect()
    }

    /// The events after place `seq`, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_after(&self, seq: i64, limit: u64) -> Result<Vec<LoggedEvent>, StoreError> {
        let find = audit_event::Entity::find()
            .filter(audit_event::Column::Seq.gt(seq))
            .order_by_asc(audit_event::Column::Seq)
            .limit(limit);
        find.all(self.reader()).await?.into_iter().map(event).collect()
    }
}

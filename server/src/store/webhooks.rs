//! Which webhooks still have to be told of what. The event is put into the queue by the change that it tells of, in the
//! same transaction: a crash loses none.

use entity::webhook_delivery;
use protocol::numeric_date::{NumericDate, Seconds};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::keeping::json;
use super::{Store, StoreError, corrupt, read, sql};
use crate::secret::SecretDigest;

/// An event that a webhook is to be told.
#[derive(Clone, PartialEq, Debug)]
pub struct WebhookDelivery {
    /// The digest of the event's `jti` and the webhook's name.
    pub digest: SecretDigest,
    /// The webhook's name in the configuration.
    pub webhook: String,
    /// The event.
    pub event: serde_json::Map<String, serde_json::Value>,
    /// Not before this moment.
    pub due_at: NumericDate,
    /// When nobody needs to be told any more.
    pub expires_at: NumericDate,
    /// How often it was tried.
    pub attempts: u32,
}

impl WebhookDelivery {
    pub(super) fn row(self) -> Result<webhook_delivery::Model, StoreError> {
        Ok(webhook_delivery::Model {
            digest: self.digest.to_text(),
            webhook: self.webhook,
            due_at: self.due_at.0,
            attempts: 0,
            expires_at: self.expires_at.0,
            document: json(&self.event)?,
        })
    }
}

/// Notes that a webhook is to be told again.
pub(super) async fn postpone<C: ConnectionTrait>(
    db: &C,
    digest: &SecretDigest,
    due_at: NumericDate,
) -> Result<u64, DbErr> {
    let later = "UPDATE webhook_delivery SET due_at = $2 WHERE digest = $1";
    sql::execute(db, later, vec![Value::from(digest.to_text()), Value::from(due_at.0)]).await
}

/// Notes that a webhook was told, or never will be.
pub(super) async fn done<C: ConnectionTrait>(db: &C, digest: &SecretDigest) -> Result<u64, DbErr> {
    let done = "DELETE FROM webhook_delivery WHERE digest = $1";
    sql::execute(db, done, vec![Value::from(digest.to_text())]).await
}

impl Store {
    /// Takes up to `most` deliveries that are due at `now`, each with the number of this attempt, and keeps them from
    /// everybody else for `lease`: whoever takes one and dies leaves it to the next.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_webhooks(
        &self,
        now: NumericDate,
        lease: Seconds,
        most: usize,
    ) -> Result<Vec<WebhookDelivery>, StoreError> {
        // Asked once more in the update itself: of two nodes that saw the same row, the second finds it moved on.
        let claim = format!(
            "UPDATE webhook_delivery SET due_at = $2, attempts = attempts + 1 WHERE due_at <= $1 AND digest IN \
             (SELECT digest FROM webhook_delivery WHERE due_at <= $1 ORDER BY due_at LIMIT {most}) \
             RETURNING digest, webhook, attempts, expires_at, document"
        );
        let values = vec![Value::from(now.0), Value::from(now.plus(lease).0)];
        let rows = sql::query(&self.0.core.writer, &claim, values).await?;
        let claimed = rows.into_iter().map(|row| {
            let text: String = row.try_get_by_index(0)?;
            let document: String = row.try_get_by_index(4)?;
            Ok(WebhookDelivery {
                digest: SecretDigest::from_text(&text).ok_or_else(|| corrupt("webhook_delivery", &text))?,
                webhook: row.try_get_by_index(1)?,
                attempts: u32::try_from(row.try_get_by_index::<i32>(2)?).unwrap_or(u32::MAX),
                expires_at: NumericDate(row.try_get_by_index(3)?),
                event: read("webhook_delivery", &text, &document)?,
                due_at: now.plus(lease),
            })
        });
        claimed.collect()
    }
}

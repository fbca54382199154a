//! Requests whose user is elsewhere, and the codes without which users are not asked from afar.

use entity::backchannel_user_code;
use entity::deferred_request::{self, Column};
use protocol::deferred::{Deferred, Polling, SLOWER_BY};
use protocol::identifier::UserId;
use protocol::instance::Instance;
use protocol::numeric_date::{NumericDate, Seconds};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Value,
};

use super::{Store, StoreError, corrupt, deferrals, deliveries, read, sql, webhooks};
use crate::secret::SecretDigest;

/// The most requests in one list.
const MOST: u64 = 100;

/// A request whose user is elsewhere, as it is kept.
#[derive(Clone, PartialEq, Debug)]
pub struct DeferredRequest {
    /// The digest of the `device_code` or `auth_req_id`.
    pub digest: SecretDigest,
    /// Its id on pages, which is no secret.
    pub id: String,
    /// Whom it is asked of, where that is known from the start.
    pub user: Option<UserId>,
    /// The digest of the `user_code`, where there is one.
    pub user_code: Option<SecretDigest>,
    /// How it is asked about.
    pub polling: Polling,
    /// Whether it was answered. The code of this digest is the yes; without one it was a no.
    pub answered: bool,
    /// What is needed to tell the client of the answer, until it is told.
    pub delivery: Option<String>,
    /// The request.
    pub request: Deferred,
}

/// Something that is noted about a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// Its client asked for the answer.
    Polled {
        /// Which request.
        digest: SecretDigest,
        /// Whether it was told to slow down, for good.
        too_soon: bool,
    },
    /// A client asked whether a person has approved its token request.
    PolledDeferral {
        /// Which request.
        digest: SecretDigest,
        /// Whether it was told to slow down, for good.
        too_soon: bool,
    },
    /// A webhook was told, or never will be.
    WebhookDone(SecretDigest),
    /// A webhook is to be told again.
    WebhookLater {
        /// Of what.
        digest: SecretDigest,
        /// Not before this moment.
        due_at: NumericDate,
    },
    /// Its client was told the answer, or never will be; and how is forgotten.
    Delivered(SecretDigest),
    /// Its client is to be told again.
    Postponed {
        /// Which request.
        digest: SecretDigest,
        /// Not before this moment.
        due_at: NumericDate,
    },
}

impl DeferredRequest {
    /// Whether it can still be answered at `now`.
    #[must_use]
    pub const fn waits(&self, now: NumericDate) -> bool {
        !self.answered && !self.polling.expires_at.is_over(now)
    }

    pub(super) fn row(self) -> Result<deferred_request::Model, StoreError> {
        let document = serde_json::to_string(&self.request);
        let document =
            document.map_err(|_| StoreError::Database("a document cannot be written".to_owned()))?;
        let client = &self.request.client;
        let instance = self.request.instance.as_ref().map(|id| Instance::new(client, id).key().to_owned());
        Ok(deferred_request::Model {
            instance,
            digest: self.digest.to_text(),
            id: self.id,
            client_id: self.request.client.into(),
            user_id: self.user.map(String::from),
            user_code: self.user_code.map(|digest| digest.to_text()),
            expires_at: self.polling.expires_at.0,
            taken_at: None,
            poll_interval: self.polling.interval.0,
            polled_at: self.polling.polled_at.map(|at| at.0),
            delivery: self.delivery,
            document,
        })
    }
}

fn deferred(row: deferred_request::Model) -> Result<DeferredRequest, StoreError> {
    let broken = || corrupt("deferred_request", &row.digest);
    Ok(DeferredRequest {
        digest: SecretDigest::from_text(&row.digest).ok_or_else(broken)?,
        user: row.user_id.map(|id| id.parse().map_err(|_| broken())).transpose()?,
        user_code: match &row.user_code {
            Some(text) => Some(SecretDigest::from_text(text).ok_or_else(broken)?),
            None => None,
        },
        polling: Polling {
            interval: Seconds(row.poll_interval),
            polled_at: row.polled_at.map(NumericDate),
            expires_at: NumericDate(row.expires_at),
        },
        answered: row.taken_at.is_some(),
        request: read("deferred_request", &row.digest, &row.document)?,
        delivery: row.delivery,
        id: row.id,
    })
}

impl Store {
    /// The request of this `device_code` or `auth_req_id`, answered or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_deferred(&self, digest: &SecretDigest) -> Result<Option<DeferredRequest>, StoreError> {
        let found = deferred_request::Entity::find_by_id(digest.to_text()).one(self.reader()).await?;
        found.map(deferred).transpose()
    }

    /// The request of this `user_code`, answered or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_deferred_by_user_code(
        &self,
        digest: &SecretDigest,
    ) -> Result<Option<DeferredRequest>, StoreError> {
        let find = deferred_request::Entity::find().filter(Column::UserCode.eq(digest.to_text()));
        find.one(self.reader()).await?.map(deferred).transpose()
    }

    /// The request of this id that is asked of `user`, answered or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_deferred_of_user(
        &self,
        user: &UserId,
        id: &str,
    ) -> Result<Option<DeferredRequest>, StoreError> {
        let find = deferred_request::Entity::find()
            .filter(Column::Id.eq(id))
            .filter(Column::UserId.eq(user.as_str()));
        find.one(self.reader()).await?.map(deferred).transpose()
    }

    /// What waits for `user` at `now`, the newest first, at most a hundred.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting_for_user(
        &self,
        user: &UserId,
        now: NumericDate,
    ) -> Result<Vec<DeferredRequest>, StoreError> {
        let find = waiting(user, now).order_by_desc(Column::ExpiresAt).order_by_desc(Column::Id).limit(MOST);
        find.all(self.reader()).await?.into_iter().map(deferred).collect()
    }

    /// How much waits for `user` at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_waiting_for_user(&self, user: &UserId, now: NumericDate) -> Result<u64, StoreError> {
        Ok(waiting(user, now).count(self.reader()).await?)
    }

    /// The hash of the code without which `user` is not asked from afar, if they set one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_code_hash(&self, user: &UserId) -> Result<Option<String>, StoreError> {
        let found = backchannel_user_code::Entity::find_by_id(user.as_str()).one(self.reader()).await?;
        Ok(found.and_then(|row| row.hash))
    }
}

fn waiting(user: &UserId, now: NumericDate) -> sea_orm::Select<deferred_request::Entity> {
    deferred_request::Entity::find()
        .filter(Column::UserId.eq(user.as_str()))
        .filter(Column::TakenAt.is_null())
        .filter(Column::ExpiresAt.gt(now.0))
}

/// Writes a note at `at`.
pub(super) async fn note<C: ConnectionTrait>(db: &C, note: &Note, at: NumericDate) -> Result<(), DbErr> {
    match note {
        Note::Polled { digest, too_soon } => {
            let more = if *too_soon { SLOWER_BY.0 } else { 0 };
            let update = "UPDATE deferred_request SET poll_interval = poll_interval + $2, \
                          polled_at = CASE WHEN polled_at > $3 THEN polled_at ELSE $3 END WHERE digest = $1";
            let values = vec![Value::from(digest.to_text()), Value::from(more), Value::from(at.0)];
            sql::execute(db, update, values).await
        }
        Note::PolledDeferral { digest, too_soon } => deferrals::polled(db, digest, *too_soon, at).await,
        Note::WebhookDone(digest) => webhooks::done(db, digest).await,
        Note::WebhookLater { digest, due_at } => webhooks::postpone(db, digest, *due_at).await,
        Note::Delivered(digest) => deliveries::done(db, digest).await,
        Note::Postponed { digest, due_at } => deliveries::postpone(db, digest, *due_at).await,
    }
    .map(|_| ())
}

//! Clients that nobody declared: how they came to be here, and who let them.

use entity::{client_registration, initial_access_token};
use protocol::identifier::ClientId;
use protocol::numeric_date::{NumericDate, Seconds};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Value,
};

use super::{Store, StoreError, corrupt, sql};
use crate::secret::SecretDigest;

/// How a client registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registered {
    /// The client.
    pub client: ClientId,
    /// How.
    pub by: RegisteredBy,
    /// When.
    pub at: NumericDate,
    /// The software statement it came with (RFC 7591 §2.3).
    pub software_statement: Option<String>,
}

/// Who said what the client is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegisteredBy {
    /// The client itself (RFC 7591); with the digest of its registration access token (RFC 7592 §3), as text.
    Itself(String),
    /// The document that its id points to, which need not be fetched again until then.
    Document(NumericDate),
}

/// A token that lets somebody register clients (RFC 7591 §3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InitialAccessToken {
    /// The digest of it.
    pub digest: SecretDigest,
    /// For whom it was made.
    pub name: String,
    /// How many clients may be registered with it.
    pub uses: u32,
    /// When it is over.
    pub expires_at: NumericDate,
}

impl Registered {
    pub(super) fn into_row(self) -> client_registration::Model {
        let (kind, token_digest, fresh_until) = match self.by {
            RegisteredBy::Itself(token) => ("itself", Some(token), None),
            RegisteredBy::Document(until) => ("document", None, Some(until.0)),
        };
        client_registration::Model {
            client_id: self.client.into(),
            kind: kind.to_owned(),
            token_digest,
            registered_at: self.at.0,
            fresh_until,
            used_at: None,
            software_statement: self.software_statement,
        }
    }

    fn of(client: &ClientId, row: client_registration::Model) -> Result<Self, StoreError> {
        let by = match (row.kind.as_str(), row.token_digest, row.fresh_until) {
            ("itself", Some(token), _) => RegisteredBy::Itself(token),
            ("document", _, Some(until)) => RegisteredBy::Document(NumericDate(until)),
            _ => return Err(corrupt("client_registration", client.as_str())),
        };
        let at = NumericDate(row.registered_at);
        Ok(Self { client: client.clone(), by, at, software_statement: row.software_statement })
    }
}

impl InitialAccessToken {
    pub(super) fn into_row(self) -> initial_access_token::Model {
        initial_access_token::Model {
            digest: self.digest.to_text(),
            name: self.name,
            uses_left: i64::from(self.uses),
            expires_at: self.expires_at.0,
        }
    }
}

/// Whether a token is of one of these clients; said as the index says it.
const OF_REGISTERED: &str = "substr(t.client_id, 1, 4) IN ('dyn_', 'http')";

impl Store {
    /// How a client registered, unless somebody declared it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_registration(&self, id: &ClientId) -> Result<Option<Registered>, StoreError> {
        let select = "SELECT 1 FROM client WHERE id = $1 AND origin IN ('registered', 'document') \
                      AND status <> 'retired'";
        let reader = self.reader();
        let undeclared = sql::query(reader, select, vec![Value::from(id.as_str())]).await?;
        if undeclared.is_empty() {
            return Ok(None);
        }
        let row = client_registration::Entity::find_by_id(id.as_str()).one(reader).await?;
        row.map(|row| Registered::of(id, row)).transpose()
    }

    /// How many clients registered themselves, or came by their documents.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_registrations(&self) -> Result<u64, StoreError> {
        let rows = sql::query(self.reader(), "SELECT COUNT(*) FROM client_registration", Vec::new()).await?;
        let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get_by_index(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// The initial access tokens that are good for a client still at `now`, at most a thousand, by their names.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn initial_access_tokens(
        &self,
        now: NumericDate,
    ) -> Result<Vec<InitialAccessToken>, StoreError> {
        use initial_access_token::Column;
        let find = initial_access_token::Entity::find()
            .filter(Column::UsesLeft.gt(0))
            .filter(Column::ExpiresAt.gt(now.0))
            .order_by_asc(Column::Name)
            .order_by_asc(Column::ExpiresAt)
            .limit(1000);
        let rows = find.all(self.reader()).await?;
        let token = |row: initial_access_token::Model| {
            let broken = || corrupt("initial_access_token", &row.name);
            Ok(InitialAccessToken {
                digest: SecretDigest::from_text(&row.digest).ok_or_else(broken)?,
                uses: u32::try_from(row.uses_left).map_err(|_| broken())?,
                expires_at: NumericDate(row.expires_at),
                name: row.name,
            })
        };
        rows.into_iter().map(token).collect()
    }

    /// Whether an initial access token is good for one more client at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_initial_access_token(
        &self,
        digest: &SecretDigest,
        now: NumericDate,
    ) -> Result<bool, StoreError> {
        let row = initial_access_token::Entity::find_by_id(digest.to_text()).one(self.reader()).await?;
        Ok(row.is_some_and(|row| row.uses_left > 0 && row.expires_at > now.0))
    }

    /// Clients that registered at `until` or before and were never used, at most a hundred. Those that were used
    /// since the last time are marked first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unused_registrations(
        &self,
        until: NumericDate,
        now: NumericDate,
    ) -> Result<Vec<ClientId>, StoreError> {
        let mark = format!(
            "UPDATE client_registration SET used_at = $1 WHERE used_at IS NULL AND (EXISTS \
             (SELECT 1 FROM token t WHERE t.client_id = client_registration.client_id AND {OF_REGISTERED}) OR \
             EXISTS (SELECT 1 FROM consent c WHERE c.client_id = client_registration.client_id))"
        );
        sql::execute(&self.0.core.writer, &mark, vec![Value::from(now.0)]).await?;
        let select = "SELECT client_id FROM client_registration WHERE used_at IS NULL AND registered_at <= $1 LIMIT 100";
        let rows = sql::query(self.reader(), select, vec![Value::from(until.0)]).await?;
        let mut ids = Vec::new();
        for row in rows {
            let id: String = row.try_get_by_index(0)?;
            ids.push(id.parse().map_err(|_| corrupt("client_registration", &id))?);
        }
        Ok(ids)
    }

    /// Forgets clients that registered themselves and ended some time ago.
    pub(super) async fn sweep_registrations(
        &self,
        now: NumericDate,
        afterlife: Seconds,
    ) -> Result<u64, StoreError> {
        let delete = "DELETE FROM client WHERE origin IN ('registered', 'document') AND status = 'retired' AND halt IS NULL \
                      AND expires_at <= $1";
        let last = now.0.saturating_sub(afterlife.0);
        Ok(sql::execute(&self.0.core.writer, delete, vec![Value::from(last)]).await?)
    }
}

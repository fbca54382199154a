//! Tokens: what they are. Whether they are alive is asked with [`Store::is_alive`] or [`super::Change::requires`].

use std::sync::Arc;

use entity::token;
use entity::token::Column;
use protocol::identifier::{ClientId, ConsentId, FamilyId, TaskId, TokenId};
use protocol::numeric_date::NumericDate;
use protocol::token::Token;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select, Value,
};

use super::{Store, StoreError, read, sql};
use crate::secret::SecretDigest;

/// The most tokens in one list.
const MOST: u64 = 1000;

/// What tokens hang on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Under {
    /// A consent.
    Consent(ConsentId),
    /// A task, or a part of it.
    Task(TaskId),
    /// A client that they were issued to, and no consent.
    Client(ClientId),
}

impl Under {
    /// Which tokens these are. `$1` is the id.
    const fn which(&self) -> &'static str {
        match self {
            Self::Consent(_) => "consent_id = $1",
            Self::Task(_) => {
                "task_id IN (WITH RECURSIVE line(id) AS (SELECT id FROM task WHERE id = $1 \
                 UNION SELECT t.id FROM task t JOIN line l ON t.parent_id = l.id) SELECT id FROM line)"
            }
            Self::Client(_) => "client_id = $1 AND consent_id IS NULL",
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Consent(id) => id.as_str(),
            Self::Task(id) => id.as_str(),
            Self::Client(id) => id.as_str(),
        }
    }
}

fn token(row: &token::Model) -> Result<Token, StoreError> {
    read("token", &row.id, &row.document)
}

impl Store {
    /// The token of this digest, dead or alive.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_token(&self, digest: &SecretDigest) -> Result<Option<Arc<Token>>, StoreError> {
        if let Some(known) = self.caches().token(digest) {
            return Ok(Some(known));
        }
        let find = token::Entity::find().filter(Column::Digest.eq(digest.to_text()));
        let Some(row) = find.one(self.reader()).await? else { return Ok(None) };
        let found = Arc::new(token(&row)?);
        self.caches().remember_token(Some(*digest), &found, &row.document);
        Ok(Some(found))
    }

    /// The token of this id (`jti`), dead or alive.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_token_by_id(&self, id: &TokenId) -> Result<Option<Arc<Token>>, StoreError> {
        if let Some(known) = self.caches().token_by_id(id) {
            return Ok(Some(known));
        }
        let Some(row) = token::Entity::find_by_id(id.as_str()).one(self.reader()).await? else {
            return Ok(None);
        };
        let found = Arc::new(token(&row)?);
        self.caches().remember_token(None, &found, &row.document);
        Ok(Some(found))
    }

    /// A token of a refresh family, dead or alive, if there is any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_token_of_family(&self, family: &FamilyId) -> Result<Option<Token>, StoreError> {
        let find = token::Entity::find().filter(Column::FamilyId.eq(family.as_str())).limit(1);
        find.one(self.reader()).await?.as_ref().map(token).transpose()
    }

    /// A refresh token of a family that lives at `now`, if there is any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn live_token_of_family(
        &self,
        family: &FamilyId,
        now: NumericDate,
    ) -> Result<Option<Token>, StoreError> {
        let find = live(now).filter(Column::FamilyId.eq(family.as_str())).filter(Column::Kind.eq("refresh"));
        find.limit(1).one(self.reader()).await?.as_ref().map(token).transpose()
    }

    /// The tokens under a consent that are to be used and live at `now`, those that live longest first, at most a thousand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tokens_of_consent(
        &self,
        consent: &ConsentId,
        now: NumericDate,
    ) -> Result<Vec<Token>, StoreError> {
        let find = live(now)
            .filter(Column::ConsentId.eq(consent.as_str()))
            .filter(Column::Kind.is_in(["access", "refresh"]))
            .order_by_desc(Column::ExpiresAt)
            .limit(MOST);
        find.all(self.reader()).await?.iter().map(token).collect()
    }

    /// The tokens of every kind that live at `now` under something, the newest first: of the thousand that live longest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tokens_under(&self, under: &Under, now: NumericDate) -> Result<Vec<Token>, StoreError> {
        let find = format!(
            "SELECT id, document FROM token WHERE {} AND ended_at IS NULL AND expires_at > $2 \
             ORDER BY expires_at DESC, id LIMIT {MOST}",
            under.which()
        );
        let values = vec![Value::from(under.id()), Value::from(now.0)];
        let mut found = Vec::new();
        for row in sql::query(self.reader(), &find, values).await? {
            let (id, document): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            found.push(read::<Token>("token", &id, &document)?);
        }
        found.sort_by(|a, b| b.issued_at.cmp(&a.issued_at).then_with(|| a.id.cmp(&b.id)));
        Ok(found)
    }
}

/// The tokens that live at `now`.
fn live(now: NumericDate) -> Select<token::Entity> {
    token::Entity::find().filter(Column::EndedAt.is_null()).filter(Column::ExpiresAt.gt(now.0))
}

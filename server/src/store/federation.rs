//! Identities at upstream OpenID Providers, whose account they belong to, and the sessions that began there.

use std::sync::Arc;

use entity::{federated_identity, federated_session, user_account};
use protocol::federation::Identity;
use protocol::federation::account::LinkedBy;
use protocol::federation::rights::Rights;
use protocol::identifier::{SessionId, UserId};
use protocol::numeric_date::NumericDate;
use protocol::user::User;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _,
};

use super::{ReplayKey, Store, StoreError, corrupt, keeping, read, read_word, users};

/// The most identities of one account, and sessions of one identity, that are looked at.
const MOST: u64 = 1000;

/// An identity and its account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FederatedIdentity {
    /// Who they are there.
    pub identity: Identity,
    /// Who they are here; none where the link was taken away.
    pub user: Option<UserId>,
    /// How the one came to the other.
    pub by: LinkedBy,
    /// When.
    pub linked_at: NumericDate,
    /// The rights that the upstream gave the account.
    pub granted: Rights,
}

/// A session that began with a sign-in at an upstream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FederatedSession {
    /// The session here.
    pub session: SessionId,
    /// Who signed in.
    pub identity: Identity,
    /// The session there (`sid`), if it has a name.
    pub sid: Option<String>,
    /// When it is over at the latest.
    pub expires_at: NumericDate,
}

/// What is kept, as rows.
#[derive(Default)]
pub(super) struct Rows {
    identities: Vec<federated_identity::Model>,
    sessions: Vec<federated_session::Model>,
}

impl Rows {
    pub(super) fn add_identity(&mut self, kept: &FederatedIdentity) -> Result<(), StoreError> {
        self.identities.push(identity_row(kept)?);
        Ok(())
    }

    pub(super) fn add_session(&mut self, kept: FederatedSession) {
        self.sessions.push(session_row(kept));
    }

    pub(super) async fn write<C: ConnectionTrait>(&self, db: &C) -> Result<(), DbErr> {
        for row in &self.identities {
            keeping::replace(db, row.clone(), federated_identity::Column::Id, None, &[]).await?;
        }
        for row in &self.sessions {
            keeping::replace(db, row.clone(), federated_session::Column::Id, None, &[]).await?;
        }
        Ok(())
    }
}

fn identity_row(kept: &FederatedIdentity) -> Result<federated_identity::Model, StoreError> {
    Ok(federated_identity::Model {
        id: key(&kept.identity),
        issuer: kept.identity.issuer.clone(),
        subject: kept.identity.subject.clone(),
        user_id: kept.user.as_ref().map(|user| user.as_str().to_owned()),
        linked_by: keeping::word(&kept.by),
        linked_at: kept.linked_at.0,
        granted: keeping::json(&kept.granted)?,
    })
}

fn session_row(kept: FederatedSession) -> federated_session::Model {
    let FederatedSession { session, identity, sid, expires_at } = kept;
    let parts = [
        session.as_str(),
        identity.issuer.as_str(),
        identity.subject.as_str(),
        sid.as_deref().unwrap_or_default(),
    ];
    federated_session::Model {
        id: ReplayKey::new("federated session", &parts).0.to_text(),
        session_id: session.as_str().to_owned(),
        issuer: identity.issuer,
        subject: identity.subject,
        sid,
        expires_at: expires_at.0,
    }
}

fn key(identity: &Identity) -> String {
    ReplayKey::new("federated identity", &[&identity.issuer, &identity.subject]).0.to_text()
}

fn stored(row: federated_identity::Model) -> Result<FederatedIdentity, StoreError> {
    const TABLE: &str = "federated_identity";
    let user = row.user_id.as_deref().map(str::parse).transpose();
    Ok(FederatedIdentity {
        user: user.map_err(|_| corrupt(TABLE, &row.id))?,
        by: read_word(TABLE, &row.id, &row.linked_by)?,
        granted: read(TABLE, &row.id, &row.granted)?,
        linked_at: NumericDate(row.linked_at),
        identity: Identity { issuer: row.issuer, subject: row.subject },
    })
}

impl Store {
    /// What is known of an identity, if it belongs to an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_identity(&self, identity: &Identity) -> Result<Option<FederatedIdentity>, StoreError> {
        let found = federated_identity::Entity::find_by_id(key(identity)).one(self.reader()).await?;
        let known = found.map(stored).transpose()?;
        Ok(known.filter(|known| known.user.is_some() && known.identity == *identity))
    }

    /// The identities of an account, the oldest link first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn identities_of_user(&self, user: &UserId) -> Result<Vec<FederatedIdentity>, StoreError> {
        let find = federated_identity::Entity::find()
            .filter(federated_identity::Column::UserId.eq(user.as_str()))
            .order_by_asc(federated_identity::Column::LinkedAt)
            .order_by_asc(federated_identity::Column::Id);
        find.limit(MOST).all(self.reader()).await?.into_iter().map(stored).collect()
    }

    /// Whether an upstream made this account, so that it alone says who may use it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_made_by_upstream(&self, user: &UserId) -> Result<bool, StoreError> {
        let identities = self.identities_of_user(user).await?;
        Ok(identities.iter().any(|identity| identity.by == LinkedBy::Creation))
    }

    /// A portion of the identities whose upstreams gave their accounts rights: those that come after `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn identities_with_rights(
        &self,
        after: Option<&Identity>,
    ) -> Result<Vec<FederatedIdentity>, StoreError> {
        use federated_identity::Column;
        let nothing = keeping::json(&Rights::default())?;
        let find = federated_identity::Entity::find()
            .filter(Column::UserId.is_not_null())
            .filter(Column::Granted.ne(nothing))
            .apply_if(after, |find, after| find.filter(Column::Id.gt(key(after))))
            .order_by_asc(Column::Id);
        find.limit(MOST).all(self.reader()).await?.into_iter().map(stored).collect()
    }

    /// The sessions that began at this issuer: of this session there, of this user, or where both are named, of both.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_from_upstream(
        &self,
        issuer: &str,
        subject: Option<&str>,
        sid: Option<&str>,
        now: NumericDate,
    ) -> Result<Vec<SessionId>, StoreError> {
        use federated_session::Column;
        if subject.is_none() && sid.is_none() {
            return Ok(Vec::new());
        }
        let find = federated_session::Entity::find()
            .filter(Column::Issuer.eq(issuer))
            .filter(Column::ExpiresAt.gt(now.0))
            .apply_if(subject, |find, subject| find.filter(Column::Subject.eq(subject)))
            .apply_if(sid, |find, sid| find.filter(Column::Sid.eq(sid)));
        let rows = find.limit(MOST).all(self.reader()).await?;
        let read = |row: federated_session::Model| {
            row.session_id.parse().map_err(|_| corrupt("federated_session", &row.id))
        };
        rows.into_iter().map(read).collect()
    }

    /// The user as they are now and not as they were a second ago: for a change that writes them back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_user_now(&self, id: &UserId) -> Result<Option<Arc<User>>, StoreError> {
        let found = user_account::Entity::find_by_id(id.as_str()).one(self.reader()).await?;
        found.as_ref().map(users::user).transpose().map(|found| found.map(Arc::new))
    }
}

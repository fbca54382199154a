//! Users.

use std::collections::HashSet;
use std::sync::Arc;

use entity::{federated_identity, user_account};
use protocol::federation::account::LinkedBy;
use protocol::identifier::UserId;
use protocol::user::User;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbBackend, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QuerySelect as _, QueryTrait as _,
};

use super::{Anchor, Change, Conflict, Origin, Store, StoreError, keeping, read, sql};
use crate::secret::SecretDigest;

/// How many users are looked at at once.
const MOST_USERS: u64 = 1000;

pub(super) fn user(row: &user_account::Model) -> Result<User, StoreError> {
    let written: User = read("user_account", &row.id, &row.document)?;
    Ok(User { enabled: row.enabled, ..written })
}

/// Which password a user has: the digest of its hash, by which a change can see that it is still the same.
#[must_use]
pub fn password_mark(user: &User) -> Option<String> {
    user.password_hash.as_deref().map(|hash| SecretDigest::of(hash).to_text())
}

/// Whether the users of a change still have the passwords that it requires. Whoever gives one of them another password
/// waits for the change, or the change for them.
pub(super) async fn other_password<C: ConnectionTrait>(
    db: &C,
    change: &Change,
) -> Result<Option<Conflict>, DbErr> {
    let hold = match db.get_database_backend() {
        DbBackend::Postgres => " FOR SHARE",
        _ => "",
    };
    for (id, mark) in &change.passwords {
        let find = format!("SELECT document FROM user_account WHERE id = $1{hold}");
        let rows = sql::query(db, &find, vec![id.as_str().into()]).await?;
        let document = rows.first().map(|row| row.try_get_by_index::<String>(0)).transpose()?;
        let now = document.and_then(|document| serde_json::from_str::<User>(&document).ok());
        if now.is_none_or(|user| password_mark(&user) != *mark) {
            return Ok(Some(Conflict::NotAlive(Anchor::User(id.clone()))));
        }
    }
    Ok(None)
}

/// Whether a user of a change is not as it requires any more. `written` are those that earlier changes of the same batch
/// are about to write.
pub(super) async fn changed<C: ConnectionTrait>(
    db: &C,
    change: &Change,
    written: &mut HashSet<UserId>,
) -> Result<Option<Conflict>, DbErr> {
    let hold = match db.get_database_backend() {
        DbBackend::Postgres => " FOR UPDATE",
        _ => "",
    };
    for before in &change.unchanged {
        let find = format!("SELECT document, enabled FROM user_account WHERE id = $1{hold}");
        let rows = sql::query(db, &find, vec![before.id.as_str().into()]).await?;
        let mut now = None;
        if let Some(row) = rows.first() {
            let written = serde_json::from_str::<User>(&row.try_get_by_index::<String>(0)?).ok();
            let enabled = row.try_get_by_index::<bool>(1)?;
            now = written.map(|written| User { enabled, ..written });
        }
        if now.as_ref() != Some(before) || !written.insert(before.id.clone()) {
            return Ok(Some(Conflict::Changed));
        }
    }
    Ok(None)
}

impl Store {
    /// The user of this id, as they were at most a second ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_user(&self, id: &UserId) -> Result<Option<Arc<User>>, StoreError> {
        if let Some(known) = self.caches().users.get(id) {
            return Ok(Some(known));
        }
        let Some(row) = user_account::Entity::find_by_id(id.as_str()).one(self.reader()).await? else {
            return Ok(None);
        };
        let found = Arc::new(user(&row)?);
        self.caches().users.insert(id.clone(), Arc::clone(&found));
        Ok(Some(found))
    }

    /// The user who types this name, without regard to ASCII case.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_user_by_username(&self, username: &str) -> Result<Option<Arc<User>>, StoreError> {
        let column = user_account::Column::UsernameLower;
        let find = user_account::Entity::find().filter(column.eq(username.to_ascii_lowercase()));
        find.one(self.reader()).await?.as_ref().map(user).transpose().map(|found| found.map(Arc::new))
    }

    /// The user who types this name as they were declared last, whatever an admin did to the account since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_declared_user(&self, username: &str) -> Result<Option<User>, StoreError> {
        let column = user_account::Column::UsernameLower;
        let find = user_account::Entity::find().filter(column.eq(username.to_ascii_lowercase()));
        let row = find.one(self.reader()).await?;
        row.map(|row| read("user_account", &row.id, &row.document)).transpose()
    }

    /// The enabled users with this e-mail address, without regard to ASCII case, at most ten.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn users_by_email(&self, email: &str) -> Result<Vec<User>, StoreError> {
        let rows = user_account::Entity::find()
            .filter(user_account::Column::EmailLower.eq(email.to_ascii_lowercase()))
            .filter(user_account::Column::Enabled.eq(true))
            .limit(10)
            .all(self.reader())
            .await?;
        rows.iter().map(user).collect()
    }

    /// The enabled users that somebody may mean who writes this: who types it to sign in, and whose address it is, as
    /// somebody made sure. What names several names nobody: one of them may have chosen the name for that.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn users_named(&self, written: &str) -> Result<Vec<Arc<User>>, StoreError> {
        let by_username = self.find_user_by_username(written).await?;
        let mut named: Vec<Arc<User>> = by_username.into_iter().filter(|user| user.enabled).collect();
        if !written.contains('@') {
            return Ok(named);
        }
        for user in self.users_by_email(written).await? {
            if user.verified_email().is_some() && named.iter().all(|known| known.id != user.id) {
                named.push(Arc::new(user));
            }
        }
        Ok(named)
    }

    /// The enabled user of this username, unless it is also somebody else's address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_only_user_named(&self, username: &str) -> Result<Option<Arc<User>>, StoreError> {
        let mut named = self.users_named(username).await?;
        let only = named.pop().filter(|_| named.is_empty());
        Ok(only.filter(|user| user.username.eq_ignore_ascii_case(username)))
    }

    /// The enabled users, at most a thousand, by their usernames.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn enabled_users(&self) -> Result<Vec<User>, StoreError> {
        let mut users = self.some_users().await?;
        users.sort_by(|a, b| a.username.cmp(&b.username));
        Ok(users)
    }

    /// How many users there are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_users(&self) -> Result<u64, StoreError> {
        Ok(user_account::Entity::find().count(self.reader()).await?)
    }

    /// All users but those that an upstream made, at most a thousand, for the few times somebody looks at them all.
    async fn some_users(&self) -> Result<Vec<User>, StoreError> {
        let made = federated_identity::Entity::find()
            .select_only()
            .column(federated_identity::Column::UserId)
            .filter(federated_identity::Column::UserId.is_not_null())
            .filter(federated_identity::Column::LinkedBy.eq(keeping::word(&LinkedBy::Creation)));
        let rows = user_account::Entity::find()
            .filter(user_account::Column::Enabled.eq(true))
            .filter(user_account::Column::Id.not_in_subquery(made.into_query()))
            .limit(MOST_USERS)
            .all(self.reader())
            .await?;
        rows.iter().map(user).collect()
    }

    /// Whether any enabled user is an admin, wherever they sign in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_admin(&self) -> Result<bool, StoreError> {
        if self.some_users().await?.iter().any(|user| user.admin) {
            return Ok(true);
        }
        // Those that an upstream made are many; the few among them that it made admins stand beside their identities.
        let mut after = None;
        loop {
            let portion = self.identities_with_rights(after.as_ref()).await?;
            let Some(last) = portion.last() else { return Ok(false) };
            after = Some(last.identity.clone());
            for id in
                portion.iter().filter(|known| known.granted.admin).filter_map(|known| known.user.as_ref())
            {
                if self.find_user_now(id).await?.is_some_and(|user| user.enabled && user.admin) {
                    return Ok(true);
                }
            }
        }
    }

    /// The enabled users who have no password yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn users_without_password(&self) -> Result<Vec<User>, StoreError> {
        Ok(self.some_users().await?.into_iter().filter(|user| user.password_hash.is_none()).collect())
    }

    /// Who declared the user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_origin(&self, id: &UserId) -> Result<Origin, StoreError> {
        let row = user_account::Entity::find_by_id(id.as_str()).one(self.reader()).await?;
        let declared = row.is_some_and(|row| row.origin == Origin::Config.as_str());
        Ok(if declared { Origin::Config } else { Origin::Admin })
    }
}

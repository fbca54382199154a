//! Users.

use std::sync::Arc;

use entity::user_account;
use protocol::identifier::UserId;
use protocol::user::User;
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};

use super::{Store, StoreError, read};

fn user(row: &user_account::Model) -> Result<User, StoreError> {
    read("user_account", &row.id, &row.document)
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

    /// How many users there are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_users(&self) -> Result<u64, StoreError> {
        Ok(user_account::Entity::find().count(self.reader()).await?)
    }
}

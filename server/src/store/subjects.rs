//! Which user a pairwise subject names. The name is computed and cannot be turned back; so it is kept when a client
//! gets to see it.

use std::sync::Arc;

use entity::pairwise_subject;
use protocol::identifier::UserId;
use protocol::user::User;
use sea_orm::EntityTrait as _;

use super::{Store, StoreError, corrupt};

/// A user by the name that one sector sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PairwiseSubject {
    /// The name.
    pub subject: String,
    /// The user.
    pub user: UserId,
}

impl PairwiseSubject {
    pub(super) fn row(self) -> pairwise_subject::Model {
        pairwise_subject::Model { subject: self.subject, user_id: self.user.into() }
    }
}

impl Store {
    /// The user whom some sector knows by this name, if any client ever saw it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_user_by_pairwise_subject(
        &self,
        subject: &str,
    ) -> Result<Option<Arc<User>>, StoreError> {
        let Some(row) = pairwise_subject::Entity::find_by_id(subject).one(self.reader()).await? else {
            return Ok(None);
        };
        let user = row.user_id.parse().map_err(|_| corrupt("pairwise_subject", &row.subject))?;
        self.find_user(&user).await
    }
}

//! Lists for admins, a portion at a time: each goes on after the id that the one before ended with.

use entity::{client, consent, task, user_account};
use protocol::client::Client;
use protocol::consent::Consent;
use protocol::identifier::{ClientId, ConsentId, TaskId, UserId};
use protocol::numeric_date::NumericDate;
use protocol::task::Task;
use protocol::user::User;
use sea_orm::{ColumnTrait as _, EntityTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select};

use super::{Store, StoreError, clients, consents, tasks, users};

/// How many agents are read at once while those that are asked for are looked for.
const PORTION: u64 = 200;

/// Which agents.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AgentFilter {
    /// Those that this user answers for.
    pub owner: Option<UserId>,
    /// Those that are `active`, `suspended` or `retired`.
    pub status: Option<String>,
}

/// Which users.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UserFilter {
    /// The one who types this to sign in, without regard to ASCII case.
    pub username: Option<String>,
    /// Those with this address, without regard to ASCII case.
    pub email: Option<String>,
    /// Those who may, or may not, be used.
    pub enabled: Option<bool>,
}

/// Which consents.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConsentFilter {
    /// Those that this user gave.
    pub user: Option<UserId>,
    /// Those to this actor.
    pub actor: Option<ClientId>,
    /// Those that were asked for through this client.
    pub client: Option<ClientId>,
    /// Those that are `active` or `revoked`.
    pub state: Option<String>,
}

/// Which tasks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TaskFilter {
    /// Those for this user.
    pub user: Option<UserId>,
    /// Those of this actor.
    pub actor: Option<ClientId>,
    /// Those under this consent.
    pub consent: Option<ConsentId>,
    /// Those that stand so by their own.
    pub status: Option<String>,
}

/// A column, and what it must hold if anything.
type Wanted<'a, E> = (<E as EntityTrait>::Column, Option<&'a str>);

/// The next `limit` rows after the id `after`, by id, of those that hold all that is `wanted`.
fn next<E: EntityTrait, const N: usize>(
    id: E::Column,
    after: Option<&str>,
    wanted: [Wanted<'_, E>; N],
    limit: u64,
) -> Select<E> {
    let mut find = E::find().order_by_asc(id).limit(limit);
    if let Some(after) = after {
        find = find.filter(id.gt(after));
    }
    for (column, text) in wanted {
        if let Some(text) = text {
            find = find.filter(column.eq(text));
        }
    }
    find
}

impl Store {
    /// The next `limit` agents after `after`, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn agents_after(
        &self,
        after: Option<&ClientId>,
        filter: &AgentFilter,
        limit: u64,
    ) -> Result<Vec<Client>, StoreError> {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut after = after.map(|id| id.as_str().to_owned());
        let mut found = Vec::new();
        loop {
            // Every agent ends some day, and hardly anything else has a day to end.
            let wanted = [(client::Column::Status, filter.status.as_deref())];
            let rows = next::<client::Entity, _>(client::Column::Id, after.as_deref(), wanted, PORTION)
                .filter(client::Column::ExpiresAt.is_not_null())
                .all(self.reader())
                .await?;
            for row in &rows {
                let client = clients::client(row)?;
                let agent = client
                    .agent()
                    .is_some_and(|agent| filter.owner.as_ref().is_none_or(|owner| agent.owner == *owner));
                if agent {
                    found.push(client);
                }
                if found.len() == most {
                    return Ok(found);
                }
            }
            match rows.last() {
                Some(last) if rows.len() as u64 == PORTION => after = Some(last.id.clone()),
                _ => return Ok(found),
            }
        }
    }

    /// The next `limit` users after `after`, by id; wherever they sign in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn users_after(
        &self,
        after: Option<&UserId>,
        filter: &UserFilter,
        limit: u64,
    ) -> Result<Vec<User>, StoreError> {
        use user_account::Column;
        let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_ascii_lowercase());
        let (username, email) = (lower(&filter.username), lower(&filter.email));
        let wanted = [(Column::UsernameLower, username.as_deref()), (Column::EmailLower, email.as_deref())];
        let after = after.map(UserId::as_str);
        let mut find = next::<user_account::Entity, _>(Column::Id, after, wanted, limit);
        if let Some(enabled) = filter.enabled {
            find = find.filter(Column::Enabled.eq(enabled));
        }
        find.all(self.reader()).await?.iter().map(users::user).collect()
    }

    /// The next `limit` consents after `after`, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consents_after(
        &self,
        after: Option<&ConsentId>,
        filter: &ConsentFilter,
        limit: u64,
    ) -> Result<Vec<Consent>, StoreError> {
        use consent::Column;
        let wanted = [
            (Column::UserId, filter.user.as_ref().map(UserId::as_str)),
            (Column::ActorId, filter.actor.as_ref().map(ClientId::as_str)),
            (Column::ClientId, filter.client.as_ref().map(ClientId::as_str)),
            (Column::State, filter.state.as_deref()),
        ];
        let find = next::<consent::Entity, _>(Column::Id, after.map(ConsentId::as_str), wanted, limit);
        find.all(self.reader()).await?.iter().map(consents::consent).collect()
    }

    /// Tasks that are not over at `now`, those that may go on longest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recent_open_tasks(&self, limit: u64, now: NumericDate) -> Result<Vec<Task>, StoreError> {
        use task::Column;
        let find = task::Entity::find()
            .filter(Column::Status.is_in(["active", "suspended"]))
            .filter(Column::Deadline.gt(now.0))
            .order_by_desc(Column::Deadline)
            .order_by_desc(Column::Id)
            .limit(limit);
        find.all(self.reader()).await?.iter().map(tasks::task).collect()
    }

    /// The next `limit` tasks after `after`, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tasks_after(
        &self,
        after: Option<&TaskId>,
        filter: &TaskFilter,
        limit: u64,
    ) -> Result<Vec<Task>, StoreError> {
        use task::Column;
        let wanted = [
            (Column::UserId, filter.user.as_ref().map(UserId::as_str)),
            (Column::ActorId, filter.actor.as_ref().map(ClientId::as_str)),
            (Column::ConsentId, filter.consent.as_ref().map(ConsentId::as_str)),
            (Column::Status, filter.status.as_deref()),
        ];
        let find = next::<task::Entity, _>(Column::Id, after.map(TaskId::as_str), wanted, limit);
        find.all(self.reader()).await?.iter().map(tasks::task).collect()
    }
}

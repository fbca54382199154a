//! Agents that an admin stopped, and accounts that one disabled. That stands beside what is declared of them, and
//! outlives every declaration.

use entity::{client, user_account};
use protocol::client::{Client, ClientStatus};
use protocol::ending::{AccountOperation, Halt};
use protocol::identifier::{ClientId, UserId};
use protocol::numeric_date::NumericDate;
use protocol::user::User;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait as _, Value};

use super::change::{Change, Conflict};
use super::{Store, StoreError, keeping, read_word, sql};

/// How an agent was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Halted {
    /// For a while, or for good.
    pub halt: Halt,
    /// Since when.
    pub at: NumericDate,
}

/// Does to an agent what the change is about. Two that want the same at the same moment: one gets it.
pub(super) async fn operate<C: ConnectionTrait>(db: &C, change: &Change) -> Result<Option<Conflict>, DbErr> {
    let Some((agent, operation)) = &change.operate else { return Ok(None) };
    let done = match operation.leads_to() {
        Some(to) => halt(db, agent, to, change.at).await?,
        None => resume(db, agent).await?,
    };
    Ok((done == 0).then_some(Conflict::AlreadyTaken))
}

/// Does to an account what the change is about. What changes nothing that an admin wants changed is lost.
pub(super) async fn set_account<C: ConnectionTrait>(
    db: &C,
    change: &Change,
) -> Result<Option<Conflict>, DbErr> {
    let Some((user, operation)) = &change.account else { return Ok(None) };
    let id = || Value::from(user.as_str());
    let at = || Value::from(change.at.0);
    let done = match operation {
        AccountOperation::Disable => {
            let disable = "UPDATE user_account SET enabled = FALSE, halted_at = $2 \
                           WHERE id = $1 AND halted_at IS NULL";
            sql::execute(db, disable, vec![id(), at()]).await?
        }
        AccountOperation::Enable => {
            let find = "SELECT document FROM user_account WHERE id = $1 AND halted_at IS NOT NULL";
            let rows = sql::query(db, find, vec![id()]).await?;
            let Some(row) = rows.first() else { return Ok(Some(Conflict::AlreadyTaken)) };
            let declared = serde_json::from_str::<User>(&row.try_get_by_index::<String>(0)?);
            let enabled = declared.is_ok_and(|user| user.enabled);
            let enable = "UPDATE user_account SET enabled = $2, halted_at = NULL WHERE id = $1";
            sql::execute(db, enable, vec![id(), Value::from(enabled)]).await?
        }
        AccountOperation::Revoke => {
            let revoke = "UPDATE user_account SET revoked_at = $2 WHERE id = $1";
            sql::execute(db, revoke, vec![id(), at()]).await?
        }
        AccountOperation::SignIn => {
            let sign_in =
                "UPDATE user_account SET revoked_at = NULL WHERE id = $1 AND revoked_at IS NOT NULL";
            sql::execute(db, sign_in, vec![id()]).await?;
            return Ok(None);
        }
    };
    Ok((done == 0).then_some(Conflict::AlreadyTaken))
}

/// Stops `agent`, unless it is stopped so already, or for good.
pub(super) async fn halt<C: ConnectionTrait>(
    db: &C,
    agent: &ClientId,
    to: Halt,
    at: NumericDate,
) -> Result<u64, DbErr> {
    let from = match to {
        Halt::Suspended => "halt IS NULL",
        Halt::Retired => "(halt IS NULL OR halt <> 'retired')",
    };
    let halt = format!("UPDATE client SET status = $2, halt = $3, halted_at = $4 WHERE id = $1 AND {from}");
    let word = || Value::from(to.as_str());
    sql::execute(db, &halt, vec![Value::from(agent.as_str()), word(), word(), Value::from(at.0)]).await
}

/// Lets `agent` act again, as far as its declaration does.
async fn resume<C: ConnectionTrait>(db: &C, agent: &ClientId) -> Result<u64, DbErr> {
    let find = "SELECT document FROM client WHERE id = $1 AND halt = 'suspended'";
    let rows = sql::query(db, find, vec![Value::from(agent.as_str())]).await?;
    let Some(row) = rows.first() else { return Ok(0) };
    let declared = serde_json::from_str::<Client>(&row.try_get_by_index::<String>(0)?);
    let status = declared.map_or(ClientStatus::Suspended, |client| client.status);
    let resume =
        "UPDATE client SET status = $2, halt = NULL, halted_at = NULL WHERE id = $1 AND halt = 'suspended'";
    sql::execute(db, resume, vec![Value::from(agent.as_str()), Value::from(keeping::word(&status))]).await
}

/// The agents that `owner` answers for.
pub(super) async fn agents_of<C: ConnectionTrait>(db: &C, owner: &UserId) -> Result<Vec<ClientId>, DbErr> {
    // Every agent ends some day, and hardly anything else has a day to end.
    let find = "SELECT document FROM client WHERE expires_at IS NOT NULL ORDER BY id";
    let mut agents = Vec::new();
    for row in sql::query(db, find, Vec::new()).await? {
        let client = serde_json::from_str::<Client>(&row.try_get_by_index::<String>(0)?);
        let client = client.ok().filter(|client| client.agent().is_some_and(|agent| agent.owner == *owner));
        agents.extend(client.map(|client| client.id));
    }
    Ok(agents)
}

impl Store {
    /// Since when an admin keeps this account disabled, if one does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_account_halt(&self, id: &UserId) -> Result<Option<NumericDate>, StoreError> {
        let row = user_account::Entity::find_by_id(id.as_str()).one(self.reader()).await?;
        Ok(row.and_then(|row| row.halted_at).map(NumericDate))
    }

    /// How an admin stopped this client, if one did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_halt(&self, id: &ClientId) -> Result<Option<Halted>, StoreError> {
        let Some(row) = client::Entity::find_by_id(id.as_str()).one(self.reader()).await? else {
            return Ok(None);
        };
        let Some(word) = &row.halt else { return Ok(None) };
        let at = NumericDate(row.halted_at.unwrap_or_default());
        Ok(Some(Halted { halt: read_word("client", &row.id, word)?, at }))
    }
}

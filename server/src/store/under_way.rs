//! Endings that are under way.
//!
//! Whoever is stopped is stopped in one short transaction: every token says who acts in it and whose it is, and is refused
//! from then on. To mark all that they hold takes as long as there is much of it, so that comes after, in a transaction of
//! its own. That it is still to come stands in the first transaction and goes in the second: where nobody lives to write
//! that one, the next sweep of any node does, and nobody acts again before it is done.

use std::fmt;

use protocol::ending::{AccountOperation, Operation};
use protocol::identifier::{ClientId, UserId};
use protocol::numeric_date::NumericDate;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::change::{Change, Ended, Ending, Named, Take};
use super::{CommitError, Store, StoreError, endings, sql};

/// Who was stopped, and still holds what is not marked as ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// An agent.
    Agent(ClientId),
    /// A user.
    User(UserId),
}

impl Stopped {
    /// Whom a change stops, if it does.
    fn by(change: &Change) -> Option<Self> {
        match (&change.operate, &change.account) {
            (Some((agent, operation)), _) if operation.leads_to().is_some() => {
                Some(Self::Agent(agent.clone()))
            }
            (_, Some((user, AccountOperation::Disable))) => Some(Self::User(user.clone())),
            _ => None,
        }
    }

    /// Whom a change lets act again, if it does.
    fn released_by(change: &Change) -> Option<Self> {
        match (&change.operate, &change.account) {
            (Some((agent, Operation::Resume)), _) => Some(Self::Agent(agent.clone())),
            (_, Some((user, AccountOperation::Enable))) => Some(Self::User(user.clone())),
            _ => None,
        }
    }

    fn parse(written: &str) -> Option<Self> {
        match written.split_once(':')? {
            ("agent", id) => id.parse().ok().map(Self::Agent),
            ("user", id) => id.parse().ok().map(Self::User),
            _ => None,
        }
    }

    /// That they are stopped, and what they hold is still to be ended. An agent that is stopped is among what ended.
    pub(super) fn told(self) -> Ended {
        let named = match &self {
            Self::Agent(id) => vec![id.to_string()],
            Self::User(_) => Vec::new(),
        };
        let agents = named.len() as u64;
        Ended {
            agents,
            named: Named { agents: named, ..Named::default() },
            under_way: vec![self],
            ..Ended::default()
        }
    }

    /// What is to be ended.
    fn ending(&self) -> Ending {
        match self {
            Self::Agent(id) => Ending::Agent(id.clone()),
            Self::User(id) => Ending::User(id.clone()),
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(id) => write!(f, "agent:{}", id.as_str()),
            Self::User(id) => write!(f, "user:{}", id.as_str()),
        }
    }
}

/// Notes that everything of somebody is to be ended.
pub(super) async fn begin<C: ConnectionTrait>(db: &C, stopped: &Stopped) -> Result<(), DbErr> {
    let note = "INSERT INTO ending_under_way (stopped) VALUES ($1) ON CONFLICT DO NOTHING";
    sql::execute(db, note, vec![Value::from(stopped.to_string())]).await.map(drop)
}

/// Takes the note away; whether it was there.
pub(super) async fn take<C: ConnectionTrait>(db: &C, stopped: &Stopped) -> Result<bool, DbErr> {
    let take = "DELETE FROM ending_under_way WHERE stopped = $1";
    Ok(sql::execute(db, take, vec![Value::from(stopped.to_string())]).await? == 1)
}

/// Begins the ending of whom the change stops. Whom it lets act again has nothing left of before.
pub(super) async fn begin_or_finish<C: ConnectionTrait>(db: &C, change: &Change) -> Result<Ended, DbErr> {
    if let Some(stopped) = Stopped::by(change) {
        begin(db, &stopped).await?;
        return Ok(stopped.told());
    }
    match Stopped::released_by(change) {
        Some(released) if take(db, &released).await? => endings::end(db, &released.ending(), change.at).await,
        _ => Ok(Ended::default()),
    }
}

impl Store {
    /// Ends at `at` everything of those who were stopped by what was `ended`, and adds that to it. Who is left in
    /// [`Ended::under_way`] is the sweeper's.
    pub(super) async fn finish_what_began(&self, ended: &mut Ended, at: NumericDate) {
        for stopped in std::mem::take(&mut ended.under_way) {
            match self.finish(&stopped, at).await {
                Ok(more) => *ended += more,
                Err(error) => {
                    tracing::warn!(%stopped, %error, "was stopped, but what they hold could not be marked as ended yet");
                    ended.under_way.push(stopped);
                }
            }
        }
    }

    /// Ends everything of those whose ending began and was not finished, by whichever node. One that cannot be finished
    /// keeps no other waiting.
    ///
    /// # Errors
    /// [`StoreError`] of the last that could not be finished.
    pub async fn finish_endings(&self, at: NumericDate) -> Result<(), StoreError> {
        let find = "SELECT stopped FROM ending_under_way ORDER BY stopped LIMIT 1000";
        let mut outcome = Ok(());
        for row in sql::query(&self.0.core.reader, find, Vec::new()).await? {
            let written: String = row.try_get_by_index(0)?;
            let finished = match Stopped::parse(&written) {
                Some(stopped) => self.finish(&stopped, at).await.map(drop),
                None => Err(super::corrupt("ending_under_way", &written)),
            };
            outcome = finished.and(outcome);
        }
        outcome
    }

    async fn finish(&self, stopped: &Stopped, at: NumericDate) -> Result<Ended, StoreError> {
        let rest = Change::housekeeping(at).take(Take::UnderWay(stopped.clone())).end(stopped.ending());
        match self.write(rest).await {
            Ok(committed) => Ok(committed.ended),
            // Somebody else finished it.
            Err(CommitError::Conflict(_)) => Ok(Ended::default()),
            Err(CommitError::Broken(error)) => Err(error),
        }
    }
}

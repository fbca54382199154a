//! Token requests that wait for a person's approval. Each is answered once, and its answer is used once.

use entity::deferral::{self, Column};
use protocol::approval::Question;
use protocol::client::GrantType;
use protocol::deferred::{Polling, SLOWER_BY};
use protocol::identifier::{ClientId, InstanceId, Jkt, UserId, X5tS256};
use protocol::instance::Instance;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::token::Subject;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Value,
};
use serde::{Deserialize, Serialize};

use super::change::Ending;
use super::keeping::json;
use super::{Store, StoreError, corrupt, read, sql};
use crate::secret::SecretDigest;

/// The most requests in one list.
const MOST: u64 = 100;
/// What stands in the table for a yes.
const APPROVED: &str = "approved";
/// What stands in the table for a no.
const DENIED: &str = "denied";

/// A token request that waits for a person's approval, as it is kept.
#[derive(Clone, PartialEq, Debug)]
pub struct Deferral {
    /// The digest of the `deferral_code`.
    pub digest: SecretDigest,
    /// Its id on pages, which is no secret.
    pub id: String,
    /// What is asked, and of whom.
    pub asked: AskedOfPerson,
    /// How it is asked about.
    pub polling: Polling,
    /// Where it stands.
    pub standing: Standing,
    /// The hash of what was approved, once it was.
    pub approved: Option<String>,
    /// The request, sealed under the `deferral_code`.
    pub request: String,
    /// What is needed to tell the client that it was answered, sealed; none where it is not told, or was already.
    pub delivery: Option<String>,
}

/// What is asked of a person, and by whom it may be fetched.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AskedOfPerson {
    /// The question.
    pub question: Question,
    /// The grant type that the client asked by.
    pub grant_type: GrantType,
    /// The instance of the client that asked, where they are told apart: no other gets the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The key that was proven with the request: no other gets the answer.
    pub key: Option<Jkt>,
    /// The certificate that was held with the request.
    pub certificate: Option<X5tS256>,
    /// When it was asked.
    pub asked_at: NumericDate,
}

/// Where such a request stands, its time aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nobody has answered.
    Waiting,
    /// Yes: its token may be fetched.
    Approved,
    /// No.
    Denied,
    /// Something that it comes from was ended, or its client gave it up.
    Ended,
    /// Its token was fetched.
    Over,
}

/// What happens to such a request, once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Yes.
    Approve {
        /// Good until this moment.
        until: NumericDate,
        /// The hash of what it is a yes to.
        hash: String,
    },
    /// No.
    Deny,
    /// Its token is issued.
    Redeem,
    /// Its client gives it up.
    Cancel,
}

impl Deferral {
    /// Whether it can still be answered at `now`.
    #[must_use]
    pub fn waits(&self, now: NumericDate) -> bool {
        self.standing == Standing::Waiting && !self.polling.expires_at.is_over(now)
    }

    pub(super) fn row(self) -> Result<deferral::Model, StoreError> {
        let wanted = &self.asked.question.wanted;
        let instance = self.asked.instance.as_ref().map(|id| Instance::new(&wanted.client, id));
        Ok(deferral::Model {
            digest: self.digest.to_text(),
            id: self.id,
            client_id: wanted.client.as_str().to_owned(),
            approver_id: self.asked.question.approver.as_str().to_owned(),
            consent_id: wanted.consent.as_ref().map(|id| id.as_str().to_owned()),
            task_id: wanted.task.as_ref().map(|id| id.as_str().to_owned()),
            token_id: wanted.parent.as_ref().map(|id| id.as_str().to_owned()),
            instance: instance.map(|instance| instance.key().to_owned()),
            expires_at: self.polling.expires_at.0,
            answer: None,
            approved_hash: self.approved,
            ended_at: None,
            taken_at: None,
            poll_interval: self.polling.interval.0,
            polled_at: self.polling.polled_at.map(|at| at.0),
            request: self.request,
            document: json(&self.asked)?,
            delivery: self.delivery,
        })
    }
}

fn deferral(row: deferral::Model) -> Result<Deferral, StoreError> {
    let broken = || corrupt("deferral", &row.digest);
    let standing = match (row.taken_at, row.ended_at, row.answer.as_deref()) {
        (Some(_), _, _) => Standing::Over,
        (None, Some(_), _) => Standing::Ended,
        (None, None, None) => Standing::Waiting,
        (None, None, Some(APPROVED)) => Standing::Approved,
        (None, None, Some(DENIED)) => Standing::Denied,
        (None, None, Some(_)) => return Err(broken()),
    };
    Ok(Deferral {
        digest: SecretDigest::from_text(&row.digest).ok_or_else(broken)?,
        asked: read("deferral", &row.digest, &row.document)?,
        polling: Polling {
            interval: Seconds(row.poll_interval),
            polled_at: row.polled_at.map(NumericDate),
            expires_at: NumericDate(row.expires_at),
        },
        standing,
        approved: row.approved_hash,
        request: row.request,
        delivery: row.delivery,
        id: row.id,
    })
}

/// Takes a step, if it can be taken still.
pub(super) async fn step<C: ConnectionTrait>(
    db: &C,
    digest: &SecretDigest,
    step: &Step,
    at: NumericDate,
) -> Result<bool, DbErr> {
    let mut values = vec![Value::from(digest.to_text()), Value::from(at.0)];
    let (set, only_if) = match step {
        Step::Approve { until, hash } => {
            values.extend([Value::from(until.0), Value::from(hash.as_str())]);
            ("answer = 'approved', expires_at = $3, approved_hash = $4", "answer IS NULL")
        }
        Step::Deny => ("answer = 'denied'", "answer IS NULL"),
        Step::Redeem => ("taken_at = $2", "answer = 'approved'"),
        Step::Cancel => ("ended_at = $2", "1 = 1"),
    };
    let update = format!(
        "UPDATE deferral SET {set} WHERE digest = $1 AND taken_at IS NULL AND ended_at IS NULL \
         AND expires_at > $2 AND {only_if}"
    );
    Ok(sql::execute(db, &update, values).await? == 1)
}

/// Notes that its client asked.
pub(super) async fn polled<C: ConnectionTrait>(
    db: &C,
    digest: &SecretDigest,
    too_soon: bool,
    at: NumericDate,
) -> Result<u64, DbErr> {
    let more = if too_soon { SLOWER_BY.0 } else { 0 };
    let update = "UPDATE deferral SET poll_interval = poll_interval + $2, \
                  polled_at = CASE WHEN polled_at > $3 THEN polled_at ELSE $3 END WHERE digest = $1";
    sql::execute(db, update, vec![Value::from(digest.to_text()), Value::from(more), Value::from(at.0)]).await
}

/// Whose requests.
pub(super) enum Waiting<'a> {
    /// A client's.
    Of(&'a ClientId),
    /// Those that this user is to approve.
    For(&'a UserId),
}

/// How many of them wait at `now`.
pub(super) async fn count<C: ConnectionTrait>(
    db: &C,
    whose: Waiting<'_>,
    now: NumericDate,
) -> Result<u64, DbErr> {
    let whose = match whose {
        Waiting::Of(client) => Column::ClientId.eq(client.as_str()),
        Waiting::For(user) => Column::ApproverId.eq(user.as_str()),
    };
    waiting(now).filter(whose).count(db).await
}

/// What can still be had: it waits, or was approved and not fetched.
const OPEN: &str = "taken_at IS NULL AND ended_at IS NULL AND expires_at > $1 \
                    AND (answer IS NULL OR answer = 'approved')";

/// Ends what waits for, or was approved for, something that has ended: a token, a task or a consent that it comes from,
/// whoever has a part in it, or the person who was to approve.
pub(super) async fn end_with<C: ConnectionTrait>(
    db: &C,
    ending: &Ending,
    at: NumericDate,
) -> Result<u64, DbErr> {
    let whose = match ending {
        Ending::Client(id) | Ending::Agent(id) => Some(("client_id", id.as_str())),
        Ending::Instance(instance) => Some(("instance", instance.key())),
        Ending::User(id) => Some(("approver_id", id.as_str())),
        _ => None,
    };
    let mut values = vec![Value::from(at.0)];
    let own = match whose {
        Some((column, id)) => {
            values.push(Value::from(id));
            format!("{column} = $2 OR ")
        }
        None => String::new(),
    };
    let end = format!(
        "UPDATE deferral SET ended_at = $1 WHERE {OPEN} AND ({own}\
         EXISTS (SELECT 1 FROM token t WHERE t.id = deferral.token_id AND t.ended_at IS NOT NULL) \
         OR EXISTS (SELECT 1 FROM task k WHERE k.id = deferral.task_id AND k.status NOT IN ('active', 'suspended')) \
         OR EXISTS (SELECT 1 FROM consent c WHERE c.id = deferral.consent_id AND c.state <> 'active'))"
    );
    let ended = sql::execute(db, &end, values).await? + end_where_named(db, ending, at).await?;
    if ended > 0 {
        // Who waited need not ask on. Whoever was told of an answer before is told no more.
        let tell = "INSERT INTO backchannel_delivery (digest, due_at, attempts, expires_at) \
                    SELECT digest, ended_at, 0, expires_at FROM deferral WHERE ended_at = $1 AND delivery IS NOT NULL \
                    ON CONFLICT DO NOTHING";
        sql::execute(db, tell, vec![Value::from(at.0)]).await?;
    }
    Ok(ended)
}

/// Ends what somebody has a part in who neither asked nor is to approve: whose authority it is, or who would act. Only the
/// documents say so.
async fn end_where_named<C: ConnectionTrait>(db: &C, ending: &Ending, at: NumericDate) -> Result<u64, DbErr> {
    let name = match ending {
        Ending::Client(id) | Ending::Agent(id) => id.as_str(),
        Ending::Instance(instance) => instance.client().as_str(),
        Ending::User(id) => id.as_str(),
        _ => return Ok(0),
    };
    let find = format!(
        "SELECT digest, document FROM deferral WHERE {OPEN} AND replace(document, $2, '') <> document ORDER BY digest"
    );
    let quoted = serde_json::Value::from(name).to_string();
    let mut ended = 0;
    for row in sql::query(db, &find, vec![Value::from(at.0), Value::from(quoted)]).await? {
        let asked = serde_json::from_str::<AskedOfPerson>(&row.try_get_by_index::<String>(1)?);
        if asked.is_ok_and(|asked| has_a_part(&asked.question, ending)) {
            let digest: String = row.try_get_by_index(0)?;
            let end = format!("UPDATE deferral SET ended_at = $1 WHERE {OPEN} AND digest = $2");
            ended += sql::execute(db, &end, vec![Value::from(at.0), Value::from(digest)]).await?;
        }
    }
    Ok(ended)
}

fn has_a_part(question: &Question, ending: &Ending) -> bool {
    let wanted = &question.wanted;
    match ending {
        Ending::User(id) => wanted.subject.user() == Some(id),
        Ending::Client(id) | Ending::Agent(id) => {
            let itself = matches!(&wanted.subject, Subject::Client { id: subject, .. } if subject == id);
            itself || wanted.chain.actors().iter().any(|actor| actor.sub == *id)
        }
        Ending::Instance(ended) => wanted.chain.actors().iter().any(|actor| {
            let instance = actor.instance.as_ref().map(|id| Instance::new(&actor.sub, id));
            instance.as_ref() == Some(ended)
        }),
        _ => false,
    }
}

impl Store {
    /// The request of this `deferral_code`, wherever it stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_deferral(&self, digest: &SecretDigest) -> Result<Option<Deferral>, StoreError> {
        let found = deferral::Entity::find_by_id(digest.to_text()).one(self.reader()).await?;
        found.map(deferral).transpose()
    }

    /// The request of this id that `user` is to approve, wherever it stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_deferral_for(&self, user: &UserId, id: &str) -> Result<Option<Deferral>, StoreError> {
        let find =
            deferral::Entity::find().filter(Column::Id.eq(id)).filter(Column::ApproverId.eq(user.as_str()));
        find.one(self.reader()).await?.map(deferral).transpose()
    }

    /// What `user` is to approve at `now`, the newest first, at most a hundred.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deferrals_for(&self, user: &UserId, now: NumericDate) -> Result<Vec<Deferral>, StoreError> {
        let find = waiting(now).filter(Column::ApproverId.eq(user.as_str()));
        let find = find.order_by_desc(Column::ExpiresAt).order_by_desc(Column::Id).limit(MOST);
        find.all(self.reader()).await?.into_iter().map(deferral).collect()
    }

    /// How much `user` is to approve at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_deferrals_for(&self, user: &UserId, now: NumericDate) -> Result<u64, StoreError> {
        Ok(count(self.reader(), Waiting::For(user), now).await?)
    }
}

fn waiting(now: NumericDate) -> sea_orm::Select<deferral::Entity> {
    deferral::Entity::find()
        .filter(Column::Answer.is_null())
        .filter(Column::TakenAt.is_null())
        .filter(Column::EndedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.0))
}

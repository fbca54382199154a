//! Consents that change: something is added to one, or takes the place of what it allowed.

use std::collections::HashSet;

use entity::consent_details_type;
use protocol::consent::Consent;
use protocol::identifier::{ConsentId, TaskId};
use protocol::numeric_date::NumericDate;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::change::{Anchor, Change, Conflict, Ended};
use super::endings::{DOOMED, Looks};
use super::{endings, keeping, sql};
use crate::secret::SecretDigest;

/// What becomes of a consent that stands. It is written only if the consent still is of the version that it says.
#[derive(Clone, PartialEq, Debug)]
pub enum Amendment {
    /// Something was added: whatever hangs on it goes on.
    Merge(Consent),
    /// It allows something else now: what came of it before ends, as by [`super::Ending::Consent`].
    Replace {
        /// As it is from now on.
        consent: Consent,
        /// The task that is opened with it.
        task: Option<TaskId>,
        /// The digest of the code that is given with it.
        code: SecretDigest,
    },
}

impl Amendment {
    /// The consent as it is from now on, of the version before.
    pub(super) const fn consent(&self) -> &Consent {
        match self {
            Self::Merge(consent) | Self::Replace { consent, .. } => consent,
        }
    }
}

/// Writes the amended consent; that nobody changed it meanwhile was seen to by [`changed`].
pub(super) async fn amend<C: ConnectionTrait>(db: &C, amendment: &Amendment) -> Result<(), DbErr> {
    let consent = amendment.consent();
    let next = Consent { version: consent.version.saturating_add(1), ..consent.clone() };
    let document = keeping::json(&next).map_err(|error| DbErr::Custom(error.to_string()))?;
    let update =
        "UPDATE consent SET document = $1, expires_at = $2, version = $3 WHERE id = $4 AND version = $5";
    let values = vec![
        Value::from(document),
        Value::from(next.authority.until.0),
        Value::from(i64::from(next.version)),
        Value::from(next.id.as_str()),
        Value::from(i64::from(consent.version)),
    ];
    sql::execute(db, update, values).await?;
    let forget = "DELETE FROM consent_details_type WHERE consent_id = $1";
    sql::execute(db, forget, vec![Value::from(next.id.as_str())]).await?;
    keeping::insert(db, held(&next)).await
}

/// The versions of details types that a consent was given under, a row each.
pub(super) fn held(consent: &Consent) -> Vec<consent_details_type::Model> {
    let row = |(name, version): (protocol::identifier::DetailsTypeName, u32)| consent_details_type::Model {
        id: format!("{} {name}", consent.id),
        consent_id: consent.id.as_str().to_owned(),
        name: name.as_str().to_owned(),
        version: i64::from(version),
        expires_at: consent.authority.until.0,
    };
    consent.versions().into_iter().map(row).collect()
}

/// Whether a consent that the change amends was amended since it was read, or is `amended` by another change of this
/// batch; or one that it rests on was, and may allow less now.
pub(super) async fn changed<C: ConnectionTrait>(
    db: &C,
    change: &Change,
    amended: &mut HashSet<ConsentId>,
) -> Result<Option<Conflict>, DbErr> {
    for (id, version) in &change.unamended {
        if !is_of_version(db, id, *version).await? {
            return Ok(Some(Conflict::NotAlive(Anchor::Consent(id.clone()))));
        }
    }
    let Some(consent) = change.amend.as_ref().map(Amendment::consent) else { return Ok(None) };
    let unchanged = is_of_version(db, &consent.id, consent.version).await?;
    Ok((!unchanged || !amended.insert(consent.id.clone())).then_some(Conflict::Changed))
}

async fn is_of_version<C: ConnectionTrait>(db: &C, id: &ConsentId, version: u32) -> Result<bool, DbErr> {
    let find = "SELECT id FROM consent WHERE id = $1 AND version = $2";
    let values = vec![Value::from(id.as_str()), Value::from(i64::from(version))];
    Ok(!sql::query(db, find, values).await?.is_empty())
}

/// Ends what a consent gave before it was replaced: all but the task and the code that were just written with it.
pub(super) async fn end_before<C: ConnectionTrait>(
    db: &C,
    amendment: &Amendment,
    at: NumericDate,
) -> Result<Ended, DbErr> {
    let Amendment::Replace { consent, task, code } = amendment else { return Ok(Ended::default()) };
    let id: &ConsentId = &consent.id;
    let void = "UPDATE authorization_code SET redeemed_at = $2 \
                WHERE consent_id = $1 AND redeemed_at IS NULL AND digest <> $3";
    let values = vec![Value::from(id.as_str()), Value::from(at.0), Value::from(code.to_text())];
    let mut ended = Ended { pending: sql::execute(db, void, values).await?, ..Ended::default() };
    let kept = task.as_ref().map_or("", |task| task.as_str());
    // Where the task that stays is named depends on what else the statement names.
    let line = |kept: &str| {
        format!(
            "line(id) AS (SELECT id FROM task WHERE consent_id = $1 AND id <> {kept} \
             UNION SELECT t.id FROM task t JOIN line l ON t.parent_id = l.id)"
        )
    };
    let end_tasks = format!(
        "WITH RECURSIVE {} UPDATE task SET status = 'revoked', version = version + 1 \
         WHERE status IN ('active', 'suspended') AND id IN (SELECT id FROM line) RETURNING id",
        line("$2")
    );
    let end_tokens = format!(
        "WITH RECURSIVE {}, root(id) AS (SELECT id FROM token WHERE consent_id = $1 \
         AND expires_at > $2 UNION SELECT id FROM token WHERE task_id IN (SELECT id FROM line) AND expires_at > $2), \
         {DOOMED}",
        line("$3")
    );
    let mut looks = Looks::at(db);
    while looks.are_left() {
        let values = vec![Value::from(id.as_str()), Value::from(kept)];
        let tasks = endings::ids(&sql::query(db, &end_tasks, values).await?)?;
        let values = vec![Value::from(id.as_str()), Value::from(at.0), Value::from(kept)];
        ended += looks.found(tasks, sql::execute(db, &end_tokens, values).await?);
    }
    Ok(ended)
}

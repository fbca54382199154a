//! What was ended does not come back by itself: whether a user has to sign in before something is issued for them, here
//! or at the issuer that speaks for them.

use protocol::identifier::{ClientId, ConsentId, UserId};
use protocol::numeric_date::NumericDate;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::change::{Change, Conflict, SignedIn};
use super::endings::REMEMBERED;
use super::sql;

/// By what an end is found: one row for whatever an issuer brings for a user and a client. None of the three holds a space.
const KEY: &str = "user_id || ' ' || client_id || ' ' || brought_by";

/// Whether a user of a change has to sign in first. The account is held already, since it is required too; and whoever
/// ends what an issuer brought holds it as well.
pub(super) async fn must_sign_in<C: ConnectionTrait>(
    db: &C,
    change: &Change,
) -> Result<Option<Conflict>, DbErr> {
    for signed_in in &change.signed_in {
        let ended = match signed_in {
            SignedIn::Here(user) => {
                let find = "SELECT 1 FROM user_account WHERE id = $1 AND revoked_at IS NOT NULL";
                sql::query(db, find, vec![user.as_str().into()]).await?
            }
            SignedIn::At { issuer, user, client, auth_time } => {
                // Within the second of the end nobody knows which came first.
                let find = "SELECT 1 FROM brought_end WHERE id = $1 AND ended_at >= $2";
                let since = auth_time.unwrap_or(NumericDate(i64::MIN));
                sql::query(db, find, vec![key(user, client, issuer).into(), since.0.into()]).await?
            }
        };
        if !ended.is_empty() {
            return Ok(Some(Conflict::NotSignedIn));
        }
    }
    Ok(None)
}

fn key(user: &UserId, client: &ClientId, issuer: &str) -> String {
    format!("{user} {client} {issuer}")
}

/// Notes that these consents, which issuers brought, ended at `at`. The last end counts.
pub(super) async fn note_ends<C: ConnectionTrait>(
    db: &C,
    consents: &[String],
    at: &Value,
) -> Result<(), DbErr> {
    for list in sql::padded(consents) {
        let holes = sql::holes(2, list.len());
        // In one order for everybody, so that two transactions do not wait for each other.
        let note = format!(
            "INSERT INTO brought_end (id, ended_at, expires_at) SELECT DISTINCT {KEY} AS id, $1, $1 + {REMEMBERED} \
             FROM consent WHERE id IN ({holes}) ORDER BY 1 ON CONFLICT (id) DO UPDATE SET \
             ended_at = excluded.ended_at, expires_at = excluded.expires_at \
             WHERE brought_end.ended_at < excluded.ended_at"
        );
        let values = [at.clone()].into_iter().chain(list.into_iter().map(Value::from));
        sql::execute(db, &note, values.collect()).await?;
    }
    Ok(())
}

/// Whose consent this is, if an issuer brought it.
pub(super) async fn user_of_brought<C: ConnectionTrait>(
    db: &C,
    consent: &ConsentId,
) -> Result<Option<UserId>, DbErr> {
    let find = "SELECT user_id FROM consent WHERE id = $1 AND brought_by IS NOT NULL";
    let rows = sql::query(db, find, vec![consent.as_str().into()]).await?;
    let user = rows.first().map(|row| row.try_get_by_index::<String>(0)).transpose()?;
    // What is in the table was an id when it was written.
    Ok(user.and_then(|user| user.parse().ok()))
}

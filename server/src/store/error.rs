//! What can go wrong with the database. No error carries a value that somebody stored.

use sea_orm::{DbErr, RuntimeErr, sqlx};

use super::change::Conflict;

/// Why the store could not answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or not in time. A write that ends so may have been done or not.
    #[error("the database is not available: {0}")]
    Unavailable(&'static str),
    /// A row fits no type of ours.
    #[error("row {id} of table {table} cannot be read")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row's primary key; of a secret only its digest is one.
        id: String,
    },
    /// The database refused a statement; this is its code for it and, where one stopped it, the constraint.
    #[error("the database refused: {0}")]
    Database(String),
}

/// Why a change was not written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommitError {
    /// Something it depends on is not as it must be.
    #[error("{0}")]
    Conflict(Conflict),
    /// The store is broken.
    #[error(transparent)]
    Broken(#[from] StoreError),
}

/// SQLSTATE classes and SQLite result codes that mean: not now.
fn is_outage(code: &str) -> bool {
    let primary = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|code| code & 0xff);
    // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN; and connection errors, no room, shut down.
    matches!(primary, Some(5 | 6 | 8 | 10 | 13 | 14))
        || ["08", "53", "57"].iter().any(|class| code.len() == 5 && code.starts_with(class))
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => Some(e),
        _ => None,
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) {
            return Self::Unavailable("no connection");
        }
        match sqlx_error(&error) {
            Some(sqlx::Error::Database(refused)) => {
                let code = refused.code().unwrap_or_default();
                if is_outage(&code) {
                    return Self::Unavailable("it is busy or stopping");
                }
                let place = refused.constraint().or(refused.table()).unwrap_or_default();
                Self::Database(format!("{code} {place}").trim_end().to_owned())
            }
            Some(
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed,
            ) => Self::Unavailable("the connection broke"),
            Some(_) => Self::Database("a statement or a row has an unexpected shape".to_owned()),
            None => Self::Database("a row has an unexpected shape".to_owned()),
        }
    }
}

/// Whether two transactions got in each other's way, so that trying again can help.
pub(super) fn is_collision(error: &DbErr) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(refused)) => {
            matches!(refused.code().as_deref(), Some("40001" | "40P01" | "5" | "6" | "261" | "517"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopping_server_and_a_full_disk_are_outages_and_a_broken_constraint_is_none() {
        for code in ["57P01", "08006", "53300", "5", "13", "261"] {
            assert!(is_outage(code), "{code}");
        }
        for code in ["23505", "42P01", "1555", "2067", ""] {
            assert!(!is_outage(code), "{code}");
        }
    }
}

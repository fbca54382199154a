//! Ending: one thing, and by lineage everything that hangs on it.

use protocol::numeric_date::NumericDate;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Value};

use super::change::{Ended, Ending};
use super::{logouts, sql};

/// The tasks that end, and the tokens that all others are derived from. `$1` is what is ended.
struct Roots {
    tasks: Option<&'static str>,
    tokens: &'static str,
}

const NO_TASK: &str = "SELECT id FROM task WHERE 1 = 0";

const fn roots(ending: &Ending) -> Roots {
    match ending {
        Ending::Consent(_) => Roots {
            tasks: Some("SELECT id FROM task WHERE consent_id = $1"),
            tokens: "SELECT id FROM token WHERE consent_id = $1",
        },
        Ending::Task(_) => Roots {
            tasks: Some("SELECT id FROM task WHERE id = $1"),
            tokens: "SELECT id FROM token WHERE task_id = $1",
        },
        Ending::Token(_) => Roots { tasks: None, tokens: "SELECT id FROM token WHERE id = $1" },
        Ending::Family(_) => Roots { tasks: None, tokens: "SELECT id FROM token WHERE family_id = $1" },
        Ending::Client(_) => Roots {
            tasks: Some(
                "SELECT t.id FROM task t JOIN consent c ON c.id = t.consent_id \
                 WHERE c.client_id = $1 OR c.actor_id = $1",
            ),
            tokens: "SELECT id FROM token WHERE client_id = $1 AND substr(client_id, 1, 4) IN ('dyn_', 'http') \
                     UNION SELECT t.id FROM token t JOIN consent c ON c.id = t.consent_id \
                     WHERE c.client_id = $1 OR c.actor_id = $1",
        },
        Ending::Session(_) => Roots { tasks: None, tokens: "SELECT id FROM token WHERE session_id = $1" },
        // Those that `end_itself` has just ended.
        Ending::SessionsOf { .. } => Roots {
            tasks: None,
            tokens: "SELECT t.id FROM token t JOIN browser_session b ON b.session_id = t.session_id \
                     WHERE b.user_id = $1 AND b.ended_at = $2",
        },
        Ending::CodeTokens(_) => Roots {
            tasks: None,
            tokens: "SELECT token_id FROM authorization_code WHERE digest = $1 AND token_id IS NOT NULL \
                     UNION SELECT f.id FROM authorization_code c JOIN token t ON t.id = c.token_id \
                     JOIN token f ON f.family_id = t.family_id WHERE c.digest = $1",
        },
    }
}

fn key(ending: &Ending) -> String {
    match ending {
        Ending::Consent(id) => id.as_str().to_owned(),
        Ending::Task(id) => id.as_str().to_owned(),
        Ending::Token(id) => id.as_str().to_owned(),
        Ending::Family(id) => id.as_str().to_owned(),
        Ending::Session(id) => id.as_str().to_owned(),
        Ending::SessionsOf { user, .. } => user.as_str().to_owned(),
        Ending::Client(id) => id.as_str().to_owned(),
        Ending::CodeTokens(digest) => digest.to_text(),
    }
}

/// Ends it at `at`.
pub(super) async fn end<C: ConnectionTrait>(
    db: &C,
    ending: &Ending,
    at: NumericDate,
) -> Result<Ended, DbErr> {
    let values = || vec![Value::from(key(ending)), Value::from(at.0)];
    let mut ended = Ended { consents: end_itself(db, ending, at, &values).await?, ..Ended::default() };
    let roots = roots(ending);
    let line = format!(
        "line(id) AS ({} UNION SELECT t.id FROM task t JOIN line l ON t.parent_id = l.id)",
        roots.tasks.unwrap_or(NO_TASK)
    );
    let end_tasks = format!(
        "WITH RECURSIVE {line} UPDATE task SET status = 'revoked', version = version + 1 \
         WHERE status IN ('active', 'suspended') AND id IN (SELECT id FROM line)"
    );
    let end_tokens = format!(
        "WITH RECURSIVE {line}, root(id) AS \
         ({} UNION SELECT id FROM token WHERE task_id IN (SELECT id FROM line)), \
         doomed(id) AS (SELECT id FROM root UNION SELECT t.id FROM token t JOIN doomed d ON t.parent_id = d.id) \
         UPDATE token SET ended_at = $2 WHERE ended_at IS NULL AND id IN (SELECT id FROM doomed)",
        roots.tokens
    );
    // Another writer may hold a parent while it adds a child that this statement cannot see yet: having waited for
    // it, look again. One quiet look after the last wait is needed, so PostgreSQL gets two in a row.
    let enough = if db.get_database_backend() == DbBackend::Postgres { 2 } else { 1 };
    let mut quiet = 0;
    while quiet < enough {
        let tasks = match roots.tasks {
            Some(_) => sql::execute(db, &end_tasks, vec![Value::from(key(ending))]).await?,
            None => 0,
        };
        let tokens = sql::execute(db, &end_tokens, values()).await?;
        ended.tasks += tasks;
        ended.tokens += tokens;
        quiet = if tasks + tokens == 0 { quiet + 1 } else { 0 };
    }
    Ok(ended)
}

/// Ends the thing itself, where it is no token or task, and returns how many consents that were.
async fn end_itself<C: ConnectionTrait>(
    db: &C,
    ending: &Ending,
    at: NumericDate,
    values: &impl Fn() -> Vec<Value>,
) -> Result<u64, DbErr> {
    match ending {
        Ending::Consent(_) => {
            let end = "UPDATE consent SET state = 'revoked' WHERE id = $1 AND state = 'active'";
            let ended = sql::execute(db, end, values().into_iter().take(1).collect()).await?;
            let void = "UPDATE authorization_code SET redeemed_at = $2 \
                        WHERE consent_id = $1 AND redeemed_at IS NULL";
            sql::execute(db, void, values()).await?;
            Ok(ended)
        }
        Ending::Family(_) => end_families(db, "SELECT $1 AS family_id", values()).await,
        Ending::CodeTokens(_) => {
            let family = "SELECT t.family_id FROM authorization_code c JOIN token t ON t.id = c.token_id \
                          WHERE c.digest = $1 AND t.family_id IS NOT NULL";
            end_families(db, family, values()).await
        }
        Ending::Session(_) => {
            let end = "UPDATE browser_session SET ended_at = $2 WHERE session_id = $1 AND ended_at IS NULL";
            sql::execute(db, end, values()).await?;
            // After the session itself: whoever held it alive to take part in it has written that by now.
            logouts::enqueue(db, &key(ending), at).await.map(|()| 0)
        }
        Ending::SessionsOf { except, .. } => {
            let end = "UPDATE browser_session SET ended_at = $2 \
                       WHERE user_id = $1 AND ended_at IS NULL AND session_id <> $3";
            let except = except.as_ref().map_or_else(String::new, |id| id.as_str().to_owned());
            let values = values().into_iter().chain([Value::from(except)]).collect();
            let end = format!("{end} RETURNING session_id");
            for row in sql::query(db, &end, values).await? {
                logouts::enqueue(db, &row.try_get_by_index::<String>(0)?, at).await?;
            }
            Ok(0)
        }
        Ending::Client(_) => end_client(db, values).await,
        Ending::Task(_) | Ending::Token(_) => Ok(0),
    }
}

/// Ends the registration and the consents of a client, and notes since when it is over.
async fn end_client<C: ConnectionTrait>(db: &C, values: &impl Fn() -> Vec<Value>) -> Result<u64, DbErr> {
    let id = || values().into_iter().take(1).collect();
    let end =
        "UPDATE consent SET state = 'revoked' WHERE (client_id = $1 OR actor_id = $1) AND state = 'active'";
    let ended = sql::execute(db, end, id()).await?;
    let void = "UPDATE authorization_code SET redeemed_at = $2 WHERE redeemed_at IS NULL \
                AND consent_id IN (SELECT id FROM consent WHERE client_id = $1 OR actor_id = $1)";
    sql::execute(db, void, values()).await?;
    // Another change of the same batch may have written the client anew: whatever it is now, it is retired.
    for row in sql::query(db, "SELECT document FROM client WHERE id = $1", id()).await? {
        let document: String = row.try_get_by_index(0)?;
        let retire = "UPDATE client SET status = 'retired', expires_at = $2, document = $3 WHERE id = $1";
        let document = retired(&document).unwrap_or(document);
        sql::execute(db, retire, values().into_iter().chain([Value::from(document)]).collect()).await?;
    }
    sql::execute(db, "DELETE FROM client_registration WHERE client_id = $1", id()).await?;
    Ok(ended)
}

/// A client's document, retired.
fn retired(document: &str) -> Option<String> {
    let mut document: serde_json::Value = serde_json::from_str(document).ok()?;
    document.as_object_mut()?.insert("status".to_owned(), "retired".into());
    Some(document.to_string())
}

/// Notes that nothing of these families may live, for as long as anything of them could.
async fn end_families<C: ConnectionTrait>(db: &C, families: &str, values: Vec<Value>) -> Result<u64, DbErr> {
    let note = format!(
        "INSERT INTO ended_family (family_id, ended_at, expires_at) \
         SELECT f.family_id, $2, COALESCE((SELECT MAX(t.expires_at) FROM token t WHERE t.family_id = f.family_id), $2) \
         + 86400 FROM ({families}) f WHERE 1 = 1 ON CONFLICT DO NOTHING"
    );
    sql::execute(db, &note, values).await.map(|_| 0)
}

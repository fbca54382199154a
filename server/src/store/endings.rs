//! Ending: one thing, and by lineage everything that hangs on it.

use protocol::ending::Halt;
use protocol::identifier::SessionId;
use protocol::numeric_date::NumericDate;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};

use super::change::{Ended, Ending, Named};
use super::{Stopped, deferrals, halts, logouts, sign_ins, sql, under_way};

/// The consent of `$1`; and where an issuer brought it, all that it brought the same client for the same user. To them its
/// next assertions are one matter: either they count, or they do not.
macro_rules! and_beside {
    () => {
        "SELECT id FROM consent WHERE id = $1 UNION SELECT b.id FROM consent c JOIN consent b \
         ON b.user_id = c.user_id AND b.client_id = c.client_id AND b.brought_by = c.brought_by \
         WHERE c.id = $1 AND c.brought_by IS NOT NULL AND b.brought_by IS NOT NULL"
    };
}

/// The tasks that end, and the tokens that all others are derived from. `$1` is what is ended, `$2` when.
struct Roots {
    tasks: Option<&'static str>,
    tokens: &'static str,
}

/// The tokens that end with the roots: all that were derived from them. `$2` is when. What is over already needs no end,
/// nor does anything hang on it: nothing outlives what it comes from. So an ending costs as much as there is alive, and
/// whoever had a million tokens yesterday is stopped as fast as anybody.
pub(super) const DOOMED: &str = "doomed(id) AS (SELECT id FROM root UNION SELECT t.id FROM token t JOIN doomed d ON t.parent_id = d.id \
     WHERE t.expires_at > $2) \
     UPDATE token SET ended_at = $2 WHERE ended_at IS NULL AND expires_at > $2 AND id IN (SELECT id FROM doomed)";
/// Likewise where tasks end, and nothing else: what went over to a task that does not end lives on with that.
const DOOMED_OF_TASKS: &str = "doomed(id) AS (SELECT id FROM root UNION SELECT t.id FROM token t JOIN doomed d ON t.parent_id = d.id \
     WHERE t.expires_at > $2 AND (t.task_id IS NULL OR t.task_id IN (SELECT id FROM line))) \
     UPDATE token SET ended_at = $2 WHERE ended_at IS NULL AND expires_at > $2 AND id IN (SELECT id FROM doomed)";

/// How long it is remembered that something was ended that others could go on asking for, in seconds: ten years.
pub(super) const REMEMBERED: i64 = 10 * 365 * 86_400;

const NO_TASK: &str = "SELECT id FROM task WHERE 1 = 0";

const fn roots(ending: &Ending) -> Roots {
    match ending {
        Ending::Consent(_) => Roots {
            tasks: Some(concat!("SELECT id FROM task WHERE consent_id IN (", and_beside!(), ")")),
            tokens: concat!(
                "SELECT id FROM token WHERE consent_id IN (",
                and_beside!(),
                ") AND expires_at > $2"
            ),
        },
        Ending::Task(_) => Roots {
            tasks: Some("SELECT id FROM task WHERE id = $1"),
            tokens: "SELECT id FROM token WHERE task_id = $1 AND expires_at > $2",
        },
        Ending::Token(_) => Roots { tasks: None, tokens: "SELECT id FROM token WHERE id = $1" },
        Ending::Family(_) => {
            Roots { tasks: None, tokens: "SELECT id FROM token WHERE family_id = $1 AND expires_at > $2" }
        }
        Ending::Client(_) => Roots {
            tasks: Some(
                "SELECT t.id FROM task t JOIN consent c ON c.id = t.consent_id \
                 WHERE c.client_id = $1 OR c.actor_id = $1",
            ),
            tokens: "SELECT id FROM token WHERE client_id = $1 AND substr(client_id, 1, 4) IN ('dyn_', 'http') \
                     AND expires_at > $2 \
                     UNION SELECT t.id FROM token t JOIN consent c ON c.id = t.consent_id \
                     WHERE t.expires_at > $2 AND (c.client_id = $1 OR c.actor_id = $1)",
        },
        Ending::Agent(_) => Roots {
            tasks: Some(
                "SELECT t.id FROM task t JOIN consent c ON c.id = t.consent_id \
                 WHERE c.client_id = $1 OR c.actor_id = $1 UNION SELECT id FROM task WHERE actor_id = $1",
            ),
            // What it acts in though it was issued to somebody else, and what was handed over to it, are noted beside the
            // token; whatever it acted in before hangs on a token of its own.
            tokens: "SELECT id FROM token WHERE client_id = $1 AND expires_at > $2 \
                     UNION SELECT id FROM token WHERE actor_id = $1 AND expires_at > $2 \
                     UNION SELECT id FROM token WHERE receiver_id = $1 AND expires_at > $2 \
                     UNION SELECT t.id FROM token t JOIN consent c ON c.id = t.consent_id \
                     WHERE t.expires_at > $2 AND (c.client_id = $1 OR c.actor_id = $1)",
        },
        Ending::User(_) => Roots {
            tasks: Some("SELECT id FROM task WHERE user_id = $1"),
            tokens: "SELECT id FROM token WHERE user_id = $1 AND consent_id IS NULL AND expires_at > $2 \
                     UNION SELECT t.id FROM token t JOIN consent c ON c.id = t.consent_id \
                     WHERE c.user_id = $1 AND t.expires_at > $2",
        },
        Ending::Instance(_) => Roots {
            tasks: None,
            tokens: "SELECT id FROM token WHERE instance = $1 AND expires_at > $2 \
                     UNION SELECT id FROM token WHERE actor_instance = $1 AND expires_at > $2",
        },
        // It is the sum of its agents, which are ended one by one.
        Ending::Owner(_) => Roots { tasks: None, tokens: "SELECT id FROM token WHERE 1 = 0" },
        Ending::Session(_) => {
            Roots { tasks: None, tokens: "SELECT id FROM token WHERE session_id = $1 AND expires_at > $2" }
        }
        // Those that `end_itself` has just ended.
        Ending::SessionsOf { .. } => Roots {
            tasks: None,
            tokens: "SELECT t.id FROM token t JOIN browser_session b ON b.session_id = t.session_id \
                     WHERE b.user_id = $1 AND b.ended_at = $2 AND t.expires_at > $2",
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
        Ending::Client(id) | Ending::Agent(id) => id.as_str().to_owned(),
        Ending::Instance(instance) => instance.key().to_owned(),
        Ending::User(id) | Ending::Owner(id) => id.as_str().to_owned(),
        Ending::CodeTokens(digest) => digest.to_text(),
    }
}

/// Ends it at `at`. The agents of an owner are stopped; what they hold is ended after that.
pub(super) async fn end<C: ConnectionTrait>(
    db: &C,
    ending: &Ending,
    at: NumericDate,
) -> Result<Ended, DbErr> {
    let Ending::Owner(owner) = ending else { return end_one(db, ending, at).await };
    let mut ended = Ended::default();
    for agent in halts::agents_of(db, owner).await? {
        let halted = halts::halt(db, &agent, Halt::Suspended, at).await?;
        let stopped = Stopped::Agent(agent);
        under_way::begin(db, &stopped).await?;
        ended += match halted {
            0 => Ended { under_way: vec![stopped], ..Ended::default() },
            _ => stopped.told(),
        };
    }
    Ok(ended)
}

/// What ends its tasks, if it has any, and what ends its tokens. `$1` is what is ended, `$2` when.
pub(super) fn statements(ending: &Ending) -> (Option<String>, String) {
    let roots = roots(ending);
    let line = format!(
        "line(id) AS ({} UNION SELECT t.id FROM task t JOIN line l ON t.parent_id = l.id)",
        roots.tasks.unwrap_or(NO_TASK)
    );
    let end_tasks = format!(
        "WITH RECURSIVE {line} UPDATE task SET status = 'revoked', version = version + 1 \
         WHERE status IN ('active', 'suspended') AND id IN (SELECT id FROM line) RETURNING id"
    );
    let end_tokens = format!(
        "WITH RECURSIVE {line}, root(id) AS \
         ({} UNION SELECT id FROM token WHERE task_id IN (SELECT id FROM line) AND expires_at > $2), {}",
        roots.tokens,
        if matches!(ending, Ending::Task(_)) { DOOMED_OF_TASKS } else { DOOMED },
    );
    (roots.tasks.map(|_| end_tasks), end_tokens)
}

async fn end_one<C: ConnectionTrait>(db: &C, ending: &Ending, at: NumericDate) -> Result<Ended, DbErr> {
    let values = || vec![Value::from(key(ending)), Value::from(at.0)];
    let mut ended = end_itself(db, ending, at, &values).await?;
    let (end_tasks, end_tokens) = statements(ending);
    let mut looks = Looks::at(db);
    while looks.are_left() {
        let tasks = match &end_tasks {
            Some(end_tasks) => ids(&sql::query(db, end_tasks, only_first(&values)).await?)?,
            None => Vec::new(),
        };
        ended += looks.found(tasks, sql::execute(db, &end_tokens, values()).await?);
    }
    // Last, when all that a person was asked about has ended.
    ended.pending += deferrals::end_with(db, ending, at).await?;
    Ok(ended)
}

/// How often one looks for tasks and tokens to end. Another writer may hold a parent while it adds a child that a
/// statement cannot see yet: having waited for it, look again. One quiet look after the last wait is needed, so
/// PostgreSQL gets two in a row.
pub(super) struct Looks {
    left: u8,
    enough: u8,
}

impl Looks {
    pub(super) fn at<C: ConnectionTrait>(db: &C) -> Self {
        let enough = if db.get_database_backend() == DbBackend::Postgres { 2 } else { 1 };
        Self { left: enough, enough }
    }

    pub(super) const fn are_left(&self) -> bool {
        self.left > 0
    }

    /// What one look found and ended.
    pub(super) fn found(&mut self, mut tasks: Vec<String>, tokens: u64) -> Ended {
        self.left = if tasks.is_empty() && tokens == 0 { self.left.saturating_sub(1) } else { self.enough };
        let count = tasks.len() as u64;
        tasks.truncate(Named::MOST);
        Ended { tasks: count, tokens, named: Named { tasks, ..Named::default() }, ..Ended::default() }
    }
}

/// Ends the thing itself, where it is no token or task, and what hangs on it and is none.
async fn end_itself<C: ConnectionTrait>(
    db: &C,
    ending: &Ending,
    at: NumericDate,
    values: &impl Fn() -> Vec<Value>,
) -> Result<Ended, DbErr> {
    let mut ended = Ended::default();
    match ending {
        Ending::Consent(_) => {
            ended += end_consents(db, concat!("id IN (", and_beside!(), ")"), values()).await?;
            let void = "UPDATE authorization_code SET redeemed_at = $2 \
                        WHERE consent_id = $1 AND redeemed_at IS NULL";
            ended.pending = sql::execute(db, void, values()).await?;
        }
        Ending::Family(_) => end_families(db, "SELECT $1 AS family_id", values()).await?,
        Ending::CodeTokens(_) => {
            let family = "SELECT t.family_id FROM authorization_code c JOIN token t ON t.id = c.token_id \
                          WHERE c.digest = $1 AND t.family_id IS NOT NULL";
            end_families(db, family, values()).await?;
        }
        Ending::Session(_) => {
            let end = "UPDATE browser_session SET ended_at = $2 WHERE session_id = $1 AND ended_at IS NULL";
            ended.sessions = sql::execute(db, end, values()).await?;
            // After the session itself: whoever held it alive to take part in it has written that by now.
            logouts::enqueue(db, &key(ending), at).await?;
        }
        Ending::SessionsOf { except, .. } => {
            ended.sessions = end_sessions(db, except.as_ref(), at, values()).await?;
        }
        Ending::Client(_) => {
            ended += end_what_was_allowed(db, values).await?;
            end_client(db, values).await?;
        }
        Ending::Agent(_) => {
            ended += end_what_was_allowed(db, values).await?;
            ended.pending += end_what_was_asked(db, "client_id", values).await?;
        }
        Ending::Instance(_) => {
            let note = format!(
                "INSERT INTO ended_instance (instance, ended_at, expires_at) VALUES ($1, $2, $2 + {REMEMBERED}) \
                 ON CONFLICT DO NOTHING"
            );
            sql::execute(db, &note, values()).await?;
            ended.pending = end_what_was_asked(db, "instance", values).await?;
        }
        Ending::User(_) => {
            ended.sessions = end_sessions(db, None, at, values()).await?;
            ended += end_consents(db, "user_id = $1", values()).await?;
            for void in VOID_OF_USER {
                ended.pending += sql::execute(db, void, values()).await?;
            }
        }
        Ending::Task(_) | Ending::Token(_) | Ending::Owner(_) => {}
    }
    Ok(ended)
}

/// The ids that a statement gave back.
pub(super) fn ids(rows: &[QueryResult]) -> Result<Vec<String>, DbErr> {
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Ends the consents that `these` says, where `$1` is what is ended and `$2` when. What an issuer brought does not come
/// back by its next assertion: that it ended is kept.
async fn end_consents<C: ConnectionTrait>(db: &C, these: &str, values: Vec<Value>) -> Result<Ended, DbErr> {
    let end = format!(
        "UPDATE consent SET state = 'revoked', ended_at = $2 WHERE {these} AND state = 'active' \
         RETURNING id, brought_by"
    );
    let at = values.get(1).cloned();
    let rows = sql::query(db, &end, values).await?;
    let mut brought = Vec::new();
    for row in &rows {
        if row.try_get_by_index::<Option<String>>(1)?.is_some() {
            brought.push(row.try_get_by_index::<String>(0)?);
        }
    }
    if let Some(at) = at {
        sign_ins::note_ends(db, &brought, &at).await?;
    }
    let consents = ids(&rows)?;
    let (count, mut named) = (consents.len() as u64, Named { consents, ..Named::default() });
    named.consents.truncate(Named::MOST);
    Ok(Ended { consents: count, named, ..Ended::default() })
}

fn only_first(values: &impl Fn() -> Vec<Value>) -> Vec<Value> {
    values().into_iter().take(1).collect()
}

/// What waits for a user, or was made for one and not used yet.
const VOID_OF_USER: [&str; 3] = [
    "UPDATE authorization_code SET redeemed_at = $2 WHERE redeemed_at IS NULL \
     AND consent_id IN (SELECT id FROM consent WHERE user_id = $1)",
    "UPDATE deferred_request SET taken_at = $2 WHERE taken_at IS NULL AND user_id = $1",
    "UPDATE one_time_link SET taken_at = $2 WHERE taken_at IS NULL AND user_id = $1",
];

/// Ends the browser sessions of a user but one, and queues those who are to be told.
async fn end_sessions<C: ConnectionTrait>(
    db: &C,
    except: Option<&SessionId>,
    at: NumericDate,
    values: Vec<Value>,
) -> Result<u64, DbErr> {
    let end = "UPDATE browser_session SET ended_at = $2 \
               WHERE user_id = $1 AND ended_at IS NULL AND session_id <> $3 RETURNING session_id";
    let except = except.map_or_else(String::new, |id| id.as_str().to_owned());
    let ended = sql::query(db, end, values.into_iter().chain([Value::from(except)]).collect()).await?;
    for row in &ended {
        logouts::enqueue(db, &row.try_get_by_index::<String>(0)?, at).await?;
    }
    Ok(ended.len() as u64)
}

/// Ends the consents that a client has, or that were asked for through it, and voids their codes.
async fn end_what_was_allowed<C: ConnectionTrait>(
    db: &C,
    values: &impl Fn() -> Vec<Value>,
) -> Result<Ended, DbErr> {
    let mut ended = end_consents(db, "(client_id = $1 OR actor_id = $1)", values()).await?;
    let void = "UPDATE authorization_code SET redeemed_at = $2 WHERE redeemed_at IS NULL AND (client_id = $1 \
                OR consent_id IN (SELECT id FROM consent WHERE client_id = $1 OR actor_id = $1))";
    ended.pending = sql::execute(db, void, values()).await?;
    Ok(ended)
}

/// Voids what a client or an instance asked for and was not answered yet. What it was to be told, it is told no more.
async fn end_what_was_asked<C: ConnectionTrait>(
    db: &C,
    who: &'static str,
    values: &impl Fn() -> Vec<Value>,
) -> Result<u64, DbErr> {
    let forget = format!(
        "DELETE FROM backchannel_delivery \
         WHERE digest IN (SELECT digest FROM deferred_request WHERE {who} = $1)"
    );
    sql::execute(db, &forget, only_first(values)).await?;
    let forget =
        format!("UPDATE deferred_request SET delivery = NULL WHERE {who} = $1 AND delivery IS NOT NULL");
    sql::execute(db, &forget, only_first(values)).await?;
    let mut pending = 0;
    for table in ["pushed_request", "deferred_request"] {
        let void = format!("UPDATE {table} SET taken_at = $2 WHERE {who} = $1 AND taken_at IS NULL");
        pending += sql::execute(db, &void, values()).await?;
    }
    Ok(pending)
}

/// Ends the registration of a client, and notes since when it is over.
async fn end_client<C: ConnectionTrait>(db: &C, values: &impl Fn() -> Vec<Value>) -> Result<(), DbErr> {
    let id = || only_first(values);
    // Another change of the same batch may have written the client anew: whatever it is now, it is retired.
    for row in sql::query(db, "SELECT document FROM client WHERE id = $1", id()).await? {
        let document: String = row.try_get_by_index(0)?;
        let retire = "UPDATE client SET status = 'retired', expires_at = $2, document = $3 WHERE id = $1";
        let document = retired(&document).unwrap_or(document);
        sql::execute(db, retire, values().into_iter().chain([Value::from(document)]).collect()).await?;
    }
    sql::execute(db, "DELETE FROM client_registration WHERE client_id = $1", id()).await.map(|_| ())
}

/// A client's document, retired.
fn retired(document: &str) -> Option<String> {
    let mut document: serde_json::Value = serde_json::from_str(document).ok()?;
    document.as_object_mut()?.insert("status".to_owned(), "retired".into());
    Some(document.to_string())
}

/// Notes that nothing of these families may live, for as long as anything of them could.
async fn end_families<C: ConnectionTrait>(db: &C, families: &str, values: Vec<Value>) -> Result<(), DbErr> {
    let note = format!(
        "INSERT INTO ended_family (family_id, ended_at, expires_at) \
         SELECT f.family_id, $2, COALESCE((SELECT MAX(t.expires_at) FROM token t WHERE t.family_id = f.family_id), $2) \
         + 86400 FROM ({families}) f WHERE 1 = 1 ON CONFLICT DO NOTHING"
    );
    sql::execute(db, &note, values).await.map(|_| ())
}

//! Whether something is alive: asked before a change is written, inside its transaction, and by readers.

use std::collections::{HashMap, HashSet};

use protocol::numeric_date::NumericDate;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};

use super::change::{Anchor, Change, Ending, Room, Take};
use super::{halts, sign_ins, sql, tasks};

/// Until when each of the asked anchors lives.
pub(super) struct Lives(HashMap<(Kind, String), i64>);

/// Which table an anchor stands in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Consent,
    Task,
    Token,
    Family,
    Instance,
    Client,
    User,
    Session,
}

/// How rows are held while a transaction depends on them. SQLite has one writer and needs no hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    None,
    Shared,
    /// The same transaction will change one of them: two that first share and then change would block each other.
    Exclusive,
}

const KINDS: [Kind; 8] = [
    Kind::Client,
    Kind::Instance,
    Kind::User,
    Kind::Session,
    Kind::Consent,
    Kind::Task,
    Kind::Family,
    Kind::Token,
];

const fn kind(anchor: &Anchor) -> Kind {
    match anchor {
        Anchor::Consent(_) => Kind::Consent,
        Anchor::Task(_) => Kind::Task,
        Anchor::Token(_) => Kind::Token,
        Anchor::Family(_) => Kind::Family,
        Anchor::Client(_) => Kind::Client,
        Anchor::Instance(_) => Kind::Instance,
        Anchor::User(_) => Kind::User,
        Anchor::Session(_) => Kind::Session,
    }
}

impl Kind {
    /// A consent lives only while the client it was asked through and the actor it is for may act.
    ///
    /// `id`, the second it lives until (0 where it does not), and `parent_id`.
    const fn select(self) -> &'static str {
        match self {
            Self::Consent => {
                "SELECT id, CASE WHEN state = 'active' AND NOT EXISTS (SELECT 1 FROM client k \
                 WHERE k.id IN (consent.client_id, consent.actor_id) AND k.status <> 'active') \
                 THEN expires_at ELSE 0 END AS until, NULL AS parent_id FROM consent WHERE id IN"
            }
            Self::Task => {
                "SELECT id, CASE WHEN status = 'active' THEN deadline ELSE 0 END AS until, parent_id \
                 FROM task WHERE id IN"
            }
            Self::Token => {
                "SELECT id, CASE WHEN ended_at IS NULL THEN expires_at ELSE 0 END AS until, NULL AS parent_id \
                 FROM token WHERE id IN"
            }
            Self::Family => {
                "SELECT family_id AS id, CAST(0 AS BIGINT) AS until, NULL AS parent_id \
                 FROM ended_family WHERE family_id IN"
            }
            Self::Instance => {
                "SELECT instance AS id, CAST(0 AS BIGINT) AS until, NULL AS parent_id \
                 FROM ended_instance WHERE instance IN"
            }
            Self::Client => {
                "SELECT id, CASE WHEN status = 'active' THEN COALESCE(expires_at, 9223372036854775807) ELSE 0 END \
                 AS until, NULL AS parent_id FROM client WHERE id IN"
            }
            Self::User => {
                "SELECT id, CASE WHEN enabled THEN 9223372036854775807 ELSE 0 END AS until, NULL AS parent_id \
                 FROM user_account WHERE id IN"
            }
            Self::Session => {
                "SELECT session_id AS id, CASE WHEN ended_at IS NULL THEN expires_at ELSE 0 END AS until, \
                 NULL AS parent_id FROM browser_session WHERE session_id IN"
            }
        }
    }
}

impl Lives {
    /// Looks the anchors up.
    pub(super) async fn read<C: ConnectionTrait>(db: &C, anchors: &[Anchor]) -> Result<Self, DbErr> {
        Self::load(db, anchors.iter(), &HashSet::new(), false).await
    }

    /// Looks up what the changes require, and holds it until the transaction ends.
    pub(super) async fn hold<C: ConnectionTrait>(db: &C, changes: &[&Change]) -> Result<Self, DbErr> {
        let hold = db.get_database_backend() == DbBackend::Postgres;
        let first = if hold { held_first(db, changes).await? } else { Vec::new() };
        let mut written: HashSet<Anchor> = changes.iter().flat_map(|change| touched(change)).collect();
        written.extend(first.iter().cloned());
        let required = changes.iter().flat_map(|change| change.requires.iter());
        Self::load(db, required.chain(&first), &written, hold).await
    }

    async fn load<'a, C: ConnectionTrait>(
        db: &C,
        anchors: impl Iterator<Item = &'a Anchor>,
        written: &HashSet<Anchor>,
        hold: bool,
    ) -> Result<Self, DbErr> {
        let mut asked: HashMap<Kind, (HashSet<&str>, Hold)> = HashMap::new();
        for anchor in anchors {
            let least = if hold { Hold::Shared } else { Hold::None };
            let (ids, strength) = asked.entry(kind(anchor)).or_insert_with(|| (HashSet::new(), least));
            ids.insert(anchor.id());
            if hold && written.contains(anchor) {
                *strength = Hold::Exclusive;
            }
        }
        let mut lives = Self(HashMap::new());
        if hold {
            for kind in KINDS {
                let Some((ids, strength)) = asked.remove(&kind) else { continue };
                let ids = sorted(ids);
                let rows = select(db, kind, &ids, strength).await?;
                lives.note(db, kind, ids, rows, strength).await?;
            }
        } else {
            lives.load_together(db, asked).await?;
        }
        Ok(lives)
    }

    /// Looks up all kinds with one statement: where nothing is computed, going there and back is what takes time.
    async fn load_together<C: ConnectionTrait>(
        &mut self,
        db: &C,
        mut asked: HashMap<Kind, (HashSet<&str>, Hold)>,
    ) -> Result<(), DbErr> {
        let mut all: Vec<(Kind, Vec<String>, Vec<Row>)> = Vec::new();
        let (mut selects, mut values): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
        for kind in KINDS {
            let Some((ids, _)) = asked.remove(&kind) else { continue };
            let ids = sorted(ids);
            let place = all.len();
            for list in sql::padded(&ids) {
                let holes = sql::holes(values.len() + 1, list.len());
                let select = kind.select();
                selects.push(format!(
                    "SELECT found.*, CAST({place} AS BIGINT) FROM ({select} ({holes})) AS found"
                ));
                values.extend(list.into_iter().map(Value::from));
            }
            all.push((kind, ids, Vec::new()));
        }
        if selects.is_empty() {
            return Ok(());
        }
        for row in sql::query(db, &selects.join(" UNION ALL "), values).await? {
            let place: i64 = row.try_get_by_index(3)?;
            if let Some((_, _, rows)) = usize::try_from(place).ok().and_then(|place| all.get_mut(place)) {
                rows.push(read(&row)?);
            }
        }
        for (kind, ids, rows) in all {
            self.note(db, kind, ids, rows, Hold::None).await?;
        }
        Ok(())
    }

    /// Notes what `rows` say of the `asked` of one kind; a task's ancestors are looked up too, level by level.
    async fn note<C: ConnectionTrait>(
        &mut self,
        db: &C,
        kind: Kind,
        asked: Vec<String>,
        mut rows: Vec<Row>,
        strength: Hold,
    ) -> Result<(), DbErr> {
        let mut parents: HashMap<String, String> = HashMap::new();
        let mut found: HashMap<String, i64> = HashMap::new();
        loop {
            let mut next = HashSet::new();
            for (id, until, parent) in rows {
                if let Some(parent) = parent {
                    next.insert(parent.clone());
                    parents.insert(id.clone(), parent);
                }
                // A browser session may stand in several rows while its cookie changes.
                let known = found.entry(id).or_insert(until);
                *known = until.max(*known);
            }
            next.retain(|id| !found.contains_key(id));
            if next.is_empty() {
                break;
            }
            rows = select(db, kind, &sorted(next.iter().map(String::as_str)), strength).await?;
        }
        for id in asked {
            let absent = if matches!(kind, Kind::Family | Kind::Instance) { i64::MAX } else { 0 };
            let mut until = found.get(&id).copied().unwrap_or(absent);
            let mut at = &id;
            let mut steps = 0;
            while let Some(parent) = parents.get(at) {
                until = until.min(found.get(parent).copied().unwrap_or(0));
                at = parent;
                steps += 1;
                if steps > parents.len() {
                    until = 0;
                    break;
                }
            }
            self.0.insert((kind, id), until);
        }
        Ok(())
    }

    /// The first of `anchors` that is not alive at `at`.
    pub(super) fn first_dead<'a>(&self, anchors: &'a [Anchor], at: NumericDate) -> Option<&'a Anchor> {
        let until = |anchor: &Anchor| self.0.get(&(kind(anchor), anchor.id().to_owned())).copied();
        anchors.iter().find(|anchor| until(anchor).is_none_or(|until| NumericDate(until).is_over(at)))
    }
}

/// `id`, the second it lives until, and `parent_id`.
type Row = (String, i64, Option<String>);

/// In one order for everybody, so that two transactions do not wait for each other.
fn sorted<'a>(ids: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
    ids.sort_unstable();
    ids
}

fn read(row: &QueryResult) -> Result<Row, DbErr> {
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?))
}

async fn select<C: ConnectionTrait>(
    db: &C,
    kind: Kind,
    ids: &[String],
    strength: Hold,
) -> Result<Vec<Row>, DbErr> {
    let hold = match strength {
        Hold::None => "",
        Hold::Shared => " ORDER BY 1 FOR SHARE",
        Hold::Exclusive => " ORDER BY 1 FOR UPDATE",
    };
    let mut rows = Vec::new();
    for list in sql::padded(ids) {
        let holes = sql::holes(1, list.len());
        // A task is held together with all those above it, in one order for everybody.
        let line = match kind {
            Kind::Task if strength != Hold::None => format!(
                "WITH RECURSIVE line(id) AS (SELECT id FROM task WHERE id IN ({holes}) UNION SELECT t.parent_id \
                 FROM task t JOIN line l ON t.id = l.id WHERE t.parent_id IS NOT NULL) SELECT id FROM line"
            ),
            _ => holes,
        };
        let statement = format!("{} ({line}){hold}", kind.select());
        let found = sql::query(db, &statement, list.into_iter().map(Value::from).collect()).await?;
        rows.extend(found.iter().map(read).collect::<Result<Vec<Row>, DbErr>>()?);
    }
    Ok(rows)
}

/// Whom and what the changes stop: they are held before anything of theirs is ended. Whoever issues something to them meanwhile
/// holds them too, so that either it is there to be ended, or it is not issued.
async fn held_first<C: ConnectionTrait>(db: &C, changes: &[&Change]) -> Result<Vec<Anchor>, DbErr> {
    let mut held = Vec::new();
    for change in changes {
        held.extend(change.operate.iter().map(|(id, _)| Anchor::Client(id.clone())));
        held.extend(change.account.iter().map(|(id, _)| Anchor::User(id.clone())));
        if let Some(Take::Task { id, .. }) = &change.take {
            held.push(Anchor::Task(id.clone()));
        }
        for ending in &change.end {
            match ending {
                Ending::Agent(id) => held.push(Anchor::Client(id.clone())),
                Ending::Instance(instance) => held.push(Anchor::Client(instance.client().clone())),
                Ending::User(id) => held.push(Anchor::User(id.clone())),
                Ending::Consent(id) => {
                    held.extend(sign_ins::user_of_brought(db, id).await?.map(Anchor::User));
                }
                Ending::Owner(id) => {
                    held.extend(halts::agents_of(db, id).await?.into_iter().map(Anchor::Client));
                }
                Ending::Task(id) => {
                    held.extend(tasks::and_parts(db, id).await?.into_iter().map(Anchor::Task))
                }
                _ => {}
            }
        }
    }
    Ok(held)
}

/// What a change writes to among the things that can be anchors.
fn touched(change: &Change) -> Vec<Anchor> {
    let mut touched: Vec<Anchor> = change
        .end
        .iter()
        .filter_map(|ending| match ending {
            Ending::Consent(id) => Some(Anchor::Consent(id.clone())),
            Ending::Task(id) => Some(Anchor::Task(id.clone())),
            Ending::Token(id) => Some(Anchor::Token(id.clone())),
            Ending::Session(id) => Some(Anchor::Session(id.clone())),
            Ending::Client(id) => Some(Anchor::Client(id.clone())),
            // Ending all sessions of a user holds each row as it writes it; agents and users are held before all else.
            Ending::Family(_)
            | Ending::CodeTokens(_)
            | Ending::SessionsOf { .. }
            | Ending::Agent(_)
            | Ending::Instance(_)
            | Ending::User(_)
            | Ending::Owner(_) => None,
        })
        .collect();
    match &change.take {
        Some(Take::Refresh(id)) => touched.push(Anchor::Token(id.clone())),
        Some(Take::Task { id, .. }) => touched.push(Anchor::Task(id.clone())),
        _ => {}
    }
    touched.extend(change.amend.iter().map(|amendment| Anchor::Consent(amendment.consent().id.clone())));
    touched.extend(change.unchanged.iter().map(|user| Anchor::User(user.id.clone())));
    touched.extend(change.derives.iter().cloned().map(Anchor::Task));
    touched.extend(change.rooms.iter().map(Room::anchor));
    touched
}

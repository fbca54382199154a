//! Whether something is alive: asked before a change is written, inside its transaction, and by readers.

use std::collections::{HashMap, HashSet};

use protocol::numeric_date::NumericDate;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Value};

use super::change::{Anchor, Change, Ending, Take};
use super::sql;

/// Until when each of the asked anchors lives.
pub(super) struct Lives(HashMap<(Kind, String), i64>);

/// Which table an anchor stands in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Consent,
    Task,
    Token,
    Family,
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

const KINDS: [Kind; 7] =
    [Kind::Client, Kind::User, Kind::Session, Kind::Consent, Kind::Task, Kind::Family, Kind::Token];

const fn kind(anchor: &Anchor) -> Kind {
    match anchor {
        Anchor::Consent(_) => Kind::Consent,
        Anchor::Task(_) => Kind::Task,
        Anchor::Token(_) => Kind::Token,
        Anchor::Family(_) => Kind::Family,
        Anchor::Client(_) => Kind::Client,
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
        let written: HashSet<Anchor> = changes.iter().flat_map(|change| touched(change)).collect();
        let required = changes.iter().flat_map(|change| change.requires.iter());
        Self::load(db, required, &written, db.get_database_backend() == DbBackend::Postgres).await
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
        for kind in KINDS {
            if let Some((ids, strength)) = asked.remove(&kind) {
                lives.load_kind(db, kind, ids.into_iter().map(str::to_owned).collect(), strength).await?;
            }
        }
        Ok(lives)
    }

    /// Looks up one kind; a task's ancestors too, level by level.
    async fn load_kind<C: ConnectionTrait>(
        &mut self,
        db: &C,
        kind: Kind,
        mut ids: Vec<String>,
        strength: Hold,
    ) -> Result<(), DbErr> {
        let mut parents: HashMap<String, String> = HashMap::new();
        let mut found: HashMap<String, i64> = HashMap::new();
        let asked = ids.clone();
        while !ids.is_empty() {
            ids.sort_unstable();
            ids.dedup();
            let mut next = Vec::new();
            for list in sql::padded(&ids) {
                for (id, until, parent) in select(db, kind, list, strength).await? {
                    if let Some(parent) = parent {
                        if !found.contains_key(&parent) {
                            next.push(parent.clone());
                        }
                        parents.insert(id.clone(), parent);
                    }
                    // A browser session may stand in several rows while its cookie changes.
                    let known = found.entry(id).or_insert(until);
                    *known = until.max(*known);
                }
            }
            next.retain(|id| !found.contains_key(id));
            ids = next;
        }
        for id in asked {
            let absent = if kind == Kind::Family { i64::MAX } else { 0 };
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

async fn select<C: ConnectionTrait>(
    db: &C,
    kind: Kind,
    ids: Vec<String>,
    strength: Hold,
) -> Result<Vec<(String, i64, Option<String>)>, DbErr> {
    // Rows are held in one order by everybody, so that two transactions do not wait for each other.
    let hold = match strength {
        Hold::None => "",
        Hold::Shared => " ORDER BY 1 FOR SHARE",
        Hold::Exclusive => " ORDER BY 1 FOR UPDATE",
    };
    let statement = format!("{} ({}){hold}", kind.select(), sql::holes(1, ids.len()));
    let rows = sql::query(db, &statement, ids.into_iter().map(Value::from).collect()).await?;
    rows.iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?)))
        .collect()
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
            Ending::Family(_) | Ending::CodeTokens(_) => None,
        })
        .collect();
    if let Some(Take::Refresh(id)) = &change.take {
        touched.push(Anchor::Token(id.clone()));
    }
    touched
}

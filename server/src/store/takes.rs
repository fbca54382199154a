//! Single use: what many may try at the same moment, and one gets.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use protocol::numeric_date::NumericDate;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::change::{Change, Conflict, ReplayKey, Room, Take};
use super::deferrals::Waiting;
use super::{credentials, deferrals, sql, tasks, under_way};

/// Looks whether there is room for what the changes add. The last one that there is room for is in, the next is out.
pub(super) async fn find_room<C: ConnectionTrait>(
    db: &C,
    changes: &[&Change],
    lost: &mut [Option<Conflict>],
) -> Result<(), DbErr> {
    let mut counted: HashMap<&Room, u64> = HashMap::new();
    for (change, lost) in changes.iter().zip(lost).filter(|(_, lost)| lost.is_none()) {
        let mut is_full = false;
        for room in &change.rooms {
            let there = match counted.entry(room) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(unknown) => *unknown.insert(count(db, room, change.at).await?),
            };
            is_full |= there >= room.most();
        }
        if is_full {
            *lost = Some(Conflict::NoRoom);
            continue;
        }
        for room in &change.rooms {
            counted.entry(room).and_modify(|there| *there += 1);
        }
    }
    Ok(())
}

/// How many there are.
async fn count<C: ConnectionTrait>(db: &C, room: &Room, at: NumericDate) -> Result<u64, DbErr> {
    match room {
        Room::Tasks { consent, .. } => tasks::count_open(db, consent, at).await,
        Room::Kept { consent, most } => tasks::count_kept(db, consent, *most).await,
        Room::Parts { parent, .. } => tasks::count_parts(db, parent).await,
        Room::DeferralsOf { client, .. } => deferrals::count(db, Waiting::Of(client), at).await,
        Room::DeferralsFor { approver, .. } => deferrals::count(db, Waiting::For(approver), at).await,
    }
}

/// Marks what the changes show for the first time. A change that shows something old is out. Then what those claim that
/// are still in; whoever is out claims nothing.
pub(super) async fn mark_first_times<C: ConnectionTrait>(
    db: &C,
    changes: &[&Change],
    lost: &mut [Option<Conflict>],
) -> Result<(), DbErr> {
    mark(db, changes, |change| &change.first_time, lost).await?;
    if changes.iter().any(|change| !change.claims.is_empty()) {
        mark(db, changes, |change| &change.claims, lost).await?;
    }
    Ok(())
}

async fn mark<C: ConnectionTrait>(
    db: &C,
    changes: &[&Change],
    marks_of: fn(&Change) -> &[(ReplayKey, NumericDate)],
    lost: &mut [Option<Conflict>],
) -> Result<(), DbErr> {
    // Sorted, so that two transactions mark in one order and do not wait for each other.
    let mut marks: BTreeMap<String, i64> = BTreeMap::new();
    let running = || changes.iter().enumerate();
    for (index, change) in running() {
        if lost[index].is_none() {
            for (key, until) in marks_of(change) {
                marks.entry(key.0.to_text()).or_insert(until.0);
            }
        }
    }
    let mut fresh = insert_marks(db, marks.into_iter().collect()).await?;
    for (index, change) in running() {
        if lost[index].is_none() {
            // Removing makes the first of equal keys in one batch the only winner.
            let seen = marks_of(change).iter().find(|(key, _)| !fresh.remove(&key.0.to_text()));
            lost[index] = seen.map(|(key, _)| Conflict::Replayed(*key));
        }
    }
    Ok(())
}

async fn insert_marks<C: ConnectionTrait>(
    db: &C,
    marks: Vec<(String, i64)>,
) -> Result<HashSet<String>, DbErr> {
    let mut fresh = HashSet::new();
    for portion in sql::portions(marks) {
        let rows: Vec<String> =
            (0..portion.len()).map(|n| format!("({})", sql::holes(2 * n + 1, 2))).collect();
        let statement = format!(
            "INSERT INTO replay (key, expires_at) VALUES {} ON CONFLICT DO NOTHING RETURNING key",
            rows.join(",")
        );
        let values = portion.into_iter().flat_map(|(key, until)| [Value::from(key), Value::from(until)]);
        for row in sql::query(db, &statement, values.collect()).await? {
            fresh.insert(row.try_get_by_index(0)?);
        }
    }
    Ok(fresh)
}

/// Takes what the changes take. A change that comes too late is out.
pub(super) async fn take_all<C: ConnectionTrait>(
    db: &C,
    changes: &[&Change],
    lost: &mut [Option<Conflict>],
) -> Result<(), DbErr> {
    let mut groups: BTreeMap<(Table, NumericDate), Vec<(usize, Wanted)>> = BTreeMap::new();
    for (index, change) in changes.iter().enumerate() {
        if let (None, Some(take)) = (&lost[index], &change.take) {
            match wanted(take) {
                Some((table, wanted)) => {
                    groups.entry((table, change.at)).or_default().push((index, wanted));
                }
                None => lost[index] = take_alone(db, take, change.at).await?,
            }
        }
    }
    // One thing may be wanted at two moments of one batch; the first group that gets it has it.
    for ((table, at), wanted) in groups {
        let mut unique: BTreeMap<&str, &Wanted> = BTreeMap::new();
        for (_, one) in &wanted {
            unique.entry(&one.key).or_insert(one);
        }
        let mut got = HashSet::new();
        for list in sql::padded(&unique.into_values().collect::<Vec<_>>()) {
            let (statement, values) = table.update(&list, at);
            for row in sql::query(db, &statement, values).await? {
                got.insert(row.try_get_by_index::<String>(0)?);
            }
        }
        for (index, one) in &wanted {
            if !got.remove(&one.key) {
                lost[*index] = Some(Conflict::AlreadyTaken);
            }
        }
    }
    Ok(())
}

/// Counts the tokens that the changes derive, and says which changes were counted. A change that derives one too many is
/// out.
pub(super) async fn count_derivations<C: ConnectionTrait>(
    db: &C,
    changes: &[&Change],
    lost: &mut [Option<Conflict>],
) -> Result<Vec<usize>, DbErr> {
    let mut counted = Vec::new();
    for (index, (change, lost)) in changes.iter().zip(lost).enumerate() {
        if lost.is_some() || change.derives.is_empty() {
            continue;
        }
        if tasks::derive(db, &change.derives).await? {
            counted.push(index);
        } else {
            *lost = Some(Conflict::Exhausted);
        }
    }
    Ok(counted)
}

/// Takes back what was counted for changes that are out after all.
pub(super) async fn count_back<C: ConnectionTrait>(
    db: &C,
    changes: &[&Change],
    counted: &[usize],
    lost: &[Option<Conflict>],
) -> Result<(), DbErr> {
    for index in counted.iter().filter(|index| lost[**index].is_some()) {
        tasks::derive_back(db, &changes[*index].derives).await?;
    }
    Ok(())
}

/// The row a change wants, and what to note in it.
struct Wanted {
    key: String,
    note: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Table {
    Code,
    Token,
    PushedRequest,
    Interaction,
    OneTimeLink,
    RecoveryCode,
    Answer,
    InitialAccessToken,
    UnusedRegistration,
    KeyRing,
}

/// What a take is after; a passkey's next signature, a task's next step, that of a deferral and the rest of an ending
/// are matters of their own.
fn wanted(take: &Take) -> Option<(Table, Wanted)> {
    let plain = |key: String| Wanted { key, note: None };
    Some(match take {
        Take::Code { digest, token } => {
            let note = token.as_ref().map(|id| id.as_str().to_owned());
            (Table::Code, Wanted { key: digest.to_text(), note })
        }
        Take::Refresh(id) => (Table::Token, plain(id.as_str().to_owned())),
        Take::PushedRequest(digest) => (Table::PushedRequest, plain(digest.to_text())),
        Take::Interaction(id) => (Table::Interaction, plain(id.clone())),
        Take::OneTimeLink(digest) => (Table::OneTimeLink, plain(digest.to_text())),
        Take::RecoveryCode(digest) => (Table::RecoveryCode, plain(digest.to_text())),
        Take::Answer(digest) => (Table::Answer, plain(digest.to_text())),
        Take::InitialAccessToken(digest) => (Table::InitialAccessToken, plain(digest.to_text())),
        Take::UnusedRegistration(id) => (Table::UnusedRegistration, plain(id.as_str().to_owned())),
        Take::SigningKeys(version) => (Table::KeyRing, plain(version.to_string())),
        Take::Passkey { .. } | Take::Task { .. } | Take::Deferral { .. } | Take::UnderWay(_) => return None,
    })
}

async fn take_alone<C: ConnectionTrait>(
    db: &C,
    take: &Take,
    at: NumericDate,
) -> Result<Option<Conflict>, DbErr> {
    let taken = match take {
        Take::Passkey { id, counter, document } => {
            credentials::use_passkey(db, id, *counter, document, at).await?
        }
        Take::Task { id, version, status, suspended_by } => {
            tasks::step(db, id, *version, *status, *suspended_by).await?
        }
        Take::Deferral { digest, step } => deferrals::step(db, digest, step, at).await?,
        Take::UnderWay(stopped) => under_way::take(db, stopped).await?,
        _ => return Ok(None),
    };
    Ok((!taken).then_some(Conflict::AlreadyTaken))
}

impl Table {
    /// The conditional update that returns the keys it got.
    fn update(self, list: &[&Wanted], at: NumericDate) -> (String, Vec<Value>) {
        let count = list.len();
        let keys = sql::holes(2, count);
        let mut values = vec![Value::from(at.0)];
        values.extend(list.iter().map(|one| Value::from(one.key.clone())));
        let once = |table: &str, key: &str| {
            format!(
                "UPDATE {table} SET taken_at = $1 \
                 WHERE {key} IN ({keys}) AND taken_at IS NULL AND expires_at > $1 RETURNING {key}"
            )
        };
        let statement = match self {
            Self::Code => {
                values.extend(list.iter().map(|one| Value::from(one.note.clone())));
                let cases: Vec<String> =
                    (0..count).map(|n| format!("WHEN ${} THEN ${}", n + 2, n + 2 + count)).collect();
                format!(
                    "UPDATE authorization_code SET redeemed_at = $1, token_id = CASE digest {} END \
                     WHERE digest IN ({keys}) AND redeemed_at IS NULL AND expires_at > $1 RETURNING digest",
                    cases.join(" ")
                )
            }
            Self::Token => format!(
                "UPDATE token SET ended_at = $1 \
                 WHERE id IN ({keys}) AND kind = 'refresh' AND ended_at IS NULL AND expires_at > $1 RETURNING id"
            ),
            Self::PushedRequest => once("pushed_request", "digest"),
            Self::Interaction => once("interaction", "id"),
            Self::OneTimeLink => once("one_time_link", "digest"),
            Self::RecoveryCode => format!(
                "UPDATE recovery_code SET taken_at = $1 WHERE digest IN ({keys}) AND taken_at IS NULL RETURNING digest"
            ),
            Self::Answer => once("deferred_request", "digest"),
            Self::InitialAccessToken => format!(
                "UPDATE initial_access_token SET uses_left = uses_left - 1 \
                 WHERE digest IN ({keys}) AND uses_left > 0 AND expires_at > $1 RETURNING digest"
            ),
            // What is used is marked by the sweeper; what it did not see yet shows by its tokens.
            Self::UnusedRegistration => format!(
                "UPDATE client_registration SET used_at = $1 WHERE client_id IN ({keys}) AND used_at IS NULL \
                 AND NOT EXISTS (SELECT 1 FROM token t WHERE t.client_id = client_registration.client_id \
                 AND substr(t.client_id, 1, 4) IN ('dyn_', 'http')) RETURNING client_id"
            ),
            Self::KeyRing => format!(
                "UPDATE key_ring SET version = version + 1, changed_at = $1 \
                 WHERE CAST(version AS TEXT) IN ({keys}) RETURNING CAST(version - 1 AS TEXT)"
            ),
        };
        (statement, values)
    }
}

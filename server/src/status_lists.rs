//! Status lists: where each token finds its place, and how a list is told.
//!
//! A list belongs to the process that opened it: places are dealt out of a shuffled hand in memory, so that none is
//! dealt twice and nobody learns from a place how many tokens there are. A process that ends leaves the rest of its
//! hand undealt. What a list says is read from the records, where each ending stands from its commit on: what was ended
//! is patched into the bytes in memory and what rests is laid over them, at most once a second, and only what changed is
//! deflated and signed anew.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use moka::sync::Cache;
use protocol::client::SigningAlg;
use protocol::metadata::{STATUS_LISTS, status_list_uri};
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::status_list::{self, Status, StatusList, StatusRef};
use tokio::sync::Mutex;

use crate::failure::{Broken, Failure};
use crate::jose::Keys;
use crate::secret::{Entropy, random_id};
use crate::store::{Change, CommitError, Record, Store};

/// How many places a list has: 16 KiB before it is deflated.
const SIZE: u32 = 65_536;
/// How long places are dealt from one list; its tokens end later.
const DEALT_FOR: Seconds = Seconds::minutes(60);
/// What was ended is asked for from this long before it was asked last: a commit comes after the moment it is told of,
/// and clocks differ.
const OVERLAP: Seconds = Seconds(120);
/// A list is read as a whole after this long at the latest, whatever was patched into it.
const WHOLE_AFTER: Seconds = Seconds::minutes(10);
/// A signed list may be believed for as many times its `ttl`.
const LIVES: i64 = 5;
/// The most lists that are remembered as they were told last.
const MOST_REMEMBERED: u64 = 1_000;

/// The lists that this process deals from and tells of.
pub struct StatusLists {
    hand: Mutex<Option<Hand>>,
    told: Cache<String, Arc<Mutex<Option<Known>>>>,
    resting: Mutex<Option<(NumericDate, Arc<Resting>)>>,
    ttl: Seconds,
}

/// The places that rest, by list.
type Resting = HashMap<String, Vec<u32>>;

/// A list that places are dealt from.
struct Hand {
    list: String,
    /// In no order; the next one is the last.
    places: Vec<u32>,
    /// When the last token in it must be over.
    until: NumericDate,
}

/// A list as it is told.
#[derive(Clone)]
pub struct Told {
    /// The signed list.
    pub jwt: Arc<str>,
    /// The same, as `gzip`.
    pub gzip: Arc<[u8]>,
}

/// What is known of a list.
struct Known {
    ended: Ended,
    read_at: NumericDate,
    said: Said,
}

/// What was ended in a list, and nothing else.
#[derive(Clone)]
struct Ended {
    list: StatusList,
    expires_at: NumericDate,
    /// When it was read as a whole.
    whole_at: NumericDate,
}

/// A list as it was told last, and since when.
struct Said {
    list: StatusList,
    told: Told,
    signed_at: NumericDate,
}

impl StatusLists {
    /// No list yet; those who are told one shall ask again after `ttl`.
    #[must_use]
    pub fn new(ttl: Seconds) -> Self {
        let told = Cache::builder().max_capacity(MOST_REMEMBERED).build();
        Self { hand: Mutex::new(None), told, resting: Mutex::new(None), ttl }
    }

    /// How long a list is believed before it is fetched anew.
    #[must_use]
    pub const fn ttl(&self) -> Seconds {
        self.ttl
    }

    /// A place for a token that ends at `until`.
    ///
    /// # Errors
    /// The store's, where a new list is opened.
    pub async fn deal(
        &self,
        store: &Store,
        entropy: &dyn Entropy,
        until: NumericDate,
        now: NumericDate,
    ) -> Result<StatusRef, Failure> {
        let mut hand = self.hand.lock().await;
        let fits = hand.as_ref().is_some_and(|hand| until <= hand.until && !hand.places.is_empty());
        if !fits {
            *hand = Some(open(store, entropy, until.plus(DEALT_FOR), now).await?);
        }
        let hand = hand.as_mut().ok_or(Broken::Other("a hand that was just dealt is gone"))?;
        let index = hand.places.pop().ok_or(Broken::Other("a new status list has no place"))?;
        Ok(StatusRef { list: hand.list.clone(), index })
    }

    /// The signed list of this id, as it was at most a second ago; none where there is none any more.
    ///
    /// # Errors
    /// The store's and the signing key's.
    pub async fn tell(
        &self,
        (store, keys, issuer): (&Store, &Keys, &str),
        id: &str,
        now: NumericDate,
    ) -> Result<Option<Told>, Failure> {
        // Whoever asks for a list that is not there takes no room.
        let slot = match self.told.get(id) {
            Some(slot) => slot,
            None if store.find_status_list(id, now).await?.is_none() => return Ok(None),
            None => self.told.get_with(id.to_owned(), Arc::default),
        };
        let mut slot = slot.lock().await;
        let before = match slot.take() {
            Some(known) if known.read_at == now => return Ok(Some(slot.insert(known).said.told.clone())),
            before => before,
        };
        let Some(ended) = ended(store, id, before.as_ref(), now).await? else {
            self.told.invalidate(id);
            return Ok(None);
        };
        let mut list = ended.list.clone();
        if let Some(places) = self.resting(store, now).await?.get(id) {
            mark(&mut list, places, Status::Suspended);
        }
        let same = |said: &Said| said.list == list && said.signed_at.plus(self.ttl) > now;
        let said = match before.map(|known| known.said).filter(same) {
            Some(said) => said,
            None => Said { told: self.sign(keys, issuer, id, &list, now)?, list, signed_at: now },
        };
        let told = said.told.clone();
        *slot = Some(Known { ended, read_at: now, said });
        Ok(Some(told))
    }

    /// What rests, as it was at most a second ago, read once for all lists.
    async fn resting(&self, store: &Store, now: NumericDate) -> Result<Arc<Resting>, Failure> {
        let mut known = self.resting.lock().await;
        if let Some((_, resting)) = known.as_ref().filter(|(read_at, _)| *read_at == now) {
            return Ok(Arc::clone(resting));
        }
        let resting = Arc::new(store.resting(now).await?);
        *known = Some((now, Arc::clone(&resting)));
        Ok(resting)
    }

    fn sign(
        &self,
        keys: &Keys,
        issuer: &str,
        id: &str,
        list: &StatusList,
        now: NumericDate,
    ) -> Result<Told, Failure> {
        let broken = |_| Broken::Other("a status list could not be deflated");
        let mut deflated = ZlibEncoder::new(Vec::new(), Compression::best());
        deflated.write_all(list.as_bytes()).map_err(broken)?;
        let lst = URL_SAFE_NO_PAD.encode(deflated.finish().map_err(broken)?);
        let aggregation = format!("{}{STATUS_LISTS}", issuer.trim_end_matches('/'));
        let life = (self.ttl, Seconds(self.ttl.0.saturating_mul(LIVES)));
        let claims = status_list::claims(issuer, &status_list_uri(issuer, id), &lst, &aggregation, now, life);
        let jwt = keys.sign(SigningAlg::Es256, status_list::TYP, &claims)?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(jwt.as_bytes()).map_err(broken)?;
        let gzip = gzip.finish().map_err(broken)?.into();
        Ok(Told { jwt: jwt.into(), gzip })
    }
}

/// What was ended in a list until now: patched into what is known, or read as a whole.
async fn ended(
    store: &Store,
    id: &str,
    before: Option<&Known>,
    now: NumericDate,
) -> Result<Option<Ended>, Failure> {
    if let Some(known) = before.filter(|known| known.ended.whole_at.plus(WHOLE_AFTER) > now) {
        if known.ended.expires_at.is_over(now) {
            return Ok(None);
        }
        let mut ended = known.ended.clone();
        let since = NumericDate(known.read_at.0.saturating_sub(OVERLAP.0));
        mark(&mut ended.list, &store.ended_in_list(id, since).await?, Status::Invalid);
        return Ok(Some(ended));
    }
    let Some(opened) = store.find_status_list(id, now).await? else { return Ok(None) };
    let mut list = StatusList::new(opened.size);
    mark(&mut list, &store.ended_in_list(id, NumericDate(0)).await?, Status::Invalid);
    Ok(Some(Ended { list, expires_at: opened.expires_at, whole_at: now }))
}

/// Marks places. What was ended does not rest.
fn mark(list: &mut StatusList, places: &[u32], status: Status) {
    for place in places {
        if status == Status::Invalid || list.get(*place) == Some(Status::Valid) {
            list.set(*place, status);
        }
    }
}

/// A new list, written before a place is dealt from it.
async fn open(
    store: &Store,
    entropy: &dyn Entropy,
    until: NumericDate,
    now: NumericDate,
) -> Result<Hand, Failure> {
    let list = random_id(entropy, "");
    let record = Record::StatusList { id: list.clone(), size: SIZE, expires_at: until };
    match store.commit(Change::housekeeping(now).keep(record)).await {
        Ok(_) => Ok(Hand { list, places: shuffled(entropy), until }),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(_)) => Err(Broken::Inconsistent("a list that could not be opened").into()),
    }
}

/// All places of a list in random order (Fisher and Yates). The slight bias of the remainder tells nobody anything: a
/// place is no secret.
fn shuffled(entropy: &dyn Entropy) -> Vec<u32> {
    let mut chance = vec![0; SIZE as usize * 4];
    entropy.fill(&mut chance);
    let mut places: Vec<u32> = (0..SIZE).collect();
    for (last, bytes) in (1..places.len()).rev().zip(chance.chunks_exact(4)) {
        let drawn = bytes.iter().fold(0_usize, |number, byte| (number << 8) | usize::from(*byte));
        places.swap(last, drawn % (last + 1));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    #[test]
    fn every_place_is_in_the_hand_once_and_in_no_order() {
        let mut places = shuffled(&SystemEntropy);
        assert!(places.windows(2).filter(|pair| pair[1] == pair[0] + 1).count() < 100);
        places.sort_unstable();
        assert!(places.into_iter().eq(0..SIZE));
    }

    #[tokio::test]
    async fn a_million_tokens_find_a_place_each_in_as_few_lists_as_hold_them() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/lists.db?mode=rwc", folder.path().display());
        let store = Store::open(&url).await.unwrap();
        let lists = StatusLists::new(Seconds(30));
        let (now, until) = (NumericDate(1_800_000_000), NumericDate(1_800_000_300));
        let mut dealt: HashMap<String, StatusList> = HashMap::new();
        for _ in 0..1_000_000 {
            let place = lists.deal(&store, &SystemEntropy, until, now).await.unwrap();
            let list = dealt.entry(place.list).or_insert_with(|| StatusList::new(SIZE));
            assert_eq!(list.get(place.index), Some(Status::Valid), "dealt before, or beyond the end");
            list.set(place.index, Status::Invalid);
        }
        assert_eq!(dealt.len(), 1_000_000_usize.div_ceil(SIZE as usize));
        assert_eq!(store.status_lists(now).await.unwrap().len(), dealt.len());
        assert!(dealt.values().all(|list| list.as_bytes().len() == 16 * 1024));
    }
}

//! The life of a signing key, and when it goes on: next → active → former → retired.
//!
//! A key is published for [`Rotation::overlap`] before it signs, so that everybody who keeps the JWK Set has it by
//! then, and after it signed its last token until the longest-lived of them is over. So rotation breaks no token and
//! no verifier (RFC 7517 §5, OpenID Connect Core §10.1.1). Each [`Step`] leaves a key set that is right in itself:
//! whoever stops between two of them has broken nothing.

use serde::{Deserialize, Serialize};

use crate::client::SigningAlg;
use crate::numeric_date::{NumericDate, Seconds};

/// How much longer than the longest life a former key stays: requests that were under way when it stopped signing,
/// nodes that heard of it a little later, and clocks that differ.
pub const MARGIN: Seconds = Seconds(300);

/// Where a key stands in its life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Signs. There is one for each algorithm.
    Active,
    /// Published, and signs once everybody may have seen it.
    Next,
    /// Published while something that it signed may live.
    Former,
    /// Gone, private part and all; only its name is kept.
    Retired,
}

impl KeyState {
    /// As it is kept and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Next => "next",
            Self::Former => "former",
            Self::Retired => "retired",
        }
    }
}

/// What is known of a key without its private part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyFacts {
    /// Its `kid`.
    pub kid: String,
    /// What it signs with.
    pub alg: SigningAlg,
    /// Where it stands.
    pub state: KeyState,
    /// Since when it stands there.
    pub since: NumericDate,
    /// The longest life of anything that it may have signed.
    pub longest_life: Seconds,
}

/// When keys go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// How long a key signs.
    pub every: Seconds,
    /// How long a key is published before it signs.
    pub overlap: Seconds,
    /// The longest life of anything that is signed now.
    pub longest_life: Seconds,
}

/// One change of the key set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Make a key for this algorithm; it begins as [`KeyState::Active`] where there is none, else as next.
    Make(SigningAlg, KeyState),
    /// This key signs from now on, and the one that did becomes a former one.
    Activate(String),
    /// This key may have signed something that lives longer than was known.
    Prolong(String, Seconds),
    /// This key goes.
    Retire(String),
}

/// Why a key is not retired.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotRetired {
    /// There is no such key, or not any more.
    #[error("there is no such key, or it is retired already")]
    Unknown,
    /// Nothing could sign with this algorithm any more.
    #[error(
        "it is the only key that can sign with its algorithm: make the next one first, with `keys rotate`"
    )]
    Only,
    /// What it signed may still live.
    #[error(
        "what it signed may live, and would verify no more: it retires by itself when its time comes, or at once with --now"
    )]
    Needed,
}

/// The first step that is due, if one is. Whoever has taken it asks again.
#[must_use]
pub fn due(keys: &[KeyFacts], rotation: &Rotation, now: NumericDate) -> Option<Step> {
    let life_is_short = |key: &&KeyFacts| {
        matches!(key.state, KeyState::Active | KeyState::Next) && key.longest_life < rotation.longest_life
    };
    if let Some(short) = keys.iter().find(life_is_short) {
        return Some(Step::Prolong(short.kid.clone(), rotation.longest_life));
    }
    SigningAlg::ALL.into_iter().find_map(|alg| due_for(keys, alg, rotation, now)).or_else(|| {
        let over = |key: &&KeyFacts| {
            key.state == KeyState::Former && key.since.plus(key.longest_life).plus(MARGIN).is_over(now)
        };
        keys.iter().find(over).map(|key| Step::Retire(key.kid.clone()))
    })
}

fn due_for(keys: &[KeyFacts], alg: SigningAlg, rotation: &Rotation, now: NumericDate) -> Option<Step> {
    match (find(keys, alg, KeyState::Active), find(keys, alg, KeyState::Next)) {
        // Without one that signs nothing is gained by waiting.
        (None, Some(next)) => Some(Step::Activate(next.kid.clone())),
        (None, None) => Some(Step::Make(alg, KeyState::Active)),
        (Some(_), Some(next)) => {
            next.since.plus(rotation.overlap).is_over(now).then(|| Step::Activate(next.kid.clone()))
        }
        (Some(active), None) => {
            let end = active.since.plus(rotation.every);
            (end.since(now) <= rotation.overlap).then_some(Step::Make(alg, KeyState::Next))
        }
    }
}

fn find(keys: &[KeyFacts], alg: SigningAlg, state: KeyState) -> Option<&KeyFacts> {
    keys.iter().find(|key| key.alg == alg && key.state == state)
}

/// What retiring this key takes. At once means: even if something that it signed still lives, and even if the next
/// key of its algorithm was not published for long.
///
/// # Errors
/// [`NotRetired`].
pub fn retire(keys: &[KeyFacts], kid: &str, at_once: bool) -> Result<Vec<Step>, NotRetired> {
    let key = keys.iter().find(|key| key.kid == kid && key.state != KeyState::Retired);
    let key = key.ok_or(NotRetired::Unknown)?;
    let gone = Step::Retire(kid.to_owned());
    match key.state {
        KeyState::Next => Ok(vec![gone]),
        KeyState::Former if at_once => Ok(vec![gone]),
        KeyState::Former | KeyState::Retired => Err(NotRetired::Needed),
        KeyState::Active => {
            let next = find(keys, key.alg, KeyState::Next).ok_or(NotRetired::Only)?;
            if at_once { Ok(vec![Step::Activate(next.kid.clone()), gone]) } else { Err(NotRetired::Needed) }
        }
    }
}

/// The keys that a step changes, as they are after it. A key that is made is called `kid`.
#[must_use]
pub fn after(
    keys: &[KeyFacts],
    step: &Step,
    longest_life: Seconds,
    now: NumericDate,
    kid: &str,
) -> Vec<KeyFacts> {
    let known = |wanted: &str| keys.iter().find(|key| key.kid == wanted).cloned();
    let put = |mut key: KeyFacts, state| {
        (key.state, key.since) = (state, now);
        key
    };
    match step {
        Step::Make(alg, state) => {
            vec![KeyFacts { kid: kid.to_owned(), alg: *alg, state: *state, since: now, longest_life }]
        }
        Step::Activate(next) => {
            let Some(next) = known(next) else { return Vec::new() };
            let former = find(keys, next.alg, KeyState::Active).cloned();
            let former = former.map(|key| put(key, KeyState::Former));
            former.into_iter().chain([put(next, KeyState::Active)]).collect()
        }
        Step::Prolong(kid, life) => known(kid)
            .map(|key| KeyFacts { longest_life: key.longest_life.max(*life), ..key })
            .into_iter()
            .collect(),
        Step::Retire(kid) => known(kid).map(|key| put(key, KeyState::Retired)).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROTATION: Rotation =
        Rotation { every: Seconds(1000), overlap: Seconds(100), longest_life: Seconds(50) };

    fn key(kid: &str, state: KeyState, since: i64) -> KeyFacts {
        KeyFacts {
            kid: kid.into(),
            alg: SigningAlg::Es256,
            state,
            since: NumericDate(since),
            longest_life: ROTATION.longest_life,
        }
    }

    /// The step that is due for ES256; the other algorithms have their keys.
    fn due_of(keys: &[KeyFacts], now: i64) -> Option<Step> {
        let others = SigningAlg::ALL.into_iter().filter(|alg| *alg != SigningAlg::Es256);
        let others = others.map(|alg| KeyFacts { alg, ..key(alg.as_str(), KeyState::Active, now) });
        let all: Vec<KeyFacts> = keys.iter().cloned().chain(others).collect();
        due(&all, &ROTATION, NumericDate(now))
    }

    #[test]
    fn without_a_key_that_signs_one_is_made_or_the_next_one_does() {
        assert_eq!(due_of(&[], 5), Some(Step::Make(SigningAlg::Es256, KeyState::Active)));
        let next = key("n", KeyState::Next, 5);
        assert_eq!(due_of(&[next], 5), Some(Step::Activate("n".into())));
    }

    #[test]
    fn the_next_key_is_made_an_overlap_before_the_end_and_signs_an_overlap_later() {
        let active = key("a", KeyState::Active, 0);
        assert_eq!(due_of(std::slice::from_ref(&active), 899), None);
        let made = Some(Step::Make(SigningAlg::Es256, KeyState::Next));
        assert_eq!(due_of(std::slice::from_ref(&active), 900), made);
        let both = [active, key("n", KeyState::Next, 950)];
        assert_eq!(due_of(&both, 1049), None, "late, it is published as long as any");
        assert_eq!(due_of(&both, 1050), Some(Step::Activate("n".into())));
    }

    #[test]
    fn a_former_key_goes_once_nothing_that_it_signed_can_live() {
        let keys = [key("a", KeyState::Active, 100), key("f", KeyState::Former, 100)];
        let over = 100 + 50 + MARGIN.0;
        assert_eq!(due_of(&keys, over - 1), None);
        assert_eq!(due_of(&keys, over), Some(Step::Retire("f".into())));
    }

    #[test]
    fn a_former_key_stays_as_long_as_what_was_signed_when_lives_were_longer() {
        let long = KeyFacts { longest_life: Seconds(400), ..key("f", KeyState::Former, 100) };
        let keys = [key("a", KeyState::Active, 100), long];
        assert_eq!(due_of(&keys, 100 + 400 + MARGIN.0 - 1), None);
        assert_eq!(due_of(&keys, 100 + 400 + MARGIN.0), Some(Step::Retire("f".into())));
    }

    #[test]
    fn when_lives_get_longer_the_keys_that_sign_learn_of_it() {
        let short = KeyFacts { longest_life: Seconds(10), ..key("a", KeyState::Active, 0) };
        assert_eq!(due_of(std::slice::from_ref(&short), 1), Some(Step::Prolong("a".into(), Seconds(50))));
        let changed = after(
            std::slice::from_ref(&short),
            &Step::Prolong("a".into(), Seconds(50)),
            Seconds(50),
            NumericDate(1),
            "",
        );
        assert_eq!(
            changed,
            [KeyFacts { longest_life: Seconds(50), ..short }],
            "nothing else, its age least of all"
        );
    }

    #[test]
    fn the_only_key_that_signs_is_not_retired() {
        let active = key("a", KeyState::Active, 0);
        for now in [true, false] {
            assert_eq!(retire(std::slice::from_ref(&active), "a", now), Err(NotRetired::Only));
        }
        let both = [active, key("n", KeyState::Next, 0)];
        assert_eq!(retire(&both, "a", false), Err(NotRetired::Needed), "the next one takes over when it may");
        let at_once = vec![Step::Activate("n".into()), Step::Retire("a".into())];
        assert_eq!(retire(&both, "a", true), Ok(at_once));
    }

    #[test]
    fn a_key_of_another_algorithm_is_no_successor() {
        let other = KeyFacts { alg: SigningAlg::EdDsa, ..key("n", KeyState::Next, 0) };
        assert_eq!(retire(&[key("a", KeyState::Active, 0), other], "a", true), Err(NotRetired::Only));
    }

    #[test]
    fn a_former_key_is_retired_before_its_time_only_at_once_and_a_next_one_always() {
        let keys =
            [key("f", KeyState::Former, 0), key("n", KeyState::Next, 0), key("r", KeyState::Retired, 0)];
        assert_eq!(retire(&keys, "f", false), Err(NotRetired::Needed));
        assert_eq!(retire(&keys, "f", true), Ok(vec![Step::Retire("f".into())]));
        assert_eq!(retire(&keys, "n", false), Ok(vec![Step::Retire("n".into())]));
        for unknown in ["r", "x"] {
            assert_eq!(retire(&keys, unknown, true), Err(NotRetired::Unknown));
        }
    }

    #[test]
    fn who_becomes_active_makes_the_other_a_former_key_at_the_same_moment() {
        let keys = [key("a", KeyState::Active, 0), key("n", KeyState::Next, 0)];
        let changed = after(&keys, &Step::Activate("n".into()), Seconds(50), NumericDate(7), "");
        assert_eq!(changed, [key("a", KeyState::Former, 7), key("n", KeyState::Active, 7)]);
    }
}

//! Where chance begins in a test that throws dice: the same stories each time, and a new one with every run.

use crate::secret::{Entropy as _, SystemEntropy};

/// Names the seed that is played in place of the usual ones.
const VARIABLE: &str = "PROCURA_TEST_SEED";

/// A seed, and whether its stories are the ones that are played each time.
#[derive(Clone, Copy)]
pub(super) struct Seed {
    pub(super) number: u64,
    pub(super) usual: bool,
}

impl Seed {
    /// The seeds of this run, each with how many stories to play of it: as many `usual` ones as there are, and one of a
    /// seed that nobody chose. Where the environment names a seed, its stories and no others.
    pub(super) fn of_this_run(usual: u64) -> Vec<(Self, u64)> {
        if let Ok(named) = std::env::var(VARIABLE) {
            let number = named.parse().unwrap_or_else(|_| panic!("{VARIABLE} is no number: {named}"));
            return vec![(Self { number, usual: false }, usual)];
        }
        let mut bytes = [0; 8];
        SystemEntropy.fill(&mut bytes);
        let fresh = Self { number: u64::from_le_bytes(bytes), usual: false };
        vec![(Self { number: 0, usual: true }, usual), (fresh, 1)]
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to play this again: {VARIABLE}={}", self.0);
        }
    }
}

/// As long as it is there, a failure says which seed it was.
pub(super) struct Told(u64);

impl Seed {
    pub(super) const fn told(self) -> Told {
        Told(self.number)
    }
}

/// A die whose throws are the same each time.
pub(super) struct Die(u64);

impl Die {
    /// The die of one story of a seed.
    pub(super) const fn of(seed: Seed, story: u64) -> Self {
        // Neighbours are far apart (SplitMix64), and none is 0, of which nothing but 0 would come.
        let mut state = seed.number.wrapping_add(story.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((state ^ (state >> 31)) | 1)
    }

    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    pub(super) fn word(&mut self, of: &[&'static str]) -> &'static str {
        of[self.below(of.len())]
    }

    /// One of them, or none.
    pub(super) fn maybe<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        (!of.is_empty() && self.below(3) > 0).then(|| self.one(of))
    }

    /// Once in `n` throws.
    pub(super) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

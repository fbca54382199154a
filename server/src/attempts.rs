//! How often something failed of late: the bound on guessing, and on events that anybody can cause.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moka::sync::Cache;

/// Counts failures per key over a minute from the first one, for a bounded number of keys.
#[derive(Debug)]
pub struct Attempts {
    counts: Cache<String, Arc<AtomicU32>>,
    most: u32,
}

/// How many keys are remembered at once.
const MOST_KEYS: u64 = 50_000;

impl Attempts {
    /// At most `most` failures a minute for one key.
    #[must_use]
    pub fn new(most: u32) -> Self {
        let counts = Cache::builder().max_capacity(MOST_KEYS).time_to_live(Duration::from_secs(60)).build();
        Self { counts, most }
    }

    /// Takes one back: it was counted before it was known not to be a failure.
    pub fn forgive(&self, key: &str) {
        if let Some(count) = self.counts.get(key) {
            let _ = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        }
    }

    /// Counts one failure of `key`, and says whether it was still within the bound. Count before the check that may
    /// fail, so that many at once are bounded too, and [`Attempts::forgive`] where it did not.
    pub fn count(&self, key: &str) -> bool {
        let count = self.counts.get_with_by_ref(key, Arc::default);
        count.fetch_add(1, Ordering::Relaxed) < self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_exhausted_after_as_many_failures_as_are_allowed_and_no_other_key_is() {
        let attempts = Attempts::new(2);
        assert!(attempts.count("a") && attempts.count("a"));
        assert!(!attempts.count("a"));
        assert!(attempts.count("b"));
    }

    #[test]
    fn what_is_forgiven_does_not_count() {
        let attempts = Attempts::new(1);
        for _ in 0..3 {
            assert!(attempts.count("a"));
            attempts.forgive("a");
        }
        attempts.forgive("nobody");
        assert!(attempts.count("a"));
        assert!(!attempts.count("a"));
    }
}

//! How often something failed of late: the bound on guessing, and on events that anybody can cause.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moka::sync::Cache;

/// Counts failures per key over a span of time from the first one, for a bounded number of keys.
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
        Self::over(most, Duration::from_secs(60))
    }

    /// At most `most` failures in such a span for one key.
    #[must_use]
    pub fn over(most: u32, span: Duration) -> Self {
        let counts = Cache::builder().max_capacity(MOST_KEYS).time_to_live(span).build();
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

/// The failures of people to sign in, counted in several ways at once.
#[derive(Debug)]
pub struct SignInAttempts {
    /// For a name from an address, and for a name in a browser that knows its owner.
    pub pairs: Attempts,
    /// From an address, whatever the name.
    pub addresses: Attempts,
    /// For a name, over all browsers that do not know its owner.
    pub names: Attempts,
    /// Codes of one user from an address or in a browser that knows them.
    pub codes: Attempts,
    /// Codes of one user, over all browsers that do not know them.
    pub codes_of_user: Attempts,
    /// Mails to one address.
    pub mails: Attempts,
    /// Requests for mails from one address.
    pub mail_requests: Attempts,
}

/// Codes in a row from one place: whoever mistypes gets another try, whoever guesses a million gets nowhere.
const CODES_PER_MINUTE: u32 = 5;
/// Codes of one user from everywhere that they are not known: with three codes that fit at any time, that is one
/// chance in fifty of a hit in a year of guessing without a pause, for somebody who has the password already.
const CODES_PER_DAY: u32 = 20;
/// Mails to one address in an hour.
const MAILS_PER_HOUR: u32 = 3;
/// Requests for mails from one address in an hour.
const MAIL_REQUESTS_PER_HOUR: u32 = 20;

impl SignInAttempts {
    /// With these bounds on wrong passwords: a minute for a pair, a minute for an address, an hour for a name.
    #[must_use]
    pub fn new(pairs: u32, addresses: u32, names: u32) -> Self {
        const HOUR: Duration = Duration::from_secs(3600);
        Self {
            pairs: Attempts::new(pairs),
            addresses: Attempts::new(addresses),
            names: Attempts::over(names, HOUR),
            codes: Attempts::new(CODES_PER_MINUTE),
            codes_of_user: Attempts::over(CODES_PER_DAY, HOUR * 24),
            mails: Attempts::over(MAILS_PER_HOUR, HOUR),
            mail_requests: Attempts::over(MAIL_REQUESTS_PER_HOUR, HOUR),
        }
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

//! Time, read once per request at its door. Nothing else in the house asks what time it is.

use std::sync::atomic::{AtomicI64, Ordering};

use protocol::numeric_date::{NumericDate, Seconds};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The current time in whole seconds.
    fn now(&self) -> NumericDate;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> NumericDate {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        NumericDate(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX))
    }
}

/// A clock that runs with the machine's, ahead of it by as much as it was turned; for tests.
#[derive(Debug, Default)]
pub struct TurnedClock {
    ahead: AtomicI64,
}

impl TurnedClock {
    /// Turns it forward (or back) by `length`.
    pub fn turn(&self, length: Seconds) {
        self.ahead.fetch_add(length.0, Ordering::SeqCst);
    }
}

impl Clock for TurnedClock {
    fn now(&self) -> NumericDate {
        SystemClock.now().plus(Seconds(self.ahead.load(Ordering::SeqCst)))
    }
}

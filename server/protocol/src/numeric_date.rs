//! Time as a value (RFC 7519 §2, "NumericDate").

use std::fmt;

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, ignoring leap seconds (RFC 7519 §2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NumericDate(pub i64);

/// A length of time in whole seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub i64);

impl Seconds {
    /// `n` minutes.
    #[must_use]
    pub const fn minutes(n: i64) -> Self {
        Self(n * 60)
    }

    /// `n` days.
    #[must_use]
    pub const fn days(n: i64) -> Self {
        Self(n * 86_400)
    }
}

impl NumericDate {
    /// This moment and `length` more, saturating at the end of time.
    #[must_use]
    pub const fn plus(self, length: Seconds) -> Self {
        Self(self.0.saturating_add(length.0))
    }

    /// How long from `earlier` to this moment; negative when it lies before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Seconds {
        Seconds(self.0.saturating_sub(earlier.0))
    }

    /// Whether something that ends at this moment is over at `now` (RFC 7519 §4.1.4: "on or after").
    #[must_use]
    pub const fn is_over(self, now: Self) -> bool {
        now.0 >= self.0
    }

    /// Parses an RFC 3339 timestamp, as authorization details carry them.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let parsed =
            time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
        Some(Self(parsed.unix_timestamp()))
    }

    /// The moment as an RFC 3339 timestamp in UTC; moments outside years 0–9999 print as their number.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        time::OffsetDateTime::from_unix_timestamp(self.0)
            .ok()
            .and_then(|t| t.format(&time::format_description::well_known::Rfc3339).ok())
            .unwrap_or_else(|| self.0.to_string())
    }
}

impl fmt::Display for NumericDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_over_at_its_exp_and_not_a_second_before() {
        let exp = NumericDate(100);
        assert!(!exp.is_over(NumericDate(99)));
        assert!(exp.is_over(NumericDate(100)));
    }

    #[test]
    fn rfc3339_is_read_and_printed() {
        let date = NumericDate::parse_rfc3339("2026-12-31T23:59:59Z").unwrap();
        assert_eq!(date.to_rfc3339(), "2026-12-31T23:59:59Z");
        assert_eq!(NumericDate::parse_rfc3339("tomorrow"), None);
    }
}

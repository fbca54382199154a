//! A date as people read it.

use protocol::numeric_date::NumericDate;

use super::language::Language;

/// A moment for `<time>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moment {
    /// RFC 3339, for `datetime`.
    pub datetime: String,
    /// In words, in UTC.
    pub words: String,
}

impl Moment {
    /// The moment in the words of `language`; outside the years 0–9999 its number is all there is to say.
    #[must_use]
    pub fn of(date: NumericDate, language: Language) -> Self {
        let datetime = date.to_rfc3339();
        let Ok(at) = time::OffsetDateTime::from_unix_timestamp(date.0) else {
            return Self { words: datetime.clone(), datetime };
        };
        let month = language.t(month_key(at.month()));
        let (day, year) = (at.day().to_string(), at.year().to_string());
        let time = format!("{:02}:{:02}", at.hour(), at.minute());
        let words = language.t_with(
            "moment",
            &[
                ("day", day.as_str().into()),
                ("month", month.as_str().into()),
                ("year", year.as_str().into()),
                ("time", time.as_str().into()),
            ],
        );
        Self { datetime, words }
    }
}

const fn month_key(month: time::Month) -> &'static str {
    use time::Month as M;
    match month {
        M::January => "month-january",
        M::February => "month-february",
        M::March => "month-march",
        M::April => "month-april",
        M::May => "month-may",
        M::June => "month-june",
        M::July => "month-july",
        M::August => "month-august",
        M::September => "month-september",
        M::October => "month-october",
        M::November => "month-november",
        M::December => "month-december",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_in_the_language_of_the_page() {
        let date = NumericDate::parse_rfc3339("2026-03-07T09:05:59Z").unwrap();
        assert_eq!(Moment::of(date, Language::English).words, "7 March 2026, 09:05 UTC");
        assert_eq!(Moment::of(date, Language::German).words, "7. März 2026, 09:05 Uhr (UTC)");
        assert_eq!(Moment::of(date, Language::German).datetime, "2026-03-07T09:05:59Z");
    }

    #[test]
    fn a_moment_no_calendar_knows_is_shown_as_its_number() {
        let end = Moment::of(NumericDate(i64::MAX), Language::English);
        assert_eq!(end.words, i64::MAX.to_string());
    }
}

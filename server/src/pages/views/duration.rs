//! How long a consent may stand, as offered on the consent page.

use protocol::numeric_date::Seconds;

use super::language::Language;

/// One of the durations to choose from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfferedDuration {
    /// The length, the value that is posted as `until`.
    pub seconds: i64,
    /// The same in words, such as `8 hours`.
    pub label: String,
}

/// What is offered beside the longest one.
const STEPS: [Seconds; 5] =
    [Seconds::minutes(15), Seconds::minutes(60), Seconds::minutes(480), Seconds::days(1), Seconds::days(30)];

impl OfferedDuration {
    /// One duration with its label.
    #[must_use]
    pub fn new(length: Seconds, language: Language) -> Self {
        Self { seconds: length.0, label: in_words(length, language) }
    }

    /// Everything that may be chosen where `longest` is the longest: shorter steps first, `longest` itself last.
    #[must_use]
    pub fn up_to(longest: Seconds, language: Language) -> Vec<Self> {
        let shorter = STEPS.into_iter().filter(|step| *step < longest);
        shorter.chain([longest]).map(|length| Self::new(length, language)).collect()
    }
}

/// The two largest units that are not zero, such as `1 day 6 hours`; less than a minute counts as none.
fn in_words(length: Seconds, language: Language) -> String {
    let minutes = length.0.max(0) / 60;
    let units = [
        ("duration-days", minutes / 1440),
        ("duration-hours", minutes / 60 % 24),
        ("duration-minutes", minutes % 60),
    ];
    let parts: Vec<String> = units
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .take(2)
        .map(|(key, count)| language.t_with(key, &[("count", count.into())]))
        .collect();
    if parts.is_empty() {
        return language.t("duration-less-than-a-minute");
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(longest: Seconds, language: Language) -> Vec<String> {
        OfferedDuration::up_to(longest, language).into_iter().map(|d| d.label).collect()
    }

    #[test]
    fn nothing_longer_than_the_longest_is_offered_and_the_longest_is_last() {
        assert_eq!(labels(Seconds::minutes(60), Language::English), ["15 minutes", "1 hour"]);
        assert_eq!(
            labels(Seconds::minutes(90), Language::German),
            ["15 Minuten", "1 Stunde", "1 Stunde 30 Minuten"]
        );
        assert_eq!(labels(Seconds(20), Language::English), ["less than a minute"]);
        let offered = OfferedDuration::up_to(Seconds::days(90), Language::English);
        assert_eq!(offered.last().map(|d| d.seconds), Some(90 * 86_400));
        assert_eq!(offered.len(), 6);
    }
}

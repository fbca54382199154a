//! `[userinfo]`: what userinfo asks of the login behind an access token (RFC 9470).

use protocol::acr::Acr;
use protocol::numeric_date::Seconds;
use protocol::step_up::Demand;
use serde::{Deserialize, Deserializer};

use super::written::duration;

/// What userinfo asks of a login.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserinfoSettings {
    /// One of these authentication contexts; none where any will do.
    pub acr_values: Vec<String>,
    /// How long ago it may be, at most.
    #[serde(deserialize_with = "some_duration")]
    pub max_age: Option<Seconds>,
}

fn some_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Seconds>, D::Error> {
    duration(deserializer).map(Some)
}

impl UserinfoSettings {
    /// The same, for the law.
    #[must_use]
    pub fn demand(&self) -> Demand {
        Demand { acr_values: self.acr_values.clone(), max_age: self.max_age }
    }

    /// What is wrong with the values, each by its key.
    pub(super) fn wrong(&self) -> Vec<(&'static str, String)> {
        let unknown = self.acr_values.iter().find(|value| value.parse::<Acr>().is_err());
        let unknown = unknown.map(|value| {
            let known = Acr::ALL.map(Acr::as_str).join(", ");
            ("userinfo.acr_values", format!("{value:?} is none of {known}"))
        });
        let negative = self.max_age.filter(|age| age.0 < 1);
        let negative = negative.map(|_| ("userinfo.max_age", "must be at least 1 second".to_owned()));
        unknown.into_iter().chain(negative).collect()
    }
}

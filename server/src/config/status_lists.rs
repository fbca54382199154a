//! `[status_lists]`.

use protocol::numeric_date::Seconds;
use serde::Deserialize;

use super::written::duration;

/// What those who validate offline are told of ended tokens.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatusListSettings {
    /// How long a list is believed before it is fetched anew.
    #[serde(deserialize_with = "duration")]
    pub ttl: Seconds,
}

impl Default for StatusListSettings {
    fn default() -> Self {
        Self { ttl: Seconds(30) }
    }
}

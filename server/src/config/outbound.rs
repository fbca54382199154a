//! `[outbound]`: the bounds of every request that this server makes of others.

use std::path::PathBuf;

use ipnet::IpNet;
use protocol::numeric_date::Seconds;
use serde::Deserialize;

use super::written::duration;

/// The bounds of outgoing requests.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboundSettings {
    /// How long one may take, from name to last byte.
    #[serde(deserialize_with = "duration")]
    pub timeout: Seconds,
    /// The longest answer, in bytes.
    pub most_bytes: usize,
    /// Ranges of addresses that may be reached although they are not on the public internet, also by plain http.
    pub permitted_addresses: Vec<IpNet>,
    /// Certificates that are trusted beside those of the system, as PEM.
    pub ca_file: Option<PathBuf>,
}

impl Default for OutboundSettings {
    fn default() -> Self {
        Self { timeout: Seconds(5), most_bytes: 256 * 1024, permitted_addresses: Vec::new(), ca_file: None }
    }
}

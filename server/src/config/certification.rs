//! `[certification]`: a server that is tested by a conformance suite, and is good for nothing else. It lets anybody
//! who knows a word do what otherwise only people and operators may.

use serde::Deserialize;

use super::hidden::Hidden;

/// The shortest `hook_secret`, in characters.
const SHORTEST_SECRET: usize = 16;

/// What makes a test server of this one. Without the table there is nothing of it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificationSettings {
    /// Must be `true`.
    pub i_know_that_this_is_insecure: bool,
    /// The issuer once more: a table that was copied to another server by mistake does not open it.
    pub issuer: String,
    /// What stands in the path of each hook.
    pub hook_secret: Hidden,
}

impl CertificationSettings {
    /// How many people a test server may know at most: a server with real people is none.
    pub const MOST_USERS: u64 = 20;

    /// What is wrong with the values, each by its key.
    pub(super) fn wrong(&self, issuer: &str) -> Vec<(&'static str, String)> {
        let secret = self.hook_secret.reveal();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let checks = [
            (
                "certification.i_know_that_this_is_insecure",
                self.i_know_that_this_is_insecure,
                "must be true: with this table, strangers may approve requests and change keys".to_owned(),
            ),
            (
                "certification.issuer",
                self.issuer == issuer,
                format!("must be the issuer of this server, {issuer}"),
            ),
            (
                "certification.hook_secret",
                secret.len() >= SHORTEST_SECRET && secret.bytes().all(plain),
                format!("must be at least {SHORTEST_SECRET} letters, digits, - and _"),
            ),
        ];
        checks.into_iter().filter(|(_, fit, _)| !fit).map(|(key, _, why)| (key, why)).collect()
    }
}

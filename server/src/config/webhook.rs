//! `[[webhooks]]`: who is told of what waits for approval.

use protocol::registration::redirect_uris::is_loopback;
use serde::Deserialize;
use url::Url;

use super::problem::Entry;

/// The longest name, in bytes.
const LONGEST_ID: usize = 100;

/// A webhook as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenWebhook {
    id: String,
    url: Url,
}

/// A declared webhook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclaredWebhook {
    /// Its name.
    pub id: String,
    /// Where it is told.
    pub url: Url,
}

impl WrittenWebhook {
    pub(super) fn check(self, mut entry: Entry<'_>) -> DeclaredWebhook {
        entry.check((1..=LONGEST_ID).contains(&self.id.len()), "id", "must be 1 to 100 characters");
        let url = &self.url;
        // Whether plain http to this very machine reaches anybody, `outbound` says.
        let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        entry.check(safe && plain, "url", "must be https, without a user or a fragment");
        DeclaredWebhook { id: self.id, url: self.url }
    }
}

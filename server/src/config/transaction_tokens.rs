//! `[transaction_tokens]`: the trust domain inside which they go from workload to workload.

use std::collections::BTreeSet;

use protocol::identifier::ClientId;
use protocol::numeric_date::Seconds;
use serde::Deserialize;

use super::known::Known;
use super::written::duration;

/// The trust domain, if there is one.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransactionTokenSettings {
    /// What it is called: the `audience` of requests and the `aud` of transaction tokens.
    pub trust_domain: Option<String>,
    /// Its workloads.
    pub clients: BTreeSet<ClientId>,
    /// How long a transaction token lives.
    #[serde(deserialize_with = "duration")]
    pub life: Seconds,
}

impl Default for TransactionTokenSettings {
    fn default() -> Self {
        Self { trust_domain: None, clients: BTreeSet::new(), life: Seconds::minutes(1) }
    }
}

impl TransactionTokenSettings {
    /// Whether `client` is a workload of the trust domain of this name.
    #[must_use]
    pub fn admit(&self, trust_domain: &str, client: &ClientId) -> bool {
        self.trust_domain.as_deref() == Some(trust_domain) && self.clients.contains(client)
    }

    /// What is wrong with the values, each by its key.
    pub(super) fn wrong(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.trust_domain.as_ref().is_some_and(|name| !(1..=255).contains(&name.len())) {
            wrong.push(("transaction_tokens.trust_domain", "must be 1 to 255 characters".to_owned()));
        }
        if !(1..=600).contains(&self.life.0) {
            wrong.push(("transaction_tokens.life", "must be from 1 to 600 seconds".to_owned()));
        }
        if self.trust_domain.is_none() && !self.clients.is_empty() {
            let reason = "says nothing without transaction_tokens.trust_domain".to_owned();
            wrong.push(("transaction_tokens.clients", reason));
        }
        wrong
    }

    /// What it names and nobody declared.
    pub(super) fn unknown(&self, known: &Known) -> Vec<(&'static str, String)> {
        let nowhere = self.clients.iter().filter(|client| !known.clients.contains(client.as_str()));
        nowhere
            .map(|client| {
                ("transaction_tokens.clients", format!("no client or agent has the id {:?}", client.as_str()))
            })
            .collect()
    }
}

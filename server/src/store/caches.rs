//! What the house remembers of the database, so that a hot exchange reads nothing before its commit.
//!
//! What can change is remembered for one second, because another process may change it, and forgotten when this
//! one does. What a token is never changes. Whether something is alive is never remembered.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use moka::sync::Cache;
use protocol::client::Client;
use protocol::consent::Consent;
use protocol::identifier::{ClientId, ConsentId, TaskId, TokenId, UserId};
use protocol::resource_server::ResourceServer;
use protocol::task::Task;
use protocol::token::Token;
use protocol::user::User;

use super::batch::{Prepared, Verdicts};
use super::change::{Ending, Take};
use super::details_types::KeptDetailsType;
use crate::secret::SecretDigest;

/// How long something that another process may have changed is believed.
const STALENESS: Duration = Duration::from_secs(1);
/// The most clients, users, consents and tasks that are remembered, each.
const MOST: u64 = 10_000;
/// The most token content that is remembered, in portions of [`PORTION`] bytes.
const MOST_TOKENS: u64 = 20_000;
/// A token weighs one for each portion of its document that was begun.
const PORTION: usize = 1024;

/// All resource servers and all details types.
#[derive(PartialEq)]
pub(super) struct Declared {
    pub(super) resource_servers: Arc<Vec<ResourceServer>>,
    pub(super) details_types: Arc<Vec<KeptDetailsType>>,
}

/// A token and its weight.
type Weighed = (Arc<Token>, u32);

/// Everything remembered.
pub(super) struct Caches {
    pub(super) clients: Cache<ClientId, Arc<Client>>,
    pub(super) users: Cache<UserId, Arc<User>>,
    pub(super) consents: Cache<ConsentId, Arc<Consent>>,
    pub(super) tasks: Cache<TaskId, Arc<Task>>,
    tokens: Cache<SecretDigest, Weighed>,
    tokens_by_id: Cache<TokenId, Weighed>,
    declared: ArcSwapOption<Declared>,
    declared_is_fresh: Cache<(), ()>,
}

impl Caches {
    pub(super) fn new() -> Self {
        Self {
            clients: brief(),
            users: brief(),
            consents: brief(),
            tasks: brief(),
            tokens: weighed(),
            tokens_by_id: weighed(),
            declared: ArcSwapOption::empty(),
            declared_is_fresh: Cache::builder().max_capacity(1).time_to_live(STALENESS).build(),
        }
    }

    pub(super) fn token(&self, digest: &SecretDigest) -> Option<Arc<Token>> {
        self.tokens.get(digest).map(|(token, _)| token)
    }

    pub(super) fn token_by_id(&self, id: &TokenId) -> Option<Arc<Token>> {
        self.tokens_by_id.get(id).map(|(token, _)| token)
    }

    /// Remembers a token, as heavy as the `document` it is stored as.
    pub(super) fn remember_token(&self, digest: Option<SecretDigest>, token: &Arc<Token>, document: &str) {
        let weight = u32::try_from(1 + document.len() / PORTION).unwrap_or(u32::MAX);
        if let Some(digest) = digest {
            self.tokens.insert(digest, (Arc::clone(token), weight));
        }
        self.tokens_by_id.insert(token.id.clone(), (Arc::clone(token), weight));
    }

    /// What is declared, if it was read within the last second.
    pub(super) fn declared(&self) -> Option<Arc<Declared>> {
        self.declared_is_fresh.get(&()).and_then(|()| self.declared.load_full())
    }

    /// Remembers what is declared. While nothing changes, everybody keeps getting the same values.
    pub(super) fn remember_declared(&self, read: Declared) -> Arc<Declared> {
        let known = self.declared.load_full().filter(|known| **known == read);
        let declared = known.unwrap_or_else(|| Arc::new(read));
        self.declared.store(Some(Arc::clone(&declared)));
        self.declared_is_fresh.insert((), ());
        declared
    }

    /// Remembers what a batch kept and forgets what it changed.
    pub(super) fn after(&self, batch: &[&Prepared], verdicts: &Verdicts) {
        for (prepared, verdict) in batch.iter().zip(verdicts) {
            if verdict.is_ok() {
                self.after_one(prepared);
            }
        }
    }

    fn after_one(&self, prepared: &Prepared) {
        let rows = &prepared.rows;
        for (token, digest, row) in &rows.tokens {
            self.remember_token(Some(*digest), token, &row.document);
        }
        for (consent, _) in &rows.consents {
            self.consents.insert(consent.id.clone(), Arc::clone(consent));
        }
        for (task, _) in &rows.tasks {
            self.tasks.insert(task.id.clone(), Arc::clone(task));
        }
        rows.clients.iter().for_each(|(id, _)| self.clients.invalidate(id));
        rows.users.iter().for_each(|(id, _)| self.users.invalidate(id));
        if rows.has_declared() {
            self.declared_is_fresh.invalidate(&());
        }
        prepared.change.operate.iter().for_each(|(id, _)| self.clients.invalidate(id));
        prepared.change.account.iter().for_each(|(id, _)| self.users.invalidate(id));
        if prepared.change.operate.is_some() || prepared.change.account.is_some() {
            self.consents.invalidate_all();
            self.tasks.invalidate_all();
        }
        if let Some(Take::Task { .. }) = &prepared.change.take {
            self.tasks.invalidate_all();
        }
        if let Some(amendment) = &prepared.change.amend {
            self.consents.invalidate(&amendment.consent().id);
            self.tasks.invalidate_all();
        }
        prepared.change.derives.iter().for_each(|id| self.tasks.invalidate(id));
        for ending in &prepared.change.end {
            match ending {
                Ending::Owner(_) => self.clients.invalidate_all(),
                Ending::Client(_) | Ending::Agent(_) | Ending::User(_) => {
                    self.consents.invalidate_all();
                    self.tasks.invalidate_all();
                }
                Ending::Consent(id) => {
                    self.consents.invalidate(id);
                    self.tasks.invalidate_all();
                }
                Ending::Task(_) => self.tasks.invalidate_all(),
                Ending::Token(_)
                | Ending::Family(_)
                | Ending::Instance(_)
                | Ending::Session(_)
                | Ending::SessionsOf { .. }
                | Ending::CodeTokens(_) => {}
            }
        }
    }
}

fn brief<K, V>() -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder().max_capacity(MOST).time_to_live(STALENESS).build()
}

fn weighed<K: std::hash::Hash + Eq + Send + Sync + 'static>() -> Cache<K, Weighed> {
    Cache::builder().max_capacity(MOST_TOKENS).weigher(|_, (_, weight)| *weight).build()
}

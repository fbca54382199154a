//! What every room may borrow: the store, the keys, the clock, the dice and the settings.

use std::net::IpAddr;
use std::sync::Arc;

use protocol::audience::ResourceIndicator;
use protocol::audit::AuditEvent;
use protocol::client::{Client, KeySource};
use protocol::identifier::RequestId;
use protocol::numeric_date::NumericDate;
use protocol::rule::Rules;
use subtle::ConstantTimeEq as _;

use crate::attempts::Attempts;
use crate::clock::Clock;
use crate::config::Settings;
use crate::failure::Failure;
use crate::jose::{ClientKeyCache, ClientKeys, JoseError, KeyRing, NonceBox};
use crate::outbound::Outbound;
use crate::registry::{Registry, RegistryCache};
use crate::secret::Entropy;
use crate::store::{Change, CommitError, Store};
use crate::upstreams::Upstreams;

/// The house's inventory. One per process, shared by every request.
pub struct App {
    /// Speaks SQL.
    pub store: Store,
    /// Signs and verifies what is ours.
    pub keys: KeyRing,
    /// Makes and knows DPoP nonces.
    pub nonces: NonceBox,
    /// The parsed public keys of clients.
    pub client_keys: ClientKeyCache,
    /// Asks others.
    pub outbound: Outbound,
    /// The OpenID Providers that people may sign in at.
    pub upstreams: Upstreams,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Rolls the dice.
    pub entropy: Arc<dyn Entropy>,
    /// How it is set up.
    pub settings: Settings,
    /// Admin rules from the configuration.
    pub rules: Rules,
    /// What is registered: details types and resource servers.
    pub registry: RegistryCache,
    /// This server's issuer as a resource: where userinfo is.
    pub itself: ResourceIndicator,
    /// Failures of clients to authenticate with a secret.
    pub client_failures: Attempts,
    /// Failures of users to sign in.
    pub sign_in_failures: Attempts,
    /// Events that anybody can cause, kept from flooding the audit log.
    pub unauthenticated_events: Attempts,
    /// How many passwords are hashed at once: each takes 19 MiB and a core.
    pub password_hashing: tokio::sync::Semaphore,
}

/// One request, as far as everybody needs to know it. The clock was read once, at its door.
#[derive(Clone, Debug)]
pub struct Visit {
    /// When it came.
    pub now: NumericDate,
    /// Its id in logs and in the audit log.
    pub id: RequestId,
    /// Where it came from.
    pub from: Option<IpAddr>,
}

impl App {
    /// The issuer identifier (RFC 8414 §2).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// The public URL of one of our paths.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.settings.issuer)
    }

    /// The keys that `client` signs with.
    ///
    /// # Errors
    /// [`JoseError`] where it has none that can be read.
    pub fn keys_of(&self, client: &Client) -> Result<Arc<ClientKeys>, JoseError> {
        match &client.keys {
            KeySource::Jwks(jwks) => self.client_keys.keys(&client.id, jwks),
            KeySource::None | KeySource::JwksUri(_) => Err(JoseError::NotAKeySet),
        }
    }

    /// What is registered now.
    ///
    /// # Errors
    /// The store's.
    pub async fn registry(&self) -> Result<Arc<Registry>, Failure> {
        self.registry.current(&self.store).await
    }

    /// Writes the event of a refusal. Nothing else is changed, so that only a broken store can keep it away; then the
    /// caller is told of that instead.
    ///
    /// # Errors
    /// The store's.
    pub async fn tell(&self, event: AuditEvent) -> Result<(), Failure> {
        match self.store.commit(Change::new(event)).await {
            Ok(_) | Err(CommitError::Conflict(_)) => Ok(()),
            Err(CommitError::Broken(error)) => Err(error.into()),
        }
    }

    /// Writes the event of something that anybody can cause, unless there were too many of this kind from this
    /// address of late; those are told in the log of the process.
    ///
    /// # Errors
    /// The store's.
    pub async fn tell_of_stranger(&self, visit: &Visit, event: AuditEvent) -> Result<(), Failure> {
        if self.may_tell_of_stranger(visit, &event) {
            return self.tell(event).await;
        }
        Ok(())
    }

    /// Whether there is room in the audit log for one more event that anybody can cause.
    pub fn may_tell_of_stranger(&self, visit: &Visit, event: &AuditEvent) -> bool {
        let source = visit.from.map(|ip| ip.to_string()).unwrap_or_default();
        let room = self.unauthenticated_events.count(&format!("{:?} {source}", event.action));
        if !room {
            tracing::warn!(action = ?event.action, "too many events of strangers: one was left out of the audit log");
        }
        room
    }
}

/// Compares two texts in constant time.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

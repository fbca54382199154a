//! What every room may borrow: the store, the keys, the clock, the dice and the settings.

use std::net::IpAddr;
use std::sync::Arc;

use protocol::audience::ResourceIndicator;
use protocol::audit::AuditEvent;
use protocol::authority::Authority;
use protocol::authorization::Registered;
use protocol::client::{Client, Encryption, KeySource, SigningAlg};
use protocol::consent::Consent;
use protocol::device::household;
use protocol::identifier::{RequestId, UserId};
use protocol::numeric_date::NumericDate;
use protocol::resource_authorization_server::ResourceAuthorizationServer;
use protocol::rule::Rules;
use protocol::subject::{Perspective, perspective};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::attempts::{Attempts, SignInAttempts};
use crate::clock::Clock;
use crate::config::Settings;
use crate::failure::Failure;
use crate::jose::{AtRest, ClientKeyCache, ClientKeys, JoseError, Keys, NonceBox, PairwiseKey};
use crate::key_sets::KeySets;
use crate::logos::Logos;
use crate::mail::Mailer;
use crate::outbound::Outbound;
use crate::registry::{Registry, RegistryCache};
use crate::secret::Entropy;
use crate::status_lists::StatusLists;
use crate::store::{Change, CommitError, Store};
use crate::tls::{ClientCertificate, Tls};
use crate::trusted_issuers::TrustedIssuers;
use crate::upstreams::Upstreams;
use crate::webhooks::Webhooks;
use crate::workloads::Workloads;

/// The house's inventory. One per process, shared by every request.
pub struct App {
    /// Speaks SQL.
    pub store: Store,
    /// Signs and verifies what is ours.
    pub keys: Keys,
    /// Seals what the database keeps of secrets.
    pub at_rest: AtRest,
    /// Makes and knows DPoP nonces.
    pub nonces: NonceBox,
    /// Names users for those who may not know them by one name.
    pub pairwise: PairwiseKey,
    /// The parsed public keys of clients.
    pub client_keys: ClientKeyCache,
    /// What clients publish at their `jwks_uri`.
    pub key_sets: KeySets,
    /// Those whose JWTs are believed.
    pub trusted_issuers: TrustedIssuers,
    /// The platforms that vouch for workloads.
    pub workloads: Workloads,
    /// The authorization servers of other domains, to which clients carry grants.
    pub resource_authorization_servers: Vec<ResourceAuthorizationServer>,
    /// Asks others.
    pub outbound: Outbound,
    /// The OpenID Providers that people may sign in at.
    pub upstreams: Upstreams,
    /// What our listeners show in the handshake, and who vouches for clients' certificates.
    pub tls: Tls,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Rolls the dice.
    pub entropy: Arc<dyn Entropy>,
    /// How it is set up.
    pub settings: Settings,
    /// Admin rules from the configuration.
    pub rules: Rules,
    /// Who is told of events.
    pub webhooks: Webhooks,
    /// What is registered: details types and resource servers.
    pub registry: RegistryCache,
    /// This server's issuer as a resource: where userinfo is.
    pub itself: ResourceIndicator,
    /// The admin API as a resource.
    pub admin_api: ResourceIndicator,
    /// Failures of clients to authenticate with a secret.
    pub client_failures: Attempts,
    /// Failures of users to sign in.
    pub sign_in_attempts: SignInAttempts,
    /// User codes that were none.
    pub user_code_failures: Attempts,
    /// Codes that were not the one that a user set for those who ask them from afar, whoever sent them.
    pub wrong_codes_of_user: Attempts,
    /// Writes mail, if it can.
    pub mailer: Option<Mailer>,
    /// Mails to one user about questions that wait for them.
    pub question_mails: Attempts,
    /// The hash of a password that nobody has, as costly to check as those that people have.
    pub nobodys_password: Option<String>,
    /// Events that anybody can cause, kept from flooding the audit log.
    pub unauthenticated_events: Attempts,
    /// Clients that one address registers, or makes us look up.
    pub registrations: Attempts,
    /// Metadata documents that one host is asked for.
    pub document_hosts: Attempts,
    /// Where the statuses of tokens stand.
    pub status_lists: StatusLists,
    /// The logos of clients.
    pub logos: Logos,
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
    /// Where it came from; behind trusted proxies, the address that they saw.
    pub from: Option<IpAddr>,
    /// The certificate that whoever sent it holds, by the TLS handshake with us or with a trusted proxy.
    pub certificate: Option<Arc<ClientCertificate>>,
}

impl Visit {
    /// Where it came from, as far as what is bounded is counted by it: whoever has a network of IPv6 has all its
    /// addresses, so it counts as one.
    #[must_use]
    pub fn source(&self) -> String {
        self.from.map(household).unwrap_or_default()
    }
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

    /// The same endpoint where clients show certificates (`mtls_endpoint_aliases`, RFC 8705 §5), if there is one.
    #[must_use]
    pub fn mtls_alias(&self, url: &str) -> Option<String> {
        let path = url.strip_prefix(self.issuer())?;
        Some(format!("{}{path}", self.settings.mtls.base()?))
    }

    /// The JWK Set of `client`, which it registered or publishes: for what it signs and for what is encrypted to it.
    ///
    /// # Errors
    /// [`JoseError::NotAKeySet`] where it has none, or does not publish it now.
    pub async fn jwks_of(&self, client: &Client, now: NumericDate) -> Result<Arc<Value>, JoseError> {
        let jwks = match &client.keys {
            KeySource::Jwks(jwks) => Some(Arc::new(jwks.clone())),
            KeySource::JwksUri(uri) => self.key_sets.get(&self.outbound, uri, now).await,
            KeySource::None => None,
        };
        jwks.ok_or(JoseError::NotAKeySet)
    }

    /// A newer JWK Set than `known`, which lacked something, where `client` publishes one. How often that is looked
    /// for is bounded.
    pub async fn newer_jwks_of(
        &self,
        client: &Client,
        known: &Arc<Value>,
        now: NumericDate,
    ) -> Option<Arc<Value>> {
        match &client.keys {
            KeySource::JwksUri(uri) => self.key_sets.newer(&self.outbound, uri, known, now).await,
            KeySource::Jwks(_) | KeySource::None => None,
        }
    }

    /// The keys that `client` signs with.
    ///
    /// # Errors
    /// [`JoseError`] where it has none that can be read.
    pub async fn keys_of(&self, client: &Client, now: NumericDate) -> Result<Arc<ClientKeys>, JoseError> {
        match &client.keys {
            KeySource::Jwks(jwks) => self.client_keys.keys(&client.id, jwks),
            _ => self.client_keys.keys(&client.id, &*self.jwks_of(client, now).await?),
        }
    }

    /// The claims of a JWT that `client` signed, with any of its keys; and where none fits, with those that it has
    /// published since.
    ///
    /// # Errors
    /// [`JoseError`].
    pub async fn verify_of(
        &self,
        client: &Client,
        compact: &str,
        kid: Option<&str>,
        alg: SigningAlg,
        now: NumericDate,
    ) -> Result<Map<String, Value>, JoseError> {
        let KeySource::JwksUri(_) = &client.keys else {
            return self.keys_of(client, now).await?.verify(compact, kid, alg);
        };
        let jwks = self.jwks_of(client, now).await?;
        match self.client_keys.keys(&client.id, &jwks)?.verify(compact, kid, alg) {
            Err(JoseError::UnknownKey) => {}
            // A set without names for its keys may have got others.
            Err(JoseError::BadSignature) if kid.is_none() => {}
            verdict => return verdict,
        }
        let newer = self.newer_jwks_of(client, &jwks, now).await.ok_or(JoseError::UnknownKey)?;
        self.client_keys.keys(&client.id, &newer)?.verify(compact, kid, alg)
    }

    /// The `sub` by which `client` knows `user` (OpenID Connect Core §8): in ID tokens, at userinfo, in introspection
    /// answers to it and in logout tokens.
    #[must_use]
    pub fn subject_for(&self, client: &Client, user: &UserId) -> String {
        match perspective(client) {
            Perspective::Public => user.to_string(),
            Perspective::Pairwise(sector) => self.pairwise.subject(&sector, user),
        }
    }

    /// A signed JWT as `client` wants it: in an encrypted one, where it registered how.
    ///
    /// # Errors
    /// [`JoseError`] where it registered that and has no key for it.
    pub async fn encrypt_to(
        &self,
        client: &Client,
        jwt: String,
        encryption: Option<Encryption>,
        now: NumericDate,
    ) -> Result<String, JoseError> {
        match encryption {
            None => Ok(jwt),
            Some(Encryption { alg, enc }) => self.keys_of(client, now).await?.encrypt(&jwt, alg, enc),
        }
    }

    /// Claims encrypted to `client` and not signed, as a client that registered no signature wants them.
    ///
    /// # Errors
    /// [`JoseError`] where it has no key for it.
    pub async fn encrypt_claims_to(
        &self,
        client: &Client,
        claims: &Map<String, Value>,
        encryption: Encryption,
        now: NumericDate,
    ) -> Result<String, JoseError> {
        self.keys_of(client, now).await?.encrypt_claims(claims, encryption.alg, encryption.enc)
    }

    /// What is registered now.
    ///
    /// # Errors
    /// The store's.
    pub async fn registry(&self) -> Result<Arc<Registry>, Failure> {
        self.registry.current(&self.store).await
    }

    /// What is registered, as it counts for what comes of `consent`, if it comes of one: each of its details is judged by
    /// the version of its type that it was given under.
    ///
    /// # Errors
    /// The store's.
    pub async fn registry_of(&self, consent: Option<&Consent>) -> Result<Arc<Registry>, Failure> {
        let current = self.registry().await?;
        match consent {
            Some(consent) => self.registry.of_consent(&self.store, &current, consent).await,
            None => Ok(current),
        }
    }

    /// The part of `authority` that `user`, being in the groups that they are in now, may let others use; none where
    /// nothing is left, or nobody is.
    ///
    /// # Errors
    /// The store's.
    pub async fn open_to(
        &self,
        registered: Registered<'_>,
        user: &UserId,
        authority: &Authority,
    ) -> Result<Option<Authority>, Failure> {
        if !registered.keep_for_groups() {
            return Ok(Some(authority.clone()));
        }
        let user = self.store.find_user(user).await?;
        Ok(user.and_then(|user| registered.authority_open_to(&user.groups(), authority)))
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
        let source = visit.source();
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

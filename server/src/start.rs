//! Opening the house: the store, what the configuration declares, the keys, and the first admin.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::{Client, ClientStatus, SigningAlg};
use protocol::identifier::UserId;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::rule::Rules;
use protocol::user::User;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::app::App;
use crate::attempts::Attempts;
use crate::clock::Clock;
use crate::config::{Config, Declared, DeclaredUser};
use crate::failure::Broken;
use crate::jose::{ClientKeyCache, KeyRing, NonceBox, SigningKey, SigningKeyDocument};
use crate::outbound::{Outbound, OutboundUnfit};
use crate::registry::RegistryCache;
use crate::secret::{Entropy, Secret, random_id};
use crate::sign_in::SET_PASSWORD;
use crate::store::{Change, CommitError, OneTimeLink, Origin, Record, Store, StoreError};
use crate::upstreams::Upstreams;

/// Why the house cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// The keys.
    #[error("keys: {0}")]
    Keys(#[from] crate::jose::JoseError),
    /// The configuration, where only the database could tell.
    #[error("{0}")]
    Config(crate::config::Problem),
    /// Requests of others.
    #[error("{0}")]
    Outbound(#[from] OutboundUnfit),
    /// Something else of ours.
    #[error("{0}")]
    Broken(#[from] Broken),
}

/// A link that somebody has to follow once.
pub struct Notice {
    /// For whom.
    pub username: String,
    /// Whether they are an admin.
    pub admin: bool,
    /// The link.
    pub link: Secret,
}

/// How long a one-time link works.
const LINK_LIFE: Seconds = Seconds::days(1);
/// At most so many events a minute that anybody can cause.
const MOST_EVENTS_OF_STRANGERS: u32 = 600;
/// How many passwords are hashed at once.
const PASSWORDS_AT_ONCE: usize = 2;
/// How many clients' keys are kept parsed.
const MOST_CLIENT_KEYS: u64 = 10_000;

/// Opens the house.
///
/// # Errors
/// [`StartError`].
pub async fn open(
    config: Config,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<(Arc<App>, Vec<Notice>), StartError> {
    let Config { settings, declared } = config;
    let now = clock.now();
    let store = Store::open(settings.database_url.reveal()).await?;
    let alone = store.furnish_alone().await?;
    let keys = keys(&store, now).await?;
    let nonces = NonceBox::new(&nonce_key(&store, entropy.as_ref(), now).await?)?;
    let rules = apply(&store, &declared, entropy.as_ref(), now).await?;
    first_admin(&store, entropy.as_ref(), now).await?;
    let notices = links(&store, &settings.issuer, entropy.as_ref(), now).await?;
    alone.done().await;
    let itself = settings.issuer.parse().map_err(|_| Broken::Other("the issuer is no URI"))?;
    let app = App {
        keys,
        nonces,
        client_keys: ClientKeyCache::new(MOST_CLIENT_KEYS),
        outbound: Outbound::new(&settings.outbound)?,
        upstreams: Upstreams::new(declared.upstreams),
        rules,
        registry: RegistryCache::new(itself),
        itself: settings.issuer.parse().map_err(|_| Broken::Other("the issuer is no URI"))?,
        client_failures: Attempts::new(settings.limits.failed_client_authentications_per_minute.get()),
        sign_in_failures: Attempts::new(settings.limits.sign_in_attempts_per_minute.get()),
        unauthenticated_events: Attempts::new(MOST_EVENTS_OF_STRANGERS),
        password_hashing: tokio::sync::Semaphore::new(PASSWORDS_AT_ONCE),
        store,
        clock,
        entropy,
        settings,
    };
    Ok((Arc::new(app), notices))
}

async fn write(store: &Store, change: Change) -> Result<(), StartError> {
    match store.commit(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(_)) => {
            Err(Broken::Inconsistent("a declared thing could not be written").into())
        }
    }
}

/// The signing keys, one for each algorithm; those that are missing are made.
async fn keys(store: &Store, now: NumericDate) -> Result<KeyRing, StartError> {
    let mut active = stored_keys(store).await?;
    let mut change = Change::housekeeping(now);
    for alg in SigningAlg::ALL {
        if active.iter().any(|key| key.alg() == alg) {
            continue;
        }
        let key = SigningKey::generate(alg)?;
        let document =
            serde_json::to_value(key.to_document()?).map_err(|_| Broken::Other("a key is JSON"))?;
        change = change.keep(Record::SigningKey(crate::store::SigningKey {
            kid: key.kid().to_owned(),
            alg: alg.as_str().to_owned(),
            state: "active".into(),
            created_at: now,
            document,
        }));
        active.push(key);
    }
    write(store, change).await?;
    // Of several keys for an algorithm the oldest signs, and all are published.
    let mut stored = stored_keys(store).await?;
    let mut seen = BTreeSet::new();
    let (active, others) = stored.drain(..).partition(|key: &SigningKey| seen.insert(key.alg()));
    let others: Vec<SigningKey> = others;
    Ok(KeyRing::new(active, &others)?)
}

async fn stored_keys(store: &Store) -> Result<Vec<SigningKey>, StartError> {
    let mut rows = store.signing_keys().await?;
    rows.sort_by(|a, b| (a.created_at, &a.kid).cmp(&(b.created_at, &b.kid)));
    let mut keys = Vec::new();
    for row in rows {
        let document: SigningKeyDocument = serde_json::from_value(row.document)
            .map_err(|_| Broken::Inconsistent("a stored key does not read back"))?;
        keys.push(SigningKey::from_document(&document)?);
    }
    Ok(keys)
}

/// The key of DPoP nonces, shared by all nodes.
async fn nonce_key(store: &Store, entropy: &dyn Entropy, now: NumericDate) -> Result<[u8; 32], StartError> {
    const NAME: &str = "dpop_nonce_key";
    if store.setting(NAME).await?.is_none() {
        let mut fresh = [0; 32];
        entropy.fill(&mut fresh);
        let record = Record::Setting { name: NAME.into(), value: URL_SAFE_NO_PAD.encode(fresh) };
        write(store, Change::housekeeping(now).keep(record)).await?;
    }
    let broken = || Broken::Inconsistent("the stored nonce key does not read back");
    let stored = store.setting(NAME).await?.ok_or_else(broken)?;
    let bytes = URL_SAFE_NO_PAD.decode(stored).map_err(|_| broken())?;
    Ok(bytes.try_into().map_err(|_| broken())?)
}

/// What the configuration declared when it was last applied, to see what is gone from it since.
#[derive(Default, Serialize, Deserialize)]
struct LastDeclared {
    users: BTreeSet<String>,
    clients: BTreeSet<String>,
}

const LAST_DECLARED: &str = "last_declared";

/// Applies what is declared: idempotent, and without touching what an admin made. A user or a client that was
/// declared before and is not any more is disabled; nothing that was derived from it stays alive.
async fn apply(
    store: &Store,
    declared: &Declared,
    entropy: &dyn Entropy,
    now: NumericDate,
) -> Result<Rules, StartError> {
    let mut records = Vec::new();
    let mut ids: Vec<(String, UserId)> = Vec::new();
    for user in &declared.users {
        let before = store.find_user_by_username(&user.username).await?;
        let after = declared_user(user, before.as_deref(), entropy)?;
        ids.push((user.username.clone(), after.id.clone()));
        if before.as_deref() != Some(&after) {
            records.push(Record::User { user: after, origin: Origin::Config });
        }
    }
    let resolved = declared
        .resolve(|name| ids.iter().find(|(known, _)| known == name).map(|(_, id)| id.clone()))
        .map_err(StartError::Config)?;
    for client in &resolved.clients {
        if store.find_client(&client.id).await?.as_deref() != Some(client) {
            records.push(Record::Client { client: client.clone(), origin: Origin::Config });
        }
    }
    let servers = store.resource_servers().await?;
    for server in declared.resource_servers.iter().filter(|server| !servers.contains(server)) {
        records.push(Record::ResourceServer { resource_server: server.clone(), origin: Origin::Config });
    }
    let types = store.details_types().await?;
    let documents = declared.details_types.names().filter_map(|name| declared.details_types.find(name));
    for details_type in documents.map(|known| known.document()).filter(|document| !types.contains(document)) {
        records.push(Record::DetailsType { details_type: details_type.clone(), origin: Origin::Config });
    }
    let now_declared = retire(store, &mut records, declared, &resolved.clients).await?;
    // A start that changes nothing decides nothing, and is not told.
    let change = match records.is_empty() {
        true => Change::housekeeping(now),
        false => {
            let mut event = AuditEvent::new(Action::ConfigurationApply, Outcome::Granted, now);
            event.reason = Some(names(&records));
            Change::new(event)
        }
    };
    write(store, records.into_iter().fold(change, Change::keep).keep(now_declared)).await?;
    Ok(resolved.rules)
}

/// What was changed, for the audit log; the first hundred.
fn names(records: &[Record]) -> String {
    let name = |record: &Record| match record {
        Record::User { user, .. } => format!("user {}", user.id),
        Record::Client { client, .. } => format!("client {}", client.id),
        Record::ResourceServer { resource_server, .. } => {
            format!("resource server {}", resource_server.identifier)
        }
        Record::DetailsType { details_type, .. } => format!("details type {}", details_type.name),
        _ => "other".to_owned(),
    };
    records.iter().take(100).map(name).collect::<Vec<_>>().join(", ")
}

fn declared_user(
    user: &DeclaredUser,
    before: Option<&User>,
    entropy: &dyn Entropy,
) -> Result<User, StartError> {
    let id = match before {
        Some(before) => before.id.clone(),
        None => {
            random_id(entropy, "usr_").parse().map_err(|_| Broken::Other("a random id is no identifier"))?
        }
    };
    // A password that was set by link stays, unless the configuration says one.
    let declared = user.password_hash.as_ref().map(|hash| hash.reveal().to_owned());
    let password_hash = declared.or_else(|| before.and_then(|before| before.password_hash.clone()));
    Ok(User {
        id,
        username: user.username.clone(),
        name: user.name.clone(),
        password_hash,
        claims: user.claims.clone(),
        admin: user.admin,
        enabled: true,
    })
}

/// Disables what is not declared any more; gives the note of what is declared now.
async fn retire(
    store: &Store,
    records: &mut Vec<Record>,
    declared: &Declared,
    clients: &[Client],
) -> Result<Record, StartError> {
    let last: LastDeclared = match store.setting(LAST_DECLARED).await? {
        Some(text) => serde_json::from_str(&text).unwrap_or_default(),
        None => LastDeclared::default(),
    };
    let now = LastDeclared {
        users: declared.users.iter().map(|user| user.username.clone()).collect(),
        clients: clients.iter().map(|client| client.id.to_string()).collect(),
    };
    for username in last.users.difference(&now.users) {
        if let Some(user) = store.find_user_by_username(username).await? {
            let user = User { enabled: false, ..user.as_ref().clone() };
            records.push(Record::User { user, origin: Origin::Config });
        }
    }
    for id in last.clients.difference(&now.clients) {
        let Ok(id) = id.parse() else { continue };
        if let Some(client) = store.find_client(&id).await? {
            let client = Client { status: ClientStatus::Suspended, ..client.as_ref().clone() };
            records.push(Record::Client { client, origin: Origin::Config });
        }
    }
    let value = serde_json::to_string(&now).map_err(|_| Broken::Other("names are JSON"))?;
    Ok(Record::Setting { name: LAST_DECLARED.into(), value })
}

/// Somebody has to be the first: without any user there is an `admin`, who sets a password by a one-time link.
async fn first_admin(store: &Store, entropy: &dyn Entropy, now: NumericDate) -> Result<(), StartError> {
    let known = store.find_user_by_username("admin").await?;
    if known.is_some() || store.has_admin().await? {
        return Ok(());
    }
    let id = random_id(entropy, "usr_").parse().map_err(|_| Broken::Other("a random id is no identifier"))?;
    let user = User {
        id,
        username: "admin".into(),
        name: "Admin".into(),
        password_hash: None,
        claims: Map::new(),
        admin: true,
        enabled: true,
    };
    write(store, Change::housekeeping(now).keep(Record::User { user, origin: Origin::Admin })).await
}

/// A link for everybody who has no password yet; made anew at each start, since it is shown only once.
async fn links(
    store: &Store,
    issuer: &str,
    entropy: &dyn Entropy,
    now: NumericDate,
) -> Result<Vec<Notice>, StartError> {
    let mut notices = Vec::new();
    for user in store.users_without_password().await? {
        let secret = Secret::generate(entropy, "link_");
        let link = OneTimeLink {
            digest: secret.digest(),
            user: user.id.clone(),
            purpose: SET_PASSWORD.into(),
            expires_at: now.plus(LINK_LIFE),
        };
        write(store, Change::housekeeping(now).keep(Record::OneTimeLink(link))).await?;
        let url = format!("{issuer}/set-password?link={}", secret.reveal());
        notices.push(Notice {
            username: user.username.clone(),
            admin: user.admin,
            link: Secret::from_text(url),
        });
    }
    Ok(notices)
}

//! Opening the house: the store, what the configuration declares, the keys, and the first admin.

mod details_types;
mod lapsed_rights;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use protocol::admin_api;
use protocol::audience::ResourceIndicator;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::{Client, ClientStatus};
use protocol::identifier::UserId;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::rule::Rules;
use protocol::user::User;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::app::App;
use crate::attempts::{Attempts, SignInAttempts};
use crate::clock::Clock;
use crate::config::{
    CertificationSettings, Config, Declared, DeclaredUser, DeclaredWebhook, Hidden, Settings,
};
use crate::failure::Broken;
use crate::jose::{AtRest, ClientKeyCache, Keys, NonceBox, PairwiseKey};
use crate::key_sets::KeySets;
use crate::keys::secret_setting::secret_setting;
use crate::keys::{self, KeysError, Workshop};
use crate::logos::Logos;
use crate::mail::{MailError, Mailer};
use crate::outbound::{Outbound, OutboundUnfit};
use crate::registry::RegistryCache;
use crate::secret::{Entropy, Secret, SecretDigest, random_id};
use crate::sign_in;
use crate::status_lists::StatusLists;
use crate::store::{Change, CommitError, Ending, Origin, Record, Store, StoreError};
use crate::tls::{Tls, TlsUnfit};
use crate::trusted_issuers::TrustedIssuers;
use crate::upstreams::Upstreams;
use crate::webhooks::{Webhook, Webhooks};
use crate::workloads::Workloads;

/// Why the house cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// The keys.
    #[error("keys: {0}")]
    Jose(#[from] crate::jose::JoseError),
    /// The keys as they are kept.
    #[error("{0}")]
    Keys(#[from] KeysError),
    /// The configuration, where only the database could tell.
    #[error("{0}")]
    Config(crate::config::Problem),
    /// Certificates and keys of our listeners.
    #[error("{0}")]
    Tls(#[from] TlsUnfit),
    /// Requests of others.
    #[error("{0}")]
    Outbound(#[from] OutboundUnfit),
    /// The mail settings.
    #[error("mail: {0}")]
    Mail(#[from] MailError),
    /// A test server that knows too many people to be one.
    #[error(
        "[certification] is configured, and there are {0} users: a test server has at most {max}",
        max = CertificationSettings::MOST_USERS
    )]
    TooManyUsers(u64),
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

/// The setting that holds the key of DPoP nonces, shared by all nodes.
const NONCE_KEY: &str = "dpop_nonce_key";
/// The setting that holds the key of pairwise subjects, shared by all nodes and kept for good.
const PAIRWISE_KEY: &str = "pairwise_subject_key";
/// How long a one-time link works.
const LINK_LIFE: Seconds = Seconds::days(1);
/// At most so many events a minute that anybody can cause.
const MOST_EVENTS_OF_STRANGERS: u32 = 600;
/// How many metadata documents one host is asked for in a minute.
const MOST_DOCUMENTS_OF_ONE_HOST: u32 = 60;
/// How many mails about questions from elsewhere one user gets in an hour.
const MAILS_ABOUT_QUESTIONS_PER_HOUR: u32 = 20;
/// How many wrong codes for one user all clients together may send in an hour: of four digits, half are not tried in less
/// than ten days.
const WRONG_CODES_OF_USER_PER_HOUR: u32 = 20;
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
    if settings.certification.is_some() {
        // What is declared counts too, whether it is there already or not.
        let users = store.count_users().await?.max(declared.users.len() as u64);
        if users > CertificationSettings::MOST_USERS {
            return Err(StartError::TooManyUsers(users));
        }
    }
    let alone = store.furnish_alone().await?;
    let at_rest = at_rest(&settings)?;
    let workshop = Workshop { store: &store, at_rest: &at_rest, entropy: entropy.as_ref() };
    let nonces = NonceBox::new(&*secret_setting(&workshop, NONCE_KEY, now).await?)?;
    let pairwise = PairwiseKey::new(&*secret_setting(&workshop, PAIRWISE_KEY, now).await?);
    let rotation = keys::rotation(&settings, &declared.resource_servers);
    let keys = Keys::new(keys::furnish(&workshop, &rotation, now).await?);
    let rules = apply(&store, &declared, entropy.as_ref(), now).await?;
    lapsed_rights::drop_them(&store, &declared.upstreams, now).await?;
    first_admin(&store, entropy.as_ref(), now).await?;
    let notices = links(&store, &settings.issuer, entropy.as_ref(), now).await?;
    alone.done().await;
    let resource = |text: &str| text.parse().map_err(|_| Broken::Other("the issuer is no URI"));
    let itself: ResourceIndicator = resource(&settings.issuer)?;
    let admin_api: ResourceIndicator = resource(&format!("{}{}", settings.issuer, admin_api::RESOURCE))?;
    let app = App {
        keys,
        at_rest,
        nonces,
        pairwise,
        client_keys: ClientKeyCache::new(MOST_CLIENT_KEYS),
        key_sets: KeySets::new(MOST_CLIENT_KEYS),
        trusted_issuers: TrustedIssuers::new(&declared.trusted_issuers)?,
        workloads: Workloads::new(&declared.platforms)?,
        resource_authorization_servers: declared.resource_authorization_servers,
        outbound: Outbound::new(&settings.outbound)?,
        upstreams: Upstreams::new(declared.upstreams),
        tls: Tls::open(&settings)?,
        rules,
        webhooks: webhooks(&declared.webhooks),
        registry: RegistryCache::new(itself.clone(), admin_api.clone()),
        itself,
        admin_api,
        client_failures: Attempts::new(settings.limits.failed_client_authentications_per_minute.get()),
        sign_in_attempts: sign_in_attempts(&settings),
        user_code_failures: Attempts::new(settings.device.user_code_attempts_per_minute.get()),
        wrong_codes_of_user: Attempts::over(WRONG_CODES_OF_USER_PER_HOUR, Duration::from_secs(3600)),
        mailer: Mailer::new(&settings.mail)?,
        question_mails: Attempts::over(MAILS_ABOUT_QUESTIONS_PER_HOUR, Duration::from_secs(3600)),
        nobodys_password: nobodys_password(&store).await?,
        unauthenticated_events: Attempts::new(MOST_EVENTS_OF_STRANGERS),
        registrations: Attempts::new(settings.registration.requests_per_minute.get()),
        document_hosts: Attempts::new(MOST_DOCUMENTS_OF_ONE_HOST),
        status_lists: StatusLists::new(settings.status_lists.ttl),
        logos: Logos::new(),
        password_hashing: tokio::sync::Semaphore::new(PASSWORDS_AT_ONCE),
        store,
        clock,
        entropy,
        settings,
    };
    // Said once everything else is right: before, it would stand in front of what has to be put right first.
    if !app.at_rest.encrypts() {
        tracing::warn!(
            "private keys are stored without encryption; set keys.encryption_key or keys.encryption_key_file"
        );
    }
    for overlap in &declared.overlaps {
        tracing::warn!("{overlap}: such a workload is whichever of the two it says it is");
    }
    Ok((Arc::new(app), notices))
}

fn webhooks(declared: &[DeclaredWebhook]) -> Webhooks {
    let webhook = |declared: &DeclaredWebhook| Webhook { id: declared.id.clone(), url: declared.url.clone() };
    Webhooks(declared.iter().map(webhook).collect())
}

fn sign_in_attempts(settings: &Settings) -> SignInAttempts {
    let limits = &settings.limits;
    SignInAttempts::new(
        limits.sign_in_attempts_per_minute.get(),
        limits.failed_sign_ins_per_minute_from_one_address.get(),
        limits.failed_sign_ins_per_hour_for_one_name.get(),
    )
}

/// A hash that costs as much as most of those that are stored.
async fn nobodys_password(store: &Store) -> Result<Option<String>, StartError> {
    let users = store.enabled_users().await?;
    let hashes: Vec<String> = users.into_iter().filter_map(|user| user.password_hash).collect();
    let made = tokio::task::spawn_blocking(move || sign_in::nobodys(&hashes)).await;
    Ok(made.map_err(|_| Broken::Other("hashing a password failed"))?)
}

/// How secrets are kept.
///
/// # Errors
/// Where the cryptographic library fails; what the settings say was checked when they were read.
pub fn at_rest(settings: &Settings) -> Result<AtRest, StartError> {
    let unfit = || Broken::Inconsistent("an encryption key that was checked is none");
    let current = settings.keys.key().map_err(|_| unfit())?;
    let previous = settings.keys.previous_key().map_err(|_| unfit())?;
    let previous: Vec<[u8; 32]> = previous.iter().map(|key| **key).collect();
    Ok(AtRest::new(current.as_deref(), &previous)?)
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

/// What the configuration declared when it was last applied, to see what is gone from it since.
#[derive(Default, Serialize, Deserialize)]
struct LastDeclared {
    users: BTreeSet<String>,
    clients: BTreeSet<String>,
    /// The digests of the password hashes that were declared, by username: one that stands here was applied, and what
    /// its user set since is theirs.
    #[serde(default)]
    passwords: BTreeMap<String, String>,
}

const LAST_DECLARED: &str = "last_declared";
/// The setting that holds the id of the admin whom the first start made.
const FIRST_ADMIN: &str = "first_admin";

/// Applies what is declared: idempotent, and without touching what an admin made. A user or a client that was
/// declared before and is not any more is disabled; nothing that was derived from it stays alive.
async fn apply(
    store: &Store,
    declared: &Declared,
    entropy: &dyn Entropy,
    now: NumericDate,
) -> Result<Rules, StartError> {
    let last: LastDeclared = match store.setting(LAST_DECLARED).await? {
        Some(text) => serde_json::from_str(&text).unwrap_or_default(),
        None => LastDeclared::default(),
    };
    let mut records = Vec::new();
    let mut ids: Vec<(String, UserId)> = Vec::new();
    let first = store.setting(FIRST_ADMIN).await?;
    for (index, user) in declared.users.iter().enumerate() {
        // What an admin did to the account stays: that stands beside what is declared.
        let before = store.find_declared_user(&user.username).await?;
        let declared_before = match &before {
            Some(before) => store.user_origin(&before.id).await? == Origin::Config,
            None => false,
        };
        // The first admin was made for want of a declaration. Everybody else whom nobody declared is somebody else.
        if let Some(before) = &before
            && !declared_before
            && first.as_deref() != Some(before.id.as_str())
        {
            return Err(StartError::Config(declared.name_taken(index)));
        }
        let after = declared_user(user, before.as_ref(), &last, entropy)?;
        ids.push((user.username.clone(), after.id.clone()));
        if !declared_before || before.as_ref() != Some(&after) {
            records.push(Record::User { user: after, origin: Origin::Config });
        }
    }
    let resolved = declared
        .resolve(|name| ids.iter().find(|(known, _)| known == name).map(|(_, id)| id.clone()))
        .map_err(StartError::Config)?;
    let left_over = details_types::left_over(store, declared).await?;
    for client in &resolved.clients {
        // What an admin did to it stays: that stands beside what is declared.
        let before = store.find_declaration(&client.id).await?;
        let mut client = client.clone();
        if let Some(before) = &before {
            let kept = before.authorization_details_types.intersection(&left_over).cloned();
            client.authorization_details_types.extend(kept);
        }
        if before.as_ref() != Some(&client) {
            records.push(Record::Client { client, origin: Origin::Config });
        }
    }
    let servers = store.resource_servers().await?;
    for server in &declared.resource_servers {
        let before = servers.iter().find(|before| before.identifier == server.identifier);
        let mut server = server.clone();
        if let Some(before) = before {
            server.details_types.extend(before.details_types.intersection(&left_over).cloned());
        }
        if before != Some(&server) {
            records.push(Record::ResourceServer { resource_server: server, origin: Origin::Config });
        }
    }
    records.extend(details_types::changed(store, declared, now).await?);
    let now_declared = retire(store, &mut records, &last, declared, &resolved.clients).await?;
    // A start that changes nothing decides nothing, and is not told.
    let change = match records.is_empty() {
        true => Change::housekeeping(now),
        false => {
            let mut event = AuditEvent::new(Action::ConfigurationApply, Outcome::Granted, now);
            event.reason = Some(names(&records));
            Change::new(event)
        }
    };
    // Whoever may not come in any more is signed out, and the applications that they were signed in to are told.
    let gone = |record: &Record| match record {
        Record::User { user, .. } if !user.enabled => {
            Some(Ending::SessionsOf { user: user.id.clone(), except: None })
        }
        _ => None,
    };
    let change = records.iter().filter_map(gone).collect::<Vec<_>>().into_iter().fold(change, Change::end);
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
        Record::DetailsType { details_type, retired_at: Some(_), .. } => {
            format!("details type {}, which is declared no longer", details_type.name)
        }
        Record::DetailsType { details_type, .. } => format!("details type {}", details_type.name),
        _ => "other".to_owned(),
    };
    records.iter().take(100).map(name).collect::<Vec<_>>().join(", ")
}

fn declared_user(
    user: &DeclaredUser,
    before: Option<&User>,
    last: &LastDeclared,
    entropy: &dyn Entropy,
) -> Result<User, StartError> {
    let id = match before {
        Some(before) => before.id.clone(),
        None => {
            random_id(entropy, "usr_").parse().map_err(|_| Broken::Other("a random id is no identifier"))?
        }
    };
    // A password that its user set stays, unless the configuration says another one than it said before.
    let known = last.passwords.get(&user.username);
    let news = user.password_hash.as_ref().filter(|hash| known != Some(&digest_of(hash)));
    let password_hash = match news {
        Some(hash) => Some(hash.reveal().to_owned()),
        None => before.and_then(|before| before.password_hash.clone()),
    };
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

fn digest_of(hash: &Hidden) -> String {
    SecretDigest::of(hash.reveal()).to_text()
}

/// Disables what is not declared any more; gives the note of what is declared now.
async fn retire(
    store: &Store,
    records: &mut Vec<Record>,
    last: &LastDeclared,
    declared: &Declared,
    clients: &[Client],
) -> Result<Record, StartError> {
    let password =
        |user: &DeclaredUser| Some((user.username.clone(), digest_of(user.password_hash.as_ref()?)));
    let now = LastDeclared {
        users: declared.users.iter().map(|user| user.username.clone()).collect(),
        clients: clients.iter().map(|client| client.id.to_string()).collect(),
        passwords: declared.users.iter().filter_map(password).collect(),
    };
    for username in last.users.difference(&now.users) {
        if let Some(user) = store.find_declared_user(username).await?
            && store.user_origin(&user.id).await? == Origin::Config
        {
            let user = User { enabled: false, ..user };
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
    let id: UserId =
        random_id(entropy, "usr_").parse().map_err(|_| Broken::Other("a random id is no identifier"))?;
    let note = Record::Setting { name: FIRST_ADMIN.into(), value: id.to_string() };
    let user = User {
        id,
        username: "admin".into(),
        name: "Admin".into(),
        password_hash: None,
        claims: Map::new(),
        admin: true,
        enabled: true,
    };
    let record = Record::User { user, origin: Origin::Admin };
    write(store, Change::housekeeping(now).keep(record).keep(note)).await
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
        let (link_url, link) = sign_in::new_link(entropy, issuer, &user.id, now, LINK_LIFE);
        write(store, Change::housekeeping(now).keep(Record::OneTimeLink(link))).await?;
        notices.push(Notice { username: user.username.clone(), admin: user.admin, link: link_url });
    }
    Ok(notices)
}

//! The server's keys through time: made, published, in force, former, gone. When a key goes on is the law's to say
//! ([`protocol::key_rotation`]); here it is done.
//!
//! Every change of the ring is one commit that takes the ring's version, with its audit event. Of several nodes that
//! see the same step due one does it, and the others hear of it within a second; a node that stops in between leaves
//! a ring that is right.

pub mod by_hand;
pub mod secret_setting;
pub mod watch;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::SigningAlg;
use protocol::key_rotation::{self, KeyFacts, KeyState, Rotation, Step};
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::resource_server::ResourceServer;

use crate::config::Settings;
use crate::failure::Broken;
use crate::jose::{
    self, AtRest, JoseError, KeyNotOpened, KeyRing, NotOpened, Published, SigningKey, without_private_part,
};
use crate::secret::Entropy;
use crate::store::{self, Change, CommitError, Record, SigningKeys, Store, StoreError, Take};

/// What is needed to change keys.
#[derive(Clone, Copy)]
pub struct Workshop<'a> {
    /// Where they are kept.
    pub store: &'a Store,
    /// How they are sealed.
    pub at_rest: &'a AtRest,
    /// Where the chance in a seal comes from.
    pub entropy: &'a dyn Entropy,
}

/// Why keys could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The database.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// A seal.
    #[error("{0}")]
    Sealed(#[from] NotOpened),
    /// A key.
    #[error("keys: {0}")]
    Key(#[from] JoseError),
    /// Nobody lets anybody through.
    #[error("keys: others changed the ring again and again while this process tried to")]
    Crowded,
    /// A key that should not be retired.
    #[error("{0}")]
    NotRetired(#[from] key_rotation::NotRetired),
}

impl From<KeyNotOpened> for KeysError {
    fn from(error: KeyNotOpened) -> Self {
        match error {
            KeyNotOpened::Sealed(reason) => Self::Sealed(reason),
            KeyNotOpened::Key(reason) => Self::Key(reason),
        }
    }
}

impl From<KeysError> for Broken {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Store(error) => error.into(),
            KeysError::Key(error) => error.into(),
            KeysError::Sealed(_) => Self::Inconsistent("a stored key does not open"),
            KeysError::Crowded | KeysError::NotRetired(_) => Self::Other("a key could not be changed"),
        }
    }
}

/// How often a change is tried while others change the ring too.
const TRIES: usize = 32;

/// When keys go on, by the settings and by the lives of what the resource servers get.
///
/// ID tokens come back as `id_token_hint` as long as their session lives (OpenID Connect RP-Initiated Logout §2), so
/// the session's life counts among those of what is signed; and a receipt of an agent that refreshes its tokens lives as
/// long as the consent to it.
#[must_use]
pub fn rotation(settings: &Settings, servers: &[ResourceServer]) -> Rotation {
    let lives = servers.iter().filter_map(|server| server.token_life);
    let longest_life =
        lives.chain([settings.token_life, settings.session_life, settings.agent_consent_life]).max();
    Rotation {
        every: settings.keys.rotate_every,
        overlap: settings.keys.overlap,
        longest_life: longest_life.unwrap_or(settings.token_life),
    }
}

/// Makes what is missing, seals what is not sealed as it should be, and does what is due: at each start.
///
/// # Errors
/// [`KeysError`]; among them that the encryption key is another one than the stored keys are sealed under.
pub async fn furnish(
    workshop: &Workshop<'_>,
    rotation: &Rotation,
    now: NumericDate,
) -> Result<Published, KeysError> {
    seal_all(workshop, now).await?;
    look_after(workshop, rotation, now).await
}

/// Does everything that is due, and gives the ring as it is then.
///
/// # Errors
/// [`KeysError`].
pub async fn look_after(
    workshop: &Workshop<'_>,
    rotation: &Rotation,
    now: NumericDate,
) -> Result<Published, KeysError> {
    for _ in 0..TRIES {
        let stored = workshop.store.signing_keys().await?;
        let Some(step) = key_rotation::due(&facts(&stored), rotation, now) else {
            return publish(&stored, workshop.at_rest);
        };
        // Whoever lost finds the ring as the winner left it, and looks again.
        take(workshop, &stored, &step, rotation.longest_life, now).await?;
    }
    Err(KeysError::Crowded)
}

/// The facts of stored keys.
#[must_use]
pub fn facts(stored: &SigningKeys) -> Vec<KeyFacts> {
    stored.keys.iter().map(|key| key.facts.clone()).collect()
}

/// Opens the stored keys and makes a ring of them.
///
/// # Errors
/// [`KeysError`].
pub fn publish(stored: &SigningKeys, at_rest: &AtRest) -> Result<Published, KeysError> {
    let (mut active, mut others) = (Vec::new(), Vec::new());
    for key in &stored.keys {
        match key.facts.state {
            KeyState::Active => active.push(SigningKey::open(&key.document, at_rest)?),
            KeyState::Next | KeyState::Former => others.push(SigningKey::open(&key.document, at_rest)?),
            KeyState::Retired => {}
        }
    }
    Ok(Published { version: stored.version, facts: facts(stored), ring: KeyRing::new(active, &others)? })
}

/// Takes one step, unless somebody else has changed the ring since `stored` was read; whether it was taken.
async fn take(
    workshop: &Workshop<'_>,
    stored: &SigningKeys,
    step: &Step,
    longest_life: Seconds,
    now: NumericDate,
) -> Result<bool, KeysError> {
    let made = match step {
        Step::Make(alg, _) => Some(make(*alg).await?),
        _ => None,
    };
    let kid = made.as_ref().map_or("", SigningKey::kid);
    let mut change = match told(stored, step, kid, now) {
        Some(event) => Change::new(event),
        None => Change::housekeeping(now),
    };
    for facts in key_rotation::after(&facts(stored), step, longest_life, now, kid) {
        change = change.keep(Record::SigningKey(record(workshop, stored, made.as_ref(), facts, now)?));
    }
    match workshop.store.commit(change.take(Take::SigningKeys(stored.version))).await {
        Ok(_) => Ok(true),
        Err(CommitError::Conflict(_)) => Ok(false),
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

/// Making an RSA key takes a good part of a second, so somebody else does it.
async fn make(alg: SigningAlg) -> Result<SigningKey, KeysError> {
    let made = tokio::task::spawn_blocking(move || SigningKey::generate(alg)).await;
    Ok(made.map_err(|_| JoseError::Engine)??)
}

/// A key as it is kept after a step: with the document it had, with a new one where it was just made, and with none
/// that is worth anything once it is retired.
fn record(
    workshop: &Workshop<'_>,
    stored: &SigningKeys,
    made: Option<&SigningKey>,
    facts: KeyFacts,
    now: NumericDate,
) -> Result<store::SigningKey, KeysError> {
    let before = stored.keys.iter().find(|key| key.facts.kid == facts.kid);
    let document = match (facts.state, made, before) {
        (KeyState::Retired, _, _) => without_private_part(&facts.kid, facts.alg),
        (_, Some(made), None) => made.seal(workshop.at_rest, workshop.entropy)?,
        (_, _, Some(before)) => before.document.clone(),
        (_, None, None) => return Err(JoseError::NotASigningKey.into()),
    };
    let created_at = before.map_or(now, |before| before.created_at);
    Ok(store::SigningKey { facts, created_at, document })
}

/// The event of a step; a longer life that was noted decides nothing.
fn told(stored: &SigningKeys, step: &Step, made: &str, now: NumericDate) -> Option<AuditEvent> {
    let alg = |kid: &str| {
        stored.keys.iter().find(|key| key.facts.kid == kid).map_or("", |key| key.facts.alg.as_str())
    };
    let (action, reason) = match step {
        Step::Make(alg, state) => {
            (Action::KeyMake, format!("{} key {made}, as the {} one", alg.as_str(), state.as_str()))
        }
        Step::Activate(kid) => (Action::KeyActivate, format!("{} key {kid} signs from now on", alg(kid))),
        Step::Retire(kid) => (Action::KeyRetire, format!("{} key {kid}", alg(kid))),
        Step::Prolong(..) => return None,
    };
    let mut event = AuditEvent::new(action, Outcome::Granted, now);
    event.reason = Some(reason);
    Some(event)
}

/// Seals every key that is not sealed as it would be now: because there was no encryption key, or another one.
async fn seal_all(workshop: &Workshop<'_>, now: NumericDate) -> Result<(), KeysError> {
    for _ in 0..TRIES {
        let stored = workshop.store.signing_keys().await?;
        let to_seal = stored.keys.iter().filter(|key| {
            key.facts.state != KeyState::Retired && !jose::is_sealed_as_now(&key.document, workshop.at_rest)
        });
        let mut records = Vec::new();
        for key in to_seal {
            let opened = SigningKey::open(&key.document, workshop.at_rest)?;
            let document = opened.seal(workshop.at_rest, workshop.entropy)?;
            records.push(Record::SigningKey(store::SigningKey { document, ..key.clone() }));
        }
        if records.is_empty() {
            return Ok(());
        }
        let change =
            Change::new(sealed_event(workshop.at_rest, &format!("{} signing keys", records.len()), now));
        let change = records.into_iter().fold(change, Change::keep).take(Take::SigningKeys(stored.version));
        match workshop.store.commit(change).await {
            Ok(_) => return Ok(()),
            Err(CommitError::Conflict(_)) => {}
            Err(CommitError::Broken(error)) => return Err(error.into()),
        }
    }
    Err(KeysError::Crowded)
}

fn sealed_event(at_rest: &AtRest, what: &str, now: NumericDate) -> AuditEvent {
    let mut event = AuditEvent::new(Action::KeyEncrypt, Outcome::Granted, now);
    let under = at_rest
        .key_name()
        .map_or_else(|| "without encryption".to_owned(), |name| format!("under key {name}"));
    event.reason = Some(format!("{what} {under}"));
    event
}

//! `procura keys`: what signs, what is to come, and what an operator does about it.
//!
//! It works on the database beside whoever is serving; they see what was changed within a second.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use protocol::client::SigningAlg;
use protocol::key_rotation::{KeyFacts, KeyState, MARGIN, Rotation};

use super::serve::load;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Settings;
use crate::jose::AtRest;
use crate::keys::{self, Workshop, by_hand};
use crate::secret::SystemEntropy;
use crate::start;
use crate::store::Store;

/// What can be done with signing keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Print the signing keys: which sign, which are to come, which are published because tokens of theirs live.
    List(List),
    /// Publish the next keys now. Each signs once it was published for keys.overlap.
    Rotate(Rotate),
    /// Take a key out of use and delete its private part.
    Retire(Retire),
}

/// Which keys.
#[derive(Debug, Args)]
pub struct List {
    /// Those that are retired too.
    #[arg(long)]
    pub all: bool,
}

/// For which algorithms.
#[derive(Debug, Args)]
pub struct Rotate {
    /// This algorithm only; unless it is said, all of them.
    #[arg(long, value_name = "ALG")]
    pub alg: Option<Alg>,
}

/// Which key, and how soon.
#[derive(Debug, Args)]
pub struct Retire {
    /// The key's kid.
    #[arg(value_name = "KID")]
    pub kid: String,
    /// At once, although what it signed may live and will not verify any more: when a key has leaked.
    #[arg(long)]
    pub now: bool,
}

/// An algorithm as people type it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Alg {
    /// ECDSA over P-256.
    #[value(name = "ES256")]
    Es256,
    /// Ed25519.
    #[value(name = "EdDSA")]
    EdDsa,
    /// RSA-PSS.
    #[value(name = "PS256")]
    Ps256,
    /// RSA PKCS #1 v1.5.
    #[value(name = "RS256")]
    Rs256,
}

impl From<Alg> for SigningAlg {
    fn from(alg: Alg) -> Self {
        match alg {
            Alg::Es256 => Self::Es256,
            Alg::EdDsa => Self::EdDsa,
            Alg::Ps256 => Self::Ps256,
            Alg::Rs256 => Self::Rs256,
        }
    }
}

/// Does what was asked for.
///
/// # Errors
/// The store's, the keys' and standard output's.
pub async fn run(path: Option<&Path>, command: &KeysCommand) -> anyhow::Result<ExitCode> {
    let Some(config) = load(path)? else { return Ok(ExitCode::FAILURE) };
    let store = super::existing_store(&config.settings).await?;
    let outcome = act(&store, &config.settings, command, &mut std::io::stdout()).await;
    store.close().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

/// The same on an open store, with the answer on `out`.
///
/// # Errors
/// Likewise.
pub async fn act(
    store: &Store,
    settings: &Settings,
    command: &KeysCommand,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let at_rest: AtRest = start::at_rest(settings)?;
    let workshop = Workshop { store, at_rest: &at_rest, entropy: &SystemEntropy };
    let rotation = keys::rotation(settings, &store.resource_servers().await?);
    let now = SystemClock.now();
    match command {
        KeysCommand::List(list) => {
            let stored = store.signing_keys().await?;
            for key in keys::facts(&stored) {
                if list.all || key.state != KeyState::Retired {
                    writeln!(out, "{}", line(&key, &rotation))?;
                }
            }
        }
        KeysCommand::Rotate(rotate) => {
            // Whoever cannot open the keys that are there must not write new ones under another key, or under none.
            keys::publish(&store.signing_keys().await?, &at_rest)?;
            let algs = rotate.alg.map_or_else(|| SigningAlg::ALL.to_vec(), |alg| vec![alg.into()]);
            for key in by_hand::rotate(&workshop, &algs, &rotation, now).await? {
                writeln!(out, "{}", line(&key, &rotation))?;
            }
        }
        KeysCommand::Retire(retire) => {
            by_hand::retire(&workshop, &retire.kid, retire.now, &rotation, now).await?;
            writeln!(out, "{} is retired", retire.kid)?;
        }
    }
    Ok(())
}

/// A key in a line: kid, algorithm, state, since when, and what comes.
fn line(key: &KeyFacts, rotation: &Rotation) -> String {
    let comes = match key.state {
        KeyState::Active => {
            format!("until about {}", key.since.plus(rotation.every).to_rfc3339())
        }
        KeyState::Next => format!("signs from {}", key.since.plus(rotation.overlap).to_rfc3339()),
        KeyState::Former => {
            format!("retires at {}", key.since.plus(key.longest_life).plus(MARGIN).to_rfc3339())
        }
        KeyState::Retired => String::new(),
    };
    let line = format!(
        "{}  {:5}  {:7}  since {}  {comes}",
        key.kid,
        key.alg.as_str(),
        key.state.as_str(),
        key.since.to_rfc3339()
    );
    line.trim_end().to_owned()
}

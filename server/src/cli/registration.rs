//! `procura registration`: initial access tokens (RFC 7591 §3), made, listed and revoked.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::numeric_date::Seconds;

use super::serve::load;
use crate::clock::{Clock as _, SystemClock};
use crate::config::written::parse_duration;
use crate::secret::{Secret, SystemEntropy};
use crate::store::{Change, CommitError, Forget, InitialAccessToken, Record};

/// For whom, for how many clients, for how long.
#[derive(Debug, Args)]
pub struct Token {
    /// For whom it is, in your own words: it stands in the audit log.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// How many clients may be registered with it.
    #[arg(long, default_value_t = 1, value_name = "CLIENTS")]
    pub uses: u32,
    /// How long it works, such as 90m, 8h or 14d.
    #[arg(long, default_value = "1d", value_name = "TIME")]
    pub life: String,
}

/// Which tokens are to end.
#[derive(Debug, Args)]
pub struct Revoke {
    /// The name that they were made with.
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// The longest life of a token.
const LONGEST_LIFE: Seconds = Seconds::days(366);
/// The most clients of one token.
const MOST_USES: u32 = 10_000;

/// Makes an initial access token (RFC 7591 §3), and prints it once.
///
/// # Errors
/// A life or a number that is none, the store's, and standard output's.
pub async fn token(path: Option<&Path>, token: &Token) -> anyhow::Result<ExitCode> {
    let life = parse_duration(&token.life).context("--life must be a time such as 90m, 8h or 30d")?;
    if life.0 < 1 || life > LONGEST_LIFE {
        bail!("--life must be from 1 second to {} days", LONGEST_LIFE.0 / 86_400);
    }
    if token.uses < 1 || token.uses > MOST_USES {
        bail!("--uses must be from 1 to {MOST_USES}");
    }
    let name = token.name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        bail!("--name must be 1 to 200 characters");
    }
    let Some(config) = load(path)? else { return Ok(ExitCode::FAILURE) };
    let store = super::existing_store(&config.settings).await?;
    let now = SystemClock.now();
    let secret = Secret::generate(&SystemEntropy, "iat_");
    let record = InitialAccessToken {
        digest: secret.digest(),
        name: name.to_owned(),
        uses: token.uses,
        expires_at: now.plus(life),
    };
    let mut event = AuditEvent::new(Action::RegistrationToken, Outcome::Granted, now);
    event.reason = Some(format!("for {name}: {} clients until {}", token.uses, record.expires_at.0));
    let written = store.commit(Change::new(event).keep(Record::InitialAccessToken(record))).await;
    store.close().await;
    match written {
        Ok(_) => writeln!(std::io::stdout(), "{}", secret.reveal())?,
        Err(CommitError::Broken(error)) => return Err(error.into()),
        Err(CommitError::Conflict(_)) => bail!("the token could not be written"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the tokens that are good for a client still: for how many, until when, and for whom they were made. The
/// tokens themselves nobody knows any more.
///
/// # Errors
/// The store's, and standard output's.
pub async fn tokens(path: Option<&Path>) -> anyhow::Result<ExitCode> {
    let Some(config) = load(path)? else { return Ok(ExitCode::FAILURE) };
    let store = super::existing_store(&config.settings).await?;
    let found = store.initial_access_tokens(SystemClock.now()).await;
    store.close().await;
    for token in found? {
        writeln!(std::io::stdout(), "{:>5}  {}  {}", token.uses, token.expires_at.to_rfc3339(), token.name)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends every token of a name. Clients that were registered with one stay.
///
/// # Errors
/// A name that no token has, and the store's.
pub async fn revoke(path: Option<&Path>, revoke: &Revoke) -> anyhow::Result<ExitCode> {
    let Some(config) = load(path)? else { return Ok(ExitCode::FAILURE) };
    let store = super::existing_store(&config.settings).await?;
    let now = SystemClock.now();
    let mut found = store.initial_access_tokens(now).await?;
    found.retain(|token| token.name == revoke.name.trim());
    if found.is_empty() {
        store.close().await;
        bail!("no token that still works is named {:?}", revoke.name);
    }
    let count = found.len();
    let mut event = AuditEvent::new(Action::RegistrationToken, Outcome::Granted, now);
    event.reason = Some(format!("revoked: {count} for {}", revoke.name.trim()));
    let forget =
        |change: Change, token: InitialAccessToken| change.forget(Forget::InitialAccessToken(token.digest));
    let written = store.commit(found.into_iter().fold(Change::new(event), forget)).await;
    store.close().await;
    written?;
    writeln!(std::io::stdout(), "{count}")?;
    Ok(ExitCode::SUCCESS)
}

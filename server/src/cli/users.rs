//! `procura users`: for whoever has the machine.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::numeric_date::Seconds;

use super::serve::load;
use crate::clock::{Clock as _, SystemClock};
use crate::secret::SystemEntropy;
use crate::sign_in;
use crate::store::{Anchor, Change, Record};

/// What can be done with users.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Print a link with which a user sets a new password, once and within a day.
    ResetLink {
        /// What they type to sign in.
        name: String,
    },
}

/// How long the link works.
const LINK_LIFE: Seconds = Seconds::days(1);

/// Does it, on the database itself; another process may be serving.
///
/// # Errors
/// The store's, and standard output's.
pub async fn run(path: Option<&Path>, what: &What) -> anyhow::Result<ExitCode> {
    let Some(config) = load(path)? else { return Ok(ExitCode::FAILURE) };
    let What::ResetLink { name } = what;
    let store = super::existing_store(&config.settings).await?;
    let found = store.find_user_by_username(name).await?.filter(|user| user.enabled);
    let Some(user) = found else { bail!("there is no enabled user {name:?}") };
    let now = SystemClock.now();
    let (url, link) = sign_in::new_link(&SystemEntropy, &config.settings.issuer, &user.id, now, LINK_LIFE);
    let mut event = AuditEvent::new(Action::UserResetLink, Outcome::Granted, now);
    event.user = Some(user.id.clone());
    event.reason = Some("made on the command line".into());
    let change = Change::new(event).requires(Anchor::User(user.id.clone())).keep(Record::OneTimeLink(link));
    store.commit(change).await?;
    store.close().await;
    writeln!(std::io::stdout(), "{}", url.reveal())?;
    Ok(ExitCode::SUCCESS)
}

//! `procura audit tail`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::serve::load;
use crate::store::Store;

/// How much of the log, and whether to stay.
#[derive(Debug, Args)]
pub struct Tail {
    /// How many events to begin with.
    #[arg(long, short = 'n', default_value_t = 20, value_name = "EVENTS")]
    pub lines: u64,
    /// Stay, and print what comes.
    #[arg(long, short = 'f')]
    pub follow: bool,
}

/// The most events read at once.
const PORTION: u64 = 500;

/// Prints the last events in canonical JSON, a line each.
///
/// # Errors
/// The store's, and standard output's.
pub async fn run(path: Option<&Path>, tail: &Tail) -> anyhow::Result<ExitCode> {
    let Some(config) = load(path)? else { return Ok(ExitCode::FAILURE) };
    let store = super::existing_store(&config.settings).await?;
    let mut out = std::io::stdout();
    let mut last = 0;
    let mut newest_first = store.audit_tail(tail.lines).await?;
    newest_first.reverse();
    for logged in newest_first {
        last = last.max(logged.seq);
        writeln!(out, "{}", logged.canonical()?)?;
    }
    if tail.follow {
        follow(&store, last, &mut out).await?;
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Prints what comes, until the process is interrupted.
async fn follow(store: &Store, mut last: i64, out: &mut impl Write) -> anyhow::Result<()> {
    loop {
        let more = store.audit_after(last, PORTION).await?;
        for logged in &more {
            last = last.max(logged.seq);
            writeln!(out, "{}", logged.canonical()?)?;
        }
        if more.is_empty() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

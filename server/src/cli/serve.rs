//! `procura` and `procura serve`.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::certification;
use crate::clock::SystemClock;
use crate::config::{self, Config, LogFormat, Settings};
use crate::secret::SystemEntropy;
use crate::serve::Listeners;
use crate::start::{self, Notice};

/// Reads the configuration or prints every problem with it.
///
/// # Errors
/// When standard error cannot be written to.
pub fn load(path: Option<&Path>) -> anyhow::Result<Option<Config>> {
    match config::load(path) {
        Ok(config) => Ok(Some(config)),
        Err(problems) => {
            let mut out = std::io::stderr();
            for problem in problems {
                writeln!(out, "{problem}")?;
            }
            Ok(None)
        }
    }
}

/// Opens the house and serves until interrupted.
///
/// # Errors
/// What stands in the way.
pub async fn run(path: Option<&Path>) -> anyhow::Result<ExitCode> {
    let Some(config) = load(path)? else { return Ok(ExitCode::FAILURE) };
    let mut interrupted = pin!(interruption()?);
    start_logging(&config.settings);
    let settings = config.settings.clone();
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}: is another server there?", settings.listen))?;
    let listeners = Listeners::from(listener).complete(&settings).await;
    let listeners = listeners.context("cannot listen on mtls.listen: is another server there?")?;
    if settings.links_lead_elsewhere() {
        tracing::warn!(
            listen = %settings.listen,
            issuer = %settings.issuer,
            "the issuer is another address than the one listened on: links and redirects lead to the issuer"
        );
    }
    let opening = start::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy));
    let (app, notices) = tokio::select! {
        opened = opening => opened?,
        // A database that does not answer keeps nobody from calling it off.
        () = &mut interrupted => return Ok(ExitCode::SUCCESS),
    };
    greet(&settings, &notices)?;
    crate::serve::serve(app, listeners, interrupted).await?;
    Ok(ExitCode::SUCCESS)
}

/// What the library that makes the tables calls itself in the log.
const MIGRATIONS: &str = "sea_orm_migration";

/// Logs go to standard error, as text or as JSON.
pub fn start_logging(settings: &Settings) {
    // A cookie of a session that is over is nothing to wake anybody for; whoever wants to see them says so.
    let directives = format!("tower_sessions_core=error,{}", settings.log);
    let filter = EnvFilter::try_new(directives).unwrap_or_else(|_| EnvFilter::new("info"));
    // Every table that is made is a line of its library's; one of ours says it. Who wants them all names them.
    let filter = match (settings.log.contains(MIGRATIONS), format!("{MIGRATIONS}=warn").parse()) {
        (false, Ok(fewer)) => filter.add_directive(fewer),
        _ => filter,
    };
    let colours =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    let _ = match settings.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}

fn greet(settings: &Settings, notices: &[Notice]) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    if settings.certification.is_some() {
        writeln!(out, "{}\n", certification::framed())?;
    }
    writeln!(out, "Procura is open at {}", settings.issuer)?;
    writeln!(out, "  account   {}/account", settings.issuer)?;
    writeln!(out, "  metadata  {}/.well-known/openid-configuration", settings.issuer)?;
    for notice in notices {
        let who = if notice.admin { "admin" } else { "user" };
        writeln!(
            out,
            "\nThe {who} {:?} has no password yet. Within a day, and once, this link sets it:",
            notice.username
        )?;
        writeln!(out, "  {}", notice.link.reveal())?;
    }
    out.flush()
}

/// Hears from now on whether somebody wants the process to end (SIGINT, SIGTERM); what it gives is ready once they do.
/// It is for the beginning of a command: a signal that nobody hears yet ends the process as the system does it.
///
/// # Errors
/// When the system lets nobody hear its signals.
pub fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        let mut interrupt = tokio::signal::windows::ctrl_c()?;
        Ok(async move {
            let _ = interrupt.recv().await;
        })
    }
}

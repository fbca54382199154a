//! The command line.

pub mod admin;
pub mod audit_tail;
pub mod config_check;
pub mod demo;
pub mod hash;
pub mod keys;
pub mod operator;
pub mod receipts;
pub mod registration;
pub mod serve;
pub mod users;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Settings;
use crate::store::Store;

/// Procura: an authorization server for people, services and the agents that act for them.
#[derive(Debug, Parser)]
#[command(name = "procura", version, about, arg_required_else_help = false)]
pub struct Arguments {
    /// The configuration file; without one, the embedded default counts.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do; without a word, serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve until interrupted (this is what happens without a command).
    Serve,
    /// Show delegation from consent to resource server, step by step, in a house that is gone afterwards.
    Demo(demo::Demo),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Help users.
    #[command(subcommand)]
    Users(users::What),
    /// End something, stop it or let it go on, over the admin API of an open server.
    End(admin::End),
    /// Look at agents, over the admin API.
    #[command(subcommand)]
    Agent(admin::Look),
    /// Look at users, over the admin API.
    #[command(subcommand)]
    User(admin::Look),
    /// Look at consents, over the admin API.
    #[command(subcommand)]
    Consent(admin::Look),
    /// Look at tasks, over the admin API.
    #[command(subcommand)]
    Task(admin::Look),
    /// Make a private key for a program that may call the admin API, and print its public part.
    AdminKey(admin::AdminKey),
    /// Look after the signing keys.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Verify who let whom act, from a file.
    #[command(subcommand)]
    Receipts(receipts::ReceiptsCommand),
    /// Let somebody register clients.
    #[command(subcommand)]
    Registration(RegistrationCommand),
    /// Hash a password or a client secret, read from standard input, for the configuration.
    #[command(subcommand)]
    Hash(hash::What),
}

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read it as a start would, and tell every problem.
    Check,
}

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Print the last events, a line of JSON each.
    Tail(audit_tail::Tail),
}

/// What can be done about clients that register themselves.
#[derive(Debug, Subcommand)]
pub enum RegistrationCommand {
    /// Make an initial access token, and print it once.
    Token(registration::Token),
    /// Print the initial access tokens that still work: uses left, end and name.
    Tokens,
    /// End the initial access tokens of a name.
    Revoke(registration::Revoke),
}

/// Tells whoever typed the arguments what stood in the way.
pub fn tell(error: &anyhow::Error) -> ExitCode {
    // Where even this cannot be written, the exit code still says it.
    let _ = writeln!(std::io::stderr(), "procura: {}", in_words(error));
    ExitCode::FAILURE
}

/// The reason and its causes, each said once: some errors quote theirs.
fn in_words(error: &anyhow::Error) -> String {
    let mut words = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if words.is_empty() {
            words = cause;
        } else if !words.contains(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    words
}

/// Does what the arguments say.
///
/// # Errors
/// What stands in the way, in words for whoever typed them.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.config.or_else(|| std::env::var_os("PROCURA_CONFIG").map(PathBuf::from));
    let config = config.as_deref();
    match arguments.command {
        None | Some(Command::Serve) => serve::run(config).await,
        Some(Command::Demo(demo)) => demo::run(&demo).await,
        Some(Command::Config(ConfigCommand::Check)) => Ok(config_check::run(config, &mut std::io::stdout())?),
        Some(Command::Audit(AuditCommand::Tail(tail))) => audit_tail::run(config, &tail).await,
        Some(Command::Users(what)) => users::run(config, &what).await,
        Some(Command::End(what)) => admin::end(config, &what).await,
        Some(Command::Agent(look)) => admin::look(config, "agents", &look).await,
        Some(Command::User(look)) => admin::look(config, "users", &look).await,
        Some(Command::Consent(look)) => admin::look(config, "consents", &look).await,
        Some(Command::Task(look)) => admin::look(config, "tasks", &look).await,
        Some(Command::AdminKey(wanted)) => admin::admin_key(&wanted),
        Some(Command::Keys(command)) => keys::run(config, &command).await,
        Some(Command::Registration(RegistrationCommand::Token(token))) => {
            registration::token(config, &token).await
        }
        Some(Command::Registration(RegistrationCommand::Tokens)) => registration::tokens(config).await,
        Some(Command::Registration(RegistrationCommand::Revoke(which))) => {
            registration::revoke(config, &which).await
        }
        Some(Command::Receipts(command)) => receipts::run(&command),
        Some(Command::Hash(what)) => hash::run(&what),
    }
}

/// The database that a server made. A command that looks after a server makes none: it would work on an empty one, and
/// nobody would notice.
async fn existing_store(settings: &Settings) -> anyhow::Result<Store> {
    let url = settings.database_url.reveal();
    if let Some(file) = Store::missing_file(url) {
        anyhow::bail!(
            "there is no database at {}; a relative database_url is relative to the folder that the command is run in",
            file.display()
        );
    }
    Ok(Store::open(url).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the file: {0}")]
    struct Quoting(#[from] std::io::Error);

    #[test]
    fn a_cause_that_its_error_quotes_is_said_once() {
        let cause = || std::io::Error::other("is not there");
        let error = anyhow::Error::from(Quoting::from(cause()));
        assert_eq!(in_words(&error), "the file: is not there");
        let error = anyhow::Error::from(cause()).context("cannot start");
        assert_eq!(in_words(&error), "cannot start: is not there");
    }
}

//! `procura end`, `procura agent`, `user`, `consent` and `task`: what an admin does, over the admin API of an open house.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use protocol::client::SigningAlg;
use protocol::ending::{Level, Order};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::operator::{Access, Operator};
use crate::jose::{SigningKey, public_members};

/// The most things in one call.
const PORTION: u64 = 100;

/// Ends something, or stops it and lets it go on.
#[derive(Debug, Args)]
pub struct End {
    /// What is ended: token, family, task, consent, instance, agent, user, or everything that the agents of an owner hold.
    #[arg(value_parser = level)]
    level: Level,
    /// Its id: a jti, or the id that `procura agent list` and the like print; at the level instance, that of the client.
    id: String,
    /// At the level instance: which one of the client that ID is.
    #[arg(long, value_name = "ID")]
    instance: Option<String>,
    /// Instead of ending it: what to do. Without this it ends; an agent for good, and of an owner the agents are
    /// suspended.
    #[arg(long, value_enum, conflicts_with_all = ["suspend", "resume"])]
    operation: Option<Wanted>,
    /// Stop it until it is resumed.
    #[arg(long, conflicts_with = "resume")]
    suspend: bool,
    /// Let it go on.
    #[arg(long)]
    resume: bool,
    /// Why, for the audit log.
    #[arg(long, value_name = "WORDS")]
    reason: Option<String>,
    #[command(flatten)]
    access: Access,
}

/// What else can be done.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Wanted {
    /// End it.
    Revoke,
    /// End an agent for good.
    Retire,
    /// Stop it until it is resumed.
    Suspend,
    /// Let it go on.
    Resume,
    /// Disable a user's account.
    Disable,
    /// Enable it.
    Enable,
}

/// What can be looked at.
#[derive(Debug, Subcommand)]
pub enum Look {
    /// Print them, a line of JSON each.
    List {
        /// Only those of which this is so, as `status=active`: the filters of the admin API.
        #[arg(long = "where", value_name = "NAME=VALUE")]
        filters: Vec<String>,
        /// Go on after this id.
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// How many at the most.
        #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
        most: u64,
        /// Who calls, and whom.
        #[command(flatten)]
        access: Access,
    },
    /// Print one, as JSON.
    Show {
        /// Its id.
        id: String,
        /// Who calls, and whom.
        #[command(flatten)]
        access: Access,
    },
}

/// Makes a private key for a program of the operator's.
#[derive(Debug, Args)]
pub struct AdminKey {
    /// The file to make; one that is there stays as it is.
    file: PathBuf,
}

fn level(word: &str) -> Result<Level, String> {
    let known = Level::ALL.map(Level::as_str);
    let found = Level::ALL.into_iter().find(|level| level.as_str() == word);
    found.ok_or_else(|| format!("must be one of {}", known.join(", ")))
}

impl Wanted {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Retire => "retire",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Disable => "disable",
            Self::Enable => "enable",
        }
    }
}

impl End {
    /// The operation that the words mean: at each level, the first is what is meant by ending alone.
    fn operation(&self) -> &'static str {
        match (self.operation, self.suspend, self.resume) {
            (Some(wanted), ..) => wanted.as_str(),
            (None, true, _) => Wanted::Suspend.as_str(),
            (None, _, true) => Wanted::Resume.as_str(),
            (None, false, false) => self.level.operations().first().copied().unwrap_or_default(),
        }
    }
}

/// Ends it, and prints what ended with it.
///
/// # Errors
/// What the server refuses and why.
pub async fn end(config: Option<&Path>, end: &End) -> anyhow::Result<ExitCode> {
    let (level, operation) = (end.level.as_str(), end.operation());
    // What makes no sense is told before anybody is asked.
    if end.level == Level::Instance && end.instance.is_none() {
        bail!("ID is the client; --instance INSTANCE says which of its instances");
    }
    if let Err(reason) = Order::parse(level, &end.id, end.instance.as_deref(), operation) {
        bail!("{reason}");
    }
    let Some(mut operator) = Operator::new(config, &end.access)? else { return Ok(ExitCode::FAILURE) };
    let mut body = json!({ "level": level, "id": end.id, "operation": operation });
    if let Some(instance) = &end.instance {
        body["instance"] = instance.as_str().into();
    }
    if let Some(reason) = &end.reason {
        body["reason"] = reason.as_str().into();
    }
    let done = operator.call("admin:endings", "POST", "/endings", Some(&body)).await?;
    writeln!(std::io::stdout(), "{done:#}")?;
    Ok(ExitCode::SUCCESS)
}

/// Looks at `what`: `agents`, `users`, `consents` or `tasks`.
///
/// # Errors
/// What the server refuses and why.
pub async fn look(config: Option<&Path>, what: &str, look: &Look) -> anyhow::Result<ExitCode> {
    let (Look::List { access, .. } | Look::Show { access, .. }) = look;
    let Some(mut operator) = Operator::new(config, access)? else { return Ok(ExitCode::FAILURE) };
    let mut out = std::io::stdout();
    match look {
        Look::Show { id, .. } => {
            let id = url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>();
            let path = format!("/{what}/{}", id.replace('+', "%20"));
            let shown = operator.call("admin:read", "GET", &path, None).await?;
            writeln!(out, "{shown:#}")?;
        }
        Look::List { filters, after, most, .. } => {
            let (mut after, mut left) = (after.clone(), *most);
            while left > 0 {
                let path = format!("/{what}?{}", query(filters, after.as_deref(), left.min(PORTION))?);
                let list = operator.call("admin:read", "GET", &path, None).await?;
                let items = list.get(what).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                for item in items {
                    writeln!(out, "{item}")?;
                }
                left = left.saturating_sub(items.len() as u64);
                after = list.get("next").and_then(Value::as_str).map(str::to_owned);
                if after.is_none() {
                    break;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn query(filters: &[String], after: Option<&str>, limit: u64) -> anyhow::Result<String> {
    let mut query = Serializer::new(String::new());
    query.append_pair("limit", &limit.to_string());
    if let Some(after) = after {
        query.append_pair("after", after);
    }
    for filter in filters {
        let Some((name, value)) = filter.split_once('=') else {
            bail!("--where {filter} is no filter: write NAME=VALUE");
        };
        query.append_pair(name, value);
    }
    Ok(query.finish())
}

/// Makes the key, and prints its public part as the configuration takes it.
///
/// # Errors
/// Where the file is there already or cannot be written.
pub fn admin_key(wanted: &AdminKey) -> anyhow::Result<ExitCode> {
    let key = SigningKey::generate(SigningAlg::Es256)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let shown = wanted.file.display();
    let mut file = options.open(&wanted.file).with_context(|| format!("{shown} cannot be made"))?;
    file.write_all(key.to_pem()?.as_bytes())?;
    let members = public_members(&key);
    let members =
        members.iter().filter_map(|(name, value)| Some(format!("{name} = \"{}\"", value.as_str()?)));
    let members: Vec<String> = members.collect();
    writeln!(std::io::stdout(), "jwks = {{ keys = [{{ {}, use = \"sig\" }}] }}", members.join(", "))?;
    Ok(ExitCode::SUCCESS)
}

//! The configuration: one TOML file over the embedded default, and the environment over both.
//!
//! It is read once, at the start. Whatever is unknown, ill-formed, pointing nowhere or there twice refuses the
//! start; all of it is told at once, each by file, key and reason.

mod certification;
mod client;
mod credentials;
mod declared;
mod deferred;
mod details_type;
mod grant_management;
mod hidden;
mod jwks;
mod keys;
mod known;
mod layers;
mod login;
mod mail;
mod outbound;
mod problem;
mod reading;
mod registration;
mod resource_authorization_server;
mod resource_server;
mod rule;
mod settings;
mod shared_workloads;
mod status_lists;
mod tasks;
#[cfg(test)]
mod tests;
mod transaction_tokens;
mod transport;
mod trusted_issuer;
mod upstream;
mod user;
mod userinfo;
mod webhook;
mod workload;
pub mod written;

use std::path::{Path, PathBuf};

use figment::value::{Dict, Value};

pub use certification::CertificationSettings;
pub use declared::{
    Declared, DeclaredAgent, DeclaredClient, DeclaredKind, DeclaredRule, DeclaredUser, Resolved,
};
pub use deferred::{ApprovalSettings, CibaSettings, DeviceSettings};
pub use grant_management::GrantManagementSettings;
pub use hidden::Hidden;
pub use keys::{JWKS_MAX_AGE, KeySettings};
pub use mail::{MailSettings, PasswordSettings};
pub use outbound::OutboundSettings;
pub use problem::Problem;
pub use registration::{Registering, RegistrationSettings, StatementIssuer};
pub use settings::{DpopNonce, DpopSettings, Limits, LogFormat, Settings, issuer_of};
pub use status_lists::StatusListSettings;
pub use tasks::TaskSettings;
pub use transaction_tokens::TransactionTokenSettings;
pub use transport::{AddressHeader, MtlsSettings, ProxySettings, TlsFiles, TlsSettings, TlsVersion};
pub use upstream::{AssertionAudience, DeclaredUpstream, UpstreamCredential};
pub use userinfo::UserinfoSettings;
pub use webhook::DeclaredWebhook;
pub use workload::DeclaredPlatforms;

use layers::Layers;
use problem::Problems;

/// The settings that hold where nobody says otherwise.
pub const DEFAULT: &str = include_str!("../../../config/default.toml");
/// What problems with the embedded default name as their file.
const DEFAULT_NAME: &str = "config/default.toml (embedded)";
/// The arrays of declared things; all other keys are settings.
const DECLARATIONS: [&str; 13] = [
    "users",
    "resource_servers",
    "client_attesters",
    "clients",
    "agents",
    "details_types",
    "rules",
    "webhooks",
    "trusted_issuers",
    "resource_authorization_servers",
    "trust_domains",
    "upstreams",
    "workload_issuers",
];

/// A valid configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// One value each.
    pub settings: Settings,
    /// Users, clients and the like that are applied at each start.
    pub declared: Declared,
}

/// A configuration file that was read but not yet understood.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// What problems call it.
    pub name: String,
    /// What stands in it.
    pub text: String,
    /// Where the files that it names are, unless they are named by an absolute path.
    pub folder: PathBuf,
}

/// Loads the file, or the default alone, under the environment of this process.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: Option<&Path>) -> Result<Config, Vec<Problem>> {
    let file = path.map(ConfigFile::open).transpose().map_err(|problem| vec![problem])?;
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
    read(file.as_ref(), variables)
}

/// Reads a file under the given environment variables; those that do not begin with `PROCURA_` are passed over.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(
    file: Option<&ConfigFile>,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, Vec<Problem>> {
    let mut variables: Vec<_> = variables.into_iter().filter(|(name, _)| layers::is_setting(name)).collect();
    variables.sort();
    let mut texts = vec![(DEFAULT_NAME, DEFAULT)];
    texts.extend(file.map(|file| (file.name.as_str(), file.text.as_str())));
    let source = texts.last().map_or(DEFAULT_NAME, |text| text.0).to_owned();
    let mut problems = Problems { source, found: Vec::new() };

    let layers = Layers::merge(&texts, &variables).map_err(|problem| vec![problem])?;
    let folder = file.map_or(Path::new("."), |file| &file.folder);
    let settings = settings(&layers, folder, &mut problems);
    let declared = declarations(&layers, folder, &mut problems);
    if let (Some(settings), Some(declared)) = (&settings, &declared)
        && let Some((key, reason)) = transport::missing(settings, declared)
    {
        problems.add(key, reason);
    }
    match (settings, declared) {
        (Some(settings), Some(declared)) if problems.found.is_empty() => Ok(Config { settings, declared }),
        _ => Err(problems.found),
    }
}

impl ConfigFile {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| Problem {
            source: name.clone(),
            key: "(whole file)".into(),
            reason: format!("cannot be read: {error}"),
        })?;
        Ok(Self { name, text, folder: path.parent().unwrap_or(Path::new(".")).to_owned() })
    }
}

fn settings(layers: &Layers, folder: &Path, problems: &mut Problems) -> Option<Settings> {
    let declared = |key: &String| DECLARATIONS.contains(&key.as_str());
    let written: Dict =
        layers.root.iter().filter(|(key, _)| !declared(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    let (settings, _) = reading::table::<Settings>(layers, "", &written, problems);
    let mut settings = settings?;
    transport::settle(&mut settings.tls, &mut settings.mtls, folder);
    let issuer_is_set = written.contains_key("issuer");
    if !issuer_is_set {
        settings.issuer = match settings.tls.files() {
            Some(_) => format!("https://{}", settings.listen),
            None => issuer_of(settings.listen),
        };
    }
    let unread = settings.keys.read_files(folder);
    let known = known::Known::of(&layers.root);
    let unknown =
        settings.registration.unknown(&known).into_iter().chain(settings.transaction_tokens.unknown(&known));
    for (key, reason) in unread.into_iter().chain(settings.wrong()).chain(unknown) {
        // An issuer that nobody set can only be wrong by the address it follows.
        let (key, reason) = match key {
            "issuer" if !issuer_is_set => ("listen", format!("issuer must be set with it: {reason}")),
            _ => (key, reason),
        };
        let origin = layers.origin_of(key);
        let (source, key) = origin.unwrap_or_else(|| (problems.source.clone(), key.to_owned()));
        problems.add_from(source, key, reason);
    }
    Some(settings)
}

fn declarations(layers: &Layers, folder: &Path, problems: &mut Problems) -> Option<Declared> {
    for key in DECLARATIONS {
        let Some(value) = layers.root.get(key) else { continue };
        let origin = layers.origin_of(key).unwrap_or_else(|| (problems.source.clone(), key.to_owned()));
        if origin.0 == layers::ENVIRONMENT {
            problems.add_from(
                origin.0,
                origin.1,
                "declared things belong in the file, not in the environment",
            );
        } else if !matches!(value, Value::Array(..)) {
            problems.add_from(origin.0, origin.1, format!("must be a list of tables: [[{key}]]"));
        }
    }
    Declared::read(layers, folder, problems)
}

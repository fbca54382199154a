//! The house of the demo: the real server with a configuration and a database of its own, and the orders API beside
//! it, each on a free port of this machine. All of it is gone when it closes.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use protocol::numeric_date::Seconds;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::by_hand::{self, ByHand, CALLBACK, START};
use super::orders_api::{self, OrdersApi};
use super::party::{Endpoints, Party};
use super::wire::Wire;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{self, Config, ConfigFile};
use crate::secret::{SystemEntropy, random_id};
use crate::start;

/// The application that alice uses.
pub const APPLICATION: &str = "shop-assistant";
/// What the orders API is called in tokens.
pub const ORDERS: &str = "https://orders.example";

/// Everybody who takes part, with their keys.
pub struct Parties {
    /// Agent A.
    pub refund: Party,
    /// Agent B.
    pub lookup: Party,
    /// Agent C, who has no part in any of it.
    pub other: Party,
    /// The orders API, as a client that introspects.
    pub orders: Arc<Party>,
}

/// The passwords of this one run.
pub struct Passwords {
    /// alice's.
    pub alice: String,
    /// The admin's.
    pub admin: String,
}

/// An open house.
pub struct House {
    /// Where everything is.
    pub at: Endpoints,
    /// Where the orders API listens.
    pub api: String,
    /// Everybody.
    pub parties: Parties,
    /// How to sign in.
    pub passwords: Passwords,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
    api_serving: JoinHandle<()>,
    folder: Folder,
}

impl House {
    /// Opens it.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn open(log: bool) -> anyhow::Result<Self> {
        let folder = Folder::make()?;
        let (listener, api_listener) = (listen().await?, listen().await?);
        let (address, api) = (listener.local_addr()?, format!("http://{}", api_listener.local_addr()?));
        let parties = Parties {
            refund: Party::new("refund-agent", "Refund Agent")?,
            lookup: Party::new("lookup-agent", "Lookup Agent")?,
            other: Party::new("travel-agent", "Travel Agent")?,
            orders: Arc::new(Party::new("orders-api", "Orders API")?),
        };
        let passwords = Passwords { alice: password("alice-"), admin: password("admin-") };
        let text = configuration(address, &folder.0, &api, &parties, &passwords)?;
        let config = read(text)?;
        if log {
            super::super::serve::start_logging(&config.settings);
        }
        let issuer = config.settings.issuer.clone();
        let at = |path: &str| format!("{issuer}{path}");
        let endpoints = || Endpoints {
            issuer: issuer.clone(),
            token: at(protocol::metadata::TOKEN),
            introspection: at(protocol::metadata::INTROSPECT),
        };
        let (app, _) = start::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(crate::serve::serve(app, listener, async {
            let _ = stopped.await;
        }));
        let verifier = random_id(&SystemEntropy, &random_id(&SystemEntropy, ""));
        let orders = OrdersApi::new(Wire::new()?, endpoints(), api.clone(), Arc::clone(&parties.orders));
        let application = ByHand {
            wire: Wire::new()?,
            at: endpoints(),
            url: api.clone(),
            agent: parties.refund.id,
            verifier,
        };
        let beside = by_hand::routes(application);
        let api_serving = tokio::spawn(orders_api::serve(Arc::new(orders), beside, api_listener));
        Ok(Self { at: endpoints(), api, parties, passwords, stop, serving, api_serving, folder })
    }

    /// Where the application's users come back to.
    #[must_use]
    pub fn callback(&self) -> String {
        format!("{}{CALLBACK}", self.api)
    }

    /// Where whoever tries it by hand begins: the application's page, which asks for an agent.
    #[must_use]
    pub fn start(&self) -> String {
        format!("{}{START}", self.api)
    }

    /// Closes it and removes what it kept.
    ///
    /// # Errors
    /// Where it does not close.
    pub async fn close(self) -> anyhow::Result<()> {
        let _ = self.stop.send(());
        self.api_serving.abort();
        self.serving.await.context("the server did not end well")??;
        drop(self.folder);
        Ok(())
    }
}

async fn listen() -> anyhow::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await.context("no free port on 127.0.0.1")
}

/// A password that can be typed: enough for a house that listens to this machine only and is gone soon.
fn password(prefix: &str) -> String {
    let random = random_id(&SystemEntropy, "").to_lowercase();
    let letters: String = random.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("{prefix}{letters}")
}

fn read(text: String) -> anyhow::Result<Config> {
    let file = ConfigFile { name: "the demo's configuration".into(), text, folder: PathBuf::from(".") };
    config::read(Some(&file), []).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow!(lines.join("\n"))
    })
}

/// A folder of its own, for nobody else to read, that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(random_id(&SystemEntropy, "procura-demo-"));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn configuration(
    listen: SocketAddr,
    folder: &Path,
    api: &str,
    parties: &Parties,
    passwords: &Passwords,
) -> anyhow::Result<String> {
    let Some(folder) = folder.to_str() else { bail!("the folder for temporary files has no readable name") };
    let settings = format!(
        "listen = \"{listen}\"\ndatabase_url = \"sqlite://{folder}/procura.db?mode=rwc\"\nlog = \"warn\"\n"
    );
    let users = user("alice", "Alice Arnold", false, &passwords.alice)?
        + &user("admin", "Ada Admin", true, &passwords.admin)?;
    let agents = agent(&parties.refund, "Refunds orders within the limits that it is given.")
        + &agent(&parties.lookup, "Finds orders and their state for other agents.")
        + &agent(&parties.other, "Books journeys.");
    let orders = &parties.orders;
    Ok(format!(
        r#"{settings}{users}
[[resource_servers]]
identifier = "{ORDERS}"
name = "Orders API"
details_types = ["agent_task"]
[resource_servers.scopes]
"orders:read" = "See your orders"
"orders:write" = "Change, cancel and refund your orders"

[[clients]]
id = "{APPLICATION}"
name = "Shop Assistant"
kind = "application"
authentication = "none"
redirect_uris = ["{api}{CALLBACK}"]
scope = "openid orders:read orders:write"
resources = ["{ORDERS}"]
authorization_details_types = ["agent_task"]

[[clients]]
id = "{}"
name = "{}"
kind = "service"
authentication = "private_key_jwt"
resource_server = "{ORDERS}"
jwks = {}
{agents}"#,
        orders.id,
        orders.name,
        orders.jwks()
    ))
}

fn user(username: &str, name: &str, admin: bool, password: &str) -> anyhow::Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    let hash = hash.map_err(|error| anyhow!("hashing failed: {error}"))?;
    Ok(format!(
        "\n[[users]]\nusername = \"{username}\"\nname = \"{name}\"\nadmin = {admin}\npassword_hash = \"{hash}\"\n"
    ))
}

fn agent(agent: &Party, purpose: &str) -> String {
    let expires = SystemClock.now().plus(Seconds::days(1)).to_rfc3339();
    format!(
        r#"
[[agents]]
id = "{}"
name = "{}"
owner = "admin"
purpose = "{purpose}"
expires = {expires}
grant_types = ["urn:ietf:params:oauth:grant-type:token-exchange", "client_credentials"]
scope = "orders:read orders:write tasks"
resources = ["{ORDERS}"]
authorization_details_types = ["agent_task"]
jwks = {}
"#,
        agent.id,
        agent.name,
        agent.jwks()
    )
}

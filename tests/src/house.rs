//! The house: a server that really serves, on a database of its own.

use std::sync::Arc;

use protocol::audit::LoggedEvent;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::user::User;
use server::app::App;
use server::clock::{Clock as _, TurnedClock};
use server::config::{self, ConfigFile};
use server::secret::SystemEntropy;
use server::serve::Listeners;
use server::start::Notice;
use server::store::{Change, Origin, Record, Store};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::client::{Authentication, Client};
use crate::database::{Database, Site};
use crate::key::random;
use crate::person::Person;
use crate::secured::Secured;
use crate::town::{self, Credentials};

/// A server that is open until it is dropped.
pub struct House {
    door: Door,
    credentials: Credentials,
    config: String,
    site: Site,
    app: Arc<App>,
    /// The links that were printed at the start.
    pub notices: Vec<Notice>,
    serving: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// Another node of a house: the same issuer, database and clock, and a port of its own.
pub struct Neighbour {
    issuer: String,
    /// What leads there: requests to the house go to this node.
    http: reqwest::Client,
    serving: JoinHandle<()>,
    _stop: oneshot::Sender<()>,
}

impl Neighbour {
    /// The same client, who goes to this node from now on.
    #[must_use]
    pub fn serving(&self, client: Client) -> Client {
        client.going(self.issuer.clone(), self.http.clone())
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What everybody outside knows of the house: where it is, and what time it is.
#[derive(Clone)]
pub struct Door {
    /// The issuer identifier, which is also where it listens.
    pub issuer: String,
    /// The way there. Redirects are not followed.
    pub http: reqwest::Client,
    clock: Arc<TurnedClock>,
}

impl Door {
    /// The URL of a path of the house.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// The time, which house and visitors agree on.
    #[must_use]
    pub fn now(&self) -> NumericDate {
        self.clock.now()
    }
}

impl House {
    /// On SQLite, with the defaults.
    pub async fn open() -> Self {
        Self::on(Database::Sqlite).await
    }

    /// On SQLite, with a fragment of TOML in the configuration: settings first, then tables.
    pub async fn open_with(fragment: &str) -> Self {
        Self::on_with(Database::Sqlite, fragment).await
    }

    /// On this database, with the defaults.
    pub async fn on(database: Database) -> Self {
        Self::on_with(database, "").await
    }

    /// On this database, with a fragment of TOML in the configuration: settings first, then tables.
    pub async fn on_with(database: Database, fragment: &str) -> Self {
        let fragment = fragment.to_owned();
        Self::build(database, move |town| format!("{fragment}\n{town}")).await
    }

    /// On this database, speaking TLS, with a fragment of TOML in the configuration: tables of settings first.
    pub async fn on_secured(database: Database, secured: &Secured, fragment: &str) -> Self {
        Self::with_settings(database, secured, &format!("{}\n{fragment}", secured.settings())).await
    }

    pub(crate) async fn with_settings(database: Database, secured: &Secured, settings: &str) -> Self {
        let (visit, settings) = ((secured.visitor(None), secured.listener()), settings.to_owned());
        Box::pin(Self::build_at("127.0.0.1", database, "https", visit, move |town| {
            format!("{settings}\n{town}")
        }))
        .await
    }

    /// On this database, with the declarations changed by `change`.
    pub async fn build(database: Database, change: impl FnOnce(String) -> String) -> Self {
        Self::build_plain("127.0.0.1", database, change).await
    }

    /// At `localhost`, where there can be passkeys, with a fragment of TOML in the configuration.
    pub async fn with_passkeys(database: Database, fragment: &str) -> Self {
        Self::at("localhost", database, fragment).await
    }

    /// Under this host's name, with a fragment of TOML in the configuration.
    pub async fn at(host: &str, database: Database, fragment: &str) -> Self {
        let fragment = fragment.to_owned();
        Self::build_plain(host, database, move |town| format!("{fragment}\n{town}")).await
    }

    async fn build_plain(host: &str, database: Database, change: impl FnOnce(String) -> String) -> Self {
        // Whoever comes first names the provider; the others find it named.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        // In a box, since futures within futures within futures have no end for the compiler.
        Box::pin(Self::build_at(host, database, "http", (plain(), None), change)).await
    }

    async fn build_at(
        host: &str,
        database: Database,
        scheme: &str,
        (http, mtls): (reqwest::Client, Option<TcpListener>),
        change: impl FnOnce(String) -> String,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = listener.local_addr().unwrap();
        let issuer = format!("{scheme}://{host}:{}", listen.port());
        let site = database.build().await;
        let (town, credentials) = town::declare();
        let config = format!(
            "listen = \"{listen}\"\nissuer = \"{issuer}\"\ndatabase_url = \"{}\"\n{}",
            site.url,
            change(town)
        );
        let door = Door { issuer, http, clock: Arc::default() };
        let (app, notices) = enter(&config, &door.clock).await;
        let serving = Some(serve(&app, Listeners { main: listener, mtls }));
        Self { door, credentials, config, site, app, notices, serving }
    }

    /// Closes the house and opens it again, at the same place and on the same database.
    pub async fn restart(&mut self) {
        let config = self.config.clone();
        self.restart_with(config).await;
    }

    /// The same, with the configuration changed by `change`.
    pub async fn restart_changed(&mut self, change: impl FnOnce(String) -> String) {
        let config = change(self.config.clone());
        self.restart_with(config).await;
    }

    async fn restart_with(&mut self, config: String) {
        self.shut().await;
        let (app, notices) = enter(&config, &self.door.clock).await;
        let listener = TcpListener::bind(app.settings.listen).await.unwrap();
        (self.app, self.notices, self.config) = (app, notices, config);
        let listeners = Listeners::from(listener).complete(&self.app.settings).await.unwrap();
        self.serving = Some(serve(&self.app, listeners));
    }

    /// Closes the house, once what it began is finished.
    pub async fn close(mut self) {
        self.shut().await;
    }

    async fn shut(&mut self) {
        // Connections that are kept for later would be waited for.
        if self.door.issuer.starts_with("http://") {
            drop(std::mem::replace(&mut self.door.http, plain()));
        }
        if let Some((stop, serving)) = self.serving.take() {
            let _ = stop.send(());
            let _ = serving.await;
        }
    }

    /// Opens another node of this house.
    pub async fn neighbour(&self) -> Neighbour {
        let (app, _) = enter(&self.config, &self.door.clock).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // As a balancer would: the house has one address, and this is what stands behind it.
        let node = reqwest::Proxy::http(format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let plain = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let http = plain.proxy(node).build().unwrap();
        let (stop, serving) = serve(&app, Listeners { main: listener, mtls: None });
        Neighbour { issuer: self.door.issuer.clone(), http, serving, _stop: stop }
    }

    /// What everybody outside knows.
    #[must_use]
    pub const fn door(&self) -> &Door {
        &self.door
    }

    /// The issuer identifier.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.door.issuer
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.door.url(path)
    }

    /// The URL of the database.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.site.url
    }

    /// The configuration's text.
    #[must_use]
    pub fn config(&self) -> &str {
        &self.config
    }

    /// The clock that house and visitors go by.
    #[must_use]
    pub fn clock(&self) -> &TurnedClock {
        &self.door.clock
    }

    /// Turns the clock forward.
    pub fn later(&self, seconds: i64) {
        self.door.clock.turn(Seconds(seconds));
    }

    /// What the server does every minute: ends what is over, and sweeps it out.
    pub async fn sweep(&self) {
        let now = self.door.now();
        server::registration::expire(&self.app, now).await.unwrap();
        self.app.store.sweep(now).await.unwrap();
    }

    /// The server's own store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.app.store
    }

    /// Adds somebody of this username whom nobody declared, as an upstream may have made them.
    pub async fn has_somebody_called(&self, username: &str) {
        let user = User {
            id: format!("usr_made_{}", random()).parse().unwrap(),
            username: username.into(),
            name: "Mallory".into(),
            password_hash: None,
            claims: serde_json::Map::new(),
            admin: false,
            enabled: true,
        };
        let change = Change::housekeeping(self.door.now()).keep(Record::User { user, origin: Origin::Admin });
        self.store().commit(change).await.unwrap();
    }

    /// The server's inside.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// A JWT with the key that signs with this algorithm, whatever its claims say.
    #[must_use]
    pub fn sign(&self, alg: protocol::client::SigningAlg, typ: &str, claims: &serde_json::Value) -> String {
        self.app.keys.sign(alg, typ, claims.as_object().unwrap()).unwrap()
    }

    /// The audit log, the oldest event first.
    pub async fn events(&self) -> Vec<LoggedEvent> {
        self.app.store.audit_after(0, 10_000).await.unwrap()
    }

    /// The newest event, as the JSON that is kept of it.
    pub async fn last_event(&self) -> serde_json::Value {
        let newest = self.app.store.audit_tail(1).await.unwrap();
        newest.first().map_or(serde_json::Value::Null, |event| serde_json::to_value(event).unwrap())
    }

    /// The newest event must be of this action and outcome, `granted` or the code of the refusal.
    #[track_caller]
    pub fn told(&self, action: &str, outcome: &str) -> impl Future<Output = serde_json::Value> + '_ {
        let place = std::panic::Location::caller();
        let expected = (action.to_owned(), outcome.to_owned());
        async move {
            let event = self.last_event().await;
            let outcome = event.get("error").unwrap_or(&event["outcome"]);
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            assert_eq!((text(&event["action"]), text(outcome)), expected, "at {place}: {event}");
            event
        }
    }

    /// A client of the town: `shop`, `web`, `post`, `orders-api`, `inventory-api`, `agent-a`, `agent-b`, `agent-c`.
    /// Agents and services come with a DPoP key.
    #[must_use]
    pub fn client(&self, id: &str) -> Client {
        let authentication = self.credentials.get(id).unwrap_or_else(|| panic!("no client {id}")).clone();
        let client = Client::new(&self.door, id, authentication.clone());
        if matches!(authentication, Authentication::PrivateKeyJwt(_)) { client.with_dpop() } else { client }
    }

    /// Somebody with a browser, signed in nowhere.
    #[must_use]
    pub fn person(&self) -> Person {
        Person::new(&self.door)
    }

    /// `alice`, `bob` or `admin`, signed in.
    pub async fn signed_in(&self, username: &str) -> Person {
        let person = self.person();
        person.sign_in(username, &town::password_of(username)).await;
        person
    }

    /// The beginning of an authorization request of `client`.
    #[must_use]
    pub fn ask(&self, client: &Client) -> Ask {
        Ask::new(client)
    }

    /// The whole story: the shop asks for `agent-a` with this scope, alice approves all of it, the shop hands the
    /// token to the agent and the agent exchanges it for this scope at the orders.
    pub async fn delegated_token(&self, agent: &Client, scope: &str) -> Answer {
        let subject = self.token_for(agent, scope).await;
        agent.exchange(&subject, &[("scope", scope), ("resource", town::ORDERS)]).await.ok()
    }

    /// The first half of it: the token that the shop has for `agent` to exchange.
    pub async fn token_for(&self, agent: &Client, scope: &str) -> String {
        let shop = self.client("shop");
        let ask = self.ask(&shop).actor(&agent.id).scope(scope).resource(town::ORDERS);
        let code = ask.approved_by(&self.signed_in("alice").await).await;
        code.redeem(&shop).await.ok().access_token().to_owned()
    }

    /// Whether a token is alive, as the resource server that it is for is told.
    pub async fn is_active(&self, token: &str) -> bool {
        // What is no JWT is a reference, and none is for the inventory.
        let is_inventorys = token.contains('.') && {
            let claims = crate::key::unverified_claims(token);
            claims["aud"].as_str().or_else(|| claims["aud"][0].as_str()) == Some(town::INVENTORY)
        };
        let server = if is_inventorys { "inventory-api" } else { "orders-api" };
        self.client(server).introspect(token).await.ok().json["active"] == true
    }

    /// Any request, without anything added.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.door.http.request(method.parse().unwrap(), self.url(path))
    }

    /// Sends any request.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }
}

/// Who comes without TLS, and does not follow redirects.
fn plain() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn enter(config: &str, clock: &Arc<TurnedClock>) -> (Arc<App>, Vec<Notice>) {
    let file = ConfigFile { name: "house.toml".into(), text: config.to_owned(), folder: ".".into() };
    let config = config::read(Some(&file), []).unwrap_or_else(|problems| {
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", told.join("\n"))
    });
    let clock: Arc<TurnedClock> = Arc::clone(clock);
    // On the heap: every test holds what this holds, and the compiler looks only so deep.
    Box::pin(server::start::open(config, clock, Arc::new(SystemEntropy))).await.unwrap()
}

fn serve(app: &Arc<App>, listeners: Listeners) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let app = Arc::clone(app);
    let serving = tokio::spawn(async move {
        let _ = server::serve::serve(app, listeners, async { drop(stopped.await) }).await;
    });
    (stop, serving)
}

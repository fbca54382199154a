//! Where a test plays: a house, people with browsers, and an application that waits for its answer.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use protocol::consent::Consent;
use serde_json::{Value, json};
use tests::browser::{self, Browsers, Person, Setup};
use tests::{Database, House, password_of};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use url::Url;

/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// How long an application waits for its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who plays here besides those who live around every house: an application that asks for an agent, that agent,
/// an application that asks for itself, and somebody without a password. Nobody takes the mail.
const CAST: &str = r#"
[mail]
server = "smtp://127.0.0.1:9"
from = "login@shop.example"

[[users]]
username = "carol"
name = "Carol Clark"

[[clients]]
id = "shop-assistant"
name = "Shop Assistant"
kind = "application"
authentication = "none"
redirect_uris = ["http://127.0.0.1/callback", "http://[::1]/callback"]
scope = "openid profile offline_access orders:read orders:write"
resources = ["https://orders.example"]
authorization_details_types = ["agent_task", "mcp_tool"]

[[clients]]
id = "order-book"
name = "Order Book"
kind = "application"
authentication = "none"
redirect_uris = ["http://127.0.0.1/callback"]
scope = "openid profile orders:read"
resources = ["https://orders.example"]

[[clients]]
id = "television"
name = "Television"
kind = "application"
authentication = "none"
grant_types = ["urn:ietf:params:oauth:grant-type:device_code"]
scope = "openid profile orders:read"
resources = ["https://orders.example"]

[[clients]]
id = "till"
name = "Till"
kind = "application"
authentication = "client_secret_basic"
secret_sha256 = "61d65a9b825e87a6dc3e8fc81f6b826cf52c991d4c61bdbf4b4ed04d3f067382"
grant_types = ["urn:openid:params:grant-type:ciba"]
scope = "openid profile orders:read"
resources = ["https://orders.example"]
authorization_details_types = ["agent_task", "mcp_tool"]

[[rules]]
id = "agent-c-is-watched"
client = "agent-c"
effect = "ask"
details_type = "agent_task"
actions = ["refund"]
scope = "orders:write"

[[agents]]
id = "refund-agent"
name = "Refund Agent"
owner = "bob"
purpose = "Checks complaints about orders and refunds them within the limits it is given."
expires = 2099-06-30T00:00:00Z
redirect_uris = ["http://127.0.0.1/callback"]
scope = "openid offline_access orders:read orders:write"
resources = ["https://orders.example"]
authorization_details_types = ["agent_task", "mcp_tool"]
jwks = REFUND_AGENT
"#;

/// An application that wants its page loaded when its user signs out, which needs an origin that is known before.
fn diary(application: &Application) -> String {
    let uri = &application.redirect_uri;
    format!(
        "[[clients]]\nid = \"diary\"\nname = \"Diary\"\nkind = \"application\"\nauthentication = \"none\"\n\
         redirect_uris = [\"{uri}\"]\npost_logout_redirect_uris = [\"{uri}\"]\n\
         frontchannel_logout_uri = \"{uri}/signed-out\"\nscope = \"openid\"\n"
    )
}

/// The stage.
pub struct Stage {
    /// The house.
    pub house: House,
    /// Where applications wait for their answer.
    pub application: Application,
    /// The Refund Agent, with the key it is known by.
    pub refund_agent: tests::Client,
    browsers: Browsers,
    people: std::sync::Mutex<Vec<Person>>,
}

/// Plays a test, if there is a browser; closes every browser, whatever happens; and then looks for complaints.
pub async fn play<F, Fut>(test: F)
where
    F: FnOnce(Arc<Stage>) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    play_at("127.0.0.1", test).await;
}

/// The same with the house at this host: passkeys are for `localhost`, and never for an address.
pub async fn play_at<F, Fut>(host: &str, test: F)
where
    F: FnOnce(Arc<Stage>) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("a test");
    if !browser::is_there(name) {
        return;
    }
    let application = Application::open("127.0.0.1").await.unwrap();
    let key = Arc::new(tests::Key::generate());
    let cast = CAST.replace("REFUND_AGENT", &key.jwks_toml());
    let house = House::at(host, Database::Sqlite, &format!("{cast}{}", diary(&application))).await;
    let by_key = tests::Authentication::PrivateKeyJwt(key);
    let stage = Arc::new(Stage {
        refund_agent: tests::Client::new(house.door(), "refund-agent", by_key),
        house,
        application,
        browsers: Browsers::new().await,
        people: std::sync::Mutex::default(),
    });
    // A task of its own, so that a failed assertion does not keep the browsers open.
    let played = tokio::spawn(test(Arc::clone(&stage))).await;
    let mut complaints = Vec::new();
    if played.is_ok() {
        let people = stage.people.lock().unwrap().clone();
        for person in people {
            complaints.extend(person.complaints().await);
        }
    }
    stage.browsers.close().await;
    if let Err(failed) = played {
        std::panic::resume_unwind(failed.into_panic());
    }
    assert!(complaints.is_empty(), "the browser complains: {complaints:#?}");
}

impl Stage {
    /// Somebody with a browser as most people have it.
    pub async fn person(&self) -> Person {
        self.person_with(Setup::default()).await
    }

    /// Somebody with a browser of their own making.
    pub async fn person_with(&self, setup: Setup) -> Person {
        let person = self.browsers.person(setup).await;
        self.people.lock().unwrap().push(person.clone());
        person
    }

    /// Somebody who is signed in.
    pub async fn signed_in(&self, username: &str) -> Person {
        let person = self.person().await;
        self.sign_in(&person, username).await;
        person
    }

    /// Signs in, at the house's own wish or at an application's.
    pub async fn sign_in(&self, person: &Person, username: &str) {
        if !person.url().await.contains("/sign-in") {
            person.goto(&self.house.url("/sign-in?next=%2Faccount")).await;
        }
        person.write("login-username", username).await;
        person.write("login-password", &password_of(username)).await;
        person.click("login-submit").await;
    }

    /// Alice let `agent-c` act for her by another browser; what it asks for now needs her approval. Gives the client and
    /// the answer that tells it to wait.
    pub async fn agent_needs_approval(&self) -> (tests::Client, tests::Answer) {
        let (shop, agent) = (self.house.client("shop"), self.house.client("agent-c"));
        let details = json!([refund()[0]]);
        let ask = self.house.ask(&shop).actor("agent-c").scope("orders:read orders:write");
        let ask = ask.details(&details).resource(tests::ORDERS);
        let ask = ask.pushed(&shop).await;
        let code = ask.approved_by(&self.house.signed_in("alice").await).await;
        let given = code.redeem(&shop).await.ok().access_token().to_owned();
        let details = details.to_string();
        let wait = [
            ("scope", "orders:write"),
            ("authorization_details", details.as_str()),
            ("resource", tests::ORDERS),
            ("completion_mode", "deferred"),
        ];
        let asked = agent.exchange(&given, &wait).await.refused("authorization_pending");
        (agent, asked)
    }

    /// The URL that `client` sends a browser to, with these parameters beside the usual ones.
    pub fn asks(&self, client: &str, params: &[(&str, &str)]) -> String {
        self.asks_from(&self.application, client, params)
    }

    /// The same, with the answer to go to another application.
    pub fn asks_from(&self, application: &Application, client: &str, params: &[(&str, &str)]) -> String {
        let mut url = Url::parse(&self.house.url("/authorize")).unwrap();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client)
            .append_pair("redirect_uri", &application.redirect_uri)
            .append_pair("state", "the state & more")
            .append_pair("code_challenge", CHALLENGE)
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(params);
        url.into()
    }

    /// The same for what holds a task: it is pushed, and the URL names it.
    pub async fn pushes(&self, client: &tests::Client, params: &[(&str, &str)]) -> String {
        let url = Url::parse(&self.asks(&client.id, params)).unwrap();
        let request: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let request: Vec<_> = request.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let pushed = client.push(&request).await.ok();
        let mut url = Url::parse(&self.house.url("/authorize")).unwrap();
        url.query_pairs_mut()
            .append_pair("client_id", &client.id)
            .append_pair("request_uri", pushed.text("request_uri"));
        url.into()
    }

    /// The usual story: the Shop Assistant asks for the Refund Agent.
    pub async fn asks_for_agent(&self) -> String {
        let details = refund().to_string();
        let shop = tests::Client::new(self.house.door(), "shop-assistant", tests::Authentication::None);
        let params = [
            ("requested_actor", "refund-agent"),
            ("scope", "openid offline_access orders:read orders:write"),
            ("authorization_details", details.as_str()),
        ];
        self.pushes(&shop, &params).await
    }

    /// Alice in front of the usual story's consent page.
    pub async fn alice_is_asked(&self) -> Person {
        let alice = self.person().await;
        alice.goto(&self.asks_for_agent().await).await;
        self.sign_in(&alice, "alice").await;
        alice.see("consent-form").await;
        alice
    }

    /// Everything that `username` allowed, the newest first.
    pub async fn consents(&self, username: &str) -> Vec<Consent> {
        let user = self.house.store().find_user_by_username(username).await.unwrap().unwrap();
        self.house.store().consents_of_user(&user.id).await.unwrap()
    }
}

/// What the Refund Agent is to do: a task, and the tools for it.
pub fn refund() -> Value {
    json!([
        {
            "type": "agent_task",
            "purpose": "Refund order 4711, which arrived broken",
            "reference": "TICKET-2081",
            "success_criteria": ["The customer has the money back"],
            "limits": ["Never more than the order cost", "No letters to the customer"],
            "actions": ["refund"],
            "locations": ["https://orders.example"],
            "max_amount": 50,
            "currency": "EUR",
        },
        {
            "type": "mcp_tool",
            "server": "https://orders.example",
            "tools": ["find_order", "add_note"],
        },
    ])
}

/// An application on this machine that waits for what the browser brings back.
pub struct Application {
    /// Where the browser is to come back to.
    pub redirect_uri: String,
    answers: Mutex<mpsc::UnboundedReceiver<String>>,
}

impl Application {
    /// Waits on an address of this machine.
    pub async fn open(host: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind((host, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, answers) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(welcome(stream, sender.clone()));
            }
        });
        Ok(Self { redirect_uri: format!("http://{address}/callback"), answers: Mutex::new(answers) })
    }

    /// The next answer's parameters.
    pub async fn answer(&self) -> BTreeMap<String, String> {
        let mut answers = self.answers.lock().await;
        let target = tokio::time::timeout(PATIENCE, answers.recv()).await;
        let target = target.expect("the browser comes back to the application").unwrap();
        let url = Url::parse("http://localhost").unwrap().join(&target).unwrap();
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    /// Whether nothing came since.
    pub async fn heard_nothing(&self) -> bool {
        self.answers.lock().await.try_recv().is_err()
    }
}

async fn welcome(mut stream: TcpStream, heard: mpsc::UnboundedSender<String>) {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => head.extend_from_slice(&buffer[..count]),
        }
    }
    let target = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
    if target.starts_with("/callback") {
        let _ = match posted(&mut stream, &head).await {
            Some(form) => heard.send(format!("{target}?{form}")),
            None => heard.send(target),
        };
    }
    let page = "<!doctype html><html lang=en><link rel=icon href=data:,><title>The application</title><p id=back>Welcome back.";
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// The form that was posted, if one was: what came behind the head, and what is still to come of it.
async fn posted(stream: &mut TcpStream, so_far: &[u8]) -> Option<String> {
    let end = so_far.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&so_far[..end]).to_ascii_lowercase();
    let length = head.split("content-length:").nth(1)?.split("\r\n").next()?.trim().parse().ok()?;
    let mut body = so_far[end..].to_vec();
    let mut buffer = [0; 4096];
    while body.len() < length {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => body.extend_from_slice(&buffer[..count]),
        }
    }
    String::from_utf8(body).ok()
}

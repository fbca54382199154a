//! Clients whose users are elsewhere, and where they are notified.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Answer, Authentication, Client, Database, House, Key, Page, Person, random};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};

/// RFC 8628 §3.4.
pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// CIBA §10.1.
pub const CIBA: &str = "urn:openid:params:grant-type:ciba";
/// How long the clients here must wait between two times they ask: longer than any test takes by itself.
pub const INTERVAL: i64 = 60;

/// A house with a television that has no keyboard, a till that asks its customers from afar, and their like.
pub struct Elsewhere {
    /// The house.
    pub house: House,
    /// Where `till-ping` and `till-push` are notified.
    pub mailbox: Mailbox,
    keys: Vec<(&'static str, Arc<Key>)>,
}

const CONFIDENTIAL: [(&str, &str); 10] = [
    ("till", ""),
    ("other-till", ""),
    (
        "till-ping",
        "backchannel_token_delivery_mode = \"ping\"\nbackchannel_client_notification_endpoint = \"MAILBOX\"",
    ),
    (
        "till-push",
        "backchannel_token_delivery_mode = \"push\"\nbackchannel_client_notification_endpoint = \"MAILBOX\"",
    ),
    ("till-signed", "backchannel_authentication_request_signing_alg = \"ES256\""),
    ("till-code", "backchannel_user_code_parameter = true"),
    ("other-code", "backchannel_user_code_parameter = true"),
    ("till-fapi", "profile = \"fapi-ciba\""),
    (
        "till-pairwise",
        "subject_type = \"pairwise\"\nredirect_uris = [\"https://till-pairwise.example/callback\"]",
    ),
    ("other-pairwise", "subject_type = \"pairwise\"\nredirect_uris = [\"https://other.example/callback\"]"),
];

impl Elsewhere {
    /// On this database.
    pub async fn on(database: Database) -> Self {
        Self::with(database, "").await
    }

    /// On this database, with more of `[ciba]`.
    pub async fn with(database: Database, ciba: &str) -> Self {
        let mailbox = Mailbox::open().await;
        let mut keys = Vec::new();
        let mut more = format!(
            "[[clients]]\nid = \"tv\"\nname = \"The television\"\nkind = \"application\"\nauthentication = \"none\"\n\
             grant_types = [\"{DEVICE_CODE}\", \"refresh_token\"]\n{SCOPE}\n"
        );
        for (id, special) in CONFIDENTIAL {
            let key = Arc::new(Key::generate());
            more.push_str(&format!(
                "[[clients]]\nid = \"{id}\"\nname = \"The {id}\"\nkind = \"application\"\n\
                 authentication = \"private_key_jwt\"\njwks = {}\ngrant_types = [\"{CIBA}\", \"refresh_token\"]\n\
                 {SCOPE}\n{}\n",
                key.jwks_toml(),
                special.replace("MAILBOX", &mailbox.url),
            ));
            keys.push((id, key));
        }
        let key = Arc::new(Key::generate());
        more.push_str(&format!(
            "[[agents]]\nid = \"agent-d\"\nname = \"agent-d the agent\"\nowner = \"bob\"\npurpose = \"Asks first.\"\n\
             expires = 2099-01-01T00:00:00Z\njwks = {}\n\
             grant_types = [\"{DEVICE_CODE}\", \"{CIBA}\", \"refresh_token\"]\n{SCOPE}\n",
            key.jwks_toml()
        ));
        keys.push(("agent-d", key));
        let settings = format!(
            "[outbound]\npermitted_addresses = [\"127.0.0.0/8\"]\n[device]\ninterval = {INTERVAL}\n\
             [ciba]\ninterval = {INTERVAL}\n{ciba}\n"
        );
        let house = House::build(database, move |town| format!("{settings}{town}\n{more}")).await;
        Self { house, mailbox, keys }
    }

    /// One of the clients. The agent comes with a DPoP key.
    #[track_caller]
    pub fn client(&self, id: &str) -> Client {
        if id == "tv" {
            return Client::new(self.house.door(), "tv", Authentication::None);
        }
        let key = self.key(id);
        let client = Client::new(self.house.door(), id, Authentication::PrivateKeyJwt(key));
        if id == "agent-d" { client.with_dpop() } else { client }
    }

    /// The key that a client authenticates and signs with.
    #[track_caller]
    pub fn key(&self, id: &str) -> Arc<Key> {
        let found = self.keys.iter().find(|(known, _)| *known == id);
        Arc::clone(&found.unwrap_or_else(|| panic!("no client {id}")).1)
    }

    /// A television asks, for what may be read.
    pub async fn tv_asks(&self) -> Answer {
        self.client("tv").post("/device_authorization", &[("scope", "openid orders:read")]).await.ok()
    }

    /// A device asks for its answer.
    pub async fn poll_device(&self, client: &Client, asked: &Answer) -> Answer {
        client.token(&[("grant_type", DEVICE_CODE), ("device_code", asked.text("device_code"))]).await
    }

    /// `client` asks alice from afar, with these parameters beside the usual ones.
    pub async fn ask_alice(&self, client: &Client, more: &[(&str, &str)]) -> Answer {
        let mut params = vec![("scope", "openid orders:read"), ("login_hint", "alice")];
        params.extend_from_slice(more);
        client.post("/backchannel/authorize", &params).await
    }

    /// A client asks for its answer.
    pub async fn poll(&self, client: &Client, asked: &Answer) -> Answer {
        client.token(&[("grant_type", CIBA), ("auth_req_id", asked.text("auth_req_id"))]).await
    }

    /// The only question that waits for this person.
    pub async fn question(&self, person: &Person) -> Page {
        question(person).await
    }

    /// The claims of a signed request of `client` that is right.
    pub fn signed_claims(&self, client: &str) -> Value {
        let now = self.house.door().now().0;
        json!({ "iss": client, "aud": self.house.issuer(), "iat": now, "nbf": now, "exp": now + 300, "jti": random(),
            "scope": "openid orders:read", "login_hint": "alice", "binding_message": "W4SCT" })
    }
}

/// The only question that waits for this person.
pub async fn question(person: &Person) -> Page {
    let list = person.page("/approvals").await;
    let (_, rest) = list.html.split_once("href=\"/approvals/").unwrap_or_else(|| panic!("{}", list.text()));
    let id = rest.split('"').next().unwrap().to_owned();
    person.page(&format!("/approvals/{id}")).await
}

const SCOPE: &str = "scope = \"openid profile offline_access orders:read orders:write\"\n\
    resources = [\"https://orders.example\"]\nauthorization_details_types = [\"agent_task\", \"mcp_tool\"]";

/// Where clients are notified: it keeps what comes and answers as it is told.
pub struct Mailbox {
    /// Its address.
    pub url: String,
    /// The status of each further answer; the last one stays.
    pub statuses: Arc<Mutex<Vec<u16>>>,
    received: Mutex<mpsc::UnboundedReceiver<Letter>>,
}

/// What came.
#[derive(Debug)]
pub struct Letter {
    /// The request's head, in lower case but for its values.
    pub head: String,
    /// Its body.
    pub body: Value,
}

impl Letter {
    /// A header field; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }
}

impl Mailbox {
    /// Opens one.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notified", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        let statuses: Arc<Mutex<Vec<u16>>> = Arc::default();
        let shared = Arc::clone(&statuses);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take_in(stream, sender.clone(), Arc::clone(&shared)));
            }
        });
        Self { url, statuses, received: Mutex::new(received) }
    }

    /// The next letter.
    pub async fn letter(&self) -> Letter {
        let mut received = self.received.lock().await;
        let letter = tokio::time::timeout(Duration::from_secs(60), received.recv()).await;
        letter.expect("a letter comes").unwrap()
    }

    /// Whether none comes for a while.
    pub async fn stays_empty(&self, seconds: u64) -> bool {
        let mut received = self.received.lock().await;
        tokio::time::timeout(Duration::from_secs(seconds), received.recv()).await.is_err()
    }
}

async fn take_in(
    mut stream: TcpStream,
    sender: mpsc::UnboundedSender<Letter>,
    statuses: Arc<Mutex<Vec<u16>>>,
) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap_or(0);
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if read == 0 { return } else { continue }
        };
        let letter = Letter { head: head.to_owned(), body: Value::Null };
        let length: usize = letter.header("content-length").parse().unwrap_or(0);
        if body.len() >= length {
            break (head.to_owned(), body.to_owned());
        }
        if read == 0 {
            return;
        }
    };
    let status = {
        let mut statuses = statuses.lock().await;
        if statuses.len() > 1 { statuses.remove(0) } else { statuses.first().copied().unwrap_or(204) }
    };
    let _ = sender.send(Letter { head, body: serde_json::from_str(&body).unwrap_or_default() });
    let location =
        if (300..400).contains(&status) { "Location: http://127.0.0.1:1/elsewhere\r\n" } else { "" };
    let answer =
        format!("HTTP/1.1 {status} Answer\r\n{location}Content-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}

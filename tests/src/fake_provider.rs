//! An OpenID Provider that says whatever a test wants, right or wrong.

use std::sync::{Arc, Mutex};

use protocol::numeric_date::NumericDate;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::key::Key;

/// What it says.
#[derive(Clone)]
pub struct Says {
    /// The claims of the ID token.
    pub id_token: Map<String, Value>,
    /// The header of the ID token.
    pub header: Value,
    /// The claims at userinfo; none, and there is no such endpoint.
    pub userinfo: Option<Value>,
    /// The status of the token endpoint.
    pub token_status: u16,
    /// Whether it names itself in authorization responses (RFC 9207).
    pub names_itself: bool,
    /// Whether it accepts connections and never answers.
    pub hangs: bool,
    /// The paths at which it is out of order, each with the status that it answers there; 0 where it never does.
    pub out_of_order: Vec<(&'static str, u16)>,
}

/// The provider. It is there until it is dropped.
pub struct FakeProvider {
    /// Its issuer identifier.
    pub issuer: String,
    says: Arc<Mutex<Says>>,
    heard: Arc<Mutex<Vec<String>>>,
    key: Arc<Mutex<(String, Arc<Key>)>>,
    serving: JoinHandle<()>,
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl FakeProvider {
    /// One whose user is `sub`, at `now`.
    pub async fn open(client_id: &str, sub: &str, now: NumericDate) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let claims = json!({
            "iss": issuer, "aud": client_id, "sub": sub, "iat": now.0, "exp": now.0 + 300, "auth_time": now.0,
            "sid": "there-1", "preferred_username": sub, "name": format!("{sub} at the company"),
            "email": format!("{sub}@company.example"), "email_verified": true,
        });
        let says = Says {
            id_token: claims.as_object().unwrap().clone(),
            header: json!({ "alg": "ES256", "kid": "first" }),
            userinfo: None,
            token_status: 200,
            names_itself: false,
            hangs: false,
            out_of_order: Vec::new(),
        };
        let says = Arc::new(Mutex::new(says));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let key = Arc::new(Mutex::new(("first".to_owned(), Arc::new(Key::generate()))));
        let served = Served {
            issuer: issuer.clone(),
            says: Arc::clone(&says),
            heard: Arc::clone(&heard),
            key: Arc::clone(&key),
        };
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().answer(stream));
            }
        });
        Self { issuer, says, heard, key, serving }
    }

    /// Changes what it says.
    pub fn say(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap());
    }

    /// Changes a claim of the ID token; `null` takes it away.
    pub fn claim(&self, name: &str, value: Value) {
        self.say(|says| {
            if value.is_null() {
                says.id_token.remove(name);
            } else {
                says.id_token.insert(name.to_owned(), value);
            }
        });
    }

    /// Signs with another key from now on, which its key set names `kid`.
    pub fn change_key(&self, kid: &str) {
        *self.key.lock().unwrap() = (kid.to_owned(), Arc::new(Key::generate()));
        self.say(|says| says.header["kid"] = kid.into());
    }

    /// A JWT with its key.
    #[must_use]
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.key.lock().unwrap().1.sign(header, claims)
    }

    /// What it was asked, a line and a body each.
    #[must_use]
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Served {
    issuer: String,
    says: Arc<Mutex<Says>>,
    heard: Arc<Mutex<Vec<String>>>,
    key: Arc<Mutex<(String, Arc<Key>)>>,
}

impl Served {
    async fn answer(self, mut stream: TcpStream) {
        let request = read(&mut stream).await;
        self.heard.lock().unwrap().push(request.clone());
        let says = self.says.lock().unwrap().clone();
        if says.hangs {
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
            return;
        }
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        if let Some(query) = path.strip_prefix("/authorize?") {
            let back = self.back(query);
            let head = format!(
                "HTTP/1.1 302 X\r\nLocation: {back}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(head.as_bytes()).await;
            return;
        }
        let out = says.out_of_order.iter().find(|(place, _)| *place == path).map(|(_, status)| *status);
        if out == Some(0) {
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
            return;
        }
        let (status, body) = match path.as_str() {
            _ if out.is_some() => (out.unwrap_or(503), json!({ "error": "temporarily_unavailable" })),
            "/.well-known/openid-configuration" => (200, self.metadata(&says)),
            "/jwks" => (200, self.jwks()),
            "/token" if says.token_status == 200 => (200, self.tokens(&says)),
            "/token" => (says.token_status, json!({ "error": "invalid_grant" })),
            "/userinfo" => (200, says.userinfo.clone().unwrap_or_default()),
            _ => (404, Value::Null),
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    }

    /// Signs its user in without asking, with the nonce that was sent.
    fn back(&self, query: &str) -> url::Url {
        let params: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let param = |name: &str| {
            params.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        self.says.lock().unwrap().id_token.insert("nonce".to_owned(), param("nonce").into());
        let mut back = url::Url::parse(&param("redirect_uri")).unwrap();
        back.query_pairs_mut().append_pair("code", "a code").append_pair("state", &param("state"));
        back
    }

    fn metadata(&self, says: &Says) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut metadata = json!({
            "issuer": self.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "jwks_uri": at("/jwks"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
            "authorization_response_iss_parameter_supported": says.names_itself,
        });
        if says.userinfo.is_some() {
            metadata["userinfo_endpoint"] = at("/userinfo").into();
        }
        metadata
    }

    fn jwks(&self) -> Value {
        let (kid, key) = self.key.lock().unwrap().clone();
        let mut jwk = key.jwk.clone();
        jwk["kid"] = kid.into();
        jwk["use"] = "sig".into();
        jwk["alg"] = "ES256".into();
        json!({ "keys": [jwk] })
    }

    fn tokens(&self, says: &Says) -> Value {
        let key = Arc::clone(&self.key.lock().unwrap().1);
        let id_token = key.sign(&says.header, &Value::Object(says.id_token.clone()));
        json!({ "access_token": "an access token", "token_type": "Bearer", "expires_in": 60, "id_token": id_token })
    }
}

/// The first line and the body, as far as they came.
async fn read(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return format!("{}\n{body}", head.lines().next().unwrap_or_default());
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return text,
            Ok(count) => all.extend_from_slice(&piece[..count]),
        }
    }
}

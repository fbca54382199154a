//! Clients: they prove who they are, prove their key, and send the nonce that they were asked for.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::house::Door;
use crate::key::{Key, random, s256};

/// The `grant_type` of token exchange.
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The type of an access token.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// How a client proves who it is.
#[derive(Clone)]
pub enum Authentication {
    /// Not at all: its `client_id` alone.
    None,
    /// `client_secret_basic`.
    Basic(String),
    /// `client_secret_post`.
    Post(String),
    /// `private_key_jwt`.
    PrivateKeyJwt(Arc<Key>),
    /// The token that its platform gives it for each request, as `client_assertion` of this type.
    Platform(&'static str, Arc<dyn Fn() -> String + Send + Sync>),
    /// Header fields that are made for each request: a client attestation and its proof.
    Headers(Arc<dyn Fn() -> Vec<(&'static str, String)> + Send + Sync>),
}

/// A client.
#[derive(Clone)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// How it authenticates.
    pub authentication: Authentication,
    /// The key that it proves with DPoP.
    pub dpop: Option<Arc<Key>>,
    door: Door,
    way: Option<(String, reqwest::Client)>,
    nonce: Arc<Mutex<Option<String>>>,
}

impl Client {
    /// A client, known to the house or not.
    #[must_use]
    pub fn new(door: &Door, id: &str, authentication: Authentication) -> Self {
        Self {
            id: id.into(),
            authentication,
            dpop: None,
            door: door.clone(),
            way: None,
            nonce: Arc::default(),
        }
    }

    /// The same client with a DPoP key of its own.
    #[must_use]
    pub fn with_dpop(self) -> Self {
        Self { dpop: Some(Arc::new(Key::generate())), ..self }
    }

    /// The same client without any DPoP key.
    #[must_use]
    pub fn without_dpop(self) -> Self {
        Self { dpop: None, ..self }
    }

    /// The same client with other credentials.
    #[must_use]
    pub fn authenticating(self, authentication: Authentication) -> Self {
        Self { authentication, ..self }
    }

    /// The same client on another way to the house: to this base URL.
    #[must_use]
    pub fn going(self, base: String, http: reqwest::Client) -> Self {
        Self { way: Some((base, http)), ..self }
    }

    fn url(&self, path: &str) -> String {
        self.way.as_ref().map_or_else(|| self.door.url(path), |(base, _)| format!("{base}{path}"))
    }

    fn http(&self) -> &reqwest::Client {
        self.way.as_ref().map_or(&self.door.http, |(_, http)| http)
    }

    /// The redirect URI that it is registered with.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        match self.id.as_str() {
            "shop" => "http://127.0.0.1/callback".into(),
            id => format!("https://{id}.example/callback"),
        }
    }

    /// `POST /token`.
    pub async fn token(&self, params: &[(&str, &str)]) -> Answer {
        self.post("/token", params).await
    }

    /// Client credentials.
    pub async fn own_token(&self, scope: &str, resource: &str) -> Answer {
        self.token(&[("grant_type", "client_credentials"), ("scope", scope), ("resource", resource)]).await
    }

    /// Refreshes.
    pub async fn refresh(&self, refresh_token: &str, params: &[(&str, &str)]) -> Answer {
        let mut all = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        all.extend_from_slice(params);
        self.token(&all).await
    }

    /// Exchanges `subject_token`.
    pub async fn exchange(&self, subject_token: &str, params: &[(&str, &str)]) -> Answer {
        let mut all = vec![
            ("grant_type", EXCHANGE),
            ("subject_token", subject_token),
            ("subject_token_type", ACCESS_TOKEN),
        ];
        all.extend_from_slice(params);
        self.token(&all).await
    }

    /// Exchanges `subject_token`, with an `actor_token`.
    pub async fn exchange_as(
        &self,
        subject_token: &str,
        actor_token: &str,
        params: &[(&str, &str)],
    ) -> Answer {
        let mut all = vec![("actor_token", actor_token), ("actor_token_type", ACCESS_TOKEN)];
        all.extend_from_slice(params);
        self.exchange(subject_token, &all).await
    }

    /// `POST /par`.
    pub async fn push(&self, params: &[(&str, &str)]) -> Answer {
        self.post("/par", params).await
    }

    /// `POST /introspect`.
    pub async fn introspect(&self, token: &str) -> Answer {
        self.post("/introspect", &[("token", token)]).await
    }

    /// `POST /revoke`.
    pub async fn revoke(&self, token: &str) -> Answer {
        self.post("/revoke", &[("token", token)]).await
    }

    /// Posts a form as this client, with its credentials and its proof; with the nonce, once it is asked for one.
    pub async fn post(&self, path: &str, params: &[(&str, &str)]) -> Answer {
        let url = self.url(path);
        let first = self.post_once(&url, params).await;
        if first.json["error"] == "use_dpop_nonce" { self.post_once(&url, params).await } else { first }
    }

    async fn post_once(&self, url: &str, params: &[(&str, &str)]) -> Answer {
        let request = self.http().post(url);
        let request = self.authenticated(request, params);
        self.send(self.proven(request, "POST", url, None)).await
    }

    /// The form with the credentials of this client, without any proof of a key.
    pub fn authenticated(&self, request: RequestBuilder, params: &[(&str, &str)]) -> RequestBuilder {
        let mut form: Vec<(&str, String)> =
            params.iter().map(|(name, value)| (*name, (*value).into())).collect();
        let name = |form: &mut Vec<(&str, String)>| {
            if !form.iter().any(|(name, _)| *name == "client_id") {
                form.push(("client_id", self.id.clone()));
            }
        };
        let request = match &self.authentication {
            Authentication::Basic(secret) => {
                let encode =
                    |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encode(&self.id), encode(secret));
                request.header("Authorization", format!("Basic {}", STANDARD.encode(pair)))
            }
            Authentication::None => {
                name(&mut form);
                request
            }
            Authentication::Post(secret) => {
                name(&mut form);
                form.push(("client_secret", secret.clone()));
                request
            }
            Authentication::Headers(headers) => {
                name(&mut form);
                headers().into_iter().fold(request, |request, (name, value)| request.header(name, value))
            }
            Authentication::Platform(kind, token) => {
                name(&mut form);
                form.push((
                    "client_assertion_type",
                    format!("urn:ietf:params:oauth:client-assertion-type:{kind}"),
                ));
                form.push(("client_assertion", token()));
                request
            }
            Authentication::PrivateKeyJwt(key) => {
                let assertion = key.sign(&json!({ "alg": "ES256" }), &self.assertion());
                form.push((
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".into(),
                ));
                form.push(("client_assertion", assertion));
                request
            }
        };
        request.form(&form)
    }

    /// The claims of a client assertion that is right.
    #[must_use]
    pub fn assertion(&self) -> Value {
        let now = self.door.now().0;
        json!({ "iss": self.id, "sub": self.id, "aud": self.door.issuer, "iat": now, "exp": now + 60, "jti": random() })
    }

    /// Calls a resource of the house with an access token: DPoP where this client has a key, else Bearer.
    pub async fn call(&self, method: &str, path: &str, access_token: &str) -> Answer {
        self.call_with(method, path, access_token, &[], None).await
    }

    /// The same with header fields and a body of JSON.
    pub async fn call_with(
        &self,
        method: &str,
        path: &str,
        access_token: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let url = self.url(path);
        let call = || {
            let scheme = if self.dpop.is_some() { "DPoP" } else { "Bearer" };
            let request = self.http().request(method.parse().unwrap(), &url);
            let request = request.header("Authorization", format!("{scheme} {access_token}"));
            let request =
                headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let request = match body {
                Some(body) => request.header("Content-Type", "application/json").body(body.to_string()),
                None => request,
            };
            self.send(self.proven(request, method, &url, Some(access_token)))
        };
        let first = call().await;
        if first.header("www-authenticate").contains("use_dpop_nonce") { call().await } else { first }
    }

    fn proven(
        &self,
        request: RequestBuilder,
        method: &str,
        url: &str,
        token: Option<&str>,
    ) -> RequestBuilder {
        match &self.dpop {
            None => request,
            Some(_) => request.header("DPoP", self.proof(method, url, token).sign()),
        }
    }

    /// Sends a request and keeps the nonce that comes back.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = Answer::read(request.send().await.unwrap()).await;
        if let Some(nonce) = answer.headers.get("dpop-nonce") {
            *self.nonce.lock().unwrap() = Some(nonce.to_str().unwrap().to_owned());
        }
        answer
    }

    /// The last nonce that came.
    #[must_use]
    pub fn nonce(&self) -> Option<String> {
        self.nonce.lock().unwrap().clone()
    }

    /// A fresh nonce of the authorization server, while the last one that came is kept.
    pub async fn own_nonce(&self, house: &crate::House) -> String {
        let proof = self.proof("POST", &house.url("/token"), None).claim("nonce", Value::Null).sign();
        let request = self.authenticated(house.request("POST", "/token"), &[("grant_type", "refresh_token")]);
        house.send(request.header("DPoP", proof)).await.header("dpop-nonce").to_owned()
    }

    /// A proof that is right, to be sent or to be made wrong. With an access token, for that token.
    ///
    /// # Panics
    /// Without a DPoP key.
    #[must_use]
    pub fn proof(&self, method: &str, url: &str, access_token: Option<&str>) -> Proof {
        let key = Arc::clone(self.dpop.as_ref().unwrap());
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk });
        let mut claims = json!({ "jti": random(), "htm": method, "htu": url, "iat": self.door.now().0 });
        if let Some(nonce) = self.nonce() {
            claims["nonce"] = nonce.into();
        }
        if let Some(token) = access_token {
            claims["ath"] = s256(token).into();
        }
        Proof { key, header, claims }
    }
}

/// A DPoP proof before it is signed.
pub struct Proof {
    /// The key that signs.
    pub key: Arc<Key>,
    /// The header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
}

impl Proof {
    /// With another claim; `null` takes it out.
    #[must_use]
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        set(&mut self.claims, name, value);
        self
    }

    /// With another header parameter; `null` takes it out.
    #[must_use]
    pub fn header(mut self, name: &str, value: Value) -> Self {
        set(&mut self.header, name, value);
        self
    }

    /// Signs it.
    #[must_use]
    pub fn sign(&self) -> String {
        self.key.sign(&self.header, &self.claims)
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.into(), value);
    }
}

//! The server as its guests see it, and what they need to speak to it.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::browser::Browser;
use crate::check::{Problem, skip};
use crate::flow::Authorization;
use crate::jose::{self, Key};
use crate::post::Post;
use crate::profile::{Client, Profile, Targets};

/// What time it is for the server.
pub trait Clock: Send + Sync {
    /// Now, in seconds since 1970.
    fn now(&self) -> i64;
    /// Lets time pass.
    fn pass(&self, seconds: u64) -> Pin<Box<dyn Future<Output = ()> + '_>>;
}

/// The time that passes by itself.
#[derive(Clone, Copy, Debug)]
pub struct RealTime;

impl Clock for RealTime {
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or_default()
    }

    fn pass(&self, seconds: u64) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(tokio::time::sleep(Duration::from_secs(seconds)))
    }
}

/// Everything a check speaks to.
pub struct World {
    /// The issuer identifier that was given.
    pub issuer: String,
    /// The answer at the well-known place of RFC 8414, or else of OpenID Connect Discovery.
    pub metadata: Answer,
    /// The keys at `jwks_uri`.
    pub jwks: Value,
    /// The profile.
    pub profile: Profile,
    /// The HTTP client; it follows no redirects.
    pub http: reqwest::Client,
    /// What time it is.
    pub clock: Box<dyn Clock>,
    /// The browser in which the user is signed in.
    pub browser: tokio::sync::Mutex<Browser>,
    /// A key for DPoP.
    pub key: Key,
    /// Another one.
    pub other_key: Key,
    nonces: Mutex<HashMap<&'static str, (i64, String)>>,
    tokens: tokio::sync::Mutex<HashMap<String, (i64, Answer)>>,
}

/// Where the metadata of an issuer is: RFC 8414 inserts, OpenID Connect Discovery appends.
#[must_use]
pub fn well_known(issuer: &str) -> [String; 2] {
    let after_scheme = issuer.find("://").map_or(0, |at| at + 3);
    let host_ends = issuer[after_scheme..].find('/').map_or(issuer.len(), |at| after_scheme + at);
    let (host, path) = issuer.split_at(host_ends);
    let path = path.trim_end_matches('/');
    [
        format!("{host}/.well-known/oauth-authorization-server{path}"),
        format!("{host}{path}/.well-known/openid-configuration"),
    ]
}

impl World {
    /// Finds a server by its issuer.
    ///
    /// # Errors
    /// Where it has no metadata: then nothing can be said about it.
    pub async fn find(issuer: &str, profile: Profile, clock: Box<dyn Clock>) -> Result<Self> {
        // A second run in one process finds it installed already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = profile.visitor(None)?;
        let [oauth, openid] = well_known(issuer);
        let mut metadata = Answer::read(http.get(&oauth).send().await.context("no answer")?).await?;
        if metadata.status != 200 {
            metadata = Answer::read(http.get(&openid).send().await?).await?;
        }
        ensure!(metadata.json.is_object(), "no metadata at {oauth}: {}", metadata.brief());
        let jwks = match metadata.json["jwks_uri"].as_str() {
            Some(url) => Answer::read(http.get(url).send().await?).await?.json,
            None => Value::Null,
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            metadata,
            jwks,
            profile,
            browser: tokio::sync::Mutex::new(Browser::new(http.clone())),
            http,
            clock,
            key: Key::generate()?,
            other_key: Key::generate()?,
            nonces: Mutex::default(),
            tokens: tokio::sync::Mutex::default(),
        })
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// What can be asked for.
    #[must_use]
    pub const fn targets(&self) -> &Targets {
        &self.profile.targets
    }

    /// A client of the profile; without it the check is skipped.
    ///
    /// # Errors
    /// Where there is none.
    pub fn client<'w>(&'w self, client: &'w Option<Client>) -> Result<&'w Client, Problem> {
        client.as_ref().map_or_else(|| skip("the profile has no client for this"), Ok)
    }

    /// A member of the metadata.
    #[must_use]
    pub fn told(&self, member: &str) -> &Value {
        &self.metadata.json[member]
    }

    /// The texts of a list in the metadata.
    #[must_use]
    pub fn listed(&self, member: &str) -> Vec<&str> {
        let list = self.told(member).as_array();
        list.map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }

    /// An endpoint; where it is not advertised the check is skipped.
    ///
    /// # Errors
    /// Where it is not.
    pub fn endpoint(&self, member: &str) -> Result<&str, Problem> {
        self.told(member).as_str().map_or_else(|| skip(format!("{member} is not advertised")), Ok)
    }

    /// Skips unless a list in the metadata holds the value.
    ///
    /// # Errors
    /// Where it does not.
    pub fn needs(&self, member: &str, value: &str) -> Result<(), Problem> {
        if self.listed(member).contains(&value) { Ok(()) } else { skip(format!("{member} lacks {value}")) }
    }

    /// Skips unless a list in the metadata holds anything.
    ///
    /// # Errors
    /// Where it does not.
    pub fn needs_any(&self, member: &str) -> Result<(), Problem> {
        if self.listed(member).is_empty() { skip(format!("{member} is not advertised")) } else { Ok(()) }
    }

    /// A GET without anything, redirects not followed.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn get(&self, url: &str) -> Result<Answer> {
        Answer::read(self.http.get(url).send().await?).await
    }

    /// A form posted to an endpoint by a client, with its authentication.
    ///
    /// # Errors
    /// Where the endpoint is not advertised.
    pub fn post<'w>(&'w self, endpoint: &str, client: &'w Client) -> Result<Post<'w>, Problem> {
        Ok(Post::new(self, self.endpoint(endpoint)?, Some(client)))
    }

    /// A form posted by nobody.
    ///
    /// # Errors
    /// Where the endpoint is not advertised.
    pub fn post_unknown<'w>(&'w self, endpoint: &str) -> Result<Post<'w>, Problem> {
        Ok(Post::new(self, self.endpoint(endpoint)?, None))
    }

    /// A token request.
    ///
    /// # Errors
    /// Where there is no token endpoint.
    pub fn token<'w>(&'w self, client: &'w Client, grant_type: &str) -> Result<Post<'w>, Problem> {
        Ok(self.post("token_endpoint", client)?.with("grant_type", grant_type))
    }

    /// A client credentials request for the first resource.
    ///
    /// # Errors
    /// Where there is no token endpoint.
    pub fn own_token<'w>(&'w self, client: &'w Client) -> Result<Post<'w>, Problem> {
        let request = self.token(client, "client_credentials")?;
        Ok(request.with("scope", &self.targets().scope).with("resource", &self.targets().resource))
    }

    /// An authorization request of a client, well-formed.
    #[must_use]
    pub fn authorize<'w>(&'w self, client: &'w Client) -> Authorization<'w> {
        Authorization::new(self, client)
    }

    /// A user's token for the first resource with `scope` and `more_scope`, got by the web client; not a fresh one.
    ///
    /// # Errors
    /// Where it cannot be got.
    pub async fn users_tokens(&self) -> Result<Answer, Problem> {
        let web = self.client(&self.profile.clients.web)?;
        let scope = format!("{} {}", self.targets().scope, self.targets().more_scope);
        self.kept("users", self.authorize(web).with("scope", &scope)).await
    }

    /// As [`Self::users_tokens`], with the scope that both resources know.
    ///
    /// # Errors
    /// Where it cannot be got.
    pub async fn common_tokens(&self) -> Result<Answer, Problem> {
        let web = self.client(&self.profile.clients.web)?;
        self.kept("common", self.authorize(web).with("scope", &self.targets().common_scope)).await
    }

    /// Tokens of an OpenID Connect request.
    ///
    /// # Errors
    /// Where they cannot be got.
    pub async fn openid_tokens(&self) -> Result<Answer, Problem> {
        let web = self.client(&self.profile.clients.web)?;
        let asked =
            self.authorize(web).with("scope", "openid").without("resource").with("nonce", "n-0S6_WzA2Mj");
        self.kept("openid", asked).await
    }

    /// A bound token of the agent for the user.
    ///
    /// # Errors
    /// Where it cannot be got.
    pub async fn agents_tokens(&self) -> Result<Answer, Problem> {
        let agent = self.client(&self.profile.clients.agent)?;
        let scope = format!("{} {}", self.targets().scope, self.targets().more_scope);
        self.kept("agents", self.authorize(agent).with("scope", &scope).bound()).await
    }

    /// Tokens that several checks look at and none changes; got anew each minute.
    async fn kept(&self, name: &str, asked: Authorization<'_>) -> Result<Answer, Problem> {
        let mut kept = self.tokens.lock().await;
        if let Some((_, tokens)) = kept.get(name).filter(|(at, _)| self.now() - at < 60) {
            return Ok(tokens.clone());
        }
        let tokens = asked.tokens().await?;
        kept.insert(name.to_owned(), (self.now(), tokens.clone()));
        Ok(tokens)
    }

    /// What introspection tells a client about a token.
    ///
    /// # Errors
    /// Where it is not offered, or does not answer.
    pub async fn introspect(&self, by: &Client, token: &str) -> Result<Answer, Problem> {
        let answer = self.post("introspection_endpoint", by)?.with("token", token).send().await?;
        answer.is(&[200], "introspection")?;
        Ok(answer)
    }

    /// Whether the first resource finds a token alive.
    ///
    /// # Errors
    /// Where it cannot be found out.
    pub async fn is_active(&self, token: &str) -> Result<bool, Problem> {
        let service = self.client(&self.profile.clients.service)?;
        Ok(self.introspect(service, token).await?.json["active"] == true)
    }

    /// What a token says: its claims where it is a JWT, else what introspection tells the first resource.
    ///
    /// # Errors
    /// Where neither tells.
    pub async fn claims(&self, token: &str) -> Result<Value, Problem> {
        if jose::is_jwt(token) {
            return Ok(jose::payload(token)?);
        }
        let service = self.client(&self.profile.clients.service)?;
        Ok(self.introspect(service, token).await?.json)
    }

    /// The nonce that a server gave last; `as` for the authorization server, `rs` for its own resources.
    #[must_use]
    pub fn nonce(&self, of: &'static str) -> Option<String> {
        let nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        // An old one may not be accepted any more.
        nonces.get(of).filter(|(at, _)| self.now() - at < 60).map(|(_, nonce)| nonce.clone())
    }

    /// Remembers the nonce of an answer.
    pub fn remember_nonce(&self, of: &'static str, answer: &Answer) {
        let nonce = answer.header("dpop-nonce");
        if !nonce.is_empty() {
            let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
            nonces.insert(of, (self.now(), nonce.to_owned()));
        }
    }

    /// A nonce of the authorization server, asked for where none is known. None where it demands none.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn need_nonce(&self) -> Result<Option<String>, Problem> {
        let client = [&self.profile.clients.service, &self.profile.clients.agent];
        let client = client.into_iter().flatten().next();
        if let (None, Some(client)) = (self.nonce("as"), client) {
            self.own_token(client)?.dpop(&self.key).send().await?;
        }
        Ok(self.nonce("as"))
    }

    /// A good proof for the token endpoint, to be spoilt: header and claims.
    ///
    /// # Errors
    /// Where no nonce can be had.
    pub async fn proof_parts(&self) -> Result<(Value, Value), Problem> {
        let mut claims = jose::proof_claims("POST", self.endpoint("token_endpoint")?, self.now());
        if let Some(nonce) = self.need_nonce().await? {
            claims["nonce"] = nonce.into();
        }
        let header = json!({ "typ": "dpop+jwt", "alg": self.key.alg, "jwk": self.key.public() });
        Ok((header, claims))
    }

    /// Calls one of the server's own protected resources.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn call(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        let mut request = self.http.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = Answer::read(request.send().await?).await?;
        self.remember_nonce("rs", &answer);
        Ok(answer)
    }

    /// A proof for a protected resource.
    ///
    /// # Errors
    /// The library's.
    pub fn resource_proof(&self, key: &Key, url: &str, token: &str) -> Result<String> {
        let mut claims = jose::proof_claims("GET", url, self.now());
        claims["ath"] = jose::sha256(token).into();
        if let Some(nonce) = self.nonce("rs") {
            claims["nonce"] = nonce.into();
        }
        key.sign(&json!({ "typ": "dpop+jwt", "alg": key.alg, "jwk": key.public() }), &claims)
    }
}

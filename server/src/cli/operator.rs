//! A program of the operator's, as the command line is one: it proves itself with a key of its own, gets a token that is
//! bound to another key made for the occasion, and calls the admin API.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use protocol::admin_api;
use protocol::client::SigningAlg;
use protocol::metadata::TOKEN;
use serde_json::{Map, Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use super::serve::load;
use crate::clock::{Clock as _, SystemClock};
use crate::config::OutboundSettings;
use crate::jose::{SigningKey, sign_as_client};
use crate::outbound::{Answer, Outbound};
use crate::secret::{SystemEntropy, random_id};

/// Who calls, and whom.
#[derive(Debug, Args)]
pub struct Access {
    /// The client that is declared with admin_api = true.
    #[arg(long, value_name = "ID", default_value = "operations")]
    pub client: String,
    /// The file with its private key, as `procura admin-key` or `openssl genpkey` wrote it.
    #[arg(long, value_name = "FILE", default_value = "operations.pem")]
    pub key: PathBuf,
    /// The server's issuer; without this, what the configuration says.
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
}

/// An open connection to the admin API.
pub struct Operator {
    outbound: Outbound,
    server: String,
    client: String,
    key: SigningKey,
    proof: SigningKey,
    nonce: Option<String>,
}

impl Operator {
    /// Reads the key, and finds out whom to call.
    ///
    /// # Errors
    /// What stands in the way, in words for whoever typed the command. None where the configuration has problems, which
    /// were told.
    pub fn new(config: Option<&Path>, access: &Access) -> anyhow::Result<Option<Self>> {
        let (server, ca_file) = match &access.server {
            Some(server) => (server.clone(), None),
            None => {
                let Some(config) = load(config)? else { return Ok(None) };
                (config.settings.issuer.clone(), config.settings.outbound.ca_file)
            }
        };
        let shown = access.key.display();
        let pem = fs::read_to_string(&access.key).with_context(|| {
            format!("the key cannot be read: {shown}; name it with --key, or make one with procura admin-key")
        })?;
        let key = SigningKey::from_pem(&pem);
        let Ok(key) = key else {
            bail!("{shown} holds no private key (PKCS#8 in PEM) that can be used here")
        };
        // Whoever types the command says where it goes: to a server of theirs, most often on this very machine.
        let permitted_addresses = ["0.0.0.0/0", "::/0"].iter().filter_map(|all| all.parse().ok()).collect();
        let settings = OutboundSettings { permitted_addresses, ca_file, ..OutboundSettings::default() };
        Ok(Some(Self {
            outbound: Outbound::new(&settings)?,
            server: server.trim_end_matches('/').to_owned(),
            client: access.client.clone(),
            key,
            proof: SigningKey::generate(SigningAlg::Es256)?,
            nonce: None,
        }))
    }

    /// Calls a path of the admin API with a token of this scope.
    ///
    /// # Errors
    /// What the server refuses and why; or that it cannot be reached.
    pub async fn call(
        &mut self,
        scope: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let token = self.token(scope).await?;
        let url = format!("{}{}{path}", self.server, admin_api::V1);
        let body = body.map(ToString::to_string).unwrap_or_default();
        let mut answer = self.send(method, &url, Some(&token), "application/json", &body).await?;
        if answer.status == 401 && refusal(&answer).0 == "use_dpop_nonce" {
            answer = self.send(method, &url, Some(&token), "application/json", &body).await?;
        }
        done(&answer)
    }

    /// A token for the admin API.
    async fn token(&mut self, scope: &str) -> anyhow::Result<String> {
        let url = format!("{}{TOKEN}", self.server);
        let resource = format!("{}{}", self.server, admin_api::RESOURCE);
        let mut answer = None;
        for _ in 0..2 {
            let now = SystemClock.now().0;
            let claims = object(json!({
                "iss": self.client, "sub": self.client, "aud": self.server, "iat": now, "exp": now + 60,
                "jti": random_id(&SystemEntropy, ""),
            }));
            let assertion = sign_as_client(&self.key, "JWT", false, &claims)?;
            let form = Serializer::new(String::new())
                .append_pair("grant_type", "client_credentials")
                .append_pair(
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                )
                .append_pair("client_assertion", &assertion)
                .append_pair("resource", &resource)
                .append_pair("scope", scope)
                .finish();
            let sent = self.send("POST", &url, None, "application/x-www-form-urlencoded", &form).await?;
            let again = refusal(&sent).0 == "use_dpop_nonce";
            answer = Some(sent);
            if !again {
                break;
            }
        }
        let Some(answer) = answer else { bail!("the server does not answer") };
        if refusal(&answer).0 == "invalid_client" {
            bail!(
                "the server does not take the key for the client {:?}: declare the client with admin_api = true and \
                 the public key that procura admin-key printed, or name another with --client and --key",
                self.client
            );
        }
        let body = done(&answer)?;
        match body.get("access_token").and_then(Value::as_str) {
            Some(token) => Ok(token.to_owned()),
            None => bail!("{} gave no access token", self.server),
        }
    }

    async fn send(
        &mut self,
        method: &str,
        url: &str,
        token: Option<&str>,
        content_type: &str,
        body: &str,
    ) -> anyhow::Result<Answer> {
        let bare = url.split('?').next().unwrap_or(url);
        let mut claims = object(json!({
            "jti": random_id(&SystemEntropy, ""), "htm": method, "htu": bare, "iat": SystemClock.now().0,
        }));
        if let Some(nonce) = &self.nonce {
            claims.insert("nonce".into(), nonce.as_str().into());
        }
        if let Some(token) = token {
            claims.insert("ath".into(), crate::secret::SecretDigest::of(token).to_text().into());
        }
        let proof = sign_as_client(&self.proof, "dpop+jwt", true, &claims)?;
        let authorization = token.map(|token| format!("DPoP {token}"));
        let mut headers = vec![("DPoP", proof.as_str()), ("Content-Type", content_type)];
        headers.extend(authorization.as_deref().map(|value| ("Authorization", value)));
        let url =
            Url::parse(url).with_context(|| format!("{url} is no URL; name the server with --server"))?;
        let answer = self.outbound.call(method, &url, &headers, body.as_bytes().to_vec()).await;
        let answer = answer.with_context(|| format!("{} cannot be reached", self.server))?;
        if answer.dpop_nonce.is_some() {
            self.nonce.clone_from(&answer.dpop_nonce);
        }
        Ok(answer)
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// The code of a refusal and its sentence.
fn refusal(answer: &Answer) -> (String, String) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("error"), text("error_description"))
}

/// The body of an answer that is no refusal.
fn done(answer: &Answer) -> anyhow::Result<Value> {
    if (200..300).contains(&answer.status) {
        return Ok(serde_json::from_slice(&answer.body)?);
    }
    let (error, description) = refusal(answer);
    if error.is_empty() {
        bail!("the server answers {} and does not say why; is it one?", answer.status);
    }
    bail!("{description} ({error})")
}

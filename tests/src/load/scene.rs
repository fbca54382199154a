//! One story, ready to go on: alice allowed an application to send her agent, and the application holds the token
//! that the agent is to exchange. The story is written straight into the store, as the pages would have done.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use josekit::jws::{self, JwsHeader};
use protocol::actor::Chain;
use protocol::audience::Audience;
use protocol::authority::Authority;
use protocol::claims_request::ClaimsRequest;
use protocol::client::SigningAlg;
use protocol::consent::{Consent, ConsentState, PassingOn};
use protocol::delegation::Issuable;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::token::{Login, Subject, TaskRef, Token, TokenKind};
use serde_json::{Map, Value, json};
use server::app::App;
use server::clock::{Clock as _, SystemClock};
use server::config::{self, Config, ConfigFile};
use server::jose::SigningKey;
use server::secret::{SecretDigest, SystemEntropy};
use server::store::{Change, Record};
use server::{start, tasks, tokens};

use super::wire;

/// The resource server of the story.
pub const ORDERS: &str = "https://orders.example";
/// The agent.
pub const AGENT: &str = "courier";
/// The consent to the agent.
pub const CONSENT: &str = "cns_scene";
const RETURN_ADDRESS: &str = "http://127.0.0.1:8400/callback";
/// What the agent asks for.
const ASKED: &str = r#"[{"type":"order_access","actions":["read"],"max_amount":20}]"#;
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The house's configuration, the keys of its guests, and the token.
pub struct Scene {
    /// The configuration file.
    pub config: PathBuf,
    /// Where the house is to listen.
    pub address: SocketAddr,
    /// Its issuer.
    pub issuer: String,
    /// The key with which the agent authenticates.
    pub agent_key: SigningKey,
    /// The key to which the agent's tokens are bound.
    pub proof_key: SigningKey,
    /// The key with which the API authenticates, to introspect.
    pub api_key: SigningKey,
    /// The token to be exchanged.
    pub subject_token: String,
}

impl Scene {
    /// Writes a configuration into `folder`, opens the house once, and puts the story into its database.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn set(folder: &Path, database_url: &str, address: SocketAddr) -> anyhow::Result<Self> {
        let mut scene = Self::write(folder, database_url, address)?;
        let app = scene.open().await?;
        scene.subject_token = tell(&app).await?;
        app.store.close().await;
        Ok(scene)
    }

    /// Writes a configuration into `folder`, and no more.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn write(folder: &Path, database_url: &str, address: SocketAddr) -> anyhow::Result<Self> {
        let key = || SigningKey::generate(SigningAlg::Es256);
        let scene = Self {
            config: folder.join("procura.toml"),
            address,
            issuer: format!("http://{address}"),
            agent_key: key()?,
            proof_key: key()?,
            api_key: key()?,
            subject_token: String::new(),
        };
        std::fs::write(&scene.config, scene.toml(database_url))?;
        Ok(scene)
    }

    fn toml(&self, database_url: &str) -> String {
        let jwks = |key: &SigningKey| {
            let member = |name: &str| key.public_jwk().get(name).and_then(Value::as_str).unwrap_or_default();
            let (x, y) = (member("x"), member("y"));
            format!(r#"{{ keys = [{{ kty = "EC", crv = "P-256", use = "sig", x = "{x}", y = "{y}" }}] }}"#)
        };
        include_str!("scene.toml")
            .replace("LISTEN", &self.address.to_string())
            .replace("DATABASE", database_url)
            .replace("AGENT_JWKS", &jwks(&self.agent_key))
            .replace("API_JWKS", &jwks(&self.api_key))
    }

    /// The configuration, as the program reads it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self) -> anyhow::Result<Config> {
        let file = ConfigFile::open(&self.config).map_err(|problem| anyhow!("{problem}"))?;
        config::read(Some(&file), []).map_err(|problems| {
            anyhow!(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })
    }

    /// Opens the house in this process.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn open(&self) -> anyhow::Result<Arc<App>> {
        Ok(start::open(self.read()?, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?.0)
    }

    /// A fresh client assertion of `client`.
    ///
    /// # Errors
    /// The key's.
    pub fn assertion(&self, client: &str, key: &SigningKey) -> anyhow::Result<String> {
        let now = SystemClock.now();
        let claims = json!({
            "iss": client, "sub": client, "aud": self.issuer, "iat": now.0, "exp": now.0 + 120, "jti": jti(),
        });
        sign(key, JwsHeader::new(), &claims)
    }

    /// A fresh proof of the agent's key for a POST to `path`.
    ///
    /// # Errors
    /// The key's.
    pub fn proof(&self, path: &str, nonce: &str) -> anyhow::Result<String> {
        let mut header = JwsHeader::new();
        header.set_token_type("dpop+jwt");
        let public = self.proof_key.public_jwk();
        let members = ["kty", "crv", "x", "y"].map(|name| (name.to_owned(), public[name].clone()));
        header.set_claim("jwk", Some(Value::Object(members.into_iter().collect())))?;
        let claims = json!({
            "htm": "POST", "htu": format!("{}{path}", self.issuer), "iat": SystemClock.now().0, "jti": jti(),
            "nonce": nonce,
        });
        sign(&self.proof_key, header, &claims)
    }

    /// A request for an exchange, with a fresh assertion and a fresh proof.
    ///
    /// # Errors
    /// The keys'.
    pub fn exchange(&self, nonce: &str) -> anyhow::Result<Vec<u8>> {
        let (assertion, proof) = (self.assertion(AGENT, &self.agent_key)?, self.proof("/token", nonce)?);
        Ok(self.exchange_with(&assertion, &proof))
    }

    /// The same with an assertion and a proof at hand.
    #[must_use]
    pub fn exchange_with(&self, assertion: &str, proof: &str) -> Vec<u8> {
        wire::post(
            "/token",
            &[("dpop", proof)],
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token", &self.subject_token),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                ("scope", "orders:read"),
                ("authorization_details", ASKED),
                ("resource", ORDERS),
                ("client_assertion_type", JWT_BEARER),
                ("client_assertion", assertion),
            ],
        )
    }

    /// The API asks what a token is worth.
    ///
    /// # Errors
    /// The key's.
    pub fn introspection(&self, token: &str) -> anyhow::Result<Vec<u8>> {
        let assertion = self.assertion("orders-api", &self.api_key)?;
        let form =
            [("token", token), ("client_assertion_type", JWT_BEARER), ("client_assertion", &assertion)];
        Ok(wire::post("/introspect", &[], &form))
    }

    /// A nonce, as the house gives one to whoever comes without.
    ///
    /// # Errors
    /// Where it gives none.
    pub async fn nonce(&self) -> anyhow::Result<String> {
        let answer = wire::Wire::connect(self.address).await?.send(&self.exchange("none")?).await?;
        let nonce = answer.field("dpop-nonce").map(str::to_owned);
        nonce.with_context(|| format!("no nonce: {} {}", answer.head, answer.json()))
    }
}

/// Signs `claims`.
///
/// # Errors
/// The key's.
pub fn sign(key: &SigningKey, header: JwsHeader, claims: &Value) -> anyhow::Result<String> {
    Ok(jws::serialize_compact(claims.to_string().as_bytes(), &header, key)?)
}

fn jti() -> String {
    server::secret::random_id(&SystemEntropy, "")
}

/// An authorization code of the application's, and the verifier that belongs to it.
#[derive(Clone)]
pub struct Code {
    code: String,
    verifier: String,
}

impl Code {
    /// The request that redeems it.
    #[must_use]
    pub fn redemption(&self) -> Vec<u8> {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "desk"),
            ("code", &self.code),
            ("code_verifier", &self.verifier),
            ("redirect_uri", RETURN_ADDRESS),
        ];
        wire::post("/token", &[], &form)
    }
}

/// The request that refreshes, as the application does it: without credentials and without a key.
#[must_use]
pub fn refreshing(refresh_token: &str) -> Vec<u8> {
    let form = [("grant_type", "refresh_token"), ("client_id", "desk"), ("refresh_token", refresh_token)];
    wire::post("/token", &[], &form)
}

/// Codes that alice just approved, for the application itself, which may go on in her absence.
///
/// # Errors
/// The store's.
pub async fn codes(app: &App, count: usize) -> anyhow::Result<Vec<Code>> {
    let now = SystemClock.now();
    let alice = app.store.find_user_by_username("alice").await?.context("alice is there")?;
    let mut authority = authority(now.plus(Seconds::minutes(600)))?;
    authority.scope = "offline_access orders:read".parse()?;
    let consent = Consent {
        id: jti().parse()?,
        user: alice.id.clone(),
        client: "desk".parse()?,
        actor: "desk".parse()?,
        authority: authority.clone(),
        claims: std::collections::BTreeSet::new(),
        passing_on: PassingOn::No,
        offline_access: true,
        created_at: now,
        brought_by: None,
        state: ConsentState::Active,
        types: std::collections::BTreeMap::new(),
        version: 1,
    };
    let mut change = Change::housekeeping(now).keep(Record::Consent(consent.clone()));
    let mut all = Vec::new();
    for _ in 0..count {
        let one = Code { code: jti(), verifier: format!("{}{}", jti(), jti()) };
        let code = protocol::code::Code {
            client: consent.client.clone(),
            instance: None,
            user: alice.id.clone(),
            consent: consent.id.clone(),
            task: None,
            requested_actor: None,
            authority: authority.clone(),
            redirect_uri: Some(RETURN_ADDRESS.into()),
            // Base64url of SHA-256, which is how the house keeps a secret and how RFC 7636 §4.2 makes a challenge.
            code_challenge: SecretDigest::of(&one.verifier).to_text().parse().ok(),
            nonce: None,
            claims: ClaimsRequest::default(),
            dpop_jkt: None,
            login: Login { auth_time: now, acr: None, amr: vec!["pwd".into()] },
            session: Some("ses_scene".parse()?),
        };
        let (digest, expires_at) = (SecretDigest::of(&one.code), now.plus(Seconds::minutes(10)));
        change = change.keep(Record::Code { digest, code, expires_at });
        all.push(one);
    }
    app.store.commit(change).await?;
    Ok(all)
}

/// Alice's consent, the task it opened, and the application's token.
async fn tell(app: &App) -> anyhow::Result<String> {
    let now = SystemClock.now();
    let alice = app.store.find_user_by_username("alice").await?.context("alice is there")?;
    let agent = app.store.find_client(&AGENT.parse()?).await?.context("the agent is there")?;
    let authority = authority(now.plus(Seconds::minutes(600)))?;
    let consent = Consent {
        id: CONSENT.parse()?,
        user: alice.id.clone(),
        client: "desk".parse()?,
        actor: agent.id.clone(),
        authority: authority.clone(),
        claims: std::collections::BTreeSet::new(),
        passing_on: PassingOn::No,
        offline_access: true,
        created_at: now,
        brought_by: None,
        state: ConsentState::Active,
        types: std::collections::BTreeMap::new(),
        version: 1,
    };
    let broken = |failure| anyhow!("{failure:?}");
    let task = tasks::open(app, &consent, &authority, now).map_err(broken)?;
    let token = Token {
        id: tokens::new_id(app).map_err(broken)?,
        kind: TokenKind::Access,
        client: "desk".parse()?,
        instance: None,
        subject: Subject::User(alice.id.clone()),
        chain: Chain::none(),
        brought: Chain::none(),
        may_act: Some(agent.as_actor(app.issuer())),
        audience: Audience::Actor(agent.id.clone()),
        authority,
        cnf: None,
        issued_at: now,
        login: Some(Login { auth_time: now, acr: None, amr: vec!["pwd".into()] }),
        claims: ClaimsRequest::default(),
        consent: Some(consent.id.clone()),
        task: Some(TaskRef::from(&task)),
        parent: None,
        family: None,
        session: None,
        status: None,
    };
    let registry = app.registry().await.map_err(broken)?;
    let written = tokens::write(app, &registry, &agent, Issuable::root(token)?).await.map_err(broken)?;
    let change = Change::housekeeping(now)
        .keep(Record::Consent(consent))
        .keep(Record::Task(task))
        .keep(written.record());
    app.store.commit(change).await?;
    Ok(written.text().reveal().to_owned())
}

fn authority(until: NumericDate) -> anyhow::Result<Authority> {
    let detail = json!([{ "type": "order_access", "actions": ["read", "cancel"], "max_amount": 50 }]);
    Ok(Authority {
        scope: "orders:read orders:write".parse()?,
        details: serde_json::from_value(detail)?,
        resources: [ORDERS.parse()?].into(),
        until,
    })
}

/// The claims of a compact JWT, unverified.
///
/// # Errors
/// Where it is none.
pub fn claims(jwt: &str) -> anyhow::Result<Map<String, Value>> {
    Ok(server::jose::decode(jwt)?.claims)
}

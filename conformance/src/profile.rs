//! The test clients and the test user, as a TOML file tells them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::jose::Key;

/// Everything that a server's metadata cannot tell.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Who signs in.
    pub user: User,
    /// How to get through the pages.
    #[serde(default)]
    pub pages: Pages,
    /// What can be asked for.
    pub targets: Targets,
    /// The clients, by what they are for.
    pub clients: Clients,
    /// A PEM file with the authorities that vouch for the server, where it is not one that everybody knows.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
}

/// The test user.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// What they type.
    pub username: String,
    /// And their password.
    pub password: String,
}

/// The ids of the elements of the server's pages, which are plain HTML forms.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pages {
    /// The field for the user name.
    pub username: String,
    /// The field for the password.
    pub password: String,
    /// The button to sign in.
    pub sign_in: String,
    /// The button to approve.
    pub approve: String,
    /// The button to deny.
    pub deny: String,
    /// The field for a device's code.
    pub user_code: String,
    /// The button beside it.
    pub user_code_submit: String,
    /// The button to approve what a device asks.
    pub device_approve: String,
    /// The button to deny it.
    pub device_deny: String,
    /// Where users find what they are asked from afar: a path of the issuer, below which each question has its own.
    pub approvals: String,
    /// The button to approve what is asked from afar.
    pub ciba_approve: String,
    /// The button to deny it.
    pub ciba_deny: String,
    /// The button to sign out.
    pub sign_out: String,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            username: "login-username".into(),
            password: "login-password".into(),
            sign_in: "login-submit".into(),
            approve: "consent-approve".into(),
            deny: "consent-deny".into(),
            user_code: "user-code".into(),
            user_code_submit: "device-submit".into(),
            device_approve: "device-approve".into(),
            device_deny: "device-deny".into(),
            approvals: "/approvals".into(),
            ciba_approve: "ciba-approve".into(),
            ciba_deny: "ciba-deny".into(),
            sign_out: "logout-confirm".into(),
        }
    }
}

/// What can be asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// A resource indicator.
    pub resource: String,
    /// Another one.
    pub other_resource: String,
    /// A scope of the first resource alone.
    pub scope: String,
    /// Another scope of the first resource alone.
    pub more_scope: String,
    /// A scope of the other resource alone.
    pub other_scope: String,
    /// A scope of both.
    pub common_scope: String,
    /// An authorization detail for the first resource with at least two actions, as JSON.
    #[serde(default)]
    pub detail: Option<Map<String, Value>>,
    /// A member that the detail cannot do without.
    #[serde(default)]
    pub required_member: Option<String>,
}

/// The clients. Each may be left out; then what needs it is skipped.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// A confidential application with the code flow and refresh tokens.
    pub web: Option<Client>,
    /// Another confidential application with the code flow.
    pub other_web: Option<Client>,
    /// A public application with the code flow and refresh tokens, on the loopback.
    pub public: Option<Client>,
    /// A client whose tokens must be bound with DPoP, with the code flow, refresh tokens and token exchange.
    pub agent: Option<Client>,
    /// The first resource as a client: introspection, client credentials, and token exchange for the other resource
    /// and for itself.
    pub service: Option<Client>,
    /// The other resource as a client: introspection, and token exchange for the first resource.
    pub other_service: Option<Client>,
    /// A client with token exchange that no token is meant for.
    pub stranger: Option<Client>,
    /// A client with `client_secret_basic` and client credentials.
    pub secret_basic: Option<Client>,
    /// A client with `client_secret_post` and client credentials.
    pub secret_post: Option<Client>,
    /// A client that must push its authorization requests.
    pub pushing: Option<Client>,
    /// A public client with the device flow.
    pub device: Option<Client>,
    /// A confidential client with the device flow, and with CIBA by polling.
    pub from_afar: Option<Client>,
    /// A client with the code flow and refresh tokens that keeps to the FAPI 2.0 Security Profile, with
    /// `private_key_jwt` and DPoP.
    pub fapi: Option<Client>,
    /// A client with the code flow that keeps to FAPI 2.0 Message Signing too, requests and responses.
    pub message_signing: Option<Client>,
    /// A client with `tls_client_auth` and client credentials, whose tokens are bound to its certificate.
    pub tls: Option<Client>,
    /// The same with `self_signed_tls_client_auth`.
    pub self_signed_tls: Option<Client>,
}

/// One client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// How it authenticates.
    pub authentication: Authentication,
    /// With `private_key_jwt`: its private JWK.
    #[serde(default)]
    pub jwk: Option<Map<String, Value>>,
    /// With `client_secret_*`: its secret.
    #[serde(default)]
    pub secret: Option<String>,
    /// Its redirect URI, where it has one.
    #[serde(default)]
    pub redirect_uri: Option<String>,
    /// Where it wants the browser after a logout.
    #[serde(default)]
    pub post_logout_redirect_uri: Option<String>,
    /// With a certificate: a PEM file with it and its private key.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
}

/// How a client authenticates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// A public client.
    None,
    /// RFC 6749 §2.3.1, header.
    ClientSecretBasic,
    /// RFC 6749 §2.3.1, body.
    ClientSecretPost,
    /// RFC 7523.
    PrivateKeyJwt,
    /// RFC 8705 §2.1.
    TlsClientAuth,
    /// RFC 8705 §2.2.
    SelfSignedTlsClientAuth,
}

impl Profile {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// Where it is missing or not what was expected.
    pub fn open(path: &Path) -> Result<Self> {
        let figment = Figment::from(Toml::file_exact(path));
        figment.extract().with_context(|| format!("the profile {} cannot be read", path.display()))
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// Where it is not what was expected.
    pub fn parse(toml: &str) -> Result<Self> {
        Figment::from(Toml::string(toml)).extract().context("the profile cannot be read")
    }
}

impl Profile {
    /// Who speaks HTTP to the server, and shows the certificate of this client where it is asked for one. Redirects are
    /// not followed.
    ///
    /// # Errors
    /// Where a file is missing or not what was expected.
    pub fn visitor(&self, client: Option<&Client>) -> Result<reqwest::Client> {
        let read = |path: &Path| fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
        let mut visitor = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30));
        if let Some(authorities) = &self.authorities {
            visitor = visitor.tls_certs_only(reqwest::Certificate::from_pem_bundle(&read(authorities)?)?);
        }
        if let Some(certificate) = client.and_then(|client| client.certificate.as_deref()) {
            visitor = visitor.identity(reqwest::Identity::from_pem(&read(certificate)?)?);
        }
        Ok(visitor.build()?)
    }
}

impl Client {
    /// Its private key.
    ///
    /// # Errors
    /// Where it has none.
    pub fn key(&self) -> Result<Key> {
        Key::read(self.jwk.clone().with_context(|| format!("{} has no jwk", self.id))?)
    }

    /// Its secret, or nothing.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.secret.as_deref().unwrap_or_default()
    }

    /// Its redirect URI, or nothing.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        self.redirect_uri.as_deref().unwrap_or_default()
    }
}

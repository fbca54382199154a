//! A form posted to one of the server's endpoints.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::check::Problem;
use crate::jose::{self, Key};
use crate::profile::{Authentication, Client};
use crate::world::World;

/// `client_assertion_type` (RFC 7523 §2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The request so far.
#[derive(Clone)]
pub struct Post<'w> {
    world: &'w World,
    url: String,
    client: Option<&'w Client>,
    form: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    key: Option<&'w Key>,
}

impl<'w> Post<'w> {
    /// A request of a client, or of nobody.
    #[must_use]
    pub fn new(world: &'w World, url: &str, client: Option<&'w Client>) -> Self {
        Self { world, url: url.to_owned(), client, form: Vec::new(), headers: Vec::new(), key: None }
    }

    /// With a parameter, in place of any of that name.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.form.retain(|(known, _)| known != name);
        self.and(name, value)
    }

    /// With another parameter, whether or not there is one of that name.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.form.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a parameter.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.form.retain(|(known, _)| known != name);
        self
    }

    /// With a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a query behind the endpoint's URL.
    #[must_use]
    pub fn query(mut self, query: &str) -> Self {
        self.url.push_str(query);
        self
    }

    /// With a good DPoP proof of this key; a nonce that is demanded is brought at the second attempt.
    #[must_use]
    pub const fn dpop(mut self, key: &'w Key) -> Self {
        self.key = Some(key);
        self
    }

    /// With exactly this in the `DPoP` header, and no second attempt.
    #[must_use]
    pub fn proof(self, proof: &str) -> Self {
        self.header("DPoP", proof)
    }

    /// Sends it.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn send(self) -> Result<Answer, Problem> {
        let answer = self.clone().attempt().await?;
        if self.key.is_some() && answer.error() == "use_dpop_nonce" {
            return Ok(self.attempt().await?);
        }
        Ok(answer)
    }

    async fn attempt(mut self) -> Result<Answer> {
        self.authenticate()?;
        let mut request = self.world.http.post(&self.url).form(&self.form);
        if let Some(key) = self.key {
            let url = self.url.split(['?', '#']).next().unwrap_or_default();
            let mut claims = jose::proof_claims("POST", url, self.world.now());
            if let Some(nonce) = self.world.nonce("as") {
                claims["nonce"] = nonce.into();
            }
            let header = json!({ "typ": "dpop+jwt", "alg": key.alg, "jwk": key.public() });
            request = request.header("DPoP", key.sign(&header, &claims)?);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = Answer::read(request.send().await?).await?;
        self.world.remember_nonce("as", &answer);
        Ok(answer)
    }

    fn authenticate(&mut self) -> Result<()> {
        let Some(client) = self.client else { return Ok(()) };
        let mut put = |name: &str, value: &str| {
            if !self.form.iter().any(|(known, _)| known == name) {
                self.form.push((name.to_owned(), value.to_owned()));
            }
        };
        match client.authentication {
            // A certificate is no part of the request.
            Authentication::None
            | Authentication::TlsClientAuth
            | Authentication::SelfSignedTlsClientAuth => {
                put("client_id", &client.id);
            }
            Authentication::ClientSecretPost => {
                put("client_id", &client.id);
                put("client_secret", client.secret());
            }
            Authentication::ClientSecretBasic => {
                self.headers.push(("authorization".into(), basic(&client.id, client.secret())));
            }
            Authentication::PrivateKeyJwt => {
                let claims = assertion_claims(&client.id, &self.world.issuer, self.world.now());
                put("client_assertion_type", ASSERTION_TYPE);
                put("client_assertion", &assertion(&client.key()?, &claims)?);
            }
        }
        Ok(())
    }
}

/// `Basic` with id and secret form-urlencoded before they are joined (RFC 6749 §2.3.1).
#[must_use]
pub fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

/// The claims of a good client assertion (RFC 7523 §3).
#[must_use]
pub fn assertion_claims(client: &str, issuer: &str, now: i64) -> Value {
    json!({ "iss": client, "sub": client, "aud": issuer, "jti": jose::fresh(), "iat": now, "exp": now + 60 })
}

/// A client assertion with these claims.
///
/// # Errors
/// The library's.
pub fn assertion(key: &Key, claims: &Value) -> Result<String> {
    let mut header = json!({ "alg": key.alg, "typ": "client-authentication+jwt" });
    if let Some(kid) = key.kid() {
        header["kid"] = kid.into();
    }
    key.sign(&header, claims)
}

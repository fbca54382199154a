//! A client that proves who it is with keys of its own: `private_key_jwt` (RFC 7523) and DPoP (RFC 9449), written
//! from the RFCs and not with the server's own means.

use std::sync::Mutex;

use anyhow::{Context as _, anyhow};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::wire::{Exchange, Wire, encoded};
use crate::clock::{Clock as _, SystemClock};
use crate::secret::{SecretDigest, SystemEntropy, random_id};

/// A P-256 key pair.
pub struct Key {
    pair: EcdsaKeyPair,
    x: String,
    y: String,
}

impl Key {
    fn generate() -> anyhow::Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let pair = pair.map_err(|_| anyhow!("no key could be made"))?;
        // Uncompressed (SEC 1 §2.3.3): 4, x, y.
        let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
        let (x, y) = point.split_at_checked(32).context("no key could be made")?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        Ok(Self { pair, x, y })
    }

    fn jwk(&self) -> Value {
        json!({ "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y })
    }

    /// Its JWK thumbprint (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, self.x, self.y);
        SecretDigest::of(&members).to_text()
    }

    #[expect(clippy::disallowed_methods, reason = "signatures draw their own chance inside the library")]
    fn sign(&self, header: &Value, claims: &Value) -> anyhow::Result<String> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes());
        let signature = signature.map_err(|_| anyhow!("nothing could be signed"))?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }
}

/// A client with its keys.
pub struct Party {
    /// `client_id`.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// The key its tokens are bound to.
    pub dpop: Key,
    authentication: Key,
    /// The nonce that the authorization server gave it last.
    nonce: Mutex<Option<String>>,
}

/// A request for a token: what is asked, and as whom.
pub struct Endpoints {
    /// The issuer, for whom assertions are.
    pub issuer: String,
    /// Where tokens are.
    pub token: String,
    /// Where tokens are looked at.
    pub introspection: String,
}

impl Party {
    /// A client with fresh keys.
    ///
    /// # Errors
    /// The cryptographic library's.
    pub fn new(id: &'static str, name: &'static str) -> anyhow::Result<Self> {
        let (dpop, authentication) = (Key::generate()?, Key::generate()?);
        Ok(Self { id, name, dpop, authentication, nonce: Mutex::new(None) })
    }

    /// Its public key set as the configuration wants it.
    #[must_use]
    pub fn jwks(&self) -> String {
        let Key { x, y, .. } = &self.authentication;
        format!(
            r#"{{ keys = [{{ kty = "EC", crv = "P-256", kid = "{0}-1", use = "sig", x = "{x}", y = "{y}" }}] }}"#,
            self.id
        )
    }

    fn assertion(&self, issuer: &str) -> anyhow::Result<String> {
        let now = SystemClock.now().0;
        let header = json!({ "typ": "JWT", "alg": "ES256", "kid": format!("{}-1", self.id) });
        let claims = json!({
            "iss": self.id, "sub": self.id, "aud": issuer,
            "jti": random_id(&SystemEntropy, ""), "iat": now, "exp": now + 60,
        });
        self.authentication.sign(&header, &claims)
    }

    /// A DPoP proof for one request; with `token`, one that goes to a resource server.
    ///
    /// # Errors
    /// The cryptographic library's.
    pub fn proof(&self, method: &str, url: &str, token: Option<&str>) -> anyhow::Result<String> {
        let nonce = match token {
            Some(_) => None,
            None => self.nonce.lock().ok().and_then(|nonce| nonce.clone()),
        };
        self.proof_with(method, url, token, nonce.as_deref())
    }

    fn proof_with(
        &self,
        method: &str,
        url: &str,
        token: Option<&str>,
        nonce: Option<&str>,
    ) -> anyhow::Result<String> {
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.dpop.jwk() });
        let mut claims = json!({
            "htm": method, "htu": url, "iat": SystemClock.now().0, "jti": random_id(&SystemEntropy, ""),
        });
        if let Some(token) = token {
            claims["ath"] = SecretDigest::of(token).to_text().into();
        }
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        self.dpop.sign(&header, &claims)
    }

    /// Asks for a token exchange (RFC 8693) with this proof and a fresh assertion, once.
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn exchange_with(
        &self,
        wire: &Wire,
        at: &Endpoints,
        asked: &[(&str, &str)],
        proof: &str,
    ) -> anyhow::Result<Exchange> {
        let mut form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ];
        form.extend_from_slice(asked);
        let exchange = self.post(wire, &at.token, &at.issuer, &form, Some(proof)).await?;
        if let (Some(fresh), Ok(mut nonce)) = (exchange.header("dpop-nonce"), self.nonce.lock()) {
            *nonce = Some(fresh.to_owned());
        }
        Ok(exchange)
    }

    /// Asks for a token exchange; where the server demands a nonce, once more with it (RFC 9449 §8). Gives the
    /// answer, the proof it came for, and the demand if there was one.
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn exchange(
        &self,
        wire: &Wire,
        at: &Endpoints,
        asked: &[(&str, &str)],
    ) -> anyhow::Result<Exchanged> {
        let proof = self.proof("POST", &at.token, None)?;
        let answer = self.exchange_with(wire, at, asked, &proof).await?;
        if answer.json()["error"] != "use_dpop_nonce" {
            return Ok(Exchanged { answer, proof, demand: None });
        }
        let proof = self.proof("POST", &at.token, None)?;
        let demand = Some(answer);
        Ok(Exchanged { answer: self.exchange_with(wire, at, asked, &proof).await?, proof, demand })
    }

    /// Asks for a token of its own (RFC 6749 §4.4).
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn token_of_its_own(
        &self,
        wire: &Wire,
        at: &Endpoints,
        scope: &str,
    ) -> anyhow::Result<Exchange> {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let proof = self.proof("POST", &at.token, None)?;
        self.post(wire, &at.token, &at.issuer, &form, Some(&proof)).await
    }

    /// Calls `url` with a token; where a nonce is demanded, once more with it (RFC 9449 §9).
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn call(&self, wire: &Wire, method: &str, url: &str, token: &str) -> anyhow::Result<Exchange> {
        let plain = url.split_once('?').map_or(url, |(plain, _)| plain);
        let send = async |nonce: Option<&str>| {
            let proof = self.proof_with(method, plain, Some(token), nonce)?;
            let request = Request::builder().method(method).uri(url);
            let request = request.header("authorization", format!("DPoP {token}")).header("dpop", proof);
            anyhow::Ok(wire.send(request.body(Vec::new())?).await?)
        };
        let answer = send(None).await?;
        match answer.header("dpop-nonce").filter(|_| answer.status == 401) {
            Some(nonce) => send(Some(nonce)).await,
            None => Ok(answer),
        }
    }

    /// Asks what a token is worth (RFC 7662), and for what else is named.
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn introspect(
        &self,
        wire: &Wire,
        at: &Endpoints,
        token: &str,
        more: &[(&str, &str)],
    ) -> anyhow::Result<Exchange> {
        let form = [&[("token", token)], more].concat();
        self.post(wire, &at.introspection, &at.issuer, &form, None).await
    }

    async fn post(
        &self,
        wire: &Wire,
        url: &str,
        issuer: &str,
        form: &[(&str, &str)],
        proof: Option<&str>,
    ) -> anyhow::Result<Exchange> {
        let assertion = self.assertion(issuer)?;
        let mut form = form.to_vec();
        form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
        form.push(("client_assertion", &assertion));
        let mut request = Request::post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        Ok(wire.send(request.body(encoded(&form))?).await?)
    }
}

/// What came of asking for a token exchange.
pub struct Exchanged {
    /// The last answer.
    pub answer: Exchange,
    /// The proof that it came for.
    pub proof: String,
    /// The answer before it, if that one demanded a nonce.
    pub demand: Option<Exchange>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_one_that_the_law_accepts() {
        let party = Party::new("a", "A").unwrap();
        let proof = party.proof("GET", "http://api.example/x", Some("token")).unwrap();
        let signed = crate::jose::verify_dpop(&proof).unwrap();
        let (_, jwk) = protocol::dpop::check_header(&signed.header).unwrap();
        assert_eq!(jwk.jkt().as_str(), party.dpop.thumbprint());
        assert_eq!(signed.claims["ath"], protocol::dpop::ath("token"));
    }
}

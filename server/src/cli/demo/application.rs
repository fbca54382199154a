//! The Shop Assistant: an application that knows nothing of Procura. It is written with the openidconnect crate, which
//! reads the discovery document, asks with PKCE, redeems the code and verifies the ID token.

use anyhow::{Context as _, anyhow, ensure};
use http::header::LOCATION;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    TokenResponse as _,
};
use serde_json::Value;

use super::by_hand;
use super::house::{APPLICATION, ORDERS};
use super::wire::{Exchange, Wire};

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The application.
pub struct Application<'a> {
    wire: &'a Wire,
    client: Client,
    issuer: String,
}

/// An authorization request on its way.
pub struct Asked {
    /// Where the user is sent to.
    pub url: String,
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// What the code was good for.
pub struct Redeemed {
    /// The access token.
    pub access_token: String,
    /// `sub` of the verified ID token.
    pub sub: String,
}

impl<'a> Application<'a> {
    /// Reads the server's metadata and keys.
    ///
    /// # Errors
    /// Where they are not what a client needs.
    pub async fn discover(wire: &'a Wire, issuer: &str, callback: &str) -> anyhow::Result<Self> {
        let http = |request| wire.call(request);
        let metadata = CoreProviderMetadata::discover_async(IssuerUrl::new(issuer.to_owned())?, &http);
        let metadata = metadata.await.map_err(|error| anyhow!("discovery failed: {error}"))?;
        let client =
            CoreClient::from_provider_metadata(metadata, ClientId::new(APPLICATION.to_owned()), None)
                .set_redirect_uri(RedirectUrl::new(callback.to_owned())?);
        Ok(Self { wire, client, issuer: issuer.to_owned() })
    }

    /// An authorization request for an agent to act, for one task. The crate knows of no pushing, so what it made is
    /// pushed as it stands.
    ///
    /// # Errors
    /// Where the server refuses it.
    pub async fn ask(&self, agent: &str, task: &Value) -> anyhow::Result<Asked> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (url, state, nonce) = self
            .client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scope(Scope::new("orders:read".into()))
            .add_scope(Scope::new("orders:write".into()))
            .add_extra_param("requested_actor", agent)
            .add_extra_param("resource", ORDERS)
            .add_extra_param("authorization_details", Value::from([task.clone()].to_vec()).to_string())
            .set_pkce_challenge(challenge)
            .url();
        let request: Vec<_> = url.query_pairs().collect();
        let at = format!("{}{}", self.issuer, protocol::metadata::PAR);
        let pushed = by_hand::push(self.wire, &at, &request).await?;
        let url = by_hand::way(&self.issuer, &pushed).context("the request was not taken")?;
        Ok(Asked { url, state, nonce, verifier })
    }

    /// The code out of the answer that the browser brings, if it is an answer to this question of this server
    /// (RFC 6749 §10.12, RFC 9207).
    ///
    /// # Errors
    /// Where it is not.
    pub fn code(&self, asked: &Asked, answer: &Exchange) -> anyhow::Result<String> {
        let location = answer.header(LOCATION.as_str()).context("the consent page led nowhere")?;
        let url = url::Url::parse(location)?;
        let one =
            |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned());
        ensure!(one("state").as_deref() == Some(asked.state.secret()), "state is not the one that was sent");
        ensure!(one("iss").as_deref() == Some(&self.issuer), "iss is not this issuer");
        one("code").context("there is no code in the answer")
    }

    /// Redeems the code and verifies the ID token: signature, issuer, audience, time, nonce and `at_hash`.
    ///
    /// # Errors
    /// Where the server refuses, or the ID token is not what it should be.
    pub async fn redeem(&self, asked: Asked, code: String) -> anyhow::Result<Redeemed> {
        let http = |request| self.wire.call(request);
        let request = self.client.exchange_code(AuthorizationCode::new(code))?;
        let answer = request.set_pkce_verifier(asked.verifier).request_async(&http).await;
        let answer = answer.map_err(|error| anyhow!("the code was not redeemed: {error}"))?;
        let id_token = answer.id_token().context("there is no ID token")?;
        let verifier = self.client.id_token_verifier();
        let claims = id_token.claims(&verifier, &asked.nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let (alg, key) = (id_token.signing_alg()?, id_token.signing_key(&verifier)?);
            let hash = AccessTokenHash::from_token(answer.access_token(), alg, key)?;
            ensure!(hash == *expected, "at_hash is not the access token's");
        }
        Ok(Redeemed {
            access_token: answer.access_token().secret().clone(),
            sub: claims.subject().to_string(),
        })
    }
}

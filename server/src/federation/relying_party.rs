//! This server as a client of an upstream, in the words of the `openidconnect` library.

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthType, Client, ClientId, ClientSecret, EmptyExtraTokenFields, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IdTokenFields, RedirectUrl, StandardErrorResponse, StandardTokenResponse,
};
use protocol::federation::Upstream;
use protocol::numeric_date::{NumericDate, Seconds};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{PATH, Trouble};
use crate::app::App;
use crate::config::{AssertionAudience, UpstreamCredential};
use crate::failure::Broken;
use crate::secret::{Secret, random_id};
use crate::upstreams::{Connection, Provider};

/// All claims that the library does not know itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Further {
    #[serde(flatten)]
    claims: Map<String, Value>,
}

impl AdditionalClaims for Further {}

type Tokens = StandardTokenResponse<
    IdTokenFields<
        Further,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

/// This server as an upstream's client.
pub(super) type RelyingParty = Client<
    Further,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// How long a client assertion lives.
const ASSERTION_LIFE: Seconds = Seconds(60);

/// Where the upstream sends people back to.
fn callback(app: &App, upstream: &Upstream) -> String {
    app.url(&format!("{PATH}/{}/callback", upstream.id))
}

/// This server as a client of the upstream that said this of itself.
pub(super) fn relying_party(
    app: &App,
    connection: &Connection,
    provider: &Provider,
) -> Result<RelyingParty, Trouble> {
    let upstream = connection.upstream();
    let (secret, auth_type) = match &connection.declared.credential {
        UpstreamCredential::Basic(secret) => (Some(secret), AuthType::BasicAuth),
        UpstreamCredential::Post(secret) => (Some(secret), AuthType::RequestBody),
        UpstreamCredential::None | UpstreamCredential::PrivateKeyJwt { .. } => (None, AuthType::RequestBody),
    };
    let secret = secret.map(|secret| ClientSecret::new(secret.reveal().to_owned()));
    let redirect_uri = RedirectUrl::new(callback(app, upstream))
        .map_err(|_| Trouble::Broken(Broken::Other("the issuer is no URL")))?;
    let id = ClientId::new(upstream.client_id.clone());
    let client = Client::from_provider_metadata(provider.metadata.clone(), id, secret);
    Ok(client.set_auth_type(auth_type).set_redirect_uri(redirect_uri))
}

/// The assertion by which this server proves who it is (RFC 7523 §3), where it does so by one.
pub(super) fn assertion(
    app: &App,
    connection: &Connection,
    provider: &Provider,
    now: NumericDate,
) -> Result<Option<Secret>, Trouble> {
    let UpstreamCredential::PrivateKeyJwt { alg, audience } = &connection.declared.credential else {
        return Ok(None);
    };
    let upstream = connection.upstream();
    let audience = match audience {
        AssertionAudience::Issuer => upstream.issuer.clone(),
        AssertionAudience::TokenEndpoint => {
            provider.metadata.token_endpoint().ok_or(Trouble::NotProven)?.as_str().to_owned()
        }
    };
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    put("iss", upstream.client_id.as_str().into());
    put("sub", upstream.client_id.as_str().into());
    put("aud", audience.into());
    put("iat", now.0.into());
    put("exp", now.plus(ASSERTION_LIFE).0.into());
    put("jti", random_id(app.entropy.as_ref(), "").into());
    let signed = app.keys.sign(*alg, "JWT", &claims).map_err(|error| Trouble::Broken(error.into()))?;
    Ok(Some(Secret::from_text(signed)))
}

//! What a client is told of its registration (RFC 7591 §3.2.1), and what of it people are shown.

use serde_json::{Map, Value};
use url::Url;

use super::grants::CODE;
use super::members::IN_LANGUAGES;
use super::metadata_document;
use crate::client::{Client, GrantType, KeySource};

/// Every registered member, with the defaults that were filled in and the values that were replaced.
#[must_use]
pub fn echo(client: &Client) -> Map<String, Value> {
    let mut told = match serde_json::to_value(&client.metadata) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    told.remove(IN_LANGUAGES);
    told.extend(
        client.metadata.in_languages.iter().map(|(name, value)| (name.clone(), value.as_str().into())),
    );
    let mut put = |name: &str, value: Value| {
        told.insert(name.to_owned(), value);
    };
    let texts = |texts: &[String]| Value::from(texts.to_vec());
    let by_code = client.grant_types.contains(&GrantType::AuthorizationCode);
    put("client_id", client.id.as_str().into());
    if client.name != client.id.as_str() {
        put("client_name", client.name.as_str().into());
    }
    put("token_endpoint_auth_method", client.authentication.method().as_str().into());
    put("grant_types", client.grant_types.iter().map(|grant| grant.as_str()).collect());
    put("response_types", by_code.then_some(CODE).into_iter().collect());
    put("redirect_uris", texts(&client.redirect_uris));
    if !client.post_logout_redirect_uris.is_empty() {
        put("post_logout_redirect_uris", texts(&client.post_logout_redirect_uris));
    }
    put("scope", client.scope.to_string().into());
    let details = &client.authorization_details_types;
    if !details.is_empty() {
        put("authorization_details_types", details.iter().map(|name| name.as_str()).collect());
    }
    match &client.keys {
        KeySource::None => {}
        KeySource::Jwks(jwks) => put("jwks", jwks.clone()),
        KeySource::JwksUri(uri) => put("jwks_uri", uri.as_str().into()),
    }
    put("dpop_bound_access_tokens", client.dpop_bound_access_tokens.into());
    put("require_pushed_authorization_requests", client.require_pushed_authorization_requests.into());
    put("id_token_signed_response_alg", client.id_token_signed_response_alg.as_str().into());
    told
}

/// Whether a URL of a client is its own as far as anybody can tell: at the host of one of its redirect URIs,
/// or of its metadata document (RFC 7591 §5). What is elsewhere may be somebody else's good name, and is not shown for a client that nobody vouched
/// for.
#[must_use]
pub fn tells_of_itself(client: &Client, url: &Url) -> bool {
    let host = |uri: &String| Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned));
    let own = url.host_str().map(str::to_owned);
    let of_document = metadata_document::url_of(&client.id).and_then(|url| url.host_str().map(str::to_owned));
    own.is_some() && (own == of_document || client.redirect_uris.iter().any(|uri| host(uri) == own))
}

/// The logo of a client, if it may be shown. `vouched` says that somebody other than the client itself named it.
#[must_use]
pub fn logo(client: &Client, vouched: bool) -> Option<&Url> {
    client.metadata.logo_uri.as_ref().filter(|url| vouched || tells_of_itself(client, url))
}

//! The `oauth2` crate as a client: client credentials, code, refresh, introspection, revocation, token exchange.

use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest,
    IntrospectionUrl, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, RevocationUrl,
    Scope, StandardRevocableToken, TokenIntrospectionResponse as _, TokenResponse as _, TokenUrl,
};
use tests::{Database, House, ORDERS, on_both_databases, unverified_claims};

use crate::{approved_by_alice, http, param};

on_both_databases! {
    a_client_gets_a_token_of_its_own,
    a_code_a_refresh_an_introspection_and_a_revocation_go_well,
    a_wrong_verifier_is_told_as_invalid_grant,
    a_token_is_exchanged_for_a_narrower_one,
}

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointSet>;

fn web(house: &House) -> Client {
    BasicClient::new(ClientId::new("web".into()))
        .set_client_secret(ClientSecret::new("the secret of web".into()))
        .set_auth_uri(AuthUrl::new(house.url("/authorize")).unwrap())
        .set_token_uri(TokenUrl::new(house.url("/token")).unwrap())
        .set_introspection_url(IntrospectionUrl::new(house.url("/introspect")).unwrap())
        // The crate wants https here; the house has none on this machine.
        .set_revocation_url(RevocationUrl::new(house.url("/revoke").replace("http:", "https:")).unwrap())
        .set_redirect_uri(RedirectUrl::new(house.client("web").redirect_uri()).unwrap())
}

/// What alice approved for the web client, as a code and its verifier.
async fn code(house: &House, client: &Client, scopes: &[&str]) -> (AuthorizationCode, PkceCodeVerifier) {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (request, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(scopes.iter().map(|scope| Scope::new((*scope).into())))
        .add_extra_param("resource", ORDERS)
        .set_pkce_challenge(challenge)
        .url();
    let back = approved_by_alice(house, &request).await;
    assert_eq!(&param(&back, "state"), state.secret());
    (AuthorizationCode::new(param(&back, "code")), verifier)
}

async fn tokens(house: &House, client: &Client, scopes: &[&str]) -> BasicTokenResponse {
    let (code, verifier) = code(house, client, scopes).await;
    client.exchange_code(code).set_pkce_verifier(verifier).request_async(&http).await.unwrap()
}

async fn a_client_gets_a_token_of_its_own(database: Database) {
    let house = House::on(database).await;
    let request = web(&house);
    let request = request.exchange_client_credentials();
    let request = request.add_scope(Scope::new("orders:read".into())).add_extra_param("resource", ORDERS);
    let token = request.request_async(&http).await.unwrap();
    assert!(token.expires_in().is_some());
    let claims = unverified_claims(token.access_token().secret());
    assert_eq!((&claims["sub"], &claims["aud"]), (&"web".into(), &ORDERS.into()));
    house.close().await;
}

async fn a_code_a_refresh_an_introspection_and_a_revocation_go_well(database: Database) {
    let house = House::on(database).await;
    let client = web(&house);
    let tokens = tokens(&house, &client, &["orders:read", "offline_access"]).await;
    let refreshed =
        client.exchange_refresh_token(tokens.refresh_token().unwrap()).add_extra_param("resource", ORDERS);
    let refreshed = refreshed.request_async(&http).await.unwrap();
    let known = client.introspect(refreshed.access_token()).request_async(&http).await.unwrap();
    assert!(known.active());
    assert!(known.scopes().unwrap().iter().any(|scope| scope.as_str() == "orders:read"));

    let plain = async |mut request: HttpRequest| {
        *request.uri_mut() = request.uri().to_string().replace("https:", "http:").parse().unwrap();
        http(request).await
    };
    let plain = |request| Box::pin(plain(request));
    let ended = StandardRevocableToken::from(refreshed.access_token());
    client.revoke_token(ended).unwrap().request_async(&plain).await.unwrap();
    let known = client.introspect(refreshed.access_token()).request_async(&http).await.unwrap();
    assert!(!known.active());
    let ended = StandardRevocableToken::from(tokens.refresh_token().unwrap());
    client.revoke_token(ended).unwrap().request_async(&plain).await.unwrap();
    let known = client.introspect(tokens.access_token()).request_async(&http).await.unwrap();
    assert!(!known.active(), "with its refresh token the whole family ends");
    house.close().await;
}

async fn a_wrong_verifier_is_told_as_invalid_grant(database: Database) {
    let house = House::on(database).await;
    let client = web(&house);
    let (code, _) = code(&house, &client, &["orders:read"]).await;
    let (_, other) = PkceCodeChallenge::new_random_sha256();
    let refused = client.exchange_code(code).set_pkce_verifier(other).request_async(&http).await;
    let Err(RequestTokenError::ServerResponse(refused)) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.error(), &BasicErrorResponseType::InvalidGrant);
    house.close().await;
}

async fn a_token_is_exchanged_for_a_narrower_one(database: Database) {
    let house = House::on(database).await;
    let client = web(&house);
    let tokens = tokens(&house, &client, &["orders:read", "orders:write"]).await;
    // The crate knows no token exchange: its request for client credentials becomes one on the way.
    let becomes = async |mut request: HttpRequest| {
        let body = String::from_utf8(std::mem::take(request.body_mut())).unwrap();
        let exchange = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
        *request.body_mut() = body.replace("grant_type=client_credentials", exchange).into_bytes();
        http(request).await
    };
    let becomes = |request| Box::pin(becomes(request));
    let request = client
        .exchange_client_credentials()
        .add_scope(Scope::new("orders:read".into()))
        .add_extra_param("subject_token", tokens.access_token().secret())
        .add_extra_param("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
        .add_extra_param("resource", ORDERS);
    let narrower = request.request_async(&becomes).await.unwrap();
    let claims = unverified_claims(narrower.access_token().secret());
    assert_eq!(claims["scope"], "orders:read");
    assert_eq!(claims["sub"], unverified_claims(tokens.access_token().secret())["sub"]);
    house.close().await;
}

//! The `openidconnect` crate as a relying party: discovery, code with PKCE and nonce, ID token, userinfo, refresh.

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse as _,
};
use tests::{Database, House, on_both_databases};

use crate::{approved_by_alice, http, param};

on_both_databases! {
    a_relying_party_signs_alice_in_with_es256,
    a_relying_party_signs_alice_in_with_rs256,
    a_relying_party_signs_alice_in_with_ps256,
    a_relying_party_signs_alice_in_with_eddsa,
    a_public_relying_party_rotates_its_refresh_token,
}

async fn a_relying_party_signs_alice_in_with_es256(database: Database) {
    sign_in(database, "web", "ES256").await;
}

async fn a_relying_party_signs_alice_in_with_rs256(database: Database) {
    sign_in(database, "web", "RS256").await;
}

async fn a_relying_party_signs_alice_in_with_ps256(database: Database) {
    sign_in(database, "web", "PS256").await;
}

async fn a_relying_party_signs_alice_in_with_eddsa(database: Database) {
    sign_in(database, "web", "EdDSA").await;
}

async fn a_public_relying_party_rotates_its_refresh_token(database: Database) {
    sign_in(database, "shop", "ES256").await;
}

async fn sign_in(database: Database, id: &str, alg: &str) {
    let named = format!("id = \"{id}\"\n");
    let with_alg = format!("{named}id_token_signed_response_alg = \"{alg}\"\n");
    let house = House::build(database, |town| town.replace(&named, &with_alg)).await;
    let registered = house.client(id);
    let issuer = IssuerUrl::new(house.issuer().to_owned()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &http).await.unwrap();
    let secret = (id == "web").then(|| ClientSecret::new("the secret of web".into()));
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new(id.into()), secret)
        .set_redirect_uri(RedirectUrl::new(registered.redirect_uri()).unwrap());

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (request, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("profile".into()))
        .add_scope(Scope::new("email".into()))
        .add_scope(Scope::new("offline_access".into()))
        .set_pkce_challenge(challenge)
        .url();
    let back = approved_by_alice(&house, &request).await;
    assert_eq!(&param(&back, "state"), state.secret());
    assert_eq!(param(&back, "iss"), house.issuer());

    let code = AuthorizationCode::new(param(&back, "code"));
    let tokens = client.exchange_code(code).unwrap().set_pkce_verifier(verifier);
    let tokens = tokens.request_async(&http).await.unwrap();
    let verifier = client.id_token_verifier();
    let id_token = tokens.id_token().expect("an ID token");
    let claims = id_token.claims(&verifier, &nonce).unwrap();
    let subject = claims.subject().clone();
    assert!(id_token.claims(&verifier, &Nonce::new("another".into())).is_err());
    let used = id_token.signing_alg().unwrap();
    assert_eq!(serde_json::to_value(used).unwrap(), alg);
    if let Some(told) = claims.access_token_hash() {
        let key = id_token.signing_key(&verifier).unwrap();
        assert_eq!(told, &AccessTokenHash::from_token(tokens.access_token(), used, key).unwrap());
    }

    let user: CoreUserInfoClaims = client
        .user_info(tokens.access_token().clone(), Some(subject.clone()))
        .unwrap()
        .request_async(&http)
        .await
        .unwrap();
    assert_eq!(user.name().unwrap().get(None).unwrap().as_str(), "Alice Arnold");
    assert_eq!(user.email().unwrap().as_str(), "alice@people.example");

    let first = tokens.refresh_token().expect("a refresh token");
    let refreshed = client.exchange_refresh_token(first).unwrap().request_async(&http).await.unwrap();
    assert_ne!(refreshed.access_token().secret(), tokens.access_token().secret());
    assert_eq!(refreshed.refresh_token().is_some(), id == "shop", "only a public client's is rotated");
    if let Some(id_token) = refreshed.id_token() {
        let claims = id_token.claims(&verifier, |_: Option<&Nonce>| Ok(())).unwrap();
        assert_eq!(claims.subject(), &subject);
    }
    let again: CoreUserInfoClaims = client
        .user_info(refreshed.access_token().clone(), Some(subject))
        .unwrap()
        .request_async(&http)
        .await
        .unwrap();
    assert_eq!(again.name(), user.name());
    house.close().await;
}

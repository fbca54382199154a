//! Clients that are known by their certificate and whose users are elsewhere: the device flow and CIBA, the latter
//! as FAPI-CIBA wants it from the request to the tokens.

use std::sync::Arc;

use serde_json::json;
use tests::{Database, House, Identity, Key, ORDERS, Secured, Wanted, on_both_databases, random};

use super::methods::{client, with_x5c};
use crate::elsewhere::{CIBA, DEVICE_CODE, question};

on_both_databases! {
    a_device_with_a_certificate_asks_and_polls_by_it,
    fapi_ciba_from_the_signed_request_to_tokens_that_are_bound_to_a_certificate,
}

const SETTINGS: &str = "[device]\ninterval = 1\n[ciba]\ninterval = 1\n";

fn declared(id: &str, more: &str) -> String {
    format!(
        "[[clients]]\nid = \"{id}\"\nname = \"The {id}\"\nkind = \"application\"\n\
         scope = \"openid offline_access orders:read\"\nresources = [\"{ORDERS}\"]\n\
         tls_client_certificate_bound_access_tokens = true\n{more}\n"
    )
}

async fn a_device_with_a_certificate_asks_and_polls_by_it(database: Database) {
    let secured = Secured::prepare();
    let own = Wanted::client("set").self_signed();
    let more = format!(
        "authentication = \"self_signed_tls_client_auth\"\n{}\ngrant_types = [\"{DEVICE_CODE}\"]",
        with_x5c(&own)
    );
    let house = House::on_secured(database, &secured, &format!("{SETTINGS}{}", declared("set", &more))).await;
    let set = client(&house, "set");
    let showing = |identity: Option<&Identity>| secured.showing(&set, identity);
    let other = Wanted::client("set").self_signed();
    let (right, wrong) = (showing(Some(&own)), [showing(Some(&other)), showing(None), set.clone()]);
    for wrong in &wrong {
        wrong.post("/device_authorization", &[("scope", "orders:read")]).await.refused("invalid_client");
        house.told("client.authenticate", "invalid_client").await;
    }
    let asked = right.post("/device_authorization", &[("scope", "orders:read")]).await.ok();
    house.told("authorization.device", "granted").await;
    let alice = house.signed_in("alice").await;
    let page = alice.page(&format!("/device?user_code={}", asked.text("user_code"))).await;
    page.approve(|_| {}).await.page();
    let poll = [("grant_type", DEVICE_CODE), ("device_code", asked.text("device_code"))];
    for wrong in &wrong {
        wrong.token(&poll).await.refused("invalid_client");
    }
    let token = right.token(&poll).await.ok();
    assert_eq!(token.claims()["cnf"]["x5t#S256"], own.x5t_s256());
}

async fn fapi_ciba_from_the_signed_request_to_tokens_that_are_bound_to_a_certificate(database: Database) {
    let secured = Secured::prepare();
    let key = Arc::new(Key::generate());
    let more = format!(
        "profile = \"fapi-ciba\"\nauthentication = \"tls_client_auth\"\n\
         tls_client_auth_subject_dn = \"CN=bank,O=Example\\\\, Inc.\"\njwks = {}\n\
         grant_types = [\"{CIBA}\", \"refresh_token\"]\n\
         backchannel_authentication_request_signing_alg = \"ES256\"",
        key.jwks_toml()
    );
    let house =
        House::on_secured(database, &secured, &format!("{SETTINGS}{}", declared("bank", &more))).await;
    let bank = client(&house, "bank");
    let own = secured.clients.issue(Wanted::client("bank"));
    // It bears the name, but nobody vouches for it; or somebody does, for another name.
    let (forged, other) =
        (Wanted::client("bank").self_signed(), secured.clients.issue(Wanted::client("other")));
    let showing = |identity: Option<&Identity>| secured.showing(&bank, identity);
    let right = showing(Some(&own));
    let wrong = [showing(Some(&forged)), showing(Some(&other)), showing(None), bank.clone()];
    let signed = || {
        let now = house.door().now().0;
        let claims = json!({ "iss": "bank", "aud": house.issuer(), "iat": now, "nbf": now, "exp": now + 300,
            "jti": random(), "scope": "openid offline_access orders:read", "login_hint": "alice",
            "binding_message": "Pay 5 EUR" });
        key.sign(&json!({ "alg": "ES256", "typ": "oauth-authz-req+jwt" }), &claims)
    };
    for wrong in &wrong {
        wrong.post("/backchannel/authorize", &[("request", &signed())]).await.refused("invalid_client");
        house.told("client.authenticate", "invalid_client").await;
    }
    // The certificate does not stand in for the signature.
    let plain = [("scope", "openid"), ("login_hint", "alice")];
    right.post("/backchannel/authorize", &plain).await.refused("invalid_request");
    house.told("authorization.backchannel", "invalid_request").await;
    let asked = right.post("/backchannel/authorize", &[("request", &signed())]).await.ok();
    house.told("authorization.backchannel", "granted").await;
    let page = question(&house.signed_in("alice").await).await;
    assert!(page.text().contains("Pay 5 EUR"), "{}", page.text());
    page.approve(|_| {}).await.page();

    let poll = [("grant_type", CIBA), ("auth_req_id", asked.text("auth_req_id"))];
    for wrong in &wrong {
        wrong.token(&poll).await.refused("invalid_client");
    }
    let tokens = right.token(&poll).await.ok();
    house.told("token.ciba", "granted").await;
    assert_eq!(tokens.claims()["cnf"]["x5t#S256"], own.x5t_s256());
    assert_eq!(tokens.text("token_type"), "Bearer");
    right.call("GET", "/userinfo", tokens.access_token()).await.ok();
    for wrong in &wrong {
        let refused = wrong.call("GET", "/userinfo", tokens.access_token()).await;
        refused.refused_with(401, "invalid_token");
    }
    let refresh = tokens.text("refresh_token");
    for wrong in &wrong {
        wrong.refresh(refresh, &[]).await.refused("invalid_client");
    }
    let again = right.refresh(refresh, &[]).await.ok();
    assert_eq!(again.claims()["cnf"]["x5t#S256"], own.x5t_s256());
}

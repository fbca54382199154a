//! Both discovery documents, the keys, and whether the house is well.

use serde_json::{Value, json};
use tests::House;

async fn get(house: &House, path: &str) -> tests::Answer {
    house.send(house.request("GET", path)).await
}

#[tokio::test]
async fn both_documents_are_one_and_say_what_there_is() {
    let house = House::open().await;
    let oauth = get(&house, "/.well-known/oauth-authorization-server").await.ok();
    let openid = get(&house, "/.well-known/openid-configuration").await.ok();
    assert_eq!(oauth.json, openid.json);
    assert_eq!(oauth.header("content-type"), "application/json");
    let issuer = house.issuer();
    let text = serde_json::to_string_pretty(&oauth.json).unwrap().replace(issuer, "[issuer]");
    insta::assert_snapshot!("metadata", text);
}

/// Whatever the document names as an endpoint is there, and answers no method with 404.
#[tokio::test]
async fn every_endpoint_that_is_named_is_there() {
    let house = House::open().await;
    let told = get(&house, "/.well-known/openid-configuration").await.ok().json;
    for (name, url) in told.as_object().unwrap() {
        let Some(url) = url.as_str().filter(|_| name.ends_with("_endpoint") || name == "jwks_uri") else {
            continue;
        };
        let path = url.strip_prefix(house.issuer()).unwrap();
        let path = if name == "grant_management_endpoint" { format!("{path}/x") } else { path.to_owned() };
        assert_ne!(get(&house, &path).await.status, 404, "{name}");
    }
}

/// Each grant type that is named is known to the token endpoint, and no other.
#[tokio::test]
async fn every_grant_type_that_is_named_is_known() {
    let house = House::open().await;
    let told = get(&house, "/.well-known/oauth-authorization-server").await.ok().json;
    let agent = house.client("agent-a");
    for grant_type in told["grant_types_supported"].as_array().unwrap() {
        let answer = agent.token(&[("grant_type", grant_type.as_str().unwrap())]).await;
        assert_ne!(answer.json["error"], "unsupported_grant_type", "{grant_type}");
    }
    agent.token(&[("grant_type", "implicit")]).await.refused("unsupported_grant_type");
}

#[tokio::test]
async fn the_keys_are_public_and_sign_what_is_issued() {
    let mut house = House::open().await;
    let keys = get(&house, "/jwks").await.ok().json;
    let all = keys["keys"].as_array().unwrap();
    for key in all {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{private} in {key}");
        }
        assert!(key["kid"].is_string() && key["alg"].is_string() && key["use"] == "sig", "{key}");
    }
    let algs: Vec<&Value> = all.iter().map(|key| &key["alg"]).collect();
    for alg in ["ES256", "EdDSA", "PS256", "RS256"] {
        assert!(algs.contains(&&json!(alg)), "{alg}");
    }
    let token = house.client("agent-a").own_token("orders:read", tests::ORDERS).await.ok();
    let header = tests::unverified_header(token.access_token());
    assert_eq!(header["typ"], "at+jwt");
    let key = all.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(&serde_json::from_value(key.clone()).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    rules.set_audience(&[tests::ORDERS]);
    rules.set_issuer(&[house.issuer()]);
    jsonwebtoken::decode::<Value>(token.access_token(), &key, &rules).unwrap();

    house.restart().await;
    assert_eq!(get(&house, "/jwks").await.ok().json, keys, "the keys stay over a restart");
    assert!(house.is_active(token.access_token()).await);
}

#[tokio::test]
async fn the_house_is_well() {
    let house = House::open().await;
    for path in ["/healthz", "/readyz"] {
        let answer = get(&house, path).await.ok();
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("x-request-id").starts_with("req_"));
    }
}

#[tokio::test]
async fn programs_in_browsers_may_ask_where_it_is_meant_for_them_and_nowhere_else() {
    let house = House::open().await;
    let origin = |request: reqwest::RequestBuilder| request.header("Origin", "https://app.example");
    let preflight = |path: &str| {
        let request = origin(house.request("OPTIONS", path));
        request
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "dpop")
    };
    let open = [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/jwks",
        "/token",
        "/revoke",
        "/par",
        "/userinfo",
    ];
    for path in open {
        let answer = house.send(preflight(path)).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert!(answer.header("access-control-allow-headers").contains("dpop"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
    }
    let refused = house.send(origin(house.request("POST", "/token"))).await;
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    assert!(refused.header("access-control-expose-headers").contains("dpop-nonce"));
    for path in ["/authorize", "/consent", "/sign-in", "/account", "/introspect", "/grants/x", "/admin"] {
        for request in [preflight(path), origin(house.request("GET", path))] {
            let answer = house.send(request).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        }
    }
}

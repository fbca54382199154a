//! Userinfo (OpenID Connect Core §5.3) and how protected resources are protected (RFC 6750 §3, RFC 9449 §7).

use serde_json::{Value, json};
use tests::{Client, House, ORDERS};

async fn token(house: &House, client: &Client, scope: &str) -> String {
    let code = house.ask(client).scope(scope).approved_by(&house.signed_in("alice").await).await;
    code.redeem(client).await.ok().access_token().to_owned()
}

#[tokio::test]
async fn the_scopes_open_their_claims() {
    let house = House::open().await;
    let shop = house.client("shop");
    for (scope, email, name) in
        [("openid", false, false), ("openid email", true, false), ("openid profile email", true, true)]
    {
        let token = token(&house, &shop, scope).await;
        for method in ["GET", "POST"] {
            let told = shop.call(method, "/userinfo", &token).await.ok();
            assert_eq!(told.json["sub"], tests::unverified_claims(&token)["sub"]);
            assert_eq!(told.json["email"] == "alice@people.example", email, "{scope}: {}", told.body);
            assert_eq!(told.json["name"] == "Alice Arnold", name, "{scope}: {}", told.body);
            assert_eq!(told.header("cache-control"), "no-store");
        }
    }
}

#[tokio::test]
async fn a_bound_token_needs_its_key_and_its_scheme() {
    let house = House::open().await;
    let shop = house.client("shop").with_dpop();
    let token = token(&house, &shop, "openid").await;
    shop.call("GET", "/userinfo", &token).await.ok();
    let bearer =
        house.client("shop").call("GET", "/userinfo", &token).await.refused_with(401, "invalid_token");
    assert!(
        challenges(&bearer).iter().any(|c| c.starts_with("Bearer ") && c.contains("invalid_token")),
        "{bearer:?}"
    );
    house
        .client("shop")
        .with_dpop()
        .call("GET", "/userinfo", &token)
        .await
        .refused_with(401, "invalid_token");

    let url = house.url("/userinfo");
    let send = |proof: Option<String>| {
        let request = house.request("GET", "/userinfo").header("Authorization", format!("DPoP {token}"));
        shop.send(match proof {
            Some(proof) => request.header("DPoP", proof),
            None => request,
        })
    };
    send(None).await.refused_with(401, "invalid_dpop_proof");
    let proof = || shop.proof("GET", &url, Some(&token));
    for wrong in [
        proof().claim("ath", Value::Null),
        proof().claim("ath", json!("x")),
        proof().claim("htm", json!("POST")),
        proof().claim("htu", json!(house.url("/token"))),
    ] {
        send(Some(wrong.sign())).await.refused_with(401, "invalid_dpop_proof");
    }
    let once = proof().sign();
    send(Some(once.clone())).await.ok();
    send(Some(once)).await.refused_with(401, "invalid_dpop_proof");
    let demanded =
        send(Some(proof().claim("nonce", Value::Null).sign())).await.refused_with(401, "use_dpop_nonce");
    assert!(challenges(&demanded).iter().any(|c| c.starts_with("DPoP ") && c.contains("use_dpop_nonce")));
    // The authorization server's nonce is none of the resource's.
    let nonce_of_token = { shop.own_nonce(&house).await };
    send(Some(proof().claim("nonce", json!(nonce_of_token)).sign()))
        .await
        .refused_with(401, "use_dpop_nonce");
}

fn challenges(answer: &tests::Answer) -> Vec<String> {
    answer.headers.get_all("www-authenticate").iter().map(|c| c.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn without_a_token_both_schemes_are_named_and_no_error() {
    let house = House::open().await;
    let answer = house.send(house.request("GET", "/userinfo")).await;
    assert_eq!(answer.status, 401);
    let named = challenges(&answer);
    assert!(named.iter().any(|c| c.starts_with("DPoP ") && c.contains("algs=")), "{named:?}");
    assert!(named.iter().any(|c| c.starts_with("Bearer ")), "{named:?}");
    assert!(named.iter().all(|c| !c.contains("error")), "{named:?}");
    for wrong in ["Basic x", "Bearer", "Bearer ", "Bearer a b", "DPoP", "x"] {
        let answer = house.send(house.request("GET", "/userinfo").header("Authorization", wrong)).await;
        assert!([400, 401].contains(&answer.status), "{wrong}: {}", answer.status);
    }
    let in_query = house.send(house.request("GET", "/userinfo?access_token=x")).await;
    assert_eq!(in_query.status, 401);
}

#[tokio::test]
async fn a_token_for_elsewhere_or_without_the_scope_opens_nothing() {
    let house = House::open().await;
    let shop = house.client("shop");
    let elsewhere = token(&house, &shop, "orders:read").await;
    shop.call("GET", "/userinfo", &elsewhere).await.refused_with(401, "invalid_token");
    let agent = house.client("agent-a");
    let own = agent.own_token("orders:read", ORDERS).await.ok();
    agent.call("GET", "/userinfo", own.access_token()).await.refused_with(401, "invalid_token");
    shop.call("GET", "/userinfo", "x").await.refused_with(401, "invalid_token");
    let web = house.client("web");
    let managing =
        web.token(&[("grant_type", "client_credentials"), ("scope", "grant_management_query")]).await.ok();
    let answer =
        web.call("GET", "/userinfo", managing.access_token()).await.refused_with(403, "insufficient_scope");
    assert!(challenges(&answer).iter().any(|c| c.contains("scope=\"openid\"")));
    let over = token(&house, &shop, "openid").await;
    house.later(301);
    shop.call("GET", "/userinfo", &over).await.refused_with(401, "invalid_token");
}

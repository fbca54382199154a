//! DPoP (RFC 9449) at the token endpoint: the nonce, the proof, and its single use.

use serde_json::{Value, json};
use tests::{Answer, Client, Database, House, Key, ORDERS, Proof, on_both_databases};

on_both_databases! { a_proof_is_good_once }

const OWN: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("scope", "orders:read"), ("resource", ORDERS)];

async fn send(house: &House, agent: &Client, proofs: &[String]) -> Answer {
    let mut request = agent.authenticated(house.request("POST", "/token"), &OWN);
    for proof in proofs {
        request = request.header("DPoP", proof);
    }
    agent.send(request).await
}

/// A house, and an agent that has a nonce.
async fn house_and_agent() -> (House, Client) {
    let house = House::open().await;
    let agent = house.client("agent-a");
    agent.token(&OWN).await.ok();
    (house, agent)
}

fn proof(house: &House, agent: &Client) -> Proof {
    agent.proof("POST", &house.url("/token"), None)
}

#[tokio::test]
async fn a_nonce_is_demanded_and_then_enough() {
    let house = House::open().await;
    let agent = house.client("agent-a");
    let first = send(&house, &agent, &[proof(&house, &agent).sign()]).await.refused("use_dpop_nonce");
    assert!(!first.header("dpop-nonce").is_empty());
    assert_eq!(first.header("cache-control"), "no-store");
    let events = house.events().await.len();
    let second = send(&house, &agent, &[proof(&house, &agent).sign()]).await.ok();
    assert_eq!(second.text("token_type"), "DPoP");
    assert_eq!(house.events().await.len(), events + 1, "the demand itself decides nothing");
}

#[tokio::test]
async fn a_nonce_that_is_wrong_or_old_or_for_another_place_is_no_nonce() {
    let (house, agent) = house_and_agent().await;
    let nonce = agent.nonce().unwrap();
    let mut bent: Vec<char> = nonce.chars().collect();
    bent[4] = if bent[4] == 'A' { 'B' } else { 'A' };
    for wrong in [json!(bent.into_iter().collect::<String>()), json!(""), json!("x"), Value::Null] {
        let proof = proof(&house, &agent).claim("nonce", wrong);
        send(&house, &agent, &[proof.sign()]).await.refused("use_dpop_nonce");
    }
    send(&house, &agent, &[proof(&house, &agent).claim("nonce", json!(nonce)).sign()]).await.ok();
    house.later(400);
    send(&house, &agent, &[proof(&house, &agent).claim("nonce", json!(nonce)).sign()])
        .await
        .refused("use_dpop_nonce");
}

#[tokio::test]
async fn no_nonce_is_demanded_where_it_is_switched_off() {
    let house = House::open_with("[dpop]\nnonce = \"off\"\n").await;
    let agent = house.client("agent-a");
    let answer = send(&house, &agent, &[proof(&house, &agent).sign()]).await.ok();
    assert_eq!(answer.header("dpop-nonce"), "");
}

async fn a_proof_is_good_once(database: Database) {
    let mut house = House::on(database).await;
    let agent = house.client("agent-a");
    agent.token(&OWN).await.ok();
    let used = proof(&house, &agent).sign();
    send(&house, &agent, std::slice::from_ref(&used)).await.ok();
    send(&house, &agent, std::slice::from_ref(&used)).await.refused("invalid_dpop_proof");
    house.told("token.client_credentials", "invalid_dpop_proof").await;
    house.restart().await;
    send(&house, &agent, &[used]).await.refused("invalid_dpop_proof");
}

#[tokio::test]
async fn the_proof_must_be_for_this_request_and_of_this_time() {
    let (house, agent) = house_and_agent().await;
    let now = house.door().now().0;
    for (claim, value) in [
        ("htm", json!("GET")),
        ("htm", json!("post")),
        ("htm", Value::Null),
        ("htu", json!(house.url("/par"))),
        ("htu", json!("https://elsewhere.example/token")),
        ("htu", json!("/token")),
        ("htu", Value::Null),
        ("iat", json!(now - 120)),
        ("iat", json!(now + 120)),
        ("iat", json!("now")),
        ("iat", Value::Null),
        ("jti", json!("")),
        ("jti", json!("x".repeat(300))),
        ("jti", Value::Null),
    ] {
        let proof = proof(&house, &agent).claim(claim, value.clone());
        let answer = send(&house, &agent, &[proof.sign()]).await;
        assert_eq!(answer.json["error"], "invalid_dpop_proof", "{claim} {value}: {}", answer.body);
        house.told("client.authenticate", "invalid_dpop_proof").await;
    }
    // Query and fragment do not count, nor how the URL is spelled.
    for spelled in
        [house.url("/token?x=1#y"), house.url("/token").replace("http:", "HTTP:"), house.url("/./token")]
    {
        let proof = proof(&house, &agent).claim("htu", json!(spelled));
        let answer = send(&house, &agent, &[proof.sign()]).await;
        assert_eq!(answer.status, 200, "{spelled}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_proofs_header_must_be_right() {
    let (house, agent) = house_and_agent().await;
    let key = agent.dpop.clone().unwrap();
    let mut private = key.jwk.clone();
    private["d"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", Value::Null),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("EdDSA")),
        ("alg", Value::Null),
        ("jwk", private),
        ("jwk", Key::generate().jwk),
        ("jwk", json!({"kty": "oct", "k": "c2VjcmV0"})),
        ("jwk", json!("x")),
        ("jwk", Value::Null),
        ("crit", json!(["x"])),
    ] {
        let proof = proof(&house, &agent).header(name, value.clone());
        let answer = send(&house, &agent, &[proof.sign()]).await;
        assert_eq!(answer.json["error"], "invalid_dpop_proof", "{name} {value}: {}", answer.body);
    }
    let good = proof(&house, &agent).sign();
    let unsigned = format!("{}.", good.rsplit_once('.').unwrap().0);
    for text in [unsigned.as_str(), "", "x", "a.b.c", "a.b.c.d.e"] {
        send(&house, &agent, &[text.to_owned()]).await.refused("invalid_dpop_proof");
    }
    let two = [proof(&house, &agent).sign(), proof(&house, &agent).sign()];
    send(&house, &agent, &two).await.refused("invalid_dpop_proof");
}

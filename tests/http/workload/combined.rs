//! Attestation combined with DPoP: the attested key is the DPoP key, and one proof is enough for both.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Answer, Authentication, Client, Database, Key, ORDERS, on_both_databases};

use super::attestation::{ATTESTATION, PROOF, Site, right};

on_both_databases! {
    an_attested_instance_proves_its_key_with_its_dpop_proof_alone,
    whatever_is_wrong_with_the_one_proof_is_refused,
    the_one_proof_counts_once,
    each_client_proves_its_attested_key_in_the_way_it_is_registered_for_and_in_no_other,
    the_nonce_of_the_one_proof_is_a_recent_one_of_ours_or_a_challenge,
    where_no_nonces_are_demanded_a_strange_one_is_not_passed_over,
}

/// An attestation of `combined` for this key.
fn attestation(site: &Site, key: &Key) -> (&'static str, String) {
    let house = site.house();
    let [header, mut claims, ..] = right(house.issuer(), house.door().now().0, key, "");
    claims["sub"] = "combined".into();
    (ATTESTATION, site.orchestrator.sign(&header, &claims))
}

/// The instance with this key. It asks for nonces as other clients do.
fn instance(site: &Site, key: &Arc<Key>) -> Client {
    let attestation = attestation(site, key);
    let headers = move || vec![attestation.clone()];
    let mut client = Client::new(site.house().door(), "combined", Authentication::Headers(Arc::new(headers)));
    client.dpop = Some(Arc::clone(key));
    client
}

/// A proof of this key that is right, with this nonce, but for what `change` makes of its claims.
fn proof(
    site: &Site,
    key: &Arc<Key>,
    nonce: &str,
    change: impl FnOnce(&mut Value),
) -> (&'static str, String) {
    let house = site.house();
    let mut proof =
        instance(site, key).proof("POST", &house.url("/token"), None).claim("nonce", nonce.into());
    change(&mut proof.claims);
    ("DPoP", proof.sign())
}

/// The token of its own that this client gets with these headers and no others.
async fn ask_with(site: &Site, id: &str, headers: Vec<(&'static str, String)>) -> Answer {
    let authentication = Authentication::Headers(Arc::new(move || headers.clone()));
    Client::new(site.house().door(), id, authentication).own_token("orders:read", ORDERS).await
}

async fn refuses(site: &Site, headers: Vec<(&'static str, String)>, error: &str) {
    ask_with(site, "combined", headers).await.refused(error);
    site.house().told("client.authenticate", error).await;
}

async fn an_attested_instance_proves_its_key_with_its_dpop_proof_alone(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let told = house.send(house.request("GET", "/.well-known/oauth-authorization-server")).await.ok();
    let methods = told.json["token_endpoint_auth_methods_supported"].as_array().unwrap();
    for method in ["attest_jwt_client_auth", "attest_jwt_client_auth_dpop"] {
        assert!(methods.contains(&json!(method)), "{method}");
    }
    let key = Arc::new(Key::generate());
    let worker = instance(&site, &key);
    let own = worker.own_token("orders:read", ORDERS).await.ok();
    assert_eq!(own.claims()["cnf"]["jkt"], key.thumbprint());
    let told = house.told("token.client_credentials", "granted").await;
    assert_eq!((&told["client"], &told["instance"]), (&json!("combined"), &json!(key.thumbprint())));
    let token = house.delegated_token(&worker, "orders:read").await;
    let act = &token.claims()["act"];
    assert_eq!((&act["sub"], &act["instance"]), (&json!("combined"), &json!(key.thumbprint())));
    assert!(house.is_active(token.access_token()).await);
    // `client_id` need not stand beside it, here neither.
    let nonce = worker.nonce().unwrap();
    let url = house.url("/revoke");
    let one = worker.proof("POST", &url, None).claim("nonce", nonce.into()).sign();
    let (name, value) = attestation(&site, &key);
    let request = house.request("POST", "/revoke").form(&[("token", token.access_token())]);
    house.send(request.header(name, value).header("DPoP", one)).await.ok();
    assert!(!house.is_active(token.access_token()).await);
}

async fn whatever_is_wrong_with_the_one_proof_is_refused(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let [key, other] = [(); 2].map(|()| Arc::new(Key::generate()));
    let nonce = site.challenge().await;
    let now = house.door().now().0;
    let (of_key, right) = (attestation(&site, &key), || proof(&site, &key, &nonce, |_| {}));
    let invalid = "invalid_client_attestation";
    for (headers, error) in [
        (vec![of_key.clone()], invalid),
        (vec![of_key.clone(), right(), right()], invalid),
        (vec![of_key.clone(), of_key.clone(), right()], invalid),
        // Somebody who only saw the attestation, and has a key.
        (vec![of_key.clone(), proof(&site, &other, &nonce, |_| {})], invalid),
        (vec![attestation(&site, &other), right()], invalid),
        (vec![("DPoP", right().1)], "invalid_client"),
        (vec![of_key.clone(), ("DPoP", "x".to_owned())], "invalid_dpop_proof"),
    ] {
        refuses(&site, headers, error).await;
    }
    for (name, value) in [
        ("iat", json!(now - 3600)),
        ("iat", json!(now + 3600)),
        ("htm", json!("GET")),
        ("htu", json!(house.url("/par"))),
        ("jti", json!("")),
        ("jti", Value::Null),
    ] {
        let wrong = proof(&site, &key, &nonce, |claims| claims[name] = value);
        refuses(&site, vec![of_key.clone(), wrong], "invalid_dpop_proof").await;
    }
    // The attestation of a stranger, and one that is over.
    let [header, mut claims, ..] = super::attestation::right(house.issuer(), now, &key, "");
    claims["sub"] = "combined".into();
    refuses(&site, vec![(ATTESTATION, other.sign(&header, &claims)), right()], "invalid_client").await;
    claims["exp"] = (now - 60).into();
    let over = (ATTESTATION, site.orchestrator.sign(&header, &claims));
    refuses(&site, vec![over, right()], "use_fresh_attestation").await;
    ask_with(&site, "combined", vec![of_key, right()]).await.ok();
}

async fn the_one_proof_counts_once(database: Database) {
    let site = Site::open(database).await;
    let key = Arc::new(Key::generate());
    let nonce = site.challenge().await;
    let headers = vec![attestation(&site, &key), proof(&site, &key, &nonce, |_| {})];
    let ask = || ask_with(&site, "combined", headers.clone());
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    let got = [&a, &b, &c].iter().filter(|answer| answer.status == 200).count();
    assert_eq!(got, 1, "{} {} {}", a.body, b.body, c.body);
    ask().await.refused("invalid_dpop_proof");
    let told = site.house().told("token.client_credentials", "invalid_dpop_proof").await;
    assert_eq!((&told["client"], &told["instance"]), (&json!("combined"), &json!(key.thumbprint())));
}

async fn each_client_proves_its_attested_key_in_the_way_it_is_registered_for_and_in_no_other(
    database: Database,
) {
    let site = Site::open(database).await;
    let house = site.house();
    let key = Arc::new(Key::generate());
    let challenge = site.challenge().await;
    let [_, _, header, claims] = right(house.issuer(), house.door().now().0, &key, &challenge);
    let pop = (PROOF, key.sign(&header, &claims));
    let invalid = "invalid_client_attestation";
    // With a proof in a header of its own, the DPoP proof would have nothing to do with it.
    let right = || proof(&site, &key, &challenge, |_| {});
    refuses(&site, vec![attestation(&site, &key), pop.clone(), right()], invalid).await;
    refuses(&site, vec![attestation(&site, &key), pop.clone()], invalid).await;
    // The other way round: a client that is registered for a proof of its own does not do with DPoP alone.
    let [header, claims, ..] = super::attestation::right(house.issuer(), house.door().now().0, &key, "");
    let of_worker = (ATTESTATION, site.orchestrator.sign(&header, &claims));
    ask_with(&site, "worker", vec![of_worker.clone(), right()]).await.refused(invalid);
    house.told("client.authenticate", invalid).await;
    // There, the DPoP proof is of whatever key.
    let other = Arc::new(Key::generate());
    let nonce = instance(&site, &other).own_nonce(house).await;
    let answer =
        ask_with(&site, "worker", vec![of_worker, pop, proof(&site, &other, &nonce, |_| {})]).await.ok();
    assert_eq!(answer.claims()["cnf"]["jkt"], other.thumbprint());
    ask_with(&site, "combined", vec![attestation(&site, &key), right()]).await.ok();
}

async fn the_nonce_of_the_one_proof_is_a_recent_one_of_ours_or_a_challenge(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let key = Arc::new(Key::generate());
    let ask = async |change: &dyn Fn(&mut Value)| {
        let headers = vec![attestation(&site, &key), proof(&site, &key, "", change)];
        ask_with(&site, "combined", headers).await
    };
    let before = house.events().await.len();
    let demanded = ask(&|claims| drop(claims.as_object_mut().unwrap().remove("nonce"))).await;
    let nonce = demanded.refused("use_dpop_nonce").header("dpop-nonce").to_owned();
    assert_eq!(house.events().await.len(), before, "a step of the protocol decides nothing");
    let challenge = site.challenge().await;
    for right in [&nonce, &challenge] {
        ask(&|claims| claims["nonce"] = right.as_str().into()).await.ok();
    }
    for wrong in ["", "made up"] {
        ask(&|claims| claims["nonce"] = wrong.into()).await.refused("use_dpop_nonce");
    }
    house.later(3_600);
    for old in [&nonce, &challenge] {
        let refused = ask(&|claims| claims["nonce"] = old.as_str().into()).await.refused("use_dpop_nonce");
        assert!(!refused.header("dpop-nonce").is_empty());
    }
}

async fn where_no_nonces_are_demanded_a_strange_one_is_not_passed_over(database: Database) {
    let site = Site::open_with(database, "[dpop]\nnonce = \"off\"\n").await;
    let key = Arc::new(Key::generate());
    let without = |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove("nonce"));
    let headers = vec![attestation(&site, &key), proof(&site, &key, "", without)];
    ask_with(&site, "combined", headers).await.ok();
    let headers = vec![attestation(&site, &key), proof(&site, &key, "made up", |_| {})];
    let refused = ask_with(&site, "combined", headers).await.refused("use_attestation_challenge");
    let given = refused.header("oauth-client-attestation-challenge").to_owned();
    ask_with(&site, "combined", vec![attestation(&site, &key), proof(&site, &key, &given, |_| {})])
        .await
        .ok();
}

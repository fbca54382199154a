//! A Kubernetes cluster that nobody on the public internet knows: its API server has a certificate of the cluster's own
//! authority, and shows its keys there or not at all.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Answer, Database, House, Key, ORDERS, Site, on_both_databases, random};

use super::{agent, shows};

on_both_databases! {
    a_cluster_behind_an_authority_of_its_own_is_asked_for_its_keys_there,
}

const KEYS: &str = "/openid/v1/jwks";

/// `triage`, which is the service account of that name in a cluster with this issuer and these keys.
fn declared(issuer: &str, keys: &str) -> String {
    let workload = format!(
        "workload = {{ issuer = \"{issuer}\", claims = {{ sub = \"system:serviceaccount:agents:triage\" }} }}"
    );
    format!(
        "[[workload_issuers]]\npreset = \"kubernetes\"\nissuer = \"{issuer}\"\n{keys}\n{}",
        agent("triage", "workload_jwt", &workload)
    )
}

fn jwks(key: &Key) -> Value {
    let mut jwk = key.jwk.clone();
    (jwk["kid"], jwk["use"], jwk["alg"]) = ("cluster".into(), "sig".into(), "ES256".into());
    json!({ "keys": [jwk] })
}

/// What a pod gets with the token that it has in a file.
async fn come(house: &House, issuer: &str, key: &Arc<Key>) -> Answer {
    let now = house.door().now().0;
    let claims = json!({
        "iss": issuer, "sub": "system:serviceaccount:agents:triage", "aud": [house.issuer()], "iat": now,
        "nbf": now, "exp": now + 3600, "jti": random(),
        "kubernetes.io": { "namespace": "agents", "pod": { "name": "triage-1", "uid": "3f1a" } },
    });
    let token = key.sign(&json!({ "alg": "ES256", "kid": "cluster" }), &claims);
    shows(house, "triage", "jwt-bearer", move || token.clone()).own_token("orders:read", ORDERS).await
}

async fn a_cluster_behind_an_authority_of_its_own_is_asked_for_its_keys_there(database: Database) {
    let (cluster, key) = (Site::open().await, Arc::new(Key::generate()));
    let issuer = cluster.origin.clone();
    cluster.shows_json(KEYS, &jwks(&key));
    let discovery = json!({ "issuer": issuer, "jwks_uri": cluster.url(KEYS) });
    cluster.shows_json("/.well-known/openid-configuration", &discovery);
    // By discovery, and by the place that is written down.
    for keys in [String::new(), format!("jwks_uri = \"{}\"", cluster.url(KEYS))] {
        let fragment = format!("{}{}", cluster.reachable(), declared(&issuer, &keys));
        let house = House::on_with(database, &fragment).await;
        let token = come(&house, &issuer, &key).await.ok();
        assert_eq!(token.claims()["sub"], "triage");
        let told = house.told("token.client_credentials", "granted").await;
        assert_eq!(told["instance"], "3f1a");
        come(&house, &issuer, &Arc::new(Key::generate())).await.refused("invalid_client");
    }
    // Whom nobody vouches for is not asked, nor who is not to be reached.
    let asked = cluster.asked_for(KEYS);
    let stranger = "[outbound]\npermitted_addresses = [\"127.0.0.0/8\", \"::1/128\"]\n".to_owned();
    for outbound in [stranger, cluster.out_of_reach()] {
        let house = House::on_with(database, &format!("{outbound}{}", declared(&issuer, ""))).await;
        come(&house, &issuer, &key).await.refused("invalid_client");
        house.told("client.authenticate", "invalid_client").await;
    }
    assert_eq!(cluster.asked_for(KEYS), asked);
}

#[tokio::test]
async fn the_keys_of_a_cluster_that_shows_them_to_nobody_are_in_a_file() {
    let (key, folder) = (Arc::new(Key::generate()), tempfile::tempdir().unwrap());
    let file = folder.path().join("cluster-jwks.json");
    std::fs::write(&file, jwks(&key).to_string()).unwrap();
    let issuer = "https://kubernetes.default.svc.cluster.local";
    let keys = format!("jwks_file = \"{}\"", file.display());
    let house = House::open_with(&declared(issuer, &keys)).await;
    come(&house, issuer, &key).await.ok();
    come(&house, issuer, &Arc::new(Key::generate())).await.refused("invalid_client");
}

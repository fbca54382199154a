//! Trust bundles at an endpoint of the trust domain: fetched when they are needed, and never believed from elsewhere.

use rcgen::{KeyUsagePurpose, SanType};
use serde_json::{Value, json};
use tests::{
    Answer, Authentication, Authority, Client, Database, House, Key, ORDERS, Secured, Site, Wanted,
    on_both_databases,
};

use super::spiffe::svid;
use super::{agent, shows};

on_both_databases! {
    a_trust_domains_keys_are_fetched_where_its_bundle_is_and_again_when_one_is_missing,
    a_bundle_that_is_none_lets_nobody_in_and_does_not_put_out_the_last_one,
    while_the_endpoint_does_not_answer_the_last_bundle_counts_for_a_day,
}

const PLACE: &str = "/bundle";
/// A moment longer than a bundle is used before it is fetched again.
const STALE: i64 = 301;

/// Shows a bundle with these keys for JWT-SVIDs, each with its name.
fn show(site: &Site, keys: &[(&str, &Key)]) {
    let keys = keys.iter().map(|(kid, key)| {
        let mut jwk = key.jwk.clone();
        (jwk["kid"], jwk["use"]) = ((*kid).into(), "jwt-svid".into());
        jwk
    });
    let bundle =
        json!({ "spiffe_sequence": 1, "spiffe_refresh_hint": 300, "keys": keys.collect::<Vec<Value>>() });
    site.shows_json(PLACE, &bundle);
}

fn declared(site: &Site) -> String {
    let domain =
        format!("[[trust_domains]]\nname = \"acme.example\"\nbundle_endpoint = \"{}\"\n", site.url(PLACE));
    let spiffe_id = "spiffe_id = \"spiffe://acme.example/agent/triage/*\"";
    format!("{}{domain}{}", site.reachable(), agent("triage", "spiffe_jwt", spiffe_id))
}

/// What `triage` gets with an SVID of this key, made now.
async fn come(house: &House, kid: &str, key: &Key) -> Answer {
    let svid = svid(house, key, kid, |_| {});
    shows(house, "triage", "jwt-spiffe", move || svid.clone()).own_token("orders:read", ORDERS).await
}

async fn refused(house: &House, kid: &str, key: &Key) {
    refused_since(house, kid, key, "signature").await;
}

/// Whoever comes while the bundle cannot be had gets the same answer. The auditor is told which it was.
async fn unknown(house: &House, kid: &str, key: &Key) {
    refused_since(house, kid, key, "keys of the workload token's issuer cannot be had").await;
}

async fn refused_since(house: &House, kid: &str, key: &Key, reason: &str) {
    come(house, kid, key).await.refused("invalid_client");
    let told = house.told("client.authenticate", "invalid_client").await;
    assert!(told["reason"].as_str().unwrap().contains(reason), "{told}");
}

async fn a_trust_domains_keys_are_fetched_where_its_bundle_is_and_again_when_one_is_missing(
    database: Database,
) {
    let site = Site::open().await;
    let [old, new, stranger] = [(); 3].map(|()| Key::generate());
    show(&site, &[("old", &old)]);
    let house = House::on_with(database, &declared(&site)).await;
    assert_eq!(site.asked_for(PLACE), 0, "nobody needed it yet");
    for _ in 0..3 {
        come(&house, "old", &old).await.ok();
    }
    assert_eq!(site.asked_for(PLACE), 1);
    refused(&house, "old", &stranger).await;
    // A new key is there before it signs, and the old one goes when nothing of it lives any more.
    refused(&house, "new", &new).await;
    house.later(20);
    show(&site, &[("old", &old), ("new", &new)]);
    come(&house, "new", &new).await.ok();
    come(&house, "old", &old).await.ok();
    show(&site, &[("new", &new)]);
    house.later(STALE);
    come(&house, "new", &new).await.ok();
    refused(&house, "old", &old).await;
    // Whoever shows unknown names does not make us ask each time.
    let asked = site.asked_for(PLACE);
    for _ in 0..10 {
        refused(&house, "unknown", &stranger).await;
    }
    assert!(site.asked_for(PLACE) <= asked + 1, "{} {asked}", site.asked_for(PLACE));
}

async fn a_bundle_that_is_none_lets_nobody_in_and_does_not_put_out_the_last_one(database: Database) {
    let site = Site::open().await;
    let key = Key::generate();
    let house = House::on_with(database, &declared(&site)).await;
    let too_long = format!("{{\"keys\": [], \"x\": \"{}\"}}", "x".repeat(3_000_000));
    let elsewhere = format!("Location: {}", site.url("/elsewhere"));
    let redirect = [elsewhere.as_str()];
    let wrong: [(&str, &[&str], &[u8]); 7] = [
        ("404 Not Found", &[], b"{\"keys\": []}"),
        ("200 OK", &[], b""),
        ("200 OK", &[], b"<html></html>"),
        ("200 OK", &[], b"{\"keys\": {}}"),
        ("200 OK", &[], b"[]"),
        ("200 OK", &[], too_long.as_bytes()),
        ("302 Found", &redirect, b""),
    ];
    for (status, fields, body) in wrong {
        site.shows(PLACE, status, fields, body);
        house.later(20);
        unknown(&house, "old", &key).await;
    }
    assert_eq!(site.asked_for("/elsewhere"), 0, "a redirect is not followed");
    show(&site, &[("old", &key)]);
    house.later(20);
    come(&house, "old", &key).await.ok();
    for (status, fields, body) in wrong {
        site.shows(PLACE, status, fields, body);
        house.later(STALE);
        come(&house, "old", &key).await.ok();
    }
    // A bundle without a key for JWT-SVIDs is one, and it lets nobody in.
    site.shows_json(PLACE, &json!({ "keys": [{ "use": "x509-svid", "kty": "EC", "x5c": ["AQI="] }] }));
    house.later(STALE);
    refused(&house, "old", &key).await;
}

async fn while_the_endpoint_does_not_answer_the_last_bundle_counts_for_a_day(database: Database) {
    let site = Site::open().await;
    let key = Key::generate();
    show(&site, &[("old", &key)]);
    let house = House::on_with(database, &declared(&site)).await;
    come(&house, "old", &key).await.ok();
    site.shows(PLACE, "503 Service Unavailable", &[], b"");
    house.later(STALE);
    come(&house, "old", &key).await.ok();
    house.later(86_400 - 2 * STALE);
    come(&house, "old", &key).await.ok();
    house.later(STALE);
    unknown(&house, "old", &key).await;
    show(&site, &[("old", &key)]);
    house.later(20);
    come(&house, "old", &key).await.ok();
}

#[tokio::test]
async fn a_bundle_is_never_fetched_from_an_address_that_is_not_permitted_or_that_a_token_names() {
    let site = Site::open().await;
    let key = Key::generate();
    show(&site, &[("old", &key)]);
    let house = House::open_with(&declared(&site).replace(&site.reachable(), &site.out_of_reach())).await;
    unknown(&house, "old", &key).await;
    assert_eq!(site.asked_for(PLACE), 0);
    // Whatever the SVID says of where keys are.
    let claims = json!({ "sub": "spiffe://acme.example/agent/triage/7", "aud": [house.issuer()], "iss": site.origin,
        "exp": house.door().now().0 + 300 });
    let header = json!({ "alg": "ES256", "kid": "old", "jku": site.url(PLACE), "jwk": key.jwk });
    let svid = key.sign(&header, &claims);
    let client = shows(&house, "triage", "jwt-spiffe", move || svid.clone());
    client.own_token("orders:read", ORDERS).await.refused("invalid_client");
    assert_eq!(site.asked_for(PLACE), 0);
}

#[tokio::test]
async fn the_authorities_of_x509_svids_are_fetched_there_too_and_change() {
    let (site, secured) = (Site::open().await, Secured::prepare());
    let [old, new] = ["the old authority", "the new authority"].map(Authority::new);
    let publish = |authorities: &[&Authority]| {
        let keys = authorities
            .iter()
            .map(|authority| json!({ "use": "x509-svid", "kty": "EC", "x5c": [authority.x5c()] }));
        site.shows_json(PLACE, &json!({ "keys": keys.collect::<Vec<Value>>() }));
    };
    publish(&[&old]);
    let more = "spiffe_id = \"spiffe://acme.example/agent/triage\"\ntls_client_certificate_bound_access_tokens = true";
    let declared = declared(&site);
    let (outbound, rest) = declared.split_once("[[trust_domains]]").unwrap();
    let domain = rest.split("[[agents]]").next().unwrap();
    let fragment = format!("{outbound}[[trust_domains]]{domain}{}", agent("triage", "spiffe_x509", more));
    let house = House::open_secured(&secured, &fragment).await;
    let uri = || SanType::URI("spiffe://acme.example/agent/triage".try_into().unwrap());
    let leaf = || Wanted::client("x").used_for(&[KeyUsagePurpose::DigitalSignature]).known_as(uri());
    let come = async |identity: &tests::Identity| {
        let client = Client::new(house.door(), "triage", Authentication::None);
        secured.showing(&client, Some(identity)).own_token("orders:read", ORDERS).await
    };
    let [of_old, of_new] = [old.issue(leaf()), new.issue(leaf())];
    come(&of_old).await.ok();
    come(&of_new).await.refused("invalid_client");
    publish(&[&old, &new]);
    house.later(20);
    come(&of_new).await.ok();
    come(&of_old).await.ok();
    publish(&[&new]);
    house.later(STALE);
    come(&of_new).await.ok();
    come(&of_old).await.refused("invalid_client");
}

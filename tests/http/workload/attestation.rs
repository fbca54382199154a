//! Attestation-based client authentication: an orchestrator vouches for the keys of an agent's instances, and each proves
//! its own.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Answer, Authentication, Client, Database, House, Key, ORDERS, on_both_databases, random};

use super::agent;
use crate::admin_api::Ops;

on_both_databases! {
    an_attested_instance_is_the_agent_with_its_key_as_its_name,
    whatever_is_wrong_with_an_attestation_or_its_proof_is_refused,
    an_attestation_comes_once_with_one_proof_and_nothing_beside_it,
    a_proof_counts_once_and_answers_a_recent_challenge,
    where_no_nonces_are_demanded_a_challenge_may_be_left_out_and_is_never_passed_over,
    a_refresh_token_is_of_the_key_that_it_was_issued_to_and_of_no_other,
    one_attested_instance_ends_alone_and_no_attestation_brings_it_back,
    an_attested_instance_gets_a_transaction_token_for_what_it_holds,
}

const AT_ORDERS: [(&str, &str); 2] = [("scope", "orders:read"), ("resource", ORDERS)];
pub(super) const ATTESTATION: &str = "OAuth-Client-Attestation";
pub(super) const PROOF: &str = "OAuth-Client-Attestation-PoP";

/// A house with two agents: `worker`, for whose instances `orchestrator` vouches, and `other`, for which somebody else
/// does; and `combined`, whose instances prove their keys with DPoP alone.
pub(super) struct Site {
    ops: Ops,
    pub(super) orchestrator: Arc<Key>,
    elsewhere: Key,
}

impl Site {
    pub(super) async fn open(database: Database) -> Self {
        Self::open_with(database, "").await
    }

    pub(super) async fn open_with(database: Database, settings: &str) -> Self {
        let (orchestrator, elsewhere) = (Arc::new(Key::generate()), Key::generate());
        let attester = |name: &str, key: &Key| {
            format!("[[client_attesters]]\nname = \"{name}\"\njwks = {}\n", key.jwks_toml())
        };
        let may_act = |id: &str| {
            format!(
                "[[rules]]\nid = \"{id}-acts\"\nclient = \"{id}\"\neffect = \"may_act\"\nresources = [\"{ORDERS}\"]\n"
            )
        };
        let fragment = [
            settings.to_owned(),
            attester("orchestrator", &orchestrator),
            attester("elsewhere", &elsewhere),
            agent("worker", "attest_jwt_client_auth", "attester = \"orchestrator\""),
            agent("other", "attest_jwt_client_auth", "attester = \"elsewhere\""),
            may_act("worker"),
            agent("combined", "attest_jwt_client_auth_dpop", "attester = \"orchestrator\""),
            may_act("combined"),
        ];
        Self { ops: Ops::on_with(database, &fragment.concat()).await, orchestrator, elsewhere }
    }

    pub(super) const fn house(&self) -> &House {
        &self.ops.house
    }

    /// An operator ends one instance.
    pub(super) async fn end(&self, agent: &str, instance: &str) -> Answer {
        self.ops.end_instance(agent, instance).await.ok()
    }

    pub(super) async fn challenge(&self) -> String {
        let answer = self.house().send(self.house().request("POST", "/attestation-challenge")).await.ok();
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.text("attestation_challenge").to_owned()
    }

    /// What is right for this key: header and claims of the attestation, header and claims of the proof.
    fn right(&self, key: &Key, challenge: &str) -> [Value; 4] {
        right(self.house().issuer(), self.house().door().now().0, key, challenge)
    }

    /// The instance with this key, which makes a new proof for each request.
    pub(super) async fn instance(&self, key: &Arc<Key>) -> Client {
        let (door, key) = (self.house().door().clone(), Arc::clone(key));
        let (orchestrator, challenge) = (Arc::clone(&self.orchestrator), self.challenge().await);
        let headers = move || {
            let [header, claims, proof, proven] = right(&door.issuer, door.now().0, &key, &challenge);
            vec![(ATTESTATION, orchestrator.sign(&header, &claims)), (PROOF, key.sign(&proof, &proven))]
        };
        let client = Client::new(self.house().door(), "worker", Authentication::Headers(Arc::new(headers)));
        client.with_dpop()
    }

    /// `worker` with these headers, whatever they are, and its own token.
    async fn ask_with(&self, headers: Vec<(&'static str, String)>) -> Answer {
        let authentication = Authentication::Headers(Arc::new(move || headers.clone()));
        let client = Client::new(self.house().door(), "worker", authentication).with_dpop();
        client.own_token("orders:read", ORDERS).await
    }

    /// Both headers, of four parts.
    fn signed(&self, key: &Key, parts: &[Value; 4]) -> Vec<(&'static str, String)> {
        let [header, claims, proof, proven] = parts;
        vec![(ATTESTATION, self.orchestrator.sign(header, claims)), (PROOF, key.sign(proof, proven))]
    }

    /// It is refused so, and that is told.
    async fn refuses(&self, headers: Vec<(&'static str, String)>, error: &str) -> Answer {
        let answer = self.ask_with(headers).await.refused(error);
        self.house().told("client.authenticate", error).await;
        answer
    }
}

pub(super) fn right(issuer: &str, now: i64, key: &Key, challenge: &str) -> [Value; 4] {
    [
        json!({ "alg": "ES256", "typ": "oauth-client-attestation+jwt" }),
        json!({ "sub": "worker", "iat": now, "exp": now + 600, "cnf": { "jwk": key.jwk }, "model": "any" }),
        json!({ "alg": "ES256", "typ": "oauth-client-attestation-pop+jwt" }),
        json!({ "aud": issuer, "jti": random(), "iat": now, "challenge": challenge }),
    ]
}

/// What alice allowed the instance herself: an access token and a refresh token.
async fn allowed(house: &House, instance: &Client) -> Answer {
    let ask = house.ask(instance).scope("orders:read offline_access").resource(ORDERS);
    let code = ask.approved_by(&house.signed_in("alice").await).await;
    code.redeem(instance).await.ok()
}

async fn an_attested_instance_is_the_agent_with_its_key_as_its_name(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let told = house.send(house.request("GET", "/.well-known/oauth-authorization-server")).await.ok();
    assert_eq!(told.text("challenge_endpoint"), house.url("/attestation-challenge"));
    let methods = told.json["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(methods.contains(&json!("attest_jwt_client_auth")));

    let key = Arc::new(Key::generate());
    let instance = site.instance(&key).await;
    let token = house.delegated_token(&instance, "orders:read").await;
    let act = &token.claims()["act"];
    assert_eq!((&act["sub"], &act["instance"]), (&json!("worker"), &json!(key.thumbprint())));
    assert_eq!(act["sub_profile"], "ai_agent");
    let told = house.told("token.exchange", "granted").await;
    assert_eq!((&told["client"], &told["instance"]), (&json!("worker"), &json!(key.thumbprint())));
    // The attestation says who it is; `client_id` need not stand beside it.
    let parts = site.right(&key, &site.challenge().await);
    let request = house.request("POST", "/revoke").form(&[("token", token.access_token())]);
    let headers = site.signed(&key, &parts).into_iter();
    let request = headers.fold(request, |request, (name, value)| request.header(name, value));
    house.send(request).await.ok();
    assert!(!house.is_active(token.access_token()).await);
}

async fn whatever_is_wrong_with_an_attestation_or_its_proof_is_refused(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let (key, other) = (Key::generate(), Key::generate());
    let challenge = site.challenge().await;
    let now = house.door().now().0;
    let invalid = "invalid_client_attestation";
    let for_two = json!([house.issuer(), "https://other.example"]);
    for (part, name, value, error) in [
        (0, "typ", json!("JWT"), invalid),
        (0, "typ", json!("oauth-client-attestation-pop+jwt"), invalid),
        (0, "alg", json!("none"), "invalid_client"),
        (0, "alg", json!("HS256"), "invalid_client"),
        (1, "sub", json!("other"), "invalid_client"),
        (1, "sub", json!("nobody"), "invalid_client"),
        (1, "sub", Value::Null, "invalid_client"),
        (1, "exp", json!(now - 60), "use_fresh_attestation"),
        (1, "exp", Value::Null, "use_fresh_attestation"),
        (1, "iat", json!(now + 600), invalid),
        (1, "cnf", Value::Null, invalid),
        (1, "cnf", json!({ "jkt": key.thumbprint() }), invalid),
        (1, "cnf", json!({ "jwk": key.private_jwk() }), invalid),
        (1, "cnf", json!({ "jwk": other.jwk }), invalid),
        (2, "typ", json!("oauth-client-attestation+jwt"), invalid),
        (2, "alg", json!("none"), invalid),
        (3, "aud", json!("https://other.example"), invalid),
        (3, "aud", for_two, invalid),
        (3, "aud", Value::Null, invalid),
        (3, "jti", Value::Null, invalid),
        (3, "iat", json!(now - 3600), invalid),
        (3, "iat", json!(now + 3600), invalid),
        (3, "iat", Value::Null, invalid),
    ] {
        let mut parts: [Value; 4] = site.right(&key, &challenge);
        match value.is_null() {
            true => drop(parts[part].as_object_mut().unwrap().remove(name)),
            false => parts[part][name] = value,
        }
        site.refuses(site.signed(&key, &parts), error).await;
    }
    // An attester of another agent, and a stranger, vouch for nobody here.
    let [header, claims, proof, proven] = site.right(&key, &challenge);
    for stranger in [&site.elsewhere, &other] {
        let headers =
            vec![(ATTESTATION, stranger.sign(&header, &claims)), (PROOF, key.sign(&proof, &proven))];
        site.refuses(headers, "invalid_client").await;
    }
    // Neither does one vouch for a client that proves itself in another way.
    let mut of_shop = claims.clone();
    of_shop["sub"] = "shop".into();
    let headers =
        vec![(ATTESTATION, site.orchestrator.sign(&header, &of_shop)), (PROOF, key.sign(&proof, &proven))];
    let authentication = Authentication::Headers(Arc::new(move || headers.clone()));
    let shop = Client::new(house.door(), "shop", authentication).with_dpop();
    shop.own_token("orders:read", ORDERS).await.refused("invalid_client");
    // The proof of somebody who only saw the attestation.
    let headers =
        vec![(ATTESTATION, site.orchestrator.sign(&header, &claims)), (PROOF, other.sign(&proof, &proven))];
    site.refuses(headers, invalid).await;
    site.ask_with(site.signed(&key, &site.right(&key, &challenge))).await.ok();
}

async fn an_attestation_comes_once_with_one_proof_and_nothing_beside_it(database: Database) {
    let site = Site::open(database).await;
    let key = Key::generate();
    let challenge = site.challenge().await;
    let both = site.signed(&key, &site.right(&key, &challenge));
    let (attestation, proof) = (both[0].clone(), both[1].clone());
    for headers in [
        vec![attestation.clone()],
        vec![proof.clone()],
        vec![attestation.clone(), attestation.clone(), proof.clone()],
        vec![attestation.clone(), proof.clone(), proof.clone()],
    ] {
        site.refuses(headers, "invalid_client_attestation").await;
    }
    site.refuses(Vec::new(), "invalid_client").await;
    for broken in ["", "x", "a.b.c"] {
        site.refuses(vec![(ATTESTATION, broken.to_owned()), proof.clone()], "invalid_client").await;
        let headers = vec![attestation.clone(), (PROOF, broken.to_owned())];
        site.refuses(headers, "invalid_client_attestation").await;
    }
    let secret = ("Authorization", "Basic d29ya2VyOng=".to_owned());
    site.refuses(vec![attestation.clone(), proof.clone(), secret], "invalid_request").await;
    site.ask_with(vec![attestation, proof]).await.ok();
}

async fn a_proof_counts_once_and_answers_a_recent_challenge(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let key = Key::generate();
    let challenge = site.challenge().await;
    let once = site.signed(&key, &site.right(&key, &challenge));
    site.ask_with(once.clone()).await.ok();
    site.ask_with(once).await.refused("invalid_client_attestation");
    let told = house.told("token.client_credentials", "invalid_client_attestation").await;
    assert_eq!((&told["client"], &told["instance"]), (&json!("worker"), &json!(key.thumbprint())));
    // Another proof in answer to the same challenge is another proof.
    site.ask_with(site.signed(&key, &site.right(&key, &challenge))).await.ok();

    let mut without = site.right(&key, &challenge);
    without[3].as_object_mut().unwrap().remove("challenge");
    let demanded = site.ask_with(site.signed(&key, &without)).await.refused("use_attestation_challenge");
    let given = demanded.header("oauth-client-attestation-challenge").to_owned();
    site.ask_with(site.signed(&key, &site.right(&key, &given))).await.ok();
    // A nonce for DPoP is none of these.
    let nonce = site.instance(&Arc::new(Key::generate())).await.own_nonce(house).await;
    for wrong in [nonce.as_str(), "made up", ""] {
        let headers = site.signed(&key, &site.right(&key, wrong));
        let refused = site.ask_with(headers).await.refused("use_attestation_challenge");
        assert!(!refused.header("oauth-client-attestation-challenge").is_empty());
    }
    house.later(3_600);
    let stale = site.signed(&key, &site.right(&key, &challenge));
    let refused = site.ask_with(stale).await.refused("use_attestation_challenge");
    let given = refused.header("oauth-client-attestation-challenge").to_owned();
    site.ask_with(site.signed(&key, &site.right(&key, &given))).await.ok();
}

async fn where_no_nonces_are_demanded_a_challenge_may_be_left_out_and_is_never_passed_over(
    database: Database,
) {
    let site = Site::open_with(database, "[dpop]\nnonce = \"off\"\n").await;
    let key = Key::generate();
    let mut without = site.right(&key, "");
    without[3].as_object_mut().unwrap().remove("challenge");
    let once = site.signed(&key, &without);
    site.ask_with(once.clone()).await.ok();
    site.ask_with(once).await.refused("invalid_client_attestation");
    let headers = site.signed(&key, &site.right(&key, "made up"));
    let refused = site.ask_with(headers).await.refused("use_attestation_challenge");
    let given = refused.header("oauth-client-attestation-challenge").to_owned();
    site.ask_with(site.signed(&key, &site.right(&key, &given))).await.ok();
}

async fn a_refresh_token_is_of_the_key_that_it_was_issued_to_and_of_no_other(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let [one, two] = [(); 2].map(|()| Arc::new(Key::generate()));
    let first = site.instance(&one).await;
    let mut second = site.instance(&two).await;
    // Not even with the same DPoP key.
    second.dpop.clone_from(&first.dpop);
    let got = allowed(house, &first).await;
    assert_eq!(got.claims()["act"]["instance"], json!(one.thumbprint()));
    let refresh_token = got.text("refresh_token");
    second.refresh(refresh_token, &[]).await.refused("invalid_grant");
    house.told("token.refresh", "invalid_grant").await;
    second.exchange(got.access_token(), &AT_ORDERS).await.refused("invalid_request");
    // The same key under a new attestation is the same instance.
    let mut again = site.instance(&one).await;
    again.dpop.clone_from(&first.dpop);
    again.refresh(refresh_token, &[]).await.ok();
}

async fn one_attested_instance_ends_alone_and_no_attestation_brings_it_back(database: Database) {
    let site = Site::open(database).await;
    let house = site.house();
    let [one, two] = [(); 2].map(|()| Arc::new(Key::generate()));
    let [first, second] = [site.instance(&one).await, site.instance(&two).await];
    let [of_first, of_second] = [allowed(house, &first).await, allowed(house, &second).await];
    let ended = site.ops.end_instance("worker", &one.thumbprint()).await.ok();
    assert_eq!(ended.json["ended"]["counts"]["tokens"], 2, "{}", ended.body);
    assert!(!house.is_active(of_first.access_token()).await);
    assert!(house.is_active(of_second.access_token()).await);
    second.refresh(of_second.text("refresh_token"), &[]).await.ok();
    for instance in [first, site.instance(&one).await] {
        instance.own_token("orders:read", ORDERS).await.refused("invalid_client");
        let told = house.told("client.authenticate", "invalid_client").await;
        assert_eq!((&told["client"], &told["instance"]), (&json!("worker"), &json!(one.thumbprint())));
    }
    second.own_token("orders:read", ORDERS).await.ok();
}

async fn an_attested_instance_gets_a_transaction_token_for_what_it_holds(database: Database) {
    let domain = "[transaction_tokens]\ntrust_domain = \"trust.example\"\nclients = [\"worker\"]\n";
    let site = Site::open_with(database, domain).await;
    let instance = site.instance(&Arc::new(Key::generate())).await;
    let token = site.house().delegated_token(&instance, "orders:read").await;
    let ask = async |audience: &str| {
        let params = [
            ("requested_token_type", "urn:ietf:params:oauth:token-type:txn_token"),
            ("scope", "orders:read"),
            ("audience", audience),
        ];
        instance.exchange(token.access_token(), &params).await
    };
    let said = ask("trust.example").await.ok().claims();
    assert_eq!((&said["req_wl"], &said["act"]), (&json!("worker"), &token.claims()["act"]));
    assert!(said["act"]["instance"].is_string());
    site.house().told("token.exchange", "granted").await;
    ask("other.example").await.refused("invalid_target");
}

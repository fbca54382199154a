//! `workload_jwt`: the token that the platform gave it is the client's assertion (RFC 7521 §4.2, RFC 7523 §2.2).

use serde_json::{Value, json};
use tests::{Client, Database, FakeProvider, House, Key, ORDERS, on_both_databases, random};

use super::{agent, house, of_repository, right, signed, with_token};

on_both_databases! {
    a_workload_of_the_platform_is_the_agent_and_holds_no_secret,
    a_token_is_taken_once_by_whoever_comes_first,
    a_pod_shows_its_token_as_often_as_it_comes,
    what_is_wrong_with_a_token_lets_nobody_in_and_only_the_operator_reads_why,
    a_token_that_two_agents_could_show_is_of_the_one_that_is_named,
}

async fn platform() -> FakeProvider {
    FakeProvider::open("nobody", "nobody", protocol::numeric_date::NumericDate(0)).await
}

async fn own_token(client: &Client) -> tests::Answer {
    client.own_token("orders:read", ORDERS).await
}

/// How often the platform was asked for this path.
fn asked_for(platform: &FakeProvider, path: &str) -> usize {
    platform.heard().iter().filter(|line| line.starts_with(&format!("GET {path} "))).count()
}

async fn a_workload_of_the_platform_is_the_agent_and_holds_no_secret(database: Database) {
    let platform = platform().await;
    let runner = agent("runner", "workload_jwt", &of_repository(&platform, "acme/app"));
    let house = house(database, &platform, "", &runner).await;
    let runner = with_token(&house, "runner", &signed(&platform, &right(&platform, &house)));
    let answer = own_token(&runner).await.ok();
    assert_eq!(answer.json["token_type"], "DPoP");
    let claims = answer.claims();
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("runner"), &json!("runner")));
    house.told("token.client_credentials", "granted").await;
    assert!(house.is_active(answer.access_token()).await);
    // It was found by discovery, once.
    assert_eq!(asked_for(&platform, "/.well-known/openid-configuration"), 1);
    assert_eq!(asked_for(&platform, "/jwks"), 1);

    // It comes with every endpoint that knows its callers.
    let again = with_token(&house, "runner", &signed(&platform, &right(&platform, &house)));
    again.revoke(answer.access_token()).await.ok();
    assert!(!house.is_active(answer.access_token()).await);
    let told = house.send(house.request("GET", "/.well-known/openid-configuration")).await.ok().json;
    assert!(
        told["token_endpoint_auth_methods_supported"].as_array().unwrap().contains(&json!("workload_jwt"))
    );
}

async fn a_token_is_taken_once_by_whoever_comes_first(database: Database) {
    let platform = platform().await;
    let runner = agent("runner", "workload_jwt", &of_repository(&platform, "acme/app"));
    let house = house(database, &platform, "", &runner).await;
    let token = signed(&platform, &right(&platform, &house));
    let [runner, again] = [(); 2].map(|()| with_token(&house, "runner", &token));
    let answers = tokio::join!(own_token(&runner), own_token(&runner), own_token(&again), own_token(&again));
    let answers = [answers.0, answers.1, answers.2, answers.3];
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        answer.refused("invalid_client");
    }
    house.later(100);
    own_token(&runner).await.refused("invalid_client");
    house.told("token.client_credentials", "invalid_client").await;
    // Without a jti it could not be told from itself.
    let mut nameless = right(&platform, &house);
    nameless.as_object_mut().unwrap().remove("jti");
    own_token(&with_token(&house, "runner", &signed(&platform, &nameless))).await.refused("invalid_client");
}

async fn a_pod_shows_its_token_as_often_as_it_comes(database: Database) {
    let platform = platform().await;
    let workload = format!(
        "workload = {{ issuer = \"{}\", claims = {{ sub = \"system:serviceaccount:agents:triage\" }} }}",
        platform.issuer
    );
    let triage = agent("triage", "workload_jwt", &workload);
    let house = house(database, &platform, "preset = \"kubernetes\"", &triage).await;
    let now = house.door().now().0;
    let mut claims = json!({
        "iss": platform.issuer, "sub": "system:serviceaccount:agents:triage", "aud": [house.issuer()], "iat": now,
        "nbf": now, "exp": now + 7200,
        "kubernetes.io": { "namespace": "agents", "pod": { "name": "triage-1", "uid": "pod-1" },
                           "serviceaccount": { "name": "triage", "uid": "sa-1" } },
    });
    let triage = with_token(&house, "triage", &signed(&platform, &claims));
    for _ in 0..3 {
        own_token(&triage).await.ok();
    }
    house.later(3500);
    own_token(&triage).await.ok();
    house.later(101);
    own_token(&triage).await.refused("invalid_client");
    let told = house.told("client.authenticate", "invalid_client").await;
    assert!(told["reason"].as_str().unwrap().contains("older than"), "{told}");
    // The service account of another pod, and a token that no pod has.
    let now = house.door().now().0;
    (claims["iat"], claims["nbf"], claims["exp"]) = (now.into(), now.into(), (now + 3607).into());
    own_token(&with_token(&house, "triage", &signed(&platform, &claims))).await.ok();
    let mut other = claims.clone();
    other["sub"] = "system:serviceaccount:agents:other".into();
    let mut podless = claims.clone();
    podless["kubernetes.io"].as_object_mut().unwrap().remove("pod");
    for wrong in [other, podless] {
        own_token(&with_token(&house, "triage", &signed(&platform, &wrong))).await.refused("invalid_client");
        house.told("client.authenticate", "invalid_client").await;
    }
}

async fn what_is_wrong_with_a_token_lets_nobody_in_and_only_the_operator_reads_why(database: Database) {
    let platform = platform().await;
    let agents = [
        agent("runner", "workload_jwt", &of_repository(&platform, "acme/app")),
        agent("other", "workload_jwt", &of_repository(&platform, "acme/other")),
    ];
    let house = house(database, &platform, "signing_algs = [\"ES256\"]", &agents.concat()).await;
    let now = house.door().now().0;
    // What somebody who is no client at all is told.
    let nobody = with_token(&house, "nobody", &signed(&platform, &right(&platform, &house)));
    let unknown = own_token(&nobody).await.refused("invalid_client");
    let is_unknown = |answer: tests::Answer| {
        assert_eq!((answer.status, &answer.body), (unknown.status, &unknown.body));
    };
    for (name, value, reason) in [
        ("iss", json!("https://other.example"), "another issuer"),
        ("iss", Value::Null, "another issuer"),
        ("aud", json!("https://other.example"), "expected audience"),
        ("aud", json!([house.issuer(), "https://other.example"]), "expected audience"),
        ("aud", Value::Null, "expected audience"),
        ("exp", json!(now - 60), "expired"),
        ("exp", Value::Null, "no exp"),
        ("iat", json!(now - 601), "older than"),
        ("iat", Value::Null, "no iat"),
        ("iat", json!(now + 120), "future"),
        ("nbf", json!(now + 120), "future"),
        ("act", json!({ "sub": "x" }), "act"),
        ("repository", json!("acme/other"), "not what is declared"),
        ("repository", json!(["acme/app"]), "not what is declared"),
        ("repository", Value::Null, "not what is declared"),
    ] {
        let mut wrong = right(&platform, &house);
        match value.is_null() {
            true => drop(wrong.as_object_mut().unwrap().remove(name)),
            false => wrong[name] = value.clone(),
        }
        is_unknown(own_token(&with_token(&house, "runner", &signed(&platform, &wrong))).await);
        let told = house.told("client.authenticate", "invalid_client").await;
        assert_eq!(told["client"], "runner");
        assert!(told["reason"].as_str().unwrap().contains(reason), "{name} {value}: {told}");
    }

    let claims = right(&platform, &house);
    let header = |header: Value| platform.sign(&header, &claims);
    let secret = Key::generate();
    for (wrong, reason) in [
        (header(json!({ "alg": "none", "kid": "first" })), "algorithm"),
        (header(json!({ "alg": "HS256", "kid": "first" })), "algorithm"),
        (header(json!({ "alg": "RS256", "kid": "first" })), "algorithm"),
        (header(json!({ "alg": "ES256", "kid": "unheard-of" })), "signature"),
        (header(json!({ "alg": "ES256", "kid": "first", "typ": "at+jwt" })), "typ"),
        (header(json!({ "alg": "ES256", "kid": "first", "crit": ["x"], "x": 1 })), "signature"),
        (secret.sign(&json!({ "alg": "ES256", "kid": "first" }), &claims), "signature"),
        ("a.b.c".to_owned(), "signature"),
    ] {
        is_unknown(own_token(&with_token(&house, "runner", &wrong)).await);
        let told = house.told("client.authenticate", "invalid_client").await;
        assert!(told["reason"].as_str().unwrap().contains(reason), "{wrong}: {told}");
    }
    // What is one agent's is not another's, and none of it used up anything.
    let token = signed(&platform, &claims);
    is_unknown(own_token(&with_token(&house, "other", &token)).await);
    own_token(&with_token(&house, "runner", &token)).await.ok();
}

async fn a_token_that_two_agents_could_show_is_of_the_one_that_is_named(database: Database) {
    let platform = platform().await;
    let any = format!(
        "workload = {{ issuer = \"{}\", claims = {{ repository = {{ glob = \"acme/*\" }} }} }}",
        platform.issuer
    );
    let agents = [
        agent("runner", "workload_jwt", &of_repository(&platform, "acme/app")),
        agent("any", "workload_jwt", &any),
        agent("other", "workload_jwt", &of_repository(&platform, "acme/other")),
    ];
    let house = house(database, &platform, "", &agents.concat()).await;
    let fresh = || signed(&platform, &right(&platform, &house));
    let token = fresh();
    // Nobody is guessed.
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", token.as_str()),
    ];
    house.send(house.request("POST", "/token").form(&form)).await.refused("invalid_client");
    own_token(&with_token(&house, "other", &token)).await.refused("invalid_client");
    let answer = own_token(&with_token(&house, "runner", &token)).await.ok();
    assert_eq!(answer.claims()["sub"], "runner");
    // What was shown for one is not shown for the other too.
    own_token(&with_token(&house, "any", &token)).await.refused("invalid_client");
    house.told("token.client_credentials", "invalid_client").await;
    assert_eq!(own_token(&with_token(&house, "any", &fresh())).await.ok().claims()["sub"], "any");
}

#[tokio::test]
async fn no_key_is_looked_for_before_the_client_and_its_issuer_are_known() {
    let platform = platform().await;
    let runner = agent("runner", "workload_jwt", &of_repository(&platform, "acme/app"));
    let house = house(Database::Sqlite, &platform, "", &runner).await;
    let token = signed(&platform, &right(&platform, &house));
    let mut elsewhere = right(&platform, &house);
    elsewhere["iss"] = "https://other.example".into();
    let elsewhere = signed(&platform, &elsewhere);
    for (id, token) in [("nobody", &token), ("web", &token), ("agent-a", &token), ("runner", &elsewhere)] {
        own_token(&with_token(&house, id, token)).await.refused("invalid_client");
    }
    // Nor for whoever does not say which client it is: the token does not.
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", token.as_str()),
    ];
    house.send(house.request("POST", "/token").form(&form)).await.refused("invalid_client");
    assert!(platform.heard().is_empty(), "{:?}", platform.heard());
    own_token(&with_token(&house, "runner", &token)).await.ok();
}

#[tokio::test]
async fn keys_that_the_platform_changed_are_found_and_never_asked_for_too_often() {
    let platform = platform().await;
    let runner = agent("runner", "workload_jwt", &of_repository(&platform, "acme/app"));
    let house = house(Database::Sqlite, &platform, "", &runner).await;
    own_token(&with_token(&house, "runner", &signed(&platform, &right(&platform, &house)))).await.ok();
    platform.change_key("second");
    let next = || {
        let claims = right(&platform, &house);
        with_token(&house, "runner", &platform.sign(&json!({ "alg": "ES256", "kid": "second" }), &claims))
    };
    house.later(20);
    own_token(&next()).await.ok();
    assert_eq!(asked_for(&platform, "/jwks"), 2);
    for kid in 0..20 {
        let header = json!({ "alg": "ES256", "kid": format!("unheard-of-{kid}") });
        let wrong = platform.sign(&header, &right(&platform, &house));
        own_token(&with_token(&house, "runner", &wrong)).await.refused("invalid_client");
    }
    assert!(asked_for(&platform, "/jwks") <= 3);
    // While the platform is away, what is known of it is enough for a while.
    platform.say(|says| says.out_of_order = vec![("/jwks", 503), ("/.well-known/openid-configuration", 503)]);
    house.later(400);
    own_token(&next()).await.ok();
    assert_eq!(asked_for(&platform, "/.well-known/openid-configuration"), 1);
}

#[tokio::test]
async fn a_discovery_document_of_somebody_else_says_nothing() {
    let platform = platform().await;
    let workload = format!(
        "workload = {{ issuer = \"{}/\", claims = {{ repository = \"acme/app\" }} }}",
        platform.issuer
    );
    let fragment = format!(
        "outbound.permitted_addresses = [\"127.0.0.0/8\"]\n[[workload_issuers]]\nissuer = \"{}/\"\n{}",
        platform.issuer,
        agent("runner", "workload_jwt", &workload)
    );
    let house = House::open_with(&fragment).await;
    let mut claims = right(&platform, &house);
    claims["iss"] = format!("{}/", platform.issuer).into();
    own_token(&with_token(&house, "runner", &signed(&platform, &claims))).await.refused("invalid_client");
    assert_eq!(
        (asked_for(&platform, "/.well-known/openid-configuration"), asked_for(&platform, "/jwks")),
        (1, 0)
    );
}

#[tokio::test]
async fn who_is_trusted_for_workloads_never_speaks_for_a_user() {
    let platform = platform().await;
    let runner = agent("runner", "workload_jwt", &of_repository(&platform, "acme/app"));
    let house = house(Database::Sqlite, &platform, "", &runner).await;
    let mut claims = right(&platform, &house);
    claims["sub"] = "alice".into();
    let assertion = signed(&platform, &claims);
    let runner = with_token(&house, "runner", &signed(&platform, &right(&platform, &house)));
    let asked = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion.as_str()),
        ("scope", "orders:read"),
        ("resource", ORDERS),
    ];
    runner.token(&asked).await.refused("invalid_grant");
    house.told("token.jwt_bearer", "invalid_grant").await;
}

#[tokio::test]
async fn conditions_are_exact_one_of_several_or_a_pattern() {
    let platform = platform().await;
    let workload = format!(
        "[agents.workload]\nissuer = \"{}\"\naudience = \"procura\"\n[agents.workload.claims]\n\
         repository = \"acme/app\"\nrun_attempt = 1\nenvironment = {{ one_of = [\"staging\", \"production\"] }}\n\
         ref = {{ glob = \"refs/heads/release-*\" }}\n\"/nested/deep\" = true",
        platform.issuer
    );
    let house = house(Database::Sqlite, &platform, "", &agent("runner", "workload_jwt", &workload)).await;
    let ask = |name: &str, value: Value| {
        let mut claims = right(&platform, &house);
        claims["aud"] = "procura".into();
        claims["run_attempt"] = 1.into();
        claims["environment"] = "production".into();
        claims["ref"] = "refs/heads/release-2".into();
        claims["nested"] = json!({ "deep": true });
        claims["jti"] = random().into();
        claims[name] = value;
        with_token(&house, "runner", &signed(&platform, &claims))
    };
    own_token(&ask("x", json!(1))).await.ok();
    own_token(&ask("environment", json!("staging"))).await.ok();
    for (name, value) in [
        ("aud", json!(house.issuer())),
        ("run_attempt", json!("1")),
        ("environment", json!("dev")),
        ("environment", json!(["production"])),
        ("ref", json!("refs/heads/release-2/evil")),
        ("ref", json!("refs/heads/main")),
        ("nested", json!({ "deep": 1 })),
    ] {
        own_token(&ask(name, value)).await.refused("invalid_client");
    }
}

//! A JWT as an authorization grant (RFC 7523 §2.1, §3.1).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tests::{Answer, Client, Database, House, INVENTORY, Key, ORDERS, on_both_databases, random};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

on_both_databases! {
    an_assertion_of_a_trusted_issuer_brings_a_token_for_its_user,
    an_assertion_is_taken_once,
    a_user_who_is_gone_or_disabled_gets_nothing,
    a_username_that_is_somebody_elses_address_brings_nothing,
    an_agent_that_brings_one_acts_for_the_user_under_a_consent_and_for_a_task,
    what_it_brings_does_not_outlive_it,
    while_the_keys_of_an_issuer_cannot_be_had_nothing_is_said_of_its_tokens,
}

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const THEM: &str = "https://partner.example";

/// A house that believes `THEM`, as far as `rule` says.
async fn house(database: Database, key: &Key, rule: &str) -> House {
    let issuer = format!("[[trusted_issuers]]\nissuer = \"{THEM}\"\njwks = {}\n{rule}\n", key.jwks_toml());
    build(database, &issuer).await
}

async fn build(database: Database, fragment: &str) -> House {
    let fragment = fragment.to_owned();
    House::build(database, move |town| {
        let exchange = "\"urn:ietf:params:oauth:grant-type:token-exchange\"]";
        let with_grant = town.replace(exchange, &exchange.replace(']', &format!(", \"{GRANT}\"]")));
        format!("{fragment}\n{with_grant}")
    })
    .await
}

const USUAL: &str =
    "clients = [\"web\", \"orders-api\"]\nscope = \"orders:read orders:write profile openid\"";

/// Claims that are right.
fn claims(house: &House) -> Value {
    let now = house.door().now().0;
    json!({ "iss": THEM, "sub": "alice", "aud": house.issuer(), "iat": now, "exp": now + 60, "jti": random() })
}

fn signed(key: &Key, claims: &Value) -> String {
    key.sign(&json!({ "alg": "ES256" }), claims)
}

async fn present(client: &Client, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let mut all = vec![("grant_type", GRANT), ("assertion", assertion)];
    all.extend_from_slice(more);
    client.token(&all).await
}

const AT_ORDERS: [(&str, &str); 2] = [("scope", "orders:read"), ("resource", ORDERS)];

async fn an_assertion_of_a_trusted_issuer_brings_a_token_for_its_user(database: Database) {
    let key = Key::generate();
    let house = house(database, &key, USUAL).await;
    let web = house.client("web");
    let answer = present(&web, &signed(&key, &claims(&house)), &AT_ORDERS).await.ok();
    let event = house.told("token.jwt_bearer", "granted").await;
    assert_eq!(event["reason"], format!("by an assertion of {THEM}"));
    let token = answer.claims();
    let alice = house.store().find_user_by_username("alice").await.unwrap().unwrap();
    assert_eq!((&token["sub"], &token["sub_profile"]), (&json!(alice.id), &json!("user")));
    assert_eq!((&token["client_id"], &token["aud"]), (&json!("web"), &json!(ORDERS)));
    assert_eq!((&token["scope"], &event["user"]), (&json!("orders:read"), &json!(alice.id)));
    assert!(token.get("act").is_none() && token.get("auth_time").is_none());
    assert!(answer.json.get("refresh_token").is_none() && answer.json.get("id_token").is_none());
    assert!(house.is_active(answer.access_token()).await);

    // The token endpoint's URL names this server too, and so does a list of one.
    for aud in [json!(house.url("/token")), json!([house.issuer()])] {
        let mut named = claims(&house);
        named["aud"] = aud;
        present(&web, &signed(&key, &named), &AT_ORDERS).await.ok();
    }
    // A service brings its key, and its token is bound to it.
    let bound = present(&house.client("orders-api"), &signed(&key, &claims(&house)), &AT_ORDERS).await.ok();
    assert_eq!(bound.json["token_type"], "DPoP");
    assert!(bound.claims()["cnf"]["jkt"].is_string());
}

async fn an_assertion_is_taken_once(database: Database) {
    let key = Key::generate();
    let house = house(database, &key, USUAL).await;
    let web = house.client("web");
    let assertion = signed(&key, &claims(&house));
    let (mut granted, mut refused) = (0, 0);
    let present = || present(&web, &assertion, &AT_ORDERS);
    let answers = tokio::join!(present(), present(), present(), present());
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        match answer.status {
            200 => granted += 1,
            _ => {
                answer.refused("invalid_grant");
                refused += 1;
            }
        }
    }
    assert_eq!((granted, refused), (1, 3));
    house.later(65);
    present().await.refused("invalid_grant");
    house.told("token.jwt_bearer", "invalid_grant").await;
}

async fn a_username_that_is_somebody_elses_address_brings_nothing(database: Database) {
    let key = Key::generate();
    let house = house(database, &key, USUAL).await;
    let web = house.client("web");
    for username in ["alice@people.example", "carol@corp.example"] {
        house.has_somebody_called(username).await;
    }
    let assertion = |sub: &str| {
        let mut claims = claims(&house);
        claims["sub"] = sub.into();
        signed(&key, &claims)
    };
    // An address is no username of its owner's either.
    for nobody in ["alice@people.example", "bob@people.example"] {
        present(&web, &assertion(nobody), &AT_ORDERS).await.refused("invalid_grant");
        house.told("token.jwt_bearer", "invalid_grant").await;
    }
    present(&web, &assertion("carol@corp.example"), &AT_ORDERS).await.ok();
    present(&web, &assertion("alice"), &AT_ORDERS).await.ok();
}

async fn a_user_who_is_gone_or_disabled_gets_nothing(database: Database) {
    let key = Key::generate();
    let mut house = house(database, &key, USUAL).await;
    let mut nobody = claims(&house);
    nobody["sub"] = "mallory".into();
    let web = house.client("web");
    let unknown = present(&web, &signed(&key, &nobody), &AT_ORDERS).await.refused("invalid_grant");
    // What the client is not told, the auditor is.
    let reason = async || house.told("token.jwt_bearer", "invalid_grant").await["reason"].to_string();
    assert!(reason().await.contains("no enabled user here"), "{}", reason().await);
    let forged = signed(&Key::generate(), &claims(&house));
    let forged = present(&web, &forged, &AT_ORDERS).await.refused("invalid_grant");
    assert_eq!(forged.body, unknown.body);
    assert!(reason().await.contains("none of its issuer's keys signed it"), "{}", reason().await);
    // Bob is declared no more, and so disabled; agents that he owned would stand in the way.
    house
        .restart_changed(|config| {
            let config = config.replace("owner = \"bob\"", "owner = \"admin\"");
            let (before, after) = config.split_once("[[users]]\nusername = \"bob\"").unwrap();
            let rest = after.find("[[").unwrap();
            format!("{before}{}", &after[rest..])
        })
        .await;
    let mut bob = claims(&house);
    bob["sub"] = "bob".into();
    let web = house.client("web");
    let disabled = present(&web, &signed(&key, &bob), &AT_ORDERS).await.refused("invalid_grant");
    assert_eq!(disabled.body, unknown.body, "who is here and who is not is nobody's business");
}

#[tokio::test]
async fn what_is_wrong_with_an_assertion_is_an_invalid_grant() {
    let key = Key::generate();
    let house = house(Database::Sqlite, &key, USUAL).await;
    let web = house.client("web");
    let now = house.door().now().0;
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("iss", Value::Null),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("aud", json!("https://other.example")),
        ("aud", json!([house.issuer(), "https://other.example"])),
        ("aud", json!(format!("{}/", house.issuer()))),
        ("aud", Value::Null),
        ("exp", Value::Null),
        ("exp", json!(now - 60)),
        ("exp", json!(now + 400)),
        ("iat", json!(now + 120)),
        ("nbf", json!(now + 120)),
        ("jti", Value::Null),
        ("jti", json!("x".repeat(300))),
    ] {
        let mut wrong = claims(&house);
        if value.is_null() {
            wrong.as_object_mut().unwrap().remove(name);
        } else {
            wrong[name] = value.clone();
        }
        let answer = present(&web, &signed(&key, &wrong), &AT_ORDERS).await;
        assert_eq!(answer.json["error"], "invalid_grant", "{name} {value}: {}", answer.body);
        answer.refused("invalid_grant");
        house.told("token.jwt_bearer", "invalid_grant").await;
    }
    let right = signed(&key, &claims(&house));
    let stranger = signed(&Key::generate(), &claims(&house));
    let as_proof = key.sign(&json!({ "alg": "ES256", "typ": "dpop+jwt" }), &claims(&house));
    let unsigned = key.sign(&json!({ "alg": "none" }), &claims(&house));
    let critical = key.sign(&json!({ "alg": "ES256", "crit": ["x"], "x": 1 }), &claims(&house));
    let bent = format!("{}A", &right[..right.len() - 2]);
    let two = format!("{right} {right}");
    for wrong in ["x", "a.b.c", &stranger, &as_proof, &unsigned, &critical, &bent, &two] {
        present(&web, wrong, &AT_ORDERS).await.refused("invalid_grant");
    }
    web.token(&[("grant_type", GRANT)]).await.refused("invalid_request");
    // None of it used up anything.
    present(&web, &right, &AT_ORDERS).await.ok();
    // A wrong client is told so, however good its grant.
    let impostor = web.authenticating(tests::Authentication::Basic("wrong".into()));
    present(&impostor, &signed(&key, &claims(&house)), &AT_ORDERS).await.refused("invalid_client");
}

#[tokio::test]
async fn it_brings_no_more_than_its_issuer_may_and_the_client_is_registered_for() {
    let key = Key::generate();
    let rule = "clients = [\"web\", \"agent-a\"]\nscope = \"orders:read inventory:read offline_access\"\n\
                resources = [\"https://orders.example\"]\ntoken_life = \"1m\"";
    let house = house(Database::Sqlite, &key, rule).await;
    let web = house.client("web");
    let ask = |more: &'static [(&'static str, &'static str)]| {
        let assertion = signed(&key, &claims(&house));
        let web = &web;
        async move { present(web, &assertion, more).await }
    };
    let all = ask(&[]).await.ok();
    assert_eq!((&all.claims()["scope"], &all.json["expires_in"]), (&json!("orders:read"), &json!(60)));
    ask(&[("scope", "orders:write"), ("resource", ORDERS)]).await.refused("invalid_scope");
    ask(&[("scope", "orders:read offline_access")]).await.refused("invalid_scope");
    ask(&[("scope", "profile")]).await.refused("invalid_scope");
    ask(&[("scope", "inventory:read"), ("resource", INVENTORY)]).await.refused("invalid_target");
    let details = "[{\"type\":\"agent_task\",\"task\":\"x\"}]";
    let assertion = signed(&key, &claims(&house));
    present(&web, &assertion, &[("authorization_details", details)])
        .await
        .refused("invalid_authorization_details");
    // Another client may not present it, be it registered for the grant or not.
    for other in ["post", "orders-api"] {
        let assertion = signed(&key, &claims(&house));
        present(&house.client(other), &assertion, &AT_ORDERS).await.refused("invalid_grant");
    }
    let assertion = signed(&key, &claims(&house));
    present(&house.client("shop"), &assertion, &AT_ORDERS).await.refused("unauthorized_client");
}

/// A house where `agent-a` may bring assertions of `THEM`.
async fn of_agents(database: Database, key: &Key) -> House {
    let rule = "clients = [\"agent-a\", \"web\"]\nscope = \"orders:read\"";
    let fragment = format!("[[trusted_issuers]]\nissuer = \"{THEM}\"\njwks = {}\n{rule}\n", key.jwks_toml());
    House::build(database, move |town| {
        let grants = format!("id = \"agent-a\"\ngrant_types = [\"{GRANT}\", \"{EXCHANGE}\"]");
        let web = format!("\"{EXCHANGE}\"]");
        let town = town.replace(&web, &web.replace(']', &format!(", \"{GRANT}\"]")));
        format!("{fragment}\n{}", town.replacen("id = \"agent-a\"", &grants, 1))
    })
    .await
}

async fn an_agent_that_brings_one_acts_for_the_user_under_a_consent_and_for_a_task(database: Database) {
    let key = Key::generate();
    let house = of_agents(database, &key).await;
    let agent = house.client("agent-a");
    let fresh = async || present(&agent, &signed(&key, &claims(&house)), &AT_ORDERS).await;
    let answer = fresh().await.ok();
    let event = house.told("token.jwt_bearer", "granted").await;
    let token = answer.claims();
    assert_eq!((&token["act"]["sub"], &token["sub_profile"]), (&json!("agent-a"), &json!("user")));
    assert!(token["cnf"]["jkt"].is_string());
    assert!(token["task"]["id"].is_string() && token["txn"] == token["task"]["id"], "{token}");
    assert_eq!((&event["consent"], &event["task"]), (&answer.json["grant_id"], &token["task"]["id"]));
    let consent: protocol::identifier::ConsentId = answer.text("grant_id").parse().unwrap();
    let kept = house.store().find_consent(&consent).await.unwrap().unwrap();
    assert_eq!((kept.brought_by.as_deref(), kept.actor.as_str()), (Some(THEM), "agent-a"));
    // The next one that says the same stands under the same consent, and is of a task of its own.
    let next = fresh().await.ok();
    assert_eq!(next.json["grant_id"], answer.json["grant_id"]);
    assert_ne!(next.claims()["task"]["id"], token["task"]["id"]);
    // What it narrows is of the same task.
    let narrowed = agent.exchange(answer.access_token(), &AT_ORDERS).await.ok();
    assert_eq!(narrowed.claims()["task"], token["task"]);

    // The user sees it, and ends it.
    let page = house.signed_in("alice").await.page("/account").await;
    let mut forms = tests::Form::all(&page.html).into_iter();
    let form = forms
        .find(|form| form.action == "/account/consents/end" && form.value("consent") == consent.as_str());
    assert_eq!(page.submit(&form.expect("a consent to end"), None).await.page().status, 200);
    for token in [&answer, &next, &narrowed] {
        assert!(!house.is_active(token.access_token()).await);
    }
    // It does not come back before she signs in there anew, and the issuer says so.
    fresh().await.refused("invalid_grant");
    house.told("token.jwt_bearer", "invalid_grant").await;
    house.later(2);
    let mut again = claims(&house);
    again["auth_time"] = house.door().now().0.into();
    let again = present(&agent, &signed(&key, &again), &AT_ORDERS).await.ok();
    assert_ne!(again.json["grant_id"], answer.json["grant_id"]);
    // An application is no actor, and has neither.
    let web = present(&house.client("web"), &signed(&key, &claims(&house)), &AT_ORDERS).await.ok();
    assert_eq!((web.claims().get("task"), web.json.get("grant_id")), (None, None));
}

async fn what_it_brings_does_not_outlive_it(database: Database) {
    let key = Key::generate();
    let house = of_agents(database, &key).await;
    for client in [house.client("agent-a"), house.client("web")] {
        let said = claims(&house);
        let answer = present(&client, &signed(&key, &said), &AT_ORDERS).await.ok();
        assert_eq!((&answer.claims()["exp"], &answer.json["expires_in"]), (&said["exp"], &json!(60)));
    }
    house.told("token.jwt_bearer", "granted").await;
    // One that is just over would bring nothing.
    let mut late = claims(&house);
    (late["iat"], late["exp"]) = ((house.door().now().0 - 60).into(), (house.door().now().0 - 5).into());
    present(&house.client("web"), &signed(&key, &late), &AT_ORDERS).await.refused("invalid_grant");
}

async fn while_the_keys_of_an_issuer_cannot_be_had_nothing_is_said_of_its_tokens(database: Database) {
    let key = Key::generate();
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/jwks", nobody.local_addr().unwrap());
    drop(nobody);
    let keys = format!("jwks_uri = \"{uri}\"\npurposes = [\"authorization_grants\", \"subject_tokens\"]");
    let fragment = format!(
        "outbound.permitted_addresses = [\"127.0.0.0/8\"]\n[[trusted_issuers]]\nissuer = \"{THEM}\"\n{keys}\n{USUAL}\n"
    );
    let house = build(database, &fragment).await;
    let assertion = signed(&key, &claims(&house));
    let away = present(&house.client("web"), &assertion, &AT_ORDERS).await;
    let as_subject = [
        ("grant_type", EXCHANGE),
        ("subject_token", assertion.as_str()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        AT_ORDERS[0],
        AT_ORDERS[1],
    ];
    let exchanged = house.client("orders-api").token(&as_subject).await;
    for answer in [away, exchanged] {
        assert_eq!(
            (answer.status, answer.text("error")),
            (503, "temporarily_unavailable"),
            "{}",
            answer.body
        );
        assert_eq!(answer.headers["retry-after"], "5");
    }
    for action in ["token.jwt_bearer", "token.exchange"] {
        let told = house.told(action, "temporarily_unavailable").await;
        let reason = told["reason"].as_str().unwrap();
        assert!(reason.contains("keys cannot be had") && !reason.contains("signed"), "{told}");
    }
}

#[tokio::test]
async fn users_are_named_by_a_list_or_by_a_verified_address() {
    let key = Key::generate();
    let listed = format!("{USUAL}\nsubjects = {{ \"employee-17\" = \"alice\" }}");
    let house = house(Database::Sqlite, &key, &listed).await;
    let web = house.client("web");
    let named = |name: &str| {
        let mut claims = claims(&house);
        claims["sub"] = name.into();
        signed(&key, &claims)
    };
    let alice = house.store().find_user_by_username("alice").await.unwrap().unwrap();
    let answer = present(&web, &named("employee-17"), &AT_ORDERS).await.ok();
    assert_eq!(answer.claims()["sub"], json!(alice.id));
    present(&web, &named("alice"), &AT_ORDERS).await.refused("invalid_grant");

    let by_email =
        format!("{USUAL}\nsubject_claim = \"email\"\nsubjects = {{ \"alice@people.example\" = \"alice\" }}");
    let house = self::house(Database::Sqlite, &key, &by_email).await;
    let web = house.client("web");
    for (verified, fine) in [(json!(true), true), (json!(false), false), (Value::Null, false)] {
        let mut claims = claims(&house);
        claims["sub"] = "opaque".into();
        claims["email"] = "alice@people.example".into();
        claims["email_verified"] = verified;
        let answer = present(&web, &signed(&key, &claims), &AT_ORDERS).await;
        if fine {
            answer.ok()
        } else {
            answer.refused("invalid_grant")
        };
    }
}

/// Serves `jwks`, whatever it is then, and counts how often it was asked for.
async fn publish(jwks: Arc<std::sync::Mutex<Value>>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/jwks", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let _ = stream.read(&mut head).await;
            count.fetch_add(1, Ordering::SeqCst);
            let body = jwks.lock().unwrap().to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/jwk-set+json\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (uri, asked)
}

fn set_of(key: &Key, kid: &str) -> Value {
    let mut jwk = key.jwk.clone();
    jwk["kid"] = kid.into();
    json!({ "keys": [jwk] })
}

#[tokio::test]
async fn keys_that_an_issuer_publishes_are_fetched_when_they_are_needed_and_when_they_change() {
    let (first, second) = (Key::generate(), Key::generate());
    let published = Arc::new(std::sync::Mutex::new(set_of(&first, "one")));
    let (uri, asked) = publish(Arc::clone(&published)).await;
    let fragment = format!(
        "outbound.permitted_addresses = [\"127.0.0.0/8\"]\n[[trusted_issuers]]\nissuer = \"{THEM}\"\n\
         jwks_uri = \"{uri}\"\n{USUAL}\n"
    );
    let house = build(Database::Sqlite, &fragment).await;
    let web = house.client("web");
    let by = |key: &Key, kid: &str| key.sign(&json!({ "alg": "ES256", "kid": kid }), &claims(&house));
    present(&web, &by(&first, "one"), &AT_ORDERS).await.ok();
    present(&web, &by(&first, "one"), &AT_ORDERS).await.ok();
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the set is kept");
    *published.lock().unwrap() = set_of(&second, "two");
    house.later(60);
    present(&web, &by(&second, "two"), &AT_ORDERS).await.ok();
    assert_eq!(asked.load(Ordering::SeqCst), 2, "an unknown kid is looked for once");
    for _ in 0..5 {
        present(&web, &by(&second, "three"), &AT_ORDERS).await.refused("invalid_grant");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2, "and not as often as somebody likes");
    present(&web, &by(&first, "one"), &AT_ORDERS).await.refused("invalid_grant");
}

//! JWTs of trusted issuers as `subject_token`, by the type `jwt` (RFC 8693 §2.1, §3).

use protocol::ending::AccountOperation;
use protocol::federation::Identity;
use protocol::federation::account::LinkedBy;
use protocol::federation::rights::Rights;
use serde_json::{Value, json};
use server::store::{Change, Ending, FederatedIdentity, Record};
use tests::{Answer, Client, Database, House, INVENTORY, Key, ORDERS, on_both_databases, random};

on_both_databases! {
    a_trusted_issuers_token_is_a_subject_token_where_the_user_allowed_the_actor,
    without_a_consent_it_takes_a_rule,
    whoever_was_revoked_signs_in_before_anything_is_exchanged_for_them,
    one_is_taken_once_unless_the_issuer_is_declared_otherwise,
    users_are_those_that_the_issuer_may_name_and_nobody_else,
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const THEM: &str = "https://partner.example";
const READ: [(&str, &str); 2] = [("scope", "orders:read"), ("resource", ORDERS)];
const USUAL: &str = "purposes = [\"subject_tokens\"]\nclients = [\"agent-a\", \"orders-api\"]\n\
                     scope = \"orders:read orders:write\"";

async fn house(database: Database, key: &Key, rule: &str, more: &str) -> House {
    let issuer =
        format!("[[trusted_issuers]]\nissuer = \"{THEM}\"\njwks = {}\n{rule}\n{more}", key.jwks_toml());
    House::on_with(database, &issuer).await
}

fn claims(house: &House) -> Value {
    let now = house.door().now().0;
    json!({ "iss": THEM, "sub": "alice", "aud": house.issuer(), "iat": now, "exp": now + 120, "jti": random() })
}

fn signed(key: &Key, claims: &Value) -> String {
    key.sign(&json!({ "alg": "ES256" }), claims)
}

async fn exchange(client: &Client, token: &str, kind: &str, more: &[(&str, &str)]) -> Answer {
    let kind = format!("urn:ietf:params:oauth:token-type:{kind}");
    let mut params =
        vec![("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", kind.as_str())];
    params.extend_from_slice(more);
    client.token(&params).await
}

async fn a_trusted_issuers_token_is_a_subject_token_where_the_user_allowed_the_actor(database: Database) {
    let key = Key::generate();
    let house = house(database, &key, USUAL, "").await;
    let agent = house.client("agent-a");
    let fresh = || signed(&key, &claims(&house));
    // Nobody asked alice yet.
    exchange(&agent, &fresh(), "jwt", &READ).await.refused("invalid_request");
    house.told("token.exchange", "invalid_request").await;
    let first = house.delegated_token(&agent, "orders:read").await;

    let answer = exchange(&agent, &fresh(), "jwt", &READ).await.ok();
    let event = house.told("token.exchange", "granted").await;
    assert_eq!(event["reason"], format!("a token of {THEM}"));
    let token = answer.claims();
    assert_eq!((&token["sub"], &token["act"]["sub"]), (&first.claims()["sub"], &json!("agent-a")));
    assert_eq!((&event["consent"], &token["scope"]), (&first.json["grant_id"], &json!("orders:read")));
    assert!(token["txn"].is_string() && event["parent"].is_string());
    assert_eq!(answer.json["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert!(answer.json["expires_in"].as_i64().unwrap() <= 120, "no longer than what it came from");

    // Who acts there stays in the chain.
    let mut delegated = claims(&house);
    delegated["act"] = json!({ "sub": "their-bot", "sub_profile": "ai_agent" });
    let answer = exchange(&agent, &signed(&key, &delegated), "jwt", &READ).await.ok();
    let act = &answer.claims()["act"];
    assert_eq!((&act["act"]["sub"], &act["act"]["iss"]), (&json!("their-bot"), &json!(THEM)));
    delegated["jti"] = random().into();
    delegated["act"] = json!({ "sub": "agent-b", "iss": house.issuer() });
    exchange(&agent, &signed(&key, &delegated), "jwt", &READ).await.refused("invalid_request");
    let told = house.told("token.exchange", "invalid_request").await;
    assert!(told["reason"].as_str().unwrap().contains("act of the assertion"), "{told}");

    // More than the consent, than the issuer, than the token says.
    let write = [("scope", "orders:write"), ("resource", ORDERS)];
    exchange(&agent, &fresh(), "jwt", &write).await.refused("invalid_request");
    let stock = [("scope", "inventory:read"), ("resource", INVENTORY)];
    exchange(&agent, &fresh(), "jwt", &stock).await.refused("invalid_request");
    let mut narrow = claims(&house);
    narrow["scope"] = "orders:write".into();
    exchange(&agent, &signed(&key, &narrow), "jwt", &READ).await.refused("invalid_scope");
    house.told("token.exchange", "invalid_scope").await;

    // It ends with the consent.
    let change = Change::housekeeping(house.door().now());
    let consent = first.text("grant_id").parse().unwrap();
    house.store().commit(change.end(Ending::Consent(consent))).await.unwrap();
    assert!(!house.is_active(answer.access_token()).await);
    exchange(&agent, &fresh(), "jwt", &READ).await.refused("invalid_request");
}

async fn without_a_consent_it_takes_a_rule(database: Database) {
    let key = Key::generate();
    let rule = "[[rules]]\nid = \"partner\"\nclient = \"orders-api\"\neffect = \"may_act\"\n\
                resources = [\"https://orders.example\"]\n";
    let house = house(database, &key, USUAL, rule).await;
    let api = house.client("orders-api");
    let answer = exchange(&api, &signed(&key, &claims(&house)), "jwt", &READ).await.ok();
    let event = house.told("token.exchange", "granted").await;
    assert_eq!((&event["rule"], &answer.claims()["act"]["sub"]), (&json!("partner"), &json!("orders-api")));
    exchange(&house.client("agent-a"), &signed(&key, &claims(&house)), "jwt", &READ)
        .await
        .refused("invalid_request");
    // It is the client's alone that presented it, and no rule lets it through for a client that is not listed.
    exchange(&house.client("inventory-api"), &signed(&key, &claims(&house)), "jwt", &READ)
        .await
        .refused("invalid_request");
}

async fn one_is_taken_once_unless_the_issuer_is_declared_otherwise(database: Database) {
    let key = Key::generate();
    let once = house(database, &key, USUAL, "").await;
    let agent = once.client("agent-a");
    once.delegated_token(&agent, "orders:read").await;
    let token = signed(&key, &claims(&once));
    let present = || exchange(&agent, &token, "jwt", &READ);
    let (first, second) = tokio::join!(present(), present());
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    let again = present().await.refused("invalid_request");
    assert!(again.text("error_description").contains("subject token was used before"), "{}", again.body);

    let again = house(database, &key, &format!("{USUAL}\nsingle_use = false"), "").await;
    let agent = again.client("agent-a");
    again.delegated_token(&agent, "orders:read").await;
    let mut nameless = claims(&again);
    nameless.as_object_mut().unwrap().remove("jti");
    let token = signed(&key, &nameless);
    for _ in 0..2 {
        exchange(&agent, &token, "jwt", &READ).await.ok();
    }
    again.later(131);
    exchange(&agent, &token, "jwt", &READ).await.refused("invalid_request");
}

async fn users_are_those_that_the_issuer_may_name_and_nobody_else(database: Database) {
    let key = Key::generate();
    let linked = house(database, &key, &format!("{USUAL}\nsubject_is = \"linked_identity\""), "").await;
    let agent = linked.client("agent-a");
    linked.delegated_token(&agent, "orders:read").await;
    let ask = async |house: &House, agent: &Client, change: &dyn Fn(&mut Value)| {
        let mut claims = claims(house);
        change(&mut claims);
        exchange(agent, &signed(&key, &claims), "jwt", &READ).await
    };
    let by_link = |claims: &mut Value| claims["sub"] = "employee-17".into();
    ask(&linked, &agent, &by_link).await.refused("invalid_request");
    let alice = linked.store().find_user_by_username("alice").await.unwrap().unwrap();
    let now = linked.door().now();
    let identity = FederatedIdentity {
        identity: Identity { issuer: THEM.into(), subject: "employee-17".into() },
        user: Some(alice.id.clone()),
        by: LinkedBy::Owner,
        linked_at: now,
        granted: Rights::default(),
    };
    let change = Change::housekeeping(now).keep(Record::FederatedIdentity(identity));
    linked.store().commit(change).await.unwrap();
    let answer = ask(&linked, &agent, &by_link).await.ok();
    assert_eq!(answer.claims()["sub"], alice.id.as_str());
    ask(&linked, &agent, &|_| {}).await.refused("invalid_request");

    let rule = format!(
        "{USUAL}\nsubject_is = \"email\"\nsubject_claim = \"email\"\nconditions = {{ groups = \"staff\" }}"
    );
    let by_mail = house(database, &key, &rule, "").await;
    let agent = by_mail.client("agent-a");
    by_mail.delegated_token(&agent, "orders:read").await;
    let good = |claims: &mut Value| {
        claims["sub"] = "opaque".into();
        claims["email"] = "alice@people.example".into();
        claims["email_verified"] = true.into();
        claims["groups"] = json!(["all", "staff"]);
    };
    ask(&by_mail, &agent, &good).await.ok();
    for (name, wrong) in [
        ("email", json!("nobody@people.example")),
        ("email", json!("bob@people.example")),
        ("email_verified", json!(false)),
        ("groups", json!(["all"])),
        ("groups", Value::Null),
    ] {
        let bad = |claims: &mut Value| {
            good(claims);
            claims[name] = wrong.clone();
        };
        ask(&by_mail, &agent, &bad).await.refused("invalid_request");
    }
}

#[tokio::test]
async fn what_is_wrong_with_one_is_an_invalid_request_and_told_to_the_log_alone() {
    let key = Key::generate();
    let house = house(Database::Sqlite, &key, USUAL, "").await;
    let agent = house.client("agent-a");
    house.delegated_token(&agent, "orders:read").await;
    let now = house.door().now().0;
    let mut bodies = std::collections::BTreeSet::new();
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("sub", json!("mallory")),
        ("aud", json!("https://other.example")),
        ("aud", json!([house.issuer(), "https://other.example"])),
        ("exp", json!(now - 60)),
        ("exp", json!(now + 400)),
        ("iat", json!(now + 120)),
        ("jti", Value::Null),
        ("cnf", json!({ "jkt": "another" })),
        ("tenant", json!("acme")),
        ("authorization_details", json!("x")),
    ] {
        let mut wrong = claims(&house);
        wrong[name] = value.clone();
        if value.is_null() {
            wrong.as_object_mut().unwrap().remove(name);
        }
        let answer = exchange(&agent, &signed(&key, &wrong), "jwt", &READ).await;
        bodies.insert(answer.refused("invalid_request").body);
        let event = house.told("token.exchange", "invalid_request").await;
        assert!(event["reason"].is_string(), "{name}: {event}");
    }
    let right = signed(&key, &claims(&house));
    for header in ["dpop+jwt", "oauth-id-jag+jwt", "txntoken+jwt", "authorization-grant+jwt"] {
        let other = key.sign(&json!({ "alg": "ES256", "typ": header }), &claims(&house));
        bodies.insert(exchange(&agent, &other, "jwt", &READ).await.refused("invalid_request").body);
    }
    let stranger = signed(&Key::generate(), &claims(&house));
    for wrong in ["x", "a.b.c", &stranger] {
        bodies.insert(exchange(&agent, wrong, "jwt", &READ).await.refused("invalid_request").body);
    }
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    for kind in ["access_token", "id_token", "refresh_token"] {
        exchange(&agent, &right, kind, &READ).await.refused("invalid_request");
    }
    exchange(&agent, &right, "jwt", &READ).await.ok();
}

#[tokio::test]
async fn an_issuer_speaks_for_nothing_but_its_purposes() {
    let key = Key::generate();
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let with = async |purpose: &str| {
        let rule = USUAL.replace("subject_tokens", purpose);
        let issuer =
            format!("[[trusted_issuers]]\nissuer = \"{THEM}\"\njwks = {}\n{rule}\n", key.jwks_toml());
        let grants =
            format!("id = \"agent-a\"\ngrant_types = [\"{grant}\", \"{EXCHANGE}\", \"authorization_code\"]");
        let house = House::build(Database::Sqlite, move |town| {
            format!("{issuer}{}", town.replacen("id = \"agent-a\"", &grants, 1))
        })
        .await;
        let agent = house.client("agent-a");
        house.delegated_token(&agent, "orders:read").await;
        let mut claims = claims(&house);
        claims["client_id"] = "agent-a".into();
        claims["scope"] = "orders:read".into();
        let mut statuses = Vec::new();
        for (as_assertion, typ) in [(true, "JWT"), (true, "oauth-id-jag+jwt"), (false, "JWT")] {
            claims["jti"] = random().into();
            let jwt = key.sign(&json!({ "alg": "ES256", "typ": typ }), &claims);
            let answer = match as_assertion {
                true => {
                    let params = [[("grant_type", grant), ("assertion", jwt.as_str())], READ].concat();
                    agent.token(&params).await
                }
                false => exchange(&agent, &jwt, "jwt", &READ).await,
            };
            statuses.push((answer.status, answer.json["error"].as_str().map(str::to_owned)));
        }
        statuses
    };
    let (yes, no) = ((200, None), (400, Some("invalid_grant".to_owned())));
    let wrong = (400, Some("invalid_request".to_owned()));
    assert_eq!(with("authorization_grants").await, [yes.clone(), no.clone(), wrong.clone()]);
    assert_eq!(with("identity_assertions").await, [no.clone(), yes.clone(), wrong]);
    assert_eq!(with("subject_tokens").await, [no.clone(), no, yes]);
}

async fn whoever_was_revoked_signs_in_before_anything_is_exchanged_for_them(database: Database) {
    let key = Key::generate();
    let rule = "[[rules]]\nid = \"partner\"\nclient = \"orders-api\"\neffect = \"may_act\"\n\
                resources = [\"https://orders.example\"]\n";
    let house = house(database, &key, USUAL, rule).await;
    let api = house.client("orders-api");
    let fresh = async || exchange(&api, &signed(&key, &claims(&house)), "jwt", &READ).await;
    fresh().await.ok();
    let alice = house.store().find_user_by_username("alice").await.unwrap().unwrap();
    let change = Change::housekeeping(house.door().now());
    let change = change.set_account(alice.id.clone(), AccountOperation::Revoke);
    house.store().commit(change).await.unwrap();
    fresh().await.refused("invalid_request");
    house.signed_in("alice").await;
    fresh().await.ok();
}

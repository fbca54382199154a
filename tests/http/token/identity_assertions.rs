//! Identity assertions of another domain's provider, which is a key here: this server is the resource authorization
//! server (Identity Assertion JWT Authorization Grant §4.4).

use protocol::ending::AccountOperation;
use serde_json::{Value, json};
use server::store::{Change, Ending};
use tests::{Answer, Client, Database, House, INVENTORY, Key, ORDERS, on_both_databases, random};

on_both_databases! {
    an_identity_assertion_brings_an_access_token_a_consent_and_a_task,
    what_it_brought_can_be_ended,
    what_was_ended_comes_back_by_a_later_sign_in_at_the_issuer_alone,
    an_assertion_on_its_way_while_it_is_ended_brings_nothing_that_lives_on,
    what_it_brought_is_no_word_of_the_users,
    whoever_was_revoked_signs_in_before_one_brings_anything_for_them,
    it_is_taken_once_unless_its_issuer_is_declared_otherwise,
    a_bound_assertion_is_good_with_its_key_alone,
}

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const JWT_DPOP: &str = "urn:ietf:params:oauth:grant-type:jwt-dpop";
const THEM: &str = "https://company.example";
pub(super) const AT_ORDERS: [(&str, &str); 1] = [("resource", ORDERS)];
pub(super) const USUAL: &str = "purposes = [\"identity_assertions\"]\nclients = [\"agent-a\", \"web\"]\n\
                     scope = \"orders:read orders:write\"\nresources = [\"https://orders.example\"]\n\
                     authorization_details_types = [\"agent_task\"]";

pub(super) async fn house(database: Database, key: &Key, rule: &str) -> House {
    let fragment = format!("[[trusted_issuers]]\nissuer = \"{THEM}\"\njwks = {}\n{rule}\n", key.jwks_toml());
    House::build(database, move |town| {
        let grants = format!("id = \"agent-a\"\ngrant_types = [\"{GRANT}\", \"authorization_code\"]");
        let exchange = "\"urn:ietf:params:oauth:grant-type:token-exchange\"]";
        let town = town.replacen("id = \"agent-a\"", &grants, 1);
        format!("{fragment}{}", town.replace(exchange, &exchange.replace(']', &format!(", \"{GRANT}\"]"))))
    })
    .await
}

pub(super) fn claims(house: &House, client: &str) -> Value {
    let now = house.door().now().0;
    json!({
        "iss": THEM, "sub": "alice", "aud": house.issuer(), "client_id": client, "iat": now, "exp": now + 120,
        "jti": random(), "scope": "orders:read profile", "resource": ORDERS
    })
}

pub(super) fn signed(key: &Key, claims: &Value) -> String {
    key.sign(&json!({ "alg": "ES256", "typ": "oauth-id-jag+jwt" }), claims)
}

pub(super) async fn present(client: &Client, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let mut all = vec![("grant_type", GRANT), ("assertion", assertion)];
    all.extend_from_slice(more);
    client.token(&all).await
}

async fn an_identity_assertion_brings_an_access_token_a_consent_and_a_task(database: Database) {
    let key = Key::generate();
    let house = house(database, &key, USUAL).await;
    let agent = house.client("agent-a");
    let mut said = claims(&house, "agent-a");
    said["act"] = json!({ "sub": "their-agent", "iss": THEM, "sub_profile": "ai_agent" });
    said["authorization_details"] = json!([{ "type": "agent_task", "actions": ["read"] }]);
    let answer = present(&agent, &signed(&key, &said), &AT_ORDERS).await.ok();
    let event = house.told("token.jwt_bearer", "granted").await;
    let alice = house.store().find_user_by_username("alice").await.unwrap().unwrap();
    let token = answer.claims();
    assert_eq!((&token["sub"], &token["aud"]), (&json!(alice.id), &json!(ORDERS)));
    // What it says beyond what its issuer may say is not granted, and what is granted is told.
    assert_eq!((&token["scope"], answer.text("scope")), (&json!("orders:read"), "orders:read"));
    assert_eq!(answer.json["authorization_details"], said["authorization_details"]);
    assert_eq!(
        (&token["act"]["sub"], &token["act"]["act"]["sub"]),
        (&json!("agent-a"), &json!("their-agent"))
    );
    assert_eq!((&token["act"]["iss"], &token["act"]["act"]["iss"]), (&json!(house.issuer()), &json!(THEM)));
    assert!(token["cnf"]["jkt"].is_string() && token["task"]["id"].is_string());
    assert!(answer.json.get("refresh_token").is_none() && answer.json.get("id_token").is_none());
    assert!(token["exp"].as_i64() <= said["exp"].as_i64(), "no longer than the assertion");
    assert_eq!(event["reason"], format!("by an assertion of {THEM}"));
    assert_eq!((&event["consent"], &event["task"]), (&answer.json["grant_id"], &token["task"]["id"]));
    let consent =
        house.store().find_consent(&answer.text("grant_id").parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((consent.brought_by.as_deref(), consent.actor.as_str()), (Some(THEM), "agent-a"));
    assert!(house.is_active(answer.access_token()).await);

    // The next one that says the same stands under the same consent, another one under its own.
    said["jti"] = random().into();
    let next = present(&agent, &signed(&key, &said), &AT_ORDERS).await.ok();
    assert_eq!(next.json["grant_id"], answer.json["grant_id"]);
    said["jti"] = random().into();
    said["scope"] = "orders:write".into();
    let other = present(&agent, &signed(&key, &said), &AT_ORDERS).await.ok();
    assert_ne!(other.json["grant_id"], answer.json["grant_id"]);

    // An application is no actor, and has no task.
    let web = present(&house.client("web"), &signed(&key, &claims(&house, "web")), &AT_ORDERS).await.ok();
    assert!(web.claims().get("act").is_none() && web.claims().get("task").is_none());
    assert_eq!(web.json["token_type"], "Bearer");
}

async fn what_it_brought_can_be_ended(database: Database) {
    let key = Key::generate();
    let house = house(database, &key, USUAL).await;
    let agent = house.client("agent-a");
    // Each time the user has just signed in there.
    let fresh = async || {
        house.later(1);
        let mut said = claims(&house, "agent-a");
        said["auth_time"] = house.door().now().0.into();
        present(&agent, &signed(&key, &said), &AT_ORDERS).await.ok()
    };
    let end = async |ending: Ending| {
        let change = Change::housekeeping(house.door().now()).end(ending);
        house.store().commit(change).await.unwrap();
    };
    let first = fresh().await;
    let task = |answer: &Answer| answer.claims()["task"]["id"].as_str().unwrap().parse().unwrap();
    end(Ending::Task(task(&first))).await;
    assert!(!house.is_active(first.access_token()).await);
    let (second, third) = (fresh().await, fresh().await);
    end(Ending::Consent(second.text("grant_id").parse().unwrap())).await;
    assert!(!house.is_active(second.access_token()).await && !house.is_active(third.access_token()).await);
    // What was ended does not come back; a later sign-in brings another consent.
    let fourth = fresh().await;
    assert_ne!(fourth.json["grant_id"], second.json["grant_id"]);
    let alice = house.store().find_user_by_username("alice").await.unwrap().unwrap();
    end(Ending::User(alice.id.clone())).await;
    assert!(!house.is_active(fourth.access_token()).await);
}

async fn what_was_ended_comes_back_by_a_later_sign_in_at_the_issuer_alone(database: Database) {
    let key = Key::generate();
    let house = house(database, &key, USUAL).await;
    let (web, agent) = (house.client("web"), house.client("agent-a"));
    let alice = house.store().find_user_by_username("alice").await.unwrap().unwrap();
    let made = |auth_time: Option<i64>| {
        let mut said = claims(&house, "web");
        said["auth_time"] = auth_time.into();
        if auth_time.is_none() {
            said.as_object_mut().unwrap().remove("auth_time");
        }
        signed(&key, &said)
    };
    let with = async |auth_time| present(&web, &made(auth_time), &AT_ORDERS).await;
    let mut nobody = claims(&house, "web");
    nobody["sub"] = "mallory".into();
    let of_nobody = present(&web, &signed(&key, &nobody), &AT_ORDERS).await.refused("invalid_grant").body;
    with(None).await.ok();
    for way in ["the user", "the client", "everything of the user's", "the upstream"] {
        house.later(5);
        let before = house.door().now().0;
        let first = with(Some(before)).await.ok();
        let consent = first.text("grant_id").to_owned();
        let underway = made(Some(before));
        house.later(5);
        let ended = house.door().now().0;
        let change = Change::housekeeping(house.door().now());
        match way {
            "the user" => {
                let page = house.signed_in("alice").await.page("/account").await;
                let forms = tests::Form::all(&page.html).into_iter();
                let mut forms = forms.filter(|form| form.action == "/account/consents/end");
                let form = forms.find(|form| form.value("consent") == consent).unwrap();
                assert_eq!(page.submit(&form, None).await.page().status, 200);
            }
            "the client" => {
                let revoke = [("grant_type", "client_credentials"), ("scope", "grant_management_revoke")];
                let revoke = web.token(&revoke).await.ok();
                let path = format!("/grants/{consent}");
                assert_eq!(web.call("DELETE", &path, revoke.access_token()).await.status, 204);
            }
            "the upstream" => {
                let change = change.set_account(alice.id.clone(), AccountOperation::Revoke);
                house.store().commit(change).await.unwrap();
                // Not before they sign in here either, whatever it says.
                house.later(1);
                with(Some(house.door().now().0)).await.refused("invalid_grant");
                house.signed_in("alice").await;
            }
            _ => {
                house.store().commit(change.end(Ending::User(alice.id.clone()))).await.unwrap();
            }
        }
        assert!(!house.is_active(first.access_token()).await, "{way}");
        let refused = present(&web, &underway, &AT_ORDERS).await.refused("invalid_grant");
        assert_eq!(refused.body, of_nobody, "{way}: an assertion from before the end");
        let event = house.told("token.jwt_bearer", "invalid_grant").await;
        assert!(event["reason"].as_str().unwrap().contains("has not signed in since"), "{event}");
        for auth_time in [None, Some(before), Some(ended)] {
            let refused = with(auth_time).await.refused("invalid_grant");
            assert_eq!(refused.body, of_nobody, "{way}: {auth_time:?}");
        }
        if way == "the user" {
            // What it brings others for her is another matter.
            present(&agent, &signed(&key, &claims(&house, "agent-a")), &AT_ORDERS).await.ok();
        }
        house.later(1);
        let again = with(Some(house.door().now().0)).await.ok();
        assert_ne!(again.text("grant_id"), consent, "{way}");
        assert!(house.is_active(again.access_token()).await && !house.is_active(first.access_token()).await);
        with(Some(ended)).await.refused("invalid_grant");
    }
    let far = house.door().now().0 + 100;
    with(Some(far)).await.refused("invalid_grant");
}

async fn an_assertion_on_its_way_while_it_is_ended_brings_nothing_that_lives_on(database: Database) {
    let key = Key::generate();
    let house = house(database, &key, USUAL).await;
    let agent = house.client("agent-a");
    let fresh = async |scope: &str| {
        let mut said = claims(&house, "agent-a");
        said["scope"] = scope.into();
        present(&agent, &signed(&key, &said), &AT_ORDERS).await
    };
    let consent = fresh("orders:read").await.ok().text("grant_id").parse().unwrap();
    let several = async |scope: &str| {
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(fresh(scope).await);
        }
        answers
    };
    let end = async {
        let change = Change::housekeeping(house.door().now()).end(Ending::Consent(consent));
        house.store().commit(change).await.unwrap();
    };
    let (one, two, three, ()) = tokio::join!(
        several("orders:read"),
        several("orders:write"),
        several("orders:read orders:write"),
        end
    );
    for answer in one.into_iter().chain(two).chain(three) {
        match answer.status {
            200 => assert!(!house.is_active(answer.access_token()).await),
            _ => drop(answer.refused("invalid_grant")),
        }
    }
    fresh("orders:read").await.refused("invalid_grant");
}

async fn it_is_taken_once_unless_its_issuer_is_declared_otherwise(database: Database) {
    let key = Key::generate();
    let once = house(database, &key, USUAL).await;
    let agent = once.client("agent-a");
    let assertion = signed(&key, &claims(&once, "agent-a"));
    let present_it = || present(&agent, &assertion, &AT_ORDERS);
    let (first, second) = tokio::join!(present_it(), present_it());
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    present_it().await.refused("invalid_grant");
    once.told("token.jwt_bearer", "invalid_grant").await;

    let again = house(database, &key, &format!("{USUAL}\nsingle_use = false")).await;
    let agent = again.client("agent-a");
    let assertion = signed(&key, &claims(&again, "agent-a"));
    for _ in 0..2 {
        present(&agent, &assertion, &AT_ORDERS).await.ok();
    }
    again.later(121);
    present(&agent, &assertion, &AT_ORDERS).await.refused("invalid_grant");
}

async fn a_bound_assertion_is_good_with_its_key_alone(database: Database) {
    let key = Key::generate();
    let house = house(database, &key, USUAL).await;
    let web = house.client("web");
    let with_key = web.clone().with_dpop();
    let mut bound = claims(&house, "web");
    bound["cnf"] = json!({ "jkt": with_key.dpop.as_ref().unwrap().thumbprint() });
    let bound = || {
        let mut claims = bound.clone();
        claims["jti"] = random().into();
        signed(&key, &claims)
    };
    let free = || signed(&key, &claims(&house, "web"));
    let answer = present(&with_key, &bound(), &AT_ORDERS).await.ok();
    assert_eq!(answer.json["token_type"], "DPoP");
    assert_eq!(answer.claims()["cnf"]["jkt"], with_key.dpop.as_ref().unwrap().thumbprint());
    present(&web.clone().with_dpop(), &bound(), &AT_ORDERS).await.refused("invalid_grant");
    present(&web, &bound(), &AT_ORDERS).await.refused("invalid_grant");
    house.told("token.jwt_bearer", "invalid_grant").await;
    assert_eq!(present(&with_key, &free(), &AT_ORDERS).await.ok().json["token_type"], "DPoP");
    assert_eq!(present(&web, &free(), &AT_ORDERS).await.ok().json["token_type"], "Bearer");
    // The grant by its other name wants a proof in any case.
    let by_other_name = async |client: &Client, assertion: &str| {
        client.token(&[("grant_type", JWT_DPOP), ("assertion", assertion), AT_ORDERS[0]]).await
    };
    assert_eq!(by_other_name(&with_key, &bound()).await.ok().json["token_type"], "DPoP");
    by_other_name(&web, &free()).await.refused("invalid_dpop_proof");
}

#[tokio::test]
async fn what_is_wrong_with_an_identity_assertion_is_an_invalid_grant() {
    let key = Key::generate();
    let house = house(Database::Sqlite, &key, USUAL).await;
    let agent = house.client("agent-a");
    let now = house.door().now().0;
    for (name, value) in [
        ("iss", json!(house.issuer())),
        ("sub", json!("mallory")),
        ("aud", json!([house.issuer(), "https://other.example"])),
        ("aud", json!("https://other.example")),
        ("aud", json!(house.url("/token"))),
        ("client_id", json!("web")),
        ("client_id", Value::Null),
        ("exp", json!(now - 60)),
        ("exp", json!(now - 5)),
        ("iat", Value::Null),
        ("jti", Value::Null),
        ("tenant", json!("acme")),
        ("act", json!({ "sub": "agent-b", "iss": house.issuer() })),
        ("cnf", json!({ "kid": "x" })),
    ] {
        let mut wrong = claims(&house, "agent-a");
        wrong[name] = value.clone();
        if value.is_null() {
            wrong.as_object_mut().unwrap().remove(name);
        }
        let answer = present(&agent, &signed(&key, &wrong), &AT_ORDERS).await;
        assert_eq!(answer.json["error"], "invalid_grant", "{name} {value}: {}", answer.body);
        assert!(!answer.text("error_description").contains("token endpoint"), "{}", answer.body);
        house.told("token.jwt_bearer", "invalid_grant").await;
    }
    let mut silent = claims(&house, "agent-a");
    silent.as_object_mut().unwrap().remove("scope");
    present(&agent, &signed(&key, &silent), &AT_ORDERS).await.refused("invalid_grant");
    for typ in ["JWT", "at+jwt", "authorization-grant+jwt"] {
        let other = key.sign(&json!({ "alg": "ES256", "typ": typ }), &claims(&house, "agent-a"));
        present(&agent, &other, &AT_ORDERS).await.refused("invalid_grant");
    }
    let stranger = signed(&Key::generate(), &claims(&house, "agent-a"));
    present(&agent, &stranger, &AT_ORDERS).await.refused("invalid_grant");
    // More than it says, and elsewhere.
    let right = || signed(&key, &claims(&house, "agent-a"));
    present(&agent, &right(), &[("scope", "orders:write"), AT_ORDERS[0]]).await.refused("invalid_scope");
    present(&agent, &right(), &[("resource", INVENTORY)]).await.refused("invalid_target");
    let details = [("authorization_details", r#"[{"type":"agent_task","actions":["read"]}]"#), AT_ORDERS[0]];
    present(&agent, &right(), &details).await.refused("invalid_authorization_details");
    present(&agent.clone().without_dpop(), &right(), &AT_ORDERS).await.refused("invalid_request");
    present(&agent, &right(), &AT_ORDERS).await.ok();
    let document = house.send(house.request("GET", "/.well-known/oauth-authorization-server")).await.json;
    let profiles = json!(["urn:ietf:params:oauth:grant-profile:id-jag"]);
    assert_eq!(document["authorization_grant_profiles_supported"], profiles);
    assert!(!document.to_string().contains(THEM), "whom we trust is nobody's business");
}

#[tokio::test]
async fn a_tenant_is_taken_where_it_is_written_down() {
    let key = Key::generate();
    let rule = format!("{USUAL}\nconditions = {{ tenant = [\"acme\", \"acme-2\"] }}");
    let house = house(Database::Sqlite, &key, &rule).await;
    let agent = house.client("agent-a");
    for (tenant, fine) in [("acme", true), ("acme-2", true), ("other", false)] {
        let mut said = claims(&house, "agent-a");
        said["tenant"] = tenant.into();
        let answer = present(&agent, &signed(&key, &said), &AT_ORDERS).await;
        if fine {
            answer.ok()
        } else {
            answer.refused("invalid_grant")
        };
    }
    present(&agent, &signed(&key, &claims(&house, "agent-a")), &AT_ORDERS).await.refused("invalid_grant");
}

async fn what_it_brought_is_no_word_of_the_users(database: Database) {
    let key = Key::generate();
    let house = house(database, &key, USUAL).await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let silently = async || {
        let ask = house.ask(&web).scope("orders:read").resource(ORDERS).with("prompt", "none");
        ask.brought_by(&alice).await.param("error")
    };
    assert_eq!(silently().await, "consent_required");
    present(&web, &signed(&key, &claims(&house, "web")), &AT_ORDERS).await.ok();
    assert_eq!(silently().await, "consent_required", "nobody asked alice");
}

async fn whoever_was_revoked_signs_in_before_one_brings_anything_for_them(database: Database) {
    let key = Key::generate();
    let house = house(database, &key, USUAL).await;
    let agent = house.client("agent-a");
    let fresh = async || {
        let mut said = claims(&house, "agent-a");
        said["auth_time"] = house.door().now().0.into();
        present(&agent, &signed(&key, &said), &AT_ORDERS).await
    };
    let before = fresh().await.ok();
    let alice = house.store().find_user_by_username("alice").await.unwrap().unwrap();
    let change = Change::housekeeping(house.door().now());
    let change = change.set_account(alice.id.clone(), AccountOperation::Revoke);
    house.store().commit(change).await.unwrap();
    assert!(!house.is_active(before.access_token()).await);
    house.later(1);
    fresh().await.refused("invalid_grant");
    house.signed_in("alice").await;
    fresh().await.ok();
}

//! Ending by the admin API, at every level.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Answer, Authentication, Client, Database, House, Key, ORDERS, on_both_databases, random};

use super::lists::{document, is_as_documented};
use super::{Ops, V1, call, token};

on_both_databases! {
    a_token_and_a_refresh_family_end_with_what_came_of_them_and_nothing_else,
    a_task_rests_goes_on_and_ends_by_the_hand_of_an_admin,
    a_consent_an_agent_a_user_and_an_owner_end_and_the_answer_says_what_ended,
    a_disabled_account_is_closed_until_an_admin_opens_it_whatever_is_declared,
    no_token_that_is_issued_while_its_consent_or_user_is_ended_lives_afterwards,
    whoever_was_revoked_has_to_sign_in_before_anything_is_issued_for_them,
}

/// What `from` got, handed to `to` and exchanged there.
async fn handed_over(from: &Client, to: &Client, token: &str) -> String {
    let params = [("audience", to.id.as_str()), ("scope", "orders:read"), ("resource", ORDERS)];
    let hand_over = from.exchange(token, &params).await.ok();
    let params = [("scope", "orders:read"), ("resource", ORDERS)];
    to.exchange(hand_over.access_token(), &params).await.ok().access_token().to_owned()
}

/// Alice lets the shop act in her absence.
async fn allowed(house: &House) -> Answer {
    let shop = house.client("shop");
    let ask = house.ask(&shop).scope("offline_access orders:read").resource(ORDERS);
    ask.approved_by(&house.signed_in("alice").await).await.redeem(&shop).await.ok()
}

fn count(answer: &Answer, name: &str) -> u64 {
    answer.json["ended"]["counts"][name].as_u64().unwrap_or_else(|| panic!("no {name}: {}", answer.body))
}

async fn a_token_and_a_refresh_family_end_with_what_came_of_them_and_nothing_else(database: Database) {
    let ops = Ops::on(database).await;
    let house = &ops.house;
    let document = document(house).await;
    let (a, b) = (house.client("agent-a"), house.client("agent-b"));
    let as_a = house.delegated_token(&a, "orders:read").await;
    let as_b = handed_over(&a, &b, as_a.access_token()).await;
    let other = house.delegated_token(&a, "orders:read").await;
    let jti = as_a.claims()["jti"].as_str().unwrap().to_owned();
    let ended = ops.end("token", &jti, "revoke").await.ok();
    is_as_documented(&document, "/endings", "post", &ended);
    assert_eq!((ended.text("level"), ended.text("id"), count(&ended, "tokens")), ("token", jti.as_str(), 3));
    assert!(ended.json["took_ms"].is_u64());
    let told = house.told("token.revoke", "granted").await;
    assert_eq!((&told["client"], &told["reason"]), (&json!("ops"), &json!("by ops: because of a test")));
    assert_eq!(told["token"], jti.as_str());
    for dead in [as_a.access_token(), &as_b] {
        assert!(!house.is_active(dead).await);
    }
    assert!(house.is_active(other.access_token()).await);
    assert_eq!(count(&ops.end("token", &jti, "revoke").await.ok(), "tokens"), 0, "it is over already");

    let shop = house.client("shop");
    let (one, two) = (allowed(house).await, allowed(house).await);
    // A family is known by its id, or by the jti of what comes of it.
    let again = shop.refresh(one.text("refresh_token"), &[]).await.ok();
    let jti = again.claims()["jti"].as_str().unwrap().to_owned();
    let ended = ops.end("family", &jti, "revoke").await.ok();
    assert!(count(&ended, "tokens") >= 2, "{}", ended.body);
    shop.refresh(again.text("refresh_token"), &[]).await.refused("invalid_grant");
    assert!(!house.is_active(again.access_token()).await);
    let consent = two.text("grant_id").parse().unwrap();
    let tokens = house.store().tokens_of_consent(&consent, house.door().now()).await.unwrap();
    let family = tokens.into_iter().find_map(|token| token.family).unwrap();
    ops.end("family", family.as_str(), "revoke").await.ok();
    shop.refresh(two.text("refresh_token"), &[]).await.refused("invalid_grant");
    let three = allowed(house).await;
    shop.refresh(three.text("refresh_token"), &[]).await.ok();
}

async fn a_task_rests_goes_on_and_ends_by_the_hand_of_an_admin(database: Database) {
    let ops = Ops::on(database).await;
    let house = &ops.house;
    let agent = house.client("agent-a");
    let subject = house.token_for(&agent, "orders:read").await;
    let derive = async || agent.exchange(&subject, &[("scope", "orders:read"), ("resource", ORDERS)]).await;
    let first = derive().await.ok();
    let task = first.claims()["task"]["id"].as_str().unwrap().to_owned();

    ops.end("task", &task, "suspend").await.ok();
    let told = house.told("task.suspend", "granted").await;
    assert_eq!((&told["client"], &told["task"]), (&json!("ops"), &json!(task)));
    assert!(!house.is_active(first.access_token()).await);
    derive().await.refused("invalid_request");
    // What an admin's hand suspended, the agent's does not resume.
    let own = agent.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
    let resumed = agent.call("POST", &format!("/tasks/{task}/resume"), own.access_token()).await;
    assert_eq!(resumed.status, 409, "{}", resumed.body);

    ops.end("task", &task, "resume").await.ok();
    house.told("task.resume", "granted").await;
    assert!(house.is_active(first.access_token()).await);
    derive().await.ok();
    let ended = ops.end("task", &task, "revoke").await.ok();
    assert_eq!((count(&ended, "tasks"), &ended.json["ended"]["tasks"]), (1, &json!([task])));
    house.told("task.revoke", "granted").await;
    assert!(!house.is_active(first.access_token()).await);
    derive().await.refused("invalid_request");
    let again = ops.end("task", &task, "resume").await;
    assert_eq!((again.status, again.text("error")), (409, "invalid_request"));
}

async fn a_consent_an_agent_a_user_and_an_owner_end_and_the_answer_says_what_ended(database: Database) {
    let ops = Ops::on(database).await;
    let house = &ops.house;
    let (a, b) = (house.client("agent-a"), house.client("agent-b"));
    let (alice, bob) = (ops.user("alice").await, ops.user("bob").await);
    let of_a = house.delegated_token(&a, "orders:read").await;
    let of_b = house.delegated_token(&b, "orders:read").await;
    let consent = of_a.text("grant_id").to_owned();
    let ended = ops.end("consent", &consent, "revoke").await.ok();
    assert_eq!((count(&ended, "consents"), &ended.json["ended"]["consents"]), (1, &json!([consent])));
    assert_eq!(ended.json["ended"]["tasks"], json!([of_a.claims()["task"]["id"]]));
    let told = house.told("consent.end", "granted").await;
    assert_eq!((&told["user"], &told["actor"]), (&json!(alice), &json!("agent-a")));
    assert!(!house.is_active(of_a.access_token()).await && house.is_active(of_b.access_token()).await);

    let ended = ops.end("agent", "agent-b", "suspend").await.ok();
    assert_eq!(ended.json["ended"]["consents"], json!([of_b.text("grant_id")]));
    let itself = |answer: &Answer| (count(answer, "agents"), answer.json["ended"]["agents"].clone());
    assert_eq!(itself(&ended), (1, json!(["agent-b"])));
    assert_eq!(house.told("agent.suspend", "granted").await["actor"], "agent-b");
    assert_eq!(b.own_token("orders:read", ORDERS).await.status, 401);
    assert_eq!(ops.get("/agents/agent-b").await.ok().json["halt"]["state"], "suspended");
    let again = ops.end("agent", "agent-b", "suspend").await;
    assert_eq!((again.status, again.text("error")), (409, "access_denied"));
    house.told("admin.call", "access_denied").await;
    let resumed = ops.end("agent", "agent-b", "resume").await.ok();
    assert_eq!(itself(&resumed), (0, json!([])), "who goes on did not end");
    b.own_token("orders:read", ORDERS).await.ok();
    assert_eq!(itself(&ops.end("agent", "agent-b", "retire").await.ok()), (1, json!(["agent-b"])));
    assert_eq!(ops.end("agent", "agent-b", "resume").await.status, 409);

    let person = house.signed_in("alice").await;
    let hers = allowed(house).await;
    let ended = ops.end("user", &alice, "revoke").await.ok();
    assert!(count(&ended, "sessions") >= 2 && count(&ended, "consents") == 1, "{}", ended.body);
    assert_eq!(house.told("user.end", "granted").await["user"], json!(alice));
    assert!(!house.is_active(hers.access_token()).await);
    assert!(person.page("/account").await.path.starts_with("/sign-in"));
    house.signed_in("alice").await;

    let ended = ops.end("owner", &bob, "suspend").await.ok();
    assert_eq!(ended.json["ended"]["agents"], json!(["agent-a", "agent-c"]));
    assert_eq!(count(&ended, "agents"), 2, "one was ended for good before");
    assert_eq!(house.told("owner.end", "granted").await["user"], json!(bob));
    assert_eq!(a.own_token("orders:read", ORDERS).await.status, 401);
}

async fn a_disabled_account_is_closed_until_an_admin_opens_it_whatever_is_declared(database: Database) {
    let mut ops = Ops::on(database).await;
    let alice = ops.user("alice").await;
    let (token, person) = {
        let house = &ops.house;
        (house.delegated_token(&house.client("agent-a"), "orders:read").await, house.signed_in("alice").await)
    };
    ops.end("user", &alice, "disable").await.ok();
    assert_eq!(ops.house.told("user.disable", "granted").await["user"], json!(alice));
    assert!(!ops.house.is_active(token.access_token()).await);
    assert!(person.page("/account").await.path.starts_with("/sign-in"));
    assert_eq!(ops.get(&format!("/users/{alice}")).await.ok().json["enabled"], false);
    assert_eq!(ops.get("/users?enabled=false").await.ok().json["users"][0]["id"], json!(alice));
    assert_eq!(ops.end("user", &alice, "disable").await.status, 409, "it is already");

    // Nobody is told more than for a wrong password.
    let refused = async |house: &House, password: &str| {
        let page = house.person().page("/sign-in?next=%2Faccount").await;
        let page = page.sign_in("alice", password).await.page();
        (page.status, page.text())
    };
    let right = refused(&ops.house, &tests::password_of("alice")).await;
    assert_eq!(right, refused(&ops.house, "something else").await);
    assert!(right.0 >= 400, "{right:?}");

    // The configuration declares it; that changes nothing, and a start that changes nothing is not told.
    ops.house.restart().await;
    let before = ops.house.events().await.len();
    ops.house.restart().await;
    assert_eq!(ops.house.events().await.len(), before);
    assert_eq!(refused(&ops.house, &tests::password_of("alice")).await, right);

    ops.end("user", &alice, "enable").await.ok();
    assert_eq!(ops.house.told("user.enable", "granted").await["user"], json!(alice));
    assert_eq!(ops.end("user", &alice, "enable").await.status, 409);
    ops.house.signed_in("alice").await;
    assert!(!ops.house.is_active(token.access_token()).await, "what ended stays ended");
    ops.house.restart().await;
    ops.house.signed_in("alice").await;
}

async fn no_token_that_is_issued_while_its_consent_or_user_is_ended_lives_afterwards(database: Database) {
    let ops = Ops::on(database).await;
    let house = &ops.house;
    let agent = house.client("agent-a");
    // The first nonces are got beforehand.
    ops.get("/agents").await.ok();
    for level in ["consent", "user"] {
        let subject = house.token_for(&agent, "orders:read").await;
        let first = agent.exchange(&subject, &[("scope", "orders:read"), ("resource", ORDERS)]).await.ok();
        let id = match level {
            "consent" => first.text("grant_id").to_owned(),
            _ => ops.user("alice").await,
        };
        let issue = || {
            let (agent, subject) = (agent.clone(), subject.clone());
            tokio::spawn(async move {
                let mut issued = Vec::new();
                loop {
                    let params = [("scope", "orders:read"), ("resource", ORDERS)];
                    let answer = agent.exchange(&subject, &params).await;
                    if answer.status != 200 {
                        return issued;
                    }
                    issued.push(answer.access_token().to_owned());
                }
            })
        };
        let issuing: Vec<_> = (0..6).map(|_| issue()).collect();
        ops.end(level, &id, "revoke").await.ok();
        // From the commit on nothing is issued: whoever goes on asking is refused, and all of them come to an end.
        agent.exchange(&subject, &[("scope", "orders:read")]).await.refused("invalid_request");
        let mut issued = vec![first.access_token().to_owned()];
        for one in issuing {
            issued.extend(one.await.unwrap());
        }
        assert!(issued.len() > 1, "nothing was issued meanwhile: this shows nothing");
        for token in &issued {
            assert!(!house.is_active(token).await, "{level}: {token}");
        }
    }
}

/// An app that brings assertions of a partner, which is believed.
fn partner(of_app: &Key, of_partner: &Key) -> String {
    format!(
        "[[clients]]\nid = \"app\"\nname = \"App\"\nkind = \"service\"\nauthentication = \"private_key_jwt\"\n\
         grant_types = [\"urn:ietf:params:oauth:grant-type:jwt-bearer\"]\nscope = \"orders:read\"\n\
         resources = [\"{ORDERS}\"]\njwks = {}\n\n\
         [[trusted_issuers]]\nissuer = \"https://partner.example\"\nclients = [\"app\"]\nscope = \"orders:read\"\n\
         jwks = {}\n",
        of_app.jwks_toml(),
        of_partner.jwks_toml()
    )
}

async fn whoever_was_revoked_has_to_sign_in_before_anything_is_issued_for_them(database: Database) {
    let (app, theirs) = (Arc::new(Key::generate()), Key::generate());
    let ops = Ops::on_with(database, &partner(&app, &theirs)).await;
    let house = &ops.house;
    let app = Client::new(house.door(), "app", Authentication::PrivateKeyJwt(app)).with_dpop();
    let bring = async |sub: &str| {
        let now = house.door().now().0;
        let claims = json!({
            "iss": "https://partner.example", "sub": sub, "aud": house.issuer(), "iat": now, "exp": now + 60,
            "jti": random(),
        });
        let assertion = theirs.sign(&json!({ "alg": "ES256" }), &claims);
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        let params = [("grant_type", grant), ("assertion", assertion.as_str()), ("scope", "orders:read")];
        app.token(&[params.as_slice(), &[("resource", ORDERS)]].concat()).await
    };
    let before = bring("alice").await.ok();
    let alice = ops.user("alice").await;
    let issued = token(house, &ops.ops).await;
    let revoke = async |body: Value| {
        ops.ops.call_with("POST", "/global-token-revocation", &issued, &[], Some(&body)).await
    };
    let done = revoke(json!({ "sub_id": { "format": "opaque", "id": alice } })).await;
    assert_eq!((done.status, done.body.as_str()), (204, ""));
    let told = house.told("user.revoke", "granted").await;
    assert_eq!((&told["user"], &told["client"]), (&json!(alice), &json!("ops")));
    assert!(!house.is_active(before.access_token()).await);
    bring("alice").await.refused("invalid_grant");
    bring("bob").await.ok();
    house.signed_in("alice").await;
    bring("alice").await.ok();

    // By whatever name an admin knows somebody.
    for subject in [
        json!({ "format": "email", "email": "Alice@people.example" }),
        json!({ "format": "iss_sub", "iss": house.issuer(), "sub": alice }),
    ] {
        assert_eq!(revoke(json!({ "subject": subject })).await.status, 204, "{subject}");
        bring("alice").await.refused("invalid_grant");
        house.signed_in("alice").await;
    }
    for (subject, status) in [
        (json!({ "format": "opaque", "id": "usr_nobody" }), 404),
        (json!({ "format": "email", "email": "nobody@people.example" }), 404),
        (json!({ "format": "iss_sub", "iss": "https://up.example", "sub": "x" }), 404),
        (json!({ "format": "phone_number", "phone_number": "+1" }), 400),
    ] {
        assert_eq!(revoke(json!({ "sub_id": subject })).await.status, status, "{subject}");
    }
    let unknown = ops.get("/nothing").await;
    assert_eq!(
        (unknown.status, unknown.text("error")),
        (404, "invalid_request"),
        "told as programs are told things"
    );
    // A token that only looks does not, and no token does nothing.
    let looks = token(house, &ops.watch).await;
    let body = json!({ "sub_id": { "format": "opaque", "id": alice } });
    let path = "/global-token-revocation";
    let refused = ops.watch.call_with("POST", path, &looks, &[], Some(&body)).await;
    assert_eq!((refused.status, refused.text("error")), (403, "insufficient_scope"));
    let nobody = house.request("POST", path).header("Content-Type", "application/json");
    assert_eq!(house.send(nobody.body(body.to_string())).await.status, 401);
    bring("alice").await.ok();
}

#[tokio::test]
async fn an_order_that_makes_no_sense_is_refused_and_says_what_does() {
    let ops = Ops::on(Database::Sqlite).await;
    let document = document(&ops.house).await;
    for (level, id, operation, status, said) in [
        ("tenant", "x", "revoke", 400, "level must be one of"),
        ("token", "x", "suspend", 400, "must be one of: revoke"),
        ("agent", "agent-a", "revoke", 400, "must be one of: retire, suspend, resume"),
        ("token", "tok_none", "revoke", 404, "no such token"),
        ("family", "fam_none", "revoke", 404, "no such family"),
        ("task", "task_none", "revoke", 404, "no such task"),
        ("consent", "a\u{0}b", "revoke", 400, "text holds a NUL"),
        ("instance", "agent-a", "revoke", 400, "at the level instance, and there alone"),
        ("agent", "shop", "suspend", 404, "no such agent"),
        ("user", "usr_none", "disable", 404, "no such user"),
        ("owner", "usr_none", "suspend", 404, "no such owner"),
    ] {
        let answer = ops.end(level, id, operation).await;
        is_as_documented(&document, "/endings", "post", &answer);
        assert_eq!(answer.status, status, "{level} {id} {operation}: {}", answer.body);
        assert!(answer.text("error_description").contains(said), "{}", answer.body);
        ops.house.told("admin.call", "invalid_request").await;
    }
    for (client, instance, status) in
        [("nobody", "run-1", 404), ("agent-a", "run 1", 404), ("agent-a", "", 404), ("agent-a", "run-1", 200)]
    {
        let answer = ops.end_instance(client, instance).await;
        is_as_documented(&document, "/endings", "post", &answer);
        assert_eq!(answer.status, status, "{client} {instance}: {}", answer.body);
    }
    let astray = json!({ "level": "agent", "id": "agent-a", "instance": "run-1", "operation": "suspend" });
    assert_eq!(ops.post("/endings", &astray).await.status, 400);
    let fit = json!({ "level": "agent", "id": "agent-a", "operation": "suspend" });
    for (name, value) in [
        ("reason", json!("x".repeat(1025))),
        ("reason", json!("a\nb")),
        ("cascade", json!(true)),
        ("id", Value::Null),
        ("level", json!(["agent"])),
    ] {
        let mut body = fit.clone();
        body[name] = value;
        assert_eq!(ops.post("/endings", &body).await.status, 400, "{body}");
    }
    let issued = token(&ops.house, &ops.ops).await;
    // The nonce of this resource, which is another than the one of the token endpoint.
    ops.ops.call("GET", &format!("{V1}/agents"), &issued).await.ok();
    let path = format!("{V1}/endings");
    let proof = || ops.ops.proof("POST", &ops.house.url(&path), Some(&issued)).sign();
    let send = async |kind: &str, body: &str| {
        let request = ops.house.request("POST", &path).header("Authorization", format!("DPoP {issued}"));
        let request = request.header("DPoP", proof()).header("Content-Type", kind);
        ops.house.send(request.body(body.to_owned())).await.status
    };
    for (kind, body) in [
        ("text/plain", fit.to_string()),
        ("application/json", "{".to_owned()),
        ("application/json", String::new()),
        ("application/json", r#"{"level":"agent","level":"user","id":"x","operation":"revoke"}"#.to_owned()),
    ] {
        assert_eq!(send(kind, &body).await, 400, "{kind} {body}");
    }
    // Whoever may only look ends nothing.
    let refused = call(&ops.house, &ops.watch, "POST", "/endings", Some(&fit)).await;
    assert_eq!((refused.status, refused.text("error")), (403, "insufficient_scope"));
    ops.house.told("admin.call", "insufficient_scope").await;
    ops.house.client("agent-a").own_token("orders:read", ORDERS).await.ok();
}

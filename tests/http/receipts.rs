//! Actor receipts: who joined a chain, signed for each hop, and proven by anybody with the published keys alone.

use std::process::Output;

use protocol::numeric_date::NumericDate;
use protocol::receipts::{Opened, Proven, ReceiptsRefused, verify};
use serde_json::{Map, Value, json};
use server::jose;
use tests::{Answer, Client, Database, House, INVENTORY, ORDERS, on_both_databases, program};

on_both_databases! {
    each_hop_of_a_chain_has_a_receipt_that_the_published_keys_prove,
    a_receipt_is_signed_once_however_many_ask_at_once,
    a_refreshed_token_has_the_receipts_of_the_one_before,
    the_command_line_proves_a_chain_with_a_file_of_keys_and_nothing_else,
}

/// What `who` is told of a token when it asks for the receipts.
async fn asked(who: &Client, token: &str) -> Answer {
    who.post("/introspect", &[("token", token), ("actor_receipts", "true")]).await
}

fn receipts(answer: &Answer) -> Vec<String> {
    let all = answer.json["actor_receipts"].as_array().unwrap_or_else(|| panic!("{}", answer.body));
    all.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

async fn jwks(house: &House) -> Value {
    house.send(house.request("GET", "/jwks")).await.ok().json
}

/// What an auditor makes of it who has the keys of the issuer.
fn proven(claims: &Value, keys: &Value, issuer: &str, now: NumericDate) -> Result<Proven, ReceiptsRefused> {
    let open = |_: &str, compact: &str| {
        let unverified = jose::decode(compact).ok()?;
        let alg = unverified.alg().ok()?;
        let mut keys = keys["keys"].as_array()?.iter().filter_map(Value::as_object);
        let key = keys.find(|key| key.get("kid").and_then(Value::as_str) == unverified.kid())?;
        Some(Opened {
            claims: jose::verify_with_jwk(compact, alg, key).ok()?,
            header: unverified.header.clone(),
        })
    };
    let claims: &Map<String, Value> = claims.as_object().unwrap();
    verify(claims, now, |trusted| trusted == issuer, open)
}

/// `from` hands over to `to`, which takes it.
async fn pass(from: &Client, to: &Client, token: &str) -> Answer {
    let read = ("scope", "orders:read");
    let over = [("audience", to.id.as_str()), read, ("resource", ORDERS)];
    let handed = from.exchange(token, &over).await.ok();
    to.exchange(handed.access_token(), &[read]).await.ok()
}

async fn each_hop_of_a_chain_has_a_receipt_that_the_published_keys_prove(database: Database) {
    let house = House::on(database).await;
    let [a, b, c] = ["agent-a", "agent-b", "agent-c"].map(|id| house.client(id));
    let (orders, keys) = (house.client("orders-api"), jwks(&house).await);
    let first = house.delegated_token(&a, "orders:read").await;
    let second = pass(&a, &b, first.access_token()).await;
    let third = pass(&b, &c, second.access_token()).await;

    let told = asked(&orders, third.access_token()).await.ok();
    assert_eq!(told.json["actor_receipts_complete"], true);
    let all = receipts(&told);
    let story = proven(&told.json, &keys, house.issuer(), house.door().now()).unwrap();
    let hops: Vec<_> = story.hops.iter().map(|hop| hop.actor.0.as_str()).collect();
    assert_eq!(hops, ["agent-c", "agent-b", "agent-a"]);
    assert!(story.complete && story.same_subject && story.of_this_token);
    let origins: Vec<_> = story.hops.iter().map(|hop| hop.origin_jti.clone().unwrap()).collect();
    let jtis = [&third, &second, &first].map(|token| token.claims()["jti"].as_str().unwrap().to_owned());
    assert_eq!(origins, jtis, "the tokens in which each of them acted first");
    for receipt in &all {
        let (header, claims) = (tests::unverified_header(receipt), tests::unverified_claims(receipt));
        assert_eq!((&header["typ"], &header["alg"]), (&json!("actor-receipt+jwt"), &json!("ES256")));
        assert_eq!(claims["sub"], third.claims()["sub"]);
        assert!(claims["exp"].as_i64() >= third.claims()["exp"].as_i64());
        for never in ["scope", "aud", "authorization_details", "cnf"] {
            assert!(claims.get(never).is_none(), "{never} in {claims}");
        }
    }

    // What was given once is given again, byte for byte, also as the tail of what came after it.
    assert_eq!(receipts(&asked(&orders, third.access_token()).await.ok()), all);
    assert_eq!(receipts(&asked(&orders, second.access_token()).await.ok()), all[1..]);
    assert_eq!(receipts(&asked(&c, third.access_token()).await.ok()), all, "its own client may know too");
    let narrower = c.exchange(third.access_token(), &[("scope", "orders:read")]).await.ok();
    let told = asked(&orders, narrower.access_token()).await.ok();
    assert_eq!(receipts(&told), all, "nobody joined");
    let story = proven(&told.json, &keys, house.issuer(), house.door().now()).unwrap();
    assert!(story.complete && !story.of_this_token);
    // No other issuer's word counts, nor another chain's receipts.
    let of = |claims: &Value| proven(claims, &keys, house.issuer(), house.door().now());
    let elsewhere = proven(&told.json, &keys, "https://other.example", house.door().now());
    assert_eq!(elsewhere, Err(ReceiptsRefused::UnknownIssuer(0)));
    let other = house.delegated_token(&c, "orders:read").await;
    let mut spliced = asked(&orders, other.access_token()).await.ok().json;
    of(&spliced).unwrap();
    spliced["actor_receipts"] = json!([all[0]]);
    assert_eq!(of(&spliced), Err(ReceiptsRefused::BrokenLink(0)));
}

async fn a_receipt_is_signed_once_however_many_ask_at_once(database: Database) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let first = house.delegated_token(&a, "orders:read").await;
    let second = pass(&a, &b, first.access_token()).await;
    let orders = house.client("orders-api");
    let ask = || asked(&orders, second.access_token());
    let (one, two, three, four) = tokio::join!(ask(), ask(), ask(), ask());
    let all: Vec<_> = [one, two, three, four].iter().map(receipts).collect();
    assert!(all.iter().all(|one| *one == all[0] && one.len() == 2), "{all:?}");
    let told = asked(&orders, second.access_token()).await.ok();
    assert_eq!(receipts(&told), all[0]);
    proven(&told.json, &jwks(&house).await, house.issuer(), house.door().now()).unwrap();
}

async fn a_refreshed_token_has_the_receipts_of_the_one_before(database: Database) {
    let house = House::on(database).await;
    let (a, b) = (house.client("agent-a"), house.client("agent-b"));
    let alice = house.signed_in("alice").await;
    let orders = house.client("orders-api");
    for asked_before in [true, false] {
        let code = house.ask(&a).scope("offline_access orders:read").approved_by(&alice).await;
        let first = code.redeem(&a).await.ok();
        let before = match asked_before {
            true => Some(receipts(&asked(&orders, first.access_token()).await.ok())),
            false => None,
        };
        let fresh = a.refresh(first.text("refresh_token"), &[("scope", "orders:read")]).await.ok();
        let told = asked(&orders, fresh.access_token()).await.ok();
        let after = receipts(&told);
        assert_eq!(receipts(&asked(&orders, first.access_token()).await.ok()), after);
        assert!(before.is_none_or(|before| before == after));
        let origin = &tests::unverified_claims(&after[0])["origin_jti"];
        assert_eq!(*origin, first.claims()["jti"], "the token that the code was redeemed for");
        // They last as long as it may go on being refreshed.
        house.later(600);
        let fresh = a.refresh(first.text("refresh_token"), &[("scope", "orders:read")]).await.ok();
        let next = pass(&a, &b, fresh.access_token()).await;
        let told = asked(&orders, next.access_token()).await.ok();
        assert_eq!(receipts(&told)[1..], after);
        proven(&told.json, &jwks(&house).await, house.issuer(), house.door().now()).unwrap();
    }
}

/// `procura receipts verify` on a file.
async fn run(folder: &std::path::Path, issuer: &str, file: &str) -> Output {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let words = ["receipts", "verify", "--jwks", &path("jwks.json"), "--issuer", issuer, &path(file)];
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let config = folder.join("none.toml");
    let run = move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        program::run(&config, &words).unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn the_command_line_proves_a_chain_with_a_file_of_keys_and_nothing_else(database: Database) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let first = house.delegated_token(&a, "orders:read").await;
    let second = pass(&a, &b, first.access_token()).await;
    let told = asked(&house.client("orders-api"), second.access_token()).await.ok();
    let folder = tempfile::tempdir().unwrap();
    let write =
        |name: &str, value: &Value| std::fs::write(folder.path().join(name), value.to_string()).unwrap();
    write("jwks.json", &jwks(&house).await);
    write("answer.json", &told.json);
    let mut swapped = told.json.clone();
    swapped["actor_receipts"].as_array_mut().unwrap().swap(0, 1);
    write("swapped.json", &swapped);
    let mut fewer = told.json.clone();
    fewer["actor_receipts"].as_array_mut().unwrap().pop();
    write("fewer.json", &fewer);
    let issuer = house.issuer().to_owned();
    drop(house);

    let good = run(folder.path(), &issuer, "answer.json").await;
    let printed = String::from_utf8(good.stdout).unwrap();
    assert_eq!(good.status.code(), Some(0), "{printed} {}", String::from_utf8_lossy(&good.stderr));
    let lines: Vec<_> = printed.lines().collect();
    assert!(lines[0].contains(" agent-a for ") && lines[1].contains(" agent-b for "), "{printed}");
    assert_eq!(lines[2], "proven; every actor: yes, one sub: yes, made with this token: yes");
    for (file, issuer, reason) in [
        ("swapped.json", issuer.as_str(), "not linked"),
        ("fewer.json", issuer.as_str(), "not one receipt for every actor"),
        ("answer.json", "https://other.example", "not trusted"),
    ] {
        let bad = run(folder.path(), issuer, file).await;
        let printed = String::from_utf8(bad.stdout).unwrap();
        assert_eq!(bad.status.code(), Some(1), "{file}: {printed}");
        assert!(printed.starts_with("not proven: ") && printed.contains(reason), "{file}: {printed}");
    }
}

#[tokio::test]
async fn receipts_are_given_to_whoever_the_token_concerns_and_asks_for_them() {
    let house = House::open().await;
    let agent = house.client("agent-a");
    let token = house.delegated_token(&agent, "orders:read").await;
    let token = token.access_token();
    let orders = house.client("orders-api");
    for unasked in [vec![("token", token)], vec![("token", token), ("actor_receipts", "false")]] {
        let told = orders.post("/introspect", &unasked).await.ok();
        assert_eq!(told.json["active"], true);
        assert!(told.json.get("actor_receipts").is_none(), "{}", told.body);
        assert!(told.json.get("actor_receipts_complete").is_none(), "{}", told.body);
    }
    let wrong = [("token", token), ("actor_receipts", "yes")];
    orders.post("/introspect", &wrong).await.refused("invalid_request");
    let twice = [("token", token), ("actor_receipts", "true"), ("actor_receipts", "true")];
    orders.post("/introspect", &twice).await.refused("invalid_request");
    // Nobody else learns anything.
    for other in ["inventory-api", "agent-b", "web"] {
        assert_eq!(asked(&house.client(other), token).await.ok().body, r#"{"active":false}"#);
    }
    // Where nobody acts there is nothing to prove.
    let own = agent.own_token("orders:read", ORDERS).await.ok();
    let told = asked(&orders, own.access_token()).await.ok();
    assert_eq!((&told.json["active"], told.json.get("actor_receipts")), (&json!(true), None));
    // A token that ended proves nothing any more.
    agent.revoke(token).await.ok();
    assert_eq!(asked(&orders, token).await.ok().body, r#"{"active":false}"#);
}

#[tokio::test]
async fn a_service_that_joins_by_a_rule_has_a_receipt_too() {
    let rule = format!(
        "[[rules]]\nid = \"on\"\nclient = \"orders-api\"\neffect = \"may_act\"\nresources = [\"{INVENTORY}\"]\n"
    );
    let house = House::open_with(&rule).await;
    let agent = house.client("agent-a");
    let ask = house.ask(&agent).scope("orders:read inventory:read").resource(ORDERS).resource(INVENTORY);
    let code = ask.approved_by(&house.signed_in("alice").await).await;
    let both = [code.params(), vec![("resource", ORDERS), ("resource", INVENTORY)]].concat();
    let token = agent.token(&both).await.ok();
    let on = [("scope", "inventory:read"), ("resource", INVENTORY)];
    let on = house.client("orders-api").exchange(token.access_token(), &on).await.ok();
    let told = asked(&house.client("inventory-api"), on.access_token()).await.ok();
    let story = proven(&told.json, &jwks(&house).await, house.issuer(), house.door().now()).unwrap();
    let hops: Vec<_> = story.hops.iter().map(|hop| hop.actor.0.as_str()).collect();
    assert_eq!(hops, ["orders-api", "agent-a"]);
}

//! Details types over the admin API: declared, seen, raced for, retired.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Answer, Database, House, Key, ORDERS, on_both_databases};

use super::{Ops, V1, call, declared, token};

on_both_databases! {
    a_details_type_is_declared_seen_used_changed_and_retired,
    of_two_declarations_at_once_one_counts,
    a_declaration_that_makes_no_sense_is_refused_with_the_field_that_does_not,
    what_a_page_showed_in_the_words_of_another_version_is_shown_again,
    what_an_admin_declared_the_configuration_does_not_touch,
}

const SCOPE: &str = "admin:read admin:details_types";

/// A house where the agents and APIs of the town know `payout`, and a program that may declare it.
async fn opened(database: Database) -> (House, tests::Client) {
    let key = Arc::new(Key::generate());
    let more = declared("typist", &key, SCOPE);
    let known = |town: String| town.replace("\"mcp_tool\"]", "\"mcp_tool\", \"payout\", \"gift\"]");
    let placeholder = "\n[[details_types]]\nname = \"payout\"\nschema_json = '{\"properties\": {\"amount\": {}}}'\n\
                       words = { en = { name = \"Payouts\", sentence = \"By configuration\" } }\n";
    let house = House::build(database, move |town| {
        format!("program_details_types = [\"gift\"]\n{}{placeholder}\n{more}", known(town))
    })
    .await;
    let client = tests::Client::new(house.door(), "typist", tests::Authentication::PrivateKeyJwt(key));
    (house, client.with_dpop())
}

fn payout(sentence: &str) -> Value {
    json!({
        "name": "payout",
        "schema": {"required": ["amount"], "properties": {"amount": {"type": "number"}}},
        "narrowing": {"amount": "max"},
        "words": {"en": {"name": "Payouts", "sentence": sentence}},
    })
}

fn named(name: &str, mut document: Value) -> Value {
    document["name"] = name.into();
    document
}

async fn put(house: &House, client: &tests::Client, name: &str, body: &Value) -> Answer {
    call(house, client, "PUT", &format!("/details-types/{name}"), Some(body)).await
}

async fn a_details_type_is_declared_seen_used_changed_and_retired(database: Database) {
    let (house, typist) = opened(database).await;
    let get = async |path: &str| call(&house, &typist, "GET", path, None).await;
    let before = get("/details-types/payout").await.ok().json;
    assert_eq!((&before["version"], &before["origin"]), (&json!(1), &json!("config")));
    house.told("admin.call", "granted").await;

    let first = put(&house, &typist, "payout", &payout("Pay out {amount}")).await.ok();
    assert_eq!((&first.json["version"], &first.json["origin"]), (&json!(2), &json!("admin")));
    let told = house.told("details_type.declare", "granted").await;
    assert_eq!((&told["client"], &told["reason"]), (&json!("typist"), &json!("payout, version 2")));
    let events = house.events().await.len();
    let again = put(&house, &typist, "payout", &payout("Pay out {amount}")).await.ok();
    assert_eq!(again.json["version"], 2, "what is not changed is no version");
    assert_eq!(house.events().await.len(), events + 1, "only its token was told");
    let body = json!({"name": "brand:new", "schema": {}, "words": {"en": {"name": "N", "sentence": "N"}}});
    let new = put(&house, &typist, "brand:new", &body).await;
    assert_eq!((new.status, &new.json["version"]), (201, &json!(1)));

    // It can be asked for at once.
    house.later(1);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let agent = house.client("agent-a");
    let details = json!([{"type": "payout", "amount": 10}]);
    let ask = house.ask(&agent).scope("offline_access").details(&details).resource(ORDERS);
    let page = ask.brought_by(&house.signed_in("alice").await).await.page();
    assert!(page.text().contains("Pay out 10"), "{}", page.text());
    let allowed = ask.code_from(&page.approve(|_| {}).await.away()).redeem(&agent).await.ok();
    // And so can one that only the program knows, where the configuration says that it is the program's.
    put(&house, &typist, "gift", &named("gift", payout("Give {amount} away"))).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let gift = json!([{"type": "gift", "amount": 1}]);
    let ask = house.ask(&agent).details(&gift).resource(ORDERS);
    let page = ask.brought_by(&house.signed_in("alice").await).await.page();
    assert!(page.text().contains("Give 1 away"), "{}", page.text());

    let mut bounded = payout("Give {amount}");
    bounded["max_life"] = json!(7);
    let third = put(&house, &typist, "payout", &bounded).await.ok();
    let told: Vec<_> = third.json["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| (v["version"].clone(), v["consents"].clone()))
        .collect();
    assert_eq!(told, [(json!(3), json!(0)), (json!(2), json!(1)), (json!(1), json!(0))]);

    // Retired, it cannot be asked for; what was allowed goes on.
    let retired = call(&house, &typist, "DELETE", "/details-types/payout", None).await.ok();
    assert!(retired.json["retired_at"].is_string(), "{}", retired.body);
    house.told("details_type.retire", "granted").await;
    call(&house, &typist, "DELETE", "/details-types/payout", None).await.ok();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let refused = house.ask(&agent).details(&details).resource(ORDERS);
    let refused = refused.brought_by(&house.signed_in("alice").await).await.param("error");
    assert_eq!(refused, "invalid_authorization_details");
    let less = [("authorization_details", r#"[{"type":"payout","amount":5}]"#), ("resource", ORDERS)];
    let got = agent.refresh(allowed.text("refresh_token"), &less).await.ok();
    assert_eq!(got.json["expires_in"], 7, "what the last version bounded stays bounded");
    let listed = get("/details-types").await.ok().json;
    let found =
        listed["details_types"].as_array().unwrap().iter().find(|kind| kind["name"] == "payout").unwrap();
    assert_eq!((&found["consents"], found["retired_at"].is_string()), (&json!(1), true));
    // Declared once more, it is in use again.
    let back = put(&house, &typist, "payout", &bounded).await.ok();
    assert_eq!((back.json.get("retired_at"), &back.json["version"]), (None, &json!(3)));

    // What is wrong is told, and nothing of it is kept.
    let mut other = payout("x");
    other["name"] = "other".into();
    put(&house, &typist, "payout", &other).await.refused_with(400, "invalid_request");
    for (member, value, why) in [
        ("words", json!({"de": {"name": "N", "sentence": "N"}}), "words"),
        ("narrowing", json!({"speed": "max"}), "narrowing.speed"),
        ("risk", json!({"field": "speed"}), "risk.field"),
        ("schema", json!({"type": 7}), "schema"),
        ("schema", json!([]), "schema"),
        ("max_life", json!(0), "max_life"),
        ("colour", json!("red"), "colour"),
    ] {
        let mut wrong = payout("x");
        wrong[member] = value;
        let refused = put(&house, &typist, "payout", &wrong).await.refused_with(400, "invalid_request");
        assert!(refused.text("error_description").contains(why), "{why}: {}", refused.body);
        house.told("admin.call", "invalid_request").await;
    }
    assert_eq!(get("/details-types/payout").await.ok().json["version"], 3);
    // What ships with the server is always there.
    call(&house, &typist, "DELETE", "/details-types/mcp_tool", None)
        .await
        .refused_with(400, "invalid_request");
    for (method, path) in [("GET", "/details-types/none"), ("DELETE", "/details-types/none")] {
        assert_eq!(call(&house, &typist, method, path, None).await.status, 404);
    }
}

async fn a_declaration_that_makes_no_sense_is_refused_with_the_field_that_does_not(database: Database) {
    let (house, typist) = opened(database).await;
    let document = |change: &dyn Fn(&mut Value)| {
        let mut document = json!({
            "name": "payout",
            "schema": {"properties": {
                "amount": {"type": "number"}, "note": {"type": "string"}, "list": {"type": "array"}, "free": {},
                "day": {"type": "string", "format": "date"}, "to": {"type": "object", "properties": {"iban": {"type": "string"}}}
            }},
            "words": {"en": {"name": "Payouts", "sentence": "Pay out {amount}", "fields": {"note": "Note: {note}"}}},
        });
        change(&mut document);
        document
    };
    let rule = |path: &str, rule: &str| {
        let mut wrong = document(&|_| {});
        wrong["narrowing"] = json!({path: rule});
        wrong
    };
    let word = |key: &str, value: &str| {
        document(&|wrong| match key.strip_prefix("fields.") {
            Some(field) => wrong["words"]["en"]["fields"][field] = value.into(),
            None => wrong["words"]["en"][key] = value.into(),
        })
    };
    let property =
        |name: &str, value: Value| document(&|wrong| wrong["schema"]["properties"][name] = value.clone());
    for (wrong, key) in [
        (rule("note", "max"), "narrowing.note"),
        (rule("note", "min"), "narrowing.note"),
        (rule("note", "subset"), "narrowing.note"),
        (rule("amount", "prefix"), "narrowing.amount"),
        (rule("amount", "glob"), "narrowing.amount"),
        (rule("amount", "before"), "narrowing.amount"),
        (rule("day", "before"), "narrowing.day"),
        (rule("to.iban", "max"), "narrowing.to.iban"),
        (rule("to.typo", "equal"), "narrowing.to.typo"),
        (rule("amount.typo", "equal"), "narrowing.amount.typo"),
        (document(&|wrong| wrong["schema"]["type"] = "array".into()), "schema: describes no object"),
        (property("type", json!({"const": "x"})), "schema: does not let the name"),
        (property("until", json!({"format": "datetime"})), "schema: /properties/until/format"),
        (word("name", ""), "words.en.name"),
        (word("sentence", " "), "words.en.sentence"),
        (word("sentence", "Pay \u{202e}{amount}"), "words.en.sentence"),
        (word("fields.note", "a\u{200b}b"), "words.en.fields.note"),
        (word("fields.note", "Note: {amount}"), "words.en.fields.note"),
        (document(&|wrong| wrong["words"]["de_DE"] = json!({"name": "A", "sentence": "A"})), "words.de_DE"),
    ] {
        let refused = put(&house, &typist, "payout", &wrong).await.refused_with(400, "invalid_request");
        let told = refused.text("error_description");
        assert!(told.starts_with(key), "{key}: {told}");
        house.told("admin.call", "invalid_request").await;
    }
    let path = format!("{V1}/details-types/payout");
    let token = token(&house, &typist).await;
    let before = typist.call("GET", &path, &token).await.ok().json;
    assert_eq!(before["version"], 1, "nothing of it is kept");

    // Where the schema says nothing of a field, any rule may be meant; and all the rest stays possible.
    let free = ["subset", "equal", "max", "min", "prefix", "glob", "before", "any"];
    let all_free = free.map(|name| rule("free", name));
    let fine = [
        rule("amount", "max"),
        rule("note", "glob"),
        rule("list", "prefix"),
        rule("to.iban", "equal"),
        rule("to.*", "any"),
        rule("free.deeper", "max"),
        property("until", json!({"format": "date-time"})),
        word("sentence", "Zahle {amount} aus 🧀"),
    ];
    for (n, good) in all_free.into_iter().chain(fine).enumerate() {
        let kept = put(&house, &typist, "payout", &good).await.ok();
        assert_eq!(kept.json["version"], n + 2);
    }

    // Of two members of one name, one reader takes the first and another the last.
    let body = r#"{"name":"payout","schema":{"properties":{"amount":{}}},"narrowing":{"amount":"max","amount":"any"},
        "words":{"en":{"name":"P","sentence":"P"}}}"#;
    let proof = typist.proof("PUT", &house.url(&path), Some(&token)).sign();
    let request = house.request("PUT", &path).header("authorization", format!("DPoP {token}"));
    let request = request.header("dpop", proof).header("content-type", "application/json").body(body);
    house.send(request).await.refused_with(400, "invalid_request");
}

async fn of_two_declarations_at_once_one_counts(database: Database) {
    let (house, typist) = opened(database).await;
    let token = token(&house, &typist).await;
    let mut answers = tokio::task::JoinSet::new();
    for n in 0..4 {
        let (typist, token) = (typist.clone(), token.clone());
        answers.spawn(async move {
            let body = payout(&format!("Words {n}"));
            typist.call_with("PUT", &format!("{V1}/details-types/payout"), &token, &[], Some(&body)).await
        });
    }
    let answers = answers.join_all().await;
    let fine: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert!(!fine.is_empty());
    assert!(
        answers.iter().all(|answer| [200, 409].contains(&answer.status)),
        "{:?}",
        answers.iter().map(|answer| (answer.status, answer.body.clone())).collect::<Vec<_>>()
    );
    let name = "payout".parse().unwrap();
    let kept = house.store().find_details_type(&name).await.unwrap().unwrap();
    assert_eq!(kept.version as usize, 1 + fine.len(), "each that was taken is a version of its own");
    let versions = house.store().versions_of_details_type(&name).await.unwrap();
    assert_eq!(versions[0].document, kept.document);
}

async fn what_an_admin_declared_the_configuration_does_not_touch(database: Database) {
    let (mut house, typist) = opened(database).await;
    put(&house, &typist, "payout", &payout("Pay out {amount}")).await.ok();
    house.restart_changed(|config| config.replace("By configuration", "By configuration, changed")).await;
    let typist = tests::Client::new(house.door(), "typist", typist.authentication.clone()).with_dpop();
    let seen = call(&house, &typist, "GET", "/details-types/payout", None).await.ok().json;
    assert_eq!((&seen["version"], &seen["origin"]), (&json!(2), &json!("admin")));
    assert_eq!(seen["document"]["words"]["en"]["sentence"], "Pay out {amount}");
    // Nor does it retire it, or what it never declared, by saying nothing of it.
    let body = json!({"name": "brand:new", "schema": {}, "words": {"en": {"name": "N", "sentence": "N"}}});
    assert_eq!(put(&house, &typist, "brand:new", &body).await.status, 201);
    house
        .restart_changed(|config| {
            let (before, rest) = config.split_once("[[details_types]]").unwrap();
            let (_, after) = rest.split_once("changed\" } }\n").unwrap();
            format!("{before}{after}").replace(", \"payout\", \"gift\"]", ", \"gift\"]")
        })
        .await;
    let typist = tests::Client::new(house.door(), "typist", typist.authentication.clone()).with_dpop();
    for (name, version) in [("payout", 2), ("brand:new", 1)] {
        let seen = call(&house, &typist, "GET", &format!("/details-types/{name}"), None).await.ok().json;
        assert_eq!((&seen["version"], seen.get("retired_at")), (&json!(version), None), "{name}");
    }

    // To look is not to declare.
    let Ops { house, ops, watch } = Ops::on(Database::Sqlite).await;
    watch.call("GET", &format!("{V1}/details-types"), &token(&house, &watch).await).await.ok();
    for client in [&watch, &ops] {
        put(&house, client, "payout", &payout("x")).await.refused_with(403, "insufficient_scope");
        let gone = call(&house, client, "DELETE", "/details-types/agent_task", None).await;
        gone.refused_with(403, "insufficient_scope");
    }
}

async fn what_a_page_showed_in_the_words_of_another_version_is_shown_again(database: Database) {
    let (house, typist) = opened(database).await;
    let settled = async || tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    put(&house, &typist, "payout", &payout("Pay out {amount}")).await.ok();
    settled().await;
    let agent = house.client("agent-a");
    let details = json!([{"type": "payout", "amount": 10}]);
    let ask = house.ask(&agent).details(&details).resource(ORDERS);
    let page = ask.brought_by(&house.signed_in("alice").await).await.page();
    assert!(page.text().contains("Pay out 10"), "{}", page.text());
    put(&house, &typist, "payout", &payout("Empty the till of {amount}")).await.ok();
    settled().await;
    let again = page.approve(|_| {}).await.page();
    assert!(again.text().contains("Empty the till of 10"), "{}", again.text());
    ask.code_from(&again.approve(|_| {}).await.away()).redeem(&agent).await.ok();
}

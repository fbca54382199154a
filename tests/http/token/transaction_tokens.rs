//! Transaction tokens inside the trust domain (Transaction Tokens §6 to §8).

use serde_json::json;
use server::store::{Change, Ending};
use tests::{Answer, Client, Database, House, INVENTORY, ORDERS, on_both_databases, unverified_header};

on_both_databases! {
    a_workload_gets_a_transaction_token_for_what_was_sent_to_it,
    one_replaces_another_only_for_less,
    a_workload_proves_no_key_for_what_is_bound_to_nothing_but_for_a_token_of_its_own,
    a_workload_may_be_one_whose_platform_vouches_for_it,
    it_is_refused_to_others_and_from_other_things,
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const TXN: &str = "urn:ietf:params:oauth:token-type:txn_token";
const DOMAIN: &str = "trust.example";
const READ: [(&str, &str); 2] = [("scope", "orders:read"), ("audience", DOMAIN)];

async fn house(database: Database) -> House {
    let rule = |id: &str| {
        format!(
            "[[rules]]\nid = \"{id} acts\"\nclient = \"{id}\"\neffect = \"may_act\"\n\
             resources = [\"https://orders.example\"]\n"
        )
        .replace(" acts", "-acts")
    };
    let fragment = format!(
        "[transaction_tokens]\ntrust_domain = \"{DOMAIN}\"\n\
         clients = [\"orders-api\", \"inventory-api\", \"web\", \"agent-a\"]\nlife = \"2m\"\n{}{}",
        rule("orders-api"),
        rule("inventory-api")
    );
    House::on_with(database, &fragment).await
}

async fn exchange(client: &Client, token: &str, kind: &str, more: &[(&str, &str)]) -> Answer {
    let kind = format!("urn:ietf:params:oauth:token-type:{kind}");
    let mut params = vec![
        ("grant_type", EXCHANGE),
        ("subject_token", token),
        ("subject_token_type", kind.as_str()),
        ("requested_token_type", TXN),
    ];
    params.extend_from_slice(more);
    client.token(&params).await
}

const DETAILS: (&str, &str) = ("request_details", r#"{"order":7}"#);
const CONTEXT: (&str, &str) = ("request_context", r#"{"ip":"192.0.2.1"}"#);

async fn a_workload_gets_a_transaction_token_for_what_was_sent_to_it(database: Database) {
    let house = house(database).await;
    let (agent, api) = (house.client("agent-a"), house.client("orders-api"));
    let token = house.delegated_token(&agent, "orders:read").await;
    let params = [READ[0], READ[1], DETAILS, CONTEXT];
    let answer = exchange(&api, token.access_token(), "access_token", &params).await.ok();
    let event = house.told("token.exchange", "granted").await;
    assert_eq!((answer.text("issued_token_type"), answer.text("token_type")), (TXN, "N_A"));
    assert!(answer.json.get("refresh_token").is_none());
    assert_eq!(unverified_header(answer.access_token())["typ"], "txntoken+jwt");
    let (said, first) = (answer.claims(), token.claims());
    assert_eq!((&said["aud"], &said["txn"]), (&json!(DOMAIN), &first["txn"]));
    assert_eq!((&said["sub"], &said["scope"]), (&first["sub"], &json!("orders:read")));
    assert_eq!((&said["req_wl"], &said["act"]["sub"]), (&json!("orders-api"), &json!("orders-api")));
    assert_eq!(said["act"]["act"], first["act"]);
    assert_eq!((&said["tctx"], &said["rctx"]), (&json!({"order": 7}), &json!({"ip": "192.0.2.1"})));
    assert_eq!((said.get("cnf"), said.get("client_id")), (None, None));
    assert!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap() <= 120);
    assert_eq!(event["rule"], "orders-api-acts");
    // No access token, here or by exchange, whatever it is declared to be.
    assert!(!house.is_active(answer.access_token()).await);
    assert_eq!(api.call("GET", "/userinfo", answer.access_token()).await.status, 401);
    for kind in ["txn_token", "access_token", "jwt"] {
        let kind = format!("urn:ietf:params:oauth:token-type:{kind}");
        let params = [
            ("grant_type", EXCHANGE),
            ("subject_token", answer.access_token()),
            ("subject_token_type", &kind),
            READ[0],
            ("resource", ORDERS),
        ];
        api.token(&params).await.refused("invalid_request");
    }
    exchange(&api, answer.access_token(), "access_token", &READ).await.refused("invalid_request");
    exchange(&api, token.access_token(), "txn_token", &READ).await.refused("invalid_request");
}

async fn one_replaces_another_only_for_less(database: Database) {
    let house = house(database).await;
    let [agent, orders, stock] = ["agent-a", "orders-api", "inventory-api"].map(|id| house.client(id));
    let subject = house.token_for(&agent, "orders:read orders:write").await;
    let both = [("scope", "orders:read orders:write"), ("resource", ORDERS)];
    let token = agent.exchange(&subject, &both).await.ok();
    let first = [("scope", "orders:read orders:write"), READ[1], DETAILS];
    let first = exchange(&orders, token.access_token(), "access_token", &first).await.ok();
    house.later(10);
    let more = [READ[0], READ[1], ("request_details", r#"{"stock":3}"#)];
    let second = exchange(&stock, first.access_token(), "txn_token", &more).await.ok();
    house.told("token.exchange", "granted").await;
    let (old, new) = (first.claims(), second.claims());
    for same in ["txn", "sub", "aud", "iss", "exp"] {
        assert_eq!(old[same], new[same], "{same}");
    }
    assert_eq!((&new["scope"], &new["tctx"]), (&json!("orders:read"), &json!({"order": 7, "stock": 3})));
    assert_eq!((&new["req_wl"], &new["earlier_req_wl"]), (&json!("inventory-api"), &json!(["orders-api"])));
    assert_eq!((&new["act"]["sub"], &new["act"]["act"]), (&json!("inventory-api"), &old["act"]));
    for (params, code) in [
        (vec![("scope", "orders:read orders:write"), READ[1]], "invalid_scope"),
        (vec![READ[0], READ[1], ("request_details", r#"{"order":8}"#)], "invalid_request"),
        (vec![READ[0], ("audience", "other.example")], "invalid_target"),
    ] {
        exchange(&stock, second.access_token(), "txn_token", &params).await.refused(code);
        house.told("token.exchange", code).await;
    }
    // It ends with its task, and by itself.
    let other = exchange(&orders, token.access_token(), "access_token", &READ).await.ok();
    let task = token.claims()["task"]["id"].as_str().unwrap().parse().unwrap();
    let change = Change::housekeeping(house.door().now()).end(Ending::Task(task));
    house.store().commit(change).await.unwrap();
    exchange(&stock, other.access_token(), "txn_token", &READ).await.refused("invalid_request");
    let token = house.delegated_token(&agent, "orders:read").await;
    let short = exchange(&orders, token.access_token(), "access_token", &READ).await.ok();
    house.later(121);
    exchange(&stock, short.access_token(), "txn_token", &READ).await.refused("invalid_request");
}

async fn a_workload_proves_no_key_for_what_is_bound_to_nothing_but_for_a_token_of_its_own(
    database: Database,
) {
    let house = house(database).await;
    let (agent, api) = (house.client("agent-a"), house.client("orders-api").without_dpop());
    // What was sent to it is bound to the agent's key.
    let token = house.delegated_token(&agent, "orders:read").await;
    assert!(token.claims()["cnf"]["jkt"].is_string());
    let answer = exchange(&api, token.access_token(), "access_token", &READ).await.ok();
    assert_eq!(answer.claims().get("cnf"), None);
    house.told("token.exchange", "granted").await;
    // An access token it gets with a proof alone, and the agent needs one for what is its own.
    let here = [READ[0], ("resource", ORDERS)];
    api.exchange(token.access_token(), &here).await.refused("invalid_request");
    let stolen = agent.without_dpop();
    exchange(&stolen, token.access_token(), "access_token", &READ).await.refused("invalid_request");
}

async fn a_workload_may_be_one_whose_platform_vouches_for_it(database: Database) {
    let platform = crate::workload::instances::platform().await;
    let domain = format!("[transaction_tokens]\ntrust_domain = \"{DOMAIN}\"\nclients = [\"runner\"]\n");
    let declared = crate::workload::instances::declared(&platform);
    let (outbound, rest) = declared.split_once('\n').unwrap();
    let house = House::on_with(database, &format!("{outbound}\n{domain}{rest}")).await;
    let run = crate::workload::instances::run(&platform, &house, "run-1");
    let token = house.delegated_token(&run, "orders:read").await;
    let answer = exchange(&run, token.access_token(), "access_token", &READ).await.ok();
    let said = answer.claims();
    assert_eq!((&said["req_wl"], &said["act"]["instance"]), (&json!("runner"), &json!("run-1")));
    house.told("token.exchange", "granted").await;
    // Another workload of that platform is none of the domain.
    let other = house.client("orders-api");
    exchange(&other, token.access_token(), "access_token", &READ).await.refused("invalid_target");
}

async fn it_is_refused_to_others_and_from_other_things(database: Database) {
    let house = house(database).await;
    let [a, b, api] = ["agent-a", "agent-b", "orders-api"].map(|id| house.client(id));
    let token = house.delegated_token(&a, "orders:read").await;
    for (params, code) in [
        (vec![READ[1]], "invalid_request"),
        (vec![READ[0]], "invalid_target"),
        (vec![READ[0], ("audience", "other.example")], "invalid_target"),
        (vec![READ[0], READ[1], ("audience", "other.example")], "invalid_target"),
        (vec![READ[0], READ[1], ("resource", ORDERS)], "invalid_target"),
        (vec![("scope", "orders:write"), READ[1]], "invalid_scope"),
        (vec![READ[0], READ[1], ("request_details", "[]")], "invalid_request"),
    ] {
        let refused = exchange(&api, token.access_token(), "access_token", &params).await.refused(code);
        let audiences = params.iter().filter(|(name, _)| *name == "audience").count();
        let about_audience = refused.text("error_description").contains("name one audience");
        assert_eq!(about_audience, audiences != 1, "{}", refused.body);
    }
    // Not a workload; a workload that proves too little; one to which it was not sent.
    let of_b = house.delegated_token(&b, "orders:read").await;
    exchange(&b, of_b.access_token(), "access_token", &READ).await.refused("invalid_target");
    let web = house.client("web");
    let code = house.ask(&web).scope("orders:read").approved_by(&house.signed_in("alice").await).await;
    let webs = code.redeem(&web).await.ok();
    exchange(&web, webs.access_token(), "access_token", &READ).await.refused("unauthorized_client");
    house.told("token.exchange", "unauthorized_client").await;
    let elsewhere = house.client("inventory-api");
    exchange(&elsewhere, token.access_token(), "access_token", &READ).await.refused("invalid_request");
    // A refresh token is no account of a transaction; nor is what nobody signed.
    let ask = house.ask(&a).scope("offline_access orders:read").resource(ORDERS);
    let code = ask.approved_by(&house.signed_in("alice").await).await;
    let got = a.token(&[code.params(), vec![("resource", ORDERS)]].concat()).await.ok();
    exchange(&a, got.text("refresh_token"), "refresh_token", &READ).await.refused("invalid_request");
    exchange(&a, got.access_token(), "access_token", &READ).await.ok();
    for kind in ["self_signed", "unsigned_json"] {
        exchange(&a, r#"{"sub":"alice"}"#, kind, &READ).await.refused("invalid_request");
    }
    let stock = [("scope", "inventory:read"), ("resource", INVENTORY)];
    let own = a.token(&[&[("grant_type", "client_credentials")], &stock[..]].concat()).await.ok();
    let answer = exchange(&a, own.access_token(), "access_token", &[stock[0], READ[1]]).await.ok();
    assert!(
        answer.claims()["txn"].as_str().unwrap().starts_with("txn_"),
        "without a task it has a name of its own"
    );
}

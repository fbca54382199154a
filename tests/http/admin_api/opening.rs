//! Who gets a token for the admin API, and what a call needs.

use serde_json::{Value, json};
use tests::{Database, House, on_both_databases};

use super::{Ops, call, token};

on_both_databases! {
    a_declared_program_calls_it_with_a_bound_token_of_its_own_and_nobody_else_does,
    a_client_that_is_not_declared_for_it_any_more_is_refused_at_once,
}

const AGENTS: &str = "/admin/api/v1/agents";

async fn a_declared_program_calls_it_with_a_bound_token_of_its_own_and_nobody_else_does(database: Database) {
    let Ops { house, ops, watch } = Ops::on(database).await;
    let resource = house.url("/admin/api");
    let issued = token(&house, &ops).await;
    let claims = tests::unverified_claims(&issued);
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!(resource), &json!("admin:endings admin:read")));
    assert!(claims["cnf"]["jkt"].is_string(), "{claims}");
    let seen = ops.call("GET", AGENTS, &issued).await.ok();
    assert_eq!(seen.header("cache-control"), "no-store");
    let told = house.told("admin.call", "granted").await;
    assert_eq!((&told["client"], &told["reason"]), (&json!("ops"), &json!(format!("GET {AGENTS}"))));

    // Without a proof of its key nobody gets a token, and with one nobody else can use it.
    let unbound = [("grant_type", "client_credentials"), ("resource", resource.as_str())];
    ops.clone().without_dpop().token(&unbound).await.refused("invalid_request");
    assert_eq!(ops.clone().with_dpop().call("GET", AGENTS, &issued).await.status, 401);
    assert_eq!(house.told("admin.call", "invalid_token").await["client"], Value::Null);
    assert_eq!(ops.clone().without_dpop().call("GET", AGENTS, &issued).await.status, 401);
    assert_eq!(house.send(house.request("GET", AGENTS)).await.status, 401);

    // Less scope opens less.
    let less = token(&house, &watch).await;
    watch.call("GET", AGENTS, &less).await.ok();
    let wider = [("scope", "admin:endings"), ("resource", resource.as_str())];
    let wider = [wider.as_slice(), &[("grant_type", "client_credentials")]].concat();
    watch.token(&wider).await.refused("invalid_scope");

    // What opens the rest of the server does not open this, and nobody else gets what does.
    let agent = house.client("agent-a");
    let tasks = [("grant_type", "client_credentials"), ("scope", "tasks")];
    let tasks = agent.token(&tasks).await.ok();
    assert_eq!(agent.call("GET", AGENTS, tasks.access_token()).await.status, 401);
    agent.own_token("orders:read", &resource).await.refused("invalid_target");
    agent.own_token("admin:read", &resource).await.refused("invalid_scope");
    let userinfo = ops.call("GET", "/userinfo", &issued).await;
    assert_eq!((userinfo.status, userinfo.text("error")), (401, "invalid_token"));
    let all = [("grant_type", "client_credentials"), ("resource", resource.as_str())];
    house.client("web").token(&all).await.refused("invalid_target");
    // Nor does it come out of the token by another way.
    let exchanged = ops.exchange(&issued, &[("scope", "admin:read")]).await;
    exchanged.refused("unauthorized_client");
}

async fn a_client_that_is_not_declared_for_it_any_more_is_refused_at_once(database: Database) {
    let Ops { mut house, ops, .. } = Ops::on(database).await;
    let issued = token(&house, &ops).await;
    ops.call("GET", AGENTS, &issued).await.ok();
    let without = |config: String| {
        let scope = "admin_api = true\nscope = \"admin:read admin:endings\"\n";
        assert_eq!(config.matches(scope).count(), 1);
        config.replace(scope, "")
    };
    house.restart_changed(without).await;
    let refused = ops.call("GET", AGENTS, &issued).await;
    assert_eq!((refused.status, refused.text("error")), (403, "access_denied"));
    let all = [("grant_type", "client_credentials"), ("resource", &house.url("/admin/api"))];
    ops.token(&all.map(|(name, value)| (name, value as &str))).await.refused("invalid_target");
}

#[tokio::test]
async fn what_is_sent_is_read_strictly_and_every_refusal_has_one_shape() {
    let Ops { house, ops, .. } = Ops::on(Database::Sqlite).await;
    for query in ["limit=x", "offset=3", "limit=1&limit=2", "status=gone", "owner="] {
        let answer = call(&house, &ops, "GET", &format!("/agents?{query}"), None).await;
        match query {
            // A parameter without a value counts as absent (RFC 6749 §3.1).
            "owner=" => assert_eq!(answer.status, 200),
            _ => {
                assert_eq!((answer.status, answer.text("error")), (400, "invalid_request"), "{query}");
                assert!(!answer.text("error_description").is_empty());
                house.told("admin.call", "invalid_request").await;
            }
        }
    }
    for path in ["/agents/shop", "/agents/nobody", "/users/usr_nobody", "/consents/none", "/tasks/a%00b"] {
        let answer = call(&house, &ops, "GET", path, None).await;
        assert_eq!((answer.status, answer.text("error")), (404, "invalid_request"), "{path}");
    }
    let issued = token(&house, &ops).await;
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(ops.call(method, AGENTS, &issued).await.status, 405, "{method}");
    }
}

#[tokio::test]
async fn the_admin_api_is_not_announced_to_everybody() {
    let house = House::open().await;
    let metadata = house.send(house.request("GET", "/.well-known/oauth-authorization-server")).await.ok();
    assert!(!metadata.body.contains("admin"), "{}", metadata.body);
}

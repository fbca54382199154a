//! Step-up for identity assertions: one that tells of a login that is not enough brings nothing, and its client is told
//! which login would be (Identity Assertion JWT Authorization Grant, RFC 9470).

use serde_json::{Value, json};
use tests::{Answer, Database, House, Key, on_both_databases};

use super::identity_assertions::{AT_ORDERS, USUAL, claims, house, present, signed};

on_both_databases! {
    an_assertion_of_a_login_that_is_not_enough_is_refused_and_says_which_would_be,
    a_client_may_ask_for_a_fresher_login_than_the_issuers_must_be,
    without_any_demand_every_login_will_do,
}

const MFA: &str = "urn:company:mfa";

/// What an assertion that says this of the login brings.
async fn come(house: &House, key: &Key, login: &Value) -> Answer {
    let mut said = claims(house, "agent-a");
    said.as_object_mut().unwrap().extend(login.as_object().unwrap().clone());
    present(&house.client("agent-a"), &signed(key, &said), &AT_ORDERS).await
}

async fn an_assertion_of_a_login_that_is_not_enough_is_refused_and_says_which_would_be(database: Database) {
    let key = Key::generate();
    let rule = format!("{USUAL}\nacr_values = [\"{MFA}\", \"phr\"]\nmax_age = \"10m\"");
    let house = house(database, &key, &rule).await;
    let now = house.door().now().0;
    for login in [
        json!({}),
        json!({ "auth_time": now }),
        json!({ "acr": MFA }),
        json!({ "auth_time": now, "acr": "urn:company:password" }),
        json!({ "auth_time": now, "acr": "urn:procura:acr:multi-factor" }),
        json!({ "auth_time": now, "amr": ["pwd", "otp", "mfa"] }),
        json!({ "auth_time": now - 601, "acr": MFA }),
    ] {
        let refused = come(&house, &key, &login).await.refused_with(400, "insufficient_user_authentication");
        let told = (refused.text("acr_values"), &refused.json["max_age"]);
        assert_eq!(told, ("urn:company:mfa phr", &json!(600)), "{login}");
        assert_eq!(refused.header("cache-control"), "no-store");
        house.told("token.jwt_bearer", "insufficient_user_authentication").await;
    }
    for login in [
        json!({ "auth_time": now, "acr": MFA }),
        json!({ "auth_time": now - 300, "acr": MFA }),
        json!({ "auth_time": now, "acr": "phr" }),
        json!({ "auth_time": now, "amr": ["pop", "user", "mfa"] }),
    ] {
        come(&house, &key, &login).await.ok();
        house.told("token.jwt_bearer", "granted").await;
    }
    for nonsense in [
        json!({ "auth_time": now + 3600, "acr": MFA }),
        json!({ "auth_time": "now", "acr": MFA }),
        json!({ "auth_time": now, "acr": 7 }),
        json!({ "auth_time": now, "acr": "" }),
        json!({ "auth_time": now, "acr": MFA, "amr": "mfa" }),
        json!({ "auth_time": now, "acr": MFA, "amr": vec!["x"; 21] }),
    ] {
        come(&house, &key, &nonsense).await.refused("invalid_grant");
    }
}

async fn a_client_may_ask_for_a_fresher_login_than_the_issuers_must_be(database: Database) {
    let key = Key::generate();
    let mut house = house(database, &key, &format!("{USUAL}\nmax_age = \"10m\"")).await;
    let now = house.door().now().0;
    let login = json!({ "auth_time": now - 100 });
    come(&house, &key, &login).await.ok();
    let own = "id = \"agent-a\"\ndefault_max_age = 60";
    house.restart_changed(|config| config.replacen("id = \"agent-a\"", own, 1)).await;
    let refused = come(&house, &key, &login).await.refused("insufficient_user_authentication");
    assert_eq!((&refused.json["max_age"], refused.json.get("acr_values")), (&json!(60), None));
    let fresh = json!({ "auth_time": house.door().now().0 });
    come(&house, &key, &fresh).await.ok();
}

async fn without_any_demand_every_login_will_do(database: Database) {
    let key = Key::generate();
    let house = house(database, &key, USUAL).await;
    for login in [json!({}), json!({ "auth_time": 1 }), json!({ "acr": "0" })] {
        come(&house, &key, &login).await.ok();
    }
}

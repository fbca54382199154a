//! `/register/{client_id}` (RFC 7592), by the numbers of its requirements.

use serde_json::{Value, json};
use tests::{Answer, Authentication, Database, House, ORDERS, on_both_databases};

use super::{BACK, manage, open, registered, settings};

on_both_databases! {
    r_7592_3_6_11_what_is_read_is_what_was_written_last,
    r_7592_4_12_13_whoever_leaves_takes_everything_along,
    an_update_and_an_end_at_once_leave_nothing_alive,
    a_redirect_uri_of_somebody_else_shows_no_subjects_of_theirs,
}

/// What a client would send to change nothing.
fn as_it_is(answer: &Answer) -> Value {
    let mut document = answer.json.clone();
    let members = document.as_object_mut().unwrap();
    for ours in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        members.remove(ours);
    }
    document
}

#[tokio::test]
async fn r_7592_1_and_14_registration_tells_where_and_how_to_manage_it() {
    let house = open(Database::Sqlite).await;
    let (answer, client) = registered(&house, &json!({})).await;
    let url = answer.text("registration_client_uri");
    assert_eq!(url, house.url(&format!("/register/{}", client.id)));
    for (method, body) in [("GET", None), ("PUT", Some(as_it_is(&answer)))] {
        let managed = manage(&house, &answer, method, body.as_ref()).await.ok();
        assert_eq!((managed.status, managed.header("cache-control")), (200, "no-store"), "{method}");
        assert_eq!(managed.text("client_id"), client.id);
        assert_eq!(managed.text("registration_access_token"), answer.text("registration_access_token"));
        assert_eq!(managed.text("registration_client_uri"), url);
        assert!(managed.json.get("client_secret").is_none(), "only its digest is here");
    }
}

#[tokio::test]
async fn r_7592_2_5_15_only_the_clients_own_token_opens_it_and_nothing_else() {
    let house = open(Database::Sqlite).await;
    let (one, _) = registered(&house, &json!({})).await;
    let (other, client) = registered(&house, &json!({ "client_name": "The other secretive one" })).await;
    let path = format!("/register/{}", client.id);
    let body = as_it_is(&other);
    for method in ["GET", "PUT", "DELETE"] {
        let request = || {
            let request = house.request(method, &path);
            if method == "PUT" { request.json(&body) } else { request }
        };
        let none = house.send(request()).await;
        assert_eq!(
            (none.status, none.header("www-authenticate")),
            (401, "Bearer realm=\"procura\""),
            "{method}"
        );
        let own = one.text("registration_access_token");
        for bearer in ["garbage", own, other.text("client_secret")] {
            let refused = house.send(request().bearer_auth(bearer)).await.refused_with(401, "invalid_token");
            assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""), "{method}");
            assert!(!refused.body.contains("secretive"), "{}", refused.body);
        }
        // A client that is not there, one that was declared, and another's: one answer.
        let mut answers = Vec::new();
        for id in ["nobody", "web", &client.id] {
            let request = house.request(method, &format!("/register/{id}")).bearer_auth(own);
            let request = if method == "PUT" { request.json(&body) } else { request };
            answers.push(house.send(request).await.body);
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    let elsewhere = house.request("GET", "/userinfo").bearer_auth(other.text("registration_access_token"));
    assert_eq!(house.send(elsewhere).await.status, 401);
    manage(&house, &other, "GET", None).await.ok();
}

async fn a_redirect_uri_of_somebody_else_shows_no_subjects_of_theirs(database: Database) {
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let settings = settings("enabled = \"open\"").replace("client_credentials", device);
    let house = House::on_with(database, &settings).await;
    let sees = async |id: &str| {
        let client = house.store().find_client(&id.parse().unwrap()).await.unwrap().unwrap();
        house.app().subject_for(&client, &"usr_1".parse().unwrap())
    };
    let of_theirs =
        json!({ "subject_type": "pairwise", "redirect_uris": ["https://theirs.example/callback"] });
    let theirs = sees(&registered(&house, &of_theirs).await.1.id).await;
    assert_eq!(sees(&registered(&house, &of_theirs).await.1.id).await, theirs, "one host is one sector");
    // Neither where tokens come on a way that does not end there,
    let mut elsewhere = of_theirs.clone();
    elsewhere["grant_types"] = json!([device]);
    assert_ne!(sees(&registered(&house, &elsewhere).await.1.id).await, theirs);
    // nor where they were got before.
    let (answer, client) = registered(&house, &json!({ "subject_type": "pairwise" })).await;
    let mut moved = as_it_is(&answer);
    moved["redirect_uris"] = of_theirs["redirect_uris"].clone();
    assert_eq!(manage(&house, &answer, "PUT", Some(&moved)).await.status, 200);
    assert_ne!(sees(&client.id).await, theirs);
}

async fn r_7592_3_6_11_what_is_read_is_what_was_written_last(database: Database) {
    let house = open(database).await;
    let logo = json!({ "logo_uri": "https://rp.example/logo.png", "contacts": ["a@rp.example"] });
    let (answer, client) = registered(&house, &logo).await;
    let read = manage(&house, &answer, "GET", None).await.ok();
    for (member, value) in as_it_is(&answer).as_object().unwrap() {
        if member != "client_secret" {
            assert_eq!(read.json[member], *value, "{member}");
        }
    }
    let mut changed = as_it_is(&answer);
    let members = changed.as_object_mut().unwrap();
    members.remove("logo_uri");
    members.insert("contacts".into(), Value::Null);
    members.insert("client_name".into(), "Another name".into());
    let written = manage(&house, &answer, "PUT", Some(&changed)).await;
    assert_eq!(written.status, 200, "{}", written.body);
    house.told("client.update", "granted").await;
    assert_eq!(written.text("client_name"), "Another name");
    assert!(written.json.get("logo_uri").is_none() && written.json.get("contacts").is_none());
    assert_eq!(manage(&house, &answer, "GET", None).await.ok().json, written.json);
    assert_eq!(written.json["client_id_issued_at"], answer.json["client_id_issued_at"]);
    // The secret stays, though it is not told again.
    let alice = house.signed_in("alice").await;
    let code =
        house.ask(&client).returning_to(BACK).scope("orders:read").resource(ORDERS).approved_by(&alice).await;
    code.redeem(&client).await.ok();
}

#[tokio::test]
async fn r_7592_7_8_9_10_an_update_that_is_refused_changes_nothing() {
    let house = open(Database::Sqlite).await;
    let (answer, client) = registered(&house, &json!({})).await;
    let (other, _) = registered(&house, &json!({})).await;
    let before = manage(&house, &answer, "GET", None).await.ok().json;
    for (member, value, code) in [
        (
            "registration_access_token",
            answer.json["registration_access_token"].clone(),
            "invalid_client_metadata",
        ),
        (
            "registration_client_uri",
            answer.json["registration_client_uri"].clone(),
            "invalid_client_metadata",
        ),
        ("client_secret_expires_at", json!(0), "invalid_client_metadata"),
        ("client_id_issued_at", json!(1), "invalid_client_metadata"),
        ("client_id", Value::Null, "invalid_client_metadata"),
        ("client_id", other.json["client_id"].clone(), "invalid_client_metadata"),
        ("client_secret", json!("my own choice"), "invalid_client_metadata"),
        ("client_secret", other.json["client_secret"].clone(), "invalid_client_metadata"),
        ("redirect_uris", json!(["http://evil.example/cb"]), "invalid_redirect_uri"),
        ("jwks_uri", json!("http://rp.example/jwks"), "invalid_client_metadata"),
    ] {
        let mut changed = as_it_is(&answer);
        changed["client_name"] = "Another name".into();
        changed[member] = value.clone();
        manage(&house, &answer, "PUT", Some(&changed)).await.refused(code);
        house.told("client.update", code).await;
        assert_eq!(manage(&house, &answer, "GET", None).await.ok().json, before, "{member} {value}");
    }
    let mut right = as_it_is(&answer);
    right["client_secret"] = answer.json["client_secret"].clone();
    manage(&house, &answer, "PUT", Some(&right)).await.ok();
    assert_eq!(client.id, before["client_id"]);
}

#[tokio::test]
async fn a_secret_is_made_when_it_is_first_needed_and_gone_when_it_is_not() {
    let house = open(Database::Sqlite).await;
    let (answer, client) = registered(&house, &json!({ "token_endpoint_auth_method": "none" })).await;
    let mut confidential = as_it_is(&answer);
    confidential["token_endpoint_auth_method"] = "client_secret_basic".into();
    confidential["grant_types"] = json!(["authorization_code", "client_credentials"]);
    let written = manage(&house, &answer, "PUT", Some(&confidential)).await.ok();
    let secret = written.text("client_secret").to_owned();
    assert_eq!(written.json["client_secret_expires_at"], 0);
    let now = client.clone().authenticating(Authentication::Basic(secret.clone()));
    now.own_token("orders:read", ORDERS).await.ok();
    manage(&house, &answer, "PUT", Some(&as_it_is(&answer))).await.ok();
    now.own_token("orders:read", ORDERS).await.refused("invalid_client");
    // The old secret does not come back to life.
    let again = manage(&house, &answer, "PUT", Some(&confidential)).await.ok();
    assert_ne!(again.text("client_secret"), secret);
    now.own_token("orders:read", ORDERS).await.refused("invalid_client");
}

async fn r_7592_4_12_13_whoever_leaves_takes_everything_along(database: Database) {
    let house = open(database).await;
    let more = json!({ "grant_types": ["authorization_code", "refresh_token", "client_credentials"] });
    let (answer, client) = registered(&house, &more).await;
    let (_, bystander) = registered(&house, &more).await;
    let alice = house.signed_in("alice").await;
    let ask = |client| {
        house.ask(client).returning_to(BACK).scope("openid offline_access orders:read").resource(ORDERS)
    };
    let tokens = ask(&client).approved_by(&alice).await.redeem(&client).await.ok();
    let others = ask(&bystander).approved_by(&alice).await.redeem(&bystander).await.ok();
    let own = client.own_token("orders:read", ORDERS).await.ok();
    let code = ask(&client).with("prompt", "consent").approved_by(&alice).await;

    let left = manage(&house, &answer, "DELETE", None).await;
    assert_eq!((left.status, left.body.as_str(), left.header("cache-control")), (204, "", "no-store"));
    let event = house.told("client.delete", "granted").await;
    assert_eq!(event["client"], answer.json["client_id"]);
    for token in [tokens.access_token(), own.access_token()] {
        assert!(!house.is_active(token).await);
    }
    client.refresh(tokens.text("refresh_token"), &[]).await.refused("invalid_client");
    code.redeem(&client).await.refused("invalid_client");
    client.own_token("orders:read", ORDERS).await.refused("invalid_client");
    assert_eq!(ask(&client).brought_by(&alice).await.page().status, 400);
    for method in ["GET", "PUT", "DELETE"] {
        let body = (method == "PUT").then(|| as_it_is(&answer));
        manage(&house, &answer, method, body.as_ref()).await.refused_with(401, "invalid_token");
    }
    let gone = house.request("GET", "/userinfo").bearer_auth(tokens.access_token());
    assert_eq!(house.send(gone).await.status, 401);
    let consents = house.store().recent_consents(10).await.unwrap();
    let alive: Vec<_> = consents.iter().filter(|one| one.is_live(house.door().now())).collect();
    assert!(alive.iter().all(|consent| consent.client.as_str() == bystander.id), "{alive:?}");
    // Nobody else is touched.
    assert!(house.is_active(others.access_token()).await);
    bystander.refresh(others.text("refresh_token"), &[]).await.ok();
}

async fn an_update_and_an_end_at_once_leave_nothing_alive(database: Database) {
    let house = open(database).await;
    for _ in 0..3 {
        let (answer, client) =
            registered(&house, &json!({ "grant_types": ["client_credentials"], "redirect_uris": [] })).await;
        let body = as_it_is(&answer);
        let (changed, ended) = tokio::join!(
            manage(&house, &answer, "PUT", Some(&body)),
            manage(&house, &answer, "DELETE", None)
        );
        assert!([200, 401].contains(&changed.status), "{}", changed.body);
        assert_eq!(ended.status, 204, "{}", ended.body);
        client.own_token("orders:read", ORDERS).await.refused("invalid_client");
        manage(&house, &answer, "GET", None).await.refused_with(401, "invalid_token");
    }
}

#[tokio::test]
async fn r_7592_12_other_methods_are_not_allowed() {
    let house = open(Database::Sqlite).await;
    let (answer, client) = registered(&house, &json!({})).await;
    for method in ["PATCH", "POST"] {
        assert_eq!(manage(&house, &answer, method, Some(&as_it_is(&answer))).await.status, 405);
    }
    let listed = house.send(house.request("GET", "/register")).await;
    assert_eq!(listed.status, 405);
    assert!(!listed.body.contains(&client.id));
}

#[tokio::test]
async fn what_the_operator_declares_under_the_same_id_is_the_operators_from_then_on() {
    let mut house = open(Database::Sqlite).await;
    let (answer, client) = registered(&house, &json!({})).await;
    house
        .restart_changed(|config| {
            format!(
                "{config}\n[[clients]]\nid = \"{}\"\nname = \"Adopted\"\nkind = \"application\"\n\
                 authentication = \"none\"\nredirect_uris = [\"https://adopted.example/cb\"]\n",
                client.id
            )
        })
        .await;
    let found = house.store().find_client(&client.id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(found.name, "Adopted");
    manage(&house, &answer, "GET", None).await.refused_with(401, "invalid_token");
}

#[tokio::test]
async fn a_suspended_client_cannot_change_itself() {
    use protocol::client::{Client, ClientStatus};
    use server::store::{Change, Origin, Record};
    let house: House = open(Database::Sqlite).await;
    let (answer, client) = registered(&house, &json!({})).await;
    let found = house.store().find_client(&client.id.parse().unwrap()).await.unwrap().unwrap();
    let suspended = Client { status: ClientStatus::Suspended, ..found.as_ref().clone() };
    let record = Record::Client { client: suspended, origin: Origin::Registered };
    house.store().commit(Change::housekeeping(house.door().now()).keep(record)).await.unwrap();
    manage(&house, &answer, "GET", None).await.refused_with(403, "access_denied");
    manage(&house, &answer, "PUT", Some(&as_it_is(&answer))).await.refused_with(403, "access_denied");
}

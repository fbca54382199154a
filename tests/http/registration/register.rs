//! `POST /register` (RFC 7591), by the numbers of its requirements.

use std::sync::Arc;

use protocol::identifier::ClientId;
use protocol::numeric_date::NumericDate;
use serde_json::{Value, json};
use server::secret::{Secret, SystemEntropy};
use server::store::{Change, InitialAccessToken, Record};
use tests::{Authentication, Client, Database, House, Key, ORDERS, Site, on_both_databases};

use super::{BACK, metadata, open, register, registered, settings};

on_both_databases! {
    r_7591_2_an_initial_access_token_is_good_for_as_many_clients_as_it_says,
    of_many_uses_of_one_initial_access_token_at_once_as_many_win_as_it_says,
    r_7591_14_to_17_a_client_is_told_what_was_registered_and_can_use_it,
    a_client_that_registered_itself_stays_over_restarts_and_other_configurations,
    clients_that_nobody_uses_end_and_others_stay,
}

/// Puts an initial access token into the house, as the command line does.
async fn token(house: &House, uses: u32, expires_at: NumericDate) -> String {
    let secret = Secret::generate(&SystemEntropy, "iat_");
    let token = InitialAccessToken { digest: secret.digest(), name: "a partner".into(), uses, expires_at };
    let change = Change::housekeeping(house.door().now()).keep(Record::InitialAccessToken(token));
    house.store().commit(change).await.unwrap();
    secret.reveal().to_owned()
}

async fn register_with(house: &House, token: &str) -> tests::Answer {
    let request = house.request("POST", "/register").bearer_auth(token);
    house.send(request.json(&metadata(&json!({})))).await
}

#[tokio::test]
async fn r_7591_1_only_json_is_read() {
    let house = open(Database::Sqlite).await;
    let form = house.request("POST", "/register").form(&[("redirect_uris", BACK)]);
    house.send(form).await.refused_with(415, "invalid_client_metadata");
    for body in ["", "{", "[]", "null", r#"{"redirect_uris":["https://a.example/"],"redirect_uris":[]}"#] {
        let request = house.request("POST", "/register").header("Content-Type", "application/json");
        house.send(request.body(body)).await.refused("invalid_client_metadata");
        house.told("client.register", "invalid_client_metadata").await;
    }
    let request =
        house.request("POST", "/register").header("Content-Type", "application/json; charset=utf-8");
    assert_eq!(house.send(request.body(metadata(&json!({})).to_string())).await.status, 201);
}

#[tokio::test]
async fn without_a_word_in_the_configuration_nobody_registers() {
    let house = House::open().await;
    register(&house, &metadata(&json!({}))).await.refused_with(403, "access_denied");
    let told = house.send(house.request("GET", "/.well-known/openid-configuration")).await.ok().json;
    assert!(told.get("registration_endpoint").is_none(), "{told}");
    assert!(told.get("client_id_metadata_document_supported").is_none(), "{told}");
}

async fn r_7591_2_an_initial_access_token_is_good_for_as_many_clients_as_it_says(database: Database) {
    let house = House::on_with(database, &settings("enabled = \"token\"")).await;
    let none = register(&house, &metadata(&json!({}))).await;
    assert_eq!((none.status, none.header("www-authenticate")), (401, "Bearer realm=\"procura\""));
    let soon = house.door().now().plus(protocol::numeric_date::Seconds(60));
    let token = token(&house, 2, soon).await;
    for unfit in ["x", &token[1..], &format!("{token}x")] {
        let refused = register_with(&house, unfit).await.refused_with(401, "invalid_token");
        assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""));
    }
    for scheme in ["Basic", "DPoP"] {
        let request = house.request("POST", "/register").header("Authorization", format!("{scheme} {token}"));
        house.send(request.json(&metadata(&json!({})))).await.refused_with(401, "invalid_token");
    }
    // A document that is refused costs nothing.
    let request = house.request("POST", "/register").bearer_auth(&token);
    house.send(request.json(&json!({}))).await.refused("invalid_redirect_uri");
    for _ in 0..2 {
        assert_eq!(register_with(&house, &token).await.status, 201);
        house.told("client.register", "granted").await;
    }
    register_with(&house, &token).await.refused_with(401, "invalid_token");
    let over = self::token(&house, 1, soon).await;
    house.later(61);
    register_with(&house, &over).await.refused_with(401, "invalid_token");
}

async fn of_many_uses_of_one_initial_access_token_at_once_as_many_win_as_it_says(database: Database) {
    let house = House::on_with(database, &settings("enabled = \"token\"")).await;
    let token = token(&house, 3, house.door().now().plus(protocol::numeric_date::Seconds(60))).await;
    let uses: Vec<_> = (0..8)
        .map(|_| house.request("POST", "/register").bearer_auth(&token).json(&metadata(&json!({}))).send())
        .map(tokio::spawn)
        .collect();
    let mut granted = 0;
    for attempt in uses {
        let status = attempt.await.unwrap().unwrap().status().as_u16();
        assert!([201, 401, 429].contains(&status), "{status}");
        granted += u32::from(status == 201);
    }
    assert_eq!(granted, 3);
}

#[tokio::test]
async fn r_7591_3_and_22_many_registrations_from_one_address_wait_and_the_number_of_clients_is_bounded() {
    let some = settings("enabled = \"open\"").replace("= 1000", "= 2");
    let house = House::open_with(&some).await;
    for _ in 0..2 {
        assert_eq!(register(&house, &metadata(&json!({}))).await.status, 201);
    }
    let burst = register(&house, &metadata(&json!({}))).await.refused_with(429, "temporarily_unavailable");
    assert_eq!(burst.header("retry-after"), "60");
    let few = House::open_with(&settings("enabled = \"open\"\nmost_clients = 1")).await;
    assert_eq!(register(&few, &metadata(&json!({}))).await.status, 201);
    let full = register(&few, &metadata(&json!({}))).await.refused_with(503, "temporarily_unavailable");
    assert_eq!(full.header("retry-after"), "3600");
}

async fn r_7591_14_to_17_a_client_is_told_what_was_registered_and_can_use_it(database: Database) {
    let house = open(database).await;
    let (answer, client) = registered(
        &house,
        &json!({
            "client_id": "mine", "zz": 1, "scope": "openid offline_access orders:read orders:write",
            "grant_types": ["authorization_code", "refresh_token"],
        }),
    )
    .await;
    house.told("client.register", "granted").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    for (member, value) in [
        ("client_secret_expires_at", json!(0)),
        ("client_name", json!("The newcomer")),
        ("redirect_uris", json!([BACK])),
        ("grant_types", json!(["authorization_code", "refresh_token"])),
        ("response_types", json!(["code"])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("scope", json!("offline_access openid orders:read")),
        ("client_id_issued_at", json!(house.door().now().0)),
    ] {
        let told = &answer.json[member];
        if member == "client_id_issued_at" {
            assert!((told.as_i64().unwrap() - value.as_i64().unwrap()).abs() < 5, "{told}");
        } else {
            assert_eq!(*told, value, "{member}");
        }
    }
    assert!(client.id.starts_with("dyn_") && answer.json.get("zz").is_none(), "{}", answer.body);
    let (other, _) = registered(&house, &json!({})).await;
    assert_ne!(other.text("client_id"), client.id);
    assert_ne!(other.text("client_secret"), answer.text("client_secret"));
    assert_ne!(other.text("registration_access_token"), answer.text("registration_access_token"));

    // It is a client like any other now.
    let alice = house.signed_in("alice").await;
    let ask =
        house.ask(&client).returning_to(BACK).scope("openid offline_access orders:read").resource(ORDERS);
    let tokens = ask.approved_by(&alice).await.redeem(&client).await.ok();
    assert!(house.is_active(tokens.access_token()).await);
    client.refresh(tokens.text("refresh_token"), &[]).await.ok();
    let wrong = client.clone().authenticating(Authentication::Basic("wrong".into()));
    wrong.refresh(tokens.text("refresh_token"), &[]).await.refused("invalid_client");
    // Only what it registered.
    client.own_token("orders:read", ORDERS).await.refused("unauthorized_client");
    let stored = format!("{:?}", house.store().find_client(&client.id.parse().unwrap()).await.unwrap());
    assert!(!stored.contains(answer.text("client_secret")), "only a digest is stored");
    let events = serde_json::to_string(&house.events().await).unwrap();
    assert!(!events.contains(answer.text("client_secret")));
    assert!(!events.contains(answer.text("registration_access_token")));
}

#[tokio::test]
async fn r_7591_19_each_kind_of_fault_has_its_code() {
    let house = open(Database::Sqlite).await;
    for (more, code) in [
        (json!({ "redirect_uris": ["http://evil.example/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["https://a.example/#f"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["javascript:alert(1)"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": null }), "invalid_redirect_uri"),
        (
            json!({ "grant_types": ["client_credentials"], "response_types": ["code"] }),
            "invalid_client_metadata",
        ),
        (json!({ "initiate_login_uri": "http://rp.example/login" }), "invalid_client_metadata"),
        (json!({ "jwks": { "keys": [] } }), "invalid_client_metadata"),
        (json!({ "jwks_uri": "http://169.254.169.254/latest" }), "invalid_client_metadata"),
        (json!({ "software_statement": "garbage" }), "invalid_software_statement"),
    ] {
        let refused = register(&house, &metadata(&more)).await.refused(code);
        assert_eq!(refused.header("content-type"), "application/json");
        assert!(refused.json["error_description"].is_string());
        house.told("client.register", code).await;
    }
    assert_eq!(house.store().count_registrations().await.unwrap(), 0);
}

#[tokio::test]
async fn r_7591_20_a_public_client_gets_no_secret() {
    let house = open(Database::Sqlite).await;
    let (answer, client) = registered(&house, &json!({ "token_endpoint_auth_method": "none" })).await;
    assert!(
        answer.json.get("client_secret").is_none() && answer.json.get("client_secret_expires_at").is_none()
    );
    let alice = house.signed_in("alice").await;
    let code =
        house.ask(&client).returning_to(BACK).scope("orders:read").resource(ORDERS).approved_by(&alice).await;
    code.redeem(&client).await.ok();
}

#[tokio::test]
async fn r_7591_11_a_client_uses_the_grants_that_it_registered_and_no_others() {
    let house = open(Database::Sqlite).await;
    let key = Arc::new(Key::generate());
    let more = json!({
        "redirect_uris": [], "token_endpoint_auth_method": "private_key_jwt",
        "jwks": { "keys": [key.jwk.clone()] },
        "grant_types": ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"],
    });
    let answer = register(&house, &metadata(&more)).await.ok();
    assert!(answer.json.get("client_secret").is_none());
    let authentication = Authentication::PrivateKeyJwt(key);
    let client = Client::new(house.door(), answer.text("client_id"), authentication);
    client.own_token("orders:read", ORDERS).await.ok();
    client.own_token("orders:write", ORDERS).await.refused("invalid_scope");
    // Known to the endpoint and permitted, though this token is none of its own.
    let foreign = house.client("agent-a").own_token("orders:read", ORDERS).await.ok();
    let exchanged = client.exchange(foreign.access_token(), &[]).await;
    assert_ne!(exchanged.json["error"], "unauthorized_client", "{}", exchanged.body);
    client.refresh("x", &[]).await.refused("unauthorized_client");
}

/// A house that believes the statements of one key.
async fn believing(key: &Key) -> House {
    let trusted = format!(
        "enabled = \"open\"\nsoftware_statement_issuers = [{{ issuer = \"https://approvals.example\", jwks = {} }}]",
        key.jwks_toml()
    );
    House::open_with(&settings(&trusted)).await
}

#[tokio::test]
async fn r_7591_13_and_18_a_software_statement_of_somebody_trusted_wins() {
    let key = Key::generate();
    let house = believing(&key).await;
    let now = house.door().now().0;
    let header = json!({ "alg": "ES256" });
    let claims = json!({
        "iss": "https://approvals.example", "exp": now + 60, "client_name": "Approved",
        "redirect_uris": ["https://approved.example/cb"],
    });
    let statement = key.sign(&header, &claims);
    let with =
        |statement: &str| metadata(&json!({ "software_statement": statement, "contacts": ["a@rp.example"] }));
    let answer = register(&house, &with(&statement)).await.ok();
    assert_eq!(answer.text("software_statement"), statement);
    assert_eq!(answer.text("client_name"), "Approved");
    assert_eq!(answer.json["redirect_uris"], json!(["https://approved.example/cb"]));
    assert_eq!(
        answer.json["contacts"],
        json!(["a@rp.example"]),
        "what the statement leaves open is the client's"
    );

    let mut untrusted = claims.clone();
    untrusted["iss"] = "https://elsewhere.example".into();
    let untrusted = with(&key.sign(&header, &untrusted));
    register(&house, &untrusted).await.refused("unapproved_software_statement");
    house.told("client.register", "unapproved_software_statement").await;
    let mut over = claims.clone();
    over["exp"] = (now - 1).into();
    let forged = Key::generate().sign(&header, &claims);
    let tampered = format!("{}x", &statement[..statement.len() - 1]);
    let unsigned = key.sign(&json!({ "alg": "none" }), &claims);
    for unfit in [key.sign(&header, &over), forged, tampered, unsigned] {
        register(&house, &with(&unfit)).await.refused("invalid_software_statement");
    }
    let mut evil = claims;
    evil["redirect_uris"] = json!(["http://evil.example/"]);
    register(&house, &with(&key.sign(&header, &evil))).await.refused("invalid_redirect_uri");
}

#[tokio::test]
async fn r_7591_26_a_sector_is_what_its_document_says() {
    let site = Site::open().await;
    let house = House::open_with(&format!("{}{}", settings("enabled = \"open\""), site.reachable())).await;
    let uris = json!(["https://a.example/cb", "https://b.example/cb"]);
    let with = |path: &str| {
        metadata(
            &json!({ "subject_type": "pairwise", "redirect_uris": uris, "sector_identifier_uri": site.url(path) }),
        )
    };
    site.shows_json("/good", &json!(["https://c.example/", "https://b.example/cb", "https://a.example/cb"]));
    site.shows_json("/bad", &json!(["https://a.example/cb"]));
    site.shows("/moved", "302 Found", &[&format!("Location: {}", site.url("/good"))], b"");
    let answer = register(&house, &with("/good")).await.ok();
    assert_eq!(answer.text("sector_identifier_uri"), site.url("/good"));
    for bad in ["/bad", "/moved", "/missing"] {
        register(&house, &with(bad)).await.refused("invalid_client_metadata");
    }
    let without = metadata(&json!({ "subject_type": "pairwise", "redirect_uris": uris }));
    register(&house, &without).await.refused("invalid_client_metadata");
}

#[tokio::test]
async fn r_7591_24_an_address_within_is_not_asked() {
    let site = Site::open().await;
    let house = House::open_with(&format!("{}{}", settings("enabled = \"open\""), site.out_of_reach())).await;
    site.shows_json("/sector", &json!([BACK]));
    for url in [site.url("/sector"), site.url_by_name("/sector")] {
        let more = json!({ "sector_identifier_uri": url });
        let within = register(&house, &metadata(&more)).await.refused("invalid_client_metadata");
        // Nobody learns whether somebody is there.
        let nowhere = json!({ "sector_identifier_uri": "https://127.0.0.1:1/sector" });
        assert_eq!(within.body, register(&house, &metadata(&nowhere)).await.body);
    }
    assert_eq!(site.asked_for("/sector"), 0);
}

#[tokio::test]
async fn r_7591_29_members_of_extensions_are_registered_and_what_they_say_holds() {
    let house = open(Database::Sqlite).await;
    let key = Arc::new(Key::generate());
    let more = json!({
        "jwks": { "keys": [key.jwk.clone()] },
        "dpop_bound_access_tokens": true, "require_pushed_authorization_requests": true,
        "tls_client_certificate_bound_access_tokens": false, "authorization_details_types": ["mcp_tool", "other"],
        "authorization_signed_response_alg": "ES256", "introspection_signed_response_alg": "ES256",
        "backchannel_logout_uri": "https://rp.example/bc", "frontchannel_logout_uri": "https://rp.example/fc",
        "post_logout_redirect_uris": ["https://rp.example/bye"], "request_uris": ["https://rp.example/request#1"],
        "default_max_age": 600, "contacts": ["ops@rp.example"], "initiate_login_uri": "https://rp.example/login",
        "client_name#de": "Der Neue",
    });
    let (answer, client) = registered(&house, &more).await;
    for (member, value) in more.as_object().unwrap() {
        let value = match member.as_str() {
            "authorization_details_types" => json!(["mcp_tool"]),
            // A default that says nothing need not be told.
            "tls_client_certificate_bound_access_tokens" => Value::Null,
            _ => value.clone(),
        };
        assert_eq!(answer.json[member], value, "{member}");
    }
    let alice = house.signed_in("alice").await;
    let ask = house.ask(&client).returning_to(BACK).scope("orders:read").resource(ORDERS);
    let refused = ask.clone().brought_by(&alice).await;
    assert_eq!(refused.param("error"), "invalid_request", "it must push");
    let pushed = ask.clone().pushed(&client).await;
    let code = pushed.approved_by(&alice).await;
    code.redeem(&client).await.refused("invalid_request");
    let proving = client.clone().with_dpop();
    let code = ask.pushed(&proving).await.approved_by(&alice).await;
    let tokens = code.redeem(&proving).await.ok();
    assert_eq!(tokens.json["token_type"], "DPoP");
}

#[tokio::test]
async fn the_profile_for_registered_clients_holds() {
    let house = House::open_with(&settings("enabled = \"open\"\nprofile = \"fapi2\"")).await;
    register(&house, &metadata(&json!({ "token_endpoint_auth_method": "client_secret_basic" })))
        .await
        .refused("invalid_client_metadata");
    let key = Arc::new(Key::generate());
    let jwks = json!({ "keys": [key.jwk.clone()] });
    let rs256 = json!({ "jwks": jwks, "id_token_signed_response_alg": "RS256" });
    register(&house, &metadata(&rs256)).await.refused("invalid_client_metadata");
    let answer = register(&house, &metadata(&json!({ "jwks": jwks }))).await.ok();
    assert_eq!(answer.json["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(answer.json["require_pushed_authorization_requests"], true);
    let id: ClientId = answer.text("client_id").parse().unwrap();
    let client = house.store().find_client(&id).await.unwrap().unwrap();
    assert_eq!(client.profile.as_str(), "fapi2");
}

async fn a_client_that_registered_itself_stays_over_restarts_and_other_configurations(database: Database) {
    let mut house = open(database).await;
    let (answer, client) =
        registered(&house, &json!({ "grant_types": ["client_credentials"], "redirect_uris": [] })).await;
    house.restart().await;
    let client = Client::new(house.door(), &client.id, client.authentication.clone());
    client.own_token("orders:read", ORDERS).await.ok();
    house.restart_changed(|config| config.replace("enabled = \"open\"", "enabled = \"closed\"")).await;
    let client = Client::new(house.door(), &client.id, client.authentication.clone());
    client.own_token("orders:read", ORDERS).await.ok();
    // Whoever is there may still manage what is theirs.
    super::manage(&house, &answer, "GET", None).await.ok();
    register(&house, &metadata(&json!({}))).await.refused_with(403, "access_denied");
}

async fn clients_that_nobody_uses_end_and_others_stay(database: Database) {
    let fragment = settings("enabled = \"open\"\nunused_client_life = \"1h\"");
    let house = House::on_with(database, &fragment).await;
    let service = json!({ "grant_types": ["client_credentials"], "redirect_uris": [] });
    let (idle, _) = registered(&house, &service).await;
    let (busy, client) = registered(&house, &service).await;
    client.own_token("orders:read", ORDERS).await.ok();
    house.later(3500);
    house.sweep().await;
    super::manage(&house, &idle, "GET", None).await.ok();
    house.later(200);
    house.sweep().await;
    let event = house.told("client.delete", "granted").await;
    assert_eq!(event["client"], idle.json["client_id"]);
    super::manage(&house, &idle, "GET", None).await.refused_with(401, "invalid_token");
    super::manage(&house, &busy, "GET", None).await.ok();
    client.own_token("orders:read", ORDERS).await.ok();
    assert_eq!(house.store().count_registrations().await.unwrap(), 1);
    // Long after, nothing of it is left.
    house.later(3 * 86_400);
    house.sweep().await;
    let id = idle.text("client_id").parse().unwrap();
    assert!(house.store().find_client(&id).await.unwrap().is_none());
}

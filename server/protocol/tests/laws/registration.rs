//! Clients that register themselves: what is registered keeps to the rules, and is told back as it is.

use proptest::prelude::*;
use protocol::client::{AuthMethod, Client, GrantType};
use protocol::identifier::ClientId;
use protocol::profile::{Judged, SecurityProfile};
use protocol::refusal::{ErrorCode, Refuse as _};
use protocol::registration::metadata_document::{self, DocumentRefused};
use protocol::registration::{self, Policy, Registration, RegistrationRefused};
use protocol::subject::{Perspective, perspective};
use serde_json::{Map, Value, json};

const X: &str = "og1b0QL38pVYeuKR-NFIST98pr8tiQaSba2AcdQAwQQ";
const Y: &str = "i8zz-FfbhIe6R68cllVeh3fa2zGYmzNz3K2JQxQ-SJI";

fn policy(profile: SecurityProfile) -> Policy {
    Policy {
        profile,
        auth_methods: AuthMethod::offered(true, true).collect(),
        scope: "openid profile email orders:read".parse().unwrap(),
        resources: ["https://orders.example".parse().unwrap()].into(),
        grant_types: GrantType::ALL.into(),
        authorization_details_types: ["mcp_tool".parse().unwrap()].into(),
    }
}

fn usual() -> Policy {
    policy(SecurityProfile::OAuth21)
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn parse(document: &Value) -> Result<Registration, RegistrationRefused> {
    Registration::parse(&object(document.clone()), &usual())
}

fn client(document: &Value) -> Client {
    parse(document).unwrap().into_client("dyn_1".parse().unwrap(), "digest".into(), &usual())
}

/// A registration with one redirect URI and `more`.
fn with(more: Value) -> Value {
    let mut document = json!({"redirect_uris": ["https://a.example/cb"]});
    document.as_object_mut().unwrap().extend(object(more));
    document
}

fn jwks() -> Value {
    json!({"keys": [{"kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "1"}]})
}

fn refused(document: &Value) -> ErrorCode {
    parse(document).expect_err("this document must be refused").code()
}

#[test]
fn whoever_gets_tokens_on_ways_that_end_at_no_redirect_uri_is_a_sector_by_itself() {
    let seen = |id: &str, grant_types: &[GrantType], subject_type: &str| {
        let grant_types: Vec<_> = grant_types.iter().map(|grant| grant.as_str()).collect();
        let document = with(json!({ "grant_types": grant_types, "subject_type": subject_type }));
        let registration = parse(&document).unwrap();
        perspective(&registration.into_client(id.parse().unwrap(), "digest".into(), &usual()))
    };
    let by_code = [GrantType::AuthorizationCode, GrantType::RefreshToken];
    let theirs = seen("dyn_1", &by_code, "pairwise");
    assert_eq!(seen("dyn_2", &by_code, "pairwise"), theirs);
    for grant in [GrantType::DeviceCode, GrantType::Ciba, GrantType::TokenExchange, GrantType::JwtBearer] {
        let both = [&by_code[..], &[grant]].concat();
        assert_ne!(seen("dyn_2", &both, "pairwise"), theirs, "{grant:?}");
        assert_ne!(seen("dyn_2", &both, "pairwise"), seen("dyn_3", &both, "pairwise"), "{grant:?}");
        assert_eq!(seen("dyn_2", &both, "public"), Perspective::Public, "{grant:?}");
    }
}

/// Members that are known, with values likely and unlikely.
fn documents() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(vec![
        "redirect_uris",
        "grant_types",
        "response_types",
        "token_endpoint_auth_method",
        "jwks",
        "jwks_uri",
        "scope",
        "client_name",
        "client_name#de",
        "logo_uri",
        "application_type",
        "subject_type",
        "sector_identifier_uri",
        "id_token_signed_response_alg",
        "id_token_encrypted_response_alg",
        "id_token_encrypted_response_enc",
        "initiate_login_uri",
        "default_max_age",
        "require_auth_time",
        "request_uris",
        "contacts",
        "backchannel_token_delivery_mode",
        "backchannel_client_notification_endpoint",
        "frontchannel_logout_uri",
        "authorization_details_types",
        "dpop_bound_access_tokens",
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "post_logout_redirect_uris",
        "zz",
    ]);
    let value = prop::sample::select(vec![
        json!(["https://a.example/cb"]),
        json!(["http://127.0.0.1/cb"]),
        json!(["com.example.app:/cb"]),
        json!([]),
        json!(["authorization_code", "refresh_token"]),
        json!(["client_credentials"]),
        json!(["code"]),
        json!("none"),
        json!("private_key_jwt"),
        json!("client_secret_post"),
        jwks(),
        json!({"keys": []}),
        json!("https://a.example/x"),
        json!("openid orders:read other"),
        json!("A name"),
        json!("native"),
        json!("pairwise"),
        json!("RS256"),
        json!("ES256"),
        json!("ECDH-ES"),
        json!("A256GCM"),
        json!(300),
        json!(true),
        json!("poll"),
        json!("ping"),
        json!(null),
        json!(["mcp_tool", "other"]),
        json!(["x", 1]),
        json!({"a": {"b": []}}),
        json!(""),
        json!(-1),
    ]);
    prop::collection::btree_map(name, value, 0..12)
        .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

proptest! {
    #[test]
    fn no_document_makes_the_parser_panic_and_what_is_registered_keeps_to_its_profile_and_policy(
        document in documents(),
        profile in prop::sample::select(SecurityProfile::ALL.to_vec()),
    ) {
        let policy = policy(profile);
        let Ok(registration) = Registration::parse(&document, &policy) else { return Ok(()) };
        let client = registration.into_client("dyn_1".parse().unwrap(), "digest".into(), &policy);
        prop_assert!(client.scope.is_within(&policy.scope));
        prop_assert!(client.grant_types.is_subset(&policy.grant_types));
        prop_assert!(client.authorization_details_types.is_subset(&policy.authorization_details_types));
        prop_assert!(client.agent().is_none() && client.resource_server.is_none());
        let judged = Judged {
            method: client.authentication.method(),
            redirect_uris: &client.redirect_uris,
            id_token_signed_response_alg: client.id_token_signed_response_alg,
            metadata: &client.metadata,
        };
        prop_assert_eq!(profile.judge(&judged), vec![]);
    }

    #[test]
    fn what_a_client_is_told_registers_the_same_client(document in documents()) {
        let Ok(registration) = Registration::parse(&document, &usual()) else { return Ok(()) };
        let told = registration::echo(&registration.clone().into_client(
            "dyn_1".parse().unwrap(), "digest".into(), &usual(),
        ));
        prop_assert_eq!(Registration::parse(&told, &usual()).unwrap(), registration);
    }

    #[test]
    fn no_bytes_make_the_reader_of_documents_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = registration::document(&body);
    }

    #[test]
    fn no_text_makes_the_reader_of_urls_as_client_ids_panic(text in "(https://)?[!-~]{1,80}") {
        let id: ClientId = text.parse().unwrap();
        if let Some(url) = metadata_document::url_of(&id) {
            prop_assert_eq!(url.as_str(), id.as_str());
        }
    }
}

#[test]
fn whoever_says_nothing_gets_the_defaults_and_is_told_them() {
    let told = registration::echo(&client(&with(json!({}))));
    for (member, value) in [
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("grant_types", json!(["authorization_code"])),
        ("response_types", json!(["code"])),
        ("application_type", json!("web")),
        ("subject_type", json!("public")),
        ("id_token_signed_response_alg", json!("RS256")),
        ("scope", json!("email openid orders:read profile")),
        ("authorization_details_types", json!(["mcp_tool"])),
    ] {
        assert_eq!(told[member], value, "{member}");
    }
    assert!(!told.contains_key("client_name"), "its id is no name that it gave itself");
}

#[test]
fn what_is_beyond_the_policy_is_left_out_and_what_is_left_is_told() {
    let told = registration::echo(&client(&with(json!({
        "scope": "openid admin orders:read",
        "grant_types": ["authorization_code", "implicit", "urn:x"],
        "response_types": ["code", "token"],
        "authorization_details_types": ["payment"],
        "zz": 1,
    }))));
    assert_eq!(told["scope"], "openid orders:read");
    assert_eq!(told["grant_types"], json!(["authorization_code"]));
    assert_eq!(told["response_types"], json!(["code"]));
    assert!(!told.contains_key("authorization_details_types") && !told.contains_key("zz"));
}

#[test]
fn grant_types_and_response_types_that_contradict_each_other_are_refused() {
    for document in [
        with(json!({"grant_types": ["client_credentials"], "response_types": ["code"]})),
        with(json!({"grant_types": ["authorization_code"], "response_types": []})),
        with(json!({"response_types": ["token"]})),
        with(json!({"response_types": ["code id_token"]})),
        with(json!({"grant_types": []})),
        with(json!({"grant_types": ["refresh_token"]})),
        with(json!({"grant_types": ["implicit"]})),
        with(json!({"grant_types": "authorization_code"})),
        with(json!({"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]})),
    ] {
        assert_eq!(refused(&document), ErrorCode::InvalidClientMetadata, "{document}");
    }
    let service = client(&json!({"grant_types": ["client_credentials"]}));
    assert_eq!(registration::echo(&service)["response_types"], json!([]));
}

#[test]
fn a_redirect_uri_is_https_or_leads_to_the_users_own_machine() {
    for bad in [
        json!([]),
        json!(["http://evil.example/cb"]),
        json!(["/cb"]),
        json!(["https://a.example/cb#f"]),
        json!(["javascript:alert(1)"]),
        json!(["data:text/html,x"]),
        json!(["https://u@a.example/"]),
        json!(["https://a.example/cb", "http://10.0.0.1/cb"]),
        json!(["myapp:/cb"]),
        json!(["https://*"]),
    ] {
        let document = json!({"redirect_uris": bad});
        assert_eq!(refused(&document), ErrorCode::InvalidRedirectUri, "{document}");
    }
    assert_eq!(refused(&json!({})), ErrorCode::InvalidRedirectUri);
    for good in
        ["https://a.example/cb?x=1", "http://127.0.0.1:8400/cb", "http://localhost/cb", "com.example.app:/cb"]
    {
        assert!(parse(&json!({"redirect_uris": [good]})).is_ok(), "{good}");
    }
    let native = |uri: &str| json!({"application_type": "native", "redirect_uris": [uri]});
    assert_eq!(refused(&native("https://a.example/cb")), ErrorCode::InvalidRedirectUri);
    assert!(parse(&native("com.example.app:/cb")).is_ok() && parse(&native("http://[::1]/cb")).is_ok());
}

#[test]
fn under_fapi_plain_http_is_for_native_applications() {
    let document = |kind: &str| {
        object(json!({
            "redirect_uris": ["http://127.0.0.1/cb"], "application_type": kind, "jwks": jwks(),
            "token_endpoint_auth_method": "private_key_jwt",
        }))
    };
    let fapi = policy(SecurityProfile::Fapi2);
    let refused = Registration::parse(&document("web"), &fapi).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidRedirectUri);
    let client = Registration::parse(&document("native"), &fapi).unwrap();
    let client = client.into_client("dyn_1".parse().unwrap(), String::new(), &fapi);
    let told = registration::echo(&client);
    assert_eq!(told["require_pushed_authorization_requests"], true, "what the profile demands is told");
    assert_eq!(told["id_token_signed_response_alg"], "ES256");
}

#[test]
fn keys_are_public_and_in_one_place() {
    for bad in [
        with(json!({"jwks": jwks(), "jwks_uri": "https://a.example/jwks"})),
        with(json!({"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": X, "y": Y, "d": X}]}})),
        with(json!({"jwks": {"keys": [{"kty": "oct", "k": X}]}})),
        with(json!({"jwks": {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}})),
        with(json!({"jwks": {"keys": [{"kty": "EC", "crv": "P-384"}]}})),
        with(json!({"jwks": {"keys": []}})),
        with(json!({"jwks": {"keys": vec![jwks()["keys"][0].clone(); 11]}})),
        with(json!({"jwks": "x"})),
        with(json!({"jwks_uri": "http://a.example/jwks"})),
        with(json!({"jwks_uri": "file:///etc/passwd"})),
        with(json!({"jwks_uri": 7})),
        with(json!({"token_endpoint_auth_method": "private_key_jwt"})),
        with(json!({"require_signed_request_object": true})),
        with(json!({"id_token_encrypted_response_alg": "ECDH-ES"})),
    ] {
        assert_eq!(refused(&bad), ErrorCode::InvalidClientMetadata, "{bad}");
    }
    assert!(parse(&with(json!({"jwks": jwks(), "token_endpoint_auth_method": "private_key_jwt"}))).is_ok());
    // A key of a kind that nobody here knows stands beside one that is known.
    let mut set = jwks();
    set["keys"].as_array_mut().unwrap().push(json!({"kty": "AKP", "pub": "AA"}));
    assert!(parse(&with(json!({"jwks": set}))).is_ok());
}

#[test]
fn members_that_need_each_other_come_together() {
    let key = json!({"jwks": jwks()});
    let keyed = |more: Value| {
        let mut document = with(key.clone());
        document.as_object_mut().unwrap().extend(object(more));
        document
    };
    for (bad, good) in [
        (
            json!({"id_token_encrypted_response_enc": "A256GCM"}),
            json!({"id_token_encrypted_response_enc": "A256GCM", "id_token_encrypted_response_alg": "ECDH-ES"}),
        ),
        (
            json!({"userinfo_encrypted_response_enc": "A256GCM"}),
            json!({"userinfo_encrypted_response_enc": "A256GCM", "userinfo_encrypted_response_alg": "RSA-OAEP"}),
        ),
        (
            json!({"authorization_encrypted_response_enc": "A128GCM"}),
            json!({"authorization_encrypted_response_enc": "A128GCM", "authorization_encrypted_response_alg": "ECDH-ES"}),
        ),
        (
            json!({"introspection_encrypted_response_enc": "A128GCM"}),
            json!({"introspection_encrypted_response_enc": "A128GCM", "introspection_encrypted_response_alg": "ECDH-ES"}),
        ),
        (
            json!({"initiate_login_uri": "http://a.example/l"}),
            json!({"initiate_login_uri": "https://a.example/l"}),
        ),
        (json!({"logo_uri": "http://a.example/l"}), json!({"logo_uri": "https://a.example/l"})),
        (
            json!({"backchannel_logout_uri": "http://a.example/l"}),
            json!({"backchannel_logout_uri": "https://x.example/l"}),
        ),
        (
            json!({"frontchannel_logout_uri": "https://b.example/l"}),
            json!({"frontchannel_logout_uri": "https://a.example/l"}),
        ),
        (json!({"request_uris": ["http://a.example/r"]}), json!({"request_uris": ["https://a.example/r#1"]})),
        (
            json!({"backchannel_token_delivery_mode": "ping"}),
            json!({
                "backchannel_token_delivery_mode": "ping",
                "backchannel_client_notification_endpoint": "https://a.example/n",
            }),
        ),
        (json!({"id_token_signed_response_alg": "none"}), json!({"id_token_signed_response_alg": "EdDSA"})),
        (json!({"userinfo_signed_response_alg": "HS256"}), json!({"userinfo_signed_response_alg": "RS256"})),
        (json!({"subject_type": "secret"}), json!({"subject_type": "pairwise"})),
        (json!({"default_max_age": "soon"}), json!({"default_max_age": 60})),
        (
            json!({"token_endpoint_auth_method": "client_secret_jwt"}),
            json!({"token_endpoint_auth_method": "none"}),
        ),
        (json!({"client_name": "a\u{202e}b"}), json!({"client_name": "ab", "client_name#de": "äb"})),
        (json!({"client_name#not_a_tag": "x"}), json!({"tos_uri#de-AT": "https://a.example/agb"})),
        (json!({"tos_uri#de": "javascript:alert(1)"}), json!({"other#tag of any kind": 7})),
    ] {
        assert_eq!(refused(&keyed(bad.clone())), ErrorCode::InvalidClientMetadata, "{bad}");
        let taken = parse(&keyed(good.clone()));
        assert!(taken.is_ok(), "{good}: {taken:?}");
    }
}

#[test]
fn pairwise_subjects_for_several_hosts_need_a_sector() {
    let document = |more: Value| {
        let mut document = json!({
            "subject_type": "pairwise", "redirect_uris": ["https://a.example/cb", "https://b.example/cb"],
        });
        document.as_object_mut().unwrap().extend(object(more));
        document
    };
    assert_eq!(refused(&document(json!({}))), ErrorCode::InvalidClientMetadata);
    let sector = document(json!({"sector_identifier_uri": "https://c.example/sector.json"}));
    assert_eq!(
        parse(&sector).unwrap().sector_identifier_uri().unwrap().as_str(),
        "https://c.example/sector.json"
    );
    assert_eq!(
        refused(&document(json!({"sector_identifier_uri": "http://c.example/sector.json"}))),
        ErrorCode::InvalidClientMetadata
    );
}

#[test]
fn texts_and_lists_are_bounded() {
    for long in [
        json!({"client_uri": format!("https://a.example/{}", "x".repeat(3000))}),
        json!({"contacts": vec!["x"; 51]}),
        json!({"zz": "x".repeat(3000)}),
    ] {
        assert_eq!(refused(&with(long)), ErrorCode::InvalidClientMetadata);
    }
}

#[test]
fn a_name_in_a_language_is_kept_told_and_shown_in_it() {
    let client = client(&with(json!({"client_name": "Shop", "client_name#de": "Laden"})));
    assert_eq!((client.name_in("de"), client.name_in("en")), ("Laden", "Shop"));
    let told = registration::echo(&client);
    assert_eq!((&told["client_name"], &told["client_name#de"]), (&json!("Shop"), &json!("Laden")));
}

#[test]
fn a_body_that_says_a_thing_twice_is_no_document() {
    for body in [&br#"{"a":1,"a":2}"#[..], b"[]", b"", b"{", b"\xff", br#"{"a":"\u0000"}"#] {
        assert_eq!(registration::document(body), Err(RegistrationRefused::NotAnObject));
    }
    let deep = format!("{}{}", "{\"a\":".repeat(40), "1".to_owned() + &"}".repeat(40));
    assert!(registration::document(deep.as_bytes()).is_err());
}

#[test]
fn an_update_names_the_client_and_says_nothing_that_is_ours_to_say() {
    let client = client(&with(json!({})));
    let check = |more: Value| {
        let mut document = with(json!({"client_id": "dyn_1"}));
        document.as_object_mut().unwrap().extend(object(more));
        registration::check_update(&object(document), &client, |secret| secret == "the secret")
    };
    assert_eq!(check(json!({})), Ok(()));
    assert_eq!(check(json!({"client_secret": "the secret"})), Ok(()));
    assert_eq!(check(json!({"client_secret": "mine"})), Err(RegistrationRefused::OtherSecret));
    for other in [json!({"client_id": "dyn_2"}), json!({"client_id": null})] {
        assert_eq!(check(other), Err(RegistrationRefused::OtherClient));
    }
    for ours in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        let mut document = Map::new();
        document.insert(ours.to_owned(), Value::Null);
        assert_eq!(check(Value::Object(document)), Err(RegistrationRefused::NotTheirs(ours)));
    }
}

#[test]
fn a_metadata_document_is_its_own_clients_and_holds_no_secret() {
    let id: ClientId = "https://app.example/client.json".parse().unwrap();
    let read = |more: Value| {
        let mut document = with(json!({"client_id": id.as_str(), "client_name": "App"}));
        document.as_object_mut().unwrap().extend(object(more));
        metadata_document::read(&id, &object(document), &usual())
    };
    let client = read(json!({})).unwrap();
    assert!(client.is_public() && client.id == id && client.name == "App");
    assert!(
        !read(json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks()})).unwrap().is_public()
    );
    for other in [json!({"client_id": "https://app.example/client.json/"}), json!({"client_id": null})] {
        assert_eq!(read(other), Err(DocumentRefused::OtherClient));
    }
    for secret in [
        json!({"client_secret": "x"}),
        json!({"client_secret_expires_at": 0}),
        json!({"token_endpoint_auth_method": "client_secret_basic"}),
        json!({"token_endpoint_auth_method": "client_secret_post"}),
        json!({"token_endpoint_auth_method": "client_secret_jwt"}),
    ] {
        assert_eq!(read(secret), Err(DocumentRefused::Secret));
    }
    let private = json!({"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": X, "y": Y, "d": X}]}});
    assert!(matches!(read(private), Err(DocumentRefused::Refused(_))));
    assert!(matches!(
        read(json!({"redirect_uris": ["http://evil.example/"]})),
        Err(DocumentRefused::Refused(_))
    ));
}

#[test]
fn a_logo_elsewhere_is_not_shown_for_a_client_that_nobody_vouched_for() {
    let own = client(&with(json!({"logo_uri": "https://a.example/logo.png"})));
    let foreign = client(&with(json!({"logo_uri": "https://bank.example/logo.png"})));
    assert!(registration::logo(&own, false).is_some());
    assert!(registration::logo(&foreign, false).is_none());
    assert!(registration::logo(&foreign, true).is_some());
}

//! Request objects and signed responses: what stands in them is all there is, and reads back.

use proptest::prelude::*;
use protocol::authorization_request::AuthorizationRequest;
use protocol::authorization_response::{AuthorizationResponse, LIFE};
use protocol::claims_request::ClaimsRequest;
use protocol::client::Client;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::refusal::{ErrorCode, Refusal};
use protocol::request_object::{Expected, parameters};
use protocol::response_mode::ResponseMode;
use serde_json::{Map, Value, json};

const ISSUER: &str = "https://as.example";

fn client(profile: &str) -> Client {
    serde_json::from_value(json!({
        "id": "c", "name": "C", "kind": "application", "grant_types": [], "scope": "", "status": "active",
        "authentication": "private_key_jwt", "id_token_signed_response_alg": "ES256", "profile": profile
    }))
    .unwrap()
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 1..12)
        .prop_map(|chars| chars.into_iter().filter(|c| *c != '\0').collect::<String>())
        .prop_filter("empty values are as good as none", |text| !text.is_empty())
}

/// Parameters that are texts, as a client would put them into an object.
fn inside() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(vec!["state", "nonce", "scope", "redirect_uri", "login_hint", "extra"]);
    prop::collection::btree_map(name, text(), 0..6).prop_map(|members| {
        members.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
    })
}

fn object(inside: &Map<String, Value>) -> Map<String, Value> {
    let mut claims = inside.clone();
    claims.insert("client_id".to_owned(), "c".into());
    claims
}

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z#]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(
                prop::sample::select(vec![
                    "userinfo",
                    "id_token",
                    "essential",
                    "value",
                    "values",
                    "name",
                    "zz"
                ]),
                inner,
                0..4
            )
            .prop_map(|members| Value::Object(
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn the_parameters_are_those_of_the_object_and_no_others(inside in inside(), now in 0..10_i64) {
        let client = client("oauth2.1");
        let expected = Expected { client: &client, issuer: ISSUER, now: NumericDate(now) };
        let read: Vec<(String, String)> = parameters(&object(&inside), expected).unwrap().into();
        let mut read: Vec<_> = read.into_iter().filter(|(name, _)| name != "client_id").collect();
        let mut put: Vec<_> =
            inside.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        read.sort();
        put.sort();
        prop_assert_eq!(read, put);
    }

    #[test]
    fn where_a_life_is_bounded_no_object_counts_for_longer(nbf in -10_000..10_000_i64, exp in -10_000..10_000_i64, now in -10_000..10_000_i64) {
        let client = client("fapi2-message-signing");
        let life = client.profile.rules().request_object_life.unwrap();
        let mut claims = object(&Map::new());
        claims.extend(json!({"aud": ISSUER, "nbf": nbf, "exp": exp}).as_object().unwrap().clone());
        let expected = Expected { client: &client, issuer: ISSUER, now: NumericDate(now) };
        if parameters(&claims, expected).is_ok() {
            prop_assert!(exp - nbf <= life.0 && now - nbf <= life.0);
            prop_assert!(now < exp + 10 && nbf <= now + 60);
        }
    }

    #[test]
    fn no_claims_make_the_reader_panic(value in any_json()) {
        let client = client("fapi2-message-signing");
        let mut claims = object(&Map::new());
        if let Value::Object(members) = value {
            claims.extend(members);
        }
        let _ = parameters(&claims, Expected { client: &client, issuer: ISSUER, now: NumericDate(5) });
    }

    #[test]
    fn what_a_signed_response_says_reads_back(code in text(), state in prop::option::of(text()), refuse in any::<bool>(), now in 0..100_i64) {
        let refusal = Refusal::new(ErrorCode::AccessDenied, code.clone());
        let response = match refuse {
            true => AuthorizationResponse::refused(&refusal, state.as_deref()),
            false => AuthorizationResponse::granted(&code, state.as_deref()),
        };
        let claims = response.claims(ISSUER, &"c".parse().unwrap(), NumericDate(now));
        let plain = response.plain(ISSUER);
        for (name, value) in &plain {
            prop_assert_eq!(claims[*name].as_str(), Some(*value));
        }
        prop_assert_eq!(claims.len(), plain.len() + 2);
        prop_assert_eq!(claims["exp"].as_i64(), Some(now + LIFE.0));
        prop_assert!(LIFE <= Seconds::minutes(10));
        prop_assert_eq!(claims.get("state").and_then(Value::as_str), state.as_deref());
    }

    #[test]
    fn a_request_for_claims_that_is_read_reads_back_and_no_text_makes_the_reader_panic(value in any_json(), noise in ".{0,60}") {
        let _ = ClaimsRequest::parse(&noise);
        if let Ok(read) = ClaimsRequest::parse(&value.to_string()) {
            let stored = serde_json::to_string(&read).unwrap();
            prop_assert_eq!(serde_json::from_str::<ClaimsRequest>(&stored).unwrap(), read.clone());
            prop_assert!(read.about_user(&"openid".parse().unwrap()).is_empty());
        }
    }

    #[test]
    fn a_client_that_gets_signed_responses_is_never_answered_plainly(mode in prop::option::of(prop::sample::select(ResponseMode::ALL.to_vec()))) {
        let mut client = client("fapi2-message-signing");
        client.metadata.authorization_signed_response_alg = Some(protocol::client::SigningAlg::Es256);
        let pairs = mode.map(|mode| ("response_mode".to_owned(), mode.to_string()));
        let pairs = pairs.into_iter().chain([("response_type".to_owned(), "code".to_owned())]).collect::<Vec<_>>();
        let request = AuthorizationRequest::parse(&pairs.try_into().unwrap()).unwrap();
        prop_assert_eq!(request.check_response_mode(&client).is_ok(), mode.is_some_and(ResponseMode::is_jwt));
    }
}

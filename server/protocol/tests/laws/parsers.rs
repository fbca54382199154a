//! Every parser: no text makes it panic, and what is printed parses back to itself.

use proptest::prelude::*;
use protocol::audience::ResourceIndicator;
use protocol::authorization_details::{AuthorizationDetails, InvalidAuthorizationDetails};
use protocol::authorization_request::AuthorizationRequest;
use protocol::credentials::Credentials;
use protocol::params::Params;
use protocol::pkce::{self, CodeChallenge};
use protocol::presented::Presented;
use protocol::scope::Scope;
use protocol::token_request::TokenRequest;
use protocol::visible_text::says_what_it_shows;
use serde_json::{Map, Value};

/// Any JSON, a few levels deep.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        without_nul(8).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(without_nul(6), inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Any text that a detail may hold: all but NUL.
fn without_nul(longest: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..=longest)
        .prop_map(|text| text.into_iter().filter(|c| *c != '\0').collect())
}

/// Objects with a `type`, as authorization details are.
fn detail() -> impl Strategy<Value = Value> {
    ("[!-~]{1,20}", prop::collection::btree_map("[a-z_]{1,8}", json(), 0..5)).prop_map(
        |(type_name, members)| {
            let mut members: Map<_, _> = members.into_iter().collect();
            members.insert("type".to_owned(), type_name.into());
            Value::Object(members)
        },
    )
}

/// Names that requests know, with values likely and unlikely.
fn request() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop::sample::select(vec![
        "grant_type",
        "response_type",
        "response_mode",
        "scope",
        "resource",
        "audience",
        "code",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "subject_token",
        "subject_token_type",
        "actor_token",
        "actor_token_type",
        "requested_token_type",
        "authorization_details",
        "prompt",
        "max_age",
        "dpop_jkt",
        "requested_actor",
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "refresh_token",
    ]);
    let value = prop_oneof![
        ".{0,30}",
        prop::sample::select(vec![
            "code",
            "query",
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "S256",
            "none",
            "0",
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:ietf:params:oauth:token-type:access_token",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "[]",
            "https://a.example",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec((name.prop_map(str::to_owned), value), 0..10)
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        let _ = text.parse::<Scope>();
        let _ = text.parse::<ResourceIndicator>();
        let _ = text.parse::<CodeChallenge>();
        let _ = AuthorizationDetails::parse(&text);
        let _ = Credentials::parse(&text);
        let _ = Presented::read(Some(&text), &Params::default());
        let _ = Presented::read(Some(&format!("Basic {text}")), &Params::default());
        let _ = pkce::check(None, Some(&text));
    }

    #[test]
    fn no_request_makes_a_parser_panic(pairs in request(), header in prop::option::of("(Basic|Bearer) .{0,20}")) {
        let params = Params::try_from(pairs).unwrap();
        let _ = TokenRequest::parse(&params);
        let _ = AuthorizationRequest::parse(&params);
        let _ = Presented::read(header.as_deref(), &params);
    }

    #[test]
    fn an_authorization_request_that_is_stored_reads_back_to_itself(pairs in request()) {
        let mut pairs = pairs;
        pairs.retain(|(name, _)| name != "response_type");
        pairs.push(("response_type".to_owned(), "code".to_owned()));
        if let Ok(read) = AuthorizationRequest::parse(&Params::try_from(pairs).unwrap()) {
            let stored = serde_json::to_string(&read).unwrap();
            prop_assert_eq!(serde_json::from_str::<AuthorizationRequest>(&stored).unwrap(), read);
        }
    }

    #[test]
    fn a_scope_prints_and_parses_back_to_itself(words in prop::collection::vec("[!#-\\[\\]-~]{1,12}", 0..20)) {
        let scope: Scope = words.join(" ").parse().unwrap();
        prop_assert_eq!(scope.to_string().parse::<Scope>().unwrap(), scope.clone());
        prop_assert!(words.iter().all(|word| scope.contains(word)));
    }

    #[test]
    fn a_resource_prints_and_parses_back_to_itself(
        text in "(https://[a-z]{1,9}\\.example(:[1-9][0-9]{1,3})?(/[a-z0-9~%.]{0,9}){0,3}(\\?[a-z=&]{0,9})?|urn:[a-z:]{1,20})"
    ) {
        if let Ok(resource) = text.parse::<ResourceIndicator>() {
            prop_assert_eq!(resource.to_string(), text.clone());
            prop_assert_eq!(text.parse::<ResourceIndicator>().unwrap(), resource);
        } else {
            prop_assert!(false, "{} is a resource", text);
        }
    }

    #[test]
    fn a_code_challenge_prints_and_parses_back_to_itself(text in "[A-Za-z0-9_-]{43}") {
        let challenge: CodeChallenge = text.parse().unwrap();
        prop_assert_eq!(challenge.as_str(), text.as_str());
        prop_assert_eq!(CodeChallenge::from_params(Some(&text), Some("S256")).unwrap(), Some(challenge));
    }

    #[test]
    fn authorization_details_print_and_parse_back_to_themselves(details in prop::collection::vec(detail(), 1..4)) {
        let text = Value::Array(details.clone()).to_string();
        let parsed = match AuthorizationDetails::parse(&text) {
            // What does not say what it shows is refused, and nothing else is.
            Err(InvalidAuthorizationDetails::Unseen) => {
                prop_assert!(!says_what_it_shows(&text));
                return Ok(());
            }
            parsed => parsed.unwrap(),
        };
        let printed = parsed.to_claim().unwrap();
        prop_assert_eq!(&printed, &Value::Array(details));
        prop_assert_eq!(AuthorizationDetails::parse(&printed.to_string()).unwrap(), parsed);
    }
}

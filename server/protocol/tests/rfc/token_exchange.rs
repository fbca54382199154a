//! RFC 8693 §2.3, §4.1 and Appendix A.2.

use protocol::actor::{Actor, Chain, SubProfile};
use protocol::token_request::{ExchangeRequest, TokenRequest};
use protocol::token_type::TokenType;
use serde_json::json;

use crate::form;

fn exchange(lines: &str) -> ExchangeRequest {
    match TokenRequest::parse(&form(lines)).unwrap() {
        TokenRequest::TokenExchange(request) => *request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn section_2_3_asks_for_a_token_for_the_backend() {
    let request = exchange(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange
         &resource=https%3A%2F%2Fbackend.example.com%2Fapi
         &subject_token=accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token",
    );
    let resources: Vec<_> = request.resources.iter().map(|r| r.as_str()).collect();
    assert_eq!(resources, ["https://backend.example.com/api"]);
    assert_eq!(request.subject_token.token.reveal(), "accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC");
    assert_eq!(request.subject_token.token_type, TokenType::AccessToken);
    assert!(request.actor_token.is_none() && request.audiences.is_empty() && request.scope.is_none());
}

/// The shape of Appendix A.2.1; its tokens are shortened here, since nothing reads them yet.
#[test]
fn appendix_a_2_1_names_subject_actor_audience_and_scope() {
    let request = exchange(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange
         &audience=urn%3Aexample%3Acooperation-context
         &subject_token=eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0.e30.QQ
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt
         &actor_token=eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0.e31.QQ
         &actor_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt",
    );
    assert_eq!(request.audiences, ["urn:example:cooperation-context"]);
    assert_eq!(request.subject_token.token_type, TokenType::Jwt);
    let actor = request.actor_token.unwrap();
    assert_eq!(
        (actor.token.reveal(), actor.token_type),
        ("eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0.e31.QQ", TokenType::Jwt)
    );
}

#[test]
fn section_4_1_nests_the_earlier_actor_in_the_current_one() {
    let service = |sub: &str| Actor {
        sub: sub.parse().unwrap(),
        iss: "https://issuer.example.com".into(),
        sub_profile: SubProfile::Service,
        instance: None,
    };
    let chain = Chain::of(service("https://service77.example.com"));
    let chain = chain.extended_by(&service("https://service16.example.com"), 5).unwrap();
    let mut act = chain.to_claim().unwrap();
    assert_eq!(act["sub_profile"], "service");
    // The example has `sub` alone; ours say whose namespace it is besides.
    for depth in ["", "/act"] {
        let actor = act.pointer_mut(depth).unwrap().as_object_mut().unwrap();
        actor.retain(|name, _| matches!(name.as_str(), "sub" | "act"));
    }
    let printed =
        json!({"sub": "https://service16.example.com", "act": {"sub": "https://service77.example.com"}});
    assert_eq!(act, printed);
}

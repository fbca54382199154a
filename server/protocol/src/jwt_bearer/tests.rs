//! What is taken of those whom the operator trusts, and what is not.

use serde_json::json;

use super::*;
use crate::trusted_issuer::tests::trusted;

const NOW: i64 = 1_000_000;
const US: &str = "https://as.example";
const TOKEN: &str = "https://as.example/token";
const THEM: &str = "https://idp.example";

fn ask(trusted: &TrustedIssuer, change: impl FnOnce(&mut Value)) -> Result<Grant, GrantRefused> {
    ask_as(Purpose::AuthorizationGrants, &Held::default(), trusted, change)
}

fn ask_as(
    purpose: Purpose,
    held: &Held,
    trusted: &TrustedIssuer,
    change: impl FnOnce(&mut Value),
) -> Result<Grant, GrantRefused> {
    let mut claims = json!({
        "iss": THEM, "sub": "alice", "aud": US, "exp": NOW + 60, "iat": NOW, "nbf": NOW, "jti": "1",
        "email": "alice@example.com", "unknown": {}
    });
    change(&mut claims);
    let claims: Map<String, Value> =
        claims.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
    let client = "client".parse().unwrap();
    let expected =
        Expected { purpose, issuer: US, token_endpoint: TOKEN, client: &client, held, now: NumericDate(NOW) };
    let mut header = Map::new();
    if purpose == Purpose::IdentityAssertions {
        header.insert("typ".into(), ID_JAG.into());
    }
    check(&header, &claims, trusted, &expected)
}

fn with(name: &str, value: Value) -> Result<Grant, GrantRefused> {
    ask(&trusted(), |claims| claims[name] = value)
}

#[test]
fn an_assertion_in_order_names_a_user_and_is_remembered_beyond_its_end() {
    let grant = with("y", json!(1)).unwrap();
    assert_eq!(grant.user, Some(LocalName::Username("alice".into())));
    assert_eq!((grant.jti.as_deref(), grant.remember_until), (Some("1"), NumericDate(NOW + 70)));
}

#[test]
fn it_is_for_this_server_alone_by_its_issuer_or_its_token_endpoint() {
    for good in [json!(US), json!(TOKEN), json!([US]), json!([TOKEN])] {
        assert!(with("aud", good.clone()).is_ok(), "{good}");
    }
    let slash = format!("{US}/");
    for bad in
        [json!(null), json!([]), json!([US, TOKEN]), json!([US, "x"]), json!("x"), json!(slash), json!(1)]
    {
        assert_eq!(with("aud", bad.clone()), Err(GrantRefused::Audience), "{bad}");
    }
}

#[test]
fn it_is_of_its_time() {
    for (name, value, expected) in [
        ("exp", json!(null), Some(GrantRefused::NoExpiry)),
        ("exp", json!("soon"), Some(GrantRefused::Claims)),
        ("exp", json!(NOW - 10), Some(GrantRefused::Expired)),
        ("exp", json!(NOW - 9), None),
        ("exp", json!(NOW + 300), None),
        ("exp", json!(NOW + 301), Some(GrantRefused::LivesTooLong)),
        ("iat", json!(NOW - 240), None),
        ("iat", json!(NOW - 241), Some(GrantRefused::LivesTooLong)),
        ("iat", json!(NOW + 60), None),
        ("iat", json!(NOW + 61), Some(GrantRefused::FromTheFuture)),
        ("iat", json!(null), None),
        ("nbf", json!(NOW + 60), None),
        ("nbf", json!(NOW + 61), Some(GrantRefused::FromTheFuture)),
        ("nbf", json!("x"), Some(GrantRefused::Claims)),
        ("auth_time", json!(NOW + 60), None),
        ("auth_time", json!(NOW + 61), Some(GrantRefused::FromTheFuture)),
        ("auth_time", json!("x"), Some(GrantRefused::Claims)),
    ] {
        assert_eq!(with(name, value.clone()).err(), expected, "{name} {value}");
    }
}

#[test]
fn it_has_a_subject_and_a_jti_of_bounded_length() {
    for name in ["sub", "jti"] {
        let refused = if name == "sub" { GrantRefused::Subject } else { GrantRefused::Jti };
        for bad in [json!(null), json!(""), json!("x".repeat(257))] {
            assert_eq!(with(name, bad), Err(refused), "{name}");
        }
        assert!(with(name, json!("x".repeat(256))).is_ok());
        assert_eq!(with(name, json!(7)), Err(GrantRefused::Claims));
    }
}

#[test]
fn another_issuer_than_the_one_whose_key_signed_is_not_accepted() {
    for bad in [json!("https://idp.example/"), json!(null), json!("https://IDP.example")] {
        assert_eq!(with("iss", bad), Err(GrantRefused::NotAccepted));
    }
}

#[test]
fn only_what_says_to_be_one_is_an_identity_assertion_and_nothing_else_is_taken_for_another_thing() {
    use Purpose::{AuthorizationGrants, IdentityAssertions, SubjectTokens};
    for (typ, fits) in [
        (json!("JWT"), vec![AuthorizationGrants, SubjectTokens]),
        (json!("jwt"), vec![AuthorizationGrants, SubjectTokens]),
        (json!("authorization-grant+jwt"), vec![AuthorizationGrants]),
        (json!("oauth-id-jag+jwt"), vec![IdentityAssertions]),
        (json!("at+jwt"), vec![SubjectTokens]),
        (json!("dpop+jwt"), vec![]),
        (json!("txntoken+jwt"), vec![]),
        (json!("client-authentication+jwt"), vec![]),
        (json!("oauth-authz-req+jwt"), vec![]),
        (json!("logout+jwt"), vec![]),
        (json!(""), vec![]),
        (json!(1), vec![]),
    ] {
        let header = json!({ "typ": typ });
        for purpose in [AuthorizationGrants, IdentityAssertions, SubjectTokens] {
            let expected = if fits.contains(&purpose) { Ok(()) } else { Err(GrantRefused::Type) };
            assert_eq!(check_type(header.as_object().unwrap(), purpose), expected, "{header} {purpose:?}");
        }
        let is = unverified_purpose(header.as_object().unwrap());
        assert_eq!(is == IdentityAssertions, typ == "oauth-id-jag+jwt");
    }
    assert_eq!(check_type(&Map::new(), AuthorizationGrants), Ok(()));
    assert_eq!(check_type(&Map::new(), SubjectTokens), Ok(()));
    assert_eq!(check_type(&Map::new(), IdentityAssertions), Err(GrantRefused::Type));
}

/// Claims of an identity assertion, changed.
fn id_jag(change: impl FnOnce(&mut Value)) -> Result<Grant, GrantRefused> {
    ask_as(Purpose::IdentityAssertions, &Held::default(), &trusted(), |claims| {
        claims["client_id"] = "client".into();
        claims["scope"] = "a:read".into();
        change(claims);
    })
}

#[test]
fn an_identity_assertion_is_for_this_server_by_its_issuer_and_for_this_client() {
    assert_eq!(id_jag(|_| {}).unwrap().said.scope, "a:read".parse().ok());
    assert!(id_jag(|claims| claims["aud"] = json!([US])).is_ok());
    for aud in [json!(TOKEN), json!([US, "https://other.example"]), json!([US, US]), json!([])] {
        let refused = id_jag(|claims| claims["aud"] = aud.clone());
        assert_eq!(refused, Err(GrantRefused::AudienceOfIdentityAssertion), "{aud}");
    }
    for client in [json!(null), json!("other"), json!("")] {
        assert_eq!(id_jag(|claims| claims["client_id"] = client), Err(GrantRefused::Client));
    }
    assert_eq!(id_jag(|claims| claims["iat"] = Value::Null), Err(GrantRefused::NoIssuance));
    assert_eq!(with("client_id", json!("other")), Err(GrantRefused::Client));
}

#[test]
fn an_identity_assertion_that_allows_nothing_does_not_allow_everything() {
    assert_eq!(id_jag(|claims| claims["scope"] = Value::Null), Err(GrantRefused::NothingAllowed));
    let details = id_jag(|claims| {
        claims["scope"] = Value::Null;
        claims["authorization_details"] = json!([{"type": "x"}]);
        claims["resource"] = json!(["urn:a", "urn:b"]);
    });
    let said = details.unwrap().said;
    assert_eq!((said.details.unwrap().iter().count(), said.resources.unwrap().len()), (1, 2));
    for (name, bad) in [
        ("scope", json!(["a"])),
        ("authorization_details", json!("x")),
        ("authorization_details", json!([{}])),
        ("resource", json!("relative")),
        ("resource", json!([1])),
    ] {
        assert_eq!(id_jag(|claims| claims[name] = bad.clone()), Err(GrantRefused::Claims), "{name} {bad}");
    }
}

#[test]
fn a_bound_assertion_needs_the_proof_of_that_very_key() {
    let held = |key: &str| Held::key(key.parse().unwrap());
    let bound = |held: &Held, cnf: Value| {
        ask_as(Purpose::IdentityAssertions, held, &trusted(), |claims| {
            claims["client_id"] = "client".into();
            claims["scope"] = "a:read".into();
            claims["cnf"] = cnf;
        })
    };
    let grant = bound(&held("k"), json!({"jkt": "k"})).unwrap();
    assert_eq!(grant.cnf, Some(Confirmation::Jkt("k".parse().unwrap())));
    assert_eq!(bound(&held("k"), Value::Null).unwrap().cnf, None);
    for (held, cnf) in [
        (held("other"), json!({"jkt": "k"})),
        (Held::default(), json!({"jkt": "k"})),
        (held("k"), json!({"kid": "k"})),
        (held("k"), json!({"jkt": "k", "kid": "k"})),
        (held("k"), json!("k")),
    ] {
        assert_eq!(bound(&held, cnf.clone()), Err(GrantRefused::KeyNotProven), "{cnf}");
    }
}

#[test]
fn who_acts_there_is_kept_or_the_whole_is_refused() {
    let act = |act: Value| id_jag(|claims| claims["act"] = act);
    let grant = act(json!({"sub": "bot", "sub_profile": "ai_agent"})).unwrap();
    assert_eq!(grant.brought.current().unwrap().sub.as_str(), "bot");
    for bad in [json!("bot"), json!({"sub": "bot", "iss": US}), json!({"sub": "bot", "iss": "urn:x"})] {
        assert_eq!(act(bad), Err(GrantRefused::Actor));
    }
}

#[test]
fn a_tenant_is_believed_only_where_it_is_written_down() {
    let tenant = |claims: &mut Value| claims["tenant"] = "acme".into();
    assert_eq!(ask(&trusted(), tenant), Err(GrantRefused::NotAccepted));
    let named = |names: &[&str]| TrustedIssuer {
        conditions: [("tenant".into(), names.iter().map(|n| (*n).into()).collect())].into(),
        ..trusted()
    };
    assert!(ask(&named(&["acme"]), tenant).is_ok());
    assert_eq!(ask(&named(&["other"]), tenant), Err(GrantRefused::NotAccepted));
}

#[test]
fn what_this_server_says_itself_is_nobody_elses_word() {
    let ourselves = TrustedIssuer { issuer: US.into(), ..trusted() };
    assert_eq!(ask(&ourselves, |claims| claims["iss"] = US.into()), Err(GrantRefused::NotAccepted));
}

#[test]
fn a_subject_token_is_addressed_as_is_written_down_and_has_a_name_where_it_comes_once() {
    let read = |trusted: &TrustedIssuer, name: &str, value: Value| {
        ask_as(Purpose::SubjectTokens, &Held::default(), trusted, |claims| claims[name] = value)
    };
    assert!(read(&trusted(), "client_id", json!("theirs")).is_ok());
    let addressed = TrustedIssuer { audiences: ["api".to_owned()].into(), ..trusted() };
    assert!(read(&addressed, "aud", json!("api")).is_ok());
    for (rule, aud) in [(trusted(), "api"), (addressed, US)] {
        assert_eq!(read(&rule, "aud", json!(aud)), Err(GrantRefused::Audience));
    }
    let again = TrustedIssuer { single_use: false, ..trusted() };
    assert_eq!(read(&again, "jti", Value::Null).unwrap().jti, None);
    assert_eq!(read(&again, "jti", json!("1")).unwrap().jti, None);
    assert_eq!(read(&trusted(), "jti", Value::Null), Err(GrantRefused::Jti));
    assert_eq!(read(&trusted(), "jti", json!("1")).unwrap().jti.as_deref(), Some("1"));
    assert_eq!(ask(&again, |claims| claims["jti"] = Value::Null), Err(GrantRefused::Jti));
}

#[test]
fn another_claim_may_name_the_user_and_an_address_only_where_it_is_verified() {
    let by_email = TrustedIssuer { subject_claim: "email".into(), ..trusted() };
    let named = ask(&by_email, |claims| claims["email_verified"] = true.into()).unwrap().user;
    assert_eq!(named, Some(LocalName::Username("alice@example.com".into())));
    for unverified in [json!(null), json!(false), json!("true")] {
        let refused = ask(&by_email, |claims| claims["email_verified"] = unverified);
        assert_eq!(refused, Err(GrantRefused::UnverifiedEmail));
    }
    let missing = ask(&by_email, |claims| claims["email"] = Value::Null);
    assert_eq!(missing, Err(GrantRefused::Subject));
    let no_sub = ask(&by_email, |claims| claims["sub"] = Value::Null);
    assert_eq!(no_sub, Err(GrantRefused::Subject));
}

fn login(claims: &Value) -> Result<Option<Login>, GrantRefused> {
    let asked = ask_as(Purpose::IdentityAssertions, &Held::default(), &trusted(), |all| {
        (all["client_id"], all["scope"]) = ("client".into(), "a:read".into());
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    });
    asked.map(|grant| grant.login)
}

#[test]
fn an_identity_assertion_tells_of_the_login_as_far_as_it_speaks_of_it() {
    assert_eq!(login(&json!({})), Ok(None));
    let said = login(&json!({ "auth_time": NOW - 5, "acr": "phr", "amr": ["pop", "mfa"] })).unwrap().unwrap();
    assert_eq!((said.auth_time, said.acr.as_deref()), (NumericDate(NOW - 5), Some("phr")));
    assert_eq!(said.amr, ["pop", "mfa"]);
    // What does not say when it was, was long ago.
    assert_eq!(login(&json!({ "acr": "phr" })).unwrap().unwrap().auth_time, NumericDate(0));
    for (claims, reason) in [
        (json!({ "auth_time": NOW + 61 }), GrantRefused::FromTheFuture),
        (json!({ "auth_time": "now" }), GrantRefused::Claims),
        (json!({ "acr": "" }), GrantRefused::Claims),
        (json!({ "acr": ["phr"] }), GrantRefused::Claims),
        (json!({ "acr": "x".repeat(256) }), GrantRefused::Claims),
        (json!({ "amr": "mfa" }), GrantRefused::Claims),
        (json!({ "amr": vec!["x"; 21] }), GrantRefused::Claims),
    ] {
        assert_eq!(login(&claims), Err(reason), "{claims}");
    }
    // Of a subject token nothing is believed of a login, and nothing wrong with it matters.
    let of_subject = ask_as(Purpose::SubjectTokens, &Held::default(), &trusted(), |claims| {
        claims["auth_time"] = json!("whatever they mean by it");
    });
    assert_eq!(of_subject.unwrap().login, None);
}

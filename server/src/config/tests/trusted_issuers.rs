//! Trusted issuers: what is declared is read, and what is wrong with one is told by its key.

use protocol::client::{KeySource, SigningAlg};
use protocol::numeric_date::Seconds;
use protocol::step_up::Demand;
use protocol::trusted_issuer::{Purpose, SubjectRule};

use super::{EXAMPLE, loaded, refused};

const ISSUER: &str = "\n[[trusted_issuers]]\nissuer = \"https://partner.example\"\n\
    jwks_uri = \"https://partner.example/jwks\"\nclients = [\"orders-api\"]\nscope = \"orders:read\"\n";

#[test]
fn an_issuer_has_the_defaults_that_the_example_says() {
    let declared = loaded(&format!("{EXAMPLE}{ISSUER}")).declared.trusted_issuers;
    let (issuer, keys) = &declared[0];
    assert_eq!((issuer.subject_claim.as_str(), &issuer.subjects), ("sub", &SubjectRule::Username));
    assert_eq!((issuer.max_life, issuer.token_life), (Seconds::minutes(5), None));
    assert_eq!(issuer.signing_algs, SigningAlg::ALL.into());
    assert_eq!((&issuer.purposes, issuer.single_use), (&[Purpose::AuthorizationGrants].into(), true));
    assert!(issuer.conditions.is_empty() && issuer.audiences.is_empty() && issuer.details_types.is_empty());
    assert!(issuer.login == Demand::default() && !issuer.new_accounts);
    assert!(issuer.resources.is_empty() && matches!(keys, KeySource::JwksUri(_)));
    assert!(loaded(EXAMPLE).declared.trusted_issuers.is_empty());
}

#[test]
fn an_issuer_with_one_thing_wrong_is_refused_for_that_thing_alone() {
    for (from, to, key, reason) in [
        ("jwks_uri = \"https://partner.example/jwks\"", "", "jwks", "is missing"),
        ("https://partner.example/jwks", "http://partner.example/jwks", "jwks_uri", "https"),
        ("[\"orders-api\"]", "[]", "clients", "must name"),
        ("[\"orders-api\"]", "[\"nobody\"]", "clients", "no client or agent"),
        ("\"orders:read\"", "\"\"", "scope", "must name"),
        ("\"orders:read\"", "\"orders:fly\"", "scope", "no resource server"),
        ("scope =", "resources = [\"https://o.example\"]\nscope =", "resources", "no resource server"),
        ("scope =", "max_life = \"2h\"\nscope =", "max_life", "3600"),
        ("scope =", "token_life = 0\nscope =", "token_life", "3600"),
        ("scope =", "signing_algs = []\nscope =", "signing_algs", "must name"),
        ("scope =", "signing_algs = [\"HS256\"]\nscope =", "signing_algs", "must be one of"),
        ("scope =", "subject_claim = \"\"\nscope =", "subject_claim", "must name"),
        (
            "scope =",
            "subject_is = \"user_id\"\nsubjects = { a = \"alice\" }\nscope =",
            "subject_is",
            "beside",
        ),
        ("scope =", "purposes = []\nscope =", "purposes", "must name"),
        ("scope =", "purposes = [\"everything\"]\nscope =", "purposes", "must be one of"),
        ("scope =", "audiences = [\"api\"]\nscope =", "audiences", "subject_tokens"),
        ("scope =", "conditions = { a = 1 }\nscope =", "conditions", "any form"),
        (
            "scope =",
            "authorization_details_types = [\"none\"]\nscope =",
            "authorization_details_types",
            "no details type",
        ),
        ("scope =", "acr_values = [\"phr\"]\nscope =", "acr_values", "identity_assertions"),
        ("scope =", "max_age = \"1h\"\nscope =", "max_age", "identity_assertions"),
        (
            "scope =",
            "purposes = [\"identity_assertions\"]\nacr_values = [\"a b\"]\nscope =",
            "acr_values",
            "can be no",
        ),
        ("scope =", "purposes = [\"identity_assertions\"]\nmax_age = 0\nscope =", "max_age", "1 second"),
        ("scope =", "accounts = \"everybody\"\nscope =", "accounts", "must be one of"),
        ("scope =", "accounts = \"just_in_time\"\nscope =", "accounts", "goes with the purpose"),
        (
            "scope =",
            "accounts = \"just_in_time\"\npurposes = [\"identity_assertions\"]\nscope =",
            "accounts",
            "subject_is",
        ),
        (
            "scope =",
            "accounts = \"just_in_time\"\npurposes = [\"identity_assertions\"]\n\
             subject_is = \"linked_identity\"\nscope =",
            "accounts",
            "there is none",
        ),
        ("scope =", "trust = 1\nscope =", "trust", "no such key"),
    ] {
        let told = refused(&format!("{EXAMPLE}{}", ISSUER.replacen(from, to, 1)));
        assert_eq!(told.len(), 1, "{to}: {told:?}");
        assert!(told[0].contains(&format!("trusted_issuers[0].{key}")), "{told:?}");
        assert!(told[0].contains(reason), "{told:?}");
    }
    let twice = refused(&format!("{EXAMPLE}{ISSUER}{ISSUER}"));
    assert!(twice.len() == 1 && twice[0].contains("trusted_issuers[1].issuer"), "{twice:?}");
}

#[test]
fn what_an_issuer_must_say_of_a_login_and_whom_it_may_bring_is_read() {
    let upstream = "\n[[upstreams]]\nid = \"partner\"\nissuer = \"https://partner.example\"\nclient_id = \"us\"\n\
                    client_secret = \"a secret\"\nname = \"Partner\"\n";
    let more = "purposes = [\"identity_assertions\"]\nsubject_is = \"linked_identity\"\naccounts = \"just_in_time\"\n\
                acr_values = [\"urn:theirs:mfa\", \"phr\"]\nmax_age = \"10m\"\nscope =";
    let declared = loaded(&format!("{EXAMPLE}{}{upstream}", ISSUER.replacen("scope =", more, 1))).declared;
    let (issuer, _) = &declared.trusted_issuers[0];
    let acr_values = vec!["urn:theirs:mfa".to_owned(), "phr".to_owned()];
    assert_eq!(issuer.login, Demand { acr_values, max_age: Some(Seconds::minutes(10)) });
    assert!(issuer.new_accounts);
}

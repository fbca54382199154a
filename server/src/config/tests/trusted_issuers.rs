//! Trusted issuers: what is declared is read, and what is wrong with one is told by its key.

use protocol::client::{KeySource, SigningAlg};
use protocol::numeric_date::Seconds;
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

//! DPoP proofs.

use proptest::prelude::*;
use protocol::dpop::{Expected, NonceDemand, ProofClaims, ath, check, check_header};
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::public_jwk::PublicJwk;
use serde_json::{Map, Value, json};

fn jwk() -> PublicJwk {
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43)});
    PublicJwk::parse(key.as_object().unwrap()).unwrap()
}

fn claims(htm: &str, htu: &str, iat: i64, ath: Option<String>) -> ProofClaims {
    ProofClaims { jti: "1".into(), htm: htm.into(), htu: htu.into(), iat: NumericDate(iat), ath, nonce: None }
}

fn expected<'a>(uri: &'a str, now: i64, access_token: Option<&'a str>) -> Expected<'a> {
    Expected {
        method: "POST",
        uri,
        access_token,
        now: NumericDate(now),
        window: Seconds(300),
        nonce: NonceDemand::NotDemanded,
    }
}

proptest! {
    #[test]
    fn no_header_and_no_claims_make_the_check_panic(members in prop::collection::btree_map(
        prop::sample::select(vec!["typ", "alg", "jwk", "jti", "htm", "htu", "iat", "ath"]),
        prop_oneof![
            any::<String>().prop_map(Value::from), any::<f64>().prop_map(Value::from), any::<i64>().prop_map(Value::from),
            Just(json!("dpop+jwt")), Just(json!("ES256")), Just(json!({"kty": "EC", "crv": "P-256", "x": "x"}))
        ],
        0..9,
    )) {
        let members: Map<_, _> = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let _ = check_header(&members);
        if let Ok(claims) = ProofClaims::parse(&members) {
            let _ = check(&jwk(), &claims, &expected(&claims.htu, i64::MAX, None));
        }
    }

    #[test]
    fn a_proof_is_good_from_a_minute_before_it_was_made_until_the_window_closes(iat: i64, now: i64) {
        let uri = "https://as.example/token";
        let age = i128::from(now) - i128::from(iat);
        let accepted = check(&jwk(), &claims("POST", uri, iat, None), &expected(uri, now, None)).is_ok();
        prop_assert_eq!(accepted, (-60..=300).contains(&age));
    }

    #[test]
    fn near_the_edges_too(age in -70..310_i64) {
        let uri = "https://as.example/token";
        let proof = check(&jwk(), &claims("POST", uri, 5000, None), &expected(uri, 5000 + age, None));
        prop_assert_eq!(proof.is_ok(), (-60..=300).contains(&age));
        if let Ok(proof) = proof {
            // Whoever forgets the jti at this moment forgets a proof that is refused for its age.
            let later = expected(uri, proof.remember_until.0, None);
            prop_assert!(check(&jwk(), &claims("POST", uri, 5000, None), &later).is_err());
        }
    }

    #[test]
    fn query_and_fragment_of_both_urls_do_not_matter(
        path in "(/[a-z0-9~._-]{1,8}){1,3}", query in "(\\?[a-z=&]{0,9})?(#[a-z]{0,5})?", other in "(\\?[a-z=&]{0,9})?"
    ) {
        let (htu, uri) = (format!("https://as.example{path}{query}"), format!("https://as.example{path}{other}"));
        prop_assert!(check(&jwk(), &claims("POST", &htu, 0, None), &expected(&uri, 0, None)).is_ok());
    }

    #[test]
    fn a_proof_for_one_path_is_none_for_another(a in "[a-z]{1,6}", b in "[a-z]{1,6}") {
        let (htu, uri) = (format!("https://as.example/{a}"), format!("https://as.example/{b}"));
        let accepted = check(&jwk(), &claims("POST", &htu, 0, None), &expected(&uri, 0, None)).is_ok();
        prop_assert_eq!(accepted, a == b);
    }

    #[test]
    fn a_proof_for_one_token_is_none_for_another(a in "[ -~]{1,20}", b in "[ -~]{1,20}") {
        let uri = "https://as.example/userinfo";
        let accepted = check(&jwk(), &claims("POST", uri, 0, Some(ath(&a))), &expected(uri, 0, Some(&b))).is_ok();
        prop_assert_eq!(accepted, a == b);
    }
}

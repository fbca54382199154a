//! RFC 7636 Appendix B.

use protocol::pkce::{CodeChallenge, PkceRefused, check};

#[test]
fn appendix_b_verifier_and_challenge_belong_together() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge =
        CodeChallenge::from_params(Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), Some("S256"));
    let challenge = challenge.unwrap().unwrap();
    assert_eq!(check(Some(&challenge), Some(verifier)), Ok(()));
    assert_eq!(check(Some(&challenge), Some(challenge.as_str())), Err(PkceRefused::Mismatch));
}

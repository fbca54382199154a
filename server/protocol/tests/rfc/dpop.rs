//! RFC 7638 §3.1 and RFC 9449 §4.2, §6.1, §7.1.

use protocol::client::SigningAlg;
use protocol::credentials::Credentials;
use protocol::dpop::{Expected, NonceDemand, Proof, ProofClaims, ProofRefused, ath, check, check_header};
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::public_jwk::PublicJwk;

use crate::object;

const HEADER: &str = r#"{
    "typ": "dpop+jwt",
    "alg": "ES256",
    "jwk": {
        "kty": "EC",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        "crv": "P-256"
    }
}"#;
const AT_TOKEN: &str = r#"{
    "jti": "-BwC3ESc6acc2lTc",
    "htm": "POST",
    "htu": "https://server.example.com/token",
    "iat": 1562262616
}"#;
const AT_RESOURCE: &str = r#"{
    "jti": "e1j3V_bKic8-LAEB",
    "htm": "GET",
    "htu": "https://resource.example.org/protectedresource",
    "iat": 1562262618,
    "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
}"#;
const ACCESS_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn check_at(
    claims: &str,
    method: &str,
    uri: &str,
    access_token: Option<&str>,
) -> Result<Proof, ProofRefused> {
    let (_, jwk) = check_header(&object(HEADER))?;
    let expected = Expected {
        method,
        uri,
        access_token,
        now: NumericDate(1_562_262_620),
        window: Seconds(60),
        nonce: NonceDemand::NotDemanded,
    };
    check(&jwk, &ProofClaims::parse(&object(claims))?, &expected)
}

#[test]
fn rfc_7638_section_3_1_has_this_thumbprint() {
    let jwk = object(
        r#"{
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
            "alg": "RS256",
            "kid": "2011-04-29"
        }"#,
    );
    let thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    assert_eq!(PublicJwk::parse(&jwk).unwrap().jkt().as_str(), thumbprint);
}

#[test]
fn rfc_9449_section_4_2_is_a_proof_for_the_token_endpoint() {
    assert_eq!(check_header(&object(HEADER)).unwrap().0, SigningAlg::Es256);
    let proof = check_at(AT_TOKEN, "POST", "https://server.example.com/token", None).unwrap();
    assert_eq!((proof.jkt.as_str(), proof.jti.as_str()), (THUMBPRINT, "-BwC3ESc6acc2lTc"));
    let elsewhere = check_at(AT_TOKEN, "POST", "https://server.example.com/par", None);
    assert_eq!(elsewhere, Err(ProofRefused::Uri));
}

#[test]
fn rfc_9449_section_7_1_is_a_proof_for_this_access_token() {
    assert_eq!(ath(ACCESS_TOKEN), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    let header = format!("DPoP {ACCESS_TOKEN}");
    let Ok(Credentials::Dpop(token)) = Credentials::parse(&header) else { panic!("not DPoP") };
    let resource = "https://resource.example.org/protectedresource";
    let proof = check_at(AT_RESOURCE, "GET", resource, Some(token.reveal())).unwrap();
    assert_eq!(proof.jkt.as_str(), THUMBPRINT);
    let other = check_at(AT_RESOURCE, "GET", resource, Some("another"));
    assert_eq!(other, Err(ProofRefused::AccessToken));
}

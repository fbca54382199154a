//! RFC 6749 §2.3.1, §4.1.3, §4.4.2 and RFC 6750 §2.1.

use protocol::credentials::Credentials;
use protocol::params::Params;
use protocol::presented::Presented;
use protocol::token_request::TokenRequest;

use crate::form;

#[test]
fn rfc_6749_section_2_3_1_presents_a_secret_by_basic_or_in_the_body() {
    let basic =
        Presented::read(Some("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"), &Params::default());
    let Ok(Presented::Basic { client_id, secret }) = basic else { panic!("not Basic") };
    assert_eq!((client_id.as_str(), secret.reveal()), ("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw"));

    let body = form(
        "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA
         &client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw",
    );
    let Ok(Presented::Post { client_id, secret }) = Presented::read(None, &body) else {
        panic!("not in the body")
    };
    assert_eq!((client_id.as_str(), secret.reveal()), ("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw"));
    let Ok(TokenRequest::RefreshToken(request)) = TokenRequest::parse(&body) else { panic!("not a refresh") };
    assert_eq!(request.refresh_token.reveal(), "tGzv3JOkF0XG5Qx2TlKWIA");
}

#[test]
fn rfc_6749_section_4_1_3_redeems_a_code() {
    let header = "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW";
    let body = form(
        "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA
         &redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb",
    );
    let Ok(Presented::Basic { secret, .. }) = Presented::read(Some(header), &body) else {
        panic!("not Basic")
    };
    assert_eq!(secret.reveal(), "gX1fBat3bV");
    let Ok(TokenRequest::AuthorizationCode(request)) = TokenRequest::parse(&body) else {
        panic!("not a code")
    };
    assert_eq!(request.code.reveal(), "SplxlOBeZQQYbYS6WxSbIA");
    assert_eq!(request.redirect_uri.as_deref(), Some("https://client.example.com/cb"));
}

#[test]
fn rfc_6749_section_4_4_2_asks_for_a_token_of_its_own() {
    let request = TokenRequest::parse(&form("grant_type=client_credentials"));
    assert!(matches!(request, Ok(TokenRequest::ClientCredentials(_))));
}

#[test]
fn rfc_6750_section_2_1_carries_a_bearer_token() {
    let Ok(Credentials::Bearer(token)) = Credentials::parse("Bearer mF_9.B5f-4.1JqM") else {
        panic!("not Bearer")
    };
    assert_eq!(token.reveal(), "mF_9.B5f-4.1JqM");
}

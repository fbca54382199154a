//! The claims of the ID token (OpenID Connect Core §2). What a user's scopes give beyond them is at userinfo; here it
//! is only where the `claims` parameter asks for it by name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha512};

use crate::client::SigningAlg;
use crate::identifier::ClientId;
use crate::numeric_date::NumericDate;
use crate::token::Login;

/// What an ID token says beyond that where it is pushed with the tokens (Client-Initiated Backchannel Authentication
/// §10.3.1): to which request they belong, and the hash of the refresh token, if there is one.
#[must_use]
pub fn pushed_claims(auth_req_id: &str, refresh_token: Option<&str>, alg: SigningAlg) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("urn:openid:params:jwt:claim:auth_req_id".to_owned(), auth_req_id.into());
    if let Some(refresh_token) = refresh_token {
        let hash = at_hash(refresh_token, alg);
        claims.insert("urn:openid:params:jwt:claim:rt_hash".to_owned(), hash.into());
    }
    claims
}

/// What an ID token says.
#[derive(Clone, Copy, Debug)]
pub struct IdToken<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `sub`: the user, as this client knows them.
    pub subject: &'a str,
    /// `aud`, the client alone.
    pub client: &'a ClientId,
    /// `exp`.
    pub expires_at: NumericDate,
    /// `iat`.
    pub issued_at: NumericDate,
    /// `auth_time`, `acr`, `amr`: of the login, also when a refresh token is used (OpenID Connect Core §12.2).
    pub login: &'a Login,
    /// `nonce`, as it stood in the authorization request; none after a refresh.
    pub nonce: Option<&'a str>,
    /// `sid`, the session as this client knows it (Back-Channel Logout §2.1); none where it hangs on no session.
    pub sid: Option<&'a str>,
    /// The access token issued along with it, for `at_hash`.
    pub access_token: Option<&'a str>,
    /// What else it says of the user.
    pub about_user: &'a Map<String, Value>,
    /// The algorithm it will be signed with.
    pub alg: SigningAlg,
}

impl IdToken<'_> {
    /// The claims. What there is nothing to say about is left out.
    #[must_use]
    pub fn claims(&self) -> Map<String, Value> {
        // First what is said of the user, so that it can take the place of nothing else.
        let mut claims = self.about_user.clone();
        let mut put = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        put("iss", self.issuer.into());
        put("sub", self.subject.into());
        put("aud", self.client.as_str().into());
        put("exp", self.expires_at.0.into());
        put("iat", self.issued_at.0.into());
        put("auth_time", self.login.auth_time.0.into());
        if let Some(nonce) = self.nonce {
            put("nonce", nonce.into());
        }
        if let Some(acr) = &self.login.acr {
            put("acr", acr.as_str().into());
        }
        if !self.login.amr.is_empty() {
            put("amr", self.login.amr.clone().into());
        }
        if let Some(sid) = self.sid {
            put("sid", sid.into());
        }
        if let Some(access_token) = self.access_token {
            put("at_hash", at_hash(access_token, self.alg).into());
        }
        claims
    }
}

/// `at_hash` (OpenID Connect Core §3.1.3.6): the left half of the hash that belongs to the ID token's algorithm.
/// Ed25519 hashes with SHA-512.
#[must_use]
pub fn at_hash(access_token: &str, alg: SigningAlg) -> String {
    match alg {
        SigningAlg::Es256 | SigningAlg::Ps256 | SigningAlg::Rs256 => {
            URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16])
        }
        SigningAlg::EdDsa => URL_SAFE_NO_PAD.encode(&Sha512::digest(access_token)[..32]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(login: &Login, nonce: Option<&str>, access_token: Option<&str>) -> Value {
        let client = "c".parse().unwrap();
        let about_user = json!({"name": "Alice", "aud": "x"}).as_object().unwrap().clone();
        let token = IdToken {
            issuer: "https://as.example",
            subject: "u",
            client: &client,
            expires_at: NumericDate(20),
            issued_at: NumericDate(10),
            login,
            nonce,
            sid: nonce.and(Some("s")),
            access_token,
            about_user: &about_user,
            alg: SigningAlg::Es256,
        };
        Value::Object(token.claims())
    }

    #[test]
    fn what_there_is_nothing_to_say_about_is_left_out() {
        let login = Login { auth_time: NumericDate(5), acr: None, amr: Vec::new() };
        assert_eq!(
            claims(&login, None, None),
            json!({
                "iss": "https://as.example", "sub": "u", "aud": "c", "exp": 20, "iat": 10, "auth_time": 5,
                "name": "Alice"
            })
        );
    }

    #[test]
    fn login_nonce_and_access_token_are_told() {
        let login = Login { auth_time: NumericDate(5), acr: Some("1".into()), amr: vec!["pwd".into()] };
        let told = claims(&login, Some("n"), Some("t"));
        assert_eq!((&told["acr"], &told["amr"], &told["nonce"]), (&json!("1"), &json!(["pwd"]), &json!("n")));
        assert_eq!(told["sid"], "s");
        assert_eq!(told["at_hash"], at_hash("t", SigningAlg::Es256));
    }

    #[test]
    fn what_is_pushed_names_its_request_and_the_hash_of_its_refresh_token() {
        let told = pushed_claims("r", Some("t"), SigningAlg::Es256);
        assert_eq!(told["urn:openid:params:jwt:claim:auth_req_id"], "r");
        assert_eq!(told["urn:openid:params:jwt:claim:rt_hash"], at_hash("t", SigningAlg::Es256));
        assert_eq!(pushed_claims("r", None, SigningAlg::Es256).len(), 1);
    }

    #[test]
    fn half_of_the_hash_is_16_bytes_and_for_eddsa_32() {
        for alg in SigningAlg::ALL {
            let length = if alg == SigningAlg::EdDsa { 32 } else { 16 };
            assert_eq!(URL_SAFE_NO_PAD.decode(at_hash("t", alg)).unwrap().len(), length);
        }
    }
}

//! The upstream says that somebody signed out there (OpenID Connect Back-Channel Logout 1.0).

use serde_json::{Map, Value};

use crate::numeric_date::{NumericDate, Seconds};
use crate::refusal::{ErrorCode, Refuse};

use super::demand::LEEWAY;

/// The member of `events` that makes a JWT a logout token (§2.4).
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How far ahead a logout token may end: as long as its `jti` would have to be remembered.
const LONGEST_LIFE: Seconds = Seconds::days(1);
/// The longest `jti`, `sub` and `sid`, in bytes.
const LONGEST: usize = 255;

/// What a logout token says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogoutToken {
    /// `jti`.
    pub jti: String,
    /// `sub`: all sessions of this user, unless `sid` says which.
    pub subject: Option<String>,
    /// `sid`: this session.
    pub sid: Option<String>,
    /// `exp`.
    pub expires_at: NumericDate,
}

/// Why a logout token is none (§2.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LogoutTokenRefused {
    /// Its `typ` says that it is something else (RFC 8725 §3.11).
    #[error("typ must be logout+jwt or JWT")]
    Typ,
    /// Of another issuer.
    #[error("iss is not the upstream's issuer")]
    Issuer,
    /// For another client.
    #[error("aud is not this client")]
    Audience,
    /// Over, not yet issued, or it does not say.
    #[error("iat and exp are required, and must be of now")]
    Time,
    /// No `jti`.
    #[error("jti is required")]
    Jti,
    /// No logout event.
    #[error("events does not name the back-channel logout")]
    Events,
    /// An ID token has one; a logout token must not.
    #[error("nonce is prohibited")]
    Nonce,
    /// Nobody is meant.
    #[error("sub or sid is required")]
    NobodyMeant,
}

impl Refuse for LogoutTokenRefused {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

/// Checks what stands in a JWT whose signature is the upstream's (§2.6, steps 2 to 8; whether its `jti` was seen
/// before is asked where that is known).
///
/// # Errors
/// [`LogoutTokenRefused`].
pub fn check(
    typ: Option<&str>,
    claims: &Map<String, Value>,
    issuer: &str,
    client_id: &str,
    now: NumericDate,
) -> Result<LogoutToken, LogoutTokenRefused> {
    let known = ["logout+jwt", "application/logout+jwt", "jwt"];
    if typ.is_some_and(|typ| !known.contains(&typ.to_ascii_lowercase().as_str())) {
        return Err(LogoutTokenRefused::Typ);
    }
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(LogoutTokenRefused::Issuer);
    }
    let is_for = match claims.get("aud") {
        Some(Value::String(one)) => one == client_id,
        Some(Value::Array(several)) => several.iter().any(|one| one == client_id),
        _ => false,
    };
    if !is_for {
        return Err(LogoutTokenRefused::Audience);
    }
    let expires_at = expiry(claims, now).ok_or(LogoutTokenRefused::Time)?;
    if claims.contains_key("nonce") {
        return Err(LogoutTokenRefused::Nonce);
    }
    if !claims.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object) {
        return Err(LogoutTokenRefused::Events);
    }
    let jti = text(claims, "jti").ok_or(LogoutTokenRefused::Jti)?;
    let (subject, sid) = (text(claims, "sub"), text(claims, "sid"));
    if subject.is_none() && sid.is_none() {
        return Err(LogoutTokenRefused::NobodyMeant);
    }
    Ok(LogoutToken { jti, subject, sid, expires_at })
}

/// `exp`, if the token was issued and is not over.
fn expiry(claims: &Map<String, Value>, now: NumericDate) -> Option<NumericDate> {
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(NumericDate);
    let (issued, expires) = (time("iat")?, time("exp")?);
    let has_begun = issued.since(now) <= LEEWAY;
    let is_alive = now.since(expires) < LEEWAY;
    (has_begun && is_alive && expires.since(now) <= LONGEST_LIFE).then_some(expires)
}

fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = claims.get(name)?.as_str()?;
    (!text.is_empty() && text.len() <= LONGEST).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: NumericDate = NumericDate(10_000);

    fn fit() -> Value {
        json!({
            "iss": "https://up.example", "aud": "procura", "iat": 10_000, "exp": 10_120, "jti": "j",
            "events": { EVENT: {} }, "sub": "s", "sid": "x"
        })
    }

    fn check(typ: Option<&str>, claims: &Value) -> Result<LogoutToken, LogoutTokenRefused> {
        super::check(typ, claims.as_object().unwrap(), "https://up.example", "procura", NOW)
    }

    #[test]
    fn a_fit_logout_token_says_who_and_which_session() {
        let told = check(Some("logout+jwt"), &fit()).unwrap();
        assert_eq!(
            (told.subject.as_deref(), told.sid.as_deref(), told.jti.as_str()),
            (Some("s"), Some("x"), "j")
        );
        assert!(check(None, &fit()).is_ok() && check(Some("JWT"), &fit()).is_ok());
        let mut several = fit();
        several["aud"] = json!(["other", "procura"]);
        assert!(check(None, &several).is_ok());
    }

    #[test]
    fn each_thing_that_is_wrong_is_a_refusal_of_its_own() {
        use LogoutTokenRefused::{Audience, Events, Issuer, Jti, NobodyMeant, Nonce, Time};
        let wrong: [(&str, Value, LogoutTokenRefused); 17] = [
            ("iss", json!("https://up.example/"), Issuer),
            ("iss", Value::Null, Issuer),
            ("aud", json!("procura2"), Audience),
            ("aud", json!(["procura2"]), Audience),
            ("aud", json!({"a": "procura"}), Audience),
            ("iat", Value::Null, Time),
            ("iat", json!(10_061), Time),
            ("exp", Value::Null, Time),
            ("exp", json!(9_940), Time),
            ("exp", json!(10_000 + 86_401), Time),
            ("jti", json!(""), Jti),
            ("jti", json!("j".repeat(256)), Jti),
            ("events", json!({}), Events),
            ("events", json!({ EVENT: true }), Events),
            ("events", json!([EVENT]), Events),
            ("nonce", json!("n"), Nonce),
            ("nonce", Value::Null, Nonce),
        ];
        for (name, value, refused) in wrong {
            let mut claims = fit();
            claims[name] = value.clone();
            assert_eq!(check(None, &claims), Err(refused), "{name} = {value}");
        }
        let mut nobody = fit();
        nobody.as_object_mut().unwrap().retain(|name, _| name != "sub" && name != "sid");
        assert_eq!(check(None, &nobody), Err(NobodyMeant));
        assert_eq!(check(Some("at+jwt"), &fit()), Err(LogoutTokenRefused::Typ));
    }
}

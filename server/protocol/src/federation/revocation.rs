//! Somebody who is entitled to it says that nothing of a user's is to go on (Global Token Revocation,
//! draft-parecki-oauth-global-token-revocation): an upstream that removed the user, by a JWT that it signs.

use serde_json::{Map, Value};

use super::Identity;
use super::demand::LEEWAY;
use crate::numeric_date::{NumericDate, Seconds};
use crate::refusal::{ErrorCode, Refuse};

/// The `typ` of the JWT.
pub const TYP: &str = "global-token-revocation+jwt";
/// How far ahead such a JWT may end: as long as its `jti` would have to be remembered.
const LONGEST_LIFE: Seconds = Seconds(3600);
/// The longest `jti` and part of a subject, in bytes.
const LONGEST: usize = 255;

/// Whom a request means (RFC 9493 §3.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// `iss_sub`.
    IssSub(Identity),
    /// `email`.
    Email(String),
    /// `opaque`: the name by which both sides know somebody. For an upstream that is its own `sub`, for an admin our
    /// user's id.
    Opaque(String),
}

/// Why a body means nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SubjectRefused {
    /// It is no object with exactly one of the two members.
    #[error("send one JSON object with exactly one member, sub_id or subject")]
    Body,
    /// A format that is not understood (RFC 9493 §3.2).
    #[error("the format of the subject must be iss_sub, email or opaque")]
    Format,
    /// Not the members of its format, or too long.
    #[error("the subject must have the members of its format and no others")]
    Members,
}

/// Why a JWT does not authenticate a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RevocationRefused {
    /// Of another issuer.
    #[error("iss is not the upstream's issuer")]
    Issuer,
    /// For somebody else.
    #[error("aud is not this endpoint")]
    Audience,
    /// Over, not yet issued, or it does not say.
    #[error("iat and exp are required, must be of now and at most an hour apart from it")]
    Time,
    /// No `jti`.
    #[error("jti is required")]
    Jti,
}

impl Refuse for SubjectRefused {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

impl Refuse for RevocationRefused {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidToken
    }
}

/// What a JWT that is right says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// `jti`, which counts once.
    pub jti: String,
    /// `exp`.
    pub expires_at: NumericDate,
}

/// Whether a JWT's header says that it is for this.
#[must_use]
pub fn is_typ(typ: Option<&str>) -> bool {
    typ.is_some_and(|typ| {
        let typ = typ.to_ascii_lowercase();
        typ.strip_prefix("application/").unwrap_or(&typ) == TYP
    })
}

/// Checks what stands in a JWT whose `typ` is right and whose signature is the upstream's.
///
/// # Errors
/// [`RevocationRefused`].
pub fn check(
    claims: &Map<String, Value>,
    issuer: &str,
    endpoint: &str,
    now: NumericDate,
) -> Result<Shown, RevocationRefused> {
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(RevocationRefused::Issuer);
    }
    let is_for = match claims.get("aud") {
        Some(Value::String(one)) => one == endpoint,
        // One that is good elsewhere too could be shown here by whoever it was shown to.
        Some(Value::Array(several)) => several.len() == 1 && several.iter().all(|one| one == endpoint),
        _ => false,
    };
    if !is_for {
        return Err(RevocationRefused::Audience);
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(NumericDate);
    let (Some(issued), Some(expires_at)) = (time("iat"), time("exp")) else {
        return Err(RevocationRefused::Time);
    };
    let has_begun = issued.since(now) <= LEEWAY && now.since(issued) <= LONGEST_LIFE;
    let is_alive = now.since(expires_at) < LEEWAY && expires_at.since(now) <= LONGEST_LIFE;
    if !has_begun || !is_alive {
        return Err(RevocationRefused::Time);
    }
    let jti = claims.get("jti").and_then(Value::as_str).filter(|jti| fits(jti));
    Ok(Shown { jti: jti.ok_or(RevocationRefused::Jti)?.to_owned(), expires_at })
}

impl Subject {
    /// Reads a request body: `sub_id`, or `subject` as earlier versions of the draft had it.
    ///
    /// # Errors
    /// [`SubjectRefused`].
    pub fn parse(body: &[u8]) -> Result<Self, SubjectRefused> {
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return Err(SubjectRefused::Body) };
        let mut members = body.iter();
        let subject = match (members.next(), members.next()) {
            (Some((name, Value::Object(subject))), None) if name == "sub_id" || name == "subject" => subject,
            _ => return Err(SubjectRefused::Body),
        };
        let text = |name: &str| {
            let text = subject.get(name).and_then(Value::as_str).filter(|text| fits(text));
            text.map(str::to_owned).ok_or(SubjectRefused::Members)
        };
        let (read, members) = match subject.get("format").and_then(Value::as_str) {
            Some("iss_sub") => (Self::IssSub(Identity { issuer: text("iss")?, subject: text("sub")? }), 3),
            Some("email") => (Self::Email(text("email")?), 2),
            Some("opaque") => (Self::Opaque(text("id")?), 2),
            _ => return Err(SubjectRefused::Format),
        };
        if subject.len() == members { Ok(read) } else { Err(SubjectRefused::Members) }
    }
}

fn fits(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: NumericDate = NumericDate(10_000);
    const HERE: &str = "https://as.example/global-token-revocation";

    fn parse(body: &Value) -> Result<Subject, SubjectRefused> {
        Subject::parse(body.to_string().as_bytes())
    }

    #[test]
    fn a_subject_is_read_under_either_name_in_each_of_three_formats() {
        let identity = Identity { issuer: "https://up.example".into(), subject: "s".into() };
        let iss_sub = json!({ "format": "iss_sub", "iss": "https://up.example", "sub": "s" });
        for name in ["sub_id", "subject"] {
            assert_eq!(parse(&json!({ name: iss_sub })), Ok(Subject::IssSub(identity.clone())));
        }
        let email = json!({ "sub_id": { "format": "email", "email": "zoe@up.example" } });
        assert_eq!(parse(&email), Ok(Subject::Email("zoe@up.example".into())));
        let opaque = json!({ "sub_id": { "format": "opaque", "id": "usr_1" } });
        assert_eq!(parse(&opaque), Ok(Subject::Opaque("usr_1".into())));
    }

    #[test]
    fn a_body_that_means_nobody_for_certain_means_nobody() {
        let one = json!({ "format": "opaque", "id": "x" });
        for (body, refused) in [
            (json!({}), SubjectRefused::Body),
            (json!([]), SubjectRefused::Body),
            (json!({ "sub_id": "x" }), SubjectRefused::Body),
            (json!({ "sub_id": one, "subject": one }), SubjectRefused::Body),
            (json!({ "sub_id": one, "more": 1 }), SubjectRefused::Body),
            (json!({ "who": one }), SubjectRefused::Body),
            (json!({ "sub_id": { "id": "x" } }), SubjectRefused::Format),
            (json!({ "sub_id": { "format": "phone_number", "phone_number": "+1" } }), SubjectRefused::Format),
            (json!({ "sub_id": { "format": "iss_sub", "iss": "x" } }), SubjectRefused::Members),
            (json!({ "sub_id": { "format": "opaque", "id": "" } }), SubjectRefused::Members),
            (json!({ "sub_id": { "format": "opaque", "id": "x", "sub": "y" } }), SubjectRefused::Members),
            (json!({ "sub_id": { "format": "opaque", "id": "x".repeat(256) } }), SubjectRefused::Members),
        ] {
            assert_eq!(parse(&body), Err(refused), "{body}");
        }
        assert_eq!(Subject::parse(b"\xff"), Err(SubjectRefused::Body));
    }

    fn fit() -> Value {
        json!({ "iss": "https://up.example", "aud": HERE, "iat": 10_000, "exp": 10_060, "jti": "j" })
    }

    fn judge(claims: &Value) -> Result<Shown, RevocationRefused> {
        check(claims.as_object().unwrap(), "https://up.example", HERE, NOW)
    }

    #[test]
    fn a_jwt_of_the_upstream_for_this_endpoint_and_of_now_counts_and_no_other() {
        assert_eq!(judge(&fit()), Ok(Shown { jti: "j".into(), expires_at: NumericDate(10_060) }));
        for (name, value, refused) in [
            ("iss", json!("https://other.example"), RevocationRefused::Issuer),
            ("aud", json!("https://as.example"), RevocationRefused::Audience),
            ("aud", json!([HERE, "https://other.example"]), RevocationRefused::Audience),
            ("aud", Value::Null, RevocationRefused::Audience),
            ("exp", json!(9_000), RevocationRefused::Time),
            ("exp", json!(20_000), RevocationRefused::Time),
            ("exp", Value::Null, RevocationRefused::Time),
            ("iat", json!(11_000), RevocationRefused::Time),
            ("iat", json!(1_000), RevocationRefused::Time),
            ("iat", Value::Null, RevocationRefused::Time),
            ("jti", Value::Null, RevocationRefused::Jti),
            ("jti", json!(""), RevocationRefused::Jti),
        ] {
            let mut claims = fit();
            claims[name] = value;
            assert_eq!(judge(&claims), Err(refused), "{claims}");
        }
        let mut one = fit();
        one["aud"] = json!([HERE]);
        assert!(judge(&one).is_ok());
    }

    #[test]
    fn only_its_own_typ_is_its_typ() {
        assert!(is_typ(Some("global-token-revocation+jwt")));
        assert!(is_typ(Some("application/Global-Token-Revocation+JWT")));
        for other in [None, Some("JWT"), Some("logout+jwt"), Some("at+jwt"), Some("")] {
            assert!(!is_typ(other), "{other:?}");
        }
    }
}

//! The public keys of a registration (RFC 7591 §2): by value or by reference, never both.

use serde_json::Value;

use super::RegistrationRefused;
use super::checks::is_plain_https;
use super::members::Members;
use crate::client::KeySource;
use crate::public_jwk::{InvalidJwk, PublicJwk};

/// The most keys by value.
pub(super) const MOST_KEYS: usize = 10;

/// Reads `jwks` or `jwks_uri`.
pub(super) fn read(members: &Members<'_>) -> Result<KeySource, RegistrationRefused> {
    match (members.get("jwks"), members.text("jwks_uri")?) {
        (Some(_), Some(_)) => Err(RegistrationRefused::TwoKeySources),
        (None, None) => Ok(KeySource::None),
        (None, Some(uri)) => match url::Url::parse(uri) {
            Ok(uri) if is_plain_https(&uri) => Ok(KeySource::JwksUri(uri)),
            _ => Err(RegistrationRefused::NotHttps("jwks_uri")),
        },
        (Some(jwks), None) => {
            check(jwks)?;
            Ok(KeySource::Jwks(jwks.clone()))
        }
    }
}

/// Public keys only, and one that we know at least. Keys of other kinds are passed over (RFC 7517 §5), weak ones and
/// private ones are not: whoever sent a private key has given it away.
fn check(jwks: &Value) -> Result<(), RegistrationRefused> {
    let keys = jwks.get("keys").and_then(Value::as_array);
    let keys = keys.filter(|keys| (1..=MOST_KEYS).contains(&keys.len()));
    let mut known = 0;
    for key in keys.ok_or(RegistrationRefused::NotAKeySet)? {
        let key = key.as_object().ok_or(RegistrationRefused::NotAKeySet)?;
        match PublicJwk::parse(key) {
            Ok(_) => known += 1,
            Err(InvalidJwk::Kind) => {}
            Err(unfit) => return Err(unfit.into()),
        }
    }
    if known == 0 { Err(InvalidJwk::Kind.into()) } else { Ok(()) }
}

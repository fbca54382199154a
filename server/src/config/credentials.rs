//! What a client proves itself with, as it is written: a secret's digest, or public keys.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::client::{AuthMethod, ClientAuthentication, KeySource};
use protocol::registration::redirect_uris::is_loopback;
use serde_json::Value;
use url::Url;

use super::jwks::{self, KeyMaterial};
use super::problem::Entry;
use super::written::Json;

/// What a client proves itself with; no two clients may share one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Credential {
    Key(KeyMaterial),
    SecretSha256(Vec<u8>),
}

/// How a client authenticates, as far as it was fit.
pub(super) type Proof = (ClientAuthentication, Vec<Credential>);

/// Whether a client that authenticates so needs public keys: to sign with, or with its certificate beside them.
pub(super) const fn needs_keys(method: AuthMethod) -> bool {
    matches!(method, AuthMethod::PrivateKeyJwt | AuthMethod::SelfSignedTlsClientAuth)
}

/// How a client authenticates with a secret of this SHA-256.
pub(super) fn secret(sha256: Option<&str>, post: bool, entry: &mut Entry<'_>) -> Option<Proof> {
    let Some(hex) = sha256 else {
        entry.no("secret_sha256", "is missing: the SHA-256 of the client's secret");
        return None;
    };
    let Some(bytes) = from_hex(hex).filter(|bytes| bytes.len() == 32) else {
        entry.no(
            "secret_sha256",
            "must be 64 hexadecimal digits, as printf %s \"$secret\" | sha256sum prints them",
        );
        return None;
    };
    if bytes == digest(&SHA256, b"").as_ref() {
        entry.no("secret_sha256", "is the SHA-256 of nothing; was the variable with the secret set?");
        return None;
    }
    let secret_sha256 = URL_SAFE_NO_PAD.encode(&bytes);
    let authentication = if post {
        ClientAuthentication::ClientSecretPost { secret_sha256 }
    } else {
        ClientAuthentication::ClientSecretBasic { secret_sha256 }
    };
    Some((authentication, vec![Credential::SecretSha256(bytes)]))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

/// The keys of a client as written: by value, in a file beside the configuration, or where it publishes them.
pub(super) struct WrittenKeys {
    pub(super) jwks: Option<Json>,
    pub(super) file: Option<String>,
    pub(super) uri: Option<Url>,
}

/// Where the keys of a client are, with those that are known already; none where they are unfit, which is told.
pub(super) fn keys(
    written: WrittenKeys,
    needed: bool,
    folder: &Path,
    entry: &mut Entry<'_>,
) -> Option<(KeySource, Vec<Credential>)> {
    let (key, jwks) = match written {
        WrittenKeys { jwks: Some(Json(jwks)), file: None, uri: None } => ("jwks", jwks),
        WrittenKeys { jwks: None, file: Some(file), uri: None } => match read_json(&folder.join(file)) {
            Ok(jwks) => ("jwks_file", jwks),
            Err(reason) => {
                entry.no("jwks_file", reason);
                return None;
            }
        },
        WrittenKeys { jwks: None, file: None, uri: Some(uri) } => {
            let fit = uri.scheme() == "https" || is_loopback(&uri);
            entry.check(fit, "jwks_uri", "must be https");
            return fit.then(|| (KeySource::JwksUri(uri), Vec::new()));
        }
        WrittenKeys { jwks: None, file: None, uri: None } => {
            entry.check(
                !needed,
                "jwks",
                "is missing: the client's public keys, as jwks, jwks_file or jwks_uri",
            );
            return (!needed).then(|| (KeySource::None, Vec::new()));
        }
        _ => {
            entry.no("jwks", "write one of jwks, jwks_file and jwks_uri");
            return None;
        }
    };
    match jwks::check(&jwks) {
        Ok(keys) => {
            entry.check(!needed || !keys.is_empty(), key, "holds no key that verifies what the client signs");
            let credentials = keys.into_iter().map(Credential::Key).collect();
            Some((KeySource::Jwks(jwks), credentials))
        }
        Err(unfit) => {
            for (i, why) in unfit {
                let place = i.map_or_else(|| key.to_owned(), |i| format!("{key}.keys[{i}]"));
                entry.no(place, why);
            }
            None
        }
    }
}

/// The JSON in a file.
pub(super) fn read_json(path: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("is not JSON: {error}"))
}

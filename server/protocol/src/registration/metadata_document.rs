//! Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document): a client whose id is the URL of what
//! it says of itself.

use serde_json::{Map, Value};
use url::{Host, Url};

use super::{Policy, Registration, RegistrationRefused};
use crate::client::{AuthMethod, Client};
use crate::identifier::ClientId;
use crate::numeric_date::Seconds;

/// The largest document, in bytes.
pub const LARGEST: usize = 5 * 1024;
/// How long a document is taken for what its client says, where the answer does not say.
const USUAL_FRESHNESS: Seconds = Seconds::minutes(10);
/// However short an answer says that it is fresh, nobody is asked more often.
const LEAST_FRESHNESS: Seconds = Seconds::minutes(1);
/// However long, it is asked for again the next day.
const MOST_FRESHNESS: Seconds = Seconds::days(1);

/// Why there is no client. Whoever asked learns only that it could not be found out who it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DocumentRefused {
    /// Not 200, not JSON, or too large.
    #[error(
        "the client's metadata document could not be had: it must be JSON of at most 5 KB, with status 200"
    )]
    NotThere,
    /// `client_id` in it is not its own URL.
    #[error("the client's metadata document is that of another client")]
    OtherClient,
    /// It holds a secret, or wants one: everybody can read it.
    #[error("the client's metadata document must not have or need a secret")]
    Secret,
    /// It says something that no client may.
    #[error("the client's metadata document: {0}")]
    Refused(#[from] RegistrationRefused),
}

/// The URL of a client id that is one: https, with a path, without `.` and `..` in it, fragment, user and query.
#[must_use]
pub fn url_of(id: &ClientId) -> Option<Url> {
    let text = id.as_str();
    if !text.starts_with("https://") {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let path = text.strip_prefix("https://")?.find('/').map(|at| &text["https://".len() + at..])?;
    let dots = |segment: &str| {
        matches!(segment.to_ascii_lowercase().as_str(), "." | ".." | "%2e" | "%2e%2e" | ".%2e" | "%2e.")
    };
    let plain = !text.contains(['#', '?', '\\', '@']) && !path.split('/').any(dots);
    // As written and as parsed it must be one text, so that one client has one id.
    (plain && path != "/" && url.as_str() == text).then_some(url)
}

/// Whether the URL's host is this very machine: whoever runs a program on it can answer there.
#[must_use]
pub fn is_at_home(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Reads the document that was found at `id`.
///
/// # Errors
/// [`DocumentRefused`].
pub fn read(
    id: &ClientId,
    document: &Map<String, Value>,
    policy: &Policy,
) -> Result<Client, DocumentRefused> {
    if document.get("client_id").and_then(Value::as_str) != Some(id.as_str()) {
        return Err(DocumentRefused::OtherClient);
    }
    if ["client_secret", "client_secret_expires_at"].iter().any(|member| document.contains_key(*member)) {
        return Err(DocumentRefused::Secret);
    }
    let mut document = document.clone();
    // Without a secret, whoever says nothing else is a public client.
    document.entry("token_endpoint_auth_method").or_insert_with(|| AuthMethod::None.as_str().into());
    let method = document.get("token_endpoint_auth_method").and_then(Value::as_str).unwrap_or_default();
    if method.starts_with("client_secret") {
        return Err(DocumentRefused::Secret);
    }
    let registration = Registration::parse(&document, policy)?;
    if registration.needs_secret() {
        return Err(DocumentRefused::Secret);
    }
    Ok(registration.into_client(id.clone(), String::new(), policy))
}

/// How long a document is taken for what its client says, within bounds.
#[must_use]
pub fn freshness(max_age: Option<i64>) -> Seconds {
    let said = max_age.map_or(USUAL_FRESHNESS, Seconds);
    said.clamp(LEAST_FRESHNESS, MOST_FRESHNESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Option<Url> {
        url_of(&text.parse().unwrap())
    }

    #[test]
    fn a_client_id_that_is_a_url_is_https_with_a_path_and_nothing_besides() {
        for good in [
            "https://app.example/client.json",
            "https://app.example:8443/oauth/client",
            "https://app.example/~x/..hidden",
        ] {
            assert!(url(good).is_some(), "{good}");
        }
        for bad in [
            "http://app.example/client.json",
            "https://app.example",
            "https://app.example/",
            "https://app.example/a/../b",
            "https://app.example/a/./b",
            "https://app.example/a/%2e%2e/b",
            "https://app.example/a/%2E/b",
            "https://app.example/..",
            "https://app.example/a#f",
            "https://app.example/a?x=1",
            "https://user@app.example/a",
            "https://u:p@app.example/a",
            "https://APP.example/a",
            "https://app.example:443/a",
            "https://app.example\\@evil.example/a",
            "https:/app.example/a",
            "HTTPS://app.example/a",
            "app",
        ] {
            assert_eq!(url(bad), None, "{bad}");
        }
    }

    #[test]
    fn freshness_is_what_the_answer_says_within_a_minute_and_a_day() {
        for (said, taken) in
            [(None, 600), (Some(-5), 60), (Some(0), 60), (Some(300), 300), (Some(i64::MAX), 86_400)]
        {
            assert_eq!(freshness(said), Seconds(taken));
        }
    }

    #[test]
    fn this_very_machine_is_known_by_its_names() {
        for (text, home) in [
            ("https://localhost/a", true),
            ("https://x.localhost/a", true),
            ("https://127.9.9.9/a", true),
            ("https://[::1]/a", true),
            ("https://localhost.example/a", false),
            ("https://8.8.8.8/a", false),
        ] {
            assert_eq!(is_at_home(&Url::parse(text).unwrap()), home, "{text}");
        }
    }
}

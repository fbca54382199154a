//! `session_state` and the browser state it is made of (Session Management §2, §3.2): how a client's page can see that
//! the session changed, without asking the server each time.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use url::{Origin, Url};

use crate::identifier::{ClientId, SessionId};

/// The browser state: what the browser keeps of a session in a cookie that scripts can read. It changes when somebody
/// signs in or out, and nothing can be done with it but to compare.
#[must_use]
pub fn browser_state(session: &SessionId) -> String {
    let digest = Sha256::digest(format!("browser state {}", session.as_str()));
    URL_SAFE_NO_PAD.encode(&digest[..18])
}

/// `session_state` for a page of `origin`; `browser_state` is empty while nobody is signed in. The `salt` is a fresh
/// one each time, so that two of them tell nothing about whether they are of the same user (§3.2).
#[must_use]
pub fn session_state(client: &ClientId, origin: &str, browser_state: &str, salt: &str) -> String {
    let digest = Sha256::digest(format!("{} {origin} {browser_state} {salt}", client.as_str()));
    let mut text = digest.iter().fold(String::with_capacity(64 + 1 + salt.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    text.push('.');
    text.push_str(salt);
    text
}

/// The origin of a return address, as browsers write it. Apps have none, and no page that could watch.
#[must_use]
pub fn origin_of(return_address: &str) -> Option<String> {
    let origin = Url::parse(return_address).ok()?.origin();
    matches!(origin, Origin::Tuple(..)).then(|| origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_state_depends_on_all_of_its_parts_and_has_no_space() {
        let client: ClientId = "web".parse().unwrap();
        let (alice, bob) =
            (browser_state(&"ses_1".parse().unwrap()), browser_state(&"ses_2".parse().unwrap()));
        let first = session_state(&client, "https://c.example", &alice, "salt");
        for other in [
            session_state(&"app".parse().unwrap(), "https://c.example", &alice, "salt"),
            session_state(&client, "https://d.example", &alice, "salt"),
            session_state(&client, "https://c.example", &bob, "salt"),
            session_state(&client, "https://c.example", "", "salt"),
            session_state(&client, "https://c.example", &alice, "pepper"),
        ] {
            assert_ne!(first, other);
        }
        assert!(!first.contains(' ') && first.ends_with(".salt"));
    }

    #[test]
    fn it_is_the_hash_that_other_implementations_compute() {
        // printf %s 'web https://c.example state salt' | sha256sum
        let known = "8aeb10134d0b5cb9d92b2681b5eaff24";
        let computed = session_state(&"web".parse().unwrap(), "https://c.example", "state", "salt");
        assert!(computed.starts_with(known), "{computed}");
    }

    #[test]
    fn only_web_addresses_have_an_origin() {
        assert_eq!(origin_of("https://c.example:443/cb?x=1").as_deref(), Some("https://c.example"));
        assert_eq!(origin_of("http://127.0.0.1:8400/cb").as_deref(), Some("http://127.0.0.1:8400"));
        assert_eq!(origin_of("com.example.app:/cb"), None);
        assert_eq!(origin_of("no address"), None);
    }
}

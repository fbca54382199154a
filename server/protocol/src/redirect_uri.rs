//! Where an authorization response may go (RFC 6749 §3.1.2, RFC 9700 §4.1.3). A redirect can be built only from a
//! [`ReturnAddress`], and only [`find`] builds one: an open redirect cannot be typed.

use serde::Serialize;
use url::form_urlencoded;

use crate::refusal::{ErrorCode, Refuse};

/// A redirect URI that the client registered. It can be stored but not read back: whoever has stored it keeps the
/// text and asks [`find`] again, so that a client that lost the address meanwhile loses it here too.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct ReturnAddress(Box<str>);

/// Why there is no return address. The answer is a page for the user, never a redirect (RFC 6749 §4.1.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RedirectUriRefused {
    /// It is not, character by character, one that the client registered.
    #[error("redirect_uri is not one that this client registered; the match is exact")]
    NotRegistered,
    /// None was sent and the client registered several, or none.
    #[error("redirect_uri is required unless the client registered exactly one")]
    Missing,
}

impl Refuse for RedirectUriRefused {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

/// Finds the return address of a request among those the client registered: by exact comparison, except that a
/// loopback address may come with any port (RFC 8252 §7.3). None need be sent where just one is registered.
///
/// # Errors
/// [`RedirectUriRefused`] where there is no such address.
pub fn find(registered: &[String], requested: Option<&str>) -> Result<ReturnAddress, RedirectUriRefused> {
    let Some(requested) = requested else {
        return match registered {
            [only] if is_plain(only) => Ok(ReturnAddress(only.as_str().into())),
            _ => Err(RedirectUriRefused::Missing),
        };
    };
    let matches = |one: &String| one == requested || differ_in_port_alone(one, requested);
    if is_plain(requested) && registered.iter().any(matches) {
        Ok(ReturnAddress(requested.into()))
    } else {
        Err(RedirectUriRefused::NotRegistered)
    }
}

/// An absolute URI of visible ASCII without fragment (RFC 6749 §3.1.2): safe in a `Location` header, and its query
/// can be extended. Registration should have seen to it; nothing is sent anywhere on the strength of "should".
fn is_plain(uri: &str) -> bool {
    uri.bytes().all(|b| (0x21..=0x7e).contains(&b)) && !uri.contains('#') && url::Url::parse(uri).is_ok()
}

/// Whether both are the same loopback URI but for the port. A name of the loopback counts only where the client
/// registered that very name.
fn differ_in_port_alone(registered: &str, requested: &str) -> bool {
    ["http://127.0.0.1", "http://[::1]", "http://localhost"].into_iter().any(|loopback| {
        let rest = |uri| without_port(str::strip_prefix(uri, loopback)?);
        rest(registered).is_some_and(|rest_of_it| rest(requested) == Some(rest_of_it))
    })
}

/// What follows the port, or the host where there is none; `None` where the host goes on or the port is none.
fn without_port(after_host: &str) -> Option<&str> {
    let rest = match after_host.strip_prefix(':') {
        None => after_host,
        Some(port_and_rest) => {
            let end = port_and_rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(port_and_rest.len());
            let (port, rest) = port_and_rest.split_at(end);
            let port: u16 = port.parse().ok()?;
            if port == 0 {
                return None;
            }
            rest
        }
    };
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
}

impl ReturnAddress {
    /// The address as text, to be stored or shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL that sends `params` to the client, for success and error alike. A query that the address already
    /// has is kept and extended (RFC 6749 §3.1.2).
    #[must_use]
    pub fn redirect(&self, params: &[(&str, &str)]) -> String {
        let mut url = self.0.to_string();
        if params.is_empty() {
            return url;
        }
        let query = url.find('?').map_or_else(
            || {
                url.push('?');
                url.len()
            },
            |mark| mark + 1,
        );
        if url.ends_with('&') {
            url.pop();
        }
        let mut query = form_urlencoded::Serializer::for_suffix(url, query);
        query.extend_pairs(params);
        query.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RedirectUriRefused::{Missing, NotRegistered};

    const CALLBACK: &str = "https://client.example/cb?tenant=1";

    fn one(registered: &str, requested: &str) -> Result<ReturnAddress, RedirectUriRefused> {
        find(&[registered.to_owned()], Some(requested))
    }

    #[test]
    fn only_the_exact_text_is_registered() {
        assert_eq!(one(CALLBACK, CALLBACK).unwrap().as_str(), CALLBACK);
        for attack in [
            "https://client.example/cb",
            "https://client.example/cb?tenant=1&x=1",
            "https://client.example/cb/?tenant=1",
            "https://client.example/cb/../cb?tenant=1",
            "https://client.example/cb%3Ftenant=1",
            "https://CLIENT.example/cb?tenant=1",
            "HTTPS://client.example/cb?tenant=1",
            "http://client.example/cb?tenant=1",
            "https://client.example:443/cb?tenant=1",
            "https://client.example@evil.example/cb?tenant=1",
            "https://client.example.evil.example/cb?tenant=1",
            "https://evil.example/?https://client.example/cb?tenant=1",
            "//client.example/cb?tenant=1",
            "/cb",
            " https://client.example/cb?tenant=1",
            "https://client.example/cb?tenant=1#",
            "https://client.example/cb?tenant=1%0d%0aX:1",
            "javascript:alert(1)",
        ] {
            assert_eq!(one(CALLBACK, attack), Err(NotRegistered), "{attack}");
        }
        assert_eq!(one("https://c.example/~a", "https://c.example/%7Ea"), Err(NotRegistered));
    }

    #[test]
    fn a_loopback_address_may_have_any_port() {
        for (registered, requested) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"),
            ("http://127.0.0.1:8080/cb", "http://127.0.0.1/cb"),
            ("http://127.0.0.1:8080/cb?a=1", "http://127.0.0.1:65535/cb?a=1"),
            ("http://[::1]/cb", "http://[::1]:1/cb"),
            ("http://localhost/cb", "http://localhost:3000/cb"),
            ("http://127.0.0.1", "http://127.0.0.1:9"),
        ] {
            assert_eq!(one(registered, requested).unwrap().as_str(), requested, "{requested}");
        }
    }

    #[test]
    fn a_loopback_address_may_differ_in_nothing_but_the_port() {
        for (registered, attack) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb2"),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example:1/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:1:2/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:+80/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.2:80/cb"),
            ("http://127.0.0.1/cb", "http://127.1:80/cb"),
            ("http://127.0.0.1/cb", "https://127.0.0.1:80/cb"),
            ("http://127.0.0.1/cb", "http://localhost:80/cb"),
            ("http://127.0.0.1/cb", "http://[::1]:80/cb"),
            ("http://localhost/cb", "http://127.0.0.1:80/cb"),
            ("http://localhost/cb", "http://LOCALHOST:80/cb"),
            ("http://localhost/cb", "http://localhost.evil.example:80/cb"),
            ("http://127.0.0.1@c.example/cb", "http://127.0.0.1:5@c.example/cb"),
            ("https://127.0.0.1/cb", "https://127.0.0.1:80/cb"),
            ("https://client.example/cb", "https://client.example:8443/cb"),
        ] {
            assert_eq!(one(registered, attack), Err(NotRegistered), "{attack}");
        }
    }

    #[test]
    fn none_need_be_sent_where_exactly_one_is_registered() {
        let [a, b] = ["https://a.example/cb", "https://b.example/cb"].map(str::to_owned);
        assert_eq!(find(std::slice::from_ref(&a), None).unwrap().as_str(), a);
        assert_eq!(find(&[a, b], None), Err(Missing));
        assert_eq!(find(&[], None), Err(Missing));
    }

    #[test]
    fn what_should_never_have_been_registered_is_not_redirected_to() {
        for bad in ["https://a.example/#f", "https://a.example/\r\nX: 1", "/cb", ""] {
            assert!(one(bad, bad).is_err(), "{bad}");
            assert!(find(&[bad.to_owned()], None).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_existing_query_is_kept_and_values_are_encoded() {
        let to = |uri: &str, params: &[(&str, &str)]| one(uri, uri).unwrap().redirect(params);
        let params = [("code", "a b"), ("state", "é&=#\r\n")];
        assert_eq!(
            to("https://c.example", &params),
            "https://c.example?code=a+b&state=%C3%A9%26%3D%23%0D%0A"
        );
        assert_eq!(to(CALLBACK, &[("code", "x")]), "https://client.example/cb?tenant=1&code=x");
        assert_eq!(to("https://c.example/?", &[("code", "x")]), "https://c.example/?code=x");
        assert_eq!(to("https://c.example/?a=1&", &[("code", "x")]), "https://c.example/?a=1&code=x");
        assert_eq!(to("com.example.app:/cb", &[("code", "x")]), "com.example.app:/cb?code=x");
        assert_eq!(to(CALLBACK, &[]), CALLBACK);
    }
}

//! Which redirect URIs may be registered (OAuth 2.1 §2.3.1, §8.4; RFC 9700 §2.6).

/// The longest redirect URI, in bytes.
const LONGEST: usize = 2048;

/// Why a redirect URI cannot be registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnfitRedirectUri {
    /// Not absolute, too long, or with characters that no URI has.
    #[error("must be an absolute URI")]
    NotAbsolute,
    /// With a fragment (RFC 6749 §3.1.2).
    #[error("must not have a fragment")]
    Fragment,
    /// With a wildcard for a host: it is compared as it stands and would never fit.
    #[error("must not have a wildcard in its host")]
    Wildcard,
    /// With a user name or password, which makes a host look like another.
    #[error("must not name a user")]
    UserInfo,
    /// Plain http to another machine.
    #[error("must be https; plain http only to 127.0.0.1, [::1] or localhost")]
    NotEncrypted,
    /// A private-use scheme without a dot (RFC 8252 §7.1).
    #[error(
        "must be https, or have a private-use scheme with a dot in it, such as com.example.app:/callback"
    )]
    SchemeWithoutDot,
}

/// Whether the host is this very machine, by one of the names that RFC 8252 §7.3 and §8.3 know for it.
#[must_use]
pub fn is_loopback(url: &url::Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

/// Checks a redirect URI that somebody wants to register.
///
/// # Errors
/// [`UnfitRedirectUri`] says why not.
pub fn check(uri: &str) -> Result<(), UnfitRedirectUri> {
    if uri.contains('#') {
        return Err(UnfitRedirectUri::Fragment);
    }
    let spelled = uri.len() <= LONGEST
        && uri.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>'));
    let parsed = url::Url::parse(uri).ok().filter(|_| spelled).ok_or(UnfitRedirectUri::NotAbsolute)?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(UnfitRedirectUri::UserInfo);
    }
    if parsed.host_str().is_some_and(|host| host.contains('*')) {
        return Err(UnfitRedirectUri::Wildcard);
    }
    match parsed.scheme() {
        // The parser forgives `https:host` and upper case; browsers and clients that compare texts do not.
        "https" if uri.starts_with("https://") => Ok(()),
        "http" if uri.starts_with("http://") && is_loopback(&parsed) => Ok(()),
        "https" => Err(UnfitRedirectUri::NotAbsolute),
        "http" => Err(UnfitRedirectUri::NotEncrypted),
        scheme if scheme.contains('.') && uri.starts_with(scheme) => Ok(()),
        _ => Err(UnfitRedirectUri::SchemeWithoutDot),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_loopback_and_reverse_domain_schemes_may_be_registered() {
        for good in [
            "https://shop.example/cb",
            "https://shop.example/cb?a=1",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:8400/cb",
            "http://[::1]:8400/cb",
            "http://localhost/cb",
            "com.example.app:/cb",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn anything_else_may_not() {
        use UnfitRedirectUri::*;
        for (bad, why) in [
            ("", NotAbsolute),
            ("/cb", NotAbsolute),
            ("shop.example/cb", NotAbsolute),
            ("https:shop.example/cb", NotAbsolute),
            ("HTTPS://shop.example/cb", NotAbsolute),
            ("https://shop.example/c b", NotAbsolute),
            ("https://shop.example\\@evil.example/", NotAbsolute),
            ("https://shop.example/cb#", Fragment),
            ("https://shop.example/cb#x", Fragment),
            ("https://*.shop.example/cb", Wildcard),
            ("https://shop@evil.example/cb", UserInfo),
            ("http://shop.example/cb", NotEncrypted),
            ("http://127.0.0.1.evil.example/cb", NotEncrypted),
            ("http://10.0.0.1/cb", NotEncrypted),
            ("myapp:/cb", SchemeWithoutDot),
            ("javascript:alert(1)", SchemeWithoutDot),
            ("data:text/html,x", SchemeWithoutDot),
        ] {
            assert_eq!(check(bad), Err(why), "{bad}");
        }
    }
}

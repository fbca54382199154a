//! A path of this server that somebody may be led to after signing in: never the way to another site.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest path with its query, in bytes.
const LONGEST: usize = 1024;

/// A path, with its query, that every browser reads as a place on this server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalPath(String);

/// No such path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no path of this server")]
pub struct NotLocal;

impl LocalPath {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LocalPath {
    type Error = NotLocal;

    /// One slash and then something else than a slash: `//host` and `/\host` are other sites (WHATWG URL §4.4), and
    /// browsers pass over tabs and line breaks wherever they stand.
    fn try_from(text: String) -> Result<Self, NotLocal> {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
        let rooted = text.starts_with('/') && !text.starts_with("//");
        if plain && rooted && text.len() <= LONGEST { Ok(Self(text)) } else { Err(NotLocal) }
    }
}

impl std::str::FromStr for LocalPath {
    type Err = NotLocal;

    fn from_str(text: &str) -> Result<Self, NotLocal> {
        Self::try_from(text.to_owned())
    }
}

impl From<LocalPath> for String {
    fn from(path: LocalPath) -> Self {
        path.0
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_a_query_is_one() {
        for path in
            ["/", "/admin", "/device?user_code=ABCD-EFGH", "/account/security", "/a//b", "/a?next=//x"]
        {
            assert_eq!(path.parse::<LocalPath>().map(String::from).as_deref(), Ok(path));
        }
    }

    #[test]
    fn what_leads_elsewhere_in_any_browser_is_none() {
        for elsewhere in [
            "",
            "admin",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/a b",
            "/ä",
            "/a#b",
            "/\r\nSet-Cookie:x",
        ] {
            assert_eq!(elsewhere.parse::<LocalPath>(), Err(NotLocal), "{elsewhere:?}");
        }
        assert_eq!(format!("/{}", "a".repeat(LONGEST)).parse::<LocalPath>(), Err(NotLocal));
    }

    #[test]
    fn what_is_taken_joins_to_this_server_and_no_other() {
        let here = url::Url::parse("https://as.example/sign-in?x=1").unwrap();
        for path in
            ["/", "/admin", "/..//evil.example", "/./", "/%2f%2fevil.example", "/?//evil", "/@evil.example"]
        {
            let path: LocalPath = path.parse().unwrap();
            assert_eq!(here.join(path.as_str()).unwrap().origin(), here.origin(), "{path}");
        }
    }
}

//! `[mail]` and `[passwords]`: what people are written to, and what their passwords must be.

use protocol::registration::redirect_uris::is_loopback;
use serde::Deserialize;

use super::hidden::Hidden;

/// How mail is sent. Without a server, none is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailSettings {
    /// The server that takes mail, as `smtps://user:password@host` or `smtp://…?tls=required`.
    pub server: Option<Hidden>,
    /// Whom it is from.
    pub from: String,
}

/// What a password must be.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordSettings {
    /// The fewest characters.
    pub min_length: usize,
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self { min_length: 12 }
    }
}

impl MailSettings {
    /// What is wrong with the values, each by its key.
    pub(super) fn wrong(&self) -> Vec<(&'static str, String)> {
        let Some(server) = &self.server else { return Vec::new() };
        let server = server_is_wrong(server.reveal()).map(|wrong| ("mail.server", wrong.to_owned()));
        let from = from_is_wrong(&self.from).then(|| {
            ("mail.from", "must be an address such as login@shop.example, with a name or without".to_owned())
        });
        server.into_iter().chain(from).collect()
    }
}

/// A link that sets a password must not travel in clear.
fn server_is_wrong(server: &str) -> Option<&'static str> {
    let Ok(url) = url::Url::parse(server) else {
        return Some("must be a URL such as smtps://user:password@mail.example");
    };
    let required = url.query_pairs().any(|(name, value)| name == "tls" && value == "required");
    match url.scheme() {
        "smtps" if url.has_host() => None,
        "smtp" if url.has_host() && (required || is_loopback(&url)) => None,
        "smtp" => Some("must be smtps://, or end with ?tls=required, unless its host is this very machine"),
        _ => Some("must begin with smtps:// or smtp://"),
    }
}

/// `login@shop.example` or `The Shop <login@shop.example>`.
fn from_is_wrong(from: &str) -> bool {
    let inner = from.split_once('<').and_then(|(_, rest)| rest.strip_suffix('>')).unwrap_or(from);
    let parts = inner.split_once('@');
    let named = parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    !named || inner.chars().any(|c| c.is_whitespace() || c.is_control()) || from.len() > 250
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_encrypted_on_its_way_unless_it_stays_on_this_machine() {
        for fine in [
            "smtps://mail.example",
            "smtps://user:p%40ss@mail.example:1465",
            "smtp://mail.example?tls=required",
            "smtp://127.0.0.1:2525",
            "smtp://localhost",
        ] {
            assert_eq!(server_is_wrong(fine), None, "{fine}");
        }
        for bad in [
            "smtp://mail.example",
            "smtp://mail.example?tls=opportunistic",
            "mail.example",
            "http://mail.example",
        ] {
            assert!(server_is_wrong(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_sender_has_an_address() {
        for fine in ["login@shop.example", "The Shop <login@shop.example>"] {
            assert!(!from_is_wrong(fine), "{fine}");
        }
        for bad in ["", "login", "@shop.example", "login@", "a b@c", "The Shop <login>", "a@b\r\nBcc: x@y"] {
            assert!(from_is_wrong(bad), "{bad:?}");
        }
    }
}

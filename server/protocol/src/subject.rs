//! Under which name a client knows a user (OpenID Connect Core §8): the same as everybody, or one of its sector's
//! own. The name itself is computed elsewhere, with a secret; here is what it hangs on.

use std::fmt;

use url::Url;

use crate::client::{Client, SubjectType};
use crate::identifier::ClientId;

/// A sector: the clients that see the same pairwise names, by the host that stands for them (OpenID Connect Core
/// §8.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Sector(String);

impl Sector {
    /// The sector as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The redirect URIs of a client with pairwise names lie on several hosts, or on none, and nothing says what its
/// sector is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("redirect_uris on several hosts need a sector_identifier_uri for pairwise subjects")]
pub struct NoSector;

/// The sector of a client with this registration: the host of `sector_identifier_uri`, else the one host of all its
/// redirect URIs (OpenID Connect Core §8.1).
///
/// # Errors
/// [`NoSector`].
pub fn sector(sector_identifier_uri: Option<&Url>, redirect_uris: &[String]) -> Result<Sector, NoSector> {
    if let Some(uri) = sector_identifier_uri {
        return uri.host_str().map(|host| Sector(host.to_owned())).ok_or(NoSector);
    }
    let host = |uri: &String| Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned));
    let mut hosts = redirect_uris.iter().map(host);
    let first = hosts.next().flatten().ok_or(NoSector)?;
    if hosts.all(|other| other.as_ref() == Some(&first)) { Ok(Sector(first)) } else { Err(NoSector) }
}

/// Whether every redirect URI of a client stands in the document at its `sector_identifier_uri` (OpenID Connect
/// Registration §5): a JSON array of texts.
#[must_use]
pub fn sector_holds(document: &serde_json::Value, redirect_uris: &[String]) -> bool {
    let Some(listed) = document.as_array() else { return false };
    redirect_uris.iter().all(|uri| listed.iter().any(|one| one == uri.as_str()))
}

/// What a client's name for a user hangs on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Perspective {
    /// It sees the name that everybody sees.
    Public,
    /// It sees a name that only its sector sees.
    Pairwise(Sector),
}

/// What `client`'s name for its users hangs on. Where a client with pairwise names has no one sector, which
/// registration should have refused, it is a sector by itself: nothing is told that should not be.
#[must_use]
pub fn perspective(client: &Client) -> Perspective {
    match client.metadata.subject_type {
        SubjectType::Public => Perspective::Public,
        SubjectType::Pairwise if client.own_sector => Perspective::Pairwise(alone(&client.id)),
        SubjectType::Pairwise => {
            let named = client.metadata.sector_identifier_uri.as_ref();
            Perspective::Pairwise(sector(named, &client.redirect_uris).unwrap_or_else(|_| alone(&client.id)))
        }
    }
}

/// `after`, which a client that was `before` became by its own word. Where that led it into another sector, it is one
/// by itself from now on: it brought along what its users allowed it elsewhere.
#[must_use]
pub fn moved(before: &Client, after: Client) -> Client {
    let there = perspective(&after);
    let stays = there == Perspective::Public || there == perspective(before);
    Client { own_sector: after.own_sector || !stays, ..after }
}

/// No host has a space in it, so that no other sector is this one.
fn alone(client: &ClientId) -> Sector {
    Sector(format!("client {client}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(uri: Option<&str>, redirect_uris: &[&str]) -> Option<String> {
        let uri = uri.map(|uri| uri.parse().unwrap());
        let redirect_uris: Vec<_> = redirect_uris.iter().map(|uri| (*uri).to_owned()).collect();
        sector(uri.as_ref(), &redirect_uris).ok().map(|sector| sector.to_string())
    }

    #[test]
    fn one_host_is_a_sector_and_several_need_a_document_that_names_them() {
        let one = ["https://a.example/cb", "https://a.example:8443/other"];
        let two = ["https://a.example/cb", "https://b.example/cb"];
        assert_eq!(of(None, &one).as_deref(), Some("a.example"));
        assert_eq!(of(None, &two), None);
        assert_eq!(of(Some("https://s.example/list.json"), &two).as_deref(), Some("s.example"));
        assert_eq!(of(None, &[]), None);
        assert_eq!(of(None, &["com.example.app:/cb"]), None);
    }

    #[test]
    fn the_document_must_name_every_redirect_uri() {
        let [a, b] = ["https://a.example/cb", "https://b.example/cb"].map(str::to_owned);
        let document = json!(["https://a.example/cb", "https://b.example/cb", "https://c.example/cb"]);
        assert!(sector_holds(&document, &[a.clone(), b.clone()]));
        assert!(!sector_holds(&json!(["https://a.example/cb"]), &[a.clone(), b]));
        for other in [json!({}), json!("https://a.example/cb"), json!([1])] {
            assert!(!sector_holds(&other, std::slice::from_ref(&a)));
        }
    }

    fn client(id: &str, redirect_uris: &[&str]) -> Client {
        serde_json::from_value(json!({
            "id": id, "name": "C", "kind": "application", "grant_types": [], "scope": "", "status": "active",
            "authentication": "none", "id_token_signed_response_alg": "ES256",
            "redirect_uris": redirect_uris, "metadata": {"subject_type": "pairwise"}
        }))
        .unwrap()
    }

    #[test]
    fn a_client_without_a_sector_is_one_by_itself() {
        let two = ["https://a.example/cb", "https://b.example/cb"];
        assert_ne!(perspective(&client("c", &two)), perspective(&client("d", &two)));
        assert_eq!(perspective(&client("c", &two[..1])), perspective(&client("d", &two[..1])));
        let alone = Client { own_sector: true, ..client("c", &two[..1]) };
        assert_ne!(perspective(&alone), perspective(&client("d", &two[..1])));
    }

    #[test]
    fn a_client_that_moves_into_another_sector_is_one_by_itself() {
        let (a, b) = (client("c", &["https://a.example/cb"]), client("c", &["https://b.example/cb"]));
        let public = |client: &Client| {
            let mut client = client.clone();
            client.metadata.subject_type = SubjectType::Public;
            client
        };
        let other = client("c", &["https://a.example/other"]);
        assert_eq!(moved(&a, other.clone()), other);
        assert_eq!(moved(&a, public(&b)), public(&b));
        for before in [a.clone(), public(&a), public(&b)] {
            let after = moved(&before, b.clone());
            assert!(after.own_sector);
            // There is no way back by saying the same once more, nor by a detour.
            assert!(moved(&after, b.clone()).own_sector);
            assert!(moved(&moved(&after, public(&b)), b.clone()).own_sector);
        }
    }
}

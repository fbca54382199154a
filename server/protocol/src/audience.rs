//! Where a token goes: resource indicators (RFC 8707) and, for a hand-over, the actor it is meant for.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::identifier::ClientId;
use crate::refusal::{ErrorCode, Refuse};

/// An absolute URI without fragment that names a resource server (RFC 8707 §2), kept exactly as written and
/// compared code point by code point: no prefix and no normalisation makes two of them one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceIndicator(Box<str>);

/// A set of resource indicators.
pub type Resources = BTreeSet<ResourceIndicator>;

/// Why a target was refused. All of them read alike, so that nobody can find out which targets exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidTarget {
    /// Not an absolute URI, or one with a fragment, or too long (RFC 8707 §2).
    #[error("resource must be an absolute URI without fragment")]
    NotAResource,
    /// Unknown, or not for this client, or not in this consent.
    #[error(
        "a requested resource or audience is unknown or not available here; name one this authorization covers"
    )]
    NotAvailable,
    /// More than [`MOST_TARGETS`].
    #[error("too many resources or audiences in one request")]
    TooMany,
    /// Nothing was named and no default follows from what was asked.
    #[error("the authorization covers several resources or none by default; name one with resource")]
    NotNamed,
    /// Not one `audience` where what is asked for is for exactly one place.
    #[error("name one audience, and no more: the authorization server or the trust domain that it is for")]
    NotOneAudience,
}

impl Refuse for InvalidTarget {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidTarget
    }
}

/// The most targets of one request (RFC 8693 §2.1.1 lets the server refuse too many).
pub const MOST_TARGETS: usize = 10;
/// The longest resource indicator, in bytes.
pub const LONGEST_RESOURCE: usize = 512;

impl ResourceIndicator {
    /// The indicator exactly as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ResourceIndicator {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        if text.len() > LONGEST_RESOURCE
            || text.contains('#')
            || !text.bytes().all(|b| (0x21..=0x7e).contains(&b))
        {
            return Err(InvalidTarget::NotAResource);
        }
        let absolute = url::Url::parse(text).map_err(|_| InvalidTarget::NotAResource)?;
        if absolute.has_host() || absolute.cannot_be_a_base() {
            Ok(Self(text.into()))
        } else {
            Err(InvalidTarget::NotAResource)
        }
    }
}

impl TryFrom<String> for ResourceIndicator {
    type Error = InvalidTarget;
    fn try_from(text: String) -> Result<Self, InvalidTarget> {
        text.parse()
    }
}

impl From<ResourceIndicator> for String {
    fn from(resource: ResourceIndicator) -> Self {
        resource.0.into()
    }
}

impl fmt::Display for ResourceIndicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom a token is for, its `aud`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Resource servers: the token may be spent there.
    Resources,
    /// One actor: the token is good for nothing but exchange by it. The resources that the receiver may then
    /// name are kept in the token's authority.
    Actor(ClientId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_an_absolute_uri_without_fragment() {
        for good in ["https://orders.example", "https://orders.example/t1?x=1", "urn:example:orders"] {
            assert!(good.parse::<ResourceIndicator>().is_ok(), "{good}");
        }
        for bad in ["", "/relative", "orders", "https://orders.example/#f", "https://a b/", "not a uri"] {
            assert_eq!(bad.parse::<ResourceIndicator>(), Err(InvalidTarget::NotAResource), "{bad}");
        }
    }

    #[test]
    fn resources_are_not_normalised_before_comparison() {
        let bare: ResourceIndicator = "https://orders.example".parse().unwrap();
        let slash: ResourceIndicator = "https://orders.example/".parse().unwrap();
        assert_ne!(bare, slash);
    }
}

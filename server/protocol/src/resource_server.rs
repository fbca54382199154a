//! A resource server: an API, with the scopes and details types it owns and the tokens it wants.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::audience::ResourceIndicator;
use crate::client::SigningAlg;
use crate::identifier::DetailsTypeName;
use crate::numeric_date::Seconds;
use crate::scope::{Scope, ScopeToken};

/// A resource server as it is registered.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ResourceServer {
    /// The `aud` of its tokens.
    pub identifier: ResourceIndicator,
    /// What people call it.
    pub name: String,
    /// Its scopes, each with words for the consent page by language; `en` is required.
    pub scopes: BTreeMap<ScopeToken, BTreeMap<String, String>>,
    /// Scope words that only the members of one of these groups may let others use.
    #[serde(default)]
    pub scope_groups: BTreeMap<ScopeToken, BTreeSet<String>>,
    /// The details types it understands.
    #[serde(default)]
    pub details_types: BTreeSet<DetailsTypeName>,
    /// How its tokens are written.
    #[serde(default)]
    pub token_format: TokenFormat,
    /// How JWTs for it are signed.
    pub signing_alg: SigningAlg,
    /// The life of its tokens, if not the server's default.
    #[serde(default)]
    pub token_life: Option<Seconds>,
}

/// How an access token is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFormat {
    /// RFC 9068.
    #[default]
    Jwt,
    /// A random reference, to be introspected.
    Opaque,
}

impl ResourceServer {
    /// All its scope words.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scopes.keys().cloned().collect()
    }

    /// Words for one of its scopes: in `language`, else in English, else the word itself.
    #[must_use]
    pub fn words_for<'a>(&'a self, scope: &'a ScopeToken, language: &str) -> &'a str {
        let words = self.scopes.get(scope);
        words.and_then(|by| by.get(language).or_else(|| by.get("en"))).map_or(scope.as_str(), String::as_str)
    }
}

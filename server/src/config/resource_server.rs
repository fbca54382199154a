//! `[[resource_servers]]`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use protocol::admin_api::AdminScope;
use protocol::audience::ResourceIndicator;
use protocol::client::SigningAlg;
use protocol::identifier::DetailsTypeName;
use protocol::numeric_date::Seconds;
use protocol::resource_server::{ResourceServer, TokenFormat};
use protocol::scope::ScopeToken;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::known::{Known, OWN_SCOPES};
use super::problem::Entry;
use super::user::is_short;
use super::written::some_duration;

/// A resource server as written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenResourceServer {
    identifier: ResourceIndicator,
    name: String,
    scopes: BTreeMap<ScopeToken, WordsByLanguage>,
    #[serde(default)]
    scope_groups: BTreeMap<ScopeToken, BTreeSet<String>>,
    #[serde(default)]
    details_types: BTreeSet<DetailsTypeName>,
    #[serde(default)]
    token_format: TokenFormat,
    #[serde(default = "es256")]
    signing_alg: SigningAlg,
    #[serde(default, deserialize_with = "some_duration")]
    token_life: Option<Seconds>,
}

const fn es256() -> SigningAlg {
    SigningAlg::Es256
}

/// Words in English, or a table of words by language.
struct WordsByLanguage(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for WordsByLanguage {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = WordsByLanguage;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("words in English, or a table of words by language")
            }

            fn visit_str<E: de::Error>(self, english: &str) -> Result<WordsByLanguage, E> {
                Ok(WordsByLanguage([("en".to_owned(), english.to_owned())].into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WordsByLanguage, A::Error> {
                BTreeMap::deserialize(de::value::MapAccessDeserializer::new(map)).map(WordsByLanguage)
            }
        }
        from.deserialize_any(Words)
    }
}

impl WrittenResourceServer {
    pub(super) fn check(self, known: &Known, mut entry: Entry<'_>) -> ResourceServer {
        entry.check(is_short(&self.name), "name", "must be 1 to 200 characters");
        for (scope, WordsByLanguage(words)) in &self.scopes {
            let key = format!("scopes.{scope}");
            let free = !OWN_SCOPES.contains(&scope.as_str());
            entry.check(free, &key, "this scope belongs to OpenID Connect");
            let free = !AdminScope::is_one(scope.as_str());
            entry.check(free, &key, "this scope belongs to the admin API");
            entry.check(words.contains_key("en"), &key, "words in English are missing: en");
            let said = words.values().all(|words| !words.trim().is_empty());
            entry.check(said, &key, "words must not be empty: people read them before they consent");
        }
        for (scope, groups) in &self.scope_groups {
            let key = format!("scope_groups.{scope}");
            entry.check(self.scopes.contains_key(scope), &key, "is none of its scopes");
            let said = !groups.is_empty() && groups.iter().all(|group| is_short(group));
            entry.check(said, &key, "must name at least one group, each of 1 to 200 characters");
        }
        for name in &self.details_types {
            let declared = known.details_types.contains(name.as_str());
            entry.check(
                declared,
                "details_types",
                format_args!("no details type is named {:?}", name.as_str()),
            );
        }
        let lasting = self.token_life.is_none_or(|life| (1..=86_400).contains(&life.0));
        entry.check(lasting, "token_life", "must be from 1 to 86400 seconds");
        ResourceServer {
            identifier: self.identifier,
            name: self.name,
            scopes: self.scopes.into_iter().map(|(scope, WordsByLanguage(words))| (scope, words)).collect(),
            scope_groups: self.scope_groups,
            details_types: self.details_types,
            token_format: self.token_format,
            signing_alg: self.signing_alg,
            token_life: self.token_life,
        }
    }
}

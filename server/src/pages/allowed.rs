//! An authority in words, as pages show it.

use protocol::authority::Authority;
use protocol::authorization::OFFLINE_ACCESS;
use protocol::task::Intent;

use super::consent;
use super::views::{Allowed, Permitted, ResourceInWords};
use crate::registry::Registry;

/// An authority, an entry each; of its task only what is not `said` beside it.
pub(super) fn what(
    registry: &Registry,
    authority: &Authority,
    said: &Intent,
    language: &str,
) -> Vec<Permitted> {
    let details = consent::details(&registry.types, &authority.details, said, language);
    let details = details.into_iter().map(|entry| Permitted { sentence: entry.sentence, lines: entry.lines });
    details.chain(scopes(registry, authority, language)).collect()
}

/// The same with the type and the risk of each detail, and where it all holds.
pub(super) fn allowed(registry: &Registry, authority: &Authority, said: &Intent, language: &str) -> Allowed {
    let servers = &registry.resource_servers;
    let resources = authority.resources.iter().map(|resource| ResourceInWords {
        name: servers.get(resource).map_or_else(String::new, |server| server.name.clone()),
        identifier: resource.as_str().to_owned(),
    });
    Allowed {
        details: consent::details(&registry.types, &authority.details, said, language),
        scopes: scopes(registry, authority, language).collect(),
        resources: resources.collect(),
    }
}

/// The scope word by word, in the words of the resource servers.
fn scopes<'a>(
    registry: &'a Registry,
    authority: &'a Authority,
    language: &'a str,
) -> impl Iterator<Item = Permitted> + 'a {
    let words = authority.scope.iter().filter(|word| word.as_str() != OFFLINE_ACCESS);
    words.map(move |word| {
        let mut servers = authority.resources.iter().filter_map(|r| registry.resource_servers.get(r));
        let server = servers.find(|server| server.scopes.contains_key(word));
        let sentence = server.map_or(word.as_str(), |server| server.words_for(word, language)).to_owned();
        Permitted { sentence, lines: Vec::new() }
    })
}

//! Scope words that not every user may let others use: those that a resource server keeps for the members of its
//! groups (RFC 6749 §3.3: the server may grant less than was asked, by its policy).
//!
//! Groups come and go, so the question is asked each time anew: when a user is asked, and whenever a token is taken
//! from what they approved. A word is worth what its user's groups are worth at that moment.

use std::collections::BTreeSet;

use crate::authority::Authority;
use crate::authorization::Registered;
use crate::scope::{Scope, ScopeToken};

impl Registered<'_> {
    /// Whether any word is kept for a group.
    #[must_use]
    pub fn keep_for_groups(&self) -> bool {
        self.resource_servers.values().any(|server| !server.scope_groups.is_empty())
    }

    /// The words of `scope` that a user in these groups may let others use. A word that several resource servers know
    /// has to be open at each of them.
    #[must_use]
    pub fn open_to(&self, groups: &BTreeSet<String>, scope: &Scope) -> Scope {
        let is_open = |word: &&ScopeToken| {
            let kept = self.resource_servers.values().filter_map(|server| server.scope_groups.get(*word));
            kept.into_iter().all(|members| !members.is_disjoint(groups))
        };
        scope.iter().filter(is_open).cloned().collect()
    }

    /// The part of `authority` that a user in these groups may let others use; `None` where nothing is left.
    #[must_use]
    pub fn authority_open_to(&self, groups: &BTreeSet<String>, authority: &Authority) -> Option<Authority> {
        let scope = self.open_to(groups, &authority.scope);
        if scope == authority.scope {
            return Some(authority.clone());
        }
        self.only(authority, scope)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::audience::ResourceIndicator;
    use crate::authorization::{OFFLINE_ACCESS, ResourceServers};
    use crate::authorization_details::{AuthorizationDetails, DetailsTypes};
    use crate::numeric_date::NumericDate;
    use crate::resource_server::ResourceServer;

    struct World {
        servers: ResourceServers,
        types: DetailsTypes,
        itself: ResourceIndicator,
    }

    impl World {
        /// `a:pay` is for tellers and for bosses at one place; `both` is for tellers at one, for bosses at another.
        fn new() -> Self {
            let server = |identifier: &str, scopes: &[&str], groups: serde_json::Value| -> ResourceServer {
                let words: BTreeMap<_, _> =
                    scopes.iter().map(|word| (*word, json!({"en": "words"}))).collect();
                serde_json::from_value(json!({
                    "identifier": identifier, "name": "N", "signing_alg": "ES256", "scopes": words,
                    "scope_groups": groups
                }))
                .unwrap()
            };
            let servers = [
                server(
                    "urn:a",
                    &["a:see", "a:pay", "both"],
                    json!({"a:pay": ["tellers", "bosses"], "both": ["tellers"]}),
                ),
                server("urn:b", &["b:see", "both"], json!({"both": ["bosses"]})),
            ];
            Self {
                servers: servers
                    .into_iter()
                    .map(|server| (server.identifier.clone(), Arc::new(server)))
                    .collect(),
                types: DetailsTypes::new([]).unwrap(),
                itself: "https://as.example".parse().unwrap(),
            }
        }

        fn registered(&self) -> Registered<'_> {
            Registered { types: &self.types, resource_servers: &self.servers, itself: &self.itself }
        }

        fn open(&self, groups: &[&str], scope: &str) -> String {
            self.registered().open_to(&set(groups), &scope.parse().unwrap()).to_string()
        }
    }

    fn set(groups: &[&str]) -> BTreeSet<String> {
        groups.iter().map(|group| (*group).to_owned()).collect()
    }

    fn authority(scope: &str) -> Authority {
        Authority {
            scope: scope.parse().unwrap(),
            details: AuthorizationDetails::none(),
            resources: ["urn:a", "urn:b"].map(|uri| uri.parse().unwrap()).into(),
            until: NumericDate(100),
        }
    }

    #[test]
    fn a_word_that_is_kept_for_groups_is_for_members_of_one_of_them() {
        let world = World::new();
        assert_eq!(world.open(&[], "a:pay a:see"), "a:see");
        assert_eq!(
            world.open(&["Tellers", "others"], "a:pay a:see"),
            "a:see",
            "names are compared as they are"
        );
        assert_eq!(world.open(&["bosses"], "a:pay a:see"), "a:pay a:see");
        assert_eq!(world.open(&["others", "tellers"], "a:pay"), "a:pay");
    }

    #[test]
    fn a_word_of_two_resource_servers_has_to_be_open_at_both() {
        let world = World::new();
        assert_eq!(world.open(&["tellers"], "both b:see"), "b:see");
        assert_eq!(world.open(&["bosses"], "both b:see"), "b:see");
        assert_eq!(world.open(&["bosses", "tellers"], "both b:see"), "b:see both");
    }

    #[test]
    fn where_nothing_is_kept_everything_is_open() {
        let mut world = World::new();
        assert!(world.registered().keep_for_groups());
        for server in world.servers.values_mut() {
            Arc::make_mut(server).scope_groups.clear();
        }
        assert!(!world.registered().keep_for_groups());
        assert_eq!(world.open(&[], "a:pay both"), "a:pay both");
    }

    #[test]
    fn what_is_left_is_for_the_places_that_it_means_something_at() {
        let world = World::new();
        let open = |groups: &[&str], scope: &str| {
            world.registered().authority_open_to(&set(groups), &authority(scope))
        };
        let left = open(&[], "a:pay b:see").unwrap();
        assert_eq!(left.scope.to_string(), "b:see");
        assert_eq!(left.resources, ["urn:b".parse().unwrap()].into());
        assert_eq!(open(&["tellers"], "a:pay b:see"), Some(authority("a:pay b:see")));
        assert_eq!(open(&[], "a:pay"), None);
        assert_eq!(open(&[], &format!("a:pay {OFFLINE_ACCESS}")), None, "how long is nothing by itself");
    }

    proptest! {
        #[test]
        fn more_groups_never_open_less_and_nothing_opens_more_than_was_asked(
            some in proptest::sample::subsequence(vec!["tellers", "bosses", "others"], 0..=3),
            others in proptest::sample::subsequence(vec!["tellers", "bosses", "others"], 0..=3),
            words in proptest::sample::subsequence(vec!["a:see", "a:pay", "b:see", "both", "strange"], 1..=5),
        ) {
            let world = World::new();
            let scope: Scope = words.join(" ").parse().unwrap();
            let few = world.registered().open_to(&set(&some), &scope);
            let more = world.registered().open_to(&set(&[some, others].concat()), &scope);
            prop_assert!(few.is_within(&more) && more.is_within(&scope));
        }
    }
}

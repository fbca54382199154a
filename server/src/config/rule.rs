//! `[[rules]]`.

use std::collections::BTreeSet;

use protocol::audience::Resources;
use protocol::identifier::{ClientId, RuleId};
use protocol::rule::RuleEffect;
use serde::Deserialize;

use super::declared::DeclaredRule;
use super::known::Known;
use super::problem::Entry;

/// A rule as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    id: RuleId,
    client: ClientId,
    effect: WrittenEffect,
    #[serde(default)]
    actor: Option<ClientId>,
    #[serde(default)]
    subjects: Option<BTreeSet<String>>,
    #[serde(default)]
    resources: Resources,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenEffect {
    MayAct,
    MayPresent,
    ActorToken,
    Impersonate,
}

impl WrittenRule {
    pub(super) fn check(self, known: &Known, mut entry: Entry<'_>) -> Option<DeclaredRule> {
        self.check_references(known, &mut entry);
        let wants_actor = self.effect == WrittenEffect::ActorToken;
        entry.check(
            wants_actor || self.actor.is_none(),
            "actor",
            "only a rule with effect actor_token names an actor",
        );
        if self.subjects.as_ref().is_some_and(BTreeSet::is_empty) {
            entry.no("subjects", "names nobody; leave it out to speak of everybody");
        }
        if wants_actor {
            let empty = self.subjects.is_none() && self.resources.is_empty();
            entry.check(empty, "effect", "a rule with effect actor_token has neither subjects nor resources");
        } else {
            let somewhere = !self.resources.is_empty();
            entry.check(somewhere, "resources", "must name the resource servers that the rule is for");
        }
        let effect = match (self.effect, self.actor) {
            (WrittenEffect::MayAct, _) => RuleEffect::MayAct,
            (WrittenEffect::MayPresent, _) => RuleEffect::MayPresent,
            (WrittenEffect::ActorToken, Some(actor)) => {
                entry.check(actor != self.client, "actor", "must be another client than client");
                RuleEffect::ActorToken { actor }
            }
            (WrittenEffect::ActorToken, None) => {
                entry.no("actor", "is missing: the client whose token may be sent as actor_token");
                return None;
            }
            (WrittenEffect::Impersonate, _) => {
                entry.check(self.subjects.is_some(), "subjects", "impersonation must name the users");
                RuleEffect::Impersonate
            }
        };
        Some(DeclaredRule {
            id: self.id,
            client: self.client,
            effect,
            subjects: self.subjects,
            resources: self.resources,
        })
    }

    fn check_references(&self, known: &Known, entry: &mut Entry<'_>) {
        for (field, client) in [("client", Some(&self.client)), ("actor", self.actor.as_ref())] {
            let Some(client) = client else { continue };
            let declared = known.clients.contains(client.as_str());
            entry.check(declared, field, format_args!("no client or agent has the id {:?}", client.as_str()));
        }
        for user in self.subjects.iter().flatten() {
            let declared = known.usernames.contains(user);
            entry.check(declared, "subjects", format_args!("no user is named {user:?}"));
        }
        for resource in &self.resources {
            let declared = known.resources.contains(resource.as_str());
            entry.check(declared, "resources", format_args!("no resource server is {:?}", resource.as_str()));
        }
    }
}

//! `[[rules]]`.

use std::collections::BTreeSet;

use protocol::acr::Acr;
use protocol::audience::Resources;
use protocol::authorization_details::DetailsTypes;
use protocol::identifier::{ClientId, DetailsTypeName, RuleId};
use protocol::rule::{Approver, RuleEffect, What};
use protocol::scope::Scope;
use serde::Deserialize;

use super::declared::DeclaredRule;
use super::known::Known;
use super::problem::Entry;

/// A rule as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    id: RuleId,
    #[serde(default)]
    client: Option<ClientId>,
    effect: WrittenEffect,
    #[serde(default)]
    actor: Option<ClientId>,
    #[serde(default)]
    subjects: Option<BTreeSet<String>>,
    #[serde(default)]
    resources: Resources,
    #[serde(default)]
    approver: Option<String>,
    #[serde(default)]
    approver_acr: Option<String>,
    #[serde(default)]
    details_type: Option<DetailsTypeName>,
    #[serde(default)]
    actions: BTreeSet<String>,
    #[serde(default)]
    scope: Scope,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenEffect {
    MayAct,
    MayPresent,
    ActorToken,
    Impersonate,
    Ask,
    Deny,
}

impl WrittenEffect {
    const fn restrains(self) -> bool {
        matches!(self, Self::Ask | Self::Deny)
    }
}

/// What is said of a demand on somebody who is never asked.
const ONLY_ASKED: &str = "only a rule with effect ask demands something of its approver";
/// What stands before the username of an approver.
const USER: &str = "user:";

impl WrittenRule {
    pub(super) fn check(
        self,
        known: &Known,
        types: &DetailsTypes,
        mut entry: Entry<'_>,
    ) -> Option<DeclaredRule> {
        self.check_references(known, &mut entry);
        self.check_actions(types, &mut entry);
        let wants_actor = self.effect == WrittenEffect::ActorToken;
        entry.check(
            wants_actor || self.actor.is_none(),
            "actor",
            "only a rule with effect actor_token names an actor",
        );
        if self.subjects.as_ref().is_some_and(BTreeSet::is_empty) {
            entry.no("subjects", "names nobody; leave it out to speak of everybody");
        }
        if self.effect.restrains() {
            return self.check_restraint(&mut entry);
        }
        let plain = self.details_type.is_none() && self.actions.is_empty() && self.scope.is_empty();
        entry.check(
            plain,
            "effect",
            "only a rule with effect ask or deny has details_type, actions or scope",
        );
        entry.check(self.approver.is_none(), "approver", "only a rule with effect ask names an approver");
        entry.check(self.approver_acr.is_none(), "approver_acr", ONLY_ASKED);
        entry.check(self.client.is_some(), "client", "is missing: the client that it permits something");
        if wants_actor {
            let empty = self.subjects.is_none() && self.resources.is_empty();
            entry.check(empty, "effect", "a rule with effect actor_token has neither subjects nor resources");
        } else {
            let somewhere = !self.resources.is_empty();
            entry.check(somewhere, "resources", "must name the resource servers that the rule is for");
        }
        let effect = match (self.effect, self.actor) {
            (WrittenEffect::MayAct, _) => RuleEffect::MayAct,
            (WrittenEffect::ActorToken, Some(actor)) => {
                let other = self.client.as_ref() != Some(&actor);
                entry.check(other, "actor", "must be another client than client");
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
            _ => RuleEffect::MayPresent,
        };
        Some(DeclaredRule {
            id: self.id,
            client: self.client,
            effect,
            subjects: self.subjects,
            resources: self.resources,
            approver: None,
        })
    }

    /// A rule that has a person asked, or denies.
    fn check_restraint(self, entry: &mut Entry<'_>) -> Option<DeclaredRule> {
        let typed = self.details_type.is_some() || self.actions.is_empty();
        entry.check(typed, "actions", "names actions of no details_type");
        if self.effect == WrittenEffect::Deny && self.approver.is_none() {
            entry.check(self.approver_acr.is_none(), "approver_acr", ONLY_ASKED);
        }
        let acr = self.approver_acr.as_deref().and_then(|acr| match acr.parse() {
            Ok(acr) => Some(acr),
            Err(_) => {
                let known = Acr::ALL.map(Acr::as_str).join(", ");
                entry.no("approver_acr", format_args!("must be one of {known}"));
                None
            }
        });
        let what = What { details_type: self.details_type, actions: self.actions, scope: self.scope };
        let (effect, approver) = match (self.effect, self.approver.as_deref()) {
            (WrittenEffect::Deny, None) => (RuleEffect::Deny { what }, None),
            (WrittenEffect::Deny, Some(_)) => {
                entry.no("approver", "only a rule with effect ask names an approver");
                return None;
            }
            (_, None | Some("subject")) => (RuleEffect::Ask { approver: Approver::Subject, acr, what }, None),
            (_, Some("owner")) => (RuleEffect::Ask { approver: Approver::Owner, acr, what }, None),
            (_, Some("manager")) => (RuleEffect::Ask { approver: Approver::Manager, acr, what }, None),
            (_, Some(named)) => {
                let Some(username) = named.strip_prefix(USER) else {
                    entry.no("approver", "must be subject, owner, manager, or user: and a username");
                    return None;
                };
                // Whose id that is, is known when users are applied.
                (RuleEffect::Ask { approver: Approver::Owner, acr, what }, Some(username.to_owned()))
            }
        };
        Some(DeclaredRule {
            id: self.id,
            client: self.client,
            effect,
            subjects: self.subjects,
            resources: self.resources,
            approver,
        })
    }

    /// A rule about an action that no detail can permit would stand in nobody's way.
    fn check_actions(&self, types: &DetailsTypes, entry: &mut Entry<'_>) {
        let Some(known) = self.details_type.as_ref().and_then(|name| types.find(name)) else { return };
        for action in known.document().unlisted(&self.actions) {
            let name = known.document().name.as_str();
            entry.no("actions", format_args!("the schema of {name:?} lists no action {action:?}"));
        }
    }

    fn check_references(&self, known: &Known, entry: &mut Entry<'_>) {
        for (field, client) in [("client", self.client.as_ref()), ("actor", self.actor.as_ref())] {
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
        if let Some(username) = self.approver.as_deref().and_then(|approver| approver.strip_prefix(USER)) {
            let declared = known.usernames.contains(username);
            entry.check(declared, "approver", format_args!("no user is named {username:?}"));
        }
        if let Some(name) = &self.details_type {
            let declared = known.details_types.contains(name.as_str());
            entry.check(
                declared,
                "details_type",
                format_args!("no details type is named {:?}", name.as_str()),
            );
        }
        for word in self.scope.iter() {
            let declared = known.scopes.contains(word.as_str());
            entry.check(declared, "scope", format_args!("no resource server declares {:?}", word.as_str()));
        }
    }
}

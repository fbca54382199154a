//! Admin rules: what an administrator permits where no user's consent speaks, and what nobody gets, or nobody without
//! the word of a person. A rule that permits opens a door, and the resources that it names; scope, details and time stay
//! within the token that the new one comes from. One that restrains holds whatever else permits it.

mod restraint;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::acr::Acr;
use crate::audience::Resources;
use crate::identifier::{ClientId, RuleId, UserId};

pub use restraint::{Approver, Planned, Reason, Verdict, What, at_once, judge};

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// Its name, which the audit log gives as the reason of what it permitted.
    pub id: RuleId,
    /// The client that it permits something, or restrains. `None` is every client, for rules that restrain only.
    #[serde(default)]
    pub client: Option<ClientId>,
    /// What it permits or restrains.
    pub effect: RuleEffect,
    /// The users it speaks of. `None` is everybody, and nobody in particular: it also fits tokens without a user.
    #[serde(default)]
    pub subjects: Option<BTreeSet<UserId>>,
    /// The resource servers that tokens issued by this rule may be for; none listed means none. For a rule that
    /// restrains, those whose tokens it speaks of; none listed means all.
    #[serde(default)]
    pub resources: Resources,
}

/// What a rule permits its client, or how it restrains it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleEffect {
    /// It may become the actor of a token addressed to it without a consent that names it.
    MayAct,
    /// It may present a `subject_token` that is not addressed to it.
    MayPresent,
    /// It may send an `actor_token` whose subject is another client (RFC 8693 §2.1).
    ActorToken {
        /// That other client.
        actor: ClientId,
    },
    /// It may get a token for the user without `act`: impersonation (RFC 8693 §1.1). Speaks only of users it names.
    Impersonate,
    /// A person must approve, each time.
    Ask {
        /// Who.
        approver: Approver,
        /// What their sign-in must be worth at least.
        #[serde(default)]
        acr: Option<Acr>,
        /// What it speaks of.
        what: What,
    },
    /// It is refused, whoever approves.
    Deny {
        /// What it speaks of.
        what: What,
    },
}

/// All rules, in the order of the configuration. Where several permit, the first one decides; where several restrain,
/// the strictest.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rules(pub Vec<Rule>);

impl Rule {
    /// Whether it speaks of this user; without a user, whether it speaks of everybody.
    #[must_use]
    pub fn fits(&self, user: Option<&UserId>) -> bool {
        match (&self.subjects, user) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(named), Some(user)) => named.contains(user),
        }
    }
}

impl Rules {
    /// Whether any of them has managers asked.
    #[must_use]
    pub fn ask_managers(&self) -> bool {
        let asks = |rule: &Rule| matches!(&rule.effect, RuleEffect::Ask { approver: Approver::Manager, .. });
        self.0.iter().any(asks)
    }

    /// The rule by which `client` may become the actor of a token of `user` that is addressed to it.
    #[must_use]
    pub fn may_act(&self, client: &ClientId, user: Option<&UserId>) -> Option<&Rule> {
        self.find(client, |rule| rule.effect == RuleEffect::MayAct && rule.fits(user))
    }

    /// The rule by which `client` may present a token of `user` that is not addressed to it.
    #[must_use]
    pub fn may_present(&self, client: &ClientId, user: Option<&UserId>) -> Option<&Rule> {
        self.find(client, |rule| rule.effect == RuleEffect::MayPresent && rule.fits(user))
    }

    /// The rule by which `client` may send an `actor_token` of `actor`.
    #[must_use]
    pub fn actor_token(&self, client: &ClientId, actor: &ClientId) -> Option<&Rule> {
        self.find(
            client,
            |rule| matches!(&rule.effect, RuleEffect::ActorToken { actor: named } if named == actor),
        )
    }

    /// Every actor whose `actor_token` `client` may send by some rule, each once.
    #[must_use]
    pub fn actors_of(&self, client: &ClientId) -> BTreeSet<&ClientId> {
        let mut actors = BTreeSet::new();
        for rule in self.0.iter().filter(|rule| rule.client.as_ref() == Some(client)) {
            if let RuleEffect::ActorToken { actor } = &rule.effect {
                actors.insert(actor);
            }
        }
        actors.remove(client);
        actors
    }

    /// The rule by which `client` may impersonate `user`. One that names no users permits nothing.
    #[must_use]
    pub fn impersonate(&self, client: &ClientId, user: &UserId) -> Option<&Rule> {
        self.find(client, |rule| {
            rule.effect == RuleEffect::Impersonate && rule.subjects.is_some() && rule.fits(Some(user))
        })
    }

    fn find(&self, client: &ClientId, fits: impl Fn(&Rule) -> bool) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.client.as_ref() == Some(client) && fits(rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str, client: &str, effect: RuleEffect, subjects: Option<&[&str]>) -> Rule {
        Rule {
            id: id.parse().unwrap(),
            client: Some(client.parse().unwrap()),
            effect,
            subjects: subjects.map(|named| named.iter().map(|u| u.parse().unwrap()).collect()),
            resources: Resources::new(),
        }
    }

    fn client(id: &str) -> ClientId {
        id.parse().unwrap()
    }

    fn user(id: &str) -> UserId {
        id.parse().unwrap()
    }

    fn name(rule: Option<&Rule>) -> Option<&str> {
        rule.map(|rule| rule.id.as_str())
    }

    #[test]
    fn a_rule_speaks_of_its_client_and_its_effect_only() {
        let rules = Rules(vec![rule("r", "a", RuleEffect::MayAct, None)]);
        assert_eq!(name(rules.may_act(&client("a"), Some(&user("u")))), Some("r"));
        assert_eq!(rules.may_act(&client("b"), Some(&user("u"))), None);
        assert_eq!(rules.may_present(&client("a"), Some(&user("u"))), None);
        assert_eq!(rules.actor_token(&client("a"), &client("a")), None);
        assert_eq!(rules.impersonate(&client("a"), &user("u")), None);
    }

    #[test]
    fn a_rule_that_names_users_speaks_of_nobody_else_and_of_no_token_without_a_user() {
        let rules = Rules(vec![rule("r", "a", RuleEffect::MayPresent, Some(&["u"]))]);
        assert_eq!(name(rules.may_present(&client("a"), Some(&user("u")))), Some("r"));
        assert_eq!(rules.may_present(&client("a"), Some(&user("v"))), None);
        assert_eq!(rules.may_present(&client("a"), None), None);
    }

    #[test]
    fn a_rule_without_users_also_speaks_of_tokens_without_a_user() {
        let rules = Rules(vec![rule("r", "a", RuleEffect::MayPresent, None)]);
        assert_eq!(name(rules.may_present(&client("a"), None)), Some("r"));
    }

    #[test]
    fn an_empty_list_of_users_is_nobody() {
        let rules = Rules(vec![rule("r", "a", RuleEffect::MayAct, Some(&[]))]);
        assert_eq!(rules.may_act(&client("a"), Some(&user("u"))), None);
        assert_eq!(rules.may_act(&client("a"), None), None);
    }

    #[test]
    fn an_actor_token_is_accepted_of_the_named_client_only_and_not_the_other_way_round() {
        let rules = Rules(vec![rule("r", "a", RuleEffect::ActorToken { actor: client("b") }, None)]);
        assert_eq!(name(rules.actor_token(&client("a"), &client("b"))), Some("r"));
        assert_eq!(rules.actor_token(&client("a"), &client("c")), None);
        assert_eq!(rules.actor_token(&client("b"), &client("a")), None);
    }

    #[test]
    fn impersonation_needs_the_client_and_the_user_by_name() {
        let everybody = Rules(vec![rule("r", "a", RuleEffect::Impersonate, None)]);
        assert_eq!(everybody.impersonate(&client("a"), &user("u")), None);
        let named = Rules(vec![rule("r", "a", RuleEffect::Impersonate, Some(&["u"]))]);
        assert_eq!(name(named.impersonate(&client("a"), &user("u"))), Some("r"));
        assert_eq!(named.impersonate(&client("a"), &user("v")), None);
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules = Rules(vec![
            rule("for-u", "a", RuleEffect::MayAct, Some(&["u"])),
            rule("for-all", "a", RuleEffect::MayAct, None),
        ]);
        assert_eq!(name(rules.may_act(&client("a"), Some(&user("u")))), Some("for-u"));
        assert_eq!(name(rules.may_act(&client("a"), Some(&user("v")))), Some("for-all"));
    }
}

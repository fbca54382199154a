//! What nobody gets, or nobody without the word of a person: the rules that restrain, and the details types whose every
//! use needs approval. Whatever else permits a token, these are asked before it is issued.
//!
//! The strictest that fits decides: what is denied stays denied whoever approves, and what one rule has asked of a
//! person no other one lets through. So a further rule never loosens anything.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Rule, RuleEffect};
use crate::acr::Acr;
use crate::authority::Authority;
use crate::authorization_details::{AuthorizationDetail, AuthorizationDetails, DetailsTypes};
use crate::identifier::{ClientId, DetailsTypeName, RuleId, UserId};
use crate::scope::Scope;

/// Who approves.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approver {
    /// The user whose authority the token carries.
    #[default]
    Subject,
    /// The owner of the agent that is to act.
    Owner,
    /// The manager of the user whose authority the token carries.
    Manager,
    /// This user.
    User(UserId),
}

/// What of a token a rule speaks of. Where it names neither details type nor scope, that is all of it; where it names
/// both, either is enough.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct What {
    /// A details of this type.
    #[serde(default)]
    pub details_type: Option<DetailsTypeName>,
    /// Of its details only those that permit one of these actions; none listed means all.
    #[serde(default)]
    pub actions: BTreeSet<String>,
    /// One of these scope words.
    #[serde(default)]
    pub scope: Scope,
}

/// What restrained a token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A rule.
    Rule(RuleId),
    /// The details type, whose every use needs approval.
    DetailsType(DetailsTypeName),
}

/// A token before it is issued, as far as rules speak of it.
#[derive(Clone, Debug)]
pub struct Planned<'a> {
    /// Everybody who has a part in it: who presents, who acts or acted.
    pub parties: Vec<&'a ClientId>,
    /// Its user.
    pub user: Option<&'a UserId>,
    /// Whether somebody acts in it, or it is a client's own. Where not, its user is there and acts themselves.
    pub acts: bool,
    /// What it permits.
    pub authority: &'a Authority,
    /// The registered details types.
    pub types: &'a DetailsTypes,
}

/// What becomes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing stands in its way.
    Allow,
    /// A person must approve.
    Ask {
        /// What says so.
        reason: Reason,
        /// Who.
        approver: Approver,
        /// What their sign-in must be worth at least: the most that anything demands.
        acr: Option<Acr>,
    },
    /// Several people must approve parts of it: each part has to be asked for by itself.
    AskApart,
    /// It is refused.
    Deny(RuleId),
}

impl Verdict {
    /// How strict it is: free, at the word of people, refused. A further rule never makes it less.
    #[must_use]
    pub const fn strictness(&self) -> u8 {
        match self {
            Self::Allow => 0,
            Self::Ask { .. } | Self::AskApart => 1,
            Self::Deny(_) => 2,
        }
    }
}

/// Judges a token that is to be issued.
#[must_use]
pub fn judge(rules: &[Rule], planned: &Planned<'_>) -> Verdict {
    let fitting = || rules.iter().filter(|rule| planned.is_spoken_of_by(rule));
    let denied = fitting().find(|rule| matches!(rule.effect, RuleEffect::Deny { .. }));
    if let Some(rule) = denied {
        return Verdict::Deny(rule.id.clone());
    }
    let by_rules = fitting().filter_map(|rule| match &rule.effect {
        RuleEffect::Ask { approver, acr, .. } => {
            Some((Reason::Rule(rule.id.clone()), approver.clone(), *acr))
        }
        _ => None,
    });
    let by_types =
        planned.needing_approval(rules).map(|name| (Reason::DetailsType(name), Approver::Subject, None));
    let mut asked = by_rules.chain(by_types);
    let Some((reason, approver, mut acr)) = asked.next() else { return Verdict::Allow };
    for (_, other, demanded) in asked {
        if other != approver {
            return Verdict::AskApart;
        }
        acr = acr.max(demanded);
    }
    Verdict::Ask { reason, approver, acr }
}

/// The part of a token that can be issued at once. Of what needs approval, that is left whose approver has `answered`, by a
/// sign-in that is worth what is demanded. Nothing else in what is left needs anybody's word.
#[must_use]
pub fn at_once(
    rules: &[Rule],
    planned: &Planned<'_>,
    answered: impl Fn(&Approver, Option<Acr>) -> bool,
) -> Authority {
    let given = planned.authority;
    let is_free = |scope: Scope, details: AuthorizationDetails| {
        let authority = Authority { scope, details, ..given.clone() };
        match judge(rules, &Planned { authority: &authority, ..planned.clone() }) {
            Verdict::Allow => true,
            Verdict::Ask { approver, acr, .. } => answered(&approver, acr),
            Verdict::AskApart | Verdict::Deny(_) => false,
        }
    };
    let words = given.scope.iter().map(|word| Scope::of(word.clone()));
    let scope = words
        .filter(|word| is_free(word.clone(), AuthorizationDetails::none()))
        .fold(Scope::empty(), |all, word| all.union(&word));
    let details = given.details.iter().filter(|detail| {
        is_free(Scope::empty(), AuthorizationDetails(vec![AuthorizationDetail::clone(detail)]))
    });
    let details = AuthorizationDetails(details.cloned().collect());
    Authority { scope, details, ..given.clone() }
}

impl Planned<'_> {
    /// Whether a rule that restrains speaks of it.
    fn is_spoken_of_by(&self, rule: &Rule) -> bool {
        let (RuleEffect::Ask { what, .. } | RuleEffect::Deny { what }) = &rule.effect else { return false };
        let everything = what.details_type.is_none() && what.scope.is_empty();
        let scope = !what.scope.common(&self.authority.scope).is_empty();
        self.is_about(rule)
            && (everything
                || scope
                || self.authority.details.iter().any(|detail| self.names_detail(what, detail)))
    }

    /// Whether a rule speaks of these parties, this user and one of these resources.
    fn is_about(&self, rule: &Rule) -> bool {
        let party = rule.client.as_ref().is_none_or(|client| self.parties.contains(&client));
        let place = rule.resources.is_empty() || !rule.resources.is_disjoint(&self.authority.resources);
        party && place && rule.fits(self.user)
    }

    fn names_detail(&self, what: &What, detail: &AuthorizationDetail) -> bool {
        if what.details_type.as_ref() != Some(detail.type_name()) {
            return false;
        }
        // What of a type that nobody knows any more permits what, nobody knows either.
        let known = self.types.find(detail.type_name());
        what.actions.is_empty()
            || known.is_none_or(|known| known.document().risk.permits_any(detail.members(), &what.actions))
    }

    /// The details types whose use in it needs approval, where no rule says who approves that.
    fn needing_approval<'b>(&'b self, rules: &'b [Rule]) -> impl Iterator<Item = DetailsTypeName> + 'b {
        let needs = |detail: &&AuthorizationDetail| {
            let known = self.types.find(detail.type_name());
            self.acts && known.is_some_and(|known| known.document().is_approval_needed(detail.members()))
        };
        let is_asked = move |detail: &AuthorizationDetail| {
            rules.iter().any(|rule| match &rule.effect {
                RuleEffect::Ask { what, .. } => {
                    let everything = what.details_type.is_none() && what.scope.is_empty();
                    self.is_about(rule) && (everything || self.names_detail(what, detail))
                }
                _ => false,
            })
        };
        let needing = self.authority.details.iter().filter(needs).filter(move |detail| !is_asked(detail));
        needing.map(|detail| detail.type_name().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::Resources;
    use crate::numeric_date::NumericDate;
    use serde_json::{Value, json};

    fn types() -> DetailsTypes {
        let words = json!({"en": {"name": "Billing", "sentence": "Do {actions}"}});
        let schema = json!({"properties": {"actions": {}}});
        let risk = json!({"field": "actions"});
        let each = |name: &str, approval: Value| json!({"name": name, "schema": schema, "words": words, "risk": risk, "approval_needed": approval});
        let all = [each("free", json!(false)), each("always", json!(true)), each("some", json!(["change"]))];
        DetailsTypes::new(all.map(|document| serde_json::from_value(document).unwrap())).unwrap()
    }

    fn authority(scope: &str, details: &Value) -> Authority {
        Authority {
            scope: scope.parse().unwrap(),
            details: AuthorizationDetails::parse(&details.to_string()).unwrap(),
            resources: Resources::from(["https://r.example".parse().unwrap()]),
            until: NumericDate(9),
        }
    }

    fn rule(id: &str, effect: RuleEffect) -> Rule {
        let id = id.parse().unwrap();
        Rule { id, client: None, effect, subjects: None, resources: Resources::new() }
    }

    fn scoped(scope: &str) -> What {
        What { scope: scope.parse().unwrap(), ..What::default() }
    }

    fn judged(rules: &[Rule], authority: &Authority, acts: bool) -> Verdict {
        let (agent, user) = ("agent".parse().unwrap(), "alice".parse().unwrap());
        let types = types();
        judge(rules, &Planned { parties: vec![&agent], user: Some(&user), acts, authority, types: &types })
    }

    fn asks(verdict: &Verdict, by: &Approver) -> bool {
        matches!(verdict, Verdict::Ask { approver, .. } if approver == by)
    }

    #[test]
    fn deny_beats_ask_and_ask_beats_nothing_whatever_their_order() {
        let ask = rule("ask", RuleEffect::Ask { approver: Approver::Owner, acr: None, what: scoped("a") });
        let deny = rule("deny", RuleEffect::Deny { what: scoped("a") });
        let wanted = authority("a b", &json!([]));
        assert_eq!(judged(&[], &wanted, true), Verdict::Allow);
        assert!(asks(&judged(std::slice::from_ref(&ask), &wanted, true), &Approver::Owner));
        for rules in [[ask.clone(), deny.clone()], [deny, ask]] {
            assert_eq!(judged(&rules, &wanted, true), Verdict::Deny("deny".parse().unwrap()));
            assert_eq!(judged(&rules, &authority("b", &json!([])), true), Verdict::Allow);
        }
    }

    #[test]
    fn a_rule_speaks_of_its_client_its_users_and_its_resources_only() {
        let wanted = authority("a", &json!([]));
        let deny = rule("deny", RuleEffect::Deny { what: What::default() });
        assert_ne!(judged(std::slice::from_ref(&deny), &wanted, true), Verdict::Allow);
        let elsewhere = Resources::from(["https://other.example".parse().unwrap()]);
        for other in [
            Rule { client: Some("other".parse().unwrap()), ..deny.clone() },
            Rule { subjects: Some(["bob".parse().unwrap()].into()), ..deny.clone() },
            Rule { resources: elsewhere, ..deny },
        ] {
            assert_eq!(judged(&[other], &wanted, true), Verdict::Allow);
        }
    }

    #[test]
    fn a_rule_names_a_details_type_and_its_actions_and_a_detail_that_names_none_permits_all() {
        let what = What {
            details_type: "free".parse().ok(),
            actions: ["change".to_owned()].into(),
            ..What::default()
        };
        let deny = rule("deny", RuleEffect::Deny { what });
        for (detail, denied) in [
            (json!({"type": "free", "actions": ["read", "change"]}), true),
            (json!({"type": "free", "actions": "change"}), true),
            (json!({"type": "free"}), true),
            (json!({"type": "free", "actions": ["read"]}), false),
            (json!({"type": "some", "actions": ["read"]}), false),
        ] {
            let verdict = judged(std::slice::from_ref(&deny), &authority("a", &json!([detail])), true);
            assert_eq!(matches!(verdict, Verdict::Deny(_)), denied, "{detail}");
        }
    }

    #[test]
    fn a_type_may_need_approval_for_all_or_for_some_actions_of_whoever_acts_for_somebody() {
        for (detail, needed) in [
            (json!({"type": "free", "actions": ["change"]}), false),
            (json!({"type": "always", "actions": ["read"]}), true),
            (json!({"type": "some", "actions": ["read"]}), false),
            (json!({"type": "some", "actions": ["read", "change"]}), true),
            (json!({"type": "some"}), true),
        ] {
            let wanted = authority("", &json!([detail]));
            assert_eq!(asks(&judged(&[], &wanted, true), &Approver::Subject), needed, "{detail}");
            assert_eq!(judged(&[], &wanted, false), Verdict::Allow, "the user is there: {detail}");
        }
    }

    #[test]
    fn a_rule_says_who_approves_what_its_type_needs_approval_for() {
        let what = What { details_type: "always".parse().ok(), ..What::default() };
        let owner = rule("owner", RuleEffect::Ask { approver: Approver::Owner, acr: None, what });
        let wanted = authority("", &json!([{"type": "always", "actions": ["read"]}]));
        assert!(asks(&judged(std::slice::from_ref(&owner), &wanted, true), &Approver::Owner));
        let both = authority("", &json!([{"type": "always", "actions": ["x"]}, {"type": "some"}]));
        assert_eq!(judged(&[owner], &both, true), Verdict::AskApart, "two people for two parts");
    }

    #[test]
    fn of_several_demands_on_one_approvers_sign_in_the_strongest_holds() {
        let asks =
            |id: &str, acr| rule(id, RuleEffect::Ask { approver: Approver::Owner, acr, what: scoped("a") });
        let mut rules = vec![asks("plain", None), asks("strong", Some(Acr::MultiFactor))];
        for _ in 0..2 {
            let verdict = judged(&rules, &authority("a", &json!([])), true);
            assert!(
                matches!(&verdict, Verdict::Ask { acr: Some(Acr::MultiFactor), .. }),
                "in whatever order: {verdict:?}"
            );
            rules.reverse();
        }
    }

    #[test]
    fn what_can_be_had_at_once_is_the_rest_of_what_somebody_must_approve() {
        let rules = [
            rule("ask", RuleEffect::Ask { approver: Approver::Subject, acr: None, what: scoped("b") }),
            rule("deny", RuleEffect::Deny { what: scoped("c") }),
        ];
        let wanted = authority("a b c", &json!([{"type": "always"}, {"type": "free"}]));
        let (agent, types) = ("agent".parse().unwrap(), types());
        let planned =
            Planned { parties: vec![&agent], user: None, acts: true, authority: &wanted, types: &types };
        assert_eq!(at_once(&rules, &planned, |_, _| false), authority("a", &json!([{"type": "free"}])));
        let answered = authority("a b", &json!([{"type": "always"}, {"type": "free"}]));
        let by_user = |approver: &Approver, _: Option<Acr>| *approver == Approver::Subject;
        assert_eq!(at_once(&rules, &planned, by_user), answered);
    }
}

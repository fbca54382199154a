//! What restrains: a further rule never loosens, nothing bypasses it in an exchange, and a yes brings what was shown.

use proptest::prelude::*;
use protocol::approval::{Approved, PolicyRefused, Question};
use protocol::authority::Authority;
use protocol::delegation::DelegationRefused;
use protocol::destination::Destination;
use protocol::numeric_date::NumericDate;
use protocol::refusal::{ErrorCode, Refuse as _};
use protocol::resource_authorization_server::GrantKind;
use protocol::rule::{Approver, Planned, Rule, RuleEffect, Verdict, What, at_once, judge};
use serde_json::{Map, json};

use crate::world::{NOW, R1, R2, World, details, resources, types, user};

fn rule(effect: RuleEffect) -> Rule {
    Rule { id: "rule".parse().unwrap(), client: None, effect, subjects: None, resources: resources(&[]) }
}

fn scoped(scope: &str) -> What {
    What { scope: scope.parse().unwrap(), ..What::default() }
}

fn asked(world: &World) -> Question {
    let question = match world.decide() {
        Err(DelegationRefused::Policy(PolicyRefused::ApprovalNeeded(question))) => Some(*question),
        _ => None,
    };
    question.unwrap()
}

fn approved(question: &Question, until: i64) -> Option<Approved> {
    let until = NumericDate(until);
    Some(Approved { by: question.approver.clone(), acr: None, hash: question.wanted.hash(), until })
}

#[test]
fn every_way_of_an_exchange_is_held_up_by_a_rule_that_denies_and_by_one_that_asks() {
    for world in [World::narrowing(), World::from_application(), World::handed_over(), World::downstream()] {
        assert!(world.decide().is_ok());
        let mut denied = world.clone();
        denied.restraints = vec![rule(RuleEffect::Deny { what: What::default() })];
        let refused = denied.decide().unwrap_err();
        assert!(matches!(refused, DelegationRefused::Policy(PolicyRefused::Denied(_))), "{refused:?}");
        assert_eq!(refused.code(), ErrorCode::AccessDenied);
        let mut held = world.clone();
        held.restraints =
            vec![rule(RuleEffect::Ask { approver: Approver::Subject, acr: None, what: What::default() })];
        let question = asked(&held);
        assert_eq!(question.approver, user());
        held.approved = approved(&question, 1_100);
        let delegation = held.decide().unwrap();
        assert!(delegation.authority().until <= NumericDate(1_100), "nothing outlives the yes");
    }
}

#[test]
fn a_rule_restrains_whoever_has_a_part_in_the_token_and_nobody_else() {
    for (client, restrained) in [("a", true), ("b", true), ("c", false)] {
        let mut world = World::handed_over();
        let deny = rule(RuleEffect::Deny { what: scoped("a") });
        world.restraints = vec![Rule { client: client.parse().ok(), ..deny }];
        assert_eq!(world.decide().is_err(), restrained, "{client}");
    }
}

#[test]
fn a_hand_over_is_denied_as_everything_else_but_a_person_is_asked_when_its_receiver_takes_it() {
    let what = || scoped("a");
    let mut world = World::handing_over();
    world.restraints = vec![rule(RuleEffect::Deny { what: what() })];
    assert!(world.decide().is_err());
    let ask = vec![rule(RuleEffect::Ask { approver: Approver::Subject, acr: None, what: what() })];
    world.restraints = ask.clone();
    assert!(world.decide().is_ok(), "it is good for nothing but an exchange");
    let taken = World { restraints: ask, ..World::handed_over() };
    assert_eq!(asked(&taken).wanted.chain.depth(), 2, "and is asked about then, with the whole chain");
}

#[test]
fn a_yes_brings_nothing_but_what_was_shown() {
    let mut world = World::narrowing();
    world.restraints =
        vec![rule(RuleEffect::Ask { approver: Approver::Owner, acr: None, what: scoped("a b") })];
    let question = asked(&world);
    assert_eq!(question.approver.as_str(), "owner");
    world.approved = approved(&question, 1_200);
    assert!(world.decide().is_ok());
    let mut more = world.clone();
    more.asked.scope = "a b".parse().ok();
    let mut elsewhere = world.clone();
    elsewhere.asked.resources = resources(&[R2]);
    elsewhere.asked.scope = "b".parse().ok();
    let mut other_token = world.clone();
    other_token.subject.id = "another".parse().unwrap();
    let mut leaving = world.clone();
    leaving.asked.destination = Destination::other_domain(GrantKind::IdJag, "https://saas.example");
    let mut going_along = world.clone();
    going_along.asked.destination =
        Destination::Transaction { audience: "trust.example".into(), request_details: Map::new() };
    for changed in [more, elsewhere, other_token, leaving, going_along] {
        let refused = changed.decide().unwrap_err();
        assert_eq!(refused, DelegationRefused::Policy(PolicyRefused::NotAsApproved));
    }
    world.approved = approved(&question, NOW.0);
    assert_eq!(world.decide().unwrap_err(), DelegationRefused::Policy(PolicyRefused::ApprovalOver));
    world.approved = approved(&question, 1_200);
    world.task.as_mut().unwrap().deadline = NOW;
    assert_eq!(world.decide().unwrap_err(), DelegationRefused::Expired, "all else is asked again");
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let scope = proptest::sample::subsequence(vec!["a", "b", "c"], 0..=2).prop_map(|words| words.join(" "));
    let kind = prop_oneof![Just(None), Just(Some("every_rule")), Just(Some("not_passed_on"))];
    let actions = proptest::sample::subsequence(vec!["read", "write"], 0..=2);
    let effect = 0..4_u8;
    let client = prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))];
    let place = prop_oneof![Just(vec![]), Just(vec![R1]), Just(vec![R2])];
    let one = (scope, kind, actions, effect, client, place).prop_map(
        |(scope, kind, actions, effect, client, place)| {
            let what = What {
                scope: scope.parse().unwrap_or_default(),
                details_type: kind.map(|name| name.parse().unwrap()),
                actions: actions.into_iter().map(str::to_owned).collect(),
            };
            let effect = match effect {
                0 => RuleEffect::Deny { what },
                1 => RuleEffect::Ask { approver: Approver::Subject, acr: None, what },
                2 => RuleEffect::Ask { approver: Approver::Owner, acr: None, what },
                _ => RuleEffect::MayAct,
            };
            let client = client.map(|id| id.parse().unwrap());
            Rule { client, resources: resources(&place), ..rule(effect) }
        },
    );
    proptest::collection::vec(one, 0..4)
}

fn authorities() -> impl Strategy<Value = Authority> {
    let scope = proptest::sample::subsequence(vec!["a", "b", "c"], 1..=3).prop_map(|words| words.join(" "));
    let kind = prop_oneof![Just("every_rule"), Just("not_passed_on")];
    let detail = (kind, proptest::sample::subsequence(vec!["read", "write"], 0..=2));
    (scope, proptest::collection::vec(detail, 0..3)).prop_map(|(scope, list)| {
        let list = list.into_iter().map(|(kind, actions)| json!({"type": kind, "actions": actions}));
        Authority {
            scope: scope.parse().unwrap(),
            details: details(list.collect()),
            resources: resources(&[R1]),
            until: NOW,
        }
    })
}

proptest! {
    #[test]
    fn a_further_rule_never_loosens(rules in rules(), more in rules(), authority in authorities(), acts: bool) {
        let (agent, types) = ("a".parse().unwrap(), types());
        let planned =
            Planned { parties: vec![&agent], user: None, acts, authority: &authority, types: &types };
        let before = judge(&rules, &planned).strictness();
        let all: Vec<Rule> = more.into_iter().chain(rules).collect();
        prop_assert!(judge(&all, &planned).strictness() >= before);
    }

    #[test]
    fn what_is_had_at_once_is_a_part_that_nothing_holds_up(rules in rules(), authority in authorities()) {
        let (agent, types) = ("a".parse().unwrap(), types());
        let planned =
            Planned { parties: vec![&agent], user: None, acts: true, authority: &authority, types: &types };
        let part = at_once(&rules, &planned, |_, _| false);
        prop_assert!(part.scope.is_within(&authority.scope));
        prop_assert!(part.details.iter().all(|detail| authority.details.0.contains(detail)));
        if !part.scope.is_empty() || !part.details.is_empty() {
            let rest = Planned { authority: &part, ..planned.clone() };
            prop_assert_eq!(judge(&rules, &rest), Verdict::Allow);
        }
        if judge(&rules, &planned) == Verdict::Allow {
            prop_assert_eq!(part, authority.clone());
        }
    }
}

//! Token exchange never widens, never forgets who acted, and never lets in who was not allowed.

use std::sync::Arc;

use proptest::prelude::*;
use protocol::actor::{Actor, Chain, SubProfile};
use protocol::audience::{Audience, InvalidTarget};
use protocol::authorization_details::{
    AuthorizationDetails, DetailsType, DetailsTypes, InvalidAuthorizationDetails, TypesOf,
};
use protocol::client::{Client, ClientKind, ClientStatus};
use protocol::confirmation::{BindingRefused, Held};
use protocol::consent::{Consent, ConsentState, PassingOn};
use protocol::delegation::{Basis, Delegation, DelegationRefused, ReceiverRefused};
use protocol::destination::Destination;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::refusal::{ErrorCode, Refuse as _};
use protocol::task::TaskStatus;
use protocol::token::{Subject, TokenKind};
use serde_json::{Map, json};

use crate::world::{
    self, NOW, R1, R2, R3, World, actor, agent, certificate, client, details, jkt, key, resources, x5t,
};

fn refused(world: &World) -> DelegationRefused {
    world.decide().expect_err("this exchange must be refused")
}

fn granted(world: &World) -> Delegation {
    world.decide().expect("this exchange must be granted")
}

/// A good world with one thing changed.
fn with(mut world: World, change: impl FnOnce(&mut World)) -> World {
    change(&mut world);
    world
}

fn lineage_consent(world: &mut World) -> &mut Consent {
    world.consent.as_mut().unwrap()
}

// ---- the ways authority reaches an agent

#[test]
fn an_agent_narrows_its_own_token_and_the_chain_does_not_grow() {
    let delegation = granted(&World::narrowing());
    assert_eq!(*delegation.basis(), Basis::Acting);
    assert_eq!(*delegation.chain(), Chain::of(actor("a")));
    let token = delegation.into_issuable("new".parse().unwrap(), None, NOW).into_token();
    assert_eq!(token.authority.scope.to_string(), "a");
    assert_eq!(token.parent, Some("subject".parse().unwrap()));
    assert_eq!(token.cnf, Some(jkt("key-a")));
    assert_eq!(token.audience, Audience::Resources);
}

#[test]
fn an_agent_becomes_the_actor_of_what_an_application_asked_for_it_and_may_act_is_not_copied() {
    let delegation = granted(&World::from_application());
    assert_eq!(*delegation.basis(), Basis::Consent("consent-a".parse().unwrap()));
    assert_eq!(*delegation.chain(), Chain::of(actor("a")));
    let token = delegation.into_issuable("new".parse().unwrap(), None, NOW).into_token();
    assert_eq!(token.may_act, None);
    assert_eq!(token.client.as_str(), "a");
    assert_eq!(token.subject, Subject::User(world::user()));
    assert_eq!(token.consent, Some("consent-a".parse().unwrap()));
    assert_eq!(token.task.unwrap().id.as_str(), "task");
}

#[test]
fn a_hand_over_is_addressed_to_its_receiver_and_keeps_the_chain() {
    let delegation = granted(&World::handing_over());
    assert_eq!(*delegation.chain(), Chain::of(actor("a")));
    let token = delegation.into_issuable("new".parse().unwrap(), None, NOW).into_token();
    assert_eq!(token.audience, Audience::Actor("b".parse().unwrap()));
    assert_eq!(token.aud(), "b");
    assert_eq!(token.authority.resources, resources(&[R1]));
}

#[test]
fn a_hand_over_that_names_no_resource_keeps_all_for_the_receiver_to_choose_from() {
    let delegation = granted(&with(World::handing_over(), |w| w.asked.resources.clear()));
    assert_eq!(delegation.authority().resources, resources(&[R1, R2]));
}

#[test]
fn the_receiver_of_a_hand_over_becomes_the_current_actor() {
    let delegation = granted(&World::handed_over());
    assert_eq!(*delegation.basis(), Basis::PassedOn("consent-a".parse().unwrap()));
    let acts: Vec<_> = delegation.chain().actors().iter().map(|a| a.sub.as_str()).collect();
    assert_eq!(acts, ["b", "a"]);
}

#[test]
fn a_service_reaches_a_resource_further_down_only_by_a_rule_and_stands_in_the_chain() {
    let delegation = granted(&World::downstream());
    assert_eq!(*delegation.basis(), Basis::Rule("rule".parse().unwrap()));
    assert_eq!(delegation.chain().current().unwrap().sub.as_str(), "s");
    assert_eq!(delegation.chain().current().unwrap().sub_profile, SubProfile::Service);
    assert_eq!(delegation.authority().resources, resources(&[R3]));
    assert_eq!(
        refused(&with(World::downstream(), |w| w.rules.may_act = None)),
        DelegationRefused::ActorNotPermitted
    );
    assert_eq!(
        refused(&with(World::downstream(), |w| w.rules.may_act = Some(resources(&[])))),
        InvalidTarget::NotAvailable.into()
    );
}

#[test]
fn another_live_consent_of_the_user_to_the_actor_is_a_basis_and_bounds_the_token_too() {
    let mut world = World::unacted();
    world.asked.resources = resources(&[R2]);
    world.asked.scope = Some("b".parse().unwrap());
    let mut other = world::consent("s");
    other.authority.until = NumericDate(1_100);
    world.other_consents = vec![Arc::new(other.clone())];
    let delegation = granted(&world);
    assert_eq!(*delegation.basis(), Basis::Consent("consent-s".parse().unwrap()));
    assert_eq!(delegation.authority().until, NumericDate(1_100));
    let both: Vec<_> = delegation.consents().map(|id| id.as_str().to_owned()).collect();
    assert_eq!(both, ["consent-s", "consent-a"]);
    assert_eq!(
        delegation.into_issuable("n".parse().unwrap(), None, NOW).into_token().consent,
        Some("consent-s".parse().unwrap())
    );

    // The consent that the token came from goes on bounding it.
    let narrowed = |change: fn(&mut Consent)| with(world.clone(), |w| change(lineage_consent(w)));
    let sooner = narrowed(|consent| consent.authority.until = NumericDate(1_050));
    assert_eq!(granted(&sooner).authority().until, NumericDate(1_050));
    let less = narrowed(|consent| consent.authority.scope = "a".parse().unwrap());
    assert_eq!(refused(&less), DelegationRefused::ScopeTooWide);

    for spoil in [
        |c: &mut Consent| c.user = "bob".parse().unwrap(),
        |c: &mut Consent| c.actor = "b".parse().unwrap(),
        |c: &mut Consent| c.state = ConsentState::Revoked,
        |c: &mut Consent| c.authority.until = NOW,
        |c: &mut Consent| c.authority.scope = "a".parse().unwrap(),
    ] {
        let mut spoilt = other.clone();
        spoil(&mut spoilt);
        world.other_consents = vec![Arc::new(spoilt)];
        assert_eq!(refused(&world), DelegationRefused::ActorNotPermitted);
    }
    let mut elsewhere = other.clone();
    elsewhere.authority.resources = resources(&[R1]);
    world.other_consents = vec![Arc::new(elsewhere)];
    assert_eq!(refused(&world), InvalidTarget::NotAvailable.into());
    let mut narrow = other;
    narrow.authority.details = AuthorizationDetails::none();
    world.other_consents = vec![Arc::new(narrow)];
    world.asked.details = Some(details(json!([{"type": "not_passed_on", "actions": ["read"]}])));
    assert_eq!(refused(&world), DelegationRefused::ActorNotPermitted);
}

#[test]
fn another_consent_is_no_way_around_the_one_under_which_somebody_acts_already() {
    let mut world = World::unacted();
    world.other_consents = vec![Arc::new(world::consent("s"))];
    world.asked.resources = resources(&[R2]);
    world.asked.scope = Some("b".parse().unwrap());
    assert!(world.decide().is_ok());
    world.subject.chain = Chain::of(actor("a"));
    assert_eq!(refused(&world), DelegationRefused::ActorNotPermitted);
}

#[test]
fn of_several_other_consents_the_one_that_lasts_longest_counts() {
    let mut world = World::unacted();
    world.asked.resources = resources(&[R2]);
    world.asked.scope = Some("b".parse().unwrap());
    let lasting = |id: &str, until: i64| {
        let mut consent = world::consent("s");
        consent.id = id.parse().unwrap();
        consent.authority.until = NumericDate(until);
        Arc::new(consent)
    };
    world.other_consents = vec![lasting("x", 1_050), lasting("y", 1_150), lasting("z", 1_100)];
    assert_eq!(*granted(&world).basis(), Basis::Consent("y".parse().unwrap()));
}

#[test]
fn impersonation_needs_a_rule_adds_nobody_and_never_drops_a_chain() {
    let mut world = World::downstream();
    world.subject.chain = Chain::none();
    world.rules.may_act = None;
    world.rules.impersonate = Some(resources(&[R3]));
    let delegation = granted(&world);
    assert_eq!(*delegation.basis(), Basis::Impersonation("rule".parse().unwrap()));
    assert_eq!(*delegation.chain(), Chain::none());
    assert_eq!(delegation.authority().resources, resources(&[R3]));
    world.subject.chain = Chain::of(actor("a"));
    assert_eq!(refused(&world), DelegationRefused::ActorNotPermitted);
}

#[test]
fn an_agent_narrows_a_token_of_its_own_without_any_user() {
    let mut world = World::narrowing();
    world.subject.subject = Subject::Client { id: "a".parse().unwrap(), sub_profile: SubProfile::AiAgent };
    world.subject.chain = Chain::none();
    (world.subject.consent, world.consent, world.subject.task, world.task) = (None, None, None, None);
    let delegation = granted(&world);
    assert_eq!(*delegation.chain(), Chain::none());
    assert_eq!(delegation.consents().count(), 0);
    // Another agent does not act for it just because it holds the token.
    world.subject.client = "b".parse().unwrap();
    world.subject.cnf = Some(jkt("key-b"));
    (world.presenter, world.actor, world.held) = (agent("b"), agent("b"), key("key-b"));
    assert_eq!(refused(&world), DelegationRefused::ActorNotPermitted);
}

// ---- who

#[test]
fn refresh_tokens_id_tokens_and_foreign_ones_are_subject_tokens_of_their_own_client_alone() {
    for kind in [TokenKind::Refresh, TokenKind::Id, TokenKind::Foreign] {
        let own = with(World::narrowing(), |w| w.subject.kind = kind);
        let token = granted(&own).into_issuable("new".parse().unwrap(), None, NOW).into_token();
        assert_eq!((token.kind, token.cnf), (TokenKind::Access, Some(jkt("key-a"))));
        let unproven = with(own.clone(), |w| w.held = key("another"));
        assert_eq!(refused(&unproven), DelegationRefused::KeyNotProven, "{kind:?}");
        // Neither a rule, nor an address, nor a may_act makes it somebody else's.
        let stolen = |change: fn(&mut World)| {
            let thief = with(World::narrowing(), |w| {
                w.subject.kind = kind;
                (w.presenter, w.actor, w.held) = (agent("b"), agent("b"), key("key-a"));
            });
            refused(&with(thief, change))
        };
        for change in [
            |_: &mut World| {},
            |w: &mut World| w.rules.may_present = true,
            |w: &mut World| w.subject.may_act = Some(actor("b")),
            |w: &mut World| w.subject.audience = Audience::Actor("b".parse().unwrap()),
            |w: &mut World| w.presenter.resource_server = Some(R1.parse().unwrap()),
        ] {
            assert_eq!(stolen(change), DelegationRefused::NotForPresenter, "{kind:?}");
        }
    }
}

#[test]
fn what_was_made_for_another_authorization_server_is_no_subject_token() {
    let world = with(World::narrowing(), |w| {
        w.subject.kind = TokenKind::Assertion;
        w.rules.may_present = true;
    });
    assert_eq!(refused(&world), DelegationRefused::NotASubjectToken);
}

#[test]
fn a_transaction_token_is_a_subject_token_of_workloads_of_its_trust_domain() {
    let inside = |kind| {
        with(World::downstream(), |w| {
            w.subject.kind = kind;
            w.subject.cnf = None;
            w.asked.resources = resources(&[R1]);
            w.presenter.resource_server = None;
            w.in_trust_domain = true;
            w.asked.destination =
                Destination::Transaction { audience: "trust.example".into(), request_details: Map::new() };
        })
    };
    let token = granted(&inside(TokenKind::Transaction));
    let token = token.into_issuable("new".parse().unwrap(), None, NOW).into_token();
    assert_eq!(token.kind, TokenKind::Transaction);
    let outside = with(inside(TokenKind::Transaction), |w| w.in_trust_domain = false);
    assert_eq!(refused(&outside), DelegationRefused::NotForPresenter);
    // It is bound to nothing, so nobody proves a key for it: not even where what was sent to them is bound to one.
    let bound = with(inside(TokenKind::Access), |w| {
        w.presenter.resource_server = Some(R1.parse().unwrap());
        w.subject.cnf = Some(jkt("key-a"));
        w.held = Held::default();
    });
    let token = granted(&bound).into_issuable("new".parse().unwrap(), None, NOW).into_token();
    assert_eq!((token.kind, token.cnf), (TokenKind::Transaction, None));
    let here = with(bound, |w| w.asked.destination = Destination::Here);
    assert!(matches!(refused(&here), DelegationRefused::Unbound(_)), "{:?}", refused(&here));
    // The domain opens nothing else.
    assert_eq!(refused(&inside(TokenKind::Access)), DelegationRefused::NotForPresenter);
}

#[test]
fn who_acted_elsewhere_stays_at_the_end_of_the_chain_and_counts() {
    let elsewhere = Actor { iss: "https://them.example".into(), ..actor("x") };
    let world = with(World::narrowing(), |w| w.subject.brought = Chain::of(elsewhere.clone()));
    let token = granted(&world).into_issuable("new".parse().unwrap(), None, NOW).into_token();
    let act = &token.claims(world::ISSUER)["act"];
    assert_eq!((&act["sub"], &act["act"]["sub"]), (&json!("a"), &json!("x")));
    assert_eq!(act["act"]["iss"], "https://them.example");
    let handing_over = with(World::handing_over(), |w| {
        w.subject.brought = Chain::of(elsewhere.clone());
        w.longest_chain = 2;
    });
    assert_eq!(refused(&handing_over), ReceiverRefused::ChainTooLong.into());
    let handed_over = with(World::handed_over(), |w| {
        w.subject.brought = Chain::of(elsewhere);
        w.longest_chain = 2;
    });
    assert_eq!(refused(&handed_over), DelegationRefused::ChainTooLong);
}

#[test]
fn a_consent_that_somebody_else_brought_is_no_basis_for_other_tokens() {
    let world = |brought_by: Option<&str>| {
        with(World::unacted(), |w| {
            let other = Consent { brought_by: brought_by.map(str::to_owned), ..world::consent("s") };
            w.other_consents = vec![Arc::new(other)];
            w.asked.resources = resources(&[R2]);
            w.asked.scope = Some("b".parse().unwrap());
        })
    };
    granted(&world(None));
    assert_eq!(refused(&world(Some("https://them.example"))), DelegationRefused::ActorNotPermitted);
}

#[test]
fn a_story_with_a_page_missing_or_of_another_story_is_not_judged() {
    for change in [
        |w: &mut World| w.consent = None,
        |w: &mut World| w.task = None,
        |w: &mut World| w.subject.consent = None,
        |w: &mut World| w.subject.task = None,
        |w: &mut World| lineage_consent(w).id = "another".parse().unwrap(),
        |w: &mut World| w.task.as_mut().unwrap().id = "another".parse().unwrap(),
        |w: &mut World| lineage_consent(w).user = "bob".parse().unwrap(),
    ] {
        assert_eq!(refused(&with(World::narrowing(), change)), DelegationRefused::Expired);
    }
}

#[test]
fn a_token_of_another_client_is_refused_as_stolen_even_with_a_key_of_the_thief() {
    let thief = |w: &mut World| {
        (w.presenter, w.actor, w.held) = (agent("c"), agent("c"), key("key-c"));
    };
    for world in [World::narrowing(), World::from_application(), World::handed_over()] {
        assert_eq!(refused(&with(world, thief)), DelegationRefused::NotForPresenter);
    }
}

#[test]
fn a_hand_over_token_is_of_no_use_to_whom_it_was_issued_to() {
    let world = with(World::narrowing(), |w| w.subject.audience = Audience::Actor("b".parse().unwrap()));
    assert_eq!(refused(&world), DelegationRefused::NotForPresenter);
}

#[test]
fn a_bound_token_of_ones_own_needs_proof_of_its_key() {
    for held in [Held::default(), key("key-other"), certificate("key-a")] {
        assert_eq!(refused(&with(World::narrowing(), |w| w.held = held)), DelegationRefused::KeyNotProven);
    }
    for held in [Held::default(), certificate("other"), key("cert-a")] {
        let world = with(World::narrowing(), |w| (w.subject.cnf, w.held) = (Some(x5t("cert-a")), held));
        assert_eq!(refused(&world), DelegationRefused::KeyNotProven);
    }
    let proven = with(World::narrowing(), |w| {
        (w.subject.cnf, w.held) = (Some(x5t("cert-a")), certificate("cert-a"));
    });
    assert_eq!(
        granted(&proven).into_issuable("n".parse().unwrap(), None, NOW).into_token().cnf,
        Some(x5t("cert-a"))
    );
    // Where the token itself is not bound, any key of the agent does.
    let unbound = with(World::narrowing(), |w| {
        w.subject.cnf = None;
        w.held = key("key-other");
    });
    assert!(unbound.decide().is_ok());
}

#[test]
fn a_token_sent_to_a_resource_server_is_its_to_exchange_and_nobody_elses() {
    let other = with(World::downstream(), |w| {
        w.presenter.resource_server = Some(R3.parse().unwrap());
        w.actor = w.presenter.clone();
    });
    assert_eq!(refused(&other), DelegationRefused::NotForPresenter);
    let by_rule = with(other, |w| w.rules.may_present = true);
    assert!(by_rule.decide().is_ok());
}

#[test]
fn may_act_lets_the_actor_present_a_token_that_is_addressed_elsewhere() {
    let world = with(World::from_application(), |w| w.subject.audience = Audience::Resources);
    assert!(world.decide().is_ok());
}

#[test]
fn may_act_is_exhaustive_with_and_without_an_actor_token_and_compares_issuer_and_subject() {
    let nobody_else = |w: &mut World| w.subject.may_act = Some(actor("b"));
    assert_eq!(refused(&with(World::narrowing(), nobody_else)), DelegationRefused::ActorNotPermitted);
    let elsewhere =
        |w: &mut World| w.subject.may_act = Some(Actor { iss: "https://other.example".into(), ..actor("a") });
    assert_eq!(refused(&with(World::from_application(), elsewhere)), DelegationRefused::ActorNotPermitted);
    let with_token = with(World::narrowing(), |w| {
        nobody_else(w);
        w.actor_token = Some(own_token(w));
    });
    assert_eq!(refused(&with_token), DelegationRefused::ActorNotPermitted);
    let despite_rule = with(World::downstream(), nobody_else);
    assert_eq!(refused(&despite_rule), DelegationRefused::ActorNotPermitted);
}

fn own_token(world: &World) -> protocol::token::Token {
    let mut token = world.subject.clone();
    token.subject = Subject::Client { id: world.actor.id.clone(), sub_profile: SubProfile::AiAgent };
    token.chain = Chain::none();
    token
}

#[test]
fn an_actor_token_is_the_actors_own_unexpired_access_token_without_act() {
    let world = with(World::narrowing(), |w| w.actor_token = Some(own_token(w)));
    assert!(world.decide().is_ok());
    for spoil in [
        |t: &mut protocol::token::Token| t.chain = Chain::of(actor("b")),
        |t: &mut protocol::token::Token| t.kind = TokenKind::Refresh,
        |t: &mut protocol::token::Token| t.subject = Subject::User(world::user()),
        |t: &mut protocol::token::Token| {
            t.subject = Subject::Client { id: "b".parse().unwrap(), sub_profile: SubProfile::AiAgent };
        },
        |t: &mut protocol::token::Token| t.authority.until = NOW,
        |t: &mut protocol::token::Token| t.cnf = Some(jkt("key-other")),
        |t: &mut protocol::token::Token| t.cnf = Some(x5t("key-a")),
    ] {
        let world = with(world.clone(), |w| spoil(w.actor_token.as_mut().unwrap()));
        assert_eq!(refused(&world), DelegationRefused::ActorTokenNotAcceptable);
    }
    let unbound = with(world, |w| w.actor_token.as_mut().unwrap().cnf = None);
    assert!(unbound.decide().is_ok());
}

#[test]
fn an_actor_token_of_another_client_needs_a_rule_and_a_token() {
    // The service s sends a token of the agent a along with a token that was addressed to s.
    let mut world = World::downstream();
    world.rules.may_act = None;
    world.actor = agent("a");
    world.asked.resources = resources(&[R1]);
    world.actor_token = Some(own_token(&world));
    assert_eq!(refused(&world), DelegationRefused::ActorTokenNotAcceptable);
    world.rules.actor_token = true;
    let delegation = granted(&world);
    assert_eq!(delegation.chain().current().unwrap().sub.as_str(), "a");
    assert_eq!(delegation.into_issuable("n".parse().unwrap(), None, NOW).into_token().client.as_str(), "s");
    // A bound one that the actor did not send to s may have been stolen elsewhere.
    let mut elsewhere = world.clone();
    elsewhere.actor_token.as_mut().unwrap().authority.resources = resources(&[R2]);
    assert_eq!(refused(&elsewhere), DelegationRefused::ActorTokenNotAcceptable);
    elsewhere.actor_token.as_mut().unwrap().audience = Audience::Actor("s".parse().unwrap());
    assert!(elsewhere.decide().is_ok());
    elsewhere.actor_token.as_mut().unwrap().audience = Audience::Actor("c".parse().unwrap());
    assert_eq!(refused(&elsewhere), DelegationRefused::ActorTokenNotAcceptable);
    world.actor_token = None;
    assert_eq!(refused(&world), DelegationRefused::ActorTokenNotAcceptable);
}

#[test]
fn an_actor_that_is_suspended_or_at_its_end_gets_nothing() {
    let suspended = |w: &mut World| w.actor.status = ClientStatus::Suspended;
    let over = |w: &mut World| {
        if let ClientKind::Agent(agent) = &mut w.actor.kind {
            agent.expires_at = NOW;
        }
    };
    assert_eq!(refused(&with(World::narrowing(), suspended)), DelegationRefused::ActorNotLive);
    assert_eq!(refused(&with(World::narrowing(), over)), DelegationRefused::ActorNotLive);
}

#[test]
fn agents_and_bound_subjects_never_get_bearer_tokens() {
    // Bound subject, addressed to a service that proves no key.
    let nothing = |w: &mut World| w.held = Held::default();
    let unbound = DelegationRefused::Unbound;
    assert_eq!(refused(&with(World::downstream(), nothing)), unbound(BindingRefused::EitherRequired));
    // Unbound subject, an agent without a proof.
    assert_eq!(refused(&with(World::from_application(), nothing)), unbound(BindingRefused::EitherRequired));
    // Unbound subject and a service that need not bind: a bearer token.
    let bearer = with(World::downstream(), |w| {
        w.subject.cnf = None;
        w.held = Held::default();
    });
    assert_eq!(granted(&bearer).into_issuable("n".parse().unwrap(), None, NOW).into_token().cnf, None);
    let must = with(bearer, |w| w.presenter.dpop_bound_access_tokens = true);
    assert_eq!(refused(&must), unbound(BindingRefused::KeyRequired));
}

#[test]
fn a_new_token_is_bound_to_what_its_presenter_holds_whatever_the_subject_was_bound_to() {
    for subject in [jkt("key-a"), x5t("cert-a")] {
        for (held, bound) in [(key("key-s"), jkt("key-s")), (certificate("cert-s"), x5t("cert-s"))] {
            let world = with(World::downstream(), |w| {
                w.subject.cnf = Some(subject.clone());
                w.held = held.clone();
            });
            assert_eq!(
                granted(&world).into_issuable("n".parse().unwrap(), None, NOW).into_token().cnf,
                Some(bound)
            );
        }
    }
}

// ---- passing on

#[test]
fn passing_on_goes_as_far_as_the_consent_says() {
    let to = |depth| move |w: &mut World| lineage_consent(w).passing_on = depth;
    let handed_over = DelegationRefused::MayNotBePassedOn;
    let handing_over = ReceiverRefused::MayNotBePassedOn.into();
    for (world, reason) in [(World::handing_over(), handing_over), (World::handed_over(), handed_over)] {
        assert_eq!(refused(&with(world.clone(), to(PassingOn::No))), reason);
        assert!(with(world.clone(), to(PassingOn::UpTo(1))).decide().is_ok());
        let longer = |w: &mut World| {
            w.subject.chain =
                Chain::of(actor("z")).extended_by(&w.subject.chain.actors()[0].clone(), 5).unwrap();
        };
        assert_eq!(refused(&with(with(world.clone(), to(PassingOn::UpTo(1))), longer)), reason);
        assert!(with(with(world, to(PassingOn::UpTo(2))), longer).decide().is_ok());
    }
}

#[test]
fn a_detail_whose_type_may_not_be_passed_on_stays() {
    let stays = |w: &mut World| {
        w.asked.details = Some(details(json!([{"type": "not_passed_on", "actions": ["read"]}])))
    };
    assert!(with(World::narrowing(), stays).decide().is_ok());
    assert_eq!(refused(&with(World::handing_over(), stays)), ReceiverRefused::MayNotBePassedOn.into());
    assert_eq!(refused(&with(World::handed_over(), stays)), DelegationRefused::MayNotBePassedOn);
    let travels = |w: &mut World| {
        w.asked.details =
            Some(details(json!([{"type": "every_rule", "actions": ["read"], "path": "/a", "max": 10}])));
    };
    assert!(with(World::handing_over(), travels).decide().is_ok());
}

#[test]
fn a_service_that_hands_over_without_naming_anything_leaves_behind_what_may_not_be_passed_on() {
    let unnamed = with(World::downstream(), |w| {
        w.receiver = Some(agent("b"));
        w.asked.scope = None;
    });
    let names: Vec<_> =
        granted(&unnamed).authority().details.iter().map(|d| d.type_name().to_string()).collect();
    assert_eq!(names, ["every_rule"]);
}

#[test]
fn a_token_without_a_chain_is_no_hand_over() {
    let world = with(World::handed_over(), |w| w.subject.chain = Chain::none());
    assert_eq!(refused(&world), DelegationRefused::ActorNotPermitted);
}

#[test]
fn a_token_that_is_addressed_to_a_resource_server_is_no_hand_over() {
    let world = with(World::handed_over(), |w| {
        w.subject.audience = Audience::Resources;
        w.presenter.resource_server = Some(R1.parse().unwrap());
    });
    assert_eq!(refused(&world), DelegationRefused::ActorNotPermitted);
}

#[test]
fn a_receiver_is_live_and_did_not_act_before() {
    for receiver in
        [agent("a"), Client { status: ClientStatus::Retired, ..agent("b") }, client("b", ClientKind::Service)]
    {
        let service = receiver.agent().is_none();
        let world = with(World::handing_over(), |w| w.receiver = Some(receiver));
        if service {
            assert!(world.decide().is_ok(), "services may receive too");
        } else {
            assert_eq!(refused(&world), ReceiverRefused::NotAcceptable.into());
        }
    }
    let nobody_acts = with(World::handing_over(), |w| {
        w.subject.subject = Subject::Client { id: "a".parse().unwrap(), sub_profile: SubProfile::AiAgent };
        w.subject.chain = Chain::none();
        (w.subject.consent, w.consent, w.subject.task, w.task) = (None, None, None, None);
    });
    assert_eq!(refused(&nobody_acts), ReceiverRefused::NotAcceptable.into());
}

/// Whether there is somebody of a name, who may not be handed the token, is told to nobody: whatever else is wrong with the
/// request comes first for both, and what is said of the target is one sentence.
#[test]
fn a_receiver_that_cannot_be_is_refused_as_one_that_is_not_there() {
    type Spoil = fn(&mut World);
    let spoils: [Spoil; 7] = [
        |_| {},
        |w| w.presenter.id = "else".parse().unwrap(),
        |w| lineage_consent(w).passing_on = PassingOn::No,
        |w| w.subject.authority.until = NOW,
        |w| w.longest_chain = 1,
        |w| w.asked.scope = Some("elsewhere".parse().unwrap()),
        |w| w.asked.resources = resources(&["urn:nowhere"]),
    ];
    for (number, spoil) in spoils.into_iter().enumerate() {
        let world = with(World::handing_over(), spoil);
        let nobody = with(world.clone(), |w| (w.receiver, w.names_nobody) = (None, true));
        let retired = Client { status: ClientStatus::Retired, ..agent("b") };
        for receiver in [retired, agent("a")] {
            let somebody = with(world.clone(), |w| w.receiver = Some(receiver.clone()));
            let (told, of_nobody) = (refused(&somebody), refused(&nobody));
            assert_eq!(
                (told.code(), told.to_string()),
                (of_nobody.code(), of_nobody.to_string()),
                "{number}"
            );
        }
    }
    let told = refused(&with(World::handing_over(), |w| w.receiver = Some(agent("a"))));
    let of_resource = refused(&with(World::narrowing(), |w| w.asked.resources = resources(&["urn:nowhere"])));
    assert_eq!((told.code(), told.to_string()), (of_resource.code(), of_resource.to_string()));
}

/// A consent of the user to the actor that is for another place is as one for a place that is not there.
#[test]
fn a_place_that_no_consent_allows_is_a_target_that_is_not_available() {
    let world = with(World::from_application(), |w| {
        w.other_consents = w.consent.take().map(Arc::new).into_iter().collect();
        (w.subject.consent, w.subject.task, w.task, w.subject.may_act) = (None, None, None, None);
    });
    assert!(world.decide().is_ok());
    for place in [R3, "urn:nowhere"] {
        let elsewhere = with(world.clone(), |w| w.asked.resources = resources(&[place]));
        assert_eq!(refused(&elsewhere), InvalidTarget::NotAvailable.into(), "{place}");
        let more = with(elsewhere, |w| w.asked.scope = Some("a elsewhere".parse().unwrap()));
        assert_eq!(refused(&more), DelegationRefused::ActorNotPermitted);
    }
}

#[test]
fn without_a_consent_nothing_is_passed_on() {
    let world = with(World::handing_over(), |w| {
        w.subject.consent = None;
        w.consent = None;
    });
    assert_eq!(refused(&world), ReceiverRefused::MayNotBePassedOn.into());
}

// ---- how far

#[test]
fn the_chain_is_bounded_by_the_server_and_by_the_agent_and_does_not_come_back() {
    assert_eq!(
        refused(&with(World::handed_over(), |w| w.longest_chain = 1)),
        DelegationRefused::ChainTooLong
    );
    assert!(with(World::handed_over(), |w| w.longest_chain = 2).decide().is_ok());
    let own_limit = |limit| {
        move |w: &mut World| {
            if let ClientKind::Agent(agent) = &mut w.actor.kind {
                agent.max_chain_depth = Some(limit);
            }
        }
    };
    assert_eq!(refused(&with(World::handed_over(), own_limit(1))), DelegationRefused::ChainTooLong);
    assert!(with(World::handed_over(), own_limit(9)).decide().is_ok());
    assert_eq!(
        refused(&with(with(World::handed_over(), own_limit(9)), |w| w.longest_chain = 1)),
        DelegationRefused::ChainTooLong
    );
    let back = with(World::handed_over(), |w| {
        w.subject.chain = Chain::of(actor("b")).extended_by(&actor("a"), 5).unwrap();
    });
    assert_eq!(refused(&back), DelegationRefused::ActorAlreadyInChain);
    let no_room_for_the_receiver = with(World::handing_over(), |w| w.longest_chain = 1);
    assert_eq!(refused(&no_room_for_the_receiver), ReceiverRefused::ChainTooLong.into());
    assert!(with(World::handing_over(), |w| w.longest_chain = 2).decide().is_ok());
    // Nor does one hand over what its receiver, or it itself with that receiver behind it, could not use.
    let receivers_limit = |limit| {
        move |w: &mut World| {
            if let Some(Client { kind: ClientKind::Agent(agent), .. }) = &mut w.receiver {
                agent.max_chain_depth = Some(limit);
            }
        }
    };
    for (limit, fits) in [(1, false), (2, true)] {
        assert_eq!(with(World::handing_over(), own_limit(limit)).decide().is_ok(), fits, "{limit}");
        assert_eq!(with(World::handing_over(), receivers_limit(limit)).decide().is_ok(), fits, "{limit}");
    }
}

// ---- how long

#[test]
fn a_token_ends_no_later_than_anything_it_comes_from() {
    let until = |change: fn(&mut World)| granted(&with(World::narrowing(), change)).authority().until;
    assert_eq!(
        until(|w| w.subject.authority.until = NumericDate(9_000)),
        NumericDate(1_300),
        "the token life"
    );
    assert_eq!(until(|_| {}), NumericDate(1_250), "the subject token");
    assert_eq!(
        until(|w| lineage_consent(w).authority.until = NumericDate(1_200)),
        NumericDate(1_200),
        "the consent"
    );
    assert_eq!(
        until(|w| w.task.as_mut().unwrap().deadline = NumericDate(1_190)),
        NumericDate(1_190),
        "the task"
    );
    let agent_ends = |w: &mut World| {
        if let ClientKind::Agent(agent) = &mut w.actor.kind {
            agent.expires_at = NumericDate(1_180);
        }
    };
    assert_eq!(until(agent_ends), NumericDate(1_180), "the agent");
    let typed = |w: &mut World| {
        w.asked.details =
            Some(details(json!([{"type": "every_rule", "actions": ["read"], "path": "/a", "max": 1}])));
    };
    assert_eq!(until(typed), NumericDate(1_200), "the details type");
    assert_eq!(
        until(|w| w.asked.details = Some(details(json!([{"type": "not_passed_on", "actions": ["read"]}])))),
        NumericDate(1_250),
        "a details type without a life of its own"
    );
}

#[test]
fn nothing_is_derived_from_what_is_over() {
    for change in [
        |w: &mut World| w.subject.authority.until = NOW,
        |w: &mut World| lineage_consent(w).authority.until = NOW,
        |w: &mut World| lineage_consent(w).state = ConsentState::Revoked,
        |w: &mut World| w.task.as_mut().unwrap().deadline = NOW,
        |w: &mut World| w.task.as_mut().unwrap().status = TaskStatus::Revoked,
    ] {
        assert_eq!(refused(&with(World::narrowing(), change)), DelegationRefused::Expired);
    }
    let resting = |w: &mut World| w.task.as_mut().unwrap().status = TaskStatus::Suspended;
    assert_eq!(refused(&with(World::narrowing(), resting)), DelegationRefused::Resting, "it can go on");
    assert!(
        with(World::narrowing(), |w| w.subject.authority.until = NumericDate(NOW.0 + 1)).decide().is_ok()
    );
}

// ---- how much

#[test]
fn scope_is_bounded_by_subject_token_consent_client_and_resource_each_alone() {
    let ask = |scope: &'static str| move |w: &mut World| w.asked.scope = Some(scope.parse().unwrap());
    assert!(with(World::narrowing(), ask("a b")).decide().is_ok());
    let wider = |change: fn(&mut World)| refused(&with(with(World::narrowing(), ask("a b")), change));
    assert_eq!(wider(|w| w.subject.authority.scope = "a".parse().unwrap()), DelegationRefused::ScopeTooWide);
    assert_eq!(
        wider(|w| lineage_consent(w).authority.scope = "a".parse().unwrap()),
        DelegationRefused::ScopeTooWide
    );
    assert_eq!(wider(|w| w.actor.scope = "a".parse().unwrap()), DelegationRefused::ScopeTooWide);
    assert_eq!(wider(|w| w.asked.resources = resources(&[R2])), DelegationRefused::ScopeNotThere);
    assert_eq!(wider(|w| w.subject.authority.scope = "".parse().unwrap()), DelegationRefused::ScopeTooWide);
    assert!(
        with(with(World::narrowing(), ask("a b")), |w| w.asked.resources = resources(&[R1, R2]))
            .decide()
            .is_ok()
    );
}

#[test]
fn details_are_bounded_by_subject_token_consent_task_client_and_resource_each_alone() {
    let read = json!([{"type": "every_rule", "actions": ["read"], "path": "/a", "max": 10}]);
    let less = details(json!([{"type": "every_rule", "actions": ["write"], "path": "/a", "max": 10}]));
    let ask = |w: &mut World| w.asked.details = Some(details(read.clone()));
    let granted = granted(&with(World::narrowing(), ask));
    assert_eq!(granted.authority().details, details(read.clone()));
    let too_wide = DelegationRefused::Details(InvalidAuthorizationDetails::TooWide { index: 0 });
    let changes: [&dyn Fn(&mut World); 5] = [
        &|w| w.subject.authority.details = less.clone(),
        &|w| lineage_consent(w).authority.details = less.clone(),
        &|w| w.task.as_mut().unwrap().details = less.clone(),
        &|w| w.actor.authorization_details_types = ["not_passed_on"].map(|t| t.parse().unwrap()).into(),
        &|w| {
            for server in w.resource_servers.values_mut() {
                Arc::make_mut(server).details_types.clear();
            }
        },
    ];
    for change in changes {
        assert_eq!(refused(&with(with(World::narrowing(), ask), change)), too_wide);
    }
}

/// Details types that say less than those of today: `max` must be the same, nothing is passed on, and all is over soon.
fn stricter() -> Arc<DetailsTypes> {
    let written = json!({
        "name": "every_rule", "schema": {"properties": {"actions": {}}, "additionalProperties": true},
        "words": {"en": {"name": "T", "sentence": "T"}}, "max_life": 7,
        "narrowing": {"path": "prefix", "max": "equal"}
    });
    let older = DetailsType::of_version(serde_json::from_value(written).unwrap(), 1).unwrap();
    Arc::new(World::narrowing().types.as_of([Arc::new(older)]))
}

#[test]
fn each_consent_is_judged_by_the_details_types_that_it_was_given_under() {
    let ask = |max: u8| {
        move |w: &mut World| {
            let read = json!([{"type": "every_rule", "actions": ["read"], "path": "/a", "max": max}]);
            w.asked.details = Some(details(read));
        }
    };
    let older = |w: &mut World| {
        let consent = w.consent.clone().unwrap();
        w.types_of = TypesOf::default().with(&consent, stricter());
    };
    let too_wide = DelegationRefused::Details(InvalidAuthorizationDetails::TooWide { index: 0 });
    let today = with(World::narrowing(), ask(9));
    assert!(today.decide().is_ok());
    assert_eq!(refused(&with(today, older)), too_wide);
    let same = with(World::narrowing(), ask(10));
    assert!(granted(&same).authority().until > NOW.plus(Seconds(7)));
    assert_eq!(granted(&with(same, older)).authority().until, NOW.plus(Seconds(7)));
    // Of another consent the versions do not count.
    let elsewhere = with(with(World::narrowing(), ask(9)), |w: &mut World| {
        w.types_of = TypesOf::default().with(&world::consent("nobody"), stricter());
    });
    assert!(elsewhere.decide().is_ok());
    for (world, reason) in [
        (World::handing_over(), ReceiverRefused::MayNotBePassedOn.into()),
        (World::handed_over(), DelegationRefused::MayNotBePassedOn),
    ] {
        let world = with(world, ask(10));
        assert!(world.decide().is_ok());
        assert_eq!(refused(&with(world, older)), reason);
    }
}

#[test]
fn a_detail_located_at_another_resource_server_is_not_in_the_token() {
    let located = |at: &str| json!([{"type": "every_rule", "actions": ["read"], "locations": [at]}]);
    let asked_at = |at: &'static str| {
        with(World::narrowing(), move |w| {
            let value = details(located(at));
            w.subject.authority.details = value.clone();
            lineage_consent(w).authority.details = value.clone();
            w.task.as_mut().unwrap().details = value.clone();
            w.asked.details = Some(value);
        })
    };
    assert!(asked_at(R1).decide().is_ok());
    assert!(asked_at("a shelf, no resource server").decide().is_ok());
    assert_eq!(refused(&asked_at(R2)).code(), ErrorCode::InvalidAuthorizationDetails);
}

#[test]
fn an_agent_must_name_what_it_needs_and_a_service_gets_what_is_common() {
    let nothing = |w: &mut World| {
        w.asked.scope = None;
        w.asked.details = None;
    };
    assert_eq!(refused(&with(World::narrowing(), nothing)), DelegationRefused::NothingNamed);
    let empty = |w: &mut World| {
        w.asked.scope = Some("".parse().unwrap());
        w.asked.details = Some(AuthorizationDetails::none());
    };
    assert_eq!(refused(&with(World::narrowing(), empty)), DelegationRefused::NothingNamed);
    let details_only = |w: &mut World| {
        w.asked.scope = None;
        w.asked.details = Some(details(json!([{"type": "not_passed_on", "actions": ["read"]}])));
    };
    assert!(with(World::narrowing(), details_only).decide().unwrap().authority().scope.is_empty());

    let service = with(World::downstream(), nothing);
    let all = granted(&service);
    assert_eq!(all.authority().scope.to_string(), "a");
    assert_eq!(all.authority().details.iter().count(), 2);
    let task_narrows =
        with(service.clone(), |w| w.task.as_mut().unwrap().details = AuthorizationDetails::none());
    assert!(granted(&task_narrows).authority().details.is_empty());
    let consent_narrows =
        with(service.clone(), |w| lineage_consent(w).authority.details = AuthorizationDetails::none());
    assert!(granted(&consent_narrows).authority().details.is_empty());
    let consent_scope = with(service.clone(), |w| {
        lineage_consent(w).authority.scope = "d".parse().unwrap();
        w.task.as_mut().unwrap().details = AuthorizationDetails::none();
    });
    assert_eq!(refused(&consent_scope), DelegationRefused::ScopeTooWide);
    let only_details = with(service.clone(), |w| lineage_consent(w).authority.scope = "d".parse().unwrap());
    assert!(granted(&only_details).authority().scope.is_empty());
    let not_understood = with(service, |w| {
        w.actor.authorization_details_types.clear();
    });
    assert!(granted(&not_understood).authority().details.is_empty());
}

#[test]
fn resources_are_bounded_by_subject_token_consent_and_client_each_alone() {
    let target = |change: fn(&mut World)| refused(&with(World::narrowing(), change));
    assert_eq!(target(|w| w.asked.resources = resources(&[R3])), InvalidTarget::NotAvailable.into());
    assert_eq!(
        target(|w| w.subject.authority.resources = resources(&[R2])),
        InvalidTarget::NotAvailable.into()
    );
    assert_eq!(
        target(|w| lineage_consent(w).authority.resources = resources(&[R2])),
        InvalidTarget::NotAvailable.into()
    );
    assert_eq!(target(|w| w.actor.resources = resources(&[R2])), InvalidTarget::NotAvailable.into());
}

#[test]
fn a_token_to_be_spent_names_its_place_unless_there_is_only_one() {
    let unnamed = |w: &mut World| w.asked.resources.clear();
    assert_eq!(refused(&with(World::narrowing(), unnamed)), InvalidTarget::NotNamed.into());
    let one = with(with(World::narrowing(), unnamed), |w| w.subject.authority.resources = resources(&[R1]));
    assert_eq!(granted(&one).authority().resources, resources(&[R1]));
    let none = with(with(World::handing_over(), unnamed), |w| w.actor.resources.clear());
    assert_eq!(refused(&none), InvalidTarget::NotNamed.into());
}

#[test]
fn everything_about_tokens_actor_and_chain_is_invalid_request() {
    use DelegationRefused as R;
    for reason in [
        R::NotASubjectToken,
        R::NotForPresenter,
        R::KeyNotProven,
        R::Unbound(BindingRefused::EitherRequired),
        R::ActorTokenNotAcceptable,
        R::ActorNotLive,
        R::ActorNotPermitted,
        R::MayNotBePassedOn,
        R::ChainTooLong,
        R::ActorAlreadyInChain,
        R::Expired,
    ] {
        assert_eq!(reason.code(), ErrorCode::InvalidRequest, "{reason:?}");
    }
    for reason in [R::NothingNamed, R::ScopeTooWide, R::ScopeNotThere] {
        assert_eq!(reason.code(), ErrorCode::InvalidScope);
    }
    assert_eq!(R::from(InvalidTarget::NotAvailable).code(), ErrorCode::InvalidTarget);
    assert_eq!(
        R::from(InvalidAuthorizationDetails::TooWide { index: 0 }).code(),
        ErrorCode::InvalidAuthorizationDetails
    );
}

// ---- laws over random stories

fn words() -> impl Strategy<Value = String> {
    proptest::sample::subsequence(vec!["a", "b", "c", "d"], 0..=4).prop_map(|words| words.join(" "))
}

fn places() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(vec![R1, R2, R3], 0..=3)
}

fn some_details() -> impl Strategy<Value = AuthorizationDetails> {
    let one = (proptest::sample::subsequence(vec!["read", "write"], 1..=2), 0_i64..12, any::<bool>())
        .prop_map(|(actions, max, first)| match first {
            true => json!({"type": "every_rule", "actions": actions, "path": "/a", "max": max}),
            false => json!({"type": "not_passed_on", "actions": actions}),
        });
    proptest::collection::vec(one, 0..3).prop_map(|list| details(json!(list)))
}

/// One of the good worlds with a handful of random changes: most are refused, and what is granted keeps every law.
fn stories() -> impl Strategy<Value = World> {
    let start = prop_oneof![
        Just(World::narrowing()),
        Just(World::from_application()),
        Just(World::handing_over()),
        Just(World::handed_over()),
        Just(World::downstream()),
    ];
    fn boxed(f: impl Fn(&mut World) + 'static) -> Change {
        Change(Arc::new(f))
    }
    let someone = || prop_oneof![Just("a"), Just("b"), Just("c")];
    let change = move || {
        prop_oneof![
            words().prop_map(|s| boxed(move |w| w.asked.scope = Some(s.parse().unwrap()))),
            Just(()).prop_map(|()| boxed(|w| w.asked.scope = None)),
            words().prop_map(|s| boxed(move |w| w.subject.authority.scope = s.parse().unwrap())),
            words().prop_map(|s| boxed(move |w| {
                w.consent.iter_mut().for_each(|c| c.authority.scope = s.parse().unwrap());
            })),
            words().prop_map(|s| boxed(move |w| w.actor.scope = s.parse().unwrap())),
            places().prop_map(|p| boxed(move |w| w.asked.resources = resources(&p))),
            places().prop_map(|p| boxed(move |w| w.subject.authority.resources = resources(&p))),
            places().prop_map(|p| boxed(move |w| w.actor.resources = resources(&p))),
            some_details().prop_map(|d| boxed(move |w| w.asked.details = Some(d.clone()))),
            some_details().prop_map(|d| boxed(move |w| w.subject.authority.details = d.clone())),
            some_details().prop_map(|d| boxed(move |w| {
                w.consent.iter_mut().for_each(|c| c.authority.details = d.clone());
            })),
            some_details()
                .prop_map(|d| boxed(move |w| w.task.iter_mut().for_each(|t| t.details = d.clone()))),
            (900_i64..1_400).prop_map(|t| boxed(move |w| w.subject.authority.until = NumericDate(t))),
            (900_i64..1_400).prop_map(|t| boxed(move |w| {
                w.consent.iter_mut().for_each(|c| c.authority.until = NumericDate(t));
            })),
            (900_i64..1_400)
                .prop_map(|t| boxed(move |w| w.task.iter_mut().for_each(|x| x.deadline = NumericDate(t)))),
            someone().prop_map(|id| boxed(move |w| {
                (w.presenter, w.actor) = (agent(id), agent(id));
            })),
            someone().prop_map(|id| boxed(move |w| w.held.key = key(&format!("key-{id}")).key)),
            Just(()).prop_map(|()| boxed(|w| w.held.key = None)),
            someone().prop_map(|id| {
                boxed(move |w| w.held.certificate = certificate(&format!("cert-{id}")).certificate)
            }),
            Just(()).prop_map(|()| boxed(|w| w.subject.cnf = None)),
            someone().prop_map(|id| boxed(move |w| w.subject.cnf = Some(x5t(&format!("cert-{id}"))))),
            someone().prop_map(|id| boxed(move |w| w.subject.may_act = Some(actor(id)))),
            Just(()).prop_map(|()| boxed(|w| w.subject.may_act = None)),
            someone()
                .prop_map(|id| boxed(move |w| w.subject.audience = Audience::Actor(id.parse().unwrap()))),
            someone().prop_map(|id| boxed(move |w| w.subject.chain = Chain::of(actor(id)))),
            Just(()).prop_map(|()| boxed(|w| w.subject.chain = Chain::none())),
            someone().prop_map(|id| boxed(move |w| w.receiver = Some(agent(id)))),
            someone().prop_map(|id| boxed(move |w| {
                w.consent.iter_mut().for_each(|c| c.actor = id.parse().unwrap());
            })),
            (0_u8..3).prop_map(|n| boxed(move |w| {
                let to = if n == 0 { PassingOn::No } else { PassingOn::UpTo(n) };
                w.consent.iter_mut().for_each(|c| c.passing_on = to);
            })),
            (1_usize..4).prop_map(|n| boxed(move |w| w.longest_chain = n)),
            prop_oneof![
                Just(TokenKind::Refresh),
                Just(TokenKind::Id),
                Just(TokenKind::Foreign),
                Just(TokenKind::Assertion),
                Just(TokenKind::Transaction)
            ]
            .prop_map(|kind| boxed(move |w| w.subject.kind = kind)),
            any::<bool>().prop_map(|inside| boxed(move |w| w.in_trust_domain = inside)),
            someone().prop_map(|id| boxed(move |w| {
                w.subject.brought = Chain::of(Actor { iss: "https://them.example".into(), ..actor(id) });
            })),
        ]
    };
    (start, (0_usize..5)).prop_flat_map(move |(start, n)| {
        proptest::collection::vec(change(), n).prop_map(move |changes| {
            let mut world = start.clone();
            changes.iter().for_each(|change| (change.0)(&mut world));
            world
        })
    })
}

/// A change that proptest can hold on to.
#[derive(Clone)]
struct Change(Arc<dyn Fn(&mut World)>);

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("change")
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("subject", &self.subject)
            .field("presenter", &self.presenter.id)
            .field("held", &self.held)
            .field("consent", &self.consent)
            .field("task", &self.task)
            .field("receiver", &self.receiver.as_ref().map(|r| &r.id))
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn what_is_delegated_lies_within_subject_token_consent_task_and_client(world in stories()) {
        let Ok(delegation) = world.decide() else { return Ok(()) };
        let given = delegation.authority();
        let types = &world.types;
        prop_assert!(given.scope.is_within(&world.subject.authority.scope));
        prop_assert!(given.scope.is_within(&world.actor.scope));
        prop_assert!(types.check_within(&given.details, &world.subject.authority.details).is_ok());
        if let Some(consent) = &world.consent {
            prop_assert!(given.scope.is_within(&consent.authority.scope));
            prop_assert!(types.check_within(&given.details, &consent.authority.details).is_ok());
        }
        if let Some(task) = &world.task {
            prop_assert!(types.check_within(&given.details, &task.details).is_ok());
        }
        prop_assert!(given.resources.is_subset(&world.actor.resources));
        if !matches!(delegation.basis(), Basis::Rule(_)) {
            prop_assert!(given.resources.is_subset(&world.subject.authority.resources));
        }
        prop_assert!(!given.is_empty());
        prop_assert!(!given.resources.is_empty());
    }

    #[test]
    fn nothing_is_issued_already_expired_nor_outlives_what_it_came_from(world in stories()) {
        let Ok(delegation) = world.decide() else { return Ok(()) };
        let until = delegation.authority().until;
        prop_assert!(until > NOW && until <= world.subject.expires_at() && until <= NOW.plus(protocol::numeric_date::Seconds(300)));
        prop_assert!(world.consent.as_ref().is_none_or(|c| until <= c.authority.until && c.is_live(NOW)));
        prop_assert!(world.task.as_ref().is_none_or(|t| until <= t.deadline && t.is_live(NOW)));
    }

    #[test]
    fn the_old_chain_is_the_tail_of_the_new_and_the_subject_stays(world in stories()) {
        let Ok(delegation) = world.decide() else { return Ok(()) };
        let (old, new) = (world.subject.chain.actors(), delegation.chain().actors());
        prop_assert!(new.ends_with(old));
        prop_assert!(new.len() <= old.len() + 1 && new.len() <= world.longest_chain.max(old.len()));
        prop_assert_eq!(new.first().map(|a| a.sub.as_str()), Some(world.actor.id.as_str()));
        let distinct: std::collections::HashSet<_> = new.iter().collect();
        prop_assert_eq!(distinct.len(), new.len());
        let token = delegation.into_issuable("new".parse().unwrap(), None, NOW).into_token();
        prop_assert_eq!(&token.subject, &world.subject.subject);
        prop_assert_eq!(token.may_act, None);
        prop_assert_eq!(&token.brought, &world.subject.brought);
        prop_assert_eq!(token.parent.as_ref(), Some(&world.subject.id));
    }

    #[test]
    fn a_sender_constrained_subject_and_an_agent_never_yield_a_bearer_token(world in stories()) {
        let Ok(delegation) = world.decide() else { return Ok(()) };
        let token = delegation.into_issuable("new".parse().unwrap(), None, NOW).into_token();
        prop_assert!(token.cnf.as_ref().is_none_or(|cnf| world.held.proves(cnf)));
        if token.kind == TokenKind::Transaction {
            // It goes from one workload to the next.
            prop_assert_eq!(token.cnf, None);
        } else if world.held.key.is_some() || world.subject.cnf.is_some() || world.actor.agent().is_some() {
            prop_assert!(token.cnf.is_some());
        }
    }

    #[test]
    fn only_whom_the_token_was_meant_for_and_the_user_allowed_gets_one(world in stories()) {
        let Ok(delegation) = world.decide() else { return Ok(()) };
        let presenter = world.presenter.as_actor(world::ISSUER);
        let own = world.subject.client == world.presenter.id
            && world.subject.cnf.as_ref().is_none_or(|cnf| world.held.proves(cnf));
        let meant = match (world.subject.kind, &world.subject.audience) {
            (TokenKind::Assertion, _) => false,
            (TokenKind::Transaction, _) => world.in_trust_domain,
            (TokenKind::Refresh | TokenKind::Id | TokenKind::Foreign, _) => own,
            (TokenKind::Access, Audience::Actor(id)) => *id == world.presenter.id,
            (TokenKind::Access, Audience::Resources) => {
                world.subject.may_act.as_ref().is_some_and(|m| m.is(&presenter))
                    || world.presenter.resource_server.as_ref().is_some_and(|r| world.subject.authority.resources.contains(r))
                    || own
            }
        };
        prop_assert!(meant);
        prop_assert!(world.subject.may_act.as_ref().is_none_or(|m| m.is(&presenter)));
        let consent = world.consent.as_ref().unwrap();
        let allowed = match delegation.basis() {
            Basis::Acting => world.subject.chain.current().unwrap().is(&presenter),
            Basis::Consent(_) => consent.actor == world.actor.id,
            Basis::PassedOn(_) => delegation.chain().depth() <= consent.passing_on.longest_chain() && consent.passing_on != PassingOn::No,
            Basis::Rule(_) => world.rules.may_act.is_some(),
            Basis::Impersonation(_) => false,
        };
        prop_assert!(allowed);
        if let Some(receiver) = &world.receiver {
            prop_assert!(delegation.chain().actors().iter().all(|a| a.sub != receiver.id));
            prop_assert!(delegation.chain().depth() < consent.passing_on.longest_chain());
            prop_assert!(delegation.authority().details.iter().all(|d| d.type_name().as_str() != "not_passed_on"));
        }
    }
}

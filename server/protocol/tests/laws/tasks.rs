//! A task bounds everything that is derived for it; a child is strictly less than its parent; what is over stays over.

use proptest::prelude::*;
use protocol::audience::Resources;
use protocol::authority::Authority;
use protocol::client::{ClientStatus, GrantType};
use protocol::consent::{Consent, ConsentState, PassingOn};
use protocol::delegation::DelegationRefused;
use protocol::identifier::TaskId;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::task::{self, Asked, ChildRefused, Family, NotLess, Operation, Task, TaskStatus};
use serde_json::json;

use crate::world::{self, NOW, R1, R2, World, agent, details, resources};

fn id(name: &str) -> TaskId {
    name.parse().unwrap()
}

/// A part of the world's task, for `actor`.
fn part(world: &World, actor: &str) -> Task {
    let parent = world.task.clone().unwrap();
    Task { id: id("part"), parent: Some(parent.id.clone()), actor: actor.parse().unwrap(), ..parent }
}

/// Another root under the same consent.
fn another(world: &World) -> Task {
    Task { id: id("another"), root: id("another"), ..world.task.clone().unwrap() }
}

fn granted(world: &World) -> protocol::token::Token {
    let delegation = world.decide().expect("this exchange must be granted");
    delegation.into_issuable("new".parse().unwrap(), None, NOW).into_token()
}

fn refused(world: &World) -> DelegationRefused {
    world.decide().expect_err("this exchange must be refused")
}

// ---- a token goes over to a task that is named

#[test]
fn an_actor_goes_on_with_another_task_that_it_opened_under_the_same_consent() {
    let mut world = World::narrowing();
    world.onto = Some(another(&world));
    assert_eq!(granted(&world).task.unwrap().id, id("another"));
    world.onto = world.task.clone();
    assert_eq!(granted(&world).task.unwrap().id, id("task"), "naming the token's own task changes nothing");
}

#[test]
fn a_hand_over_names_the_part_that_its_receiver_is_to_do() {
    let mut world = World::handing_over();
    world.onto = Some(part(&world, "b"));
    assert_eq!(granted(&world).task.unwrap().id, id("part"));
}

#[test]
fn a_task_of_another_story_is_refused() {
    let spoil: [fn(&mut Task); 3] = [
        |task| task.consent = "other".parse().unwrap(),
        |task| task.user = "bob".parse().unwrap(),
        |task| task.actor = "c".parse().unwrap(),
    ];
    for spoil in spoil {
        for (mut world, onto) in [
            (World::narrowing(), another(&World::narrowing())),
            (World::handing_over(), part(&World::handing_over(), "b")),
        ] {
            let mut onto = onto;
            spoil(&mut onto);
            world.onto = Some(onto);
            assert_eq!(refused(&world), DelegationRefused::TaskNotOfThisStory);
        }
    }
    let mut world = World::handing_over();
    world.onto = Some(Task { parent: Some(id("elsewhere")), ..part(&world, "b") });
    assert_eq!(refused(&world), DelegationRefused::TaskNotOfThisStory, "a part of another task");
    world.onto = Some(part(&world, "a"));
    assert_eq!(refused(&world), DelegationRefused::TaskNotOfThisStory, "a part that is the giver's own");
    world.onto = Some(Task { actor: "b".parse().unwrap(), ..another(&world) });
    assert_eq!(refused(&world), DelegationRefused::TaskNotOfThisStory, "a root goes to nobody else");
}

#[test]
fn the_named_task_bounds_the_token_beside_the_one_it_comes_from() {
    let bounded = |change: fn(&mut Task)| {
        let mut world = World::narrowing();
        let mut onto = another(&world);
        change(&mut onto);
        world.onto = Some(onto);
        world
    };
    assert_eq!(granted(&bounded(|t| t.deadline = NumericDate(1_010))).authority.until, NumericDate(1_010));
    let scope = bounded(|t| t.scope = Some("b".parse().unwrap()));
    assert_eq!(refused(&scope), DelegationRefused::ScopeTooWide);
    assert!(matches!(
        refused(&bounded(|t| t.resources = Some(resources(&[R2])))),
        DelegationRefused::Target(_)
    ));
    assert_eq!(refused(&bounded(|t| t.status = TaskStatus::Suspended)), DelegationRefused::Resting);
    assert_eq!(refused(&bounded(|t| t.deadline = NOW)), DelegationRefused::Expired);
    let mut world = bounded(|t| t.details.0.clear());
    world.asked.details = Some(details(json!([{"type": "every_rule", "actions": ["read"]}])));
    assert!(matches!(refused(&world), DelegationRefused::Details(_)));
}

#[test]
fn the_subject_tokens_own_task_bounds_scope_and_place_too() {
    let mut world = World::narrowing();
    world.task.as_mut().unwrap().scope = Some("b".parse().unwrap());
    assert_eq!(refused(&world), DelegationRefused::ScopeTooWide);
    let mut world = World::narrowing();
    world.task.as_mut().unwrap().resources = Some(resources(&[R2]));
    assert!(matches!(refused(&world), DelegationRefused::Target(_)));
}

// ---- a child

/// A family in which the child may be opened, and what it asks for.
struct Home {
    consent: Consent,
    parent: Task,
    status: TaskStatus,
    opener: protocol::client::Client,
    actor: protocol::client::Client,
    nobody: bool,
    above: Vec<protocol::identifier::ClientId>,
    asked: Authority,
    max_derivations: Option<u32>,
    depth: usize,
    siblings: u64,
}

impl Home {
    fn new() -> Self {
        let mut consent = world::consent("a");
        consent.passing_on = PassingOn::UpTo(2);
        let parent = world::task(&consent);
        let asked = Authority {
            scope: "a".parse().unwrap(),
            details: details(json!([])),
            resources: resources(&[R1]),
            until: NumericDate(1_100),
        };
        let (opener, actor) = (agent("a"), agent("b"));
        let status = TaskStatus::Active;
        Self {
            consent,
            parent,
            status,
            opener,
            actor,
            nobody: false,
            above: Vec::new(),
            asked,
            max_derivations: None,
            depth: 1,
            siblings: 0,
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Result<(), ChildRefused> {
        let mut home = Self::new();
        change(&mut home);
        home.check()
    }

    fn check(&self) -> Result<(), ChildRefused> {
        let above: Vec<_> = self.above.iter().collect();
        let family = Family {
            opener: &self.opener,
            parent: &self.parent,
            above: &above,
            parent_status: self.status,
            consent: &self.consent,
            depth: self.depth,
            siblings: self.siblings,
            most_children: 3,
            deepest: 4,
        };
        let actor = (!self.nobody).then_some(&self.actor);
        let asked = Asked { actor, authority: &self.asked, max_derivations: self.max_derivations };
        let taken = task::check_child(&family, &asked, &world::types(), NOW)?;
        assert_eq!(taken.id, self.actor.id);
        Ok(())
    }
}

#[test]
fn a_child_that_is_strictly_less_may_be_opened() {
    assert_eq!(Home::new().check(), Ok(()));
    assert_eq!(Home::with(|h| (h.depth, h.siblings) = (2, 2)), Ok(()));
}

#[test]
fn a_child_must_be_less_than_its_parent_and_nothing_else() {
    let same = |h: &mut Home| {
        h.parent.details.0.retain(|detail| detail.type_name().as_str() == "every_rule");
        h.asked = h.parent.authority(&h.consent);
    };
    let more = |reason| Err(ChildRefused::NotStrictSubset(reason));
    assert_eq!(Home::with(same), more(NotLess::Everything), "the same is not less");
    for (widen, reason) in [
        ((|h| h.asked.scope = "a z".parse().unwrap()) as fn(&mut Home), NotLess::Scope),
        (|h| h.asked.resources = resources(&[R1, world::R3]), NotLess::Resource),
        (|h| h.asked.until = NumericDate(h.parent.deadline.0 + 1), NotLess::Deadline),
        (|h| h.asked.scope = protocol::scope::Scope::empty(), NotLess::Nothing),
        (|h| (h.parent.max_derivations, h.max_derivations) = (Some(3), Some(4)), NotLess::MaxDerivations),
    ] {
        assert_eq!(Home::with(widen), more(reason));
        assert!(more(reason).unwrap_err().to_string().starts_with("not_strict_subset: "));
    }
    let unknown = |h: &mut Home| h.asked.details = details(json!([{"type": "nobody_knows"}]));
    assert_eq!(Home::with(unknown), Err(ChildRefused::DelegationNotPermitted), "a type that does not travel");
    // All that a part derives counts for its parent too: it need not say how much that is.
    assert_eq!(Home::with(|h| (h.parent.max_derivations, h.max_derivations) = (Some(3), None)), Ok(()));
    assert_eq!(Home::with(|h| (h.parent.max_derivations, h.max_derivations) = (Some(3), Some(3))), Ok(()));
}

#[test]
fn a_child_is_opened_under_an_active_task_of_the_openers_own() {
    let mismatch = Err(ChildRefused::ParentMismatch);
    assert_eq!(Home::with(|h| h.opener = agent("c")), mismatch);
    assert_eq!(Home::with(|h| h.parent.consent = "other".parse().unwrap()), mismatch);
    for status in TaskStatus::ALL.into_iter().filter(|status| *status != TaskStatus::Active) {
        assert_eq!(Home::with(|h| h.status = status), Err(ChildRefused::ParentNotActive));
    }
    let over = Err(ChildRefused::ParentNotActive);
    assert_eq!(Home::with(|h| h.consent.state = ConsentState::Revoked), over);
}

#[test]
fn a_child_is_for_another_live_actor_that_may_exchange_tokens() {
    let refused = Err(ChildRefused::ChildActorNotAllowed);
    assert_eq!(Home::with(|h| h.actor = agent("a")), refused);
    assert_eq!(
        Home::with(|h| h.above = vec!["c".parse().unwrap(), "b".parse().unwrap()]),
        refused,
        "b has given it"
    );
    assert_eq!(Home::with(|h| h.above = vec!["c".parse().unwrap()]), Ok(()));
    assert_eq!(Home::with(|h| h.actor.status = ClientStatus::Suspended), refused);
    assert_eq!(Home::with(|h| h.actor.grant_types.retain(|g| *g != GrantType::TokenExchange)), refused);
    assert_eq!(Home::with(|h| h.nobody = true), refused, "and who is not there is refused alike");
    // Whatever comes before that question comes before it for both.
    assert_eq!(Home::with(|h| (h.nobody, h.opener) = (true, agent("c"))), Err(ChildRefused::ParentMismatch));
}

#[test]
fn a_child_needs_a_consent_that_lets_authority_travel_and_room() {
    let refused = Err(ChildRefused::DelegationNotPermitted);
    assert_eq!(Home::with(|h| h.consent.passing_on = PassingOn::No), refused);
    assert_eq!(Home::with(|h| h.depth = 3), refused, "further than the consent allows");
    let far = |h: &mut Home| (h.consent.passing_on, h.depth) = (PassingOn::UpTo(9), 5);
    assert_eq!(Home::with(far), refused, "deeper than the server allows");
    let fixed = |h: &mut Home| h.asked.details = details(json!([{"type": "not_passed_on", "actions": []}]));
    assert_eq!(Home::with(fixed), refused, "a type that does not travel");
    assert_eq!(Home::with(|h| h.siblings = 3), Err(ChildRefused::FanoutExceeded));
}

#[test]
fn a_refusal_begins_with_the_drafts_own_word() {
    assert_eq!(ChildRefused::NotStrictSubset(NotLess::Scope).reason(), "not_strict_subset");
    assert_eq!(ChildRefused::FanoutExceeded.reason(), "fanout_exceeded");
}

// ---- where a task stands

fn status() -> impl Strategy<Value = TaskStatus> {
    proptest::sample::select(TaskStatus::ALL.to_vec())
}

fn line() -> impl Strategy<Value = Vec<Task>> {
    let member = (status(), 900_i64..1_200).prop_map(|(status, deadline)| Task {
        status,
        deadline: NumericDate(deadline),
        ..world::task(&world::consent("a"))
    });
    proptest::collection::vec(member, 1..6)
}

/// What can happen to a line of tasks.
#[derive(Clone, Copy, Debug)]
enum Step {
    Operate(usize, Operation),
    End(usize),
    Later(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let operation = proptest::sample::select(Operation::ALL.to_vec());
    prop_oneof![
        4 => (0_usize..4, operation).prop_map(|(which, operation)| Step::Operate(which, operation)),
        1 => (0_usize..4).prop_map(Step::End),
        2 => (1_i64..4).prop_map(Step::Later),
    ]
}

#[test]
fn what_one_hand_suspended_no_lesser_hand_resumes() {
    use task::Hand::{Actor, Admin, Giver, User};
    let hands = [Actor, Giver, User, Admin];
    for by in hands {
        for hand in hands {
            let held = Task {
                status: TaskStatus::Suspended,
                suspended_by: Some(by),
                ..world::task(&world::consent("a"))
            };
            assert_eq!(held.after(Operation::Resume, hand, NOW).is_ok(), hand >= by, "{by:?} {hand:?}");
            let (status, held_by) = held.after(Operation::Suspend, hand, NOW).unwrap();
            assert_eq!((status, held_by), (TaskStatus::Suspended, Some(hand.max(by))));
            assert_eq!(held.after(Operation::Revoke, hand, NOW), Ok((TaskStatus::Revoked, None)));
        }
    }
}

proptest! {
    #[test]
    fn a_task_is_active_only_if_it_and_all_its_ancestors_are(line in line()) {
        let all = line.iter().all(|task| task.is_live(NOW));
        prop_assert_eq!(task::effective(&line, NOW) == TaskStatus::Active, all);
    }

    #[test]
    fn what_is_over_or_hangs_on_what_is_over_is_over(line in line()) {
        let any = line.iter().any(|task| task.own_status(NOW).is_final());
        prop_assert_eq!(task::effective(&line, NOW).is_final(), any);
    }

    #[test]
    fn nothing_comes_back_from_its_end_whatever_is_tried(
        from in status(),
        operations in proptest::collection::vec(proptest::sample::select(Operation::ALL.to_vec()), 0..12),
    ) {
        let mut at = from;
        for operation in operations {
            let next = at.after(operation).unwrap_or(at);
            prop_assert!(!at.is_final() || next == at);
            at = next;
        }
    }

    #[test]
    fn a_version_never_goes_back_and_never_stays_when_what_is_shown_changes(
        deadlines in proptest::collection::vec(1_001_i64..1_010, 1..4),
        steps in proptest::collection::vec(step(), 1..24),
    ) {
        let member = |deadline| Task {
            status: TaskStatus::Active,
            deadline: NumericDate(deadline),
            version: 1,
            ..world::task(&world::consent("a"))
        };
        let mut line: Vec<Task> = deadlines.into_iter().map(member).collect();
        let mut now = NOW;
        prop_assert_eq!(task::version(&line, now), 1);
        for step in steps {
            let before = (task::effective(&line, now), task::version(&line, now));
            match step {
                Step::Later(seconds) => now = now.plus(Seconds(seconds)),
                Step::Operate(which, operation) => {
                    let which = which % line.len();
                    let own = &mut line[which];
                    if let Ok((status, by)) = own.after(operation, task::Hand::Admin, now)
                        && (status, by) != (own.status, own.suspended_by)
                    {
                        (own.status, own.suspended_by, own.version) = (status, by, own.version + 1);
                    }
                }
                // Whatever hangs on what ends is written down as revoked, past its deadline or not.
                Step::End(which) => {
                    let below = which % line.len() + 1;
                    for task in line[..below].iter_mut().filter(|task| !task.status.is_final()) {
                        (task.status, task.version) = (TaskStatus::Revoked, task.version + 1);
                    }
                }
            }
            let after = (task::effective(&line, now), task::version(&line, now));
            prop_assert!(after.1 >= before.1);
            prop_assert!(after.0 == before.0 || after.1 > before.1, "{:?} then {:?}", before, after);
        }
    }

    #[test]
    fn an_ancestor_never_makes_a_task_more_alive(line in line(), above in status()) {
        let rank = |status: TaskStatus| match status {
            TaskStatus::Active => 2,
            TaskStatus::Suspended => 1,
            _ => 0,
        };
        let top = Task { status: above, ..world::task(&world::consent("a")) };
        let longer: Vec<Task> = line.iter().cloned().chain([top]).collect();
        prop_assert!(rank(task::effective(&longer, NOW)) <= rank(task::effective(&line, NOW)));
    }

    #[test]
    fn text_in_a_purpose_never_changes_what_a_task_permits(purpose in ".{0,200}") {
        let consent = world::consent("a");
        let mut task = world::task(&consent);
        let before = task.authority(&consent);
        task.intent.purpose = Some(purpose);
        prop_assert_eq!(task.authority(&consent), before);
        let _: Resources = task.authority(&consent).resources;
    }
}

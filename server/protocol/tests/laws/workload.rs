//! Workload identity: what is missing never fits, more conditions only narrow, and a pattern never reaches across what it
//! says it stays within.

use proptest::prelude::*;
use protocol::actor::{Actor, Chain};
use protocol::delegation::DelegationRefused;
use protocol::workload::condition::Condition;
use protocol::workload::spiffe::{SpiffeId, SpiffePattern};
use protocol::workload::{Glob, WorkloadIdentity};
use serde_json::{Map, Value, json};

use crate::world::{World, actor};

fn word() -> impl Strategy<Value = String> {
    "[a-c]{1,3}"
}

/// Words with dividers between them.
fn name() -> impl Strategy<Value = String> {
    prop::collection::vec((word(), prop::sample::select(vec!["/", ":", ".", "-"])), 1..5)
        .prop_map(|parts| {
            parts.into_iter().map(|(word, divider)| format!("{word}{divider}")).collect::<String>()
        })
        .prop_map(|name| name.trim_end_matches(['/', ':', '.', '-']).to_owned())
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        word().prop_map(Value::from),
        (0..3).prop_map(|n: i32| json!(n)),
        any::<bool>().prop_map(Value::from)
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalar(),
        1 => Just(Value::Null),
        1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::from),
        1 => scalar().prop_map(|inner| json!({ "x": inner })),
    ]
}

fn glob() -> impl Strategy<Value = Glob> {
    "[a-c/:]{0,3}\\*{1,2}[a-c/:]{0,3}".prop_filter_map("says something", |text| text.parse().ok())
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        value().prop_map(Condition::Equal),
        prop::collection::vec(value(), 0..3).prop_map(Condition::OneOf),
        glob().prop_map(Condition::Glob),
    ]
}

fn identity(claims: Vec<(String, Condition)>) -> WorkloadIdentity {
    let claims = claims.into_iter().collect();
    WorkloadIdentity { issuer: "https://them.example".into(), audience: None, claims, instance_claim: None }
}

fn claims() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("[m-p]", value(), 0..4).prop_map(|claims| claims.into_iter().collect())
}

/// Another way to say what a pattern says, slow and plain: by trying every length for every star.
fn plainly(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', '*', rest @ ..] => (1..=text.len()).any(|taken| plainly(rest, &text[taken..])),
        ['*', rest @ ..] => {
            let reach = text.iter().take_while(|c| !"/:".contains(**c)).count();
            (1..=reach).any(|taken| plainly(rest, &text[taken..]))
        }
        [own, rest @ ..] => text.first() == Some(own) && plainly(rest, &text[1..]),
    }
}

/// A text that fits a pattern: its stars filled with these words.
fn filled(glob: &Glob, words: &[String]) -> String {
    let mut words = words.iter().cycle();
    let mut text = String::new();
    let mut rest = glob.to_string();
    while let Some((before, after)) = rest.split_once('*') {
        text.push_str(before);
        text.push_str(words.next().map_or("a", String::as_str));
        rest = after.strip_prefix('*').unwrap_or(after).to_owned();
    }
    text + &rest
}

proptest! {
    /// What two patterns have in common fits both; and wherever a text fits both, they have something in common.
    #[test]
    fn two_patterns_meet_exactly_where_a_text_fits_both(
        one in glob(), two in glob(), words in prop::collection::vec(word(), 1..4), any in name(),
    ) {
        let met = one.in_common(&two);
        if let Some(text) = &met {
            prop_assert!(one.fits(text) && two.fits(text), "{one} {two} {text}");
        }
        for text in [filled(&one, &words), filled(&two, &words), any] {
            prop_assert!(met.is_some() || !(one.fits(&text) && two.fits(&text)), "{one} {two} {text}");
        }
        prop_assert_eq!(met.is_some(), two.in_common(&one).is_some());
    }

    /// Two clients that are kept apart are never one workload.
    #[test]
    fn one_token_fits_two_clients_only_where_they_overlap(
        one in prop::collection::vec(("[m-p]", condition()), 1..3),
        two in prop::collection::vec(("[m-p]", condition()), 1..3),
        claims in claims(),
    ) {
        let (one, two) = (identity(one), identity(two));
        prop_assert_eq!(one.overlaps(&two), two.overlaps(&one));
        if one.is(&claims) && two.is(&claims) {
            prop_assert!(one.overlaps(&two));
        }
    }

    #[test]
    fn a_missing_claim_never_fits(condition in condition(), mut claims in claims()) {
        prop_assert!(!condition.fits(None));
        claims.remove("m");
        prop_assert!(!identity(vec![("m".into(), condition)]).is(&claims));
    }

    #[test]
    fn more_conditions_only_narrow(
        few in prop::collection::vec(("[m-p]", condition()), 1..3),
        more in prop::collection::vec(("[q-t]", condition()), 0..3),
        claims in claims(),
    ) {
        let all = identity(few.iter().cloned().chain(more).collect());
        if all.is(&claims) {
            prop_assert!(identity(few).is(&claims));
        }
    }

    #[test]
    fn nobody_is_a_client_without_conditions(claims in claims()) {
        prop_assert!(!identity(Vec::new()).is(&claims));
    }

    #[test]
    fn a_list_an_object_and_null_are_no_value(condition in condition(), inner in scalar()) {
        for structure in [json!([inner]), json!({ "x": inner }), Value::Null] {
            prop_assert!(!condition.fits(Some(&structure)));
        }
    }

    #[test]
    fn a_pattern_fits_exactly_what_it_says(glob in glob(), text in "[a-c/:]{0,7}") {
        let pattern: Vec<char> = glob.to_string().chars().collect();
        let text_chars: Vec<char> = text.chars().collect();
        prop_assert_eq!(glob.fits(&text), plainly(&pattern, &text_chars));
    }

    #[test]
    fn one_star_never_reaches_across_a_divider(before in word(), after in word(), middle in name()) {
        let glob: Glob = format!("{before}/*/{after}").parse().unwrap();
        let text = format!("{before}/{middle}/{after}");
        prop_assert_eq!(glob.fits(&text), !middle.is_empty() && !middle.contains(['/', ':']));
    }

    #[test]
    fn a_spiffe_prefix_fits_by_whole_segments(
        domain in word(),
        path in prop::collection::vec(word(), 1..4),
        other in prop::collection::vec(word(), 1..5),
    ) {
        let pattern: SpiffePattern = format!("spiffe://{domain}/{}/*", path.join("/")).parse().unwrap();
        let id: SpiffeId = format!("spiffe://{domain}/{}", other.join("/")).parse().unwrap();
        prop_assert_eq!(pattern.fits(&id), other.len() > path.len() && other.starts_with(&path));
        let elsewhere: SpiffeId = format!("spiffe://x{domain}/{}/1", path.join("/")).parse().unwrap();
        prop_assert!(!pattern.fits(&elsewhere));
    }

    #[test]
    fn no_text_makes_a_name_panic(text in ".{0,60}") {
        let _ = text.parse::<Glob>();
        let _ = text.parse::<SpiffePattern>();
        if let Ok(id) = text.parse::<SpiffeId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}

/// The agent `a` in this instance.
fn copy(instance: &str) -> Actor {
    Actor { instance: Some(instance.parse().unwrap()), ..actor("a") }
}

/// An instance of `a` narrows the token that it got.
fn narrowing_as(instance: &str) -> World {
    let mut world = World::narrowing();
    world.subject.instance = Some(instance.parse().unwrap());
    world.subject.chain = Chain::of(copy(instance));
    world.instance = Some(instance.parse().unwrap());
    world
}

#[test]
fn what_one_instance_got_is_not_anothers() {
    assert_eq!(*narrowing_as("1").decide().unwrap().chain(), Chain::of(copy("1")));
    for other in [None, Some("2")] {
        let world = World { instance: other.map(|id| id.parse().unwrap()), ..narrowing_as("1") };
        assert_eq!(world.decide().unwrap_err(), DelegationRefused::NotForPresenter);
    }
}

#[test]
fn what_is_addressed_to_an_agent_any_of_its_instances_may_take_and_then_stands_beside_it() {
    for instance in ["1", "2"] {
        let world = World { instance: Some(instance.parse().unwrap()), ..World::from_application() };
        assert_eq!(*world.decide().unwrap().chain(), Chain::of(copy(instance)));
    }
}

#[test]
fn another_instance_of_the_current_actor_does_not_act_in_its_name() {
    let mut world = narrowing_as("1");
    world.subject.instance = None;
    world.instance = Some("2".parse().unwrap());
    assert_eq!(world.decide().unwrap_err(), DelegationRefused::ActorAlreadyInChain);
}

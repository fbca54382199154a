//! *Within* is a partial order on authorization details, and `common` its meet.

use proptest::prelude::*;
use protocol::audience::Resources;
use protocol::authority::Authority;
use protocol::authorization_details::{AuthorizationDetails, DetailsTypes};
use protocol::numeric_date::NumericDate;
use serde_json::{Map, Value, json};

use crate::world;

fn subset_of(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    proptest::sample::subsequence(words, 0..=words.len()).prop_shuffle().prop_map(Value::from)
}

/// Details of the type in which every rule occurs, from a domain small enough that relations between two happen.
fn detail() -> impl Strategy<Value = Value> {
    let maybe = |value: BoxedStrategy<Value>| proptest::option::weighted(0.7, value);
    let path = prop_oneof![
        Just("/"),
        Just("//"),
        Just("//a"),
        Just("/a"),
        Just("/a/b"),
        Just("/a/b/c"),
        Just("/ab"),
        Just("/a/../b"),
        Just("/a/")
    ];
    let glob = prop_oneof![
        Just("*"),
        Just("a/*"),
        Just("a/b"),
        Just("a/*/c"),
        Just("a/b/c"),
        Just("a/.."),
        Just("a*")
    ];
    let time = prop_oneof![
        Just("2026-01-01T00:00:00Z"),
        Just("2026-01-01T01:00:00+01:00"),
        Just("2026-06-01T00:00:00Z"),
        Just("someday")
    ];
    let number = prop_oneof![
        (-2_i64..3).prop_map(Value::from),
        Just(json!(0.5)),
        Just(json!(1.0)),
        Just(json!(-0.0)),
        Just(json!(1e300)),
        Just(json!(9_007_199_254_740_993_u64)),
        Just(json!(9_007_199_254_740_992.0)),
        Just(json!("1"))
    ];
    let fields = (
        maybe(subset_of(&["read", "write", "delete"]).boxed()),
        maybe(number.clone().boxed()),
        maybe(number.boxed()),
        maybe(
            prop_oneof![
                path.clone().prop_map(Value::from),
                proptest::collection::vec(path, 0..3).prop_map(Value::from)
            ]
            .boxed(),
        ),
        maybe(glob.prop_map(Value::from).boxed()),
        maybe(time.prop_map(Value::from).boxed()),
        maybe(prop_oneof![Just(json!("x")), Just(json!("y"))].boxed()),
        maybe(prop_oneof![Just(json!("note 1")), Just(json!("note 2"))].boxed()),
        maybe(nested().boxed()),
        proptest::option::weighted(0.2, 0_i64..3).prop_map(|amount| amount.map(Value::from)),
        proptest::bool::weighted(0.9),
    );
    fields.prop_map(|(actions, max, min, path, glob, before, equal, any, nested, dotted, first_type)| {
        let mut members = Map::new();
        members.insert("type".into(), if first_type { "every_rule" } else { "not_passed_on" }.into());
        let values = [
            ("actions", actions),
            ("max", max),
            ("min", min),
            ("path", path),
            ("glob", glob),
            ("before", before),
            ("equal", equal),
            ("any", any),
            ("nested", nested),
            // One name, and not the way to the amount in `nested`.
            ("nested.amount", dotted),
        ];
        members.extend(values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Value::Object(members)
    })
}

fn nested() -> impl Strategy<Value = Value> {
    (proptest::option::of(subset_of(&["p", "q"])), proptest::option::of(0_i64..3)).prop_map(
        |(list, amount)| {
            let mut members = Map::new();
            members.extend(list.map(|list| ("list".to_owned(), list)));
            members.extend(amount.map(|amount| ("amount".to_owned(), amount.into())));
            Value::Object(members)
        },
    )
}

fn details() -> impl Strategy<Value = AuthorizationDetails> {
    proptest::collection::vec(detail(), 0..4)
        .prop_map(|list| AuthorizationDetails::parse(&Value::Array(list).to_string()).unwrap())
}

/// Something within `given`, made by narrowing one field or dropping one detail.
fn narrower(given: &AuthorizationDetails, which: usize) -> AuthorizationDetails {
    let mut list: Vec<Map<String, Value>> = given.iter().map(|d| d.members().clone()).collect();
    if let Some(detail) = list.get_mut(0) {
        let open = detail["type"] == "every_rule";
        match which % 4 {
            0 => {
                if let Some(Value::Array(actions)) = detail.get_mut("actions")
                    && actions.len() > 1
                {
                    actions.pop();
                }
            }
            1 if open => {
                if let Some(max) = detail.get("max").and_then(Value::as_i64).filter(|max| *max < 1000) {
                    detail.insert("max".into(), (max - 1).into());
                }
            }
            2 if open => {
                detail.entry("max").or_insert_with(|| json!(0));
            }
            _ => {
                list.remove(0);
            }
        }
    }
    AuthorizationDetails::parse(&json!(list).to_string()).unwrap()
}

fn within(types: &DetailsTypes, a: &AuthorizationDetails, b: &AuthorizationDetails) -> bool {
    types.check_within(a, b).is_ok()
}

/// Paths, and what looks like some.
fn path() -> impl Strategy<Value = String> {
    let step = proptest::sample::select(vec![
        "a",
        "b",
        "ab",
        "",
        ".",
        "..",
        "%2e%2e",
        "a\\..",
        "\u{ff0e}\u{ff0e}",
        "a;x",
    ]);
    let start = proptest::sample::select(vec!["", "/", "//", "https://a", "https://a/", "file:///"]);
    let end = proptest::sample::select(vec!["", "", "/"]);
    (start, proptest::collection::vec(step, 0..4), end)
        .prop_map(|(start, steps, end)| format!("{start}{}{end}", steps.join("/")))
}

fn path_within(types: &DetailsTypes, asked: &str, given: &str) -> bool {
    let of = |path: &str| {
        AuthorizationDetails::parse(&json!([{"type": "every_rule", "path": path}]).to_string()).unwrap()
    };
    within(types, &of(asked), &of(given))
}

/// The steps of a path as a careless reader takes them: decoded, normalized, and with dots resolved.
fn resolved(path: &str) -> Vec<String> {
    let plain = path.replace("%2e", ".").replace('\\', "/").replace('\u{ff0e}', ".");
    let mut steps = Vec::new();
    for step in plain.split('/').map(|step| step.split(';').next().unwrap()) {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step.to_owned()),
        }
    }
    steps
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn within_is_reflexive(a in details()) {
        prop_assert!(within(&world::types(), &a, &a));
    }

    #[test]
    fn within_is_transitive(a in details(), b in details(), c in details()) {
        let types = world::types();
        for (x, y, z) in [(&a, &b, &c), (&b, &c, &a), (&c, &a, &b)] {
            if within(&types, x, y) && within(&types, y, z) {
                prop_assert!(within(&types, x, z));
            }
        }
    }

    #[test]
    fn within_is_transitive_for_single_details(a in detail(), b in detail(), c in detail()) {
        let types = world::types();
        let [a, b, c] = [a, b, c].map(|d| AuthorizationDetails::parse(&json!([d]).to_string()).unwrap());
        if within(&types, &a, &b) && within(&types, &b, &c) {
            prop_assert!(within(&types, &a, &c));
        }
    }

    #[test]
    fn what_is_narrowed_is_within(a in details(), which in 0_usize..4) {
        prop_assert!(within(&world::types(), &narrower(&a, which), &a));
    }

    #[test]
    fn the_order_of_details_and_of_members_says_nothing(a in details(), b in details()) {
        let types = world::types();
        let turned = |d: &AuthorizationDetails| {
            let turn = |m: &Map<String, Value>| Value::Object(m.iter().rev().map(|(k, v)| (k.clone(), v.clone())).collect());
            let list: Vec<Value> = d.0.iter().map(|x| turn(x.members())).rev().collect();
            AuthorizationDetails::parse(&Value::Array(list).to_string()).unwrap()
        };
        prop_assert_eq!(within(&types, &a, &b), within(&types, &turned(&a), &turned(&b)));
    }

    #[test]
    fn common_is_within_both(a in details(), b in details()) {
        let types = world::types();
        let common = types.common(&a, &b);
        prop_assert!(within(&types, &common, &a) && within(&types, &common, &b), "{common:?}");
    }

    #[test]
    fn common_is_symmetric(a in details(), b in details()) {
        let types = world::types();
        let (ab, ba) = (types.common(&a, &b), types.common(&b, &a));
        prop_assert!(within(&types, &ab, &ba) && within(&types, &ba, &ab));
    }

    #[test]
    fn common_is_idempotent(a in details()) {
        let types = world::types();
        let aa = types.common(&a, &a);
        prop_assert!(within(&types, &aa, &a) && within(&types, &a, &aa));
    }

    #[test]
    fn common_is_the_greatest(a in details(), b in details(), which in 0_usize..4) {
        let types = world::types();
        let lower = narrower(&types.common(&a, &b), which);
        if within(&types, &lower, &a) && within(&types, &lower, &b) {
            prop_assert!(within(&types, &lower, &types.common(&a, &b)));
        }
        if within(&types, &a, &b) {
            prop_assert!(within(&types, &a, &types.common(&a, &b)));
        }
    }

    #[test]
    fn an_authority_is_within_itself_and_common_is_within_both(a in authority(), b in authority()) {
        let types = world::types();
        prop_assert!(a.is_within(&a, &types));
        let common = a.common(&b, &types);
        prop_assert!(common.is_within(&a, &types) && common.is_within(&b, &types));
        if a.is_within(&b, &types) {
            prop_assert!(a.scope.is_within(&b.scope) && a.until <= b.until && a.resources.is_subset(&b.resources));
            prop_assert!(a.is_within(&common, &types));
        }
    }

    #[test]
    fn a_name_with_a_dot_narrows_only_by_being_the_same(a in detail(), b in detail()) {
        let types = world::types();
        let [left, right] = [&a, &b].map(|d| AuthorizationDetails::parse(&json!([d]).to_string()).unwrap());
        if within(&types, &left, &right) {
            prop_assert_eq!(a.get("nested.amount"), b.get("nested.amount"));
        }
    }

    #[test]
    fn within_is_reflexive_and_transitive_for_paths(a in path(), b in path(), c in path()) {
        let types = world::types();
        prop_assert!(path_within(&types, &a, &a));
        if path_within(&types, &a, &b) && path_within(&types, &b, &c) {
            prop_assert!(path_within(&types, &a, &c), "{a:?} {b:?} {c:?}");
        }
    }

    #[test]
    fn a_path_within_another_never_leaves_it(a in path(), b in path()) {
        if a != b && path_within(&world::types(), &a, &b) {
            prop_assert!(a.starts_with(&b));
            let (inner, outer) = (resolved(&a), resolved(&b));
            prop_assert!(inner.starts_with(&outer), "{a:?} leaves {b:?}");
        }
    }

    #[test]
    fn every_plain_path_is_within_the_root_and_within_each_above_it(
        steps in proptest::collection::vec("[a-c]{1,2}", 0..5), up in 0_usize..5
    ) {
        let path = |steps: &[String]| format!("/{}", steps.join("/"));
        let types = world::types();
        let above = &steps[..up.min(steps.len())];
        prop_assert!(path_within(&types, &path(&steps), "/"));
        prop_assert!(path_within(&types, &path(&steps), &path(above)));
        prop_assert_eq!(path_within(&types, &path(above), &path(&steps)), above == steps.as_slice());
    }

    #[test]
    fn every_member_of_a_detail_is_shown_to_the_person(a in detail()) {
        let details = AuthorizationDetails::parse(&json!([a]).to_string()).unwrap();
        let detail = &details.0[0];
        let types = world::types();
        let words = &types.find(detail.type_name()).unwrap().document().words["en"];
        let shown = words.render(detail.members());
        let text = format!("{} {}", shown.sentence, shown.lines.join(" "));
        for (name, value) in detail.members().iter().filter(|(name, _)| *name != "type") {
            let leaves = match value { Value::Array(items) => items.clone(), other => vec![other.clone()] };
            for leaf in leaves.iter().filter(|leaf| !leaf.is_object()) {
                let leaf = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
                prop_assert!(text.contains(&leaf), "{name} = {leaf} is not in {text:?}");
            }
        }
    }
}

fn authority() -> impl Strategy<Value = Authority> {
    let words = proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3);
    let places = proptest::sample::subsequence(vec!["https://r1.example", "https://r2.example"], 0..=2);
    (words, places, details(), 0_i64..5).prop_map(|(words, places, details, until)| Authority {
        scope: words.join(" ").parse().unwrap(),
        details,
        resources: places.into_iter().map(|p| p.parse().unwrap()).collect::<Resources>(),
        until: NumericDate(until),
    })
}

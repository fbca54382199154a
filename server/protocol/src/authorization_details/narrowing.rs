//! How one field of an authorization detail narrows another of the same type.
//!
//! A details type registers a [`FieldRule`] per field. Fields without one follow the shape of the value: arrays
//! narrow as sets, objects member by member, everything else only by being equal. All of it fails closed: a value
//! that does not fit its rule is within nothing but its equal.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::values::{below, compare, holds, matches_glob, moment, same};

/// The rule by which a field narrows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// An array, taken as a set; the default for arrays. An empty array is within an empty one only, since
    /// a reader might take "none listed" for "all".
    Subset,
    /// The very same value, numbers by what they are worth; the default for scalars.
    Equal,
    /// A number not above the source's.
    Max,
    /// A number not below the source's.
    Min,
    /// A path or URI equal to the source's or below it on a segment border.
    Prefix,
    /// A text matched by the source's, in which `*` stands for any run of characters, `/` included.
    Glob,
    /// An RFC 3339 timestamp not after the source's.
    Before,
    /// The field does not restrict, whatever it holds.
    Any,
}

/// What it means that the source lacks a field which the request has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// The source allows no value of it: the request is refused.
    #[default]
    NotAllowed,
    /// The source leaves it open: naming it narrows.
    Unrestricted,
}

/// A field's rule, and what its absence in the source means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "WrittenRule")]
pub struct FieldRule {
    /// `None` follows the shape of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// What absence in the source means.
    pub absent: Absent,
}

/// In configuration either `"subset"` or `{ rule = "subset", absent = "unrestricted" }`.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenRule {
    Short(Rule),
    Long(LongRule),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongRule {
    #[serde(default)]
    rule: Option<Rule>,
    #[serde(default)]
    absent: Absent,
}

impl From<WrittenRule> for FieldRule {
    fn from(written: WrittenRule) -> Self {
        match written {
            WrittenRule::Short(rule) => Self { rule: Some(rule), absent: Absent::default() },
            WrittenRule::Long(LongRule { rule, absent }) => Self { rule, absent },
        }
    }
}

/// The rules of one details type, by the dotted path of the field; `arguments.*` speaks for all members of
/// `arguments` that have no rule of their own. A member whose name itself holds a dot is no path: it has the rule of all
/// members there, if there is one, and so it is for all that lies in it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Narrowing(pub BTreeMap<String, FieldRule>);

impl Narrowing {
    /// Whether every field of `request` is within the one of `source`, and `request` leaves out none that
    /// `source` restricts.
    #[must_use]
    pub fn is_within(&self, request: &Map<String, Value>, source: &Map<String, Value>) -> bool {
        self.members_within(Place::Whole, request, source)
    }

    /// The greatest object that is within both, if there is one.
    #[must_use]
    pub fn common(&self, a: &Map<String, Value>, b: &Map<String, Value>) -> Option<Map<String, Value>> {
        self.common_members(Place::Whole, a, b)
    }

    fn members_within(
        &self,
        place: Place<'_>,
        request: &Map<String, Value>,
        source: &Map<String, Value>,
    ) -> bool {
        let none_left_out = source
            .keys()
            .all(|name| request.contains_key(name) || self.rule(place, name).rule == Some(Rule::Any));
        none_left_out
            && request.iter().all(|(name, asked)| {
                let rule = self.rule(place, name);
                match source.get(name) {
                    Some(given) => {
                        let path = place.path_of(name);
                        self.value_within(Place::at(path.as_deref()), rule, asked, given)
                    }
                    None => rule.rule == Some(Rule::Any) || rule.absent == Absent::Unrestricted,
                }
            })
    }

    fn value_within(&self, place: Place<'_>, rule: FieldRule, asked: &Value, given: &Value) -> bool {
        match (rule.rule, asked, given) {
            (Some(Rule::Any), _, _) => true,
            (None, Value::Object(asked), Value::Object(given)) => self.members_within(place, asked, given),
            (None | Some(Rule::Subset), Value::Array(asked), Value::Array(given)) => {
                array_within(asked, given)
            }
            (Some(rule), Value::Array(asked), Value::Array(given)) if rule.holds_per_element() => {
                asked.is_empty() == given.is_empty()
                    && asked.iter().all(|a| given.iter().any(|g| rule.scalar_within(a, g)))
            }
            (Some(rule), asked, given) => rule.scalar_within(asked, given),
            (None, asked, given) => same(asked, given),
        }
    }

    fn common_members(
        &self,
        place: Place<'_>,
        a: &Map<String, Value>,
        b: &Map<String, Value>,
    ) -> Option<Map<String, Value>> {
        let mut common = Map::new();
        let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
        for name in names {
            let rule = self.rule(place, name);
            let value = match (a.get(name), b.get(name)) {
                (Some(a), Some(b)) => {
                    let path = place.path_of(name);
                    self.common_value(Place::at(path.as_deref()), rule, a, b)?
                }
                (Some(one), None) | (None, Some(one))
                    if rule.absent == Absent::Unrestricted || rule.rule == Some(Rule::Any) =>
                {
                    one.clone()
                }
                _ => return None,
            };
            common.insert(name.clone(), value);
        }
        Some(common)
    }

    fn common_value(&self, place: Place<'_>, rule: FieldRule, a: &Value, b: &Value) -> Option<Value> {
        match (rule.rule, a, b) {
            (None, Value::Object(a), Value::Object(b)) => self.common_members(place, a, b).map(Value::Object),
            (None | Some(Rule::Subset), Value::Array(a_items), Value::Array(b_items)) => {
                let both: Vec<_> = a_items.iter().filter_map(|a| in_both(a, b_items)).collect();
                let empty = a_items.is_empty() && b_items.is_empty();
                (empty || !both.is_empty()).then(|| Value::Array(in_stable_order(both)))
            }
            (Some(rule), Value::Array(a_items), Value::Array(b_items)) if rule.holds_per_element() => {
                let lesser = |xs: &[Value], ys: &[Value]| -> Vec<Value> {
                    xs.iter().filter(|x| ys.iter().any(|y| rule.scalar_within(x, y))).cloned().collect()
                };
                let mut both = lesser(a_items, b_items);
                both.extend(lesser(b_items, a_items));
                let empty = a_items.is_empty() && b_items.is_empty();
                (empty || !both.is_empty()).then(|| Value::Array(in_stable_order(both)))
            }
            _ if self.value_within(place, rule, a, b) && self.value_within(place, rule, b, a) => {
                Some(in_stable_order(vec![a.clone(), b.clone()]).swap_remove(0))
            }
            _ if self.value_within(place, rule, a, b) => Some(a.clone()),
            _ if self.value_within(place, rule, b, a) => Some(b.clone()),
            _ => None,
        }
    }

    fn rule(&self, place: Place<'_>, name: &str) -> FieldRule {
        let named = place.path_of(name).and_then(|path| self.0.get(&path));
        let all = || place.path_of(EVERY_MEMBER).and_then(|path| self.0.get(&path));
        named.or_else(all).copied().unwrap_or_default()
    }
}

/// The last step of a path that speaks for all members of an object.
pub(super) const EVERY_MEMBER: &str = "*";

/// Where an object stands in a detail, so far as a rule can name the place.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// It is the detail itself.
    Whole,
    /// At this path.
    At(&'a str),
    /// Within a member that no path leads to.
    Unnamed,
}

impl<'a> Place<'a> {
    fn at(path: Option<&'a str>) -> Self {
        path.map_or(Self::Unnamed, Self::At)
    }

    /// The path of a member here. None leads to a name that holds a dot, or is empty: it would read like another path.
    fn path_of(self, name: &str) -> Option<String> {
        let is_step = !name.is_empty() && !name.contains('.');
        match self {
            Self::Whole if is_step => Some(name.to_owned()),
            Self::At(path) if is_step => Some(format!("{path}.{name}")),
            Self::Whole | Self::At(_) | Self::Unnamed => None,
        }
    }
}

impl Rule {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subset => "subset",
            Self::Equal => "equal",
            Self::Max => "max",
            Self::Min => "min",
            Self::Prefix => "prefix",
            Self::Glob => "glob",
            Self::Before => "before",
            Self::Any => "any",
        }
    }

    /// Rules that, given arrays, ask of each requested element that some element of the source covers it.
    const fn holds_per_element(self) -> bool {
        matches!(self, Self::Prefix | Self::Glob)
    }

    fn scalar_within(self, asked: &Value, given: &Value) -> bool {
        match (self, asked, given) {
            (Self::Any, _, _) => true,
            (Self::Max, Value::Number(asked), Value::Number(given)) => {
                matches!(compare(asked, given), Some(Ordering::Less | Ordering::Equal))
            }
            (Self::Min, Value::Number(asked), Value::Number(given)) => {
                matches!(compare(asked, given), Some(Ordering::Greater | Ordering::Equal))
            }
            (Self::Prefix, Value::String(asked), Value::String(given)) => below(asked, given),
            (Self::Glob, Value::String(asked), Value::String(given)) => matches_glob(asked, given),
            (Self::Before, Value::String(asked), Value::String(given)) => {
                asked == given
                    || moment(asked).zip(moment(given)).is_some_and(|(asked, given)| asked <= given)
            }
            (_, asked, given) => same(asked, given),
        }
    }
}

fn array_within(asked: &[Value], given: &[Value]) -> bool {
    asked.is_empty() == given.is_empty() && asked.iter().all(|item| holds(given, item))
}

/// The item in the writing that comes first, if it is one of `items` too.
fn in_both(item: &Value, items: &[Value]) -> Option<Value> {
    let other = items.iter().find(|other| same(item, other))?;
    Some(in_stable_order(vec![item.clone(), other.clone()]).swap_remove(0))
}

/// By their JSON text and without repetition, so that a result does not depend on which side came first.
pub(super) fn in_stable_order(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by_cached_key(Value::to_string);
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn within(rule: Rule, asked: Value, given: Value) -> bool {
        let narrowing =
            Narrowing([("f".to_owned(), FieldRule { rule: Some(rule), absent: Absent::NotAllowed })].into());
        let object = |value| Map::from_iter([("f".to_owned(), value)]);
        narrowing.is_within(&object(asked), &object(given))
    }

    #[test]
    fn a_set_narrows_to_its_subsets_and_never_to_the_empty_one() {
        assert!(within(Rule::Subset, json!(["read"]), json!(["write", "read"])));
        assert!(!within(Rule::Subset, json!(["delete"]), json!(["read"])));
        assert!(!within(Rule::Subset, json!([]), json!(["read"])));
        assert!(!within(Rule::Subset, json!(["read"]), json!([])));
    }

    #[test]
    fn max_and_min_compare_large_integers_exactly() {
        assert!(within(Rule::Max, json!(10), json!(10)));
        assert!(!within(Rule::Max, json!(11), json!(10)));
        assert!(within(Rule::Min, json!(11.5), json!(10)));
        assert!(!within(Rule::Min, json!(9), json!(10)));
        assert!(!within(Rule::Max, json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64)));
        assert!(!within(Rule::Max, json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0)));
        assert!(!within(Rule::Max, json!("1"), json!(10)));
        assert!(within(Rule::Max, json!(1.5), json!(9_007_199_254_740_993_u64)));
        for rule in [Rule::Max, Rule::Min] {
            for odd in [json!(null), json!("9"), json!([9]), json!({}), json!(true)] {
                assert!(
                    !within(rule, odd.clone(), json!(9)) && !within(rule, json!(9), odd.clone()),
                    "{odd}"
                );
                assert!(within(rule, odd.clone(), odd), "{rule:?}");
            }
        }
    }

    #[test]
    fn a_set_is_one_however_often_it_says_a_thing_and_however_it_writes_a_number() {
        assert!(within(Rule::Subset, json!(["r", "r"]), json!(["r"])));
        assert!(within(Rule::Subset, json!([1.0]), json!([1, 2])));
        assert!(!within(Rule::Subset, json!(["1"]), json!([1, 2])));
        assert!(!within(Rule::Subset, json!([null]), json!(["r"])));
        assert!(within(Rule::Equal, json!(1.0), json!(1)) && !within(Rule::Equal, json!([1, 1]), json!([1])));
        assert_eq!(common(None, json!([1.0, 3]), json!([1, 2])), Some(json!([1])));
    }

    #[test]
    fn a_prefix_ends_at_a_segment_border() {
        assert!(within(Rule::Prefix, json!("/repos/a/b"), json!("/repos/a")));
        assert!(within(Rule::Prefix, json!("/repos/a/b"), json!("/repos/a/")));
        assert!(!within(Rule::Prefix, json!("/repos/ab"), json!("/repos/a")));
        assert!(!within(Rule::Prefix, json!("/repos"), json!("/repos/a")));
        assert!(!within(Rule::Prefix, json!("/a"), json!("")));
        assert!(within(Rule::Prefix, json!("https://h/x/y"), json!("https://h/x")));
    }

    #[test]
    fn a_prefix_is_not_left_by_dots_or_encodings() {
        for asked in ["/a/../b", "/a/./b", "/a//b", "/a/%2e%2e/b", "/a/\\..\\b", "/a/b?x=/../..", "/a/b/.."] {
            assert!(!within(Rule::Prefix, json!(asked), json!("/a")), "{asked}");
        }
    }

    #[test]
    fn what_some_reader_takes_for_a_border_or_a_dot_is_covered_by_its_equal_alone() {
        for asked in [
            "/repos/mine/../../etc/secret://x",
            "/repos/mine/a://b/../c",
            "/repos/mine/..;/other",
            "/repos/mine/\u{ff0e}\u{ff0e}/other",
            "/repos/mine/\u{2024}\u{2024}/other",
            "/repos/mine/\u{2025}/other",
            "/repos/mine/.\t./other",
            "/repos/mine/..?x",
            "/repos/mine/..#x",
        ] {
            assert!(!within(Rule::Prefix, json!(asked), json!("/repos/mine")), "{asked:?}");
            assert!(!within(Rule::Glob, json!(asked), json!("/repos/mine/*")), "{asked:?}");
            for rule in [Rule::Prefix, Rule::Glob] {
                assert!(within(rule, json!(asked), json!(asked)), "{asked:?}");
            }
        }
        assert!(within(Rule::Prefix, json!("https://api.example/a/b"), json!("https://api.example/a")));
        assert!(within(Rule::Prefix, json!("/Ordner/Übung/1"), json!("/Ordner/Übung")));
    }

    #[test]
    fn before_compares_to_the_fraction_and_takes_a_leap_second_for_nothing_else() {
        let before = |asked: &str, given: &str| within(Rule::Before, json!(asked), json!(given));
        assert!(before("2026-01-01T00:00:59.5Z", "2026-01-01T01:01:00+01:00"));
        assert!(!before("2026-01-01T00:00:59.9Z", "2026-01-01T00:00:59Z"));
        assert!(!before("2026-12-31T23:59:60Z", "2026-12-31T23:59:59Z"));
        assert!(before("2026-12-31T23:59:60Z", "2026-12-31T23:59:60Z"));
    }

    #[test]
    fn a_glob_covers_narrower_globs_and_texts() {
        assert!(within(Rule::Glob, json!("secret/data/app/db"), json!("secret/data/*")));
        assert!(within(Rule::Glob, json!("secret/data/app/*"), json!("secret/data/*")));
        assert!(within(Rule::Glob, json!("abc"), json!("a*c*")));
        assert!(!within(Rule::Glob, json!("secret/*"), json!("secret/data/*")));
        assert!(!within(Rule::Glob, json!("secret/data"), json!("secret/data/*")));
        assert!(!within(Rule::Glob, json!("secret/data/../admin"), json!("secret/data/*")));
        assert!(!within(Rule::Glob, json!("xyz"), json!("x")));
    }

    #[test]
    fn prefix_and_glob_hold_for_each_element_of_an_array() {
        assert!(within(Rule::Prefix, json!(["/a/x", "/b"]), json!(["/a", "/b"])));
        assert!(!within(Rule::Prefix, json!(["/a/x", "/c"]), json!(["/a", "/b"])));
        assert!(!within(Rule::Glob, json!([]), json!(["*"])));
    }

    #[test]
    fn rules_for_one_value_do_not_reach_into_arrays() {
        for (rule, less, more) in [
            (Rule::Max, json!([1]), json!([2])),
            (Rule::Min, json!([2]), json!([1])),
            (Rule::Before, json!(["2026-01-01T00:00:00Z"]), json!(["2027-01-01T00:00:00Z"])),
            (Rule::Equal, json!(["a"]), json!(["a", "b"])),
        ] {
            assert!(!within(rule, less, more.clone()), "{rule:?}");
            assert!(within(rule, more.clone(), more), "{rule:?}");
        }
    }

    #[test]
    fn a_timestamp_narrows_to_earlier_ones_across_offsets() {
        assert!(within(Rule::Before, json!("2026-01-01T00:00:00+01:00"), json!("2026-01-01T00:00:00Z")));
        assert!(!within(Rule::Before, json!("2026-01-01T00:00:01Z"), json!("2026-01-01T00:00:00Z")));
        assert!(!within(Rule::Before, json!("soon"), json!("2026-01-01T00:00:00Z")));
    }

    #[test]
    fn texts_are_compared_code_point_by_code_point() {
        assert!(!within(Rule::Equal, json!("e\u{301}"), json!("\u{e9}")));
    }

    #[test]
    fn objects_without_a_rule_narrow_member_by_member() {
        let narrowing: Narrowing = serde_json::from_value(
            json!({"arguments.*": {"absent": "unrestricted"}, "arguments.amount": "max"}),
        )
        .unwrap();
        let object = |arguments: Value| Map::from_iter([("arguments".to_owned(), arguments)]);
        let given = object(json!({"amount": 10, "currency": ["EUR", "USD"]}));
        assert!(narrowing.is_within(&object(json!({"amount": 9, "currency": ["EUR"], "note": "x"})), &given));
        assert!(!narrowing.is_within(&object(json!({"amount": 11, "currency": ["EUR"]})), &given));
        assert!(
            !narrowing.is_within(&object(json!({"amount": 9})), &given),
            "left out what the source restricts"
        );
    }

    #[test]
    fn a_name_with_a_dot_is_never_taken_for_a_path() {
        let narrowing: Narrowing =
            serde_json::from_value(json!({"x": "equal", "x.a": "any", "y.a": "any", "y.z.b": "any"}))
                .unwrap();
        let object = |value: Value| value.as_object().unwrap().clone();
        let within = |asked: Value, given: Value| narrowing.is_within(&object(asked), &object(given));
        for (asked, given) in [
            (json!({"x.a": 999}), json!({"x.a": 1})),
            (json!({}), json!({"x.a": 1})),
            (json!({"x.a": 1}), json!({})),
            // Nor does what lies in one, and an empty name is no step either.
            (json!({"y": {"z.b": 2}}), json!({"y": {"z.b": 1}})),
            (json!({"y.z": {"b": 2}}), json!({"y.z": {"b": 1}})),
            (json!({"": {"y": {"a": 2}}}), json!({"": {"y": {"a": 1}}})),
            (json!({"y": {"": {"a": 2}}}), json!({"y": {"": {"a": 1}}})),
        ] {
            assert!(!within(asked.clone(), given.clone()), "{asked} {given}");
            assert!(within(given.clone(), given.clone()), "{given}");
            let common = narrowing.common(&object(asked.clone()), &object(given.clone()));
            assert_eq!(common, None, "{asked} {given}");
        }
        assert!(within(json!({"y": {"a": 2}}), json!({"y": {"a": 1}})), "that is the path");
        assert!(within(json!({"y": {"z": {"b": 2}}}), json!({"y": {"z": {"b": 1}}})));
        assert!(within(json!({"x.a": ["r"]}), json!({"x.a": ["r", "w"]})), "lists are sets by default");
    }

    #[test]
    fn the_rule_of_all_members_is_theirs_whatever_their_names() {
        let narrowing: Narrowing =
            serde_json::from_value(json!({"limits.*": "max", "limits.cpu.cores": "any"})).unwrap();
        let limits = |value: Value| Map::from_iter([("limits".to_owned(), value)]);
        assert!(narrowing.is_within(&limits(json!({"cpu.cores": 2})), &limits(json!({"cpu.cores": 4}))));
        assert!(!narrowing.is_within(&limits(json!({"cpu.cores": 5})), &limits(json!({"cpu.cores": 4}))));
    }

    #[test]
    fn a_field_the_source_lacks_is_refused_unless_its_type_leaves_it_open() {
        let open: Narrowing =
            serde_json::from_value(json!({"f": {"rule": "max", "absent": "unrestricted"}})).unwrap();
        let asked = Map::from_iter([("f".to_owned(), json!(1))]);
        assert!(open.is_within(&asked, &Map::new()));
        assert!(!Narrowing::default().is_within(&asked, &Map::new()));
    }

    fn common(rule: Option<Rule>, a: Value, b: Value) -> Option<Value> {
        let narrowing = Narrowing([("f".to_owned(), FieldRule { rule, absent: Absent::NotAllowed })].into());
        let object = |value: &Value| Map::from_iter([("f".to_owned(), value.clone())]);
        let ab = narrowing.common(&object(&a), &object(&b)).map(|common| common["f"].clone());
        let ba = narrowing.common(&object(&b), &object(&a)).map(|common| common["f"].clone());
        assert_eq!(ab, ba, "it is the same text from both sides");
        ab
    }

    #[test]
    fn common_to_two_lists_is_what_both_hold() {
        for rule in [None, Some(Rule::Subset)] {
            assert_eq!(common(rule, json!(["r", "w"]), json!(["d", "w"])), Some(json!(["w"])));
            assert_eq!(common(rule, json!(["r"]), json!(["d"])), None);
            assert_eq!(common(rule, json!([]), json!([])), Some(json!([])));
            assert_eq!(common(rule, json!([]), json!(["d"])), None);
        }
    }

    #[test]
    fn common_to_two_lists_of_paths_is_the_longer_of_each_pair() {
        let (a, b) = (json!(["/a", "/b/x", "/c"]), json!(["/a/y", "/b", "/d"]));
        assert_eq!(common(Some(Rule::Prefix), a, b), Some(json!(["/a/y", "/b/x"])));
        assert_eq!(common(Some(Rule::Glob), json!(["a/*"]), json!(["*/b", "a/c"])), Some(json!(["a/c"])));
        assert_eq!(common(Some(Rule::Prefix), json!(["/a"]), json!(["/b"])), None);
        assert_eq!(common(Some(Rule::Prefix), json!([]), json!([])), Some(json!([])));
    }

    #[test]
    fn common_to_two_lists_under_a_rule_for_one_value_is_their_equal_or_nothing() {
        assert_eq!(common(Some(Rule::Max), json!([1, 2]), json!([2, 3])), None);
        assert_eq!(common(Some(Rule::Max), json!([1, 2]), json!([1, 2])), Some(json!([1, 2])));
    }

    #[test]
    fn common_to_two_objects_is_common_member_by_member() {
        let narrowing: Narrowing = serde_json::from_value(json!({"o.amount": "max"})).unwrap();
        let object = |o: Value| Map::from_iter([("o".to_owned(), o)]);
        let (a, b) = (json!({"amount": 3, "to": ["x", "y"]}), json!({"amount": 5, "to": ["y", "z"]}));
        let both = narrowing.common(&object(a), &object(b));
        assert_eq!(both, Some(object(json!({"amount": 3, "to": ["y"]}))));
    }

    #[test]
    fn two_writings_of_one_moment_have_one_in_common() {
        let (a, b) = (json!("2026-01-01T00:00:00Z"), json!("2026-01-01T01:00:00+01:00"));
        assert!(common(Some(Rule::Before), a, b).is_some());
    }
}

//! One value within another: numbers, moments, paths and patterns, each compared so that no reader can take the lesser one
//! for more. What does not fit is within nothing.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Whether both say the same. Numbers do by their value: `1` and `1.0` are one number, however they are written. Texts do
/// code point by code point, lists in their order, and objects member by member.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Whether one of `values` says the same.
pub(super) fn holds(values: &[Value], value: &Value) -> bool {
    values.iter().any(|known| same(known, value))
}

/// A moment to the fraction of a second, or none: a leap second, which is no moment of its own, is only like itself.
pub(super) fn moment(text: &str) -> Option<time::OffsetDateTime> {
    let leap = text.get(17..19) == Some("60");
    time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok().filter(|_| !leap)
}

/// By what they are worth, exactly: an integer beyond what floating point holds is not rounded to be compared.
pub(super) fn compare(a: &Number, b: &Number) -> Option<Ordering> {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        (Some(a), None) => b.as_f64().map(|b| integer_beside(a, b)),
        (None, Some(b)) => a.as_f64().map(|a| integer_beside(b, a).reverse()),
        (None, None) => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn integer(n: &Number) -> Option<i128> {
    n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from))
}

/// JSON's numbers are finite. What is cut off where a float is larger than any of these integers leaves it larger.
fn integer_beside(integer: i128, float: f64) -> Ordering {
    let whole = float.trunc();
    integer.cmp(&(whole as i128)).then_with(|| whole.total_cmp(&float))
}

/// Equal, or below on a segment border. Where either has a segment that a reader may resolve or decode to
/// something else (`..`, `.`, an empty one, `%`-encoding, a backslash), only equality counts.
pub(super) fn below(asked: &str, given: &str) -> bool {
    if asked == given {
        return true;
    }
    let border = given.ends_with('/') || asked.get(given.len()..).is_some_and(|rest| rest.starts_with('/'));
    asked.starts_with(given) && border && !given.is_empty() && is_plain(asked) && is_plain(given)
}

/// Whether every reader reads the same path in it: a scheme, if there is one, and segments; or the root, which has none.
fn is_plain(path: &str) -> bool {
    let behind = without_scheme(path);
    // What begins with two of them is an authority to some readers, and a path to others.
    let segments = behind.strip_prefix('/').unwrap_or(behind);
    let segments = segments.strip_suffix('/').unwrap_or(segments);
    path == "/"
        || (!path.contains(is_odd) && segments.split('/').all(|segment| !matches!(segment, "" | "." | "..")))
}

/// What stands behind `scheme://` (RFC 3986 §3.1); elsewhere `://` is nothing but three characters.
fn without_scheme(path: &str) -> &str {
    let is_scheme = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    path.split_once("://").filter(|(name, _)| is_scheme(name)).map_or(path, |(_, rest)| rest)
}

/// What some reader takes for a border, a dot or nothing at all: encodings, backslashes, queries, fragments, parameters of
/// segments, control characters, and the wide and small forms of `.`, `/`, `\` and `%` that normalization makes plain.
fn is_odd(c: char) -> bool {
    matches!(c, '%' | '\\' | '?' | '#' | ';')
        || matches!(
            c,
            '\u{2024}'
                ..='\u{2026}' | '\u{2044}' | '\u{2215}' | '\u{fe19}' | '\u{fe30}' | '\u{fe52}' | '\u{fe68}'
        )
        || matches!(
            c,
            '\u{fe6a}' | '\u{ff05}' | '\u{ff0e}' | '\u{ff0f}' | '\u{ff3c}' | '\u{ff61}' | '\u{3002}'
        )
        || c.is_control()
}

/// Whether `pattern` covers `text`. A `*` of `text` is covered only by a `*` of `pattern`, so that a narrower
/// pattern is within a wider one; a text with dot segments, or with what a reader may take for something else, is
/// covered by its equal only.
pub(super) fn matches_glob(text: &str, pattern: &str) -> bool {
    if text == pattern {
        return true;
    }
    if text.split('/').any(|segment| matches!(segment, "." | "..")) || text.contains(is_odd) {
        return false;
    }
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let (mut t, mut p) = (0, 0);
    let mut last_star = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            last_star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == text.get(t) {
            p += 1;
            t += 1;
        } else if let Some((star, taken)) = last_star {
            last_star = Some((star, taken + 1));
            p = star + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|&c| c == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_number_is_what_it_is_worth_however_it_is_written() {
        for (a, b) in [
            ("1", "1.0"),
            ("0", "-0"),
            ("-0.0", "0"),
            ("100", "1e2"),
            ("1152921504606846976", "1152921504606846976.0"),
        ] {
            let (a, b): (Value, Value) = (a.parse().unwrap(), b.parse().unwrap());
            assert!(same(&a, &b) && same(&b, &a), "{a} {b}");
            assert!(same(&json!([{"x": [a]}]), &json!([{"x": [b]}])));
        }
        for (a, b) in [
            ("1", "1.5"),
            ("-1", "1"),
            ("9007199254740993", "9007199254740992.0"),
            ("1", "\"1\""),
            ("0", "null"),
            ("0", "false"),
        ] {
            let (a, b): (Value, Value) = (a.parse().unwrap(), b.parse().unwrap());
            assert!(!same(&a, &b) && !same(&b, &a), "{a} {b}");
        }
        assert!(!same(&json!([1, 2]), &json!([2, 1])) && !same(&json!([1]), &json!([1, 1])));
        assert!(same(&json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1.0})));
        assert!(
            !same(&json!({"a": 1}), &json!({"a": 1, "b": 2})) && !same(&json!({"a": 1}), &json!({"b": 1}))
        );
    }

    #[test]
    fn numbers_of_every_size_stand_in_one_order() {
        let rising = [
            "-1e300",
            "-9223372036854775808",
            "-9007199254740993",
            "-9007199254740992.0",
            "-2",
            "-1.5",
            "-1",
            "-0.5",
            "0",
            "1e-300",
            "0.5",
            "1",
            "1.5",
            "9007199254740992.0",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "1e300",
        ];
        let numbers: Vec<Number> = rising.iter().map(|n| n.parse().unwrap()).collect();
        for (i, a) in numbers.iter().enumerate() {
            for (j, b) in numbers.iter().enumerate() {
                assert_eq!(compare(a, b), Some(i.cmp(&j)), "{a} {b}");
            }
        }
        assert!("1e400".parse::<Value>().is_err(), "what no number holds is none");
    }

    #[test]
    fn everything_plain_is_below_the_root_and_nothing_else_is() {
        for asked in ["/", "/a", "/a/", "/a/b", "/\u{dc}bung"] {
            assert!(below(asked, "/"), "{asked}");
        }
        for asked in [
            "",
            "a",
            "//",
            "//a",
            "/a//b",
            "/..",
            "/../a",
            "/./a",
            "/a/..",
            "/%61",
            "/a?b",
            "https://a",
            "\\a",
        ] {
            assert!(!below(asked, "/"), "{asked}");
        }
        assert!(!below("/", "/a") && !below("//a/b", "//a") && below("//a", "//a"));
    }
}

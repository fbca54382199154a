//! From merged layers to types, telling every key that does not fit and not only the first.

use figment::error::{Actual, Kind};
use figment::value::{Dict, Value};
use serde::de::DeserializeOwned;

use super::layers::Layers;
use super::problem::Problems;

/// Reads a table. What does not fit is told, set aside, and the rest read again; so a type with defaults for all
/// its keys is always read. The flag says whether everything fitted.
pub(super) fn table<T: DeserializeOwned>(
    layers: &Layers,
    prefix: &str,
    written: &Dict,
    problems: &mut Problems,
) -> (Option<T>, bool) {
    let mut rest = written.clone();
    let mut all_fits = true;
    loop {
        let error = match Value::from(rest.clone()).deserialize::<T>() {
            Ok(read) => return (Some(read), all_fits),
            Err(error) => error,
        };
        let mut path = error.path.clone();
        let told_before = matches!(&error.kind, Kind::MissingField(name)
            if find(written, &error.path).is_some_and(|table| table.contains_key(name.as_ref())));
        if let Kind::MissingField(name) = &error.kind {
            path.push(name.to_string());
        }
        let key = key(prefix, &path);
        if !told_before {
            let value = value_at(written, &path);
            let origin = value.and_then(|value| layers.origin(value.tag(), &key));
            let (source, key) = origin.unwrap_or_else(|| (problems.source.clone(), key));
            problems.add_from(source, key, reason(&error));
        }
        all_fits = false;
        if !set_aside(&mut rest, &error.path) {
            return (None, false);
        }
    }
}

/// Reads an array of tables; each with its key, such as `users[0]`.
pub(super) fn section<T: DeserializeOwned>(
    layers: &Layers,
    name: &str,
    problems: &mut Problems,
) -> Vec<(String, T)> {
    let mut read = Vec::new();
    for (key, value) in entries(&layers.root, name) {
        let Some(written) = value.as_dict() else {
            problems.add(key, "must be a table");
            continue;
        };
        if let (Some(thing), true) = table(layers, &key, written, problems) {
            read.push((key, thing));
        }
    }
    read
}

/// As [`section`], where the keys of a table belong to two types: those that `B` knows to it, all others to `A`.
pub(super) fn section_of_two<A: DeserializeOwned, B: DeserializeOwned>(
    layers: &Layers,
    name: &str,
    problems: &mut Problems,
) -> Vec<(String, A, B)> {
    let of_b = keys_of::<B>();
    let mut read = Vec::new();
    for (key, value) in entries(&layers.root, name) {
        let Some(written) = value.as_dict() else {
            problems.add(key, "must be a table");
            continue;
        };
        let (b, a): (Dict, Dict) =
            written.clone().into_iter().partition(|(name, _)| of_b.contains(&name.as_str()));
        let a = table(layers, &key, &a, problems);
        let b = table(layers, &key, &b, problems);
        if let ((Some(a), true), (Some(b), true)) = (a, b) {
            read.push((key, a, b));
        }
    }
    read
}

/// The keys that a table may have, as its type itself tells them: it must have `deny_unknown_fields`.
pub(super) fn keys_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let probe = Value::from(Dict::from([("?".to_owned(), Value::from("?"))]));
    match probe.deserialize::<T>() {
        Err(figment::Error { kind: Kind::UnknownField(_, known), .. }) => known,
        _ => &[],
    }
}

/// The entries of an array as they are written, each with its key.
pub(super) fn entries<'a>(root: &'a Dict, name: &'a str) -> impl Iterator<Item = (String, &'a Value)> {
    let items = root.get(name).and_then(Value::as_array).unwrap_or_default();
    items.iter().enumerate().map(move |(i, value)| (format!("{name}[{i}]"), value))
}

/// `clients[0]` and `["jwks", "keys", "1"]` as `clients[0].jwks.keys[1]`.
fn key(prefix: &str, path: &[String]) -> String {
    let mut key = prefix.to_owned();
    for part in path {
        if !key.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) {
            key.push_str(&format!("[{part}]"));
            continue;
        }
        if !key.is_empty() {
            key.push('.');
        }
        let bare = !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && b != b'.');
        key.push_str(&if bare { part.clone() } else { format!("{part:?}") });
    }
    key
}

fn find<'a>(written: &'a Dict, path: &[String]) -> Option<&'a Dict> {
    path.iter().try_fold(written, |table, part| table.get(part)?.as_dict())
}

/// The value at the path, or the last one on the way.
fn value_at<'a>(written: &'a Dict, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let value = written.get(first)?;
    value.as_dict().and_then(|inner| value_at(inner, rest)).or(Some(value))
}

/// Removes the innermost key on the path that stands in a table; says whether there was one.
fn set_aside(rest: &mut Dict, path: &[String]) -> bool {
    let Some((first, deeper)) = path.split_first() else { return false };
    if let Some(Value::Dict(_, inner)) = rest.get_mut(first)
        && set_aside(inner, deeper)
    {
        return true;
    }
    rest.remove(first).is_some()
}

/// Why a value does not fit, without the value.
pub(super) fn reason(error: &figment::Error) -> String {
    match &error.kind {
        Kind::Message(text) if text.starts_with("data did not match any variant") => {
            "is not written in any form that is known here".into()
        }
        Kind::Message(text) => text.clone(),
        Kind::InvalidType(actual, expected) => {
            format!("must be {}, not {}", plain(expected), type_of(actual))
        }
        Kind::InvalidValue(_, expected) => format!("must be {}", plain(expected)),
        Kind::InvalidLength(length, expected) => format!("must be {expected}, not {length} values"),
        Kind::UnknownVariant(_, known) => format!("must be one of {}", list(known)),
        Kind::UnknownField(_, known) => format!("there is no such key; known here are {}", list(known)),
        Kind::MissingField(_) => "is missing".into(),
        Kind::DuplicateField(_) => "stands here twice".into(),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => "is too large a number".into(),
        Kind::Unsupported(actual) => format!("must not be {}", type_of(actual)),
        Kind::UnsupportedKey(_, expected) => format!("the key must be {expected}"),
    }
}

/// The place and the message of a TOML syntax error, without the line itself.
pub(super) fn syntax(error: &figment::Error) -> (String, String) {
    let text = match &error.kind {
        Kind::Message(text) => text.as_str(),
        _ => return ("(whole file)".into(), reason(error)),
    };
    let mut lines = text.lines();
    let place = lines.next().and_then(|first| first.strip_prefix("TOML parse error at ")).map(str::to_owned);
    let message: Vec<_> = lines.filter(|line| !line.contains('|')).map(str::trim).collect();
    (place.unwrap_or_else(|| "(whole file)".into()), message.join(" ").trim().to_owned())
}

fn list(known: &[&str]) -> String {
    known.join(", ")
}

/// What serde expects, without our own type names.
fn plain(expected: &str) -> String {
    match expected.split_once(' ') {
        Some(("struct", _)) => "a table".into(),
        _ if expected == "a sequence" => "a list".into(),
        _ if expected == "a map" => "a table".into(),
        _ if expected.starts_with("a nonzero") => "a number above 0".into(),
        _ => match expected {
            "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0".into(),
            "i64" => "a whole number".into(),
            other => other.to_owned(),
        },
    }
}

const fn type_of(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "this",
    }
}

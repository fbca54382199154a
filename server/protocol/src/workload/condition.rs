//! Conditions on the claims of a workload token: what must be there, and what it must be. They fail closed. A claim that
//! is missing, or of another kind than the condition speaks of, does not fit; and a list is no value.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest pattern, and the longest text that is held against one, in bytes.
const LONGEST: usize = 2048;
/// What `*` stops at: the characters that platforms divide their names with.
pub(super) const DIVIDERS: [char; 2] = ['/', ':'];

/// What one claim must be.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// This text, number or truth value, and nothing else.
    Equal(Value),
    /// One of these.
    OneOf(Vec<Value>),
    /// A text that fits this pattern.
    Glob(Glob),
}

impl Condition {
    /// Whether a claim of this value fits; none, where the claim is not there.
    #[must_use]
    pub fn fits(&self, claim: Option<&Value>) -> bool {
        let Some(claim) = claim.filter(|claim| is_scalar(claim)) else { return false };
        match self {
            Self::Equal(value) => value == claim,
            Self::OneOf(values) => values.contains(claim),
            Self::Glob(glob) => claim.as_str().is_some_and(|text| glob.fits(text)),
        }
    }
}

/// Whether it is a text, a number or a truth value: what a condition can name.
#[must_use]
pub const fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_))
}

/// The claim of this name. A name that begins with `/` is a path into the claims (RFC 6901).
#[must_use]
pub fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    match name.strip_prefix('/') {
        None => claims.get(name),
        Some(path) => {
            let (first, rest) =
                path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
            let member = claims.get(&unescaped(first))?;
            match rest {
                None => Some(member),
                Some(rest) => member.pointer(&format!("/{rest}")),
            }
        }
    }
}

/// A token of a JSON pointer, without its escapes (RFC 6901 §4).
fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// A pattern for a text. `*` stands for one or more characters up to the next `/` or `:`, so that it never reaches from
/// one part of a name into the next; `**` stands for one or more characters of any kind. Everything else stands for
/// itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Glob(Box<str>);

/// Why a text is no pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAGlob {
    /// Empty, or much too long.
    #[error("a glob must be 1 to 2048 bytes")]
    Length,
    /// There is nothing in it that stands for something else.
    #[error("a glob without * is an exact value; write it without glob")]
    Exact,
    /// Everything in it stands for anything.
    #[error("a glob of nothing but * would fit anything")]
    Anything,
    /// Three stars in a row.
    #[error("a glob has * or **, never more of them in a row")]
    Stars,
}

impl FromStr for Glob {
    type Err = NotAGlob;

    fn from_str(text: &str) -> Result<Self, NotAGlob> {
        if text.is_empty() || text.len() > LONGEST {
            return Err(NotAGlob::Length);
        }
        if !text.contains('*') {
            return Err(NotAGlob::Exact);
        }
        if text.contains("***") {
            return Err(NotAGlob::Stars);
        }
        if text.chars().all(|c| c == '*') {
            return Err(NotAGlob::Anything);
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for Glob {
    type Error = NotAGlob;

    fn try_from(text: String) -> Result<Self, NotAGlob> {
        text.parse()
    }
}

impl From<Glob> for String {
    fn from(glob: Glob) -> Self {
        glob.0.into()
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A piece of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    One(char),
    /// At least one character that divides nothing.
    Star,
    /// At least one character.
    Stars,
}

impl Glob {
    /// Whether the whole of `text` fits. It takes time in proportion to both lengths, whatever they hold.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        if text.len() > LONGEST {
            return false;
        }
        let pieces = self.pieces();
        // Where in the pattern one may be after what was read: `begun[i]` says that piece `i` has had a character.
        let mut before = vec![false; pieces.len() + 1];
        let mut begun = vec![false; pieces.len()];
        before[0] = true;
        for c in text.chars() {
            let mut next_before = vec![false; pieces.len() + 1];
            let mut next_begun = vec![false; pieces.len()];
            for (i, piece) in pieces.iter().enumerate() {
                if !(before[i] || begun[i]) {
                    continue;
                }
                let takes = match piece {
                    Piece::One(own) => *own == c,
                    Piece::Star => !DIVIDERS.contains(&c),
                    Piece::Stars => true,
                };
                if takes {
                    next_before[i + 1] = true;
                    next_begun[i] = !matches!(piece, Piece::One(_));
                }
            }
            before = next_before;
            begun = next_begun;
        }
        before[pieces.len()]
    }

    pub(super) fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = self.0.chars().peekable();
        while let Some(c) = rest.next() {
            pieces.push(match c {
                '*' if rest.next_if_eq(&'*').is_some() => Piece::Stars,
                '*' => Piece::Star,
                own => Piece::One(own),
            });
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn glob(text: &str) -> Glob {
        text.parse().unwrap()
    }

    #[test]
    fn a_star_stays_within_its_part_and_two_reach_across() {
        for (pattern, fits, not) in [
            (
                "repo:acme/*:ref:refs/heads/main",
                "repo:acme/app:ref:refs/heads/main",
                "repo:acme/x:environment:y:ref:refs/heads/main",
            ),
            ("refs/heads/*", "refs/heads/main", "refs/heads/feature/x"),
            ("refs/heads/*", "refs/heads/v1.2", "refs/heads/"),
            ("refs/heads/**", "refs/heads/feature/x", "refs/heads/"),
            ("a*b*c", "axbxbxc", "axbx:c"),
            ("*-prod", "eu-prod", "eu/x-prod"),
            ("**/main", "a/b:c/main", "main"),
        ] {
            assert!(glob(pattern).fits(fits), "{pattern} {fits}");
            assert!(!glob(pattern).fits(not), "{pattern} {not}");
        }
    }

    #[test]
    fn nothing_but_the_star_stands_for_anything_else() {
        assert!(glob("a?[b]\\*").fits("a?[b]\\x"));
        assert!(!glob("a?[b]\\*").fits("axb\\x"));
        assert!(!glob("a*").fits("A1"), "letters are what they are");
        assert!(!glob("a*").fits("xa1") && !glob("*a").fits("1ax"), "the whole text must fit");
    }

    #[test]
    fn a_pattern_that_says_nothing_is_none() {
        for (text, reason) in [
            ("", NotAGlob::Length),
            ("main", NotAGlob::Exact),
            ("*", NotAGlob::Anything),
            ("**", NotAGlob::Anything),
            ("a***", NotAGlob::Stars),
            (&format!("*{}", "x".repeat(2048)), NotAGlob::Length),
        ] {
            assert_eq!(text.parse::<Glob>(), Err(reason), "{text}");
        }
    }

    #[test]
    fn a_claim_is_what_the_condition_says_or_it_does_not_fit() {
        let equal = Condition::Equal(json!("main"));
        let one_of = Condition::OneOf(vec![json!("a"), json!(7)]);
        let like = Condition::Glob(glob("m*"));
        assert!(equal.fits(Some(&json!("main"))) && like.fits(Some(&json!("main"))));
        assert!(one_of.fits(Some(&json!("a"))) && one_of.fits(Some(&json!(7))));
        for not in [json!("Main"), json!(["main"]), json!({"main": 1}), json!(null), json!(""), json!("7")] {
            for condition in [&equal, &one_of, &like] {
                assert!(!condition.fits(Some(&not)), "{condition:?} {not}");
                assert!(!condition.fits(None));
            }
        }
        // Not even where the condition itself says so.
        assert!(!Condition::Equal(json!(null)).fits(Some(&json!(null))));
        assert!(!Condition::Equal(json!(["a"])).fits(Some(&json!(["a"]))));
    }

    #[test]
    fn a_name_that_begins_with_a_slash_is_a_path() {
        let claims = json!({"kubernetes.io": {"pod": {"uid": "u"}}, "a/b": 1, "/x": 2, "l": ["e"]});
        let claims = claims.as_object().unwrap();
        assert_eq!(find(claims, "/kubernetes.io/pod/uid"), Some(&json!("u")));
        assert_eq!((find(claims, "a/b"), find(claims, "/a~1b")), (Some(&json!(1)), Some(&json!(1))));
        assert_eq!((find(claims, "kubernetes.io/pod"), find(claims, "/kubernetes.io/x")), (None, None));
        assert_eq!((find(claims, "/~1x"), find(claims, "/l/0")), (Some(&json!(2)), Some(&json!("e"))));
        assert_eq!(find(claims, "/"), None);
    }
}

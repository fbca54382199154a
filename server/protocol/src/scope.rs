//! `scope` (RFC 6749 §3.3): a set of case-sensitive words, printed in one stable order.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::refusal::{ErrorCode, Refuse};

/// A set of scope tokens; may be empty. `scope` in a JWT is one string (RFC 8693 §4.2).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(BTreeSet<ScopeToken>);

/// One word of a scope: `1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopeToken(Box<str>);

/// Why a text is no scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidScope {
    /// A character outside RFC 6749 §3.3.
    #[error("scope holds a character that RFC 6749 section 3.3 does not allow")]
    Character,
    /// More than [`MOST_TOKENS`] words or a word above [`LONGEST_TOKEN`].
    #[error("scope is too long")]
    TooLong,
}

impl Refuse for InvalidScope {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidScope
    }
}

/// The most words in one scope.
pub const MOST_TOKENS: usize = 100;
/// The longest word, in characters.
pub const LONGEST_TOKEN: usize = 200;

impl Scope {
    /// The scope without any word.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The scope of one word.
    #[must_use]
    pub fn of(word: ScopeToken) -> Self {
        Self(BTreeSet::from([word]))
    }

    /// Whether no word is in it. An empty scope permits nothing; it never stands for everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every word of this scope is one of `other`.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The words that both have.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// The words of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// The words of this scope that `other` lacks.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    /// Whether `word` is in it, case-sensitively.
    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.0.iter().any(|token| token.as_str() == word)
    }

    /// The words in their stable (code point) order.
    pub fn iter(&self) -> impl Iterator<Item = &ScopeToken> {
        self.0.iter()
    }
}

impl ScopeToken {
    /// The word as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ScopeToken {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        if text.len() > LONGEST_TOKEN {
            return Err(InvalidScope::TooLong);
        }
        let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if text.is_empty() || !text.bytes().all(allowed) {
            return Err(InvalidScope::Character);
        }
        Ok(Self(text.into()))
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    /// Words are divided by single spaces; leading, trailing and doubled spaces are tolerated as empty words.
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let tokens: BTreeSet<_> =
            text.split(' ').filter(|t| !t.is_empty()).map(str::parse).collect::<Result<_, _>>()?;
        if tokens.len() > MOST_TOKENS { Err(InvalidScope::TooLong) } else { Ok(Self(tokens)) }
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;
    fn try_from(text: String) -> Result<Self, InvalidScope> {
        text.parse()
    }
}

impl TryFrom<String> for ScopeToken {
    type Error = InvalidScope;
    fn try_from(text: String) -> Result<Self, InvalidScope> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl From<ScopeToken> for String {
    fn from(token: ScopeToken) -> Self {
        token.0.into()
    }
}

impl FromIterator<ScopeToken> for Scope {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(tokens: I) -> Self {
        Self(tokens.into_iter().collect())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, token) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Display for ScopeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn an_empty_scope_is_within_everything_and_nothing_is_within_it() {
        assert!(Scope::empty().is_within(&scope("read")));
        assert!(!scope("read").is_within(&Scope::empty()));
    }

    #[test]
    fn scope_words_are_case_sensitive() {
        assert!(!scope("READ").is_within(&scope("read")));
    }

    #[test]
    fn quotes_backslashes_and_controls_are_no_scope() {
        for bad in ["a\"b", "a\\b", "a\tb", "ä"] {
            assert_eq!(bad.parse::<Scope>(), Err(InvalidScope::Character), "{bad:?}");
        }
    }

    #[test]
    fn a_scope_prints_in_one_order_whatever_it_was_given_in() {
        assert_eq!(scope("b a  b").to_string(), "a b");
    }
}

//! Whether two clients could be the same workload: then one token of the platform speaks for either of them, for
//! whichever its bearer names. That is seldom meant, and never to be seen in one of the two declarations alone.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::WorkloadIdentity;
use super::condition::{Condition, DIVIDERS, Glob, Piece, is_scalar};
use super::spiffe::SpiffePattern;

/// What stands for any character that divides nothing.
const ANY: char = 'x';

impl WorkloadIdentity {
    /// Whether a token could fit both: it is of the same issuer and for the same audience, and no claim that both speak of
    /// keeps them apart.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let apart = |(name, condition): (&String, &Condition)| {
            other.claims.get(name).is_some_and(|others| !condition.overlaps(others))
        };
        self.issuer == other.issuer && self.audience == other.audience && !self.claims.iter().any(apart)
    }
}

impl Condition {
    /// Whether a claim could fit both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let one_fits = |values: &[Value], condition: &Self| {
            values.iter().any(|value| is_scalar(value) && condition.fits(Some(value)))
        };
        match (self, other) {
            (Self::Glob(own), Self::Glob(others)) => own.in_common(others).is_some(),
            (Self::Equal(value), other) | (other, Self::Equal(value)) => {
                one_fits(std::slice::from_ref(value), other)
            }
            (Self::OneOf(values), other) | (other, Self::OneOf(values)) => one_fits(values, other),
        }
    }
}

impl SpiffePattern {
    /// Whether a workload could fit both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self == other || self.reaches(other) || other.reaches(self)
    }
}

/// Where one may be in a pattern: before a piece, or within one that had a character and may have more.
type Place = (usize, bool);

impl Glob {
    /// A text that fits both, if there is one: the shortest, whatever its length.
    #[must_use]
    pub fn in_common(&self, other: &Self) -> Option<String> {
        let (own, others) = (self.pieces(), other.pieces());
        let begin: (Place, Place) = ((0, false), (0, false));
        let end = ((own.len(), false), (others.len(), false));
        // From where each pair of places was reached, and by which character.
        let mut reached = BTreeMap::from([(begin, None)]);
        let mut next = VecDeque::from([begin]);
        while let Some(here) = next.pop_front() {
            if here == end {
                return Some(text(&reached, here));
            }
            let (Some(one), Some(two)) = (own.get(here.0.0), others.get(here.1.0)) else { continue };
            let Some(c) = both_take(*one, *two) else { continue };
            for then in after(here.0, *one) {
                for others_then in after(here.1, *two) {
                    reached.entry((then, others_then)).or_insert_with(|| {
                        next.push_back((then, others_then));
                        Some((here, c))
                    });
                }
            }
        }
        None
    }
}

/// Where one is once a piece took a character.
fn after((piece, _): Place, what: Piece) -> impl Iterator<Item = Place> + Clone {
    let more = (!matches!(what, Piece::One(_))).then_some((piece, true));
    std::iter::once((piece + 1, false)).chain(more)
}

/// A character that both pieces take.
fn both_take(one: Piece, two: Piece) -> Option<char> {
    match (one, two) {
        (Piece::One(own), Piece::One(others)) => (own == others).then_some(own),
        (Piece::One(own), Piece::Star) | (Piece::Star, Piece::One(own)) => {
            (!DIVIDERS.contains(&own)).then_some(own)
        }
        (Piece::One(own), Piece::Stars) | (Piece::Stars, Piece::One(own)) => Some(own),
        (Piece::Star | Piece::Stars, Piece::Star | Piece::Stars) => Some(ANY),
    }
}

type Reached = BTreeMap<(Place, Place), Option<((Place, Place), char)>>;

/// The characters that led to a pair of places.
fn text(reached: &Reached, mut place: (Place, Place)) -> String {
    let mut backwards = Vec::new();
    while let Some(Some((before, c))) = reached.get(&place) {
        backwards.push(*c);
        place = *before;
    }
    backwards.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn glob(text: &str) -> Glob {
        text.parse().unwrap()
    }

    #[test]
    fn two_patterns_meet_where_a_text_fits_both() {
        for (one, two, meet) in [
            ("repo:acme/*", "repo:*/app", true),
            ("repo:acme/*:ref:refs/heads/main", "repo:acme/app:**", true),
            ("acme/*", "acme/**", true),
            ("*a", "a*", true),
            ("a*", "*b", true),
            ("acme/*", "acme/*/x", false),
            ("acme/*", "other/**", false),
            ("*-prod", "*-test", false),
            ("refs/heads/*", "refs/tags/*", false),
            ("a*", "*/b", false),
        ] {
            assert_eq!(glob(one).in_common(&glob(two)).is_some(), meet, "{one} {two}");
            assert_eq!(glob(two).in_common(&glob(one)).is_some(), meet, "{two} {one}");
        }
        assert_eq!(glob("repo:acme/*").in_common(&glob("repo:*/app")).unwrap(), "repo:acme/app");
    }

    #[test]
    fn values_are_held_against_patterns_and_against_each_other() {
        let all = [
            Condition::Equal(json!("acme/app")),
            Condition::OneOf(vec![json!("acme/app"), json!("acme/other")]),
            Condition::Glob(glob("acme/*")),
            Condition::Glob(glob("*/app")),
        ];
        for one in &all {
            assert!(all.iter().all(|two| one.overlaps(two)), "{one:?}");
            let apart = [
                Condition::Equal(json!("acme/x/y")),
                Condition::OneOf(vec![json!(7), json!(null)]),
                Condition::OneOf(Vec::new()),
                Condition::Glob(glob("else/where/*")),
            ];
            assert!(!apart.iter().any(|two| one.overlaps(two) || two.overlaps(one)), "{one:?}");
        }
    }

    #[test]
    fn clients_are_kept_apart_by_issuer_audience_or_a_claim_that_both_speak_of() {
        let identity = |claims: &[(&str, &str)]| WorkloadIdentity {
            issuer: "https://platform.example".into(),
            audience: None,
            claims: claims
                .iter()
                .map(|(name, text)| {
                    let condition =
                        text.parse().map_or_else(|_| Condition::Equal(json!(text)), Condition::Glob);
                    ((*name).to_owned(), condition)
                })
                .collect(),
            instance_claim: None,
        };
        let (wide, main) =
            (identity(&[("repo", "acme/*")]), identity(&[("repo", "acme/a"), ("ref", "main")]));
        let (other, tags) = (identity(&[("ref", "main")]), identity(&[("repo", "acme/*"), ("ref", "v*")]));
        assert!(wide.overlaps(&main) && main.overlaps(&other) && wide.overlaps(&tags));
        assert!(!main.overlaps(&tags) && !tags.overlaps(&other));
        let elsewhere = WorkloadIdentity { issuer: "https://other.example".into(), ..wide.clone() };
        let for_others = WorkloadIdentity { audience: Some("api".into()), ..wide.clone() };
        assert!(!wide.overlaps(&elsewhere) && !wide.overlaps(&for_others));
    }

    #[test]
    fn a_spiffe_pattern_meets_what_lies_below_it() {
        let pattern = |text: &str| text.parse::<SpiffePattern>().unwrap();
        for (one, two, meet) in [
            ("spiffe://a.example/x", "spiffe://a.example/x", true),
            ("spiffe://a.example/x/*", "spiffe://a.example/x/y", true),
            ("spiffe://a.example/x/*", "spiffe://a.example/x/y/*", true),
            ("spiffe://a.example/x/*", "spiffe://a.example/x", false),
            ("spiffe://a.example/x/*", "spiffe://a.example/xy", false),
            ("spiffe://a.example/x/*", "spiffe://b.example/x/y", false),
        ] {
            assert_eq!(pattern(one).overlaps(&pattern(two)), meet, "{one} {two}");
            assert_eq!(pattern(two).overlaps(&pattern(one)), meet, "{two} {one}");
        }
    }
}

//! The languages of the pages, and how a sentence is found in one.

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader as _, langid};

mod locales {
    #![allow(missing_docs, reason = "written by the macro")]

    fluent_templates::static_loader! {
        pub(super) static LOCALES = {
            locales: "../locales",
            fallback_language: "en",
            // Names are set apart by `<bdi>`; numbers and dates of ours need no invisible characters around them.
            customise: |bundle| bundle.set_use_isolating(false),
        };
    }
}

const ENGLISH: LanguageIdentifier = langid!("en");
const GERMAN: LanguageIdentifier = langid!("de");

/// A language that the pages speak.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Language {
    /// English; the one spoken where nobody asked for another.
    #[default]
    English,
    /// German.
    German,
}

/// A value in a sentence. Texts of others do not go in this way, see [`Language::sentence`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Argument<'a> {
    /// A number, which may choose a plural form.
    Number(i64),
    /// A text of our own, such as the name of a month.
    Text(&'a str),
}

/// A part of a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Whether it is somebody's name, to be set apart, and not words of ours.
    pub is_name: bool,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language tag (BCP 47).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The first of these language tags (BCP 47), divided by spaces, that is one of ours: `ui_locales` (OpenID Connect
    /// Core §3.1.2.1).
    #[must_use]
    pub fn first_of(tags: &str) -> Option<Self> {
        tags.split(' ').take(MOST_RANGES).find_map(|tag| {
            let primary = tag.split('-').next().unwrap_or_default();
            Self::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(primary))
        })
    }

    /// The words under `key`.
    #[must_use]
    pub fn t(self, key: &str) -> String {
        locales::LOCALES.lookup(&self.identifier(), key)
    }

    /// The words under `key`, filled with values of ours.
    #[must_use]
    pub fn t_with(self, key: &str, arguments: &[(&'static str, Argument<'_>)]) -> String {
        let values: HashMap<Cow<'static, str>, FluentValue<'_>> =
            arguments.iter().map(|(name, argument)| (Cow::Borrowed(*name), argument.value())).collect();
        locales::LOCALES.lookup_with_args(&self.identifier(), key, &values)
    }

    /// The words under `key` with names of others in them, in pieces, so that each name can be set apart. What a
    /// name holds plays no part in finding its place.
    #[must_use]
    pub fn sentence(self, key: &str, names: &[(&'static str, &str)]) -> Vec<Piece> {
        let marks: Vec<String> = (0..names.len()).map(|i| format!("{MARK}{i}{MARK}")).collect();
        let arguments: Vec<_> =
            names.iter().zip(&marks).map(|((name, _), mark)| (*name, Argument::Text(mark))).collect();
        let marked = self.t_with(key, &arguments);
        let piece = |(i, part): (usize, &str)| {
            let name = (i % 2 == 1).then(|| part.parse::<usize>().ok().and_then(|n| names.get(n))).flatten();
            let text = name.map_or_else(|| part.to_owned(), |(_, name)| (*name).to_owned());
            Piece { text, is_name: name.is_some() }
        };
        marked.split(MARK).enumerate().map(piece).filter(|piece| !piece.text.is_empty()).collect()
    }

    const fn identifier(self) -> LanguageIdentifier {
        match self {
            Self::English => ENGLISH,
            Self::German => GERMAN,
        }
    }
}

/// Stands around a name's number while the sentence is put together; from the private use area, which our own
/// words do not use.
const MARK: char = '\u{e000}';

impl<'a> Argument<'a> {
    fn value(self) -> FluentValue<'a> {
        match self {
            Self::Number(number) => number.into(),
            Self::Text(text) => text.into(),
        }
    }
}

impl From<i64> for Argument<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for Argument<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

/// The language that an `Accept-Language` header (RFC 9110 §12.5.4) likes best among ours; English where it names
/// none of them.
#[must_use]
pub fn language_of(header: Option<&str>) -> Language {
    let mut best = (0, Language::English);
    for range in header.unwrap_or_default().split(',').take(MOST_RANGES) {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let weight = weight(parameters);
        let primary = tag.trim().split('-').next().unwrap_or_default();
        let named = Language::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(primary));
        if let Some(language) = named.filter(|_| weight > best.0) {
            best = (weight, language);
        }
    }
    best.1
}

/// No browser sends more; what comes after is not read.
const MOST_RANGES: usize = 32;

/// The `q` of a language range in thousandths: 1000 where there is none, 0 where it is no number.
fn weight(parameters: &str) -> u32 {
    let quality =
        parameters.split(';').find_map(|p| p.trim().strip_prefix("q=").or(p.trim().strip_prefix("Q=")));
    let Some(quality) = quality else { return 1000 };
    let number = quality.trim().parse::<f64>().ok().filter(|q| (0.0..=1.0).contains(q));
    number.map_or(0, |q| (0..=1000).rev().find(|&n| f64::from(n) <= q * 1000.0).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_liked_best_is_chosen_and_english_where_none_is_ours() {
        for (header, language) in [
            (None, Language::English),
            (Some(""), Language::English),
            (Some("de"), Language::German),
            (Some("de-AT,de;q=0.9,en;q=0.8"), Language::German),
            (Some("DE-ch"), Language::German),
            (Some("en-GB,en;q=0.9,de;q=0.8"), Language::English),
            (Some("fr, de;q=0.5"), Language::German),
            (Some("en;q=0.2, de;q=0.7"), Language::German),
            (Some("de;q=0"), Language::English),
            (Some("de;q=x"), Language::English),
            (Some("de;q=7"), Language::English),
            (Some("fr,*"), Language::English),
            (Some(",;q=,=;"), Language::English),
            (Some("den"), Language::English),
        ] {
            assert_eq!(language_of(header), language, "{header:?}");
        }
    }

    #[test]
    fn the_first_tag_that_is_a_language_of_ours_is_spoken() {
        for (tags, language) in [
            ("de", Some(Language::German)),
            ("fr-CA de-AT en", Some(Language::German)),
            ("EN-gb", Some(Language::English)),
            ("se", None),
            ("", None),
            ("  den", None),
        ] {
            assert_eq!(Language::first_of(tags), language, "{tags:?}");
        }
    }

    #[test]
    fn discovery_names_the_languages_there_are() {
        assert_eq!(Language::ALL.map(Language::code), protocol::metadata::UI_LOCALES);
    }

    #[test]
    fn a_name_stays_one_piece_whatever_it_holds() {
        let odd = format!("{MARK}0{MARK} {{ $client }} \u{202e}");
        let pieces = Language::English.sentence("consent-who-application", &[("client", &odd)]);
        assert_eq!(pieces[0], Piece { text: odd, is_name: true });
        assert_eq!(pieces.len(), 2);
        assert!(!pieces[1].is_name);
    }
}

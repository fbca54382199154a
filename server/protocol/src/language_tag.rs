//! Language tags (BCP 47): which texts are one, so far as their form tells (RFC 5646 §2.1).

use std::iter::Peekable;
use std::str::Split;

/// The longest tag, in bytes (RFC 5646 §4.4.1).
pub const LONGEST: usize = 35;

type Subtags<'a> = Peekable<Split<'a, char>>;

/// Whether `tag` is well-formed: a language, then script, region, variants, extensions and what is for private use, each
/// where there is one and in this order; or what is for private use alone. The tags that were registered before there
/// was such an order are none here.
#[must_use]
pub fn is_language_tag(tag: &str) -> bool {
    let mut subtags = tag.split('-').peekable();
    let well_formed = if is_private(subtags.peek().copied().unwrap_or_default()) {
        private_use(&mut subtags)
    } else {
        language(&mut subtags) && extensions(&mut subtags) && private_use(&mut subtags)
    };
    tag.len() <= LONGEST && well_formed && subtags.next().is_none()
}

/// `langtag` up to its variants.
fn language(subtags: &mut Subtags<'_>) -> bool {
    let Some(language) = subtags.next_if(|subtag| is_letters(subtag, 2, 8)) else { return false };
    let mut extended = 0;
    while language.len() <= 3 && extended < 3 && subtags.next_if(|subtag| is_letters(subtag, 3, 3)).is_some()
    {
        extended += 1;
    }
    subtags.next_if(|subtag| is_letters(subtag, 4, 4));
    subtags.next_if(|subtag| is_letters(subtag, 2, 2) || (subtag.len() == 3 && is_digits(subtag)));
    while subtags.next_if(|subtag| is_variant(subtag)).is_some() {}
    true
}

/// Each a letter or digit, and at least one subtag behind it.
fn extensions(subtags: &mut Subtags<'_>) -> bool {
    while subtags.next_if(|subtag| is_letters_and_digits(subtag, 1, 1) && !is_private(subtag)).is_some() {
        if !some(subtags, 2) {
            return false;
        }
    }
    true
}

fn private_use(subtags: &mut Subtags<'_>) -> bool {
    subtags.next_if(|subtag| is_private(subtag)).is_none() || some(subtags, 1)
}

/// At least one subtag of `least` to eight characters, and all that follow it.
fn some(subtags: &mut Subtags<'_>, least: usize) -> bool {
    let mut taken = false;
    while subtags.next_if(|subtag| is_letters_and_digits(subtag, least, 8)).is_some() {
        taken = true;
    }
    taken
}

fn is_private(subtag: &str) -> bool {
    subtag.eq_ignore_ascii_case("x")
}

fn is_letters(subtag: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphabetic())
}

fn is_digits(subtag: &str) -> bool {
    subtag.bytes().all(|b| b.is_ascii_digit())
}

fn is_letters_and_digits(subtag: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_variant(subtag: &str) -> bool {
    is_letters_and_digits(subtag, 5, 8)
        || (is_letters_and_digits(subtag, 4, 4) && subtag.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_5646_are_language_tags() {
        for tag in [
            "de",
            "zh-Hant",
            "zh-cmn-Hans-CN",
            "sr-Latn-RS",
            "sl-rozaj-biske",
            "de-CH-1901",
            "hy-Latn-IT-arevela",
            "es-419",
            "de-CH-x-phonebk",
            "x-whatever",
            "qaa-Qaaa-QM-x-southern",
            "en-US-u-islamcal",
            "en-a-myext-b-another",
        ] {
            assert!(is_language_tag(tag), "{tag}");
        }
    }

    #[test]
    fn what_is_no_language_tag_is_none() {
        for bad in [
            "",
            "-",
            "de-",
            "-de",
            "de_DE",
            "d e",
            "d",
            "toolongtag",
            "1234",
            "de-419-DE",
            "a-DE",
            "en-a",
            "en-x",
            "x-",
            "d\u{e9}",
            "de-DE-Latn",
            "de-a--b",
            "en-x-abcdefghi",
        ] {
            assert!(!is_language_tag(bad), "{bad}");
        }
        assert!(!is_language_tag(&format!("en-x{}", "-abcdefgh".repeat(4))));
    }
}

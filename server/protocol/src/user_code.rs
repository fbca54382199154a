//! The code that a person reads on one device and enters on another (RFC 8628 §6.1).

use std::fmt;

/// Consonants that are told apart in every script and form no words by accident (RFC 8628 §6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// 20^8: with a few guesses a minute for a few minutes, nobody guesses one.
const LENGTH: usize = 8;
/// The longest text that is looked at, whatever people write between the letters.
const LONGEST_WRITTEN: usize = 64;

/// A `user_code` (RFC 8628 §3.2), in capitals and without what separates them.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// A code made of random bytes; all codes are equally likely. `None` where too few of the bytes are fit, of 64
    /// less often than once in 10^40.
    #[must_use]
    pub fn of_random(bytes: &[u8]) -> Option<Self> {
        // 240 is the last multiple of 20: what lies above it would favour the first letters.
        let fit = bytes.iter().filter(|byte| **byte < 240);
        let letters: String =
            fit.take(LENGTH).map(|byte| char::from(ALPHABET[usize::from(byte % 20)])).collect();
        (letters.len() == LENGTH).then_some(Self(letters))
    }

    /// What somebody wrote, in capitals or not, with whatever they put between the letters (RFC 8628 §6.1).
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        if written.len() > LONGEST_WRITTEN {
            return None;
        }
        let between = |c: &char| c.is_whitespace() || c.is_ascii_punctuation() || matches!(c, '‐'..='―');
        let letters: String =
            written.chars().filter(|c| !between(c)).map(|c| c.to_ascii_uppercase()).collect();
        let ours = letters.bytes().all(|letter| ALPHABET.contains(&letter));
        (ours && letters.len() == LENGTH).then_some(Self(letters))
    }

    /// The letters alone, by which it is found again.
    #[must_use]
    pub fn letters(&self) -> &str {
        &self.0
    }
}

/// As people read it: two groups of four.
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at(LENGTH / 2);
        write!(f, "{first}-{second}")
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_however_it_is_written() {
        let code = UserCode::parse("WDJB-MJHT").unwrap();
        for written in ["wdjbmjht", " WDJB MJHT ", "w.d.j.b-m_j_h_t", "WDJB–MJHT", "wdjb - mjht"] {
            assert_eq!(UserCode::parse(written), Some(code.clone()), "{written}");
        }
        assert_eq!((code.letters(), code.to_string().as_str()), ("WDJBMJHT", "WDJB-MJHT"));
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        for written in ["", "WDJB-MJH", "WDJB-MJHTT", "ADJB-MJHT", "WDJ8-MJHT", "ẂDJB-MJHT", &"-".repeat(65)]
        {
            assert_eq!(UserCode::parse(written), None, "{written}");
        }
    }

    #[test]
    fn no_letter_is_likelier_than_another() {
        let mut counts = [0_u32; 20];
        for byte in 0..=255_u8 {
            if let Some(code) = UserCode::of_random(&[byte; 8]) {
                let letter = code.letters().as_bytes()[0];
                counts[ALPHABET.iter().position(|known| *known == letter).unwrap()] += 1;
            }
        }
        assert_eq!(counts, [12; 20]);
    }

    #[test]
    fn too_few_fit_bytes_make_no_code() {
        assert_eq!(UserCode::of_random(&[240; 64]), None);
        assert_eq!(UserCode::of_random(&[0; 7]), None);
    }

    proptest! {
        #[test]
        fn a_code_reads_back_from_what_is_printed(bytes in proptest::collection::vec(0_u8..240, 8..20)) {
            let code = UserCode::of_random(&bytes).unwrap();
            prop_assert_eq!(UserCode::parse(&code.to_string()), Some(code));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".*") {
            let _ = UserCode::parse(&text);
        }
    }
}

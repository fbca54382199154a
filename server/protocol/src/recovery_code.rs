//! Recovery codes: what somebody writes down for the day when their phone is gone.

use std::fmt::Write as _;

/// How many a user has at a time.
pub const COUNT: usize = 10;
/// The bytes of chance in one code: too many to guess, even for whoever reads the digests.
pub const BYTES: usize = 10;

/// No letter or digit that looks like another one (the alphabet of Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The code of these bytes, as it is shown: `4XQ9-…`, four groups of four.
#[must_use]
pub fn show(bytes: [u8; BYTES]) -> String {
    let number = bytes.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let mut code = String::new();
    for place in (0..16_u32).rev() {
        let letter = ALPHABET[usize::try_from(number >> (5 * place) & 31).unwrap_or_default()];
        let _ = code.write_char(char::from(letter));
        if place % 4 == 0 && place > 0 {
            code.push('-');
        }
    }
    code
}

/// A code as somebody typed it, as [`show`] shows it; none where it cannot be one. Case, spaces and hyphens do not
/// count, and letters that look like digits are those.
#[must_use]
pub fn read(typed: &str) -> Option<String> {
    if typed.len() > 100 {
        return None;
    }
    let mut letters = String::new();
    for c in typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–' | '—')) {
        let c = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let known = u8::try_from(c).is_ok_and(|byte| ALPHABET.contains(&byte));
        if !known {
            return None;
        }
        if letters.len() % 5 == 4 {
            letters.push('-');
        }
        letters.push(c);
    }
    (letters.len() == 19).then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_four_groups_of_four_and_reads_back() {
        assert_eq!(show([0; BYTES]), "0000-0000-0000-0000");
        assert_eq!(show([255; BYTES]), "ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        let code = show([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(code.len(), 19);
        assert_eq!(read(&code).as_deref(), Some(code.as_str()));
    }

    #[test]
    fn every_bit_counts() {
        let all: std::collections::BTreeSet<String> = (0..80)
            .map(|bit| {
                let mut bytes = [0; BYTES];
                bytes[bit / 8] = 1 << (bit % 8);
                show(bytes)
            })
            .collect();
        assert_eq!(all.len(), 80);
    }

    #[test]
    fn typing_is_forgiven() {
        let code = "01AB-CDEF-GHJK-MNPQ";
        for typed in [" o1ab cdef ghjk mnpq ", "OLABCDEFGHJKMNPQ", "0iab–cdef-ghjk-mnpq"] {
            assert_eq!(read(typed).as_deref(), Some(code), "{typed}");
        }
        for wrong in ["", "01AB-CDEF-GHJK", "01AB-CDEF-GHJK-MNPU", "01AB-CDEF-GHJK-MNPQ-0", "123456", "ä"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read(&"-".repeat(200)), None);
    }
}

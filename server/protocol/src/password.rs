//! What a password must be: long enough, and nothing that anybody would try first (NIST SP 800-63B §3.1.1.2). No rules
//! about kinds of characters, which only make passwords alike.

/// The fewest characters that a configuration may ask for, and the most.
pub const SHORTEST: std::ops::RangeInclusive<usize> = 8..=64;
/// The longest password, in bytes.
pub const LONGEST: usize = 1024;

/// Why a password is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PasswordRefused {
    /// It has too few characters.
    #[error("the password is too short")]
    TooShort,
    /// It is longer than [`LONGEST`].
    #[error("the password is too long")]
    TooLong,
    /// It is a name or an address of its owner, perhaps with a number.
    #[error("the password is a name of its owner")]
    OwnName,
    /// It is among those that are tried first.
    #[error("the password is one of the most common ones")]
    Common,
}

/// Whether `password` may be the password of somebody who is called by `names`: user name, name, e-mail address.
///
/// # Errors
/// [`PasswordRefused`].
pub fn check(password: &str, shortest: usize, names: &[&str]) -> Result<(), PasswordRefused> {
    if password.chars().count() < shortest {
        return Err(PasswordRefused::TooShort);
    }
    if password.len() > LONGEST {
        return Err(PasswordRefused::TooLong);
    }
    let bare = bare(password);
    let parts = names.iter().flat_map(|name| [*name, name.split('@').next().unwrap_or_default()]);
    if parts.map(self::bare).any(|name| !name.is_empty() && name == bare) {
        return Err(PasswordRefused::OwnName);
    }
    if is_common(password) { Err(PasswordRefused::Common) } else { Ok(()) }
}

/// The letters alone, in lower case: `Alice.Arnold-2024!` is `alicearnold`.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

/// What is tried first: few different characters, a row of the alphabet or of the keyboard, and words of the list,
/// whatever digits and signs stand around them.
fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let distinct: std::collections::BTreeSet<char> = lower.chars().collect();
    let core = lower.trim_matches(|c: char| !c.is_alphabetic());
    let core: &str = if core.is_empty() { &lower } else { core };
    distinct.len() < 4
        || is_row(&lower)
        || is_row(core) && core.chars().count() > 2
        || WORST.lines().any(|word| word == lower || word == core)
}

/// Whether a text is a piece of a row that fingers or heads run along, forwards or backwards, once or again and again.
fn is_row(text: &str) -> bool {
    let back: String = text.chars().rev().collect();
    ROWS.iter().any(|row| {
        let long = row.repeat(text.len() / row.len() + 2);
        long.contains(text) || long.contains(&back)
    })
}

const ROWS: [&str; 7] = [
    "01234567890",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
];

/// The worst passwords, in lower case, a line each; those that the rules above find need not stand there.
const WORST: &str = include_str!("worst_passwords.txt");

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: [&str; 3] = ["alice", "Alice Arnold", "a.arnold@people.example"];

    fn check_of_alice(password: &str) -> Result<(), PasswordRefused> {
        check(password, 8, &ALICE)
    }

    #[test]
    fn length_counts_characters_and_the_bound_counts_bytes() {
        assert_eq!(check_of_alice("äöüßäöü"), Err(PasswordRefused::TooShort));
        assert_eq!(check_of_alice("zwölf kühe"), Ok(()));
        assert_eq!(check("zwölf kühe", 11, &ALICE), Err(PasswordRefused::TooShort));
        assert_eq!(check_of_alice(&"four words ".repeat(94)), Err(PasswordRefused::TooLong));
        assert_eq!(check_of_alice(&"four words ".repeat(93)), Ok(()));
    }

    #[test]
    fn no_kind_of_character_is_demanded() {
        for fine in ["correct horse battery staple", "plonkwibble", "ПАРОЛЬНАЯФРАЗА", "  lots of  space  "]
        {
            assert_eq!(check_of_alice(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn names_of_the_owner_are_refused_whatever_stands_around_them() {
        for own in ["alicearnold", "Alice Arnold", "Alice2024!", "a.arnold@people.example", "AARNOLD_1"] {
            assert_eq!(check_of_alice(own), Err(PasswordRefused::OwnName), "{own}");
        }
        assert_eq!(check_of_alice("the secret of alice"), Ok(()));
        assert_eq!(check("93751084", 8, &["", "42"]), Ok(()), "no letters are nobody's name");
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for common in [
            "password",
            "Password123!",
            "12345678",
            "87654321",
            "aaaaaaaaaaaa",
            "12121212",
            "abcdefgh1",
            "qwertyuiop",
        ] {
            assert_eq!(check_of_alice(common), Err(PasswordRefused::Common), "{common}");
        }
        for common in ["iloveyou", "1q2w3e4r5t", "QWERTZ123", "passwort1", "1qaz2wsx", "123456789012"] {
            assert_eq!(check_of_alice(common), Err(PasswordRefused::Common), "{common}");
        }
    }

    #[test]
    fn every_word_of_the_list_is_written_so_that_it_is_found() {
        for word in WORST.lines() {
            assert_eq!(word, word.to_lowercase().trim());
            assert!(is_common(word) && is_common(&word.to_uppercase()), "{word}");
        }
        assert!(WORST.lines().count() > 150);
    }
}

//! Texts that say what they show. Characters that nobody sees, and those that turn the direction of what stands around
//! them, make one text look like another: a person would approve what they did not read (Unicode Technical Report 36
//! §2.10, Unicode Technical Report 55).

/// Whether everything in `text` can be seen, and stands where it is read. Control characters are another question: what
/// allows lines has some. The joiners (U+200C, U+200D) are letters' own business, in Persian as in emoji, and pass.
#[must_use]
pub fn says_what_it_shows(text: &str) -> bool {
    !text.chars().any(is_unseen)
}

const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_or_hides_text_does_not_say_what_it_shows() {
        for text in [
            "/repos/\u{202e}enim",
            "a\u{200b}b",
            "\u{2066}x\u{2069}",
            "a\u{feff}",
            "tag\u{e0041}",
            "so\u{ad}ft",
        ] {
            assert!(!says_what_it_shows(text), "{text:?}");
        }
    }

    #[test]
    fn people_write_their_languages() {
        for text in [
            "Übung",
            "می\u{200c}خواهم",
            "👩\u{200d}🚀 ❤\u{fe0f}",
            "注文を返金する",
            "לבטל הזמנה",
            "two\nlines",
        ] {
            assert!(says_what_it_shows(text), "{text:?}");
        }
    }
}

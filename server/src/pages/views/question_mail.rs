//! The mail that tells somebody of a question from elsewhere.

use super::account::{Kind, Permitted};
use super::language::{Language, Piece};

/// What it is about.
pub struct About<'a> {
    /// Whom it is for.
    pub name: &'a str,
    /// Who asks.
    pub asker: &'a str,
    /// What they are.
    pub kind: Kind,
    /// What they ask for.
    pub permitted: &'a [Permitted],
    /// What they show too.
    pub binding_message: Option<&'a str>,
    /// Whom the mail's question is about, where somebody is asked to approve what is done for another.
    pub for_whom: Option<&'a str>,
    /// The words for where it would go, and to whom, where it would leave.
    pub leaves: Option<(&'static str, &'a str)>,
    /// Whether it is about one action, to be approved once.
    pub one_action: bool,
    /// Where the question waits.
    pub link: &'a str,
}

impl About<'_> {
    /// Subject and text. What others wrote stands in a line with words of ours before it, so that it cannot pass for
    /// them.
    #[must_use]
    pub fn write(&self, language: Language) -> (String, String) {
        let plain = |pieces: Vec<Piece>| pieces.into_iter().map(|piece| piece.text).collect::<String>();
        let hello = plain(language.sentence("question-mail-hello", &[("name", &one_line(self.name))]));
        let asks = match self.kind {
            Kind::Agent => "question-mail-agent-asks",
            Kind::Application | Kind::Service => "question-mail-asks",
        };
        let asks = plain(language.sentence(asks, &[("name", &one_line(self.asker))]));
        let permitted = self.permitted.iter().map(|one| format!("- {}\n", one_line(&one.sentence)));
        let message = self.binding_message.map(|message| {
            let words = [("message", one_line(message))];
            let words = words.each_ref().map(|(name, text)| (*name, text.as_str()));
            format!("{}\n\n", plain(language.sentence("question-mail-binding-message", &words)))
        });
        let for_whom = self.for_whom.map(|name| {
            let sentence = language.sentence("approval-mail-for", &[("name", &one_line(name))]);
            format!("{}\n\n", plain(sentence))
        });
        let leaves = self.leaves.map(|(key, to)| {
            let sentence = language.sentence(key, &[("name", &one_line(to))]);
            format!("{}\n\n", plain(sentence))
        });
        let text = format!(
            "{hello}\n\n{asks}\n\n{}\n{}{}{}{}\n\n{}\n\n{}\n",
            permitted.collect::<String>(),
            leaves.unwrap_or_default(),
            for_whom.unwrap_or_default(),
            message.unwrap_or_default(),
            language.t("question-mail-look"),
            self.link,
            language.t("question-mail-only-if")
        );
        let subject = if self.one_action { "approval-mail-subject" } else { "question-mail-subject" };
        (language.t(subject), text)
    }
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_says_who_asks_for_what_and_no_line_of_it_is_anybody_elses() {
        let permitted =
            [Permitted { sentence: "See your orders\nhttps://evil.example/a".into(), lines: Vec::new() }];
        for language in Language::ALL {
            for kind in [Kind::Application, Kind::Agent] {
                let about = About {
                    name: "Eve\nhttps://evil.example/b",
                    asker: "The till\r\nhttps://evil.example/c",
                    kind,
                    permitted: &permitted,
                    binding_message: Some("W4SCT"),
                    for_whom: Some("Ada\nhttps://evil.example/d"),
                    leaves: Some(("approval-mail-other-domain", "saas\nhttps://evil.example/e")),
                    one_action: kind == Kind::Agent,
                    link: "https://as/approvals/x",
                };
                let (subject, text) = about.write(language);
                assert!(!subject.is_empty() && !subject.contains('\n'));
                for words in ["Eve", "The till", "- See your orders", "W4SCT", "Ada", "saas"] {
                    assert!(text.contains(words), "{words}: {text}");
                }
                assert!(text.lines().any(|line| line == "https://as/approvals/x"), "{text}");
                assert!(!text.lines().any(|line| line.starts_with("https://evil")), "{text}");
                assert!(!text.contains("Unknown localization"), "{text}");
                let silent = About { binding_message: None, ..about };
                assert!(!silent.write(language).1.contains("W4SCT"));
            }
        }
    }
}

//! `[certification]`: a server that is tested by a conformance suite, and is good for nothing else. It lets anybody
//! who knows a word do what otherwise only people and operators may.

use serde::Deserialize;

use super::hidden::Hidden;

/// The shortest `hook_secret`, in characters.
const SHORTEST_SECRET: usize = 16;

/// What makes a test server of this one. Without the table there is nothing of it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificationSettings {
    /// Must be `true`.
    pub i_know_that_this_is_insecure: bool,
    /// The issuer once more: a table that was copied to another server by mistake does not open it.
    pub issuer: String,
    /// What stands in the path of each hook.
    pub hook_secret: Hidden,
}

impl CertificationSettings {
    /// How many people a test server may know at most: a server with real people is none.
    pub const MOST_USERS: u64 = 20;

    /// What is wrong with the values, each by its key.
    pub(super) fn wrong(&self, issuer: &str) -> Vec<(&'static str, String)> {
        let secret = self.hook_secret.reveal();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let checks = [
            (
                "certification.i_know_that_this_is_insecure",
                self.i_know_that_this_is_insecure,
                "must be true: with this table, strangers may approve requests and change keys".to_owned(),
            ),
            (
                "certification.issuer",
                self.issuer == issuer,
                format!("must be the issuer of this server, {issuer}"),
            ),
            (
                "certification.hook_secret",
                secret.len() >= SHORTEST_SECRET && secret.bytes().all(plain),
                format!("must be at least {SHORTEST_SECRET} letters, digits, - and _"),
            ),
        ];
        checks.into_iter().filter(|(_, fit, _)| !fit).map(|(key, _, why)| (key, why)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ConfigFile, read};

    fn told(table: &str) -> Vec<String> {
        let text =
            format!("issuer = \"https://op.example\"\nkeys.allow_plaintext = true\n[certification]\n{table}");
        let file = ConfigFile { name: "t.toml".into(), text, folder: ".".into() };
        match read(Some(&file), []) {
            Ok(config) => {
                assert!(config.settings.certification.is_some());
                Vec::new()
            }
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_test_server_is_opened_by_three_words_that_nobody_writes_by_mistake() {
        let good = "i_know_that_this_is_insecure = true\nissuer = \"https://op.example\"\nhook_secret = \"0123456789abcdef\"";
        assert_eq!(told(good), [""; 0]);
        for (word, other, key) in [
            ("= true", "= false", "certification.i_know_that_this_is_insecure"),
            ("\"https://op.example\"", "\"https://login.example\"", "certification.issuer"),
            ("0123456789abcdef", "short", "certification.hook_secret"),
            ("0123456789abcdef", "0123456789/../abcdef", "certification.hook_secret"),
        ] {
            let problems = told(&good.replace(word, other));
            assert!(problems.len() == 1 && problems[0].contains(key), "{key}: {problems:?}");
        }
        for missing in good.lines() {
            let problems = told(&good.replace(missing, ""));
            assert_eq!(problems.len(), 1, "without {missing}: {problems:?}");
        }
    }
}

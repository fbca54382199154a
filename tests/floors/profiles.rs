//! Every rule of the security profiles is asked for somewhere: a rule that nobody asks for is a promise that nobody keeps.

use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

/// Where rules are shown, which is not where they are kept.
const SHOWN: &str = "client_rules.rs";

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with(SHOWN) {
            found.push(path);
        }
    }
}

/// The text of a file, but for the tests at its foot and what it says of itself.
fn product(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source");
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_rule_of_the_profiles_is_asked_for() {
    let law = root().join("server/protocol/src");
    let table = product(&law.join("profile.rs"));
    let rules = table.split("pub struct ProfileRules {").nth(1).and_then(|rest| rest.split('}').next());
    let rules: Vec<&str> = rules
        .expect("the table of rules")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next())
        .collect();
    assert!(rules.len() >= 13, "{rules:?}");
    let mut files = Vec::new();
    sources(&law, &mut files);
    sources(&root().join("server/src"), &mut files);
    let texts: Vec<String> = files.iter().map(|file| product(file)).collect();
    let asks = |text: &str, rule: &str| {
        ["rules.", "rules()."].iter().any(|of| {
            text.split(&format!("{of}{rule}"))
                .skip(1)
                .any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    };
    let idle: Vec<_> = rules.iter().filter(|rule| !texts.iter().any(|text| asks(text, rule))).collect();
    assert!(idle.is_empty(), "nobody asks for {idle:?}");
}

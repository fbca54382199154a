//! Nothing that comes of another token is issued without a decision. The compiler keeps most of it: what is written is
//! `Issuable`, which only the law makes. What is left to be kept here is who says of a token that it begins a lineage.

use std::fs;

use crate::reading::{Source, sources};
use crate::root;

/// Who may use which of these paths, and no other file of the server.
const WHO: &[(&str, &[&str])] = &[
    // What a user approved, what a client has of its own, and what a trusted issuer says.
    (
        "Issuable::root",
        &[
            "grants/authorization_code.rs",
            "grants/client_credentials.rs",
            "grants/foreign_token.rs",
            "grants/jwt_bearer.rs",
        ],
    ),
    ("Issuable::refreshed", &["grants/refresh_token.rs"]),
    ("Issuable::successor", &["grants/refresh_token.rs"]),
    ("Issuable::beside", &["tokens.rs"]),
    ("delegation::decide", &["grants/token_exchange.rs"]),
    ("Written::new", &["grants/other_domain.rs", "grants/transaction.rs", "tokens.rs"]),
    // Whatever is not kept is nothing here; what is kept was written.
    ("Record::Token", &["store/keeping.rs", "tokens.rs"]),
];

fn product() -> Vec<Source> {
    let all = sources(&root().join("server/src")).into_iter();
    all.filter(|source| !source.module.iter().any(|part| part == "tests")).collect()
}

#[test]
fn only_those_who_begin_a_lineage_say_that_they_do_and_everything_else_is_decided_upon() {
    let product = product();
    let mut broken = Vec::new();
    for (path, who) in WHO {
        let uses = |source: &&Source| {
            let names = source.imports.iter().filter_map(|(_, import)| import.path());
            names.map(|names| names.join("::")).any(|name| name.ends_with(path))
        };
        let found: Vec<_> = product.iter().filter(uses).map(|source| source.file.as_str()).collect();
        let is_one = |file: &str, one: &&str| file.ends_with(&format!("server/src/{one}"));
        broken.extend(
            found
                .iter()
                .filter(|file| !who.iter().any(|one| is_one(file, one)))
                .map(|file| format!("{file}: must not use {path}")),
        );
        broken.extend(
            who.iter()
                .filter(|one| !found.iter().any(|file| is_one(file, one)))
                .map(|one| format!("{one}: has a row for {path}, and does not use it")),
        );
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn an_access_token_is_signed_in_one_place() {
    let signs = |source: &Source| {
        let file = root().join(&source.file);
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        // As an argument among others, in what is no test: who reads a token compares its type.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: String = code.split_whitespace().collect();
        code.matches(",\"at+jwt\",").count()
    };
    let product = product();
    let who: Vec<_> =
        product.iter().filter(|source| signs(source) > 0).map(|source| source.file.as_str()).collect();
    assert!(matches!(who.as_slice(), [one] if one.ends_with("server/src/tokens.rs")), "{who:?}");
}

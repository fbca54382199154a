//! Nothing that comes of another token is issued without a decision. The compiler keeps most of it: what is written and
//! what is kept is `Issuable`, which only the law makes. What is left to be kept here is who says of a token that it begins
//! a lineage, and that nobody says so under another name.

use std::fs;

use crate::reading::{Source, sources};
use crate::root;

/// Who may say which of these words one after the other, and no other file of the server. However a path is written, with
/// whatever before it, these two words of it stand beside each other.
const WHO: &[([&str; 2], &[&str])] = &[
    // What a user approved, what a client has of its own, and what a trusted issuer says.
    (
        ["Issuable", "root"],
        &[
            "grants/authorization_code.rs",
            "grants/client_credentials.rs",
            "grants/foreign_token.rs",
            "grants/jwt_bearer.rs",
        ],
    ),
    (["Issuable", "refreshed"], &["grants/refresh_token.rs"]),
    (["Issuable", "successor"], &["grants/refresh_token.rs"]),
    (["Issuable", "beside"], &["tokens.rs"]),
    (["delegation", "decide"], &["grants/token_exchange.rs"]),
    (["Written", "new"], &["grants/other_domain.rs", "grants/transaction.rs", "tokens.rs"]),
    (["Record", "Token"], &["store/change/record.rs", "store/keeping.rs", "tokens.rs"]),
];

fn product() -> Vec<Source> {
    let all = sources(&root().join("server/src")).into_iter();
    all.filter(|source| !source.module.iter().any(|part| part == "tests")).collect()
}

fn says(source: &Source, words: &[&str]) -> bool {
    source.words.windows(words.len()).any(|found| found.iter().map(|(_, word)| word).eq(words))
}

/// What breaks the rules of [`WHO`].
fn broken(product: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for (words, who) in WHO {
        let path = words.join("::");
        let found: Vec<_> =
            product.iter().filter(|source| says(source, words)).map(|source| source.file.as_str()).collect();
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
    for source in product {
        for name in ["Issuable", "Written", "Record"] {
            let renamed = says(source, &[name, "as"])
                || source.words.windows(3).any(|found| found[0].1 == "type" && found[2].1 == name);
            if renamed {
                broken.push(format!("{}: gives {name} another name", source.file));
            }
        }
    }
    broken
}

#[test]
fn only_those_who_begin_a_lineage_say_that_they_do_and_everything_else_is_decided_upon() {
    let broken = broken(&product());
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn however_somebody_says_that_a_lineage_begins_it_is_found() {
    for text in [
        "use protocol::delegation::Issuable; fn f() { Issuable::root(t); }",
        "fn f() { x.map(protocol::delegation::Issuable :: root); }",
        "use protocol::delegation::Issuable; fn f() { <Issuable>::root(t); }",
        "use protocol::delegation::{self, Issuable as Root}; fn f() { Root::root(t); }",
        "use protocol::delegation::Issuable; type Root = Issuable; fn f() { Root::root(t); }",
        "fn f() { crate::tokens::Written::new(a, b); }",
        "fn f() { change.keep(crate::store::Record::Token { token, digest }) }",
        "use crate::store::Record as Kept; fn f() { change.keep(Kept::Token { token, digest }) }",
        "use crate::store::Record::Token as Kept; fn f() { change.keep(Kept { token, digest }) }",
        "fn f() { protocol::delegation::decide(story, asked, now) }",
    ] {
        let source = Source::read("server/src/grants/new.rs", &["grants", "new"], text);
        assert!(broken(&[source]).iter().any(|said| said.starts_with("server/src/grants/new.rs")), "{text}");
    }
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

//! The floors: who may import whom, and what every file of the repository has to keep to.
//!
//! What a test here prints is the row that breaks. The table is [`table`]; docs/architecture.md says why it is so.

mod documents;
mod issuance;
mod profiles;
mod reading;
mod requirements;
mod table;

use std::path::Path;

use reading::{Import, Source, sources};
use table::{KEEPERS, LAW, LAW_MAY_NOT, ROOMS};

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests crate lies in the workspace")
}

#[test]
fn every_room_imports_only_rooms_that_its_row_allows() {
    let mut broken = Vec::new();
    for source in sources(&root().join("server/src")) {
        let Some((room, allowed)) = row(&source.module) else {
            broken.push(format!("{}: no row of the table is about this file", source.file));
            continue;
        };
        for (line, path) in source.imports.iter().filter_map(|(line, import)| Some((line, import.ours()?))) {
            match row(path) {
                Some((other, _)) if other == room || allowed.iter().any(|one| one.contains(&other)) => {}
                Some((other, _)) => {
                    broken.push(format!("{}:{line}: {room} must not import {other}", source.file));
                }
                None => broken.push(format!("{}:{line}: no row is about `{}`", source.file, path.join("::"))),
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_library_stays_in_its_rooms() {
    let mut broken = Vec::new();
    for source in sources(&root().join("server/src")) {
        let room = row(&source.module).map_or("?", |(room, _)| room);
        for (line, library) in source.imports.iter().filter_map(|(l, import)| Some((l, import.library()?))) {
            let keepers = KEEPERS.iter().find(|(names, _)| names.contains(&library));
            if keepers.is_some_and(|(_, rooms)| !rooms.contains(&room)) {
                broken.push(format!("{}:{line}: {room} must not use {library}", source.file));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_row_of_the_table_is_about_files_that_are_there() {
    let modules: Vec<Vec<String>> =
        sources(&root().join("server/src")).into_iter().map(|source| source.module).collect();
    let rooms = ROOMS.iter().map(|(room, _)| *room).filter(|room| !table::MAY_BE_MISSING.contains(room));
    let idle: Vec<_> = rooms
        .filter(|room| !modules.iter().any(|module| row(module).is_some_and(|(found, _)| found == *room)))
        .collect();
    assert!(idle.is_empty(), "rows about nothing: {idle:?}");
}

#[test]
fn the_law_depends_on_values_alone() {
    let dependencies = dependencies("server/protocol/Cargo.toml");
    let more: Vec<_> = dependencies.iter().filter(|name| !LAW.contains(&name.as_str())).collect();
    assert!(more.is_empty(), "server/protocol/Cargo.toml: the law must not depend on {more:?}");

    let mut broken = Vec::new();
    for source in sources(&root().join("server/protocol/src")) {
        let used = source.imports.iter().filter_map(|(line, import)| Some((*line, import.path()?)));
        let words = source.words.iter().map(|(line, word)| (*line, word.clone()));
        for (line, text) in used.map(|(line, path)| (line, path.join("::"))).chain(words) {
            if let Some(sin) =
                LAW_MAY_NOT.iter().find(|sin| text == **sin || text.starts_with(&format!("{sin}::")))
            {
                broken.push(format!("{}:{line}: the law must not know {sin}", source.file));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn tables_and_entities_depend_on_nothing_of_ours() {
    for manifest in ["entity/Cargo.toml", "migration/Cargo.toml"] {
        let ours = ["protocol", "server", "entity", "migration", "tests", "conformance"];
        let found: Vec<_> =
            dependencies(manifest).into_iter().filter(|name| ours.contains(&name.as_str())).collect();
        assert!(found.is_empty(), "{manifest} must not depend on {found:?}");
    }
}

#[test]
fn an_import_in_any_form_is_seen() {
    let text = r##"
        //! [`crate::comment`] is none.
        use crate::{app::App, store::{Change, tests::{a, b as c}}};
        use axum;
        const TEXT: &str = "crate::string \" is none";
        const RAW: &str = r#"crate::raw is "none" too"#;
        fn f<'a>(c: char) -> bool { c == '"' || crate::pages::page::one() || super::super::jose::decode() }
        mod tests { use super::super::super::sign_in; use super::*; }
    "##;
    let source = Source::read("server/src/room/file.rs", &["room", "file"], text);
    let mut ours: Vec<String> =
        source.imports.iter().filter_map(|(_, i)| i.ours()).map(|p| p.join("::")).collect();
    ours.sort();
    assert_eq!(
        ours,
        [
            "app::App",
            "jose::decode",
            "pages::page::one",
            "room::file",
            "sign_in",
            "store::Change",
            "store::tests::a",
            "store::tests::b"
        ]
    );
    let libraries: Vec<&str> = source.imports.iter().filter_map(|(_, i)| i.library()).collect();
    assert_eq!(libraries, ["axum"]);
    assert!(matches!(source.imports.first(), Some((3, Import::Ours(_)))), "{:?}", source.imports);
}

/// The row about a module: the one whose room is the longest part of its path.
fn row(module: &[String]) -> Option<(&'static str, &'static [&'static [&'static str]])> {
    let holds = |room: &str| {
        let mut parts = module.iter();
        room.split('/').all(|part| parts.next().is_some_and(|name| name == part))
    };
    let fitting = ROOMS.iter().filter(|(room, _)| holds(room));
    fitting.max_by_key(|(room, _)| room.len()).map(|(room, allowed)| (*room, *allowed))
}

/// The names under `[dependencies]` of a manifest.
fn dependencies(manifest: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(manifest)).expect(manifest);
    let section = text.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let lines = section.take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| Some(line.split(['.', '=', ' ']).next()?.to_owned()))
        .filter(|n| !n.is_empty())
        .collect()
}

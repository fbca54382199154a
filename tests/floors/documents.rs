//! What every file of the repository keeps to, and what the documents promise.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::root;

/// Folders that are no part of the repository.
const NOT_OURS: [&str; 4] = ["target", "data", ".git", "mutants.out"];

/// Every text of the repository with its path, but for the lock file, which Cargo writes.
fn texts() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    walk(root(), &mut files);
    files.retain(|path| path.file_name().is_some_and(|name| name != "Cargo.lock"));
    files.sort();
    files.into_iter().filter_map(|path| Some((path.clone(), fs::read_to_string(path).ok()?))).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder that can be read") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ours = !["node_modules", ".venv"].contains(&name)
            && (folder != root() || !NOT_OURS.iter().any(|other| name.starts_with(other)));
        if path.is_dir() && ours {
            walk(&path, files);
        } else if path.is_file() && ours {
            files.push(path);
        }
    }
}

fn documents() -> Vec<(PathBuf, String)> {
    texts()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

#[test]
fn no_file_names_a_package_registry_or_a_place_outside_the_repository() {
    // Put together here, so that this file names none of them either.
    let words = [
        ["crates", ".io"].concat(),
        ["docs", ".rs/"].concat(),
        ["npmjs", ".com"].concat(),
        ["npmjs", ".org"].concat(),
        ["pypi", ".org"].concat(),
        ["docker", ".io"].concat(),
        ["ghcr", ".io"].concat(),
        ["proxy.golang", ".org"].concat(),
        ["/work/", "shared"].concat(),
        ["/work/", "main"].concat(),
        ["/work/", "wt"].concat(),
        ["HOUSE", ".md"].concat(),
        ["DESIGN", ".md"].concat(),
        ["TRAPS", ".md"].concat(),
    ];
    let mut broken = Vec::new();
    for (path, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            broken.extend(
                words
                    .iter()
                    .filter(|word| line.contains(word.as_str()))
                    .map(|word| format!("{}:{}: names {word}", path.display(), number + 1)),
            );
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_relative_link_of_a_document_leads_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in documents() {
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().expect("a document lies in a folder").join(file),
            };
            if !target.exists() {
                broken.push(format!("{}: {link} is not there", path.display()));
            } else if !anchor.is_empty() && !anchors(&target).contains(anchor) {
                broken.push(format!("{}: {link} has no such heading", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_page_of_the_documentation_is_reached_from_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let linked: BTreeSet<&str> = links(&readme).map(|link| link.split('#').next().unwrap_or(link)).collect();
    let pages = fs::read_dir(root().join("docs")).expect("docs");
    let pages = pages.map(|entry| format!("docs/{}", entry.expect("an entry").file_name().to_string_lossy()));
    let lost: Vec<_> =
        pages.filter(|page| page.ends_with(".md") && !linked.contains(page.as_str())).collect();
    assert!(lost.is_empty(), "README.md does not lead to {lost:?}");
}

/// The targets of Markdown links and images, outside code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    let prose = text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    });
    prose.flat_map(|line| {
        let targets = line.match_indices("](").filter_map(|(at, _)| line[at + 2..].split(')').next());
        targets.collect::<Vec<_>>()
    })
}

/// The anchors of a document's headings, as forges make them.
fn anchors(document: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(document).unwrap_or_default();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// The keys of `config/example.toml`, with the table they stand in: `""` and `dpop` for settings, `[[users]]` and
/// the like for what is declared. Keys that are commented out count.
fn example_keys() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("config/example.toml")).expect("config/example.toml");
    let mut table = String::new();
    let mut keys = Vec::new();
    for line in text.lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        if line.starts_with('[') {
            table = line.trim_end().to_owned();
            continue;
        }
        let Some((key, _)) = line.split_once(" = ") else { continue };
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !key.is_empty() && key.chars().all(plain) {
            keys.push((table.clone(), key.to_owned()));
        }
    }
    assert!(keys.len() > 50, "{keys:?}");
    keys
}

/// The settings and their defaults as they are written in `config/default.toml`.
fn defaults() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("config/default.toml")).expect("config/default.toml");
    let mut table = String::new();
    let mut defaults = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            table = format!("{name}.");
        } else if let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            defaults.push((format!("{table}{key}"), value.to_owned()));
        }
    }
    assert!(defaults.len() > 15, "{defaults:?}");
    defaults
}

#[test]
fn the_configuration_page_names_every_key_of_the_example() {
    let page = fs::read_to_string(root().join("docs/configuration.md")).expect("docs/configuration.md");
    let free = [
        "[resource_servers.scopes]",
        "[details_types.schema",
        "[details_types.narrowing]",
        "[details_types.words.",
    ];
    let missing: Vec<_> = example_keys()
        .into_iter()
        .filter(|(table, _)| !free.iter().any(|free| table.starts_with(free)))
        .filter(|(table, key)| {
            let key = match table.strip_prefix('[').filter(|table| !table.starts_with('[')) {
                Some(table) if !table.contains('.') => format!("{}.{key}", table.trim_end_matches(']')),
                _ => key.clone(),
            };
            !page.contains(&format!("`{key}`"))
        })
        .collect();
    assert!(missing.is_empty(), "docs/configuration.md does not name {missing:?}");
}

#[test]
fn the_configuration_page_gives_the_defaults_that_are_built_in() {
    let page = fs::read_to_string(root().join("docs/configuration.md")).expect("docs/configuration.md");
    let wrong: Vec<_> = defaults()
        .into_iter()
        .filter(|(key, value)| {
            let row = format!("| `{key}` | `{value}` |");
            !page.lines().any(|line| line.starts_with(&row))
        })
        .collect();
    assert!(wrong.is_empty(), "docs/configuration.md has no row that begins with {wrong:?}");
}

#[test]
fn the_audit_page_says_of_every_action_what_the_vocabulary_says() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("a file of ours");
    let law = read("server/protocol/src/audit.rs");
    let actions =
        law.split("pub enum Action {").nth(1).expect("the actions").split("\n}").next().unwrap_or_default();
    let mut means = "";
    let mut rows = Vec::new();
    for line in actions.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            means = text;
        } else if let Some(rename) = line.strip_prefix("#[serde(rename = \"") {
            rows.push(format!("| `{}` | {means} |", rename.trim_end_matches("\")]")));
        }
    }
    assert!(rows.len() > 60, "{rows:?}");
    let page = read("docs/audit.md");
    let listed = page.split("## Actions").nth(1).expect("the actions").lines();
    let listed: Vec<&str> =
        listed.filter(|line| line.starts_with("| `") && !line.starts_with("| `action`")).collect();
    assert_eq!(listed, rows);
}

#[test]
fn the_openapi_document_lists_the_paths_of_the_admin_api_and_no_others() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("a file of ours");
    let router = read("server/src/router.rs");
    let admin =
        router.split("fn admin_api()").nth(1).expect("its paths").split("\n}").next().unwrap_or_default();
    let routed: BTreeSet<String> = admin
        .split(".route(&v1(\"")
        .skip(1)
        .flat_map(|route| {
            let (path, methods) = route.split_once('"').unwrap_or_default();
            let names = ["get", "post", "put", "patch", "delete"];
            names
                .into_iter()
                .filter(|name| {
                    methods.contains(&format!(" {name}(")) || methods.contains(&format!(".{name}("))
                })
                .map(|name| format!("{name} /admin/api/v1{path}"))
                .collect::<Vec<_>>()
        })
        .collect();
    let document: serde_json::Value =
        serde_json::from_str(&read("server/src/endpoints/admin_api/openapi.json")).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let listed: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().expect("an item").keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    assert!(routed.len() > 5, "{routed:?}");
    assert_eq!(routed, listed);
}

//! The page of requirements: what it names is there, is run, and is counted right.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::root;

const PAGE: &str = "docs/conformance.md";

/// One requirement, as the page tells it.
struct Row<'p> {
    id: &'p str,
    what: &'p str,
    section: &'p str,
    shown_by: &'p str,
    /// The heading it stands under.
    specification: &'p str,
}

/// What shows that a requirement is kept.
enum Shown<'p> {
    /// The suite, and tests of what it cannot see.
    Suite(Vec<&'p str>),
    Tests(Vec<&'p str>),
    LeftOut(&'p str),
}

impl<'p> Row<'p> {
    fn shown(&self) -> Shown<'p> {
        if let Some(reason) = self.shown_by.strip_prefix("left out:") {
            return Shown::LeftOut(reason.trim());
        }
        let mut tests: Vec<_> = self.shown_by.split(", ").map(|test| test.trim_matches('`')).collect();
        if tests.first() == Some(&"the suite") {
            Shown::Suite(tests.split_off(1))
        } else {
            Shown::Tests(tests)
        }
    }
}

/// The cells of a line of a table; none where it is no such line.
fn cells(line: &str) -> Vec<&str> {
    let inner = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |"));
    inner.map(|inner| inner.split(" | ").collect()).unwrap_or_default()
}

fn rows(page: &str) -> Vec<Row<'_>> {
    let (mut specification, mut rows) = ("", Vec::new());
    for line in page.lines() {
        specification = line.strip_prefix("## ").unwrap_or(specification);
        if let &[id, what, section, shown_by] = cells(line).as_slice()
            && ["R-", "P-"].iter().any(|kind| id.starts_with(kind))
        {
            rows.push(Row { id, what, section, shown_by, specification });
        }
    }
    rows
}

/// How many requirements there are under a heading: all, by the suite, by tests, left out.
type Counts<'p> = BTreeMap<&'p str, [usize; 4]>;

/// What the table of numbers says.
fn told(page: &str) -> Counts<'_> {
    let mut told = Counts::new();
    for line in page.lines() {
        let &[name, all, suite, tests, left_out] = cells(line).as_slice() else { continue };
        let numbers = [all, suite, tests, left_out].map(str::parse);
        if let [Ok(all), Ok(suite), Ok(tests), Ok(left_out)] = numbers {
            let name = name.trim_start_matches('[').split(']').next().unwrap_or(name);
            told.insert(name, [all, suite, tests, left_out]);
        }
    }
    told
}

/// What the rows come to.
fn counted<'p>(rows: &[Row<'p>]) -> Counts<'p> {
    let mut counted = Counts::new();
    for row in rows {
        let kind = match row.shown() {
            Shown::Suite(_) => 1,
            Shown::Tests(_) => 2,
            Shown::LeftOut(_) => 3,
        };
        for name in [row.specification, "all"] {
            let counts = counted.entry(name).or_default();
            counts[0] += 1;
            counts[kind] += 1;
        }
    }
    counted
}

/// What is wrong with a test that is named as `path::function`, if anything. `read` gives the text of a file.
fn wrong_with(test: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let Some((path, function)) = test.split_once("::") else {
        return Some(format!("{test} names no function"));
    };
    let Some(text) = read(path) else { return Some(format!("{path} is not there")) };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_it = |line: &str| {
        let rest = line
            .trim_start_matches("async ")
            .strip_prefix("fn ")
            .and_then(|line| line.strip_prefix(function));
        rest.is_some_and(|rest| rest.starts_with('('))
    };
    let Some(at) = lines.iter().position(|line| is_it(line)) else {
        return Some(format!("{path} has no function {function}"));
    };
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("///"));
    let above: Vec<&str> = above.copied().collect();
    if above.iter().any(|line| line.starts_with("#[ignore")) {
        return Some(format!("{test} is ignored"));
    }
    let marked =
        ["#[test]", "#[tokio::test"].iter().any(|mark| above.iter().any(|line| line.starts_with(mark)));
    // One that is run on both databases is named in a list instead.
    let listed = text.split("on_both_databases! {").skip(1).any(|list| {
        list.split('}').next().unwrap_or_default().split(',').any(|name| name.trim() == function)
    });
    (!marked && !listed).then(|| format!("{test} is no test"))
}

/// Everything that is wrong with the page. `checks` are the suite's: id, section, sentence.
fn problems(page: &str, checks: &[(&str, &str, &str)], read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let rows = rows(page);
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for row in &rows {
        let id = row.id;
        if !seen.insert(id) {
            problems.push(format!("{id} stands twice"));
        }
        if row.what.is_empty() || row.section.is_empty() {
            problems.push(format!("{id} says nothing, or not where"));
        }
        let check = checks.iter().find(|(known, _, _)| *known == id);
        if let Some((_, section, sentence)) = check
            && (row.section, row.what) != (*section, *sentence)
        {
            problems.push(format!("{id}: the suite says {sentence:?}, {section}"));
        }
        match (row.shown(), check) {
            (Shown::Suite(_), None) => problems.push(format!("{id} is not in the suite")),
            (Shown::Tests(_) | Shown::LeftOut(_), Some(_)) => {
                problems.push(format!("{id} is in the suite, and the page does not say so"));
            }
            (Shown::Suite(tests), Some(_)) | (Shown::Tests(tests), None) => {
                problems.extend(tests.iter().filter_map(|test| wrong_with(test, read)));
            }
            (Shown::LeftOut(reason), None) if reason.len() < 10 || reason.contains("no test yet") => {
                problems.push(format!("{id} is left out without a reason"));
            }
            (Shown::LeftOut(_), None) => {}
        }
    }
    let missing = checks.iter().filter(|(id, _, _)| !seen.contains(id));
    problems.extend(missing.map(|(id, _, _)| format!("{id} of the suite is not on the page")));
    let (told, counted) = (told(page), counted(&rows));
    if told != counted {
        problems.push(format!("the numbers are told as {told:?}, and are {counted:?}"));
    }
    problems
}

fn of_the_repository(path: &str) -> Option<String> {
    fs::read_to_string(root().join(path)).ok()
}

#[test]
fn the_page_of_requirements_names_what_is_there() {
    let page = of_the_repository(PAGE).expect(PAGE);
    let checks: Vec<_> =
        conformance::checks().map(|check| (check.id, check.section, check.sentence)).collect();
    assert!(rows(&page).len() > 550, "{}", rows(&page).len());
    let problems = problems(&page, &checks, &of_the_repository);
    assert!(problems.is_empty(), "{PAGE}:\n{}", problems.join("\n"));
}

#[test]
fn what_is_wrong_with_a_page_of_requirements_is_found() {
    const GOOD: &str = "| [One](#one) | 4 | 1 | 2 | 1 |\n| all | 4 | 1 | 2 | 1 |\n\n## One\n\n\
        | R-1-1 | It is so. | §1 | the suite |\n\
        | R-1-2 | So it is. | §2 | `a.rs::it_is`, `a.rs::it_is_everywhere` |\n\
        | R-1-3 | And so. | §2 | `a.rs::it_is` |\n\
        | P-1-4 | Or not. | §3 | left out: there is no such thing |\n";
    const SOURCE: &str = "on_both_databases! {\n    it_is_everywhere,\n}\n\nasync fn it_is_everywhere(database: Database) {}\n\n\
        /// Yes.\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn it_is() {}\n\n#[test]\n#[ignore = \"for eyes\"]\n\
        fn it_was() {}\n\nfn helps() {}\n";
    let read = |path: &str| (path == "a.rs").then(|| SOURCE.to_owned());
    let checks = [("R-1-1", "§1", "It is so.")];
    let found = |page: &str| problems(page, &checks, &read).join("; ");
    assert_eq!(found(GOOD), "");
    for (from, to, told) in [
        ("the suite |\n", "`a.rs::it_is` |\n", "R-1-1 is in the suite"),
        ("`a.rs::it_is` |\n", "the suite |\n", "R-1-3 is not in the suite"),
        ("| R-1-1 ", "| R-1-9 ", "R-1-1 of the suite is not on the page"),
        ("It is so.", "It was so.", "R-1-1: the suite says"),
        ("| R-1-3 ", "| R-1-2 ", "R-1-2 stands twice"),
        ("left out: there is no such thing", "left out:", "P-1-4 is left out without a reason"),
        ("the suite |\n", "the suite, `a.rs::helps` |\n", "a.rs::helps is no test"),
        ("`a.rs::it_is` |\n", "`b.rs::it_is` |\n", "b.rs is not there"),
        ("`a.rs::it_is` |\n", "`a.rs::it` |\n", "a.rs has no function it"),
        ("`a.rs::it_is` |\n", "`a.rs::it_was` |\n", "a.rs::it_was is ignored"),
        ("`a.rs::it_is` |\n", "`a.rs::helps` |\n", "a.rs::helps is no test"),
        ("`a.rs::it_is` |\n", "`a.rs` |\n", "a.rs names no function"),
        ("| all | 4 | 1 | 2 | 1 |", "| all | 4 | 1 | 1 | 2 |", "the numbers are told as"),
        ("[One](#one) | 4", "[One](#one) | 5", "the numbers are told as"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let problems = found(&GOOD.replacen(from, to, 1));
        assert!(problems.contains(told), "{from} -> {to}: {problems}");
    }
}

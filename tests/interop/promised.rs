//! What `docs/clients.md` says that each library can do here.

use std::collections::BTreeSet;
use std::path::Path;

/// The page that makes the promises.
const PAGE: &str = "docs/clients.md";
/// The section of it that holds the table.
const SECTION: &str = "## Libraries that are known to work";

/// The features that the table names for `library`, by the first column of their rows.
pub fn promised(library: &str) -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE);
    let page = std::fs::read_to_string(page).unwrap();
    features(&page, library)
}

fn features(page: &str, library: &str) -> BTreeSet<String> {
    let (_, section) = page.split_once(SECTION).unwrap_or_else(|| panic!("{PAGE} has no {SECTION}"));
    let mut rows = section.lines().skip_while(|line| !line.starts_with('|')).map_while(cells);
    let head = rows.next().unwrap_or_default();
    let library = format!("`{library}`");
    let column = head.iter().position(|cell| *cell == library);
    let column = column.unwrap_or_else(|| panic!("{PAGE} has no column for {library}"));
    let mut promised = BTreeSet::new();
    for row in rows.skip(1) {
        match row[column] {
            "yes" => assert!(promised.insert(row[0].to_owned()), "{PAGE}: {} has two rows", row[0]),
            "–" => (),
            other => panic!("{PAGE}: {} of {library} is neither yes nor –: {other}", row[0]),
        }
    }
    promised
}

/// The cells of a row; none where the table is over.
fn cells(line: &str) -> Option<Vec<&str>> {
    Some(line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect())
}

#[test]
fn a_table_is_read_by_its_column_and_to_its_end() {
    let page = "## Libraries that are known to work\n\nText.\n\n| | means | `a` | `b` |\n| --- | --- | --- | --- |\n\
                | PAR | one | yes | – |\n| JAR | two | – | yes |\n\nMore.\n\n| JARM | three | yes | yes |\n";
    assert_eq!(features(page, "a"), BTreeSet::from(["PAR".to_owned()]));
    assert_eq!(features(page, "b"), BTreeSet::from(["JAR".to_owned()]));
}

#[test]
#[should_panic(expected = "neither yes nor")]
fn a_cell_that_says_neither_is_noticed() {
    features("## Libraries that are known to work\n| | `a` |\n| --- | --- |\n| PAR | perhaps |\n", "a");
}

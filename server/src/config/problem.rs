//! What is wrong with a configuration: file, key, reason, on one line each.

use std::fmt;

/// One problem. Its reason quotes names, never a value that could be a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file, or `environment`.
    pub source: String,
    /// The key, such as `agents[2].owner`, or the name of the variable.
    pub key: String,
    /// What is wrong, and where it helps, what would be right.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.source, self.key, self.reason)
    }
}

impl std::error::Error for Problem {}

/// The problems found so far, and the file that declarations stand in.
#[derive(Debug)]
pub(super) struct Problems {
    pub(super) source: String,
    pub(super) found: Vec<Problem>,
}

impl Problems {
    /// A problem with something declared in the file.
    pub(super) fn add(&mut self, key: impl Into<String>, reason: impl fmt::Display) {
        let source = self.source.clone();
        self.add_from(source, key, reason);
    }

    /// A problem with something that may come from elsewhere.
    pub(super) fn add_from(
        &mut self,
        source: impl Into<String>,
        key: impl Into<String>,
        reason: impl fmt::Display,
    ) {
        let reason = reason.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        self.found.push(Problem { source: source.into(), key: key.into(), reason });
    }

    /// One declared thing, for problems with its keys.
    pub(super) fn at<'a>(&'a mut self, key: &'a str) -> Entry<'a> {
        Entry { problems: self, key }
    }
}

/// One declared thing, such as `clients[0]`.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    problems: &'a mut Problems,
    key: &'a str,
}

impl Entry<'_> {
    /// A problem with its key `field`.
    pub(super) fn no(&mut self, field: impl fmt::Display, reason: impl fmt::Display) {
        self.problems.add(format!("{}.{field}", self.key), reason);
    }

    /// Tells unless `right`.
    pub(super) fn check(&mut self, right: bool, field: impl fmt::Display, reason: impl fmt::Display) {
        if !right {
            self.no(field, reason);
        }
    }
}

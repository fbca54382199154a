//! What came out.

use std::fmt;

use serde::Serialize;

use crate::check::Level;

/// How one check came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The server does as it should.
    Pass,
    /// It does not, and must.
    Fail,
    /// It does not, and need not.
    Warning,
    /// It does not offer this.
    Skipped,
}

/// One line of the report.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The requirement.
    pub id: &'static str,
    /// How strictly it binds.
    pub level: Level,
    /// Where it stands.
    pub section: &'static str,
    /// What it says.
    pub sentence: &'static str,
    /// How it came out.
    pub outcome: Outcome,
    /// Why, unless it passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// All lines.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Of whom.
    pub issuer: String,
    /// In the order of the checks.
    pub lines: Vec<Line>,
}

impl Report {
    /// How many came out so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.lines.iter().filter(|line| line.outcome == outcome).count()
    }

    /// Whether the server does everything it must, as far as it was seen.
    #[must_use]
    pub fn is_conformant(&self) -> bool {
        self.count(Outcome::Fail) == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let outcome = match line.outcome {
                Outcome::Pass => "pass",
                Outcome::Fail => "FAIL",
                Outcome::Warning => "warning",
                Outcome::Skipped => "skipped",
            };
            writeln!(f, "{:<8} {:<11} {:<6} {}", outcome, line.id, line.level, line.sentence)?;
            if let Some(reason) = &line.reason {
                writeln!(f, "         {:<18} {reason}", line.section)?;
            }
        }
        let count = |outcome| self.count(outcome);
        writeln!(
            f,
            "\n{}: {} checks, {} passed, {} failed, {} warnings, {} skipped",
            self.issuer,
            self.lines.len(),
            count(Outcome::Pass),
            count(Outcome::Fail),
            count(Outcome::Warning),
            count(Outcome::Skipped)
        )
    }
}

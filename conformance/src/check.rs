//! A check: one requirement, asked of a server.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::Serialize;

use crate::world::World;

/// How strictly a requirement binds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Level {
    /// A text demands it, in capitals or because nothing else would interoperate.
    Must,
    /// A text recommends it.
    Should,
    /// The texts are silent; delegation is not safe without it.
    Policy,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Policy => "policy",
        })
    }
}

/// Why a check did not pass.
#[derive(Debug)]
pub enum Problem {
    /// The server does otherwise.
    Failed(String),
    /// The server does not offer it, or the profile has no client for it.
    Skipped(String),
}

impl<E: Into<anyhow::Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::Failed(format!("{:#}", error.into()))
    }
}

/// What a check comes to.
pub type Verdict = Result<(), Problem>;

/// What a check does.
pub type Run = for<'w> fn(&'w World) -> Pin<Box<dyn Future<Output = Verdict> + 'w>>;

/// One requirement.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name: `R-`, the specification, a number; `P-` where the texts are silent.
    pub id: &'static str,
    /// How strictly it binds.
    pub level: Level,
    /// Where it stands.
    pub section: &'static str,
    /// What it says.
    pub sentence: &'static str,
    /// Finds out.
    pub run: Run,
}

/// A failed check, unless the condition holds.
#[macro_export]
macro_rules! demand {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err($crate::check::Problem::Failed(format!($($words)+)));
        }
    };
}

/// A skipped check.
///
/// # Errors
/// Always.
pub fn skip<T>(reason: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Skipped(reason.into()))
}

/// The table of a specification's checks: id, level, section, sentence, function.
#[macro_export]
macro_rules! checks {
    ($($id:literal $level:ident $section:literal $sentence:literal => $run:path;)+) => {
        /// The checks of this specification.
        pub const CHECKS: &[$crate::check::Check] = &[$($crate::check::Check {
            id: $id,
            level: $crate::check::Level::$level,
            section: $section,
            sentence: $sentence,
            run: |world| Box::pin($run(world)),
        }),+];
    };
}

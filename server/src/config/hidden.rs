//! Texts of the configuration that are for nobody's eyes.

use std::fmt;

use serde::Deserialize;

/// A text that does not print: a database URL may hold a password, and a password hash is worth guessing at.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Hidden {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_text_does_not_print() {
        assert_eq!(format!("{:?}", Hidden::from("postgres://u:pw@db/x")), "Hidden(…)");
    }
}

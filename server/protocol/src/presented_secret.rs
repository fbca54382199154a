//! A text that somebody presented and that nobody may print: a password, a token, a code, an assertion.

use std::fmt;

/// What was presented. It has no `Display`, its `Debug` is blind, and it is not compared: proofs are checked by
/// their hash or their signature.
#[derive(Clone)]
pub struct PresentedSecret(Box<str>);

impl PresentedSecret {
    /// The text itself, for the one check it was presented for.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for PresentedSecret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for PresentedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresentedSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_presented_secret_does_not_print() {
        let secret = PresentedSecret::from("hush");
        assert_eq!(format!("{secret:?}"), "PresentedSecret(…)");
        assert_eq!(secret.reveal(), "hush");
    }
}

//! Recovery codes, shown once.

use askama::Template;

use super::page::Page;

/// The page, to be printed.
#[derive(Clone, Template)]
#[template(path = "recovery_codes.html")]
pub struct RecoveryCodesPage {
    /// The frame.
    pub page: Page,
    /// What the codes are for, so that the printed page says it.
    pub issuer: String,
    /// The codes.
    pub codes: Vec<String>,
}

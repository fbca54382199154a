//! The page at `/`: what this server is.

use askama::Template;

use super::page::Page;

/// The home page.
#[derive(Clone, Debug, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    /// The frame.
    pub page: Page,
    /// The issuer identifier (RFC 8414 §2).
    pub issuer: String,
}

//! The page that posts an authorization response to the client (Form Post Response Mode §2).

use askama::Template;

use super::page::Page;

/// A form that sends itself, where scripts run, and has a button where they do not.
#[derive(Clone, Debug, Template)]
#[template(path = "form_post.html")]
pub struct FormPostPage {
    /// The frame.
    pub page: Page,
    /// Where the form goes: the client's return address.
    pub action: String,
    /// The host there, for people.
    pub host: String,
    /// What is sent.
    pub fields: Vec<(String, String)>,
}

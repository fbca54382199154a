//! Every page with realistic content, and with hostile content, for the tests.

mod account;
mod admin;
mod admin_clients;
mod admin_details_types;
mod admin_endings;
mod admin_under;
mod afar;
mod consent;
mod federation;
mod outside;
mod security;

use protocol::numeric_date::NumericDate;

pub use consent::{consent, details, scopes};

use super::Language;

/// A page under a name.
pub struct Sample {
    pub name: &'static str,
    pub html: String,
}

/// What others wrote: as it is, or hostile. A hostile text still holds the harmless one.
#[derive(Clone, Copy)]
pub struct Theirs {
    pub hostile: bool,
}

impl Theirs {
    fn s(self, text: &str) -> String {
        if self.hostile { format!("{text}<script>alert(1)</script>\"'\u{202e}") } else { text.to_owned() }
    }

    fn some(self, text: &str) -> Option<String> {
        Some(self.s(text))
    }
}

const NOW: NumericDate = NumericDate(1_796_000_000);

/// Pages under their names, rendered.
type Samples = Vec<(&'static str, askama::Result<String>)>;

/// Every page in every state.
pub fn all(language: Language, t: Theirs) -> Vec<Sample> {
    let rooms = [
        outside::samples,
        federation::samples,
        consent::samples,
        security::samples,
        account::samples,
        afar::samples,
        admin::samples,
        admin_clients::samples,
        admin_under::samples,
        admin_details_types::samples,
        admin_endings::samples,
    ];
    let samples = rooms.iter().flat_map(|samples| samples(language, t));
    samples.map(|(name, html)| Sample { name, html: html.unwrap() }).collect()
}

/// The pages in both languages, as friendly people fill them.
pub fn friendly() -> Vec<Sample> {
    Language::ALL.into_iter().flat_map(|language| all(language, Theirs { hostile: false })).collect()
}

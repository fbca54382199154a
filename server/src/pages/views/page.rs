//! What every page has: a language, and perhaps somebody who is signed in.

use protocol::numeric_date::NumericDate;

use super::language::{Argument, Language, Piece};
use super::moment::Moment;

/// The frame of a page.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// The language that it speaks.
    pub language: Language,
    /// The name of the user who is signed in; none before that, and on pages that do not ask.
    pub user_name: Option<String>,
    /// Whether that user may see the admin pages.
    pub admin: bool,
    /// Whether this is a test server, which says so on each page.
    pub test_server: bool,
}

impl Page {
    /// A page for somebody we do not know yet.
    #[must_use]
    pub const fn new(language: Language) -> Self {
        Self { language, user_name: None, admin: false, test_server: false }
    }

    /// A page for the user of this name.
    #[must_use]
    pub fn for_user(language: Language, name: impl Into<String>, admin: bool) -> Self {
        Self { user_name: Some(name.into()), admin, ..Self::new(language) }
    }

    /// The words under `key`.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        self.language.t(key)
    }

    /// The words under `key`, filled with values of ours.
    #[must_use]
    pub fn t_with(&self, key: &str, arguments: &[(&'static str, Argument<'_>)]) -> String {
        self.language.t_with(key, arguments)
    }

    /// The words under `key` with a `$count` in them.
    #[must_use]
    pub fn t_count<N: Copy + Into<i64>>(&self, key: &str, count: &N) -> String {
        self.t_with(key, &[("count", Argument::Number((*count).into()))])
    }

    /// The words under `key` with a `$name` of somebody in them.
    #[must_use]
    pub fn t_name(&self, key: &str, name: &str) -> Vec<Piece> {
        self.language.sentence(key, &[("name", name)])
    }

    /// A date as this page shows it.
    #[must_use]
    pub fn moment(&self, date: &NumericDate) -> Moment {
        Moment::of(*date, self.language)
    }
}

//! The page that says why there is nothing else to see. It never looks like a page that asks for something.

use askama::Template;

use super::page::Page;

/// The error page.
#[derive(Clone, Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// The frame.
    pub page: Page,
    /// What happened, for the person.
    pub what: WhatHappened,
    /// The error code, for the developer (RFC 6749 §4.1.2.1), such as `invalid_request`.
    pub code: Option<String>,
    /// The sentence beside the code, for the developer.
    pub description: Option<String>,
    /// The request, for whoever is asked for help.
    pub request_id: String,
}

/// What happened, as far as it concerns the person in front of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhatHappened {
    /// An application sent the person here with a request that cannot be trusted.
    RequestRefused,
    /// A one-time link was used already, or is too old.
    LinkUsed,
    /// What the person was doing here is no longer waiting: too old, or finished elsewhere.
    NoLongerWaiting,
    /// The form came from another place, or is too old.
    FormRefused,
    /// The page is not for this user.
    NotAllowed,
    /// There is no such page.
    NotFound,
    /// Too many requests.
    TooMany,
    /// Something of ours is broken.
    Broken,
}

impl WhatHappened {
    /// Everything that can happen.
    pub const ALL: [Self; 8] = [
        Self::RequestRefused,
        Self::LinkUsed,
        Self::NoLongerWaiting,
        Self::FormRefused,
        Self::NotAllowed,
        Self::NotFound,
        Self::TooMany,
        Self::Broken,
    ];

    /// The heading.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::RequestRefused => "error-request-refused",
            Self::LinkUsed => "error-link-used",
            Self::NoLongerWaiting => "error-no-longer-waiting",
            Self::FormRefused => "error-form-refused",
            Self::NotAllowed => "error-not-allowed",
            Self::NotFound => "error-not-found",
            Self::TooMany => "error-too-many",
            Self::Broken => "error-broken",
        }
    }

    /// What the person can do about it.
    #[must_use]
    pub const fn advice_key(self) -> &'static str {
        match self {
            Self::RequestRefused => "error-request-refused-advice",
            Self::LinkUsed => "error-link-used-advice",
            Self::NoLongerWaiting => "error-no-longer-waiting-advice",
            Self::FormRefused => "error-form-refused-advice",
            Self::NotAllowed => "error-not-allowed-advice",
            Self::NotFound => "error-not-found-advice",
            Self::TooMany => "error-too-many-advice",
            Self::Broken => "error-broken-advice",
        }
    }
}

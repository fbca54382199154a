//! What the pages show: plain values with a template each. Nothing here decides, reads the clock or knows HTTP.
//!
//! Every word of ours comes from `locales/`, in each [`Language`]. Every word of somebody else's (a client's name, a
//! purpose, a detail) is escaped by askama and set apart by `<bdi>`, so that it can neither bring markup nor turn
//! the words around it.

mod account;
mod admin;
mod consent;
mod duration;
mod error;
mod federation;
mod home;
mod language;
mod moment;
mod page;
#[cfg(test)]
mod samples;
mod set_password;
mod sign_in;
mod sign_out;
#[cfg(test)]
mod tests;

pub use account::{
    AccountPage, ConsentEnd, ConsentSummary, EndedConsent, Kind, LiveTokens, Permitted, TaskSummary,
};
pub use admin::{AdminPage, AgentRow, AuditRow, ConsentRow};
pub use consent::{
    ActorInWords, Asked, ConsentPage, ConsentRefused, DetailEntry, ResourceInWords, ScopeEntry,
};
pub use duration::OfferedDuration;
pub use error::{ErrorPage, WhatHappened};
pub use federation::{
    ConnectionsPage, LeavingPage, LinkedUpstream, UpstreamButton, UpstreamTrouble, UpstreamTroublePage,
};
pub use home::HomePage;
pub use language::{Argument, Language, Piece, language_of};
pub use moment::Moment;
pub use page::Page;
pub use set_password::{PasswordRefused, SHORTEST_PASSWORD, SetPasswordPage};
pub use sign_in::{SignInPage, SignInRefused};
pub use sign_out::{SignOutPage, SignedOutPage};

/// The one stylesheet, served as `/assets/procura.css` with `text/css`.
pub const CSS: &str = include_str!("../../../../templates/procura.css");

/// The mark, served as `/assets/logo.svg` with `image/svg+xml`.
pub const LOGO: &str = include_str!("../../../../templates/logo.svg");

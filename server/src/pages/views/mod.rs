//! What the pages show: plain values with a template each. Nothing here decides, reads the clock or knows HTTP.
//!
//! Every word of ours comes from `locales/`, in each [`Language`]. Every word of somebody else's (a client's name, a
//! purpose, a detail) is escaped by askama and set apart by `<bdi>`, so that it can neither bring markup nor turn
//! the words around it.

mod account;
mod admin;
mod change_password;
mod consent;
mod duration;
mod error;
mod federation;
mod forgot_password;
mod home;
mod language;
mod moment;
mod page;
mod passkey;
mod recovery_codes;
#[cfg(test)]
mod samples;
mod second_factor;
mod security;
mod set_password;
mod sign_in;
mod sign_out;
#[cfg(test)]
mod tests;
mod totp;

pub use account::{
    AccountPage, ConsentEnd, ConsentSummary, EndedConsent, Kind, LiveTokens, Permitted, TaskSummary,
};
pub use admin::{AdminPage, AgentRow, AuditRow, ConsentRow, UserRow};
pub use change_password::{ChangePasswordPage, ChangeRefused};
pub use consent::{
    ActorInWords, Asked, ConsentPage, ConsentRefused, DetailEntry, ResourceInWords, ScopeEntry,
};
pub use duration::OfferedDuration;
pub use error::{ErrorPage, WhatHappened};
pub use federation::{
    ConnectionsPage, LeavingPage, LinkedUpstream, UpstreamButton, UpstreamTrouble, UpstreamTroublePage,
};
pub use forgot_password::{ForgotPasswordPage, ResetLinkPage, forgot_mail};
pub use home::HomePage;
pub use language::{Argument, Language, Piece, language_of};
pub use moment::Moment;
pub use page::Page;
pub use passkey::{AddPasskeyPage, PasskeyRefused};
pub use recovery_codes::RecoveryCodesPage;
pub use second_factor::{SecondFactorPage, SecondFactorRefused};
pub use security::{PasskeyRow, Said, SecurityPage, SessionRow};
pub use set_password::{PasswordRefused, SetPasswordPage};
pub use sign_in::{SignInPage, SignInRefused};
pub use sign_out::{SignOutPage, SignedOutPage};
pub use totp::{AddTotpPage, Square, TotpRefused};

/// The one stylesheet, served as `/assets/procura.css` with `text/css`.
pub const CSS: &str = include_str!("../../../../templates/procura.css");

/// What asks the browser for passkeys, served as `/assets/passkeys.js` with `text/javascript`.
pub const PASSKEYS: &str = include_str!("../../../../templates/passkeys.js");

/// The mark, served as `/assets/logo.svg` with `image/svg+xml`.
pub const LOGO: &str = include_str!("../../../../templates/logo.svg");

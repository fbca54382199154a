//! What the pages show: plain values with a template each. Nothing here decides, reads the clock or knows HTTP.
//!
//! Every word of ours comes from `locales/`, in each [`Language`]. Every word of somebody else's (a client's name, a
//! purpose, a detail) is escaped by askama and set apart by `<bdi>`, so that it can neither bring markup nor turn
//! the words around it.

mod account;
mod account_tasks;
mod admin;
mod admin_clients;
mod admin_consent;
mod admin_details_types;
mod admin_endings;
mod admin_held;
mod admin_task;
mod afar;
mod allowed;
mod approval;
mod change_password;
mod client_marks;
mod consent;
mod duration;
mod error;
mod federation;
mod forgot_password;
mod form_post;
mod home;
mod language;
mod moment;
mod page;
mod passkey;
pub mod question_mail;
mod recovery_codes;
#[cfg(test)]
mod samples;
mod second_factor;
mod security;
mod select_account;
mod set_password;
mod sign_in;
mod sign_out;
mod task_tree;
#[cfg(test)]
mod tests;
mod totp;
mod what_ended;

pub use account::{
    AccountPage, ConsentEnd, ConsentSummary, EndedConsent, JustDone, Kind, LiveTokens, Permitted,
};
pub use account_tasks::{AccountTaskPage, TaskStep};
pub use admin::{AdminPage, AgentRow, AuditRow, ConsentRow, TaskRow, UserRow};
pub use admin_clients::{AdminClientPage, AdminClientsPage, ClientRow, EndingLink, InstanceRow, VouchedFor};
pub use admin_consent::{AdminConsentPage, ClientLink};
pub use admin_details_types::{
    AdminDetailsTypePage, AdminDetailsTypesPage, DetailsTypeRow, FieldRow, Preview, RiskRow, VersionRow,
};
pub use admin_endings::{AdminEndedPage, AdminEndingPage, EndingInWords};
pub use admin_held::{Bound, Held, HeldRow};
pub use admin_task::AdminTaskPage;
pub use afar::{Answered, ApprovalsPage, DevicePage, UserCodeRefused, UserCodeTold, WaitingEntry};
pub use allowed::Allowed;
pub use approval::{ApprovalPage, DestinationInWords, TaskInWords};
pub use change_password::{ChangePasswordPage, ChangeRefused};
pub use client_marks::{ClientMarks, Introduced};
pub use consent::{
    ActorInWords, Afar, Asked, ConsentPage, ConsentRefused, DetailEntry, Mark, ResourceInWords, ScopeEntry,
    Standing, StandingEntry, claim_key,
};
pub use duration::OfferedDuration;
pub use error::{ErrorPage, WhatHappened};
pub use federation::{
    ConnectionsPage, LeavingPage, LinkedUpstream, UpstreamButton, UpstreamTrouble, UpstreamTroublePage,
};
pub use forgot_password::{ForgotPasswordPage, ResetLinkPage, forgot_mail};
pub use form_post::FormPostPage;
pub use home::HomePage;
pub use language::{Argument, Language, Piece, language_of};
pub use moment::Moment;
pub use page::Page;
pub use passkey::{AddPasskeyPage, PasskeyRefused};
pub use recovery_codes::RecoveryCodesPage;
pub use second_factor::{SecondFactorPage, SecondFactorRefused};
pub use security::{PasskeyRow, Said, SecurityPage, SessionRow};
pub use select_account::SelectAccountPage;
pub use set_password::{PasswordRefused, SetPasswordPage};
pub use sign_in::{SignInPage, SignInRefused};
pub use sign_out::{SignOutPage, SignedOutPage};
pub use task_tree::TaskSummary;
pub use totp::{AddTotpPage, Square, TotpRefused};
pub use what_ended::{EndedLine, WhatEnded};

/// The one stylesheet, served as `/assets/procura.css` with `text/css`.
pub const CSS: &str = include_str!("../../../../templates/procura.css");

/// The script that sends a form on, served as `/assets/form_post.js` with `text/javascript`.
pub const FORM_POST: &str = include_str!("../../../../templates/form_post.js");
/// What asks the browser for passkeys, served as `/assets/passkeys.js` with `text/javascript`.
pub const PASSKEYS_JS: &str = include_str!("../../../../templates/passkeys.js");

/// The mark, served as `/assets/logo.svg` with `image/svg+xml`.
pub const LOGO: &str = include_str!("../../../../templates/logo.svg");

/// The script of the signed-out page, served as `/assets/signed-out.js`.
pub const SIGNED_OUT_JS: &str = include_str!("../../../../templates/signed_out.js");

/// The page that clients' pages hold in a frame, served as `/check-session`.
pub const CHECK_SESSION: &str = include_str!("../../../../templates/check_session.html");

/// Its script, served as `/assets/check-session.js`.
pub const CHECK_SESSION_JS: &str = include_str!("../../../../templates/check_session.js");

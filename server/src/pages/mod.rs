//! Doors for people: what a browser is shown, and what it sends back.

pub mod account;
pub mod account_tasks;
pub mod admin;
pub mod admin_clients;
pub mod admin_details_types;
pub mod admin_endings;
mod afar;
pub mod approvals;
pub mod assets;
pub mod authorize;
pub mod browser_state;
pub mod client_marks;
pub mod consent;
mod deferral;
pub mod device;
pub mod federation;
pub mod forgot_password;
pub mod home;
pub mod page;
pub mod question_mail;
pub mod security;
pub mod select_account;
pub mod session_store;
pub mod set_password;
pub mod sign_in;
pub mod sign_out;
pub mod views;

//! Doors for people: what a browser is shown, and what it sends back.

pub mod account;
pub mod admin;
pub mod assets;
pub mod authorize;
pub mod consent;
pub mod federation;
pub mod forgot_password;
pub mod home;
pub mod page;
pub mod security;
pub mod session_store;
pub mod set_password;
pub mod sign_in;
pub mod sign_out;
pub mod views;

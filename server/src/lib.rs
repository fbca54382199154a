//! Procura: an OAuth 2.0 authorization server and OpenID Provider whose first-class subject is delegation.

pub mod app;
pub mod attempts;
pub mod caller;
pub mod cli;
pub mod clock;
pub mod config;
pub mod failure;
pub mod grants;
pub mod jose;
pub mod pages;
pub mod registry;
pub mod secret;
pub mod store;
pub mod tasks;
pub mod tokens;

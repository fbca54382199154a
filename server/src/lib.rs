//! Procura: an OAuth 2.0 authorization server and OpenID Provider whose first-class subject is delegation.

pub mod cli;
pub mod clock;
pub mod config;
pub mod jose;
pub mod pages;
pub mod secret;
pub mod store;

//! Procura: an OAuth 2.0 authorization server and OpenID Provider whose first-class subject is delegation.

pub mod app;
pub mod approvals;
pub mod attempts;
pub mod authorization;
pub mod caller;
pub mod cli;
pub mod clock;
pub mod config;
pub mod endpoints;
pub mod failure;
pub mod federation;
pub mod grants;
pub mod jose;
pub mod outbound;
pub mod pages;
pub mod registry;
pub mod router;
pub mod secret;
pub mod serve;
pub mod sign_in;
pub mod start;
pub mod store;
pub mod tasks;
pub mod tokens;
pub mod upstreams;
pub mod visit;

//! Procura: an OAuth 2.0 authorization server and OpenID Provider whose first-class subject is delegation.

pub mod clock;
pub mod pages;
pub mod secret;

//! The laws of the protocol crate, each a property test and a sentence.

mod authorization;
mod delegation;
mod details;
mod dpop;
mod params;
mod parsers;
mod prompt;
mod redirect_uri;
mod world;

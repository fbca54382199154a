//! The laws of the protocol crate, each a property test and a sentence.

mod delegation;
mod details;
mod world;

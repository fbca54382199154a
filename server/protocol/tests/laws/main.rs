//! The laws of the protocol crate, each a property test and a sentence.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

mod approval;
mod authorization;
mod delegation;
mod details;
mod dpop;
mod grant_management;
mod key_rotation;
mod params;
mod parsers;
mod prompt;
mod receipts;
mod redirect_uri;
mod registration;
mod request_object;
mod status_list;
mod tasks;
mod transaction_tokens;
mod workload;
mod world;

//! The examples that the specifications print, as fixtures: what they say is a challenge, a thumbprint, a proof or
//! a chain is one for us.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod authorization_details;
mod client_credentials;
mod dpop;
mod id_token;
mod pkce;
mod token_exchange;

use protocol::params::Params;
use serde_json::{Map, Value};

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap()
}

/// A form as the specifications print it, with line breaks for display.
fn form(lines: &str) -> Params {
    let joined: String = lines.lines().map(str::trim).collect();
    Params::parse(joined.as_bytes()).unwrap()
}

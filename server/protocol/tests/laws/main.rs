//! Laws: what holds for every input, each a sentence and a property.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod dpop;
mod params;
mod parsers;
mod prompt;
mod redirect_uri;

//! Doors for people: what a browser is shown.

pub mod views;

//! What the command line does beside opening the house.

pub mod config_check;

//! `[tasks]`.

use std::num::NonZeroU32;

use serde::Deserialize;

/// How many tasks there may be, and how they are told of.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaskSettings {
    /// How many tasks may be open under one consent at the same time.
    pub most_open: NonZeroU32,
    /// How many parts a task may be given away in, ended ones included.
    pub most_children: NonZeroU32,
    /// How many tasks are kept under one consent, parts and ended ones included.
    pub most_kept: NonZeroU32,
    /// Whether tokens of a task carry it as a `mission` too.
    pub mission_claim: bool,
}

impl Default for TaskSettings {
    fn default() -> Self {
        Self {
            most_open: NonZeroU32::MIN.saturating_add(99),
            most_children: NonZeroU32::MIN.saturating_add(19),
            most_kept: NonZeroU32::MIN.saturating_add(9_999),
            mission_claim: false,
        }
    }
}

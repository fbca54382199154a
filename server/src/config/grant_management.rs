//! `[grant_management]`.

use serde::Deserialize;

/// Grant Management for OAuth 2.0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrantManagementSettings {
    /// Whether authorization requests must say what becomes of the user's word.
    pub action_required: bool,
}

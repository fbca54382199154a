//! What somebody may do, entry by entry, as it was asked.

use super::account::Permitted;
use super::consent::{DetailEntry, ResourceInWords};

/// An authority in words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Allowed {
    /// The authorization details, each with its risk.
    pub details: Vec<DetailEntry>,
    /// The scopes.
    pub scopes: Vec<Permitted>,
    /// Where.
    pub resources: Vec<ResourceInWords>,
}

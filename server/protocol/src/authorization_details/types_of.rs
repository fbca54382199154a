//! The details types that each consent was given under, where they are not those of today.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::DetailsTypes;
use crate::consent::Consent;
use crate::identifier::ConsentId;

/// By consent, the details types that judge what is derived from it. A consent that is not named was given under
/// those of today.
#[derive(Clone, Debug, Default)]
pub struct TypesOf(BTreeMap<ConsentId, Arc<DetailsTypes>>);

impl TypesOf {
    /// Notes the details types of a consent.
    #[must_use]
    pub fn with(mut self, consent: &Consent, types: Arc<DetailsTypes>) -> Self {
        self.0.insert(consent.id.clone(), types);
        self
    }

    /// The details types that judge what is derived from this consent, where those of `today` may not be them.
    #[must_use]
    pub fn of<'a>(&'a self, consent: Option<&ConsentId>, today: &'a DetailsTypes) -> &'a DetailsTypes {
        consent.and_then(|id| self.0.get(id)).map_or(today, AsRef::as_ref)
    }
}

//! What one user allowed one actor to do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::authority::Authority;
use crate::authorization_details::AuthorizationDetail;
use crate::identifier::{ClientId, ConsentId, DetailsTypeName, UserId};
use crate::numeric_date::NumericDate;
use crate::standard_claims;

/// A consent: what was shown on the consent page, as far as the user approved it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Consent {
    /// The `grant_id` of Grant Management.
    pub id: ConsentId,
    /// Who allowed it.
    pub user: UserId,
    /// The client through which it was asked.
    pub client: ClientId,
    /// Who may act: often the client itself.
    pub actor: ClientId,
    /// What was allowed; `until` is the consent's own end.
    pub authority: Authority,
    /// The claims about the user that were asked for by name (`claims`, OpenID Connect Core §5.5).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub claims: BTreeSet<String>,
    /// The versions of the details types that it was given under; one that is not named is the first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<DetailsTypeName, u32>,
    /// What the actor may pass on to other actors.
    pub passing_on: PassingOn,
    /// Whether the actor may go on in the user's absence (`offline_access`).
    pub offline_access: bool,
    /// Whose word stands for the user's, where it was not asked here: the issuer of an identity assertion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brought_by: Option<String>,
    /// When it was given.
    pub created_at: NumericDate,
    /// Whether it still stands.
    pub state: ConsentState,
    /// Grows by one whenever something is added to it or takes the place of what it allowed.
    #[serde(default = "first")]
    pub version: u32,
}

/// The version of what was never changed.
const fn first() -> u32 {
    1
}

/// How far an authority may travel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassingOn {
    /// Not at all.
    No,
    /// To at most this many further actors, one after the other; at least 1.
    UpTo(u8),
}

impl PassingOn {
    /// To how many further actors, one after the other.
    #[must_use]
    pub const fn further(self) -> u8 {
        match self {
            Self::No => 0,
            Self::UpTo(more) => more,
        }
    }

    /// The longest chain of actors under the consent.
    #[must_use]
    pub const fn longest_chain(self) -> usize {
        match self {
            Self::No => 1,
            Self::UpTo(more) => 1 + more as usize,
        }
    }
}

/// Whether a consent stands. Ending it cannot be undone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// It stands until its time is over.
    Active,
    /// The user, the client or an admin ended it.
    Revoked,
}

impl Consent {
    /// Whether anything may still be derived from it.
    #[must_use]
    pub fn is_live(&self, now: NumericDate) -> bool {
        self.state == ConsentState::Active && !self.authority.until.is_over(now)
    }

    /// The version of each details type that it was given under: whatever is derived from it is judged by that, and
    /// read in the words of that, whatever the type says today.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<DetailsTypeName, u32> {
        let version = |name: &DetailsTypeName| self.types.get(name).copied().unwrap_or(first());
        let names = self.authority.details.iter().map(AuthorizationDetail::type_name);
        names.map(|name| (name.clone(), version(name))).collect()
    }

    /// Whether the claim of this name may be told under it: by its name, or by the scope word that holds it.
    #[must_use]
    pub fn covers_claim(&self, name: &str) -> bool {
        let by_scope =
            standard_claims::scope_of(name).is_some_and(|word| self.authority.scope.contains(word));
        by_scope || self.claims.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_covered_by_its_name_or_by_its_scope() {
        let consent: Consent = serde_json::from_value(serde_json::json!({
            "id": "con", "user": "u", "client": "c", "actor": "c", "passing_on": "no", "offline_access": false,
            "authority": {"scope": "openid email", "details": [], "resources": [], "until": 10},
            "created_at": 1, "state": "active", "claims": ["nickname"]
        }))
        .unwrap();
        assert!(["email", "email_verified", "nickname"].iter().all(|name| consent.covers_claim(name)));
        assert!(["name", "phone_number", "salary"].iter().all(|name| !consent.covers_claim(name)));
    }
}

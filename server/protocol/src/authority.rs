//! What a token permits: scope × authorization details × resources × until. A partial order.

use serde::{Deserialize, Serialize};

use crate::audience::Resources;
use crate::authorization_details::{AuthorizationDetails, DetailsTypes};
use crate::numeric_date::NumericDate;
use crate::scope::Scope;

/// An authority. Smaller in every part means *within*.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Authority {
    /// What may be done, in the resource servers' own words.
    pub scope: Scope,
    /// What may be done, in detail.
    pub details: AuthorizationDetails,
    /// Where.
    pub resources: Resources,
    /// Until when.
    pub until: NumericDate,
}

impl Authority {
    /// Whether this permits nothing that `other` does not.
    #[must_use]
    pub fn is_within(&self, other: &Self, types: &DetailsTypes) -> bool {
        self.scope.is_within(&other.scope)
            && self.resources.is_subset(&other.resources)
            && self.until <= other.until
            && types.check_within(&self.details, &other.details).is_ok()
    }

    /// The greatest authority that is within both.
    #[must_use]
    pub fn common(&self, other: &Self, types: &DetailsTypes) -> Self {
        Self {
            scope: self.scope.common(&other.scope),
            details: types.common(&self.details, &other.details),
            resources: self.resources.intersection(&other.resources).cloned().collect(),
            until: self.until.min(other.until),
        }
    }

    /// Whether it permits nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scope.is_empty() && self.details.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_empty_only_without_scope_and_without_details() {
        let nothing = Authority {
            scope: Scope::empty(),
            details: AuthorizationDetails::none(),
            resources: Resources::new(),
            until: NumericDate(0),
        };
        assert!(nothing.is_empty());
        assert!(!Authority { scope: "a".parse().unwrap(), ..nothing.clone() }.is_empty());
        let details = AuthorizationDetails::parse(r#"[{"type":"a"}]"#).unwrap();
        assert!(!Authority { details, ..nothing }.is_empty());
    }

    #[test]
    fn each_part_alone_decides_whether_an_authority_is_within_another() {
        let types = DetailsTypes::default();
        let small = Authority {
            scope: "a".parse().unwrap(),
            details: AuthorizationDetails::none(),
            resources: Resources::from(["https://a.example".parse().unwrap()]),
            until: NumericDate(5),
        };
        assert!(small.is_within(&small, &types));
        let details = AuthorizationDetails::parse(r#"[{"type":"a"}]"#).unwrap();
        for wider in [
            Authority { scope: "a b".parse().unwrap(), ..small.clone() },
            Authority { resources: Resources::from(["https://b.example".parse().unwrap()]), ..small.clone() },
            Authority { until: NumericDate(6), ..small.clone() },
            Authority { details, ..small.clone() },
        ] {
            assert!(!wider.is_within(&small, &types), "{wider:?}");
        }
    }
}

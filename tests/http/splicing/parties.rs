//! Who comes with tokens, and what of them is known beforehand: what is declared in the house, told once more.

use std::collections::BTreeSet;

use tests::{INVENTORY, ORDERS};

use super::details::Kind;

/// The longest chain of this house.
pub(super) const LONGEST: usize = 3;
/// All scope words, and the place where each has a meaning.
pub(super) const WORDS: [(&str, &str); 4] = [
    ("orders:read", ORDERS),
    ("orders:write", ORDERS),
    ("inventory:read", INVENTORY),
    ("inventory:write", INVENTORY),
];
/// The resource servers.
pub(super) const PLACES: [&str; 2] = [ORDERS, INVENTORY];
/// Everybody in whose name somebody may act.
pub(super) const USERS: [&str; 2] = ["alice", "bob"];

/// One of [`PARTIES`].
pub(super) type Who = usize;
/// Words of a scope, or places, as they are named.
pub(super) type Words = BTreeSet<&'static str>;

/// Somebody who comes with tokens.
pub(super) struct Party {
    pub(super) id: &'static str,
    /// An agent, and how deep the chains may be that it stands in.
    pub(super) agent: Option<usize>,
    /// The resource server that it is.
    pub(super) place: Option<&'static str>,
    /// What it is registered for.
    pub(super) words: &'static [&'static str],
    pub(super) places: &'static [&'static str],
    pub(super) kinds: &'static [Kind],
}

const ALL: &[&str] = &["orders:read", "orders:write", "inventory:read", "inventory:write"];
const BOTH: &[Kind] = &[Kind::Refund, Kind::Seal];

const fn party(id: &'static str) -> Party {
    Party { id, agent: None, place: None, words: ALL, places: &PLACES, kinds: BOTH }
}

const fn agent(id: &'static str, deepest: usize) -> Party {
    Party { agent: Some(deepest), ..party(id) }
}

pub(super) const PARTIES: [Party; 10] = [
    agent("agent-a", LONGEST),
    agent("agent-b", LONGEST),
    agent("agent-c", LONGEST),
    Party {
        words: &["orders:read", "orders:write", "inventory:read"],
        kinds: &[Kind::Seal],
        ..agent("agent-d", 2)
    },
    Party { place: Some(ORDERS), ..party("orders-api") },
    Party { place: Some(INVENTORY), ..party("inventory-api") },
    party("web"),
    party("shop"),
    // Whatever runs as one repository of a platform.
    Party {
        words: &["orders:read", "orders:write"],
        places: &[ORDERS],
        kinds: &[Kind::Refund],
        ..agent("runner", LONGEST)
    },
    // Whatever runs as another one.
    agent("other", LONGEST),
];
/// So many of them, from the first on, are agents that have a key of their own.
pub(super) const AGENTS: usize = 4;
pub(super) const ORDERS_API: Who = 4;
pub(super) const WEB: Who = 6;
pub(super) const SHOP: Who = 7;
pub(super) const RUNNER: Who = 8;
pub(super) const OTHER: Who = 9;
/// Who may bring what the partner says of users.
pub(super) const BELIEVED_OF: [Who; 3] = [0, 1, ORDERS_API];

impl Party {
    /// What of `scope` it is registered for.
    pub(super) fn of(&self, scope: &Words) -> Words {
        scope.iter().copied().filter(|word| self.words.contains(word)).collect()
    }
}

/// Where these words have a meaning.
pub(super) fn homes(scope: &Words) -> Words {
    WORDS.iter().filter(|(word, _)| scope.contains(word)).map(|(_, place)| *place).collect()
}

pub(super) fn joined(words: &Words) -> String {
    words.iter().copied().collect::<Vec<_>>().join(" ")
}

/// The known words of a `scope`.
pub(super) fn words(scope: &str) -> Words {
    WORDS.iter().map(|(word, _)| *word).filter(|word| scope.split(' ').any(|there| there == *word)).collect()
}

/// Words, or places, by the bits of `mask`.
pub(super) fn chosen(of: &Words, mask: u16) -> Words {
    of.iter().enumerate().filter(|(index, _)| mask >> index & 1 == 1).map(|(_, word)| *word).collect()
}

pub(super) fn all_words() -> Words {
    ALL.iter().copied().collect()
}

pub(super) fn all_places() -> Words {
    PLACES.into()
}

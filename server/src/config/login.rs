//! `acr_values` and `max_age`, wherever they stand: what must be so of a login (RFC 9470).

use protocol::acr::Acr;
use protocol::numeric_date::Seconds;
use protocol::step_up::Demand;

use super::problem::Entry;

/// Whose authentication contexts `acr_values` names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// This server's.
    Ours,
    /// Those of the issuer that it is written for.
    Theirs,
}

/// What is written of a login, with what is wrong with it told by its key.
pub(super) fn demand(
    acr_values: Vec<String>,
    max_age: Option<Seconds>,
    whose: Whose,
    entry: &mut Entry<'_>,
) -> Demand {
    for value in &acr_values {
        let is_word = (1..=255).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic());
        let fits = match whose {
            Whose::Ours => value.parse::<Acr>().is_ok(),
            Whose::Theirs => is_word && !value.contains(['"', '\\']),
        };
        let known = Acr::ALL.map(Acr::as_str).join(", ");
        let reason = match whose {
            Whose::Ours => format!("{value:?} is none of {known}"),
            Whose::Theirs => format!("{value:?} can be no authentication context"),
        };
        entry.check(fits, "acr_values", reason);
    }
    entry.check(acr_values.len() <= 20, "acr_values", "must be at most 20");
    entry.check(max_age.is_none_or(|age| age.0 >= 1), "max_age", "must be at least 1 second");
    Demand { acr_values, max_age }
}

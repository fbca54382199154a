//! Which grant types a client gets, and whether they fit its response types (RFC 7591 §2.1).

use std::collections::BTreeSet;

use super::members::Members;
use super::{Policy, RegistrationRefused};
use crate::client::{AuthMethod, GrantType};

/// The one response type of this server.
pub(super) const CODE: &str = "code";

/// The grant types that were asked for and are permitted. What is unknown or not permitted is left out, which the
/// answer shows; where nothing is left, or what is left contradicts `response_types`, nothing is registered.
pub(super) fn grant_types(
    members: &Members<'_>,
    policy: &Policy,
    method: AuthMethod,
) -> Result<BTreeSet<GrantType>, RegistrationRefused> {
    let asked: BTreeSet<GrantType> = match members.has("grant_types") {
        false => BTreeSet::from([GrantType::AuthorizationCode]),
        true => members.list("grant_types")?.iter().filter_map(|name| GrantType::find(name)).collect(),
    };
    let permitted: BTreeSet<GrantType> = asked
        .into_iter()
        .filter(|grant| policy.grant_types.contains(grant) && is_for(*grant, method))
        .collect();
    let begins =
        permitted.iter().any(|grant| !matches!(grant, GrantType::RefreshToken | GrantType::Deferred));
    if !begins {
        return Err(RegistrationRefused::GrantTypes);
    }
    let by_code = permitted.contains(&GrantType::AuthorizationCode);
    if members.has("response_types") {
        // Others than code are left out; a client that wants others alone cannot be served.
        let code = members.list("response_types")?.iter().any(|kind| kind == CODE);
        if code != by_code {
            return Err(RegistrationRefused::ResponseTypes);
        }
    }
    Ok(permitted)
}

/// Whoever acts for themselves or exchanges must be known (RFC 6749 §4.4).
const fn is_for(grant: GrantType, method: AuthMethod) -> bool {
    !(matches!(method, AuthMethod::None)
        && matches!(grant, GrantType::ClientCredentials | GrantType::TokenExchange | GrantType::Ciba))
}

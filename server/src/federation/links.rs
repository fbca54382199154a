//! What an account is linked to, for its owner.

use protocol::federation::account;
use protocol::identifier::{SessionId, UserId};
use protocol::numeric_date::NumericDate;
use protocol::refusal::{ErrorCode, Refusal};

use super::accounts::withdrawn;
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::store::{CommitError, Ending, FederatedIdentity};

/// A link of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linked {
    /// The identity.
    pub kept: FederatedIdentity,
    /// Whether its owner may take it away.
    pub may_go: bool,
}

/// The links of an account.
///
/// # Errors
/// The store's.
pub async fn linked(app: &App, user: &UserId) -> Result<Vec<Linked>, Failure> {
    let identities = app.store.identities_of_user(user).await?;
    let account = app.store.find_user(user).await?;
    let passkeys = app.store.passkeys_of_user(user).await?;
    let other_way = account.is_some_and(|account| account.password_hash.is_some()) || !passkeys.is_empty();
    let count = identities.len();
    let link =
        |kept: FederatedIdentity| Linked { may_go: account::may_unlink(other_way, count, kept.by), kept };
    Ok(identities.into_iter().map(link).collect())
}

/// Takes a link away from an account, and ends the sessions that began with it, but for `current`.
///
/// # Errors
/// `access_denied`, where there is no such link, where it would be the last way in, or where the owner did not sign
/// in a moment ago.
pub async fn unlink(
    app: &App,
    visit: &Visit,
    user: &UserId,
    issuer: &str,
    auth_time: NumericDate,
    current: &SessionId,
) -> Result<(), Failure> {
    let no = |words: &'static str| Refusal::new(ErrorCode::AccessDenied, words);
    if !account::is_fresh(auth_time, visit.now) {
        return Err(no("sign in again first").into());
    }
    let found = linked(app, user).await?.into_iter().find(|link| link.kept.identity.issuer == issuer);
    let found = found.filter(|link| link.may_go).ok_or_else(|| no("this link cannot be taken away"))?;
    let Some(connection) = app.upstreams.of_issuer(issuer) else {
        return Err(no("this link cannot be taken away").into());
    };
    let identity = found.kept.identity.clone();
    let words = "taken away by its owner";
    let mut change = withdrawn(app, visit, connection.upstream(), found.kept, words).await?;
    let began = app.store.sessions_from_upstream(issuer, Some(&identity.subject), None, visit.now).await?;
    for session in began.into_iter().filter(|session| session != current) {
        change = change.end(Ending::Session(session));
    }
    match app.store.commit(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict(_)) => Err(no("this link cannot be taken away").into()),
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

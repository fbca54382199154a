//! Nothing of a user's is to go on: an upstream says so of somebody whom it removed, or an admin says so in its place
//! (Global Token Revocation). Everything of theirs ends, and nothing is issued for them until they sign in anew.

use protocol::audit::Action;
use protocol::ending::AccountOperation;
use protocol::federation::demand::LEEWAY;
use protocol::federation::revocation::{self, Shown, Subject};
use protocol::federation::{Identity, Upstream};
use protocol::identifier::{ClientId, TokenId, UserId};
use protocol::refusal::{ErrorCode, Refusal};
use serde_json::Value;

use super::event;
use super::logout::signed;
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::jose;
use crate::store::{Anchor, Change, CommitError, ReplayKey};
use crate::upstreams::Connection;

/// Who says so.
pub enum Entitled<'a> {
    /// An upstream, of its own users alone.
    Upstream(&'a Upstream, Shown),
    /// A program of the operator, of everybody.
    Program(&'a ClientId, &'a TokenId),
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Revoked {
    /// It is done.
    Done,
    /// There is nobody of this name among those whom it may speak of.
    Nobody,
    /// It may not speak of them.
    NotTheirs,
    /// Several are of this name.
    Several,
}

/// The upstream whose JWT this is, if it is one for this endpoint.
///
/// # Errors
/// `invalid_token`, where it does not hold, whatever is wrong with it; `temporarily_unavailable`, where the upstream's
/// keys cannot be had.
pub async fn prove<'a>(
    app: &'a App,
    visit: &Visit,
    jwt: &str,
    endpoint: &str,
) -> Result<(&'a Connection, Shown), Failure> {
    let unproven = |_| Refusal::new(ErrorCode::InvalidToken, "the JWT does not hold");
    let unverified = jose::decode(jwt).map_err(|_| unproven(()))?;
    let issuer = unverified.claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    let connection = app.upstreams.of_issuer(issuer).ok_or_else(|| unproven(()))?;
    let claims = match signed(app, visit, connection, jwt).await {
        Ok((_, claims)) => claims,
        Err(Failure::Refused(refusal)) if refusal.code != ErrorCode::TemporarilyUnavailable => {
            return Err(unproven(()).into());
        }
        Err(failure) => return Err(failure),
    };
    Ok((connection, revocation::check(&claims, &connection.upstream().issuer, endpoint, visit.now)?))
}

/// Ends everything of whom `subject` means.
///
/// # Errors
/// `invalid_token`, where the JWT came before or the program may not speak any more; the store's.
pub async fn revoke(
    app: &App,
    visit: &Visit,
    by: &Entitled<'_>,
    subject: &Subject,
) -> Result<Revoked, Failure> {
    let found = match by {
        Entitled::Upstream(upstream, _) => of_upstream(app, upstream, subject).await?,
        Entitled::Program(..) => of_everybody(app, subject).await?,
    };
    let mut told = match by {
        Entitled::Upstream(upstream, _) => event(Action::UserRevoke, visit, upstream, ""),
        Entitled::Program(client, _) => {
            let mut told = protocol::audit::AuditEvent::new(
                Action::UserRevoke,
                protocol::audit::Outcome::Granted,
                visit.now,
            );
            told.request = Some(visit.id.clone());
            told.client = Some((*client).clone());
            told.reason = Some(format!("by {client}"));
            told
        }
    };
    let (outcome, change) = match found {
        Ok(user) => {
            told.user = Some(user.clone());
            (Revoked::Done, Change::new(told).set_account(user, AccountOperation::Revoke))
        }
        Err(why) => {
            let description = match why {
                Revoked::NotTheirs => "the upstream speaks of somebody else's user",
                Revoked::Several => "several users have this address",
                _ => "there is no such user",
            };
            let refusal = Refusal::new(ErrorCode::AccessDenied, description);
            (why, Change::new(told.refused(&refusal)))
        }
    };
    let change = match by {
        Entitled::Upstream(upstream, shown) => change.first_time(
            ReplayKey::new("global token revocation", &[&upstream.issuer, &shown.jti]),
            shown.expires_at.plus(LEEWAY),
        ),
        Entitled::Program(client, token) => {
            change.requires(Anchor::Client((*client).clone())).requires(Anchor::Token((*token).clone()))
        }
    };
    match app.store.commit(change).await {
        Ok(_) => Ok(outcome),
        Err(CommitError::Conflict(_)) => {
            Err(Refusal::new(ErrorCode::InvalidToken, "this came before, or does not count any more").into())
        }
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

/// The account that an identity of this upstream is linked to. Whoever has none is nobody, whatever else is known here.
async fn of_upstream(
    app: &App,
    upstream: &Upstream,
    subject: &Subject,
) -> Result<Result<UserId, Revoked>, Failure> {
    let sub = match subject {
        Subject::IssSub(identity) if identity.issuer != upstream.issuer => {
            return Ok(Err(Revoked::NotTheirs));
        }
        Subject::IssSub(identity) => &identity.subject,
        Subject::Opaque(sub) => sub,
        Subject::Email(address) => {
            let mut linked = Vec::new();
            for user in app.store.users_by_email(address).await? {
                let identities = app.store.identities_of_user(&user.id).await?;
                if identities.iter().any(|known| known.identity.issuer == upstream.issuer) {
                    linked.push(user.id);
                }
            }
            return Ok(only(linked));
        }
    };
    let found = of_identity(app, Identity { issuer: upstream.issuer.clone(), subject: sub.clone() }).await?;
    // Whom the configuration links, and who did not sign in by it yet, is the upstream's too.
    match (found, upstream.links.get(sub)) {
        (Err(Revoked::Nobody), Some(username)) => {
            let declared = app.store.find_user_by_username(username).await?;
            Ok(declared.map(|user| user.id.clone()).ok_or(Revoked::Nobody))
        }
        (found, _) => Ok(found),
    }
}

/// The account that anybody's name means.
async fn of_everybody(app: &App, subject: &Subject) -> Result<Result<UserId, Revoked>, Failure> {
    let id = match subject {
        Subject::IssSub(identity) if identity.issuer == app.issuer() => &identity.subject,
        Subject::IssSub(identity) => return of_identity(app, identity.clone()).await,
        Subject::Opaque(id) => id,
        Subject::Email(address) => {
            let users = app.store.users_by_email(address).await?;
            let verified = users.into_iter().filter(|user| user.verified_email().is_some());
            return Ok(only(verified.map(|user| user.id).collect()));
        }
    };
    let Ok(id) = id.parse::<UserId>() else { return Ok(Err(Revoked::Nobody)) };
    Ok(app.store.find_user(&id).await?.map(|user| user.id.clone()).ok_or(Revoked::Nobody))
}

async fn of_identity(app: &App, identity: Identity) -> Result<Result<UserId, Revoked>, Failure> {
    let found = app.store.find_identity(&identity).await?;
    Ok(found.and_then(|known| known.user).ok_or(Revoked::Nobody))
}

fn only(mut users: Vec<UserId>) -> Result<UserId, Revoked> {
    match users.len() {
        0 | 1 => users.pop().ok_or(Revoked::Nobody),
        _ => Err(Revoked::Several),
    }
}

//! The upstream says that somebody signed out there (OpenID Connect Back-Channel Logout 1.0): their sessions here end,
//! and the tokens that hang on them; not what they approved for the time when they are away.

use protocol::audit::Action;
use protocol::client::SigningAlg;
use protocol::federation::demand::LEEWAY;
use protocol::federation::logout_token::{self, LogoutToken};
use protocol::refusal::{ErrorCode, Refusal};
use serde_json::{Map, Value, json};

use super::event;
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::jose::{self, ClientKeys, JoseError, Unverified};
use crate::store::{Change, CommitError, Ending, ReplayKey};
use crate::upstreams::{Connection, Provider};

/// Ends what the logout token says is over. That nobody was signed in any more is a success too (§2.8).
///
/// # Errors
/// `invalid_request`, where it is no logout token of this upstream for this server (§2.6), or came before;
/// `temporarily_unavailable`, where the upstream's keys cannot be had.
pub async fn log_out(
    app: &App,
    visit: &Visit,
    connection: &Connection,
    logout_token: &str,
) -> Result<(), Failure> {
    let upstream = connection.upstream();
    match check(app, visit, connection, logout_token).await {
        Ok(token) => end(app, visit, connection, &token).await,
        Err(Failure::Refused(refusal)) => {
            let told = event(Action::UpstreamLogout, visit, upstream, "").refused(&refusal);
            app.tell_of_stranger(visit, told).await?;
            Err(refusal.into())
        }
        Err(broken) => Err(broken),
    }
}

async fn check(
    app: &App,
    visit: &Visit,
    connection: &Connection,
    logout_token: &str,
) -> Result<LogoutToken, Failure> {
    let (unverified, claims) = signed(app, visit, connection, logout_token).await?;
    let typ = unverified.header.get("typ").and_then(Value::as_str);
    let upstream = connection.upstream();
    Ok(logout_token::check(typ, &claims, &upstream.issuer, &upstream.client_id, visit.now)?)
}

/// The header and the claims of a JWT that the upstream signed.
///
/// # Errors
/// `invalid_request`, where it did not; `temporarily_unavailable`, where its keys cannot be had.
pub(super) async fn signed(
    app: &App,
    visit: &Visit,
    connection: &Connection,
    logout_token: &str,
) -> Result<(Unverified, Map<String, Value>), Failure> {
    let away = |_| Refusal::new(ErrorCode::TemporarilyUnavailable, "the keys of the upstream cannot be had");
    let unverified = jose::decode(logout_token).map_err(refused)?;
    let alg = unverified.alg().map_err(refused)?;
    let known = connection.known(&app.outbound, visit.now).await.map_err(away)?;
    let claims = match verify(&known, logout_token, &unverified, alg) {
        Err(JoseError::UnknownKey) => {
            let renewed = connection.with_new_keys(&app.outbound, visit.now).await.map_err(away)?;
            verify(&renewed, logout_token, &unverified, alg)
        }
        verified => verified,
    };
    let claims = claims.map_err(refused)?;
    Ok((unverified, claims))
}

/// The claims, if one of the upstream's keys signed them. Of a long key set only those count that may have.
fn verify(
    provider: &Provider,
    logout_token: &str,
    unverified: &Unverified,
    alg: SigningAlg,
) -> Result<Map<String, Value>, JoseError> {
    let kid = unverified.kid();
    let jwks = serde_json::to_value(provider.metadata.jwks()).map_err(|_| JoseError::NotAKeySet)?;
    let keys = jwks.get("keys").and_then(Value::as_array).ok_or(JoseError::NotAKeySet)?;
    let may_have_signed = |key: &&Value| {
        let named = key.get("kid").and_then(Value::as_str);
        kid.is_none() || named.is_none() || named == kid
    };
    let keys: Vec<_> = keys.iter().filter(may_have_signed).cloned().collect();
    ClientKeys::parse(&json!({ "keys": keys }))?.verify(logout_token, kid, alg)
}

fn refused(error: JoseError) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, format!("logout_token: {error}"))
}

async fn end(app: &App, visit: &Visit, connection: &Connection, token: &LogoutToken) -> Result<(), Failure> {
    let upstream = connection.upstream();
    let (subject, sid) = (token.subject.as_deref(), token.sid.as_deref());
    let sessions = app.store.sessions_from_upstream(&upstream.issuer, subject, sid, visit.now).await?;
    let words = format!("sessions ended: {}", sessions.len());
    let change = Change::new(event(Action::UpstreamLogout, visit, upstream, &words)).first_time(
        ReplayKey::new("logout token", &[&upstream.issuer, &token.jti]),
        token.expires_at.plus(LEEWAY),
    );
    let change = sessions.into_iter().map(Ending::Session).fold(change, Change::end);
    match app.store.commit(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict(_)) => {
            let refusal = Refusal::new(ErrorCode::InvalidRequest, "this logout token came before");
            let told = event(Action::UpstreamLogout, visit, upstream, "").refused(&refusal);
            app.tell_of_stranger(visit, told).await?;
            Err(refusal.into())
        }
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

//! Signing out (OpenID Connect RP-Initiated Logout 1.0): whether a request may end the session, its end, and who has
//! to be told of it.

mod deliver;

use std::sync::Arc;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::Client;
use protocol::identifier::{SessionId, UserId};
use protocol::logout::{Hint, LogoutRefused, LogoutRequest, Present, Story, Verdict, front_channel_url, sid};
use protocol::refusal::Refusal;
use protocol::user::User;
use url::Url;

use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::store::{Change, CommitError, Ending};

pub use deliver::{deliver_for_ever, tell_clients_of};

/// A logout request, judged.
pub struct Judged {
    /// What is to happen, and where the browser may go.
    pub verdict: Verdict,
    /// The client that sent the user here, if one did.
    pub client: Option<Arc<Client>>,
}

/// A session that can be ended.
#[derive(Clone, Copy, Debug)]
pub struct Ends<'a> {
    /// The session.
    pub session: &'a SessionId,
    /// Whose it is.
    pub user: &'a UserId,
    /// Why, where it is not that the user wishes so.
    pub reason: Option<&'static str>,
}

/// Judges a logout request for the session in this browser.
///
/// # Errors
/// [`LogoutRefused`] as a refusal; the store's.
pub async fn judge(
    app: &App,
    visit: &Visit,
    request: &LogoutRequest,
    signed_in: Option<(&SessionId, &User)>,
) -> Result<Judged, Failure> {
    let hint = request.id_token_hint.as_deref().map(|hint| read_hint(app, hint)).transpose()?;
    let client = match request.client(hint.as_ref())? {
        Some(id) => app.store.find_client(&id).await?.filter(|client| client.is_live(visit.now)),
        None => None,
    };
    let present = signed_in.map(|(session, user)| present(app, client.as_deref(), session, user));
    let story = Story { request, hint: hint.as_ref(), client: client.as_deref(), session: present.as_ref() };
    Ok(Judged { verdict: story.decide()?, client })
}

/// An ID token of ours. That it is over is no matter; that we signed it is all that counts.
fn read_hint(app: &App, hint: &str) -> Result<Hint, LogoutRefused> {
    let claims = app.keys.verify_own(hint, "JWT").map_err(|_| LogoutRefused::InvalidHint)?;
    Hint::of(&claims, app.issuer()).ok_or(LogoutRefused::InvalidHint)
}

fn present(app: &App, client: Option<&Client>, session: &SessionId, user: &User) -> Present {
    let claim = |name: &str| user.claims.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let names = [Some(user.username.clone()), claim("email"), claim("phone_number")];
    Present {
        sub: client.map_or_else(String::new, |client| app.subject_for(client, &user.id)),
        sid: client.map_or_else(String::new, |client| sid(session, &client.id)),
        names: names.into_iter().flatten().collect(),
    }
}

/// Ends a session, with the tokens that hang on it and not what was approved for the user's absence (Back-Channel
/// Logout §2.7). Its clients are queued to be told, in the same transaction.
///
/// # Errors
/// The store's.
pub async fn end(app: &App, visit: &Visit, ends: &Ends<'_>) -> Result<(), Failure> {
    let mut event = AuditEvent::new(Action::UserSignOut, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    event.user = Some(ends.user.clone());
    event.reason = ends.reason.map(str::to_owned);
    match app.store.commit(Change::new(event).end(Ending::Session(ends.session.clone()))).await {
        Ok(_) | Err(CommitError::Conflict(_)) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

/// Tells the audit log that a logout request was refused.
///
/// # Errors
/// The store's.
pub async fn tell_refused(app: &App, visit: &Visit, refusal: &Refusal) -> Result<(), Failure> {
    let mut event = AuditEvent::new(Action::UserSignOut, Outcome::Refused, visit.now).refused(refusal);
    event.request = Some(visit.id.clone());
    app.tell_of_stranger(visit, event).await
}

/// What the browser is to load when this session ends: an address for each client that took part in it and has one
/// (Front-Channel Logout §2). To be asked before the session ends, which makes it forget its clients.
///
/// # Errors
/// The store's.
pub async fn front_channel(app: &App, visit: &Visit, session: &SessionId) -> Result<Vec<Url>, Failure> {
    let mut urls = Vec::new();
    for id in app.store.clients_of_session(session).await? {
        let client = app.store.find_client(&id).await?.filter(|client| client.is_live(visit.now));
        let Some(client) = client else { continue };
        if let Some(uri) = &client.metadata.frontchannel_logout_uri {
            urls.push(front_channel_url(uri, app.issuer(), &sid(session, &client.id)));
        }
    }
    Ok(urls)
}

//! One-time links that set a password: printed for somebody new, made by an admin, or sent by mail to whoever forgot.

use std::sync::Arc;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::identifier::UserId;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::presented_secret::PresentedSecret;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::user::User;

use super::{InSession, event, password};
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::secret::{Entropy, Secret, SecretDigest};
use crate::store::{Anchor, Change, CommitError, OneTimeLink, Record, Take};

/// What a set-password link is good for.
pub const SET_PASSWORD: &str = "set_password";
/// How long a link works that somebody hands over.
const HANDED_LIFE: Seconds = Seconds::days(1);
/// How long a link works that came by mail.
const MAILED_LIFE: Seconds = Seconds::minutes(30);
/// The longest e-mail address (RFC 5321 §4.5.3.1).
const LONGEST_ADDRESS: usize = 254;

/// A new link for this user, and what is kept of it.
#[must_use]
pub fn new_link(
    entropy: &dyn Entropy,
    issuer: &str,
    user: &UserId,
    now: NumericDate,
    life: Seconds,
) -> (Secret, OneTimeLink) {
    let secret = Secret::generate(entropy, "link_");
    let link = OneTimeLink {
        digest: secret.digest(),
        user: user.clone(),
        purpose: SET_PASSWORD.into(),
        expires_at: now.plus(life),
    };
    (Secret::from_text(format!("{issuer}/set-password?link={}", secret.reveal())), link)
}

/// A link that an admin hands to a user.
///
/// # Errors
/// `access_denied` where whoever makes it is no admin, or not signed in, any more; the store's.
pub async fn link_for(
    app: &App,
    visit: &Visit,
    user: &User,
    admin: InSession<'_>,
) -> Result<Secret, Failure> {
    // As they are now: rights that were taken away a moment ago are none.
    if !app.store.find_user_now(admin.user).await?.is_some_and(|admin| admin.admin) {
        return Err(Refusal::new(ErrorCode::AccessDenied, "only an admin may make links for others").into());
    }
    let (url, link) = new_link(app.entropy.as_ref(), app.issuer(), &user.id, visit.now, HANDED_LIFE);
    let mut event = event(Action::UserResetLink, visit, &user.id);
    event.reason = Some(format!("made by {}", admin.user));
    let change = admin.still_there(Change::new(event).requires(Anchor::User(user.id.clone())));
    super::commit(app, change.keep(Record::OneTimeLink(link))).await?;
    Ok(url)
}

/// Sets the password of whoever a one-time link is for, and uses the link up. They are signed out everywhere.
///
/// # Errors
/// `access_denied` for a link that was used, is over, or never was.
pub async fn set_password(
    app: &App,
    visit: &Visit,
    link: &str,
    password: PresentedSecret,
) -> Result<Arc<User>, Failure> {
    let gone = || Refusal::new(ErrorCode::AccessDenied, "this link was used, or is too old");
    let user = link_user(app, visit, link).await?.ok_or_else(gone)?;
    let change = password::another(app, visit, &user, password, None).await?;
    match app.store.commit(change.take(Take::OneTimeLink(SecretDigest::of(link)))).await {
        Ok(_) => Ok(user),
        Err(CommitError::Conflict(_)) => Err(gone().into()),
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

/// Whom a set-password link is for, if it still works.
///
/// # Errors
/// The store's.
pub async fn link_user(app: &App, visit: &Visit, link: &str) -> Result<Option<Arc<User>>, Failure> {
    let found = app.store.find_one_time_link(&SecretDigest::of(link), visit.now).await?;
    match found.filter(|link| link.purpose == SET_PASSWORD) {
        // An account that an upstream made has no password.
        Some(link) if app.store.is_made_by_upstream(&link.user).await? => Ok(None),
        Some(link) => Ok(app.store.find_user(&link.user).await?.filter(|user| user.enabled)),
        None => Ok(None),
    }
}

/// What a mail says: subject and text, for this user and this link.
pub type Letter = Box<dyn Fn(&User, &str) -> (String, String) + Send + Sync>;

/// Writes to everybody who has this address, if somebody made sure that it is theirs. Whoever asks is answered before
/// any of this happens, and learns nothing of it, neither by words nor by time.
pub fn forgot(app: &Arc<App>, visit: &Visit, address: &str, letter: Letter) {
    let (app, visit, address) = (Arc::clone(app), visit.clone(), address.trim().to_ascii_lowercase());
    tokio::spawn(async move {
        if let Err(failure) = write_to(&app, &visit, &address, &letter).await {
            tracing::error!(?failure, "nobody could be written to about a forgotten password");
        }
    });
}

async fn write_to(app: &App, visit: &Visit, address: &str, letter: &Letter) -> Result<(), Failure> {
    let Some(mailer) = &app.mailer else { return Ok(()) };
    let attempts = &app.sign_in_attempts;
    let sources = attempts.mail_requests.count(&visit.source());
    if !sources || !attempts.mails.count(&SecretDigest::of(address).to_text()) {
        return tell_stranger(app, visit, "too many requests for mail").await;
    }
    let found = match address.len() {
        3..=LONGEST_ADDRESS => app.store.users_by_email(address).await?,
        _ => Vec::new(),
    };
    let mut users = Vec::new();
    for user in found {
        if !app.store.is_made_by_upstream(&user.id).await? {
            users.push(user);
        }
    }
    let mut written = false;
    for user in users.iter().filter(|user| user.verified_email().is_some()) {
        let (url, link) = new_link(app.entropy.as_ref(), app.issuer(), &user.id, visit.now, MAILED_LIFE);
        let mut event = event(Action::UserResetLink, visit, &user.id);
        event.reason = Some("asked for by mail".into());
        let change = Change::new(event).requires(Anchor::User(user.id.clone()));
        super::commit(app, change.keep(Record::OneTimeLink(link))).await?;
        let (subject, text) = letter(user, url.reveal());
        let to = user.verified_email().unwrap_or_default();
        if let Err(reason) = mailer.send(to, &subject, text).await {
            tracing::error!(%reason, user = user.id.as_str(), "a mail about a forgotten password was not sent");
        }
        written = true;
    }
    if written { Ok(()) } else { tell_stranger(app, visit, "nobody has this address").await }
}

async fn tell_stranger(app: &App, visit: &Visit, reason: &'static str) -> Result<(), Failure> {
    let mut event = AuditEvent::new(Action::UserResetLink, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    app.tell_of_stranger(visit, event.refused(&Refusal::new(ErrorCode::AccessDenied, reason))).await
}

//! Local accounts: passwords (Argon2id) and one-time links. Whether a user exists is told neither by words nor by time.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::presented_secret::PresentedSecret;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::Login;
use protocol::user::User;
use tokio::sync::SemaphorePermit;

use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::secret::SecretDigest;
use crate::store::{Change, CommitError, Record, StoreError, Take};

/// What a set-password link is good for.
pub const SET_PASSWORD: &str = "set_password";
/// The longest password, in bytes.
pub const LONGEST_PASSWORD: usize = 1024;

/// Why nobody was signed in.
#[derive(Debug)]
pub enum NotSignedIn {
    /// A wrong name or a wrong password, in one voice.
    Wrong,
    /// Too many failures of late, for this name from this address.
    TooMany,
    /// Something of ours.
    Broken(Broken),
}

impl From<Failure> for NotSignedIn {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Broken(broken) => Self::Broken(broken),
            Failure::Refused(_) => Self::Wrong,
        }
    }
}

/// Checks a name and a password.
///
/// Failures are counted per name *and* address, so that nobody can lock somebody else out from afar.
///
/// # Errors
/// [`NotSignedIn`].
pub async fn with_password(
    app: &App,
    visit: &Visit,
    username: &str,
    password: PresentedSecret,
) -> Result<(Arc<User>, Login), NotSignedIn> {
    let source = visit.from.map(|ip| ip.to_string()).unwrap_or_default();
    let attempts = format!("{} {source}", username.to_ascii_lowercase());
    // Counted before the password is looked at, so that a thousand at once are bounded like a thousand in a row.
    if !app.sign_in_failures.count(&attempts) {
        tell(app, visit, None, Some("too many failed attempts")).await?;
        return Err(NotSignedIn::TooMany);
    }
    let found = app.store.find_user_by_username(username).await.map_err(Failure::from)?;
    let stored = found.as_ref().filter(|user| user.enabled).and_then(|user| user.password_hash.clone());
    let right = verify(app, password, stored).await?;
    match found {
        Some(user) if right => {
            app.sign_in_failures.forgive(&attempts);
            tell(app, visit, Some(&user), None).await?;
            Ok((user, Login { auth_time: visit.now, acr: None, amr: vec!["pwd".into()] }))
        }
        found => {
            tell(app, visit, found.as_deref(), Some("wrong username or password")).await?;
            Err(NotSignedIn::Wrong)
        }
    }
}

async fn tell(
    app: &App,
    visit: &Visit,
    user: Option<&User>,
    refused: Option<&'static str>,
) -> Result<(), Failure> {
    let mut event = AuditEvent::new(Action::UserSignIn, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    event.user = user.map(|user| user.id.clone());
    let Some(reason) = refused else { return app.tell(event).await };
    let event = event.refused(&Refusal::new(ErrorCode::AccessDenied, reason));
    // A failure of somebody who exists is always told: the bound on attempts keeps these few.
    if user.is_some() { app.tell(event).await } else { app.tell_of_stranger(visit, event).await }
}

/// A hash of nothing anybody knows, for names that nobody has: they take as long as the others.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| {
    Argon2::default().hash_password(b"nobody has this password").ok().map(|hash| hash.to_string())
});

/// How long anybody waits for their turn to have a password hashed; then it is better to come again.
const PATIENCE: Duration = Duration::from_secs(3);

async fn room(app: &App) -> Result<SemaphorePermit<'_>, Failure> {
    let busy = || Broken::Store(StoreError::Unavailable("too many passwords at once"));
    match tokio::time::timeout(PATIENCE, app.password_hashing.acquire()).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(busy().into()),
    }
}

async fn verify(app: &App, password: PresentedSecret, stored: Option<String>) -> Result<bool, Failure> {
    let _room = room(app).await?;
    let hashing = tokio::task::spawn_blocking(move || {
        let known = stored.is_some();
        let Some(hash) = stored.or_else(|| NOBODYS.clone()) else { return false };
        let fits = password.reveal().len() <= LONGEST_PASSWORD;
        let Ok(hash) = PasswordHash::new(&hash) else { return false };
        let right = Argon2::default().verify_password(password.reveal().as_bytes(), &hash).is_ok();
        known && fits && right
    });
    hashing.await.map_err(|_| Broken::Other("hashing a password failed").into())
}

/// Whether a secret of somebody's own choosing is the one that was hashed with [`hash`].
///
/// # Errors
/// Where too many are hashed at once.
pub async fn matches(app: &App, secret: PresentedSecret, hash: String) -> Result<bool, Failure> {
    verify(app, secret, Some(hash)).await
}

/// Hashes a new password.
///
/// # Errors
/// The hash function's, which depends on nothing that anybody sends.
pub async fn hash(app: &App, password: PresentedSecret) -> Result<String, Failure> {
    let _room = room(app).await?;
    let hashing = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.reveal().as_bytes()).map(|hash| hash.to_string())
    });
    let hashed = hashing.await.map_err(|_| Broken::Other("hashing a password failed"))?;
    hashed.map_err(|_| Broken::Other("hashing a password failed").into())
}

/// Sets the password of whoever a one-time link is for, and uses the link up.
///
/// # Errors
/// `access_denied` for a link that was used, is over, or never was.
pub async fn set_password(
    app: &App,
    visit: &Visit,
    link: &str,
    password: PresentedSecret,
) -> Result<(), Failure> {
    let gone = || Refusal::new(ErrorCode::AccessDenied, "this link was used, or is too old");
    let user = link_user(app, visit, link).await?.ok_or_else(gone)?;
    let password_hash = Some(hash(app, password).await?);
    let mut event = AuditEvent::new(Action::UserSetPassword, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    event.user = Some(user.id.clone());
    let origin = app.store.user_origin(&user.id).await?;
    let user = User { password_hash, ..user.as_ref().clone() };
    let change = Change::new(event)
        .take(Take::OneTimeLink(SecretDigest::of(link)))
        .keep(Record::User { user, origin });
    match app.store.commit(change).await {
        Ok(_) => Ok(()),
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
        Some(link) => Ok(app.store.find_user(&link.user).await?),
        None => Ok(None),
    }
}

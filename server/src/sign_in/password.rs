//! Passwords, hashed with Argon2id.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use protocol::audit::Action;
use protocol::identifier::SessionId;
use protocol::password::{self, LONGEST, PasswordRefused};
use protocol::presented_secret::PresentedSecret;
use protocol::user::User;
use tokio::sync::SemaphorePermit;

use super::{NotSignedIn, browsers, commit, event, guard, tell_refused};
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::store::{Anchor, Change, Ending, Forget, Record, StoreError, password_mark};

/// Checks a name and a password; `mark` is the browser's, if it has one. This is a first factor: nobody is signed in
/// yet, and that it was right is told with the sign-in.
///
/// # Errors
/// [`NotSignedIn`].
pub async fn with_password(
    app: &App,
    visit: &Visit,
    username: &str,
    password: PresentedSecret,
    mark: Option<&str>,
) -> Result<Arc<User>, NotSignedIn> {
    let found = app.store.find_user_by_username(username).await.map_err(Failure::from)?;
    let known = match &found {
        Some(user) => browsers::known(app, visit, &user.id, mark).await?,
        None => None,
    };
    let Some(counted) = guard::password(app, visit, username, known.as_ref()) else {
        tell_refused(app, visit, None, "too many failed attempts").await?;
        return Err(NotSignedIn::TooMany);
    };
    let stored = found.as_ref().filter(|user| user.enabled).and_then(|user| user.password_hash.clone());
    let right = verify(app, password, stored).await?;
    match found {
        Some(user) if right => {
            counted.forgive();
            Ok(user)
        }
        found => {
            let user = found.as_ref().map(|user| &user.id);
            tell_refused(app, visit, user, "wrong username or password").await?;
            Err(NotSignedIn::Wrong)
        }
    }
}

/// A hash of nothing anybody knows, for names that nobody has: it costs as much as most of `hashes`, so that those names
/// take as long as the others.
#[must_use]
pub fn nobodys(hashes: &[String]) -> Option<String> {
    let mut costs: BTreeMap<(u32, u32, u32), usize> = BTreeMap::new();
    for hash in hashes {
        let params = PasswordHash::new(hash).ok().and_then(|hash| Params::try_from(&hash).ok());
        if let Some(params) = params {
            *costs.entry((params.m_cost(), params.t_cost(), params.p_cost())).or_default() += 1;
        }
    }
    let usual = costs.into_iter().max_by_key(|(_, count)| *count).map(|(cost, _)| cost);
    let params = usual.and_then(|(m, t, p)| Params::new(m, t, p, None).ok()).unwrap_or_default();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(b"nobody has this password").ok().map(|hash| hash.to_string())
}

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
    let nobodys = app.nobodys_password.clone();
    let hashing = tokio::task::spawn_blocking(move || {
        let known = stored.is_some();
        let Some(hash) = stored.or(nobodys) else { return false };
        let fits = password.reveal().len() <= LONGEST;
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

/// Whether this may be the user's password.
///
/// # Errors
/// [`PasswordRefused`].
pub fn fits(app: &App, user: &User, password: &str) -> Result<(), PasswordRefused> {
    let names = [user.username.as_str(), user.name.as_str(), user.email().unwrap_or_default()];
    password::check(password, app.settings.passwords.min_length, &names)
}

/// The change that gives a user another password. Whoever knew the old one is signed out everywhere, but for `session`.
pub(super) async fn another(
    app: &App,
    visit: &Visit,
    user: &User,
    password: PresentedSecret,
    session: Option<SessionId>,
) -> Result<Change, Failure> {
    let password_hash = Some(hash(app, password).await?);
    let id = user.id.clone();
    let origin = app.store.user_origin(&id).await?;
    // As they are now: hashing takes its time, and rights may have been taken away meanwhile.
    let gone = || Broken::Inconsistent("an account that is not there");
    let before = app.store.find_user_now(&id).await?.ok_or_else(gone)?;
    let user = User { password_hash, ..before.as_ref().clone() };
    Ok(Change::new(event(Action::UserSetPassword, visit, &id))
        .requires(Anchor::User(id.clone()))
        .requires_unchanged(&before)
        .keep(Record::User { user, origin })
        .end(Ending::SessionsOf { user: id.clone(), except: session })
        .forget(Forget::OneTimeLinks(id.clone()))
        .forget(Forget::KnownBrowsers(id)))
}

/// A user who knows their password takes another one. They stay signed in here, and nowhere else.
///
/// # Errors
/// [`NotSignedIn::Wrong`] where the old password is wrong.
pub async fn change_password(
    app: &App,
    visit: &Visit,
    user: &User,
    session: &SessionId,
    old: PresentedSecret,
    new: PresentedSecret,
    mark: Option<&str>,
) -> Result<(), NotSignedIn> {
    let known = browsers::known(app, visit, &user.id, mark).await?;
    let Some(counted) = guard::password(app, visit, &user.username, known.as_ref()) else {
        tell_refused(app, visit, Some(&user.id), "too many failed attempts").await?;
        return Err(NotSignedIn::TooMany);
    };
    if !verify(app, old, user.password_hash.clone()).await? {
        tell_refused(app, visit, Some(&user.id), "wrong password, asked for to change it").await?;
        return Err(NotSignedIn::Wrong);
    }
    counted.forgive();
    let change = another(app, visit, user, new, Some(session.clone())).await?;
    let change = change
        .requires(Anchor::Session(session.clone()))
        .requires_password(user.id.clone(), password_mark(user));
    Ok(commit(app, change).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(memory: u32) -> String {
        let params = Params::new(memory, 1, 1, None).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password(b"x").unwrap().to_string()
    }

    fn cost(hash: &str) -> u32 {
        Params::try_from(&PasswordHash::new(hash).unwrap()).unwrap().m_cost()
    }

    #[test]
    fn a_name_that_nobody_has_costs_as_much_as_most_names() {
        assert_eq!(cost(&nobodys(&[made(64), made(128), made(64)]).unwrap()), 64);
        assert_eq!(cost(&nobodys(&["no hash".into()]).unwrap()), Params::default().m_cost());
        assert_eq!(cost(&nobodys(&[]).unwrap()), Params::default().m_cost());
    }
}

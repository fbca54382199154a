//! Authenticator apps: codes that change every half minute (RFC 6238). Each is taken once, on all nodes.

use std::sync::Arc;

use protocol::acr::Method;
use protocol::audit::Action;
use protocol::identifier::UserId;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::token::Login;
use protocol::user::User;
use totp_rs::Builder;

use super::{Halfway, InSession, NotAdded, NotSignedIn, browsers, commit, enter, guard, tell_refused};
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::jose::Place;
use crate::secret::Secret;
use crate::store::{Change, CommitError, Forget, Record, ReplayKey, Totp};

/// The secret's bytes, as many as the hash function has (RFC 4226 §4).
const BYTES: usize = 20;
/// What its secret is sealed as: for its user alone, so that it opens for no other.
const KIND: &str = "totp";
/// How long it is remembered that a code was used: longer than it would be taken.
const USED_LIFE: Seconds = Seconds::minutes(5);

/// What it is sealed as while no code has confirmed it.
const UNCONFIRMED: &str = "totp_unconfirmed";

/// What an app needs to know, in the two ways of telling it.
pub struct AppSecret {
    /// The secret in base32, for typing.
    pub secret: Secret,
    /// The `otpauth:` URL that a QR code holds.
    pub url: Secret,
    /// The secret as it may be remembered until a code confirms it: sealed, for this user.
    pub sealed: Secret,
}

/// A new secret; or the one that was remembered as `known`, once more.
///
/// # Errors
/// Where `known` is no secret of ours.
pub fn new_app_secret(app: &App, user: &User, known: Option<&str>) -> Result<AppSecret, Failure> {
    let secret = match known {
        Some(known) => {
            let known = open_as(app, UNCONFIRMED, &user.id, known)?;
            totp_rs::Secret::try_from_base32(known.reveal()).map_err(|_| broken())?
        }
        None => {
            let mut bytes = [0; BYTES];
            app.entropy.fill(&mut bytes);
            totp_rs::Secret::from(bytes)
        }
    };
    // What the app calls it; a colon would divide one part of the label from the other.
    let host = url::Url::parse(app.issuer()).ok().and_then(|url| url.host_str().map(str::to_owned));
    let plain = |text: &str| text.replace(':', " ").trim().to_owned();
    let issuer = plain(&format!("Procura {}", host.unwrap_or_default()));
    let text = Secret::from_text(secret.to_base32());
    let totp = Builder::new()
        .with_secret(secret)
        .with_account_name(plain(&user.username))
        .with_issuer(Some(issuer))
        .build()
        .map_err(|_| broken())?;
    let sealed = seal_as(app, UNCONFIRMED, &user.id, text.reveal())?;
    Ok(AppSecret { secret: text, url: Secret::from_text(totp.to_url().map_err(|_| broken())?), sealed })
}

fn broken() -> Failure {
    Broken::Inconsistent("the secret of an authenticator app does not read back").into()
}

/// The step that a code fits: the present one, or the one before or after.
fn step(secret: &str, code: &str, now: NumericDate) -> Option<u64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).take(7).collect();
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let secret = totp_rs::Secret::try_from_base32(secret).ok()?;
    let totp = Builder::new().with_secret(secret).build().ok()?;
    totp.check(&code, u64::try_from(now.0).ok()?)
}

fn seal_as(app: &App, kind: &'static str, user: &UserId, secret: &str) -> Result<Secret, Failure> {
    let place = Place { kind, of: &[user.as_str()] };
    let sealed = app.at_rest.seal(place, secret.as_bytes(), app.entropy.as_ref())?;
    Ok(Secret::from_text(sealed))
}

fn open_as(app: &App, kind: &'static str, user: &UserId, sealed: &str) -> Result<Secret, Failure> {
    let unreadable = || Broken::Inconsistent("the secret of an authenticator app cannot be opened");
    let place = Place { kind, of: &[user.as_str()] };
    let bytes = app.at_rest.open(place, sealed).map_err(|_| unreadable())?;
    Ok(Secret::from_text(std::str::from_utf8(&bytes).map_err(|_| unreadable())?.to_owned()))
}

fn sealed(app: &App, user: &UserId, secret: &str) -> Result<Secret, Failure> {
    seal_as(app, KIND, user, secret)
}

fn opened(app: &App, totp: &Totp) -> Result<Secret, Failure> {
    open_as(app, KIND, &totp.user, totp.secret.reveal())
}

/// That a user's code of this step was used.
fn used(user: &UserId, step: u64) -> ReplayKey {
    ReplayKey::new("totp", &[user.as_str(), &step.to_string()])
}

/// The second factor is a code of the authenticator app.
///
/// # Errors
/// [`NotSignedIn`].
pub async fn with_code(
    app: &App,
    visit: &Visit,
    halfway: &Halfway,
    code: &str,
    mark: Option<&str>,
) -> Result<(Arc<User>, Login), NotSignedIn> {
    let (user, login) = halfway.with(app, visit, Method::OneTimeCode).await?;
    let known = browsers::known(app, visit, &user.id, mark).await?;
    let Some(counted) = guard::code(app, visit, &user.id, known.as_ref()) else {
        tell_refused(app, visit, Some(&user.id), "too many wrong codes").await?;
        return Err(NotSignedIn::TooMany);
    };
    let totp = app.store.find_totp(&user.id).await.map_err(Failure::from)?;
    let secret = totp.as_ref().map(|totp| opened(app, totp)).transpose()?;
    let fits = secret.as_ref().and_then(|secret| step(secret.reveal(), code, visit.now));
    let (Some(totp), Some(secret), Some(step)) = (totp, secret, fits) else {
        tell_refused(app, visit, Some(&user.id), "wrong code").await?;
        return Err(NotSignedIn::Wrong);
    };
    // Sealed under a key of before: the next time it is read under the present one.
    let anew = match app.at_rest.is_current(totp.secret.reveal()) {
        true => None,
        false => Some(Record::Totp(Totp { secret: sealed(app, &user.id, secret.reveal())?, ..totp })),
    };
    let once = |change: Change| {
        let change = change.first_time(used(&user.id, step), visit.now.plus(USED_LIFE));
        anew.into_iter().fold(change, Change::keep)
    };
    if enter(app, visit, &user, &login, once).await?.is_err() {
        tell_refused(app, visit, Some(&user.id), "a code that was used before").await?;
        return Err(NotSignedIn::Wrong);
    }
    counted.forgive();
    Ok((user, login))
}

/// Sets up an authenticator app, once its first code shows that it knows the secret that was remembered as `secret`.
///
/// # Errors
/// [`NotAdded::Wrong`] where it does not.
pub async fn add_totp(
    app: &App,
    visit: &Visit,
    who: InSession<'_>,
    secret: &str,
    code: &str,
) -> Result<(), NotAdded> {
    let user = who.user;
    let not_added = |failure| match failure {
        Failure::Broken(broken) => NotAdded::Broken(broken),
        Failure::Refused(_) => NotAdded::Wrong,
    };
    let secret = open_as(app, UNCONFIRMED, user, secret).map_err(not_added)?;
    let step = step(secret.reveal(), code, visit.now).ok_or(NotAdded::Wrong)?;
    let secret = sealed(app, user, secret.reveal()).map_err(not_added)?;
    let totp = Totp { user: user.clone(), secret, created_at: visit.now };
    let change = who
        .change(Action::UserTotpAdd, visit)
        .first_time(used(user, step), visit.now.plus(USED_LIFE))
        .keep(Record::Totp(totp));
    match app.store.commit(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict(_)) => Err(NotAdded::Wrong),
        Err(CommitError::Broken(error)) => Err(NotAdded::Broken(error.into())),
    }
}

/// Removes the authenticator app of a user.
///
/// # Errors
/// The store's.
pub async fn remove_totp(app: &App, visit: &Visit, who: InSession<'_>) -> Result<(), Failure> {
    let change = who.change(Action::UserTotpRemove, visit).forget(Forget::Totp(who.user.clone()));
    commit(app, change).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, has eight digits; these are the last six of them.
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn the_codes_of_the_rfc_fit_at_their_time() {
        for (time, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
        {
            let fits = step(SECRET, code, NumericDate(time));
            assert_eq!(fits, Some(u64::try_from(time).unwrap() / 30), "{code}");
        }
    }

    #[test]
    fn a_code_fits_half_a_minute_early_and_late_and_no_longer() {
        let at = |time| step(SECRET, " 287 082 ", NumericDate(time));
        assert_eq!((at(0), at(59), at(89)), (Some(1), Some(1), Some(1)));
        assert_eq!((at(90), at(1_000_000)), (None, None));
    }

    #[test]
    fn what_is_no_code_fits_never() {
        for no_code in ["", "28708", "2870822", "28708a", "２８７０８２", "-87082"] {
            assert_eq!(step(SECRET, no_code, NumericDate(59)), None, "{no_code}");
        }
        assert_eq!(step("not base 32!", "287082", NumericDate(59)), None);
    }
}

//! Local accounts: passwords (Argon2id), passkeys, authenticator apps, recovery codes and one-time links. Whether a user
//! exists is told neither by words nor by time.
//!
//! A sign-in is a list of methods, one after the other: a password and, where its owner has one, a second factor; or a
//! passkey alone, which is two factors in one. The last of them is checked, counted and told in one change.

mod browsers;
mod guard;
mod links;
mod passkeys;
mod password;
mod recovery;
mod sessions;
mod totp;

use std::sync::Arc;

use protocol::acr::{self, Method};
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::ending::AccountOperation;
use protocol::identifier::{SessionId, UserId};
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::Login;
use protocol::user::User;
use serde::{Deserialize, Serialize};

use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::store::{Anchor, Change, CommitError, Passkey, password_mark};

pub use browsers::remember_browser;
pub use links::{Letter, SET_PASSWORD, forgot, link_for, link_user, new_link, set_password};
pub use passkeys::{
    Ceremony, LONGEST_NAME, NotAdded, add_passkey, ask_for_new_passkey, ask_for_passkey, has_passkeys,
    remove_passkey, rename_passkey, with_passkey,
};
pub use password::{change_password, fits, hash, matches, nobodys, with_password};
pub use recovery::{new_recovery_codes, with_recovery_code};
pub use sessions::{end_other_sessions, end_session};
pub use totp::{AppSecret, add_totp, new_app_secret, remove_totp, with_code};

/// Why nobody was signed in.
#[derive(Debug)]
pub enum NotSignedIn {
    /// A wrong name, password, code or key, in one voice.
    Wrong,
    /// Too many failures of late.
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

/// Somebody who proved something, and has to prove something more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Halfway {
    /// Who.
    pub user: UserId,
    /// How, until now.
    pub methods: Vec<Method>,
    /// When they came this far.
    pub since: NumericDate,
    /// Which password they had then.
    #[serde(default)]
    pub password: Option<String>,
}

/// How long somebody may take from the first factor to the second.
const HALFWAY_LIFE: Seconds = Seconds::minutes(10);

impl Halfway {
    /// Who proved a first factor just now.
    #[must_use]
    pub fn new(user: &User, method: Method, visit: &Visit) -> Self {
        let password = password_mark(user);
        Self { user: user.id.clone(), methods: vec![method], since: visit.now, password }
    }

    /// Whether there is still time.
    #[must_use]
    pub fn is_live(&self, now: NumericDate) -> bool {
        !self.since.plus(HALFWAY_LIFE).is_over(now)
    }

    /// The user, if they may still sign in, and the login that one more method makes of it.
    async fn with(
        &self,
        app: &App,
        visit: &Visit,
        method: Method,
    ) -> Result<(Arc<User>, Login), NotSignedIn> {
        let user = app.store.find_user(&self.user).await.map_err(Failure::from)?;
        // A password that was reset in between is nobody's first step any more.
        let goes_on = |user: &Arc<User>| {
            user.enabled && self.is_live(visit.now) && password_mark(user) == self.password
        };
        let user = user.filter(goes_on).ok_or(NotSignedIn::Wrong)?;
        let methods: Vec<Method> = self.methods.iter().copied().chain([method]).collect();
        Ok((user, acr::login(&methods, visit.now)))
    }
}

/// What a user can prove besides their password.
#[derive(Debug)]
pub struct Factors {
    /// Their passkeys.
    pub passkeys: Vec<Passkey>,
    /// When they set up an authenticator app, if they did.
    pub totp: Option<NumericDate>,
    /// How many recovery codes are left.
    pub recovery_codes: u64,
}

impl Factors {
    /// Whether a password alone does not sign them in. Recovery codes are a spare for the others, and ask for nothing
    /// themselves.
    #[must_use]
    pub fn ask_for_more(&self) -> bool {
        self.totp.is_some() || !self.passkeys.is_empty()
    }
}

/// What a user can prove besides their password.
///
/// # Errors
/// The store's.
pub async fn factors(app: &App, user: &UserId) -> Result<Factors, Failure> {
    Ok(Factors {
        passkeys: app.store.passkeys_of_user(user).await?,
        totp: app.store.find_totp(user).await?.map(|totp| totp.created_at),
        recovery_codes: app.store.count_recovery_codes(user).await?,
    })
}

/// Somebody is signed in by this one method: the last word on it, and its event.
///
/// # Errors
/// [`NotSignedIn`], where they have been disabled since.
pub async fn complete(app: &App, visit: &Visit, user: &User, method: Method) -> Result<Login, NotSignedIn> {
    let login = acr::login(&[method], visit.now);
    enter(app, visit, user, &login, |change| change).await?.map_err(|_| NotSignedIn::Wrong)?;
    Ok(login)
}

/// What is used up by a sign-in was used before.
struct UsedBefore;

/// Writes that somebody signed in, together with what that uses up.
async fn enter(
    app: &App,
    visit: &Visit,
    user: &User,
    login: &Login,
    with: impl FnOnce(Change) -> Change,
) -> Result<Result<(), UsedBefore>, NotSignedIn> {
    // An account that an upstream made is entered through it alone: whoever is out there is out here.
    if app.store.is_made_by_upstream(&user.id).await.map_err(Failure::from)? {
        tell_refused(app, visit, Some(&user.id), "the account is its upstream's").await?;
        return Ok(Err(UsedBefore));
    }
    let mut event = event(Action::UserSignIn, visit, &user.id);
    event.reason = Some(login.amr.join(" "));
    let change = Change::new(event)
        .requires(Anchor::User(user.id.clone()))
        .requires_password(user.id.clone(), password_mark(user))
        .set_account(user.id.clone(), AccountOperation::SignIn);
    let change = with(change);
    match app.store.commit(change).await {
        Ok(_) => Ok(Ok(())),
        Err(CommitError::Conflict(_)) => Ok(Err(UsedBefore)),
        Err(CommitError::Broken(error)) => Err(NotSignedIn::Broken(error.into())),
    }
}

/// Somebody who changes something, and the session in which they do.
#[derive(Clone, Copy, Debug)]
pub struct InSession<'a> {
    /// The user.
    pub user: &'a UserId,
    /// Where they are signed in.
    pub session: &'a SessionId,
}

impl InSession<'_> {
    /// A change that they make to their own account. It is not written where they have been signed out meanwhile.
    fn change(self, action: Action, visit: &Visit) -> Change {
        self.still_there(Change::new(event(action, visit, self.user)))
    }

    fn still_there(self, change: Change) -> Change {
        change.requires(Anchor::User(self.user.clone())).requires(Anchor::Session(self.session.clone()))
    }
}

/// The event of something about `user`.
fn event(action: Action, visit: &Visit, user: &UserId) -> AuditEvent {
    let mut event = AuditEvent::new(action, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    event.user = Some(user.clone());
    event
}

/// Tells that somebody was not signed in. A failure of somebody who exists is always told: the bounds on attempts keep
/// these few.
async fn tell_refused(
    app: &App,
    visit: &Visit,
    user: Option<&UserId>,
    reason: &'static str,
) -> Result<(), Failure> {
    let mut event = AuditEvent::new(Action::UserSignIn, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    event.user = user.cloned();
    let event = event.refused(&Refusal::new(ErrorCode::AccessDenied, reason));
    if user.is_some() { app.tell(event).await } else { app.tell_of_stranger(visit, event).await }
}

/// Writes a change that a user makes to their own account.
async fn commit(app: &App, change: Change) -> Result<(), Failure> {
    match app.store.commit(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict(_)) => {
            Err(Refusal::new(ErrorCode::AccessDenied, "this cannot be done any more").into())
        }
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

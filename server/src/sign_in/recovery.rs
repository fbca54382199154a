//! Recovery codes: ten, shown once, each good for one sign-in as the second factor.

use std::sync::Arc;

use protocol::acr::Method;
use protocol::audit::Action;
use protocol::identifier::UserId;
use protocol::recovery_code::{self, BYTES, COUNT};
use protocol::token::Login;
use protocol::user::User;

use super::{Halfway, InSession, NotSignedIn, browsers, commit, enter, guard, tell_refused};
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::secret::{Secret, SecretDigest};
use crate::store::{Record, Take};

fn digest(user: &UserId, code: &str) -> SecretDigest {
    SecretDigest::of(&format!("{} {code}", user.as_str()))
}

/// New codes for this user; those of before are void.
///
/// # Errors
/// The store's.
pub async fn new_recovery_codes(
    app: &App,
    visit: &Visit,
    who: InSession<'_>,
) -> Result<Vec<Secret>, Failure> {
    let user = who.user;
    let codes: Vec<Secret> = std::iter::repeat_with(|| {
        let mut bytes = [0; BYTES];
        app.entropy.fill(&mut bytes);
        Secret::from_text(recovery_code::show(bytes))
    })
    .take(COUNT)
    .collect();
    let digests = codes.iter().map(|code| digest(user, code.reveal())).collect();
    let change = who
        .change(Action::UserRecoveryCodes, visit)
        .keep(Record::RecoveryCodes { user: user.clone(), digests });
    commit(app, change).await?;
    Ok(codes)
}

/// The second factor is a recovery code, which is then used up.
///
/// # Errors
/// [`NotSignedIn`].
pub async fn with_recovery_code(
    app: &App,
    visit: &Visit,
    halfway: &Halfway,
    typed: &str,
    mark: Option<&str>,
) -> Result<(Arc<User>, Login), NotSignedIn> {
    let (user, login) = halfway.with(app, visit, Method::RecoveryCode).await?;
    let known = browsers::known(app, visit, &user.id, mark).await?;
    let Some(counted) = guard::code(app, visit, &user.id, known.as_ref()) else {
        tell_refused(app, visit, Some(&user.id), "too many wrong codes").await?;
        return Err(NotSignedIn::TooMany);
    };
    if let Some(code) = recovery_code::read(typed) {
        let take = Take::RecoveryCode(digest(&user.id, &code));
        if enter(app, visit, &user, &login, |change| change.take(take)).await?.is_ok() {
            counted.forgive();
            return Ok((user, login));
        }
    }
    tell_refused(app, visit, Some(&user.id), "wrong recovery code").await?;
    Err(NotSignedIn::Wrong)
}

//! Browsers in which somebody signed in before. However many failures others cause under that person's name, these
//! browsers are not made to wait for them.

use protocol::identifier::UserId;
use protocol::numeric_date::Seconds;

use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::secret::{Secret, SecretDigest};
use crate::store::{Change, CommitError, Record};

/// How long a browser is known after the last sign-in.
const KNOWN_LIFE: Seconds = Seconds::days(365);
/// The longest mark that is looked at.
const LONGEST_MARK: usize = 100;

/// What is stored of a browser's mark: it says which user it is about, and nothing without the mark.
fn digest(user: &UserId, mark: &str) -> SecretDigest {
    SecretDigest::of(&format!("{} {mark}", user.as_str()))
}

/// The digest of a browser's mark, if this user was signed in with it before.
pub(super) async fn known(
    app: &App,
    visit: &Visit,
    user: &UserId,
    mark: Option<&str>,
) -> Result<Option<SecretDigest>, Failure> {
    let Some(mark) = mark.filter(|mark| mark.len() <= LONGEST_MARK) else { return Ok(None) };
    let digest = digest(user, mark);
    let known = app.store.knows_browser(&digest, visit.now).await?;
    Ok(known.then_some(digest))
}

/// Remembers that somebody signed in with this browser. Gives the mark for its cookie: the one it has, or a new one.
///
/// # Errors
/// The store's.
pub async fn remember_browser(
    app: &App,
    visit: &Visit,
    user: &UserId,
    mark: Option<&str>,
) -> Result<Secret, Failure> {
    // One browser may be several people's; a mark that is not one of ours is replaced.
    let ours = mark.filter(|mark| mark.len() == 43 && mark.bytes().all(|b| b.is_ascii_graphic()));
    let mark = match ours {
        Some(mark) => Secret::from_text(mark.to_owned()),
        None => Secret::generate(app.entropy.as_ref(), ""),
    };
    let record = Record::KnownBrowser {
        mark: digest(user, mark.reveal()),
        user: user.clone(),
        expires_at: visit.now.plus(KNOWN_LIFE),
    };
    match app.store.commit(Change::housekeeping(visit.now).keep(record)).await {
        Ok(_) | Err(CommitError::Conflict(_)) => Ok(mark),
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

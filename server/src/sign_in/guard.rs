//! How often somebody may fail. Every count is made before the check that may fail, so that many attempts at once are
//! bounded like many in a row; and is taken back where it did not fail.
//!
//! Whoever guesses uses up what is counted for their address, and in the end what is counted for the name; that makes
//! new browsers wait, but never one that knows its user, which has a count of its own.

use protocol::identifier::UserId;

use crate::app::{App, Visit};
use crate::attempts::Attempts;
use crate::secret::SecretDigest;

/// What was counted.
pub(super) struct Counted<'a>(Vec<(&'a Attempts, String)>);

impl<'a> Counted<'a> {
    fn new(wanted: Vec<(&'a Attempts, String)>) -> Option<Self> {
        wanted.iter().all(|(attempts, key)| attempts.count(key)).then_some(Self(wanted))
    }

    /// It was no failure.
    pub(super) fn forgive(self) {
        for (attempts, key) in self.0 {
            attempts.forgive(&key);
        }
    }
}

/// One more password for this name; none where it has to wait.
pub(super) fn password<'a>(
    app: &'a App,
    visit: &Visit,
    username: &str,
    known: Option<&SecretDigest>,
) -> Option<Counted<'a>> {
    let all = &app.sign_in_attempts;
    // A name may be as long as a form; its digest is not.
    let name = SecretDigest::of(&username.to_ascii_lowercase()).to_text();
    if let Some(browser) = known {
        return Counted::new(vec![(&all.pairs, format!("{name} {}", browser.to_text()))]);
    }
    let source = visit.source();
    Counted::new(vec![(&all.pairs, format!("{name} {source}")), (&all.addresses, source), (&all.names, name)])
}

/// One more answer of a passkey. It cannot be guessed; what is bounded is how much of it is looked at and told.
pub(super) fn passkey<'a>(app: &'a App, visit: &Visit) -> Option<Counted<'a>> {
    Counted::new(vec![(&app.sign_in_attempts.addresses, visit.source())])
}

/// One more code of this user's; none where it has to wait.
pub(super) fn code<'a>(
    app: &'a App,
    visit: &Visit,
    user: &UserId,
    known: Option<&SecretDigest>,
) -> Option<Counted<'a>> {
    let all = &app.sign_in_attempts;
    let user = user.as_str();
    if let Some(browser) = known {
        return Counted::new(vec![(&all.codes, format!("{user} {}", browser.to_text()))]);
    }
    let source = visit.source();
    Counted::new(vec![
        (&all.codes, format!("{user} {source}")),
        (&all.addresses, source),
        (&all.codes_of_user, user.to_owned()),
    ])
}

//! Passkeys (WebAuthn): keys that a device keeps for its user and this site, and uses only after it has asked the user
//! for a finger, a face or a PIN. So one is two factors, and can stand alone; after a password it is the second one.
//!
//! Each ceremony has a challenge that is kept in the browser's session, is taken out with the answer, and is marked as
//! used in the change that the answer leads to.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::acr::{self, Method};
use protocol::audit::Action;
use protocol::identifier::UserId;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::token::Login;
use protocol::user::User;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey as Credential, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use super::{Halfway, InSession, NotSignedIn, commit, enter, guard, tell_refused};
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::secret::SecretDigest;
use crate::store::{Change, CommitError, Forget, Passkey, Record, ReplayKey, Take};

/// How long a browser may take to answer; a sign-in page may lie open for a while.
const CEREMONY_LIFE: Seconds = Seconds::minutes(30);
/// The longest name of a passkey, in characters.
pub const LONGEST_NAME: usize = 60;
/// The most passkeys that one user may have.
const MOST: usize = 20;
/// What devices call this site.
const SITE: &str = "Procura";

/// A question to a device, and what its answer is held against.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ceremony {
    /// What `navigator.credentials` is given, as JSON (WebAuthn §5.1.8, §5.1.9): for the page.
    pub options: Value,
    /// What the answer is held against.
    state: Value,
    /// When it was asked.
    at: NumericDate,
}

impl Ceremony {
    fn new(options: &impl Serialize, state: &impl Serialize, visit: &Visit) -> Result<Self, Failure> {
        let json = |made: serde_json::Result<Value>| made.map_err(|_| Broken::Other("a ceremony is JSON"));
        let mut options = json(serde_json::to_value(options))?;
        let state = json(serde_json::to_value(state))?;
        Ok(Self { options: options["publicKey"].take(), state, at: visit.now })
    }

    fn read<T: serde::de::DeserializeOwned>(&self, visit: &Visit) -> Option<T> {
        let live = !self.at.plus(CEREMONY_LIFE).is_over(visit.now);
        live.then(|| serde_json::from_value(self.state.clone()).ok()).flatten()
    }

    /// That this challenge was answered.
    fn answered(&self) -> ReplayKey {
        ReplayKey::new("passkey", &[self.options["challenge"].as_str().unwrap_or_default()])
    }

    /// The same change, if this challenge was never answered before.
    fn once(&self, change: Change, visit: &Visit) -> Change {
        change.first_time(self.answered(), visit.now.plus(CEREMONY_LIFE))
    }
}

/// The site that passkeys are for: the issuer's host and origin. A site that is only an address has none (WebAuthn
/// §5.1.3 wants a domain).
fn site(app: &App) -> Option<Webauthn> {
    let issuer = Url::parse(app.issuer()).ok()?;
    let origin = Url::parse(&issuer.origin().ascii_serialization()).ok()?;
    let domain = origin.domain()?.to_owned();
    WebauthnBuilder::new(&domain, &origin).ok()?.rp_name(SITE).build().ok()
}

/// Whether passkeys can be used at this issuer at all.
#[must_use]
pub fn has_passkeys(app: &App) -> bool {
    Url::parse(app.issuer()).is_ok_and(|issuer| issuer.domain().is_some())
}

/// What devices know a user by, instead of a name: it says nothing about who that is (WebAuthn §14.6.1).
fn handle(user: &UserId) -> Uuid {
    let digest = SecretDigest::of(&format!("passkey of {}", user.as_str()));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_bytes()[..16]);
    Uuid::from_bytes(bytes)
}

/// Asks for a passkey: one of `allowed`, or where there are none, any that the device has for this site. None where the
/// site can have no passkeys.
///
/// # Errors
/// Something of ours.
pub fn ask_for_passkey(app: &App, visit: &Visit, allowed: &[Passkey]) -> Result<Option<Ceremony>, Failure> {
    let Some(site) = site(app) else { return Ok(None) };
    let asked = site.start_discoverable_authentication();
    let (options, state) = asked.map_err(|_| Broken::Other("a passkey cannot be asked for"))?;
    let mut ceremony = Ceremony::new(&options, &state, visit)?;
    let named = allowed.iter().map(|passkey| json!({ "type": "public-key", "id": passkey.id }));
    ceremony.options["allowCredentials"] = named.collect();
    Ok(Some(ceremony))
}

/// Asks a device to make a passkey for this user, one that it finds again without being told a name if it can.
///
/// # Errors
/// Something of ours.
pub async fn ask_for_new_passkey(app: &App, visit: &Visit, user: &User) -> Result<Option<Ceremony>, Failure> {
    let Some(site) = site(app) else { return Ok(None) };
    let known = app.store.passkeys_of_user(&user.id).await?;
    let known = known.iter().filter_map(|passkey| URL_SAFE_NO_PAD.decode(&passkey.id).ok());
    let known = known.collect();
    let asked = site.start_passkey_registration(handle(&user.id), &user.username, &user.name, Some(known));
    let (options, state) = asked.map_err(|_| Broken::Other("a passkey cannot be asked for"))?;
    let mut ceremony = Ceremony::new(&options, &state, visit)?;
    ceremony.options["authenticatorSelection"]["residentKey"] = "preferred".into();
    Ok(Some(ceremony))
}

/// Why something was not added to an account.
#[derive(Debug)]
pub enum NotAdded {
    /// The proof does not fit, or comes too late.
    Wrong,
    /// There are too many already.
    TooMany,
    /// Something of ours.
    Broken(Broken),
}

impl From<Failure> for NotAdded {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Broken(broken) => Self::Broken(broken),
            Failure::Refused(_) => Self::Wrong,
        }
    }
}

/// A name as it is kept: one line, not too long; none where nothing is left.
fn tidy(name: &str) -> Option<String> {
    let words: Vec<&str> = name.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let name: String = words.join(" ").trim().chars().take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}

/// Adds the passkey that a device made.
///
/// # Errors
/// [`NotAdded`].
pub async fn add_passkey(
    app: &App,
    visit: &Visit,
    who: InSession<'_>,
    ceremony: &Ceremony,
    answer: &str,
    name: &str,
) -> Result<(), NotAdded> {
    let user = who.user;
    let site = site(app).ok_or(NotAdded::Wrong)?;
    let state: PasskeyRegistration = ceremony.read(visit).ok_or(NotAdded::Wrong)?;
    let answer: RegisterPublicKeyCredential = serde_json::from_str(answer).map_err(|_| NotAdded::Wrong)?;
    let made = site.finish_passkey_registration(&answer, &state).map_err(|_| NotAdded::Wrong)?;
    let there = app.store.passkeys_of_user(user).await.map_err(Failure::from)?;
    if there.len() >= MOST {
        return Err(NotAdded::TooMany);
    }
    let id = URL_SAFE_NO_PAD.encode(made.cred_id());
    if app.store.find_passkey(&id).await.map_err(Failure::from)?.is_some() {
        return Err(NotAdded::Wrong);
    }
    let document = document(&made)?;
    let passkey = Passkey {
        id,
        user: user.clone(),
        name: tidy(name).unwrap_or_else(|| format!("Passkey {}", there.len() + 1)),
        counter: counter(&document),
        created_at: visit.now,
        used_at: None,
        document,
    };
    let change =
        ceremony.once(who.change(Action::UserPasskeyAdd, visit), visit).keep(Record::Passkey(passkey));
    match app.store.commit(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict(_)) => Err(NotAdded::Wrong),
        Err(CommitError::Broken(error)) => Err(NotAdded::Broken(error.into())),
    }
}

fn document(credential: &Credential) -> Result<Value, Failure> {
    Ok(serde_json::to_value(credential).map_err(|_| Broken::Other("a passkey is JSON"))?)
}

/// The counter of a stored credential, which tells only through its JSON.
fn counter(document: &Value) -> u32 {
    document["cred"]["counter"].as_u64().and_then(|counter| counter.try_into().ok()).unwrap_or_default()
}

/// Gives a passkey of this user another name.
///
/// # Errors
/// The store's.
pub async fn rename_passkey(
    app: &App,
    visit: &Visit,
    who: InSession<'_>,
    id: &str,
    name: &str,
) -> Result<(), Failure> {
    let Some(name) = tidy(name) else { return Ok(()) };
    let record = Record::PasskeyName { id: id.to_owned(), user: who.user.clone(), name };
    commit(app, who.change(Action::UserPasskeyRename, visit).keep(record)).await
}

/// Removes a passkey of this user.
///
/// # Errors
/// The store's.
pub async fn remove_passkey(app: &App, visit: &Visit, who: InSession<'_>, id: &str) -> Result<(), Failure> {
    let forget = Forget::Passkey { user: who.user.clone(), id: id.to_owned() };
    commit(app, who.change(Action::UserPasskeyRemove, visit).forget(forget)).await
}

/// Somebody signs in with a passkey: as the second factor of whoever is `halfway`, or alone.
///
/// # Errors
/// [`NotSignedIn`].
pub async fn with_passkey(
    app: &App,
    visit: &Visit,
    halfway: Option<&Halfway>,
    ceremony: &Ceremony,
    answer: &str,
) -> Result<(Arc<User>, Login), NotSignedIn> {
    let Some(counted) = guard::passkey(app, visit) else {
        tell_refused(app, visit, None, "too many failed attempts").await?;
        return Err(NotSignedIn::TooMany);
    };
    let read = || {
        let answer: PublicKeyCredential = serde_json::from_str(answer).ok()?;
        let state: DiscoverableAuthentication = ceremony.read(visit)?;
        Some((site(app)?, answer, state))
    };
    let Some((site, answer, state)) = read() else {
        let user = halfway.map(|halfway| &halfway.user);
        tell_refused(app, visit, user, "no answer to a question for a passkey").await?;
        return Err(NotSignedIn::Wrong);
    };
    let id = URL_SAFE_NO_PAD.encode(answer.get_credential_id());
    let found = app.store.find_passkey(&id).await.map_err(Failure::from)?;
    let Some(passkey) = found.filter(|passkey| is_whose(passkey, halfway, &answer)) else {
        tell_refused(app, visit, halfway.map(|halfway| &halfway.user), "a passkey that is not known").await?;
        return Err(NotSignedIn::Wrong);
    };
    let known = serde_json::from_value::<Credential>(passkey.document.clone());
    let mut credential = known.map_err(|_| broken(Broken::Inconsistent("a passkey does not read back")))?;
    let proven = match site.finish_discoverable_authentication_v2(&answer, state, &credential) {
        Ok(proven) => proven,
        Err(reason) => {
            tell_refused(app, visit, Some(&passkey.user), why(&reason)).await?;
            return Err(NotSignedIn::Wrong);
        }
    };
    credential.update_credential(&proven);
    let take = Take::Passkey { id, counter: proven.counter(), document: document(&credential)? };
    let method = Method::Passkey { synced: proven.backup_eligible(), user_verified: proven.user_verified() };
    let (user, login) = match halfway {
        Some(halfway) => halfway.with(app, visit, method).await?,
        None => (alone(app, &passkey.user).await?, acr::login(&[method], visit.now)),
    };
    let with = |change: Change| ceremony.once(change, visit).take(take);
    if enter(app, visit, &user, &login, with).await?.is_err() {
        tell_refused(app, visit, Some(&user.id), "a passkey's answer that was used before").await?;
        return Err(NotSignedIn::Wrong);
    }
    counted.forgive();
    Ok((user, login))
}

const fn broken(reason: Broken) -> NotSignedIn {
    NotSignedIn::Broken(reason)
}

/// Whether a passkey belongs to whoever is halfway; or, where it is to say itself who comes, whether the device names
/// the user that it is registered for.
fn is_whose(passkey: &Passkey, halfway: Option<&Halfway>, answer: &PublicKeyCredential) -> bool {
    let handle = handle(&passkey.user);
    match (halfway, answer.get_user_unique_id()) {
        (Some(halfway), named) => {
            passkey.user == halfway.user && named.is_none_or(|named| named == handle.as_bytes())
        }
        (None, Some(named)) => named == handle.as_bytes(),
        (None, None) => false,
    }
}

async fn alone(app: &App, user: &UserId) -> Result<Arc<User>, NotSignedIn> {
    let found = app.store.find_user(user).await.map_err(Failure::from)?;
    found.filter(|user| user.enabled).ok_or(NotSignedIn::Wrong)
}

const fn why(reason: &WebauthnError) -> &'static str {
    match reason {
        WebauthnError::CredentialPossibleCompromise => {
            "the passkey's counter did not go on: it may have been copied"
        }
        WebauthnError::UserNotVerified => "the device did not ask its user",
        WebauthnError::InvalidRPOrigin => "the passkey was used at another site",
        _ => "the passkey's answer does not fit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_and_not_too_long() {
        assert_eq!(tidy(" my\nphone\u{7} ").as_deref(), Some("my phone"));
        assert_eq!(tidy(" \t\n"), None);
        assert_eq!(tidy(&"x".repeat(100)).map(|name| name.len()), Some(LONGEST_NAME));
    }

    #[test]
    fn a_handle_says_nothing_of_the_user_and_is_always_the_same() {
        let (alice, bob) = ("usr_alice".parse().unwrap(), "usr_bob".parse().unwrap());
        assert_eq!(handle(&alice), handle(&alice));
        assert_ne!(handle(&alice), handle(&bob));
    }
}

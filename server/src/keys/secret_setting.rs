//! Secrets that all nodes share: made once, kept sealed among the settings.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::numeric_date::NumericDate;
use zeroize::Zeroizing;

use super::{KeysError, Workshop, sealed_event};
use crate::jose::{NotOpened, Place};
use crate::store::{Change, CommitError, Record, StoreError};

/// The 32 random bytes that are kept under this name; made if there are none, and sealed anew if they are not sealed
/// as they would be now. Whoever calls this at a start does so while no other process furnishes the database.
///
/// # Errors
/// [`KeysError`]; among them that they are sealed under another encryption key.
pub async fn secret_setting(
    workshop: &Workshop<'_>,
    name: &str,
    now: NumericDate,
) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let of = [name];
    let place = Place { kind: "setting", of: &of };
    let stored = workshop.store.setting(name).await?;
    let mut secret = Zeroizing::new([0; 32]);
    match &stored {
        Some(text) => secret.copy_from_slice(&open(workshop, place, text)?),
        None => workshop.entropy.fill(secret.as_mut()),
    }
    if stored.as_deref().is_some_and(|text| workshop.at_rest.is_current(text)) {
        return Ok(secret);
    }
    let value = workshop.at_rest.seal(place, secret.as_ref(), workshop.entropy)?;
    let record = Record::Setting { name: name.to_owned(), value };
    let change = match &stored {
        Some(_) => Change::new(sealed_event(workshop.at_rest, &format!("setting {name}"), now)),
        None => Change::housekeeping(now),
    };
    match workshop.store.commit(change.keep(record)).await {
        Ok(_) => Ok(secret),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(_)) => {
            Err(StoreError::Unavailable("a setting could not be written").into())
        }
    }
}

/// Opens a sealed text, or one from before there were seals: base64url, in which there is no dot.
fn open(workshop: &Workshop<'_>, place: Place<'_>, text: &str) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    let opened = if text.contains('.') {
        workshop.at_rest.open(place, text)?
    } else {
        Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| NotOpened::Corrupt)?)
    };
    if opened.len() == 32 { Ok(opened) } else { Err(NotOpened::Corrupt.into()) }
}

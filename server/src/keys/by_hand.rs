//! What an operator does with keys.

use protocol::client::SigningAlg;
use protocol::key_rotation::{self, KeyFacts, KeyState, Rotation, Step};
use protocol::numeric_date::NumericDate;

use super::{KeysError, TRIES, Workshop, facts, take};

/// Publishes a next key for each of these algorithms that has none. It signs once its overlap is over. Gives the next
/// keys, those that were there before among them.
///
/// # Errors
/// [`KeysError`].
pub async fn rotate(
    workshop: &Workshop<'_>,
    algs: &[SigningAlg],
    rotation: &Rotation,
    now: NumericDate,
) -> Result<Vec<KeyFacts>, KeysError> {
    for _ in 0..TRIES {
        let stored = workshop.store.signing_keys().await?;
        let known = facts(&stored);
        let next = |alg: SigningAlg| known.iter().find(|key| key.alg == alg && key.state == KeyState::Next);
        let Some(missing) = algs.iter().find(|alg| next(**alg).is_none()) else {
            return Ok(algs.iter().filter_map(|alg| next(*alg).cloned()).collect());
        };
        take(workshop, &stored, &Step::Make(*missing, KeyState::Next), rotation.longest_life, now).await?;
    }
    Err(KeysError::Crowded)
}

/// Retires a key, where [`key_rotation::retire`] allows it.
///
/// # Errors
/// [`KeysError::NotRetired`] where it does not.
pub async fn retire(
    workshop: &Workshop<'_>,
    kid: &str,
    at_once: bool,
    rotation: &Rotation,
    now: NumericDate,
) -> Result<(), KeysError> {
    for _ in 0..TRIES {
        let stored = workshop.store.signing_keys().await?;
        let steps = key_rotation::retire(&facts(&stored), kid, at_once)?;
        // One step at a time, each seen from where the one before left the ring.
        let Some(step) = steps.first() else { return Ok(()) };
        let taken = take(workshop, &stored, step, rotation.longest_life, now).await?;
        if taken && steps.len() == 1 {
            return Ok(());
        }
    }
    Err(KeysError::Crowded)
}

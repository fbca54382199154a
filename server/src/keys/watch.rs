//! Looking after the keys while the house is open, in every node.

use std::sync::Arc;
use std::time::Duration;

use protocol::key_rotation::{self, Rotation};

use super::{KeysError, Workshop, look_after, publish, rotation};
use crate::app::App;

/// How often a node asks whether another one changed the ring.
const LOOK: Duration = Duration::from_millis(700);
/// After how many looks it asks anew how long tokens live: about once a minute.
const RECKON: u32 = 90;

/// Follows the ring, and does what is due, until the house closes.
pub async fn follow(app: Arc<App>) {
    let mut looks = 0;
    let mut in_trouble = false;
    let mut known = rotation(&app.settings, &[]);
    loop {
        let looked = async {
            if looks % RECKON == 0 {
                known = rotation(&app.settings, &app.store.resource_servers().await?);
            }
            look(&app, &known).await
        };
        match looked.await {
            Ok(()) => in_trouble = false,
            // Once for each trouble, and not once for each look.
            Err(error) if !in_trouble => {
                tracing::warn!(%error, "the signing keys could not be looked after; trying on");
                in_trouble = true;
            }
            Err(_) => {}
        }
        looks = looks.wrapping_add(1);
        tokio::time::sleep(LOOK).await;
    }
}

/// One look: the ring as the database has it, and whatever is due. As long as nothing is, this asks for one number.
async fn look(app: &App, rotation: &Rotation) -> Result<(), KeysError> {
    let published = app.keys.published();
    let now = app.clock.now();
    if app.store.signing_keys_version().await? != published.version {
        app.keys.replace(publish(&app.store.signing_keys().await?, &app.at_rest)?);
    }
    if key_rotation::due(&app.keys.published().facts, rotation, now).is_some() {
        let workshop = Workshop { store: &app.store, at_rest: &app.at_rest, entropy: app.entropy.as_ref() };
        app.keys.replace(look_after(&workshop, rotation, now).await?);
    }
    Ok(())
}

//! Rights that came from an upstream and that it cannot give any more: it is gone from the configuration, or its group
//! is. Nobody has to sign in again for them to go.

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::federation::rights::{self, Rights};
use protocol::numeric_date::NumericDate;

use super::{StartError, write};
use crate::config::DeclaredUpstream;
use crate::store::{Change, FederatedIdentity, Origin, Record, Store};

/// Takes them away.
///
/// # Errors
/// The store's.
pub(super) async fn drop_them(
    store: &Store,
    upstreams: &[DeclaredUpstream],
    now: NumericDate,
) -> Result<(), StartError> {
    let mut after = None;
    loop {
        let portion = store.identities_with_rights(after.as_ref()).await?;
        let Some(last) = portion.last() else { return Ok(()) };
        after = Some(last.identity.clone());
        for identity in portion {
            let upstream = upstreams.iter().find(|known| known.upstream.issuer == identity.identity.issuer);
            let most = upstream.map_or_else(Rights::default, |known| rights::most(&known.upstream.groups));
            lapse(store, identity, &most, now).await?;
        }
    }
}

/// Leaves the account of an identity no more than `most` of what it was given.
async fn lapse(
    store: &Store,
    identity: FederatedIdentity,
    most: &Rights,
    now: NumericDate,
) -> Result<(), StartError> {
    let Some(id) = &identity.user else { return Ok(()) };
    let Some(found) = store.find_user_now(id).await? else { return Ok(()) };
    // What an admin did to the account stands beside what is written of it, and is not written into it.
    let Some(before) = store.find_declared_user(&found.username).await? else { return Ok(()) };
    let origin = store.user_origin(id).await?;
    // What is declared has just been applied, and is all that a declared user has.
    let (has, granted) = match origin {
        Origin::Config => (Rights::of(&before), Rights::default()),
        _ => rights::regrant(&Rights::of(&before), &identity.granted, &identity.granted.within(most)),
    };
    if granted == identity.granted {
        return Ok(());
    }
    let user = has.given_to(before.clone());
    let mut event = AuditEvent::new(Action::UserUpdate, Outcome::Granted, now);
    event.user = Some(id.clone());
    event.reason = Some("rights that the configuration does not let its upstream give any more".into());
    let change = match user == before {
        true => Change::housekeeping(now),
        false => Change::new(event).keep(Record::User { user, origin }),
    };
    write(store, change.keep(Record::FederatedIdentity(FederatedIdentity { granted, ..identity }))).await
}

//! What `device_code` (RFC 8628 §3.4) and `auth_req_id` (CIBA §10.1) have in common: a reference with which a client
//! asks until its user has answered.

use protocol::client::GrantType;
use protocol::deferred::NoAnswer;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token_request::DeferredRequest;

use super::authorization_code::{Redemption, issue};
use super::desk::{Desk, Granted, Refused};
use crate::secret::SecretDigest;
use crate::store::{self, Note, StoredCode};

/// The refusal of a reference that is nothing, another client's, or used.
pub(super) fn gone() -> Refusal {
    Refusal::new(ErrorCode::InvalidGrant, "it is not valid, or not any more")
}

/// Redeems a reference of this grant type, or says why there is nothing yet.
pub(super) async fn redeem(
    desk: &Desk<'_>,
    request: &DeferredRequest,
    grant_type: GrantType,
) -> Result<Granted, Refused> {
    let mut event = desk.event.clone();
    let digest = SecretDigest::of(request.reference.reveal());
    let kept = match desk.app.store.find_deferred(&digest).await {
        Ok(Some(kept)) if is_callers(desk, &kept, grant_type) => kept,
        Ok(_) => return Err(desk.refused(&event, gone())),
        Err(error) => return Err(desk.refused(&event, error)),
    };
    event.user.clone_from(&kept.user);
    if kept.request.dpop_jkt.is_some() && kept.request.dpop_jkt != desk.caller.key {
        let description = "the request is bound to the DPoP key that was proven with it";
        return Err(desk.refused(&event, Refusal::new(ErrorCode::InvalidGrant, description)));
    }
    let code = match desk.app.store.find_code(&digest).await {
        Ok(code) => code,
        Err(error) => return Err(desk.refused(&event, error)),
    };
    match code {
        Some(StoredCode { redeemed: true, .. }) => Err(desk.refused(&event, gone())),
        Some(StoredCode { code, expires_at, .. }) if !expires_at.is_over(desk.visit.now) => {
            event.user = Some(code.user.clone());
            event.consent = Some(code.consent.clone());
            let redemption = Redemption {
                digest,
                resources: &request.resources,
                authorization_details: request.authorization_details.as_ref(),
                pushed_for: None,
                answered: grant_type == GrantType::Ciba,
            };
            let decided = issue(desk, &redemption, &code, &mut event).await;
            desk.told(&event, decided)
        }
        _ => Err(no_answer(desk, &kept, event).await),
    }
}

/// Whoever asked may ask, in the way that it asked.
fn is_callers(desk: &Desk<'_>, kept: &store::DeferredRequest, grant_type: GrantType) -> bool {
    let instance = kept.request.instance.is_none() || kept.request.instance == desk.caller.instance;
    kept.request.client == desk.caller.client.id && kept.request.way.grant_type() == grant_type && instance
}

/// Why there is nothing yet, or never will be. While it waits, asking decides nothing, and is only noted.
async fn no_answer(
    desk: &Desk<'_>,
    kept: &store::DeferredRequest,
    event: protocol::audit::AuditEvent,
) -> Refused {
    let told = match kept.polling.poll(desk.visit.now) {
        NoAnswer::Expired => NoAnswer::Expired,
        _ if kept.answered => NoAnswer::Denied,
        told => told,
    };
    // Whoever may not use their account any more says neither yes nor no. A hint that names nobody is not told apart.
    let gone_for_good = match &kept.user {
        Some(user) => match desk.app.store.find_user(user).await {
            Ok(user) => user.is_some_and(|user| !user.enabled),
            Err(error) => return desk.refused(&event, error),
        },
        None => false,
    };
    let told = if gone_for_good && told != NoAnswer::Expired { NoAnswer::Denied } else { told };
    let too_soon = told == NoAnswer::SlowDown;
    let waits = too_soon || told == NoAnswer::Pending;
    let polled = waits.then_some(Box::new(Note::Polled { digest: kept.digest, too_soon }));
    Refused { polled, ..desk.refused(&event, Refusal::from(told)) }
}

//! Client-Initiated Backchannel Authentication §10: what a user approved wherever they were becomes tokens, once: for
//! the client that asks (poll and ping mode), or to be pushed to it.

use protocol::client::{DeliveryMode, GrantType};
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token_request::DeferredRequest;

use super::authorization_code::{Redemption, issue};
use super::deferred;
use super::desk::{Desk, Granted, Refused};
use crate::secret::SecretDigest;
use crate::store::Ending;

/// Redeems an `auth_req_id`, or says why there is nothing yet.
pub(super) async fn redeem(desk: &Desk<'_>, request: &DeferredRequest) -> Result<Granted, Refused> {
    if desk.caller.client.delivery_mode() == DeliveryMode::Push {
        let description = "this client is registered for push mode, and does not ask";
        return Err(desk.refused(&desk.event, Refusal::new(ErrorCode::UnauthorizedClient, description)));
    }
    deferred::redeem(desk, request, GrantType::Ciba).await
}

/// Redeems an `auth_req_id` to push what it is good for.
pub(super) async fn push(desk: &Desk<'_>, auth_req_id: &str) -> Result<Granted, Refused> {
    let mut event = desk.event.clone();
    let digest = SecretDigest::of(auth_req_id);
    let code = match desk.app.store.find_code(&digest).await {
        // It was redeemed to be pushed, and whoever did that did not live to tell: nobody has these tokens, and nobody
        // is to have them.
        Ok(Some(stored)) if stored.redeemed => {
            let end = Some(Ending::CodeTokens(digest));
            return Err(Refused { end: end.map(Box::new), ..desk.refused(&event, deferred::gone()) });
        }
        Ok(Some(stored)) if !stored.expires_at.is_over(desk.visit.now) => stored.code,
        Ok(_) => return Err(desk.refused(&event, deferred::gone())),
        Err(error) => return Err(desk.refused(&event, error)),
    };
    let nothing_more = Default::default();
    let redemption = Redemption {
        digest,
        resources: &nothing_more,
        authorization_details: None,
        pushed_for: Some(auth_req_id),
        answered: true,
    };
    let decided = issue(desk, &redemption, &code, &mut event).await;
    desk.told(&event, decided)
}

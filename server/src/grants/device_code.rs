//! Device code (RFC 8628 §3.4): what a user approved on another device becomes tokens, once.

use protocol::client::GrantType;
use protocol::token_request::DeferredRequest;

use super::deferred;
use super::desk::{Desk, Granted, Refused};

/// Redeems a device code, or says why there is nothing yet.
pub(super) async fn redeem(desk: &Desk<'_>, request: &DeferredRequest) -> Result<Granted, Refused> {
    deferred::redeem(desk, request, GrantType::DeviceCode).await
}

//! `POST /device_authorization` (RFC 8628 §3.1).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::metadata::{DEVICE, DEVICE_AUTHORIZATION};
use serde_json::json;

use super::reply;
use super::sent::Sent;
use crate::app::App;
use crate::approvals::{self, DeviceAsked};
use crate::caller;
use crate::failure::Failure;
use crate::jose::NoncePurpose;

/// Gives a device its codes.
pub async fn post(State(app): State<Arc<App>>, sent: Sent) -> Response {
    match answer(&app, &sent).await {
        Ok(asked) => {
            let page = app.url(DEVICE);
            let body = json!({
                "device_code": asked.device_code.reveal(),
                "user_code": asked.user_code.to_string(),
                "verification_uri": page,
                "verification_uri_complete": format!("{page}?user_code={}", asked.user_code),
                "expires_in": asked.expires_in.0,
                "interval": asked.interval.0,
            });
            let mut response = reply::json(StatusCode::OK, body);
            if !sent.headers.dpop.is_empty() {
                reply::hand_out_nonce(&app, &sent.visit, NoncePurpose::AuthorizationServer, &mut response);
            }
            response
        }
        Err(failure) => reply::failure(&app, &sent.visit, failure, false),
    }
}

async fn answer(app: &App, sent: &Sent) -> Result<DeviceAsked, Failure> {
    let url = app.url(DEVICE_AUTHORIZATION);
    let caller = caller::identify(app, &sent.visit, &sent.headers.presentation(&url), &sent.params).await?;
    approvals::ask_device(app, &sent.visit, &caller, &sent.params).await
}

//! `POST /backchannel/authorize` (Client-Initiated Backchannel Authentication §7).

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::metadata::BACKCHANNEL_AUTHENTICATION;
use protocol::refusal::ErrorCode;
use serde_json::json;

use super::reply;
use super::sent::Sent;
use crate::app::App;
use crate::approvals::{self, BackchannelAsked, Letter};
use crate::caller;
use crate::failure::Failure;
use crate::jose::NoncePurpose;

/// Takes the question of a client in.
pub async fn post(State(app): State<Arc<App>>, Extension(letter): Extension<Letter>, sent: Sent) -> Response {
    match answer(&app, &sent, &letter).await {
        Ok(asked) => {
            let mut body =
                json!({ "auth_req_id": asked.auth_req_id.reveal(), "expires_in": asked.expires_in.0 });
            if let Some(interval) = asked.interval {
                body["interval"] = interval.0.into();
            }
            let mut response = reply::json(StatusCode::OK, body);
            if !sent.headers.dpop.is_empty() {
                reply::hand_out_nonce(&app, &sent.visit, NoncePurpose::AuthorizationServer, &mut response);
            }
            response
        }
        Err(failure) => {
            // CIBA §13: alone among its errors.
            let denied =
                matches!(&failure, Failure::Refused(refusal) if refusal.code == ErrorCode::AccessDenied);
            let mut response = reply::failure(&app, &sent.visit, failure, false);
            if denied {
                *response.status_mut() = StatusCode::FORBIDDEN;
            }
            response
        }
    }
}

async fn answer(app: &Arc<App>, sent: &Sent, letter: &Letter) -> Result<BackchannelAsked, Failure> {
    let url = app.url(BACKCHANNEL_AUTHENTICATION);
    let caller = caller::identify(app, &sent.visit, &sent.headers.presentation(&url), &sent.params).await?;
    approvals::ask_user(app, &sent.visit, &caller, &sent.params, letter).await
}

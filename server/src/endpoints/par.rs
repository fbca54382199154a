//! `POST /par` (RFC 9126).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::metadata::PAR;
use serde_json::json;

use super::reply;
use super::sent::Sent;
use crate::app::App;
use crate::authorization::{self, Pushed};
use crate::caller;
use crate::failure::Failure;
use crate::jose::NoncePurpose;

/// Takes an authorization request in advance.
pub async fn post(State(app): State<Arc<App>>, sent: Sent) -> Response {
    match answer(&app, &sent).await {
        Ok(pushed) => {
            let body =
                json!({ "request_uri": pushed.request_uri.reveal(), "expires_in": pushed.expires_in.0 });
            let mut response = reply::json(StatusCode::CREATED, body);
            if !sent.headers.dpop.is_empty() {
                reply::hand_out_nonce(&app, &sent.visit, NoncePurpose::AuthorizationServer, &mut response);
            }
            response
        }
        Err(failure) => reply::failure(&app, &sent.visit, failure, false),
    }
}

async fn answer(app: &App, sent: &Sent) -> Result<Pushed, Failure> {
    let url = app.url(PAR);
    let caller = caller::identify(app, &sent.visit, &sent.headers.presentation(&url), &sent.params).await?;
    authorization::push(app, &sent.visit, &caller, &sent.params).await
}

//! `POST /attestation-challenge`: a challenge for the proof of a client attestation (OAuth 2.0 Attestation-Based Client
//! Authentication, `challenge_endpoint`).

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::reply;
use crate::app::{App, Visit};
use crate::jose::NoncePurpose;

/// A fresh one. Nothing is kept of it.
pub async fn post(State(app): State<Arc<App>>, Extension(visit): Extension<Visit>) -> Response {
    let challenge = app.nonces.issue(visit.now, NoncePurpose::Attestation, app.entropy.as_ref());
    reply::json(StatusCode::OK, json!({ "attestation_challenge": challenge }))
}

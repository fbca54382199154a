//! `POST /token` (RFC 6749 §3.2).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use protocol::metadata::TOKEN;

use super::reply;
use super::sent::Sent;
use crate::app::App;
use crate::caller;
use crate::failure::Failure;
use crate::grants::{self, Reply};

/// Identify, grant, reply.
pub async fn post(State(app): State<Arc<App>>, sent: Sent) -> Response {
    match answer(&app, &sent).await {
        Ok(granted) => reply::token(&app, &sent.visit, &granted),
        Err(failure) => reply::failure(&app, &sent.visit, failure, false),
    }
}

async fn answer(app: &App, sent: &Sent) -> Result<Reply, Failure> {
    let url = app.url(TOKEN);
    let caller = caller::identify(app, &sent.visit, &sent.headers.presentation(&url), &sent.params).await?;
    grants::grant(app, &sent.visit, &caller, &sent.params).await
}

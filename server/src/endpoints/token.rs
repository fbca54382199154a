//! `POST /token` (RFC 6749 §3.2).

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::Response;
use protocol::metadata::TOKEN;

use super::reply;
use super::sent::Sent;
use crate::app::App;
use crate::approvals::{self, ApprovalLetter};
use crate::caller;
use crate::failure::Failure;
use crate::grants::{self, Answer};

/// Identify, grant, reply. Whoever has to approve first is written to by `letter`.
pub async fn post(
    State(app): State<Arc<App>>,
    Extension(letter): Extension<ApprovalLetter>,
    sent: Sent,
) -> Response {
    match answer(&app, &sent).await {
        Ok(Answer::Issued(granted)) => reply::token(&app, &sent.visit, &granted),
        Ok(Answer::Deferred(deferred)) => {
            let response = reply::deferred(&app, &sent.visit, &deferred, !sent.headers.dpop.is_empty());
            approvals::tell_approver(&app, *deferred, &letter);
            response
        }
        Err(failure) => reply::failure(&app, &sent.visit, failure, false),
    }
}

async fn answer(app: &App, sent: &Sent) -> Result<Answer, Failure> {
    let url = app.url(TOKEN);
    let caller = caller::identify(app, &sent.visit, &sent.headers.presentation(&url), &sent.params).await?;
    grants::grant(app, &sent.visit, &caller, &sent.params).await
}

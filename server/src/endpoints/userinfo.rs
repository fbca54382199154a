//! `GET` and `POST /userinfo` (OpenID Connect Core §5.3).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use protocol::metadata::USERINFO;
use serde_json::Value;

use super::protected::{self, Asked};
use super::reply;
use crate::app::App;
use crate::failure::Broken;

/// What the user's scopes tell about the user.
pub async fn get(State(app): State<Arc<App>>, request: Parts) -> Response {
    answer(&app, &request).await.unwrap_or_else(|refused| *refused)
}

async fn answer(app: &App, request: &Parts) -> Result<Response, Box<Response>> {
    let visit = protected::visit(&request.extensions)?;
    let url = app.url(USERINFO);
    let (headers, method) = (&request.headers, &request.method);
    let token =
        protected::open(app, &Asked { visit: &visit, headers, method, url: &url, scope: "openid" }).await?;
    let broken = |reason: Broken| Box::new(reply::broken(reason));
    let gone = || broken(Broken::Inconsistent("a live token of a user that is not there"));
    let user = token.subject.user().ok_or_else(gone)?;
    let user = app.store.find_user(user).await.map_err(|error| broken(error.into()))?.ok_or_else(gone)?;
    let claims = protocol::userinfo::userinfo(&user, &token.authority.scope);
    Ok(reply::json(StatusCode::OK, Value::Object(claims)))
}

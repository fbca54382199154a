//! What a conformance suite needs of a server that it tests. None of it is there unless `[certification]` is
//! configured.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::protected::{self, Asked};
use super::reply;
use crate::app::{App, Visit};
use crate::{approvals, certification};

/// The protected resource's path.
pub const RESOURCE: &str = "/certification/resource";
/// The name of a call among those who make and answer it (FAPI 2.0 Implementation Advice).
const INTERACTION_ID: HeaderName = HeaderName::from_static("x-fapi-interaction-id");
/// The path of the hook that publishes the next signing keys.
pub const ROTATE_KEYS: &str = "/certification/{secret}/rotate-keys";
/// The path of the hook that answers backchannel requests.
pub const CIBA: &str = "/certification/{secret}/ciba/{auth_req_id}/{action}";
/// The longest name that is given back.
const LONGEST_ID: usize = 100;

/// `GET` and `POST /certification/resource`: a protected resource that tells what it knows of the token.
pub async fn resource(State(app): State<Arc<App>>, request: Parts) -> Response {
    answer(&app, &request).await.unwrap_or_else(|refused| *refused)
}

async fn answer(app: &App, request: &Parts) -> Result<Response, Box<Response>> {
    let visit = protected::visit(&request.extensions)?;
    let url = app.url(RESOURCE);
    let (headers, method) = (&request.headers, &request.method);
    let asked = Asked { visit: &visit, headers, method, url: &url, scope: protected::ANY_SCOPE };
    let token = protected::open(app, &asked).await?;
    let told = json!({
        "sub": token.subject.as_str(),
        "client_id": token.client.as_str(),
        "scope": token.authority.scope.to_string(),
    });
    let mut response = reply::json(StatusCode::OK, told);
    // Whoever proxies may have none of its own: when this was answered is part of the answer (FAPI 2.0 §5.3.3).
    if let Some(date) = http_date(visit.now.0) {
        response.headers_mut().insert(axum::http::header::DATE, date);
    }
    let id = headers.get(INTERACTION_ID).filter(|id| id.len() <= LONGEST_ID && id.to_str().is_ok());
    if let Some(id) = id {
        response.headers_mut().insert(INTERACTION_ID, id.clone());
    }
    Ok(response)
}

/// `POST /certification/{secret}/rotate-keys`.
pub async fn rotate_keys(
    State(app): State<Arc<App>>,
    Path(word): Path<String>,
    Extension(visit): Extension<Visit>,
) -> Response {
    if !certification::opens(&app, &word) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match certification::rotate_keys(&app, &visit).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(failure) => reply::failure(&app, &visit, failure, false),
    }
}

/// `POST /certification/{secret}/ciba/{auth_req_id}/{action}`: answers a backchannel request for its user, by `allow`
/// or `deny`.
pub async fn ciba(
    State(app): State<Arc<App>>,
    Path((word, auth_req_id, action)): Path<(String, String, String)>,
    Extension(visit): Extension<Visit>,
) -> Response {
    let allow = match action.as_str() {
        "allow" => true,
        "deny" => false,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    if !certification::opens(&app, &word) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match approvals::decide_for_test(&app, &visit, &auth_req_id, allow).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(failure) => reply::failure(&app, &visit, failure, false),
    }
}

/// A date as HTTP writes it (RFC 9110 §5.6.7).
fn http_date(seconds: i64) -> Option<axum::http::HeaderValue> {
    let form = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let text = time::OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(form).ok()?;
    axum::http::HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_http_writes_it() {
        assert_eq!(http_date(784_111_777).unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}

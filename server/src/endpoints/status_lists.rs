//! `/status-lists`: what became of tokens, for those who validate them offline (Token Status List).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use protocol::metadata::status_list_uri;
use protocol::status_list::MEDIA_TYPE;
use serde_json::json;

use super::{protected, reply};
use crate::app::App;
use crate::failure::Failure;

/// `GET /status-lists/{id}`.
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<String>, parts: Parts) -> Response {
    let visit = match protected::visit(&parts.extensions) {
        Ok(visit) => visit,
        Err(broken) => return *broken,
    };
    let with = (&app.store, &app.keys, app.issuer());
    match app.status_lists.tell(with, &id, visit.now).await {
        Ok(Some(told)) => {
            let gzip = accepts_gzip(&parts.headers);
            let mut response = match gzip {
                true => told.gzip.to_vec().into_response(),
                false => told.jwt.to_string().into_response(),
            };
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
            if gzip {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            if let Ok(kept) = format!("public, max-age={}", app.status_lists.ttl().0).parse() {
                headers.insert(header::CACHE_CONTROL, kept);
            }
            response
        }
        Ok(None) => reply::json(StatusCode::NOT_FOUND, json!({ "error": "not_found" })),
        Err(failure) => reply::failure(&app, &visit, failure, false),
    }
}

/// `GET /status-lists`: all of them.
pub async fn list(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let visit = match protected::visit(&parts.extensions) {
        Ok(visit) => visit,
        Err(broken) => return *broken,
    };
    match app.store.status_lists(visit.now).await {
        Ok(ids) => {
            let uris: Vec<String> = ids.iter().map(|id| status_list_uri(app.issuer(), id)).collect();
            reply::json(StatusCode::OK, json!({ "status_lists": uris }))
        }
        Err(error) => reply::failure(&app, &visit, Failure::from(error), false),
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        gzip && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}
